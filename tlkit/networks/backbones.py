"""Pretrained networks behind one function, and their cards (lesson 01)."""

import contextlib
import functools
import importlib
import math
import os
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special

from tlkit.errors import InputError, MissingFileError
from tlkit.paths import card_names, card_text, read_card

if TYPE_CHECKING:
    import keras


def backbone_names() -> list[str]:
    """The networks that `load_backbone` knows.

    Returns:
        `efficientnet-lite0`, `-lite1`, `-lite2` and every network of `keras.applications`.

    Example:
        >>> "VGG16" in backbone_names()
        True
    """
    return card_names("backbones")


def backbone_card(name: str) -> dict[str, Any]:
    """What is known of a network before it is loaded.

    Args:
        name: One of `backbone_names()`.

    Returns:
        `year`, `parameters` and `multiply_adds` (both with the 1000-class head), `image_size`
        (pixels, of the published figures), `top1` (published ImageNet accuracy, 0–1),
        `top1_source`, `paper`, `weights_from` and `licence`.

    Raises:
        InputError: The name is not known.

    Example:
        >>> backbone_card("efficientnet-lite0")["year"]
        2020
    """
    return read_card("backbones", name)


@contextlib.contextmanager
def seeded(seed: int):
    """Keras draws the seeds of unseeded initializers from Python's generator; lend it ours."""
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def load_backbone(
    name: str = "efficientnet-lite0",
    image_size: int = 224,
    classifier: bool = False,
    weights: str | None = "imagenet",
    seed: int = 0,
) -> "keras.Model":
    """Load a pretrained network that takes raw pictures: preprocessing is inside.

    Args:
        name: One of `backbone_names()`. `efficientnet-lite0` comes with the installation; the
            weights of `keras.applications` networks are downloaded when first asked for.
        image_size: Side of the square pictures, in pixels, at least 32.
        classifier: Keep the original head. Most networks then want the size they were made for.
        weights: `"imagenet"`, or None for random values.
        seed: Seed of the random values, when `weights` is None.

    Returns:
        A functional `keras.Model` from RGB 0–255 `(N, image_size, image_size, 3)` to feature maps
        `(N, h, w, channels)`, or with `classifier=True` to logits `(N, 1000)`.

    Raises:
        InputError: An unknown name or an impossible size.
        MissingFileError: The weights are not on this computer and cannot be fetched; the message
            says which file, where it comes from and where to put it.

    Example:
        >>> base = load_backbone("efficientnet-lite0", image_size=160)
        >>> base.output_shape
        (None, 5, 5, 1280)
    """
    backbone_card(name)  # an unknown name ends here
    if weights not in ("imagenet", None):
        raise InputError(f"weights={weights!r} is not known.", 'Use "imagenet" or None.')
    if (
        not isinstance(image_size, int | np.integer)
        or isinstance(image_size, bool)
        or image_size < 32
    ):
        raise InputError(
            f"image_size={image_size!r} is not a side that a network can take.",
            "Give a whole number of pixels, 32 or more.",
        )
    with seeded(seed):
        if name.startswith("efficientnet-lite"):
            from tlkit.networks import efficientnet_lite

            model = efficientnet_lite.build(name, int(image_size), classifier)
            if weights:
                efficientnet_lite.load_weights(model, name)
            return model
        return _load_application(name, int(image_size), classifier, weights)


def _load_application(name: str, image_size: int, classifier: bool, weights: str | None):
    import keras

    construct = getattr(keras.applications, name)
    module = importlib.import_module(
        f"keras.applications.{construct.__module__.rpartition('.')[2]}"
    )
    inputs = keras.Input((image_size, image_size, 3), name="pictures")
    # Some networks preprocess inside already; their preprocess_input then does nothing.
    prepared = module.preprocess_input(inputs)
    options = {"classifier_activation": None} if classifier else {}
    try:
        model = construct(
            weights=weights,
            include_top=classifier,
            input_tensor=prepared,
            input_shape=inputs.shape[1:],  # some choose their weights by the size
            **options,
        )
    except Exception as error:
        if address := re.search(r"URL fetch failure on (\S+): ", str(error)):
            raise _missing_weights(name, address.group(1)) from error
        if isinstance(error, ValueError):
            raise InputError(
                f"{name} cannot be built for pictures of {image_size} pixels: {error}",
                f"Try the size on its card, {backbone_card(name)['image_size']}.",
            ) from error
        raise
    return keras.Model(inputs, model.output, name=model.name)


def small_network(image_size: int = 128, classes: int = 2, seed: int = 0) -> "keras.Model":
    """A small untrained network: what one would build without a pretrained one.

    Four convolutions, each halving the picture, average pooling and a dense layer.

    Args:
        image_size: Side of the square pictures, in pixels.
        classes: How many classes to tell apart.
        seed: Seed of the random weights.

    Returns:
        A model from RGB 0–255 `(N, image_size, image_size, 3)` to logits `(N, classes)`.

    Example:
        >>> small_network().count_params()
        46802
    """
    import keras
    from keras import layers

    with seeded(seed):
        return keras.Sequential(
            [
                keras.Input((image_size, image_size, 3)),
                layers.Rescaling(1 / 255),
                layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2D(48, 3, strides=2, padding="same", activation="relu"),
                layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(classes, name="logits"),
            ],
            name="small_network",
        )


def _missing_weights(name: str, address: str) -> MissingFileError:
    file = address.rpartition("/")[2]
    if name.startswith("NASNet"):  # the only ones that Keras stores under another name
        file = file.lower().replace("-", "_")
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return MissingFileError(
        f"The ImageNet weights of {name} are not on this computer and could not be fetched.",
        f"Download {address} where there is a network, and put it at {home / 'models' / file}.",
    )


@functools.cache
def _class_names() -> list[str]:
    return card_text("imagenet_classes.txt").splitlines()


def decode_predictions(logits: np.ndarray, top: int = 5) -> list[list[tuple[str, float]]]:
    """Names and probabilities of the likeliest ImageNet classes.

    Args:
        logits: `(N, 1000)` values of a backbone loaded with `classifier=True`.
        top: How many classes per picture, 1 to 1000.

    Returns:
        A list per picture of (class name, probability), the likeliest first.

    Raises:
        InputError: Not `(N, 1000)` finite numbers, or an impossible `top`.

    Example:
        >>> decode_predictions(np.eye(1000)[[281]] * 20, top=1)
        [[('tabby', 0.9999979409255195)]]
    """
    logits = np.asarray(logits, dtype="float64")
    if logits.ndim != 2 or logits.shape[1] != 1000 or not np.isfinite(logits).all():
        raise InputError(
            f"These are not logits of the 1000 ImageNet classes: their shape is {logits.shape}.",
            "Pass the output of a backbone loaded with classifier=True.",
        )
    if not 1 <= top <= 1000:
        raise InputError(f"top={top!r} classes cannot be shown.", "Ask for 1 to 1000.")
    probabilities = scipy.special.softmax(logits, axis=1)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    names = _class_names()
    return [
        [(names[index], float(row[index])) for index in indices]
        for row, indices in zip(probabilities, best, strict=True)
    ]


def multiply_adds(model: "keras.Model") -> int:
    """Multiplications with addition that one picture costs in convolutions and dense layers.

    Args:
        model: Any built Keras model with a fixed picture size; nested models are counted too.

    Returns:
        The count for one picture.

    Example:
        >>> round(multiply_adds(load_backbone("efficientnet-lite0", classifier=True)) / 1e6)
        385
    """
    import keras

    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += multiply_adds(layer)
        elif isinstance(layer, keras.layers.Dense) or "Conv" in type(layer).__name__:
            # Each kernel is applied once at every place of the output.
            places = math.prod(layer.output.shape[1:-1])
            total += places * sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 1)
    return total
