"""Let a pretrained network move: unfreeze it, train it in two phases (lesson 04a)."""

import difflib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tlkit.data.image_dataset import ImageDataset, a_seed, whole
from tlkit.errors import InputError
from tlkit.keras_tools import leaf_layers

__all__ = ["FineTuned", "fine_tune", "unfreeze"]

if TYPE_CHECKING:
    import keras


def unfreeze(model: "keras.Model", from_layer: str | None = None) -> None:
    """Let a network's late layers train, keep its early ones, and keep all batch norm still.

    Batch norm carries running statistics of the pictures that the network was trained on. Once
    unfrozen it would replace them with those of your few batches; so it stays frozen, which in
    Keras also means that it keeps to those statistics while the rest trains.

    Prints how many layers and parameters will train. The model must be compiled again afterwards.

    Args:
        model: A built model; flat, nested or subclassed.
        from_layer: The first layer to train, such as `"block_10"`; None for all. A block's name
            stands for all its layers: those whose names start with it and an underscore.

    Raises:
        InputError: No such layer, or a model that has no weights yet.

    Example:
        >>> unfreeze(load_backbone(image_size=64), from_layer="block_15")
        4 of 49 layers will train, with 1,009,792 of 3,413,024 parameters.
        49 batch-norm layers stay still. Compile the model again: only then does this count.
    """
    import keras

    leaves = leaf_layers(model)
    if not model.built:
        raise InputError(
            f"The model {model.name!r} has no weights yet.", "Call it once on a batch of pictures."
        )
    start = 0 if from_layer is None else place_of(leaves, from_layer, model.name)
    normalisers = [each for each in leaves if isinstance(each, keras.layers.BatchNormalization)]
    for flag in (False, True):  # of the models around the layers, too; True on True does nothing
        model.trainable = flag
    for number, layer in enumerate(leaves):
        layer.trainable = number >= start and layer not in normalisers
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


def place_of(leaves: list["keras.layers.Layer"], wanted: str, model: str) -> int:
    """The place of a layer, or of the first one of a block."""
    names = [layer.name for layer in leaves]
    for place, name in enumerate(names):
        rest = name.removeprefix(f"{wanted}_")
        # "conv2d_7" is no part of "conv2d", but "block_10_expand_conv" is one of "block_10".
        if name == wanted or (rest != name and not rest.isdigit()):
            return place
    near = difflib.get_close_matches(str(wanted), names, 3) or names[-3:]
    raise InputError(
        f"The model {model!r} has no layer {wanted!r}.", f"Did you mean {', '.join(near)}?"
    )


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
    batch_size: int = 16,
    seed: int = 0,
    progress: bool = True,
) -> FineTuned:
    """Fine-tune in two phases: settle the head while the rest is frozen, then let the rest move.

    Each phase keeps the epoch with the lowest loss on the validation pictures. A backbone gets a
    new linear head, fitted on its features; of a classifier the last layer trains in the first
    phase, at ten times the rate. Then `unfreeze` and Adam. If no epoch of the second phase beats
    the settled head, the head alone is what you get.

    Args:
        model: A backbone from RGB 0–255 to feature maps, or a classifier that ends in logits. Its
            weights change.
        train: What to train on.
        validation: What to choose the epoch on; None holds out a fifth of `train`. Never the test.
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
    import keras

    from tlkit.features import extract_features
    from tlkit.heads import attach_head, fit_linear_head

    whole(epochs, "epochs", 1)
    whole(patience, "patience", 1)
    whole(batch_size, "batch_size", 1)
    if not isinstance(learning_rate, int | float) or not 0 < learning_rate < 1:
        raise InputError(f"`learning_rate` is {learning_rate!r}.", "Give a number such as 1e-4.")
    if not isinstance(model, keras.Model) or not model.built:
        raise InputError(
            f"{type(model).__name__} is not a built Keras model.",
            "Pass a backbone such as load_backbone gives, or a classifier made with one.",
        )
    if validation is None:
        train, validation = train.split(train=round(0.8 * len(train)), seed=a_seed(seed))
    keras.utils.set_random_seed(a_seed(seed))
    options = (train, validation, epochs, patience, batch_size, progress)
    shape = np.shape(model(train.images[:1].astype("float32")))
    if len(shape) == 4:
        features = extract_features(model, train.images, progress=False)
        model = attach_head(model, fit_linear_head(features, train.labels))
    elif shape[-1] != len(train.class_names):
        raise InputError(
            f"The model answers {shape[-1]} classes, the pictures have {len(train.class_names)}.",
            "Pass the backbone without its head, or a head of that width.",
        )
    else:
        for layer in model.layers:
            layer.trainable = layer is model.layers[-1]
        _fit(model, 10 * learning_rate, "head", *options)
    unfreeze(model, from_layer)
    history, best = _fit(model, learning_rate, "all", *options)
    return FineTuned(model, history, best)


def _fit(model, rate, what, train, validation, epochs, patience, batch_size, progress):
    """Train until the validation loss stops falling, and go back to where it was lowest."""
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    before, start = model.get_weights(), _judge(model, validation, batch_size)

    def tell(epoch, logs):
        if progress:
            told = f"validation loss {logs['val_loss']:.3f}, accuracy {logs['val_accuracy']:.0%}"
            print(f"{what}, epoch {epoch + 1}: {told}")

    stop = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
    fitted = model.fit(
        train.images,
        train.labels,
        batch_size=batch_size,
        epochs=epochs,
        validation_data=(validation.images, validation.labels),
        validation_batch_size=batch_size,
        callbacks=[stop, keras.callbacks.LambdaCallback(on_epoch_end=tell)],
        verbose=0,
    ).history
    history = {name: [start.get(name, math.nan), *values] for name, values in fitted.items()}
    best = int(np.nanargmin(history["val_loss"]))
    if best == 0:
        model.set_weights(before)
    return history, best


def _judge(model, data, batch_size) -> dict[str, float]:
    """Loss and accuracy under the names that `fit` gives them."""
    found = model.evaluate(
        data.images, data.labels, batch_size=batch_size, verbose=0, return_dict=True
    )
    return {f"val_{name}": value for name, value in found.items()}
