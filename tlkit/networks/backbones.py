"""Pretrained networks behind one function, and their cards (lesson 01)."""

import importlib
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special

from tlkit import checks
from tlkit.errors import InputError, MissingFileError
from tlkit.keras_tools import built_model, leaf_layers, seeded
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


def load_backbone(
    name: str = "efficientnet-lite0",
    image_size: int = 224,
    classifier: bool = False,
    weights: str | None = "imagenet",
    seed: int = 0,
    model: "keras.Model | str | Path | None" = None,
    preprocess: Callable | None = None,
) -> "keras.Model":
    """Load a pretrained network that takes raw pictures: preprocessing is inside.

    With `model` it is any Keras network, wrapped so that the rest of tlkit can use it: from
    `keras.applications` or KerasHub, or your own, also as a `.keras` file. Give it without its
    head.

    Args:
        name: One of `backbone_names()`. `efficientnet-lite0` comes with the installation; the
            weights of `keras.applications` networks are downloaded when first asked for.
        image_size: Side of the square pictures, in pixels, at least 32.
        classifier: Keep the original head. Most networks then want the size they were made for.
        weights: `"imagenet"`, or None for random values.
        seed: Seed of the random values, when `weights` is None.
        model: A network from pictures (N, H, W, 3) to maps (N, h, w, c), to tokens (N, t, c) or to
            vectors (N, c), in place of a named one; `name`, `classifier` and `weights` then mean
            nothing.
        preprocess: What this network wants of RGB 0–255, such as
            `keras.applications.resnet50.preprocess_input` or a `keras.layers.Rescaling`; None
            where it has that inside.

    Returns:
        A functional `keras.Model` from RGB 0–255 `(N, image_size, image_size, 3)` to feature maps
        `(N, h, w, channels)`, or with `classifier=True` to logits `(N, 1000)`. Tokens become maps
        of one column, vectors of one place.

    Raises:
        InputError: An unknown name, an impossible size, or a `model` that does not fit.
        DamagedFileError: A file of a model that cannot be read, or holds code.
        MissingFileError: The weights are not on this computer and cannot be fetched; the message
            says which file, where it comes from and where to put it.

    Example:
        >>> base = load_backbone("efficientnet-lite0", image_size=160)
        >>> base.output_shape
        (None, 5, 5, 1280)
        >>> mine = load_backbone(model=keras.applications.ResNet50(include_top=False),
        ...     preprocess=keras.applications.resnet50.preprocess_input)    # doctest: +SKIP
    """
    if model is not None:
        from tlkit.networks.wrapping import wrap

        return wrap(model, preprocess, checks.whole(image_size, "image_size", 16))
    what = "`preprocess` belongs to a `model`; the named networks have theirs inside."
    checks.demand(preprocess is None, what, "Leave it out, or pass a model.")
    checks.choice(name, backbone_names(), "network")
    if weights is not None:
        checks.choice(weights, ["imagenet"], "set of weights")
    size = checks.whole(image_size, "image_size", 32)
    with seeded(checks.seed(seed)):
        if not name.startswith("efficientnet-lite"):
            return _load_application(name, size, classifier, weights)
        from tlkit.networks import efficientnet_lite

        model = efficientnet_lite.build(name, size, classifier)
        if weights:
            efficientnet_lite.load_weights(model, name)
        return model


def _load_application(name: str, image_size: int, classifier: bool, weights: str | None):
    import keras

    construct = getattr(keras.applications, name)
    family = construct.__module__.rpartition(".")[2]
    module = importlib.import_module(f"keras.applications.{family}")
    inputs = keras.Input((image_size, image_size, 3), name="pictures")
    # Some networks preprocess inside already; their preprocess_input then does nothing.
    prepared = module.preprocess_input(inputs)
    options = {"classifier_activation": None} if classifier else {}
    try:
        model = construct(
            weights=weights,
            include_top=classifier,
            input_tensor=prepared,
            # Some choose their weights by the size.
            input_shape=inputs.shape[1:],
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


def _missing_weights(name: str, address: str) -> MissingFileError:
    file = address.rpartition("/")[2]
    # The only ones that Keras stores under another name.
    if name.startswith("NASNet"):
        file = file.lower().replace("-", "_")
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return MissingFileError(
        f"The ImageNet weights of {name} are not on this computer and could not be fetched.",
        f"Download {address} where there is a network, and put it at {home / 'models' / file}.",
    )


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
    logits = checks.numbers(
        logits, "What should be logits of the 1000 ImageNet classes", (None, 1000)
    )
    top = checks.whole(top, "top", 1, 1000)
    probabilities = scipy.special.softmax(logits, axis=1)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    names = card_text("imagenet_classes.txt").splitlines()
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

    Raises:
        InputError: No model, or one that is not built.

    Example:
        >>> round(multiply_adds(load_backbone("efficientnet-lite0", classifier=True)) / 1e6)
        385
    """
    import keras

    total = 0
    for layer in leaf_layers(built_model(model)):
        if isinstance(layer, keras.layers.Dense) or "Conv" in type(layer).__name__:
            # Each kernel is applied once at every place of the output.
            places = math.prod(layer.output.shape[1:-1])
            total += places * sum(math.prod(w.shape) for w in layer.weights if len(w.shape) > 1)
    return total
