"""What a learner's own labels say about the strategy that suits them (lesson 04a)."""

from dataclasses import dataclass

import numpy as np

from tlkit import checks
from tlkit.data.files import LARGE
from tlkit.data.image_dataset import ImageDataset
from tlkit.progress import progress
from tlkit.scores import Difference, Score, paired_difference, score

# Early, middle and end of efficientnet-lite0; and what is looked at with random weights.
LAYERS = ("block_05", "block_12", "features")
CONTROLS = ("block_05", "features")
MIDDLE, END = (f"pretrained, {layer}" for layer in LAYERS[1:])
# Pictures to measure on, and how many of a rare class must be among them.
AT_MOST, OF_EACH = 400, 5
# Labels in all, and in the smallest class: from here on fine-tuning is tried.
FEW, FEW_OF_ONE = 100, 10
# What features alone reach, when there is little left to gain.
ENOUGH = 0.99


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
        width = max(map(len, self.scores))
        return "\n".join(
            [
                f"Recommended: {self.strategy}",
                f"{self.labels} labels, {self.fewest} in the smallest class. "
                "Cross-validated on them, a linear head reaches",
                *(f"  {name:{width}}  {value}" for name, value in self.scores.items()),
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
    alone reach 99 %, or pretraining is not seen to help.

    It is a first guess with its evidence, not a verdict: what pays is measured by trying.

    Args:
        dataset: Your *training* pictures, square. Some 400 of them are looked at; more if there are
            more than 80 classes.
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
    from tlkit.heads import cross_validate

    counts = np.bincount(checks.dataset(dataset).labels)
    counts = counts[counts > 0]
    height, width = dataset.images.shape[1:3]
    checks.demand(
        height == width >= 32,
        f"The pictures are {width}×{height} pixels; square ones of 32 or more are needed.",
        "Load them with image_size=128.",
    )
    checks.demand(
        len(counts) > 1 and counts.min() > 1,
        "Two classes with two pictures each are the least that can be cross-validated.",
        "Label a few more pictures.",
    )
    n = min(len(dataset), max(AT_MOST, OF_EACH * len(counts)))
    sample = dataset.take(n, checks.seed(seed), of_each=OF_EACH)
    features = read_features(sample.images, seed)
    predictions = {
        name: cross_validate(each, sample.labels, seed=seed).argmax(axis=1)
        for name, each in features.items()
    }
    return decide(dataset, sample.labels, predictions)


def read_features(images: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Features of three depths of the pretrained network, and of two of a random one."""
    from tlkit.features import extract_features
    from tlkit.networks.backbones import load_backbone

    networks = {
        kind: load_backbone(image_size=images.shape[1], weights=weights, seed=seed)
        for kind, weights in (("pretrained", "imagenet"), ("random", None))
    }
    ways = [("pretrained", layer) for layer in LAYERS] + [("random", layer) for layer in CONTROLS]
    return {
        f"{kind}, {layer}": extract_features(networks[kind], images, layer, progress=False)
        for kind, layer in progress(ways, len(ways), "Choosing a strategy")
    }


def decide(
    dataset: ImageDataset, labels: np.ndarray, predictions: dict[str, np.ndarray]
) -> Recommendation:
    """The rule: what the evidence says, in words, and what follows."""
    counts = np.bincount(dataset.labels)
    fewest = int(counts[counts > 0].min())
    scores = {name: score(labels, each) for name, each in predictions.items()}

    def gain(ours: str, theirs: str) -> Difference:
        return paired_difference(*(predictions[name] == labels for name in (ours, theirs)))

    def best(names: list[str]) -> str:
        return max(names, key=lambda name: scores[name].accuracy)

    pretrained = [name for name in scores if name.startswith("pretrained")]
    leader = best(pretrained)
    carried = gain(leader, best([name for name in scores if name not in pretrained]))
    similarity, reasons = _similarity(carried, gain(MIDDLE, END))
    if _are_few(dataset.labels):
        # A difference can be worth having long before it is sure.
        chosen = best([END, MIDDLE])
    else:
        beaten = {name for name in pretrained if name != leader and gain(leader, name).low > 0}
        chosen = [name for name in pretrained if name not in beaten][-1]
    layer, reach = chosen.removeprefix("pretrained, "), scores[chosen]
    strategy, reason = next_step(dataset.labels, reach, f"a head on {layer}")
    if strategy == "fine-tune" and similarity == "unknown":
        strategy = "from scratch"
        reason = "Try a small network from scratch beside it, and look at your pictures."
    reasons.append(reason)
    if dataset.images.shape[1] < LARGE:
        reasons.append(
            f"If they are photographs, read them at {LARGE} pixels: on most sets of them that is "
            "worth a point or two."
        )
    return Recommendation(strategy, layer, similarity, len(dataset), fewest, scores, tuple(reasons))


def next_step(labels: np.ndarray, reach: Score, head: str) -> tuple[str, str]:
    """What to do once a head is fitted, `"fine-tune"` or `"features"`, and why.

    Args:
        labels: Of all pictures.
        reach: What the head gets, cross-validated.
        head: What it is called.
    """
    counts = np.bincount(labels)
    fewest = int(counts[counts > 0].min())
    found = f"cross-validated on {reach.n} labels, {head} gets {reach.accuracy:.1%}"
    if _are_few(labels):
        many = f"{len(labels)} labels" if len(labels) < FEW else f"{fewest} labels in a class"
        return "features", f"With {many}, train little: {found}."
    if reach.accuracy >= ENOUGH:
        return "features", f"Little is left to gain: {found}."
    return "fine-tune", f"Letting the network move may pay: {found}."


def _are_few(labels: np.ndarray) -> bool:
    counts = np.bincount(labels)
    return len(labels) < FEW or counts[counts > 0].min() < FEW_OF_ONE


def _similarity(carried: Difference, earlier: Difference) -> tuple[str, list[str]]:
    """How near the task is to ImageNet, and the evidence in words."""
    reasons = [f"Pretrained against random features: {_points(carried)}."]
    if carried.low <= 0:
        return "unknown", [*reasons, "That pretraining helps cannot be told from these labels."]
    reasons.append(f"The middle of the network against its end: {_points(earlier)}.")
    if earlier.low > 0:
        far = "Earlier features do clearly better, so the task is far from ImageNet."
        return "different", [*reasons, far]
    near = "Earlier features are not clearly better, so the task is near enough to ImageNet."
    return "similar", [*reasons, near]


def _points(gain: Difference) -> str:
    points = [100 * value for value in (gain.mean, gain.low, gain.high)]
    return "{:+.0f} points (95 % interval {:+.0f} to {:+.0f})".format(*points)
