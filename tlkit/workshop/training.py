"""The two ways in which `train_classifier` trains, judged on pictures that were kept apart."""

import contextlib
import time
from collections.abc import Callable
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
from tlkit.workshop.recommendation import advise

if TYPE_CHECKING:
    import keras

PIECE = 128  # pictures whose features are kept together: an interruption costs no more
HELD_BACK = 0.2
ROUND = 20  # steps between two checkpoints
UNEVEN = 3.0  # from this ratio of the largest class to the smallest on, classes are evened out


class Choice(NamedTuple):
    """What `"auto"` does: a way, the layer whose features are used (None: the last), and why."""

    way: str
    layer: str | None
    reasons: tuple[str, ...]


class Trained(NamedTuple):
    """A classifier's model, how well it did, and what to say about that."""

    model: "keras.Model"
    held_back: Evaluation
    note: str


def choose(data: ImageDataset, seed: int, read: Callable[..., np.ndarray] | None = None) -> Choice:
    """The way that the labels speak for. `read` is another way to come by features."""
    advice = advise(data, seed, read)
    # Training from scratch needs far more pictures than anybody labels by hand. Letting all of the
    # network move comes nearest.
    way = "fine-tune" if advice.strategy == "from scratch" else advice.strategy
    return Choice(way, advice.layer if way == "features" else None, advice.reasons)


def features_in_pieces(
    model: "keras.Model",
    images: np.ndarray,
    layer: str | None = None,
    cache: bool = True,
    show: bool | None = None,
) -> np.ndarray:
    """`extract_features`, kept piece by piece, so that a second start goes on where one stopped."""
    starts = range(0, len(images), PIECE)
    steps = (
        extract_features(model, images[at : at + PIECE], layer, cache=cache, progress=False)
        for at in starts
    )
    return np.concatenate(list(tell(steps, len(starts), "Extracting features", show)))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities from logits, row by row."""
    from scipy.special import softmax

    return softmax(np.asarray(logits, "float64"), axis=1)


def even_out(head: "keras.Model", labels: np.ndarray) -> None:
    """Take what a head learnt of how frequent the classes are out of its biases.

    Only where the classes are very uneven: a rare class then stands as good a chance as a frequent
    one (Menon et al. 2021, "Long-tail learning via logit adjustment", arXiv 2007.07314).
    """
    dense = head.layers[-1]
    kernel, bias = dense.get_weights()
    counts = np.bincount(labels, minlength=len(bias))
    if counts.max() < UNEVEN * counts[counts > 0].min():
        return
    share = np.maximum(counts, 1) / counts.sum()
    dense.set_weights([kernel, bias - np.log(share).astype("float32")])


def head_on(features: np.ndarray, labels: np.ndarray, C: float = 1.0) -> "keras.Sequential":
    """A linear head that answers rare classes as readily as frequent ones."""
    head = fit_linear_head(features, labels, C)
    even_out(head, labels)
    return head


def train_on_features(
    data: ImageDataset, base: "keras.Model", seed: int, show: bool | None
) -> Trained:
    """A linear head on frozen features; each picture is judged by a head fitted without it."""
    features = features_in_pieces(base, data.images, show=show)
    logits = cross_validate(features, data.labels, seed=seed, fit=head_on)
    how = f"each picture judged by a head fitted without it ({folds_for(data.labels)} parts)"
    judged = evaluate(data.images, data.labels, softmax(logits), data.class_names, how)
    model = attach_head(base, head_on(features, data.labels))
    return Trained(model, judged, f"A linear head on frozen features of {base.name}.")


def train_by_fine_tuning(
    data: ImageDataset, base: "keras.Model", seed: int, show: bool | None
) -> Trained:
    """Head first, then the whole network; judged on a fifth of the pictures, which it never saw."""
    learn, judge = hold_back(data, seed)
    features = features_in_pieces(base, learn.images, show=show)
    model = attach_head(base, fit_linear_head(features, learn.labels))
    steps = finetuning.fading_steps(len(learn))
    finetuning.unfreeze(model, quiet=True)
    finetuning.compile_fading(model, steps)
    train_in_rounds(model, learn, steps, seed, show)
    even_out(model.layers[-1], learn.labels)
    model = _plain(model)
    logits = extract_features(model, judge.images, cache=False, progress=False)
    how = f"held back: {len(judge)} pictures, of which nothing was learnt"
    judged = evaluate(judge.images, judge.labels, softmax(logits), data.class_names, how)
    return Trained(model, judged, f"The whole of {base.name}, fine-tuned for {steps} steps.")


def hold_back(data: ImageDataset, seed: int) -> tuple[ImageDataset, ImageDataset]:
    """What fine-tuning learns from, and the fifth that it is judged on."""
    held = max(len(data.class_names), round(HELD_BACK * len(data)))
    return data.split(train=len(data) - held, seed=seed)


def train_in_rounds(
    model: "keras.Model", data: ImageDataset, steps: int, seed: int, show: bool | None = False
) -> None:
    """Train a compiled model. What was done before an interruption is not done again.

    After every round of steps it is kept how far the training has come.
    """
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    state = [*model.trainable_variables, *optimizer.variables]
    key = digest(data.images, data.labels, f"{steps} {seed}", *model.get_weights())
    name, begun = f"{key[:32]}.npz", 0
    if kept := recall("training", name):
        begun = int(kept["steps"])
        for number, variable in enumerate(state):
            variable.assign(kept[f"v{number}"])

    def note(step: int, _loss: float) -> None:
        done = begun + step + 1
        if done % ROUND == 0 and done < steps:
            values = {f"v{n}": np.asarray(variable) for n, variable in enumerate(state)}
            keep("training", name, steps=np.array(done), **values)

    order = passes(len(data), steps, finetuning.BATCH_SIZE, seed)[begun:]
    take_steps(model, data.images, data.labels, order, None, note, "Fine-tuning", show)
    with contextlib.suppress(OSError):
        (cache_dir("training") / name).unlink()


def _plain(model: "keras.Model") -> "keras.Model":
    """The same layers without the optimizer, which would treble the file."""
    import keras

    plain = keras.Model(model.inputs, model.outputs[0], name=model.name)
    plain.trainable = False
    return plain


WAYS: dict[str, Callable[..., Trained]] = {
    "features": train_on_features,
    "fine-tune": train_by_fine_tuning,
}


def train(
    way: str, data: ImageDataset, layer: str | None, seed: int, show: bool | None
) -> tuple[Trained, float]:
    """Train one way on a pretrained network; returns the seconds, too."""
    import keras

    from tlkit.networks.backbones import load_backbone

    began = time.perf_counter()
    base = load_backbone(image_size=data.images.shape[1])
    if layer is not None and layer != "features":
        base = keras.Model(base.input, base.get_layer(layer).output, name=f"{base.name}_{layer}")
    return WAYS[way](data, base, seed, show), time.perf_counter() - began
