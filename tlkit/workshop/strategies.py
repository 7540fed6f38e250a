"""The strategies of `train_classifier`: each trains, and judges on pictures kept apart."""

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import softmax

from tlkit import finetuning
from tlkit.data.image_dataset import ImageDataset
from tlkit.features import extract_features, read_layers
from tlkit.heads import attach_head, cross_validate, fit_linear_head, folds_for
from tlkit.paths import cache_dir
from tlkit.progress import progress as tell
from tlkit.steps import take_steps
from tlkit.store import digest, keep, recall
from tlkit.workshop.evaluation import Evaluation, evaluate
from tlkit.workshop.preparation import UNEVEN

if TYPE_CHECKING:
    import keras

# How to train, and what that means to whoever chooses; "auto" tries the others.
STRATEGIES = {
    "auto": "tries, and keeps what does best",
    "features": "a linear head on frozen features: fast",
    "fine-tune": "the late layers move, too: slower, and often better",
}
COPIES = ("drop", "keep")
# The share of the pictures that judges a fine-tuned network.
HELD_BACK = 0.2
# Where fine-tuning begins: what lies before stays still and is computed once. See the table
# `from_layer`: the late blocks do as well as the whole network or nearly so, in a fraction of time.
FROM_LAYER = "block_07"
# Steps between two checkpoints; pictures whose features are kept together. What was done before an
# interruption is not done again.
ROUND, PIECE = 20, 128


class Trained(NamedTuple):
    """A classifier's model, how well it did, and what to say about that."""

    model: "keras.Model"
    held_back: Evaluation
    note: str
    strategy: str


def load_base(image_size: int, layer: str | None = None) -> "keras.Model":
    """The pretrained network, as far as a layer."""
    import keras

    from tlkit.networks.backbones import load_backbone

    base = load_backbone(image_size=image_size)
    if layer in (None, "features"):
        return base
    return keras.Model(base.input, base.get_layer(layer).output, name=f"{base.name}_{layer}")


def on_features(
    data: ImageDataset,
    seed: int,
    show: bool | None = None,
    layer: str | None = None,
    C: float = 1.0,
) -> Trained:
    """A linear head on frozen features; each picture is judged by a head fitted without it."""
    base = load_base(data.images.shape[1], layer)
    [features] = features_in_pieces(base, data.images, [None], show)
    logits = cross_validate(features, data.labels, C, seed=seed, fit=even_head)
    how = f"each picture judged by a head fitted without it ({folds_for(data.labels)} parts)"
    judged = evaluate(data, softmax(logits, axis=1), how)
    model = finished(base, even_head(features, data.labels, C))
    note = f"A linear head on frozen features of {base.name} at {data.images.shape[1]} pixels."
    return Trained(model, judged, note, "features")


def by_fine_tuning(data: ImageDataset, seed: int, show: bool | None = None) -> Trained:
    """Head first, then the late layers, too; judged on a fifth of the pictures, never seen."""
    learn, judge = hold_back(data, seed)
    steps = finetuning.fading_steps(len(learn))
    model = fine_tuned(learn, seed, show, steps).at()
    how = f"held back: {len(judge)} pictures, of which nothing was learnt"
    note = f"{model.name}, fine-tuned from {FROM_LAYER} on for {steps} steps."
    return Trained(model, judged_on(model, judge, how), note, "fine-tune")


def hold_back(data: ImageDataset, seed: int) -> tuple[ImageDataset, ImageDataset]:
    """What fine-tuning learns from, and the fifth that it is judged on."""
    held = max(len(data.class_names), round(HELD_BACK * len(data)))
    return data.split(train=len(data) - held, seed=seed)


@dataclass(frozen=True)
class Tuning:
    """A network that was fine-tuned: its weights before and after, and what lies between."""

    base: "keras.Model"
    head: "keras.Model"
    before: list[np.ndarray]
    after: list[np.ndarray]
    labels: np.ndarray

    def at(self, share: float = 1.0) -> "keras.Model":
        """The classifier at a share of the way; 1 is where the training ended.

        The mean of both weights keeps more of what the network knew: on pictures like those of
        ImageNet it is mostly better than the end (Wortsman et al. 2022, "Robust fine-tuning of
        zero-shot models", arXiv 2109.01903, section 3).
        """
        # Without the optimizer, which would treble the file.
        model = finished(self.base, self.head)
        pairs = zip(self.before, self.after, strict=True)
        model.set_weights([(1 - share) * old + share * new for old, new in pairs])
        even_out(self.head, self.labels)
        return model


def fine_tuned(
    learn: ImageDataset,
    seed: int,
    show: bool | None = None,
    steps: int | None = None,
    mirrored: bool = False,
) -> Tuning:
    """Fit a head on frozen features, then train it together with the late layers."""
    images, labels = learn.images, learn.labels
    if mirrored:
        images, labels = np.concatenate([images, images[:, :, ::-1]]), np.tile(labels, 2)
    base = load_base(images.shape[1])
    [features] = features_in_pieces(base, images, [None], show)
    head = fit_linear_head(features, labels)
    model = attach_head(base, head)
    before = model.get_weights()
    take = functools.partial(take_kept_steps, show=show)
    finetuning.fit_fading(model, images, labels, FROM_LAYER, seed, steps, take)
    return Tuning(base, head, before, model.get_weights(), labels)


def judged_on(model: "keras.Model", judge: ImageDataset, how: str) -> Evaluation:
    """How a model does on pictures that it never saw."""
    logits = extract_features(model, judge.images, cache=False, progress=False)
    return evaluate(judge, softmax(logits, axis=1), how)


def take_kept_steps(
    model: "keras.Model",
    inputs: np.ndarray,
    labels: np.ndarray,
    order: np.ndarray,
    show: bool | None = None,
) -> None:
    """Train a compiled model, with checkpoints on disk."""
    model.optimizer.build(model.trainable_variables)
    state = [*model.trainable_variables, *model.optimizer.variables]
    key = digest(inputs, labels, order, *model.get_weights())
    name, done = f"{key[:32]}.npz", 0
    if kept := recall("training", name):
        done = int(kept["done"])
        for number, variable in enumerate(state):
            variable.assign(kept[f"v{number}"])
    told = tell(range(len(order) - done), len(order) - done, "Fine-tuning", show)
    next(told)

    def after(step: int, _loss: float) -> None:
        next(told, None)
        now = done + step + 1
        if now % ROUND == 0 and now < len(order):
            values = {f"v{n}": np.asarray(variable) for n, variable in enumerate(state)}
            keep("training", name, done=np.array(now), **values)

    take_steps(model, inputs, labels, order[done:], on_step=after)
    with contextlib.suppress(OSError):
        (cache_dir("training") / name).unlink()


def features_in_pieces(
    base: "keras.Model",
    images: np.ndarray,
    layers: Sequence[str | None],
    show: bool | None = None,
) -> list[np.ndarray]:
    """`read_layers`, kept on disk piece by piece."""
    starts = range(0, len(images), PIECE)
    pieces = (read_layers(base, images[s : s + PIECE], layers, progress=False) for s in starts)
    told = [*tell(pieces, len(starts), "Extracting features", show)]
    return [np.concatenate(each) for each in zip(*told, strict=True)]


def finished(base: "keras.Model", head: "keras.Model") -> "keras.Model":
    """A classifier to be used, and not to be trained."""
    model = attach_head(base, head)
    model.trainable = False
    return model


def even_head(features: np.ndarray, labels: np.ndarray, C: float = 1.0) -> "keras.Sequential":
    """A linear head to which rare classes are as likely as frequent ones."""
    head = fit_linear_head(features, labels, C)
    even_out(head, labels)
    return head


def even_out(head: "keras.Model", labels: np.ndarray) -> None:
    """Take what a head learnt of how frequent the classes are out of its biases.

    Only where the classes are very uneven: a rare class then stands as good a chance as a frequent
    one (Menon et al. 2021, "Long-tail learning via logit adjustment", arXiv 2007.07314).
    """
    counts = np.bincount(labels)
    if counts.max() < UNEVEN * counts[counts > 0].min():
        return
    kernel, bias = head.layers[-1].get_weights()
    share = np.maximum(counts, 1) / counts.sum()
    head.layers[-1].set_weights([kernel, bias - np.log(share).astype("float32")])
