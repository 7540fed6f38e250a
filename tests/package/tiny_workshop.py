"""A small workshop for tests: a tiny network in the place of the pretrained one, and pictures."""

import keras
import numpy as np
from keras import layers
from PIL import Image

import tlkit
from tlkit.keras_tools import seeded

SIZE = 32


def tiny_backbone(_name="tiny", image_size=SIZE, **_options):
    """A network that sees colours, quick to run, in the place of the pretrained one."""
    with seeded(0):
        inputs = keras.Input((image_size, image_size, 3), name="pictures")
        x = layers.Rescaling(1 / 128, offset=-1)(inputs)
        x = layers.Conv2D(8, 3, strides=4, name="stem_conv", use_bias=False)(x)
        x = layers.BatchNormalization(name="stem_bn")(x)
        x = layers.ReLU(6.0, name="stem")(x)
        x = layers.Conv2D(8, 1, name="features_conv")(x)
        return keras.Model(inputs, layers.Identity(name="features")(x), name="tiny")


def pictures(counts=(14, 14), seed=0, size=SIZE):
    """Coarse patterns with a grain of their own, reddish in the first class, bluish in the last."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    images = rng.integers(0, 150, (len(labels), 4, 4, 3))
    images[..., 0] += (100 * (1 - labels / max(len(counts) - 1, 1))).astype(int)[:, None, None]
    images[..., 2] += (100 * labels / max(len(counts) - 1, 1)).astype(int)[:, None, None]
    images = images.repeat(size // 4, axis=1).repeat(size // 4, axis=2)
    images = np.clip(images + rng.normal(0, 10, images.shape), 0, 255).astype("uint8")
    names = tuple("red|blue" if len(counts) == 2 else "abcdef"[: len(counts)])
    names = ("red", "blue") if len(counts) == 2 else names
    return tlkit.ImageDataset(images, labels, names, "patterns", "made up", "CC0")


def write_folder(root, counts=(8, 8), seed=3, names=None):
    """A folder with a sub-folder of pictures for each class."""
    data = pictures(counts, seed)
    for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        place = root / (names or data.class_names)[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
    return root
