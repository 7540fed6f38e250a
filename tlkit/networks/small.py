"""The two networks of lesson 02 that are small enough to be trained there."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

SIDE = 32  # pixels


def narrow_network(classes: int, seed: int = 0) -> "keras.Sequential":
    """Five narrow convolutions, average pooling and a head: small enough to train many times.

    It has no batch normalisation, whose running statistics would have to settle first.

    Args:
        classes: How many classes to tell apart.
        seed: Seed of the random weights.

    Returns:
        An untrained network from grey pictures 0–255 (N, 32, 32, 1) to logits (N, classes).

    Example:
        >>> narrow_network(5).count_params()
        21157
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    network = keras.Sequential([keras.Input((SIDE, SIDE, 1)), layers.Rescaling(1 / 128, -1)])
    for filters, strides in zip((8, 16, 24, 32, 32), (2, 2, 1, 2, 1), strict=True):
        network.add(
            layers.Conv2D(
                filters,
                3,
                strides,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
            )
        )
    network.add(layers.GlobalAveragePooling2D())
    network.add(layers.Dense(classes, name="logits"))
    return network


def autoencoder(code: int = 64, seed: int = 0) -> tuple["keras.Sequential", "keras.Sequential"]:
    """A network that squeezes a picture into a few numbers, and one that draws it from them.

    Args:
        code: How many numbers.
        seed: Seed of the random weights.

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
