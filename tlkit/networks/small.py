"""Small untrained networks: to compare with, to be taught, and to be trained many times."""

from typing import TYPE_CHECKING, Any

from tlkit import checks
from tlkit.errors import InputError
from tlkit.keras_tools import seeded

if TYPE_CHECKING:
    import keras

FILTERS = {"tiny": (4, 4, 8, 8), "small": (8, 16, 32, 64), "middling": (16, 32, 64, 128)}
PATCH, WIDTH, BLOCKS = 12, 64, 2
# Pixels of the grey pictures that lesson 02 trains its networks on.
SIDE = 32
# Units in the last layer, far above what anybody trains here: more would fill the memory.
MOST_UNITS = 100_000
TOO_MANY = f"Give a whole number from 1 to {MOST_UNITS}."


def small_network(image_size: int = 128, classes: int = 2, seed: int = 0) -> "keras.Model":
    """A small untrained network: what one would build without a pretrained one.

    Four convolutions, each halving the picture, average pooling and a dense layer.

    Args:
        image_size: Side of the square pictures, in pixels.
        classes: How many classes to tell apart.
        seed: Seed of the random weights.

    Returns:
        A model from RGB 0–255 `(N, image_size, image_size, 3)` to logits `(N, classes)`.

    Raises:
        InputError: A number out of range.

    Example:
        >>> small_network().count_params()
        46802
    """
    import keras
    from keras import layers

    size, classes = checks.whole(image_size, "image_size", 1), checks.whole(classes, "classes", 1)
    if classes > MOST_UNITS:
        raise InputError(f"`classes` is {classes}.", TOO_MANY)
    network = keras.Sequential(name="small_network")
    with seeded(checks.seed(seed)):
        network.add(keras.Input((size, size, 3)))
        network.add(layers.Rescaling(1 / 255))
        for filters in (16, 32, 48, 64):
            network.add(layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu"))
        network.add(layers.GlobalAveragePooling2D())
        network.add(layers.Dense(classes, name="logits"))
    return network


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

    checks.choice(kind, (*FILTERS, "patches"), "student")
    size, classes = checks.whole(image_size, "image_size", 16), checks.whole(classes, "classes", 2)
    if classes > MOST_UNITS:
        raise InputError(f"`classes` is {classes}.", TOO_MANY)
    with seeded(checks.seed(seed)):
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


def narrow_network(classes: int, seed: int = 0) -> "keras.Sequential":
    """Five narrow convolutions, average pooling and a head: small enough to train many times.

    It has no batch normalisation, whose running statistics would have to settle first.

    Args:
        classes: How many classes to tell apart.
        seed: Seed of the random weights, and of all that is random after them.

    Returns:
        An untrained network from grey pictures 0–255 (N, 32, 32, 1) to logits (N, classes).

    Example:
        >>> narrow_network(5).count_params()
        21157
    """
    import keras
    from keras import layers

    if not _can_be_drawn(classes, seed):
        raise InputError(f"`classes` is {classes!r}, and `seed` is {seed!r}.", TOO_MANY)
    keras.utils.set_random_seed(seed)
    look = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    network = keras.Sequential([keras.Input((SIDE, SIDE, 1)), layers.Rescaling(1 / 128, -1)])
    for filters, strides in zip((8, 16, 24, 32, 32), (2, 2, 1, 2, 1), strict=True):
        network.add(layers.Conv2D(filters, 3, strides, **look))
    network.add(layers.GlobalAveragePooling2D())
    network.add(layers.Dense(classes, name="logits"))
    return network


def autoencoder(code: int = 64, seed: int = 0) -> tuple["keras.Sequential", "keras.Sequential"]:
    """A network that squeezes a picture into a few numbers, and one that draws it from them.

    Args:
        code: How many numbers.
        seed: Seed of the random weights, and of all that is random after them.

    Returns:
        The encoder, from grey pictures 0–255 (N, 32, 32, 1) to codes (N, code), and the decoder,
        from codes to logits of the brightness of each pixel (N, 32, 32, 1).

    Example:
        >>> encoder, decoder = autoencoder()
        >>> encoder.output_shape, decoder.output_shape
        ((None, 64), (None, 32, 32, 1))
    """
    import keras
    from keras import layers

    if not _can_be_drawn(code, seed):
        raise InputError(f"`code` is {code!r}, and `seed` is {seed!r}.", TOO_MANY)
    keras.utils.set_random_seed(seed)
    look = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    encoder = keras.Sequential([keras.Input((SIDE, SIDE, 1)), layers.Rescaling(1 / 255)])
    for filters in (16, 32, 48):
        encoder.add(layers.Conv2D(filters, 3, 2, **look))
    encoder.add(layers.Flatten())
    encoder.add(layers.Dense(code, name="code"))
    decoder = keras.Sequential([keras.Input((code,)), layers.Dense(4 * 4 * 48, activation="relu")])
    decoder.add(layers.Reshape((4, 4, 48)))
    for filters in (32, 16):
        decoder.add(layers.Conv2DTranspose(filters, 3, 2, **look))
    decoder.add(layers.Conv2DTranspose(1, 3, 2, padding="same", name="logits"))
    return encoder, decoder


def _can_be_drawn(units: Any, seed: Any) -> bool:
    """Whether a layer can have so many units, and random numbers can start from the seed."""
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in (units, seed))
    return whole and 1 <= units <= MOST_UNITS and 0 <= seed < 2**32
