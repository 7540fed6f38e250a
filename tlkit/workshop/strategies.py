"""The strategies of `train_classifier`: each trains, and judges on pictures kept apart."""

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tlkit import finetuning
from tlkit.data.image_dataset import ImageDataset
from tlkit.features import extract_features
from tlkit.heads import attach_head, cross_validate, fit_linear_head, folds_for
from tlkit.paths import cache_dir
from tlkit.progress import progress as tell
from tlkit.steps import passes, take_steps
from tlkit.store import digest, keep, recall
from tlkit.workshop.evaluation import Evaluation, evaluate
from tlkit.workshop.preparation import UNEVEN
from tlkit.workshop.recommendation import Reader, advise, read_features

if TYPE_CHECKING:
    import keras

# How to train, and what that means to whoever chooses; "auto" chooses one of the others.
STRATEGIES = {
    "auto": "what the labels speak for",
    "features": "a linear head on frozen features: fast",
    "fine-tune": "the whole network moves: slower, and often better",
}
COPIES = ("drop", "keep")
# The share of the pictures that judges a fine-tuned network.
HELD_BACK = 0.2
# Steps between two checkpoints; pictures whose features are kept together. What was done before an
# interruption is not done again.
ROUND, PIECE = 20, 128


class Trained(NamedTuple):
    """A classifier's model, how well it did, and what to say about that."""

    model: "keras.Model"
    held_back: Evaluation
    note: str


def load_base(image_size: int, layer: str | None) -> "keras.Model":
    """The pretrained network, as far as a layer."""
    import keras

    from tlkit.networks.backbones import load_backbone

    base = load_backbone(image_size=image_size)
    if layer in (None, "features"):
        return base
    return keras.Model(base.input, base.get_layer(layer).output, name=f"{base.name}_{layer}")


def on_features(
    data: ImageDataset, base: "keras.Model", seed: int, show: bool | None = None
) -> Trained:
    """A linear head on frozen features; each picture is judged by a head fitted without it."""
    from scipy.special import softmax

    features = features_in_pieces(base, data.images, show)
    logits = cross_validate(features, data.labels, seed=seed, fit=even_head)
    how = f"each picture judged by a head fitted without it ({folds_for(data.labels)} parts)"
    judged = evaluate(data, softmax(logits, axis=1), how)
    model = finished(base, even_head(features, data.labels))
    return Trained(model, judged, f"A linear head on frozen features of {base.name}.")


def by_fine_tuning(
    data: ImageDataset, base: "keras.Model", seed: int, show: bool | None = None
) -> Trained:
    """Head first, then the whole network; judged on a fifth of the pictures, which it never saw."""
    from scipy.special import softmax

    learn, judge = hold_back(data, seed)
    features = features_in_pieces(base, learn.images, show)
    model = attach_head(base, fit_linear_head(features, learn.labels))
    steps = finetuning.fading_steps(len(learn))
    finetuning.unfreeze(model, quiet=True)
    finetuning.compile_fading(model, steps)
    order = passes(len(learn), steps, finetuning.BATCH_SIZE, seed)
    take_kept_steps(model, learn, order, show)
    even_out(model.layers[-1], learn.labels)
    # Without the optimizer, which would treble the file.
    model = finished(base, model.layers[-1])
    logits = extract_features(model, judge.images, cache=False, progress=False)
    how = f"held back: {len(judge)} pictures, of which nothing was learnt"
    judged = evaluate(judge, softmax(logits, axis=1), how)
    return Trained(model, judged, f"The whole of {base.name}, fine-tuned for {steps} steps.")


def choose(
    data: ImageDataset, seed: int, read: Reader = read_features
) -> tuple[str, str | None, tuple[str, ...]]:
    """What `"auto"` does: a strategy, the layer whose features are used (None: the last), and why.

    Training from scratch needs far more pictures than anybody labels by hand; letting all of the
    network move comes nearest.
    """
    advice = advise(data, seed, read)
    if advice.strategy == "features":
        return "features", advice.layer, advice.reasons
    return "fine-tune", None, advice.reasons


def hold_back(data: ImageDataset, seed: int) -> tuple[ImageDataset, ImageDataset]:
    """What fine-tuning learns from, and the fifth that it is judged on."""
    held = max(len(data.class_names), round(HELD_BACK * len(data)))
    return data.split(train=len(data) - held, seed=seed)


def take_kept_steps(
    model: "keras.Model", data: ImageDataset, order: np.ndarray, show: bool | None = None
) -> None:
    """Train a compiled model, with checkpoints on disk."""
    model.optimizer.build(model.trainable_variables)
    state = [*model.trainable_variables, *model.optimizer.variables]
    key = digest(data.images, data.labels, order, *model.get_weights())
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

    take_steps(model, data.images, data.labels, order[done:], on_step=after)
    with contextlib.suppress(OSError):
        (cache_dir("training") / name).unlink()


def features_in_pieces(
    base: "keras.Model", images: np.ndarray, show: bool | None = None
) -> np.ndarray:
    """`extract_features`, kept on disk piece by piece."""
    starts = range(0, len(images), PIECE)
    pieces = (extract_features(base, images[at : at + PIECE], progress=False) for at in starts)
    return np.concatenate([*tell(pieces, len(starts), "Extracting features", show)])


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
