"""Untrained networks to be taught: too small, small, middling, and one of another family."""

from typing import TYPE_CHECKING

from tlkit.data.image_dataset import a_seed, whole
from tlkit.errors import InputError
from tlkit.networks.backbones import seeded

if TYPE_CHECKING:
    import keras

FILTERS = {"tiny": (4, 4, 8, 8), "small": (8, 16, 32, 64), "middling": (16, 32, 64, 128)}
PATCH, WIDTH, BLOCKS = 12, 64, 2


def student_network(
    kind: str = "small", image_size: int = 96, classes: int = 2, seed: int = 0
) -> "keras.Model":
    """A small untrained network for `distill` to teach.

    `"tiny"`, `"small"` and `"middling"` are four convolutions, each halving the picture, average
    pooling and a dense layer; they differ in how many filters they have. `"patches"` looks at the
    picture otherwise: it cuts it into squares of 12 pixels and mixes these, in turn across the
    places and across the channels (an MLP-Mixer, Tolstikhin et al. 2021, arXiv 2105.01601).

    Args:
        kind: One of the four.
        image_size: Side of the square pictures, in pixels, 16 or more.
        classes: How many classes to tell apart, 2 or more.
        seed: Seed of the random weights.

    Returns:
        A model from RGB 0–255 `(N, image_size, image_size, 3)` to logits `(N, classes)`. Its layer
        `"pool"` gives the features that its head reads.

    Raises:
        InputError: An unknown kind, or a number out of range.

    Example:
        >>> student_network("small").count_params()
        24658
    """
    import keras
    from keras import layers

    if kind not in (*FILTERS, "patches"):
        kinds = ", ".join(map(repr, (*FILTERS, "patches")))
        raise InputError(f"There is no student {kind!r}.", f"Choose from {kinds}.")
    size = whole(image_size, "image_size", 16)
    classes = whole(classes, "classes", 2)
    with seeded(a_seed(seed)):
        inputs = keras.Input((size, size, 3), name="pictures")
        x = layers.Rescaling(1 / 127.5, -1)(inputs)
        if kind == "patches":
            x = _mixer(x)
        else:
            look = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
            for filters in FILTERS[kind]:
                x = layers.Conv2D(filters, 3, strides=2, **look)(x)
            x = layers.GlobalAveragePooling2D(name="pool")(x)
        return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name=f"{kind}_student")


def _mixer(x):
    from keras import layers

    def mixed(x, inside):
        return layers.Dense(x.shape[-1])(layers.Dense(inside, activation="gelu")(x))

    x = layers.Conv2D(WIDTH, PATCH, strides=PATCH, name="patches")(x)
    x = layers.Reshape((x.shape[1] * x.shape[2], WIDTH))(x)
    for _ in range(BLOCKS):
        turned = layers.Permute((2, 1))(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Permute((2, 1))(mixed(turned, 64))])
        x = layers.Add()([x, mixed(layers.LayerNormalization()(x), 2 * WIDTH)])
    return layers.GlobalAveragePooling1D(name="pool")(layers.LayerNormalization()(x))
