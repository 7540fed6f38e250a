"""The family tree, and two ancestors that `keras.applications` leaves out (lesson 01).

LeNet-5 and AlexNet are untrained. They are here to be counted and timed beside their descendants.
"""

import json
from typing import TYPE_CHECKING, Any

from tlkit.networks.backbones import backbone_card
from tlkit.paths import card_text

if TYPE_CHECKING:
    import keras


def lenet5(classes: int = 10) -> "keras.Model":
    """LeNet-5, which read the digits on cheques (LeCun et al. 1998, section II.B).

    As everybody builds it today: every map of the third layer sees all maps of the second, and
    pooling has no weights. The original saved some connections there, and counts 60,000 parameters.

    Args:
        classes: How many answers there are.

    Returns:
        A model from grey pictures 0–255 (N, 32, 32, 1) to logits (N, classes).

    Example:
        >>> lenet5().count_params()
        61706
    """
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((32, 32, 1), name="pictures"),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Conv2D(6, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(120, 5, activation="tanh"),
            layers.Flatten(),
            layers.Dense(84, activation="tanh"),
            layers.Dense(classes, name="logits"),
        ],
        name="lenet5",
    )


def alexnet(classes: int = 1000) -> "keras.Model":
    """AlexNet, winner of the ImageNet challenge of 2012 (Krizhevsky et al. 2012, section 3.5).

    It did not fit on one graphics card. So it runs as two towers, one on each, that see each
    other's maps only in the third convolution; the towers are kept here. Its local response
    normalisation, which has no parameters and fell out of use, is left out.

    Args:
        classes: How many answers there are.

    Returns:
        A model from RGB 0–255 (N, 227, 227, 3) to logits (N, classes).

    Example:
        >>> alexnet().count_params()
        60965224
    """
    import keras
    from keras import layers

    def towers(left, right, maps, kernel, **options):
        options |= {"padding": "same", "activation": "relu"}
        return [layers.Conv2D(maps // 2, kernel, **options)(tower) for tower in (left, right)]

    def halve(left, right):
        return [layers.MaxPooling2D(3, 2)(tower) for tower in (left, right)]

    pictures = keras.Input((227, 227, 3), name="pictures")
    x = layers.Rescaling(1, offset=-127)(pictures)
    both = [layers.Conv2D(48, 11, 4, activation="relu")(x) for _ in range(2)]
    both = halve(*towers(*halve(*both), 256, 5))
    joined = layers.Concatenate()(both)
    both = towers(joined, joined, 384, 3)
    both = halve(*towers(*towers(*both, 384, 3), 256, 3))
    x = layers.Flatten()(layers.Concatenate()(both))
    for _ in range(2):
        x = layers.Dropout(0.5)(layers.Dense(4096, activation="relu")(x))
    return keras.Model(pictures, layers.Dense(classes, name="logits")(x), name="alexnet")


def family_tree() -> dict[str, dict[str, Any]]:
    """What is published about seven networks, from LeNet-5 to EfficientNet-Lite0.

    Returns:
        For each name that `measure_costs` takes, in the order of their years: `label`,
        `year`, `top1` (published ImageNet accuracy, 0–1; NaN for LeNet-5) with `top1_source`, and
        the `hardware` and `time` that training took when it was new, with their `source`.

    Example:
        >>> family_tree()["alexnet"]["time"]
        '5 to 6 days'
    """
    tree = json.loads(card_text("family_tree.json"))
    for name, entry in tree.items():
        if "top1" not in entry:
            card = backbone_card(name)
            entry |= {key: card[key] for key in ("year", "top1", "top1_source")}
        entry["top1"] = float("nan") if entry["top1"] is None else entry["top1"]
    return tree
