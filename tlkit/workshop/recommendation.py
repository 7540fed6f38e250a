"""What a learner's own labels say about the strategy that suits them (lesson 04a)."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tlkit.data.image_dataset import ImageDataset, a_seed
from tlkit.errors import InputError
from tlkit.heads import cross_validate
from tlkit.scores import Score, paired_difference, score

if TYPE_CHECKING:
    import keras

LAYERS = ("block_05", "block_12", "features")  # early, middle and end of efficientnet-lite0
MIDDLE, END = LAYERS[1:]
CONTROLS = ("block_05", "features")  # of the same network with random weights
AT_MOST, OF_EACH = 400, 5  # pictures to measure on, and how many of a rare class are among them
FEW, FEW_OF_ONE = 100, 10  # in all, and in the smallest class: from here on fine-tuning is tried
ENOUGH = 0.97  # what features alone reach, when there is little left to gain


@dataclass(frozen=True, repr=False)
class Recommendation:
    """A strategy, and what it rests on. Prints as a few lines.

    Args:
        strategy: `"features"` (train a head on frozen features), `"fine-tune"` or
            `"from scratch"`.
        layer: The latest layer that none clearly beats. Where labels are few, the middle or the end
            of the network, whichever did better.
        similarity: `"similar"`, `"different"` or `"unknown"`: how near the task seems to be to
            the one that the network was trained for.
        labels: How many there are in all.
        fewest: How many the smallest class has.
        scores: Cross-validated accuracy on the training labels for each way of getting features.
        reasons: Sentences that lead to the strategy.
    """

    strategy: str
    layer: str
    similarity: str
    labels: int
    fewest: int
    scores: dict[str, Score]
    reasons: tuple[str, ...]

    def __repr__(self) -> str:
        wide = max(map(len, self.scores))
        return "\n".join(
            [
                f"Recommended: {self.strategy}",
                f"{self.labels} labels, {self.fewest} in the smallest class. "
                "Cross-validated on them, a linear head reaches",
                *(f"  {name:{wide}}  {value}" for name, value in self.scores.items()),
                *(f"- {reason}" for reason in self.reasons),
            ]
        )


def recommend(dataset: ImageDataset, seed: int = 0) -> Recommendation:
    """Recommend a strategy for your pictures, from their training labels alone.

    Two things decide by the rule of thumb: how many labels there are, and how near the pictures are
    to those of ImageNet. The first is counted. The second is measured: a linear head is
    cross-validated on features from three depths of a pretrained network, and on those of the same
    network with random weights. If the end does best, the task is similar; if the middle does
    clearly better, it is different; if random weights do as well, nothing is seen to carry over.

    With fewer than 100 labels, or 10 in a class, a head on features is recommended: those of the
    middle or of the end, whichever did better. With more the network may move, unless features
    alone reach 97 %, or pretraining is not seen to help.

    It is a first guess with its evidence, not a verdict: what pays is measured by trying.

    Args:
        dataset: Your *training* pictures, square. Up to 400 of them are looked at, or five of each
            class where there are more than 80.
        seed: Of the choice of pictures, of the folds and of the random network.

    Returns:
        The strategy, the best layer for features, and the evidence.

    Raises:
        InputError: Pictures that are not square, or a class with fewer than two.

    Example:
        >>> recommend(load_dataset("sunglasses-or-hat", n=200))             # doctest: +SKIP
        Recommended: fine-tune
        200 labels, 100 in the smallest class. Cross-validated on them, a linear head reaches
        ...

    Source: the rule of thumb is that of the CS231n notes on transfer learning.
    """
    return advise(dataset, seed)


def advise(
    dataset: ImageDataset, seed: int, read: Callable[..., np.ndarray] | None = None
) -> Recommendation:
    """`recommend`, with another way to come by features: `read(kind, layer, images)`."""
    height, width = dataset.images.shape[1:3]
    counts = np.bincount(dataset.labels, minlength=len(dataset.class_names))
    fewest = int(counts[counts > 0].min()) if len(dataset) else 0
    if height != width or height < 32:
        raise InputError(
            f"The pictures are {width}×{height} pixels; square ones of 32 or more are needed.",
            "Load them with image_size=128.",
        )
    if fewest < 2 or (counts > 0).sum() < 2:
        raise InputError(
            "Two classes with two pictures each are the least that can be cross-validated.",
            "Label a few more pictures.",
        )
    n = min(len(dataset), max(AT_MOST, OF_EACH * int((counts > 0).sum())))
    sample = dataset.take(n, a_seed(seed), of_each=OF_EACH)
    predicted = _probe(sample, seed, read or reader(height, seed))
    scores = {name: score(sample.labels, each) for name, each in predicted.items()}
    return Recommendation(
        **_decide(sample.labels, predicted, scores, fewest),
        labels=len(dataset),
        fewest=fewest,
        scores=scores,
    )


def reader(image_size: int, seed: int) -> Callable[[str, str, np.ndarray], np.ndarray]:
    """A function that runs pictures through the pretrained network, or through a random one."""
    from tlkit.features import extract_features
    from tlkit.networks.backbones import load_backbone

    @functools.cache
    def network(kind: str) -> "keras.Model":
        weights = {"pretrained": "imagenet", "random": None}[kind]
        return load_backbone(image_size=image_size, weights=weights, seed=seed)

    return lambda kind, layer, images: extract_features(network(kind), images, layer=layer)


def _probe(data: ImageDataset, seed: int, read: Callable) -> dict[str, np.ndarray]:
    """For each way of getting features, what heads say of pictures they were fitted without."""
    predicted = {}
    for kind, layers in (("pretrained", LAYERS), ("random", CONTROLS)):
        for layer in layers:
            features = read(kind, layer, data.images)
            logits = cross_validate(features, data.labels, seed=seed)
            predicted[f"{kind}, {layer}"] = logits.argmax(axis=1)
    return predicted


def _decide(labels, predicted, scores, fewest) -> dict:
    """The rule: what the evidence says, in words, and what follows."""

    def gain(ours: str, theirs: str):
        return paired_difference(*(predicted[name] == labels for name in (ours, theirs)))

    pretrained = [f"pretrained, {layer}" for layer in LAYERS]
    best = max(pretrained, key=lambda name: scores[name].accuracy)
    # The latest layer that the best one does not clearly beat.
    chosen = next(n for n in reversed(pretrained) if n == best or gain(best, n).low <= 0)
    control = max((n for n in scores if n not in pretrained), key=lambda n: scores[n].accuracy)
    carried = gain(best, control)
    earlier = gain(f"pretrained, {MIDDLE}", f"pretrained, {END}")
    reasons = [f"Pretrained against random features: {_points(carried)}."]
    if carried.low <= 0:
        similarity = "unknown"
        reasons.append("That pretraining helps cannot be told from these labels.")
    else:
        similarity = "different" if earlier.low > 0 else "similar"
        reasons += [
            f"The middle of the network against its end: {_points(earlier)}.",
            "Earlier features do clearly better, so the task is far from ImageNet."
            if similarity == "different"
            else "Earlier features are not clearly better, so the task is near enough to ImageNet.",
        ]
    few = len(labels) < FEW or fewest < FEW_OF_ONE
    if few:  # a difference can be worth having long before it is sure
        late = [f"pretrained, {each}" for each in (END, MIDDLE)]
        chosen = max(late, key=lambda name: scores[name].accuracy)
    layer, reach = chosen.removeprefix("pretrained, "), scores[chosen].accuracy
    if few:
        strategy = "features"
        how_many = f"{len(labels)} labels" if len(labels) < FEW else f"{fewest} labels in a class"
        reasons.append(f"With {how_many}, train little: a head on {layer} gets {reach:.0%}.")
    elif similarity == "unknown":
        strategy = "from scratch"
        reasons.append("Try a small network from scratch beside it, and look at your pictures.")
    elif reach >= ENOUGH:
        strategy = "features"
        reasons.append(f"A head on {layer} gets {reach:.0%} already: little is left to gain.")
    else:
        strategy = "fine-tune"
        reasons.append(f"A head on {layer} gets {reach:.0%}: letting the network move may pay.")
    return {
        "strategy": strategy,
        "layer": layer,
        "similarity": similarity,
        "reasons": tuple(reasons),
    }


def _points(gain) -> str:
    points = [100 * value for value in (gain.mean, gain.low, gain.high)]
    return "{:+.0f} points (95 % interval {:+.0f} to {:+.0f})".format(*points)
