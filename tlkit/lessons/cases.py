"""The four cases of lesson 04b: a network small enough to train many times, and what it is shown.

The pictures are made in `case_pictures.py`, the drawings in `case_figures.py`.
"""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tlkit.errors import InputError
from tlkit.lessons.case_figures import LAYERS, RULE, case_map, draw_case, draw_strategies
from tlkit.lessons.case_pictures import (
    FEW,
    MANY,
    camera_pictures,
    price_charts,
    scatter_digits,
    shuffle_pixels,
    some_digits,
    source_digits,
    target_pictures,
    texture_patches,
)

if TYPE_CHECKING:
    import keras

__all__ = [
    "FEW",
    "LAYERS",
    "MANY",
    "RULE",
    "camera_pictures",
    "case_map",
    "demonstration_network",
    "draw_case",
    "draw_strategies",
    "intersection_over_union",
    "mask_decoder",
    "price_charts",
    "scatter_digits",
    "shuffle_pixels",
    "some_digits",
    "source_digits",
    "target_pictures",
    "texture_patches",
]


def demonstration_network(
    classes: int = 5, image_size: int = 32, channels: int = 3, seed: int = 0
) -> "keras.Sequential":
    """Three convolutions and three dense layers: the network that the four cases are drawn with.

    Args:
        classes: How many classes to tell apart.
        image_size: Side of the pictures in pixels.
        channels: How many each picture has.
        seed: Of the random weights.

    Returns:
        An untrained network from pictures 0–255 (N, image_size, image_size, channels) to logits.
        Its layers with weights are called conv_1, conv_2, conv_3, dense_1, dense_2 and logits.

    Example:
        >>> demonstration_network().count_params()
        60773
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    look = {"activation": "relu", "kernel_initializer": "he_normal"}
    network = keras.Sequential(
        [keras.Input((image_size, image_size, channels)), layers.Rescaling(1 / 128, -1)]
    )
    for number, filters in enumerate((16, 32, 32), start=1):
        network.add(
            layers.Conv2D(filters, 3, strides=2, padding="same", name=f"conv_{number}", **look)
        )
    network.add(layers.Flatten())
    network.add(layers.Dense(64, name="dense_1", **look))
    network.add(layers.Dense(64, name="dense_2", **look))
    network.add(layers.Dense(classes, name="logits"))
    return network


def mask_decoder(
    maps: list[tuple[int, int, int]], image_size: int, width: int = 24, seed: int = 0
) -> "keras.Model":
    """A small network that draws a mask from feature maps of several depths of a backbone.

    It begins with the smallest maps, enlarges what it made of them to the size of the next ones,
    adds those, and so on; at last it enlarges the mask to the size of the pictures.

    Args:
        maps: The shape of each set of maps (h, w, channels), from the largest to the smallest.
        image_size: Side of the mask in pixels.
        width: Channels between its layers.
        seed: Of the random weights.

    Returns:
        A model from a list of maps to logits (N, image_size, image_size, 1), above 0 in the mask.

    Raises:
        InputError: Sizes that are no whole number times the next smaller one.

    Example:
        >>> mask_decoder([(48, 48, 16), (24, 24, 24), (6, 6, 112)], 96).output_shape
        (None, 96, 96, 1)
    """
    import keras
    from keras import layers

    sizes = [image_size, *(shape[0] for shape in maps)]
    if not maps or any(large % small for large, small in pairwise(sizes)):
        raise InputError(
            f"Masks and maps of {', '.join(map(str, sizes))} pixels do not follow on one another.",
            "Give maps from the largest to the smallest, each a whole number times the next.",
        )
    keras.utils.set_random_seed(seed)
    inputs = [keras.Input(shape) for shape in maps]
    x = None
    for each in reversed(inputs):
        thin = layers.Conv2D(width, 1)(layers.LayerNormalization()(each))
        if x is not None:
            x = layers.UpSampling2D(each.shape[1] // x.shape[1], interpolation="bilinear")(x)
            thin = layers.Add()([thin, x])
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(thin)
    mask = layers.Conv2D(1, 1)(x)
    enlarged = layers.UpSampling2D(sizes[0] // sizes[1], interpolation="bilinear")(mask)
    return keras.Model(inputs, enlarged, name="mask_decoder")


def intersection_over_union(masks: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How well two masks agree: the area that both cover, as a share of what either covers.

    Args:
        masks: bool (N, H, W).
        others: The same shape.

    Returns:
        (N,) numbers from 0 to 1; 1 where both are empty.

    Raises:
        InputError: Masks that are not truth values, or of different shapes.

    Example:
        >>> both = np.array([[[True, True], [False, False]]])
        >>> intersection_over_union(both, ~both).item()
        0.0
    """
    masks, others = np.asarray(masks), np.asarray(others)
    if masks.dtype != bool or others.dtype != bool or masks.shape != others.shape or masks.ndim < 2:
        raise InputError(
            f"Masks of {masks.dtype} {masks.shape} and {others.dtype} {others.shape} do not fit.",
            "Pass two arrays of truth values (N, H, W), such as logits > 0.",
        )
    inside = tuple(range(1, masks.ndim))
    both, either = (masks & others).sum(axis=inside), (masks | others).sum(axis=inside)
    return np.where(either, both / np.maximum(either, 1), 1.0)
