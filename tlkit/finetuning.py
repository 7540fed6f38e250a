"""Let a pretrained network move: unfreeze it, train it by one of two recipes (lesson 04a)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tlkit import checks
from tlkit.checks import demand
from tlkit.data.image_dataset import ImageDataset
from tlkit.data.names import labels_by_name
from tlkit.errors import InputError
from tlkit.features import extract_features, still_part
from tlkit.heads import attach_head, fit_linear_head
from tlkit.keras_tools import built_model, leaf_layers, place_of, seeded
from tlkit.steps import passes, take_steps

if TYPE_CHECKING:
    import keras

# The recipe without validation pictures, where every label trains and nothing tells when to stop:
# a number of steps, and a rate that fades to nothing, so that the last of them spoil nothing.
# AdamW's decay keeps the weights small. Steps: eight times over the pictures, within bounds.
FADING_RATE, BATCH_SIZE = 3e-4, 16
TIMES_OVER, FEWEST_STEPS, MOST_STEPS = 8, 60, 200


def unfreeze(model: "keras.Model", from_layer: str | None = None, quiet: bool = False) -> None:
    """Let a network's late layers train, keep its early ones, and keep all batch norm still.

    Batch norm carries running statistics of the pictures that the network was trained on. Once
    unfrozen it would replace them with those of your few batches; so it stays frozen, which in
    Keras also means that it keeps to those statistics while the rest trains.

    Prints how many layers and parameters will train. The model must be compiled again afterwards.

    Args:
        model: A built model; flat, nested or subclassed.
        from_layer: The first layer to train, such as `"block_10"`; None for all. A block's name
            stands for all its layers: those whose names start with it and an underscore.
        quiet: Print nothing.

    Raises:
        InputError: No such layer, or a model that has no weights yet.

    Example:
        >>> unfreeze(load_backbone(image_size=64), from_layer="block_15")
        4 of 49 layers will train, with 1,009,792 of 3,413,024 parameters.
        49 batch-norm layers stay still. Compile the model again: only then does this count.
    """
    import keras

    if not isinstance(from_layer, str | None):
        raise InputError(f"`from_layer` is {from_layer!r}.", "Give the name of a layer, or None.")
    leaves = leaf_layers(built_model(model))
    start = 0 if from_layer is None else place_of(from_layer, leaves, model.name)
    normalisers = [each for each in leaves if isinstance(each, keras.layers.BatchNormalization)]
    # Of the models around the layers, too. True on True would do nothing, so False comes first.
    for flag in (False, True):
        model.trainable = flag
    for number, layer in enumerate(leaves):
        layer.trainable = number >= start and layer not in normalisers
    if quiet:
        return
    able = [each for each in leaves if each.weights and each not in normalisers]
    moving = [layer for layer in able if layer.trainable_weights]
    count, total = (
        sum(math.prod(weight.shape) for weight in weights)
        for weights in (model.trainable_weights, model.weights)
    )
    print(
        f"{len(moving)} of {len(able)} layers will train, with {count:,} of {total:,} parameters.\n"
        f"{len(normalisers)} batch-norm layers stay still. "
        "Compile the model again: only then does this count."
    )


def fading_steps(pictures: int) -> int:
    """How many steps the recipe without validation pictures takes on so many pictures."""
    steps = TIMES_OVER * math.ceil(pictures / BATCH_SIZE)
    return int(np.clip(steps, FEWEST_STEPS, MOST_STEPS))


def compile_fading(model: "keras.Model", steps: int) -> None:
    """Compile for the recipe without validation pictures; what shall train is unfrozen before."""
    import keras

    fading = keras.optimizers.schedules.PolynomialDecay(FADING_RATE, steps, 0.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(fading), loss)


def fit_fading(
    model: "keras.Model",
    images: np.ndarray,
    labels: np.ndarray,
    from_layer: str | None = None,
    seed: int = 0,
    steps: int | None = None,
    take: Callable = take_steps,
) -> None:
    """Fine-tune by the recipe without validation pictures; what stays still is computed once.

    Args:
        model: A classifier with a settled head, from pictures to logits. Its weights change.
        images: RGB pictures (N, H, W, 3).
        labels: (N,) whole numbers.
        from_layer: See `unfreeze`.
        seed: Of the order of the pictures.
        steps: How many; None for `fading_steps`.
        take: What takes the steps, as `take_steps` does.
    """
    steps = steps or fading_steps(len(images))
    unfreeze(model, from_layer, quiet=True)
    moving = model
    if parts := still_part(model, len(images)):
        early, moving = parts
        images = extract_features(early, images, pooled=False, cache=False, progress=False)
    compile_fading(moving, steps)
    take(moving, images, labels, passes(len(images), steps, BATCH_SIZE, seed))


@dataclass(frozen=True)
class FineTuned:
    """What `fine_tune` gives back.

    Args:
        model: The classifier, from pictures to logits, with the weights of its best epoch.
        history: `loss`, `accuracy`, `val_loss` and `val_accuracy` by epoch. Entry 0 is the model
            with its new head, before anything else moved; it has no training loss (NaN).
        best_epoch: The epoch that was kept; 0 if moving the rest did not help.
    """

    model: "keras.Model"
    history: dict[str, list[float]]
    best_epoch: int


def fine_tune(
    model: "keras.Model",
    train: ImageDataset,
    validation: ImageDataset | None = None,
    from_layer: str | None = None,
    learning_rate: float = 1e-4,
    epochs: int = 10,
    patience: int = 3,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    progress: bool = True,
) -> FineTuned:
    """Fine-tune in two phases: settle the head while the rest is frozen, then let the rest move.

    The recipe with validation pictures: Adam at a low and steady rate, until their loss no longer
    falls. Each phase keeps the epoch where it was lowest. A backbone gets a new linear head, fitted
    on its features; of a classifier the last layer with weights trains in the first phase, at ten
    times the rate. Then `unfreeze`. If no epoch of the second phase beats the settled head, the
    head alone is what you get.

    Args:
        model: A backbone from RGB 0–255 to feature maps, or a classifier that ends in logits. Its
            weights change.
        train: What to train on.
        validation: What to choose the epoch on; None holds out a fifth of `train`. Never the test.
            Its classes are matched by name.
        from_layer: See `unfreeze`.
        learning_rate: Of the second phase, above 0.
        epochs: The most that each phase takes.
        patience: How many epochs without progress end a phase.
        batch_size: Pictures per step.
        seed: Of the split, of new weights and of the order of the pictures.
        progress: Print a line for each epoch.

    Returns:
        The classifier, how it got there, and which epoch was kept.

    Raises:
        InputError: A model, labels or a setting that do not fit.

    Example:
        >>> train, test = load_dataset("sunglasses-or-hat", n=300).split(train=200)
        >>> tuned = fine_tune(load_backbone(image_size=128), train)         # doctest: +SKIP
        >>> tuned.model.predict(test.images).shape                          # doctest: +SKIP
        (100, 2)

    Source: the two phases are those of the Keras guide "Transfer learning & fine-tuning".
    """
    options = {
        name: checks.whole(value, name, 1)
        for name, value in (("epochs", epochs), ("patience", patience), ("batch_size", batch_size))
    }
    checks.number(learning_rate, "learning_rate", 0, 1, such_as=1e-4)
    built_model(model), checks.dataset(train), checks.seed(seed)
    if validation is None:
        train, validation = train.split(train=round(0.8 * len(train)), seed=seed)
    if isinstance(getattr(model, "output_shape", None), list):
        raise InputError(
            f"The model {model.name!r} has several outputs.",
            "Pass one that ends in logits: keras.Model(model.input, model.outputs[0]).",
        )
    if not _takes(model, train, validation):
        raise InputError(
            f"The model takes pictures of shape {tuple(model.input_shape[1:])}; those to train on "
            f"have {train.images.shape[1:]}, or those to judge by have another one.",
            "Load both with the model's image_size.",
        )
    names = train.class_names
    judge = (
        checks.dataset(validation).images,
        labels_by_name(validation, names, "What is trained on"),
    )
    with seeded(seed):
        shape = np.shape(model(train.images[:1].astype("float32")))
        if len(shape) == 4:
            features = extract_features(model, train.images, progress=False)
            model = attach_head(model, fit_linear_head(features, train.labels))
        else:
            what = f"The model answers {shape[-1]} classes, the pictures have {len(names)}."
            mend = "Pass the backbone without its head, or a head of that width."
            demand(shape[-1] == len(names), what, mend)
            head = [layer for layer in model.layers if layer.weights][-1]
            for layer in model.layers:
                layer.trainable = layer is head
            _fit(model, 10 * learning_rate, "head", train, judge, progress, **options)
        unfreeze(model, from_layer)
        history, best = _fit(model, learning_rate, "all", train, judge, progress, **options)
    return FineTuned(model, history, best)


def _takes(model: "keras.Model", *sets: ImageDataset) -> bool:
    """Whether pictures have the size that a model takes, as far as its shape says."""
    takes = getattr(model, "input_shape", (None, None, None, None))[1:]
    # What is no data set at all is told by its own check.
    sizes = [data.images.shape[1:] for data in sets if hasattr(data, "images")]
    return len(takes) == 3 and all(
        want in (None, have) for size in sizes for want, have in zip(takes, size, strict=True)
    )


def _fit(model, rate, what, train, judge, progress, epochs, patience, batch_size):
    """Train until the validation loss stops falling, and go back to where it was lowest."""
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    moving, images, judged = model, train.images, judge[0]
    if parts := still_part(model, len(images) + len(judged)):
        # What the early layers make of a picture is the same in every epoch.
        early, moving = parts
        images, judged = (
            extract_features(early, each, pooled=False, cache=False, progress=False)
            for each in (images, judged)
        )
    moving.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    before = model.get_weights()
    start = moving.evaluate(judged, judge[1], batch_size=batch_size, verbose=0, return_dict=True)
    start = {f"val_{name}": value for name, value in start.items()}

    def tell(epoch, logs):
        if progress:
            told = f"validation loss {logs['val_loss']:.3f}, accuracy {logs['val_accuracy']:.0%}"
            print(f"{what}, epoch {epoch + 1}: {told}")

    stop = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
    fitted = moving.fit(
        images,
        train.labels,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(judged, judge[1]),
        validation_batch_size=batch_size,
        callbacks=[stop, keras.callbacks.LambdaCallback(on_epoch_end=tell)],
        verbose=0,
    ).history
    history = {name: [start.get(name, math.nan), *values] for name, values in fitted.items()}
    best = int(np.nanargmin(history["val_loss"]))
    if best == 0:
        model.set_weights(before)
    if moving is not model:
        model.compile(moving.optimizer, loss, metrics=["accuracy"])
    return history, best
