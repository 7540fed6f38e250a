"""What a network looks at, and what its channels look for.

All functions take any Keras model of raw pictures (RGB 0 to 255) as it is; a base inside a larger
model is looked into, too. The models end in logits: behind a softmax the classes push each other
about, and a class that is certain has almost no gradient left.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tlkit import checks
from tlkit.checks import demand
from tlkit.keras_tools import count_classes, find_maps, leaf_layers, listening, logits, open_model

if TYPE_CHECKING:
    import keras


def grad_cam(
    model: "keras.Model", image: Any, class_index: int | None = None, layer: str | None = None
) -> np.ndarray:
    """Where in a picture the evidence for a class is: Grad-CAM.

    Each channel of a late layer is weighted by how much the class's logit would grow with it; what
    remains positive of the weighted sum is enlarged to the picture's size (Selvaraju et al. 2017,
    arXiv 1610.02391, section 3).

    Args:
        model: From pictures to logits (N, classes).
        image: (H,W,3), 0 to 255.
        class_index: The class to explain; the likeliest one if None.
        layer: The name of a layer whose output is maps (N,h,w,c); the last such one if None.

    Returns:
        (H,W) float32, from 0 to 1; all 0 when nothing speaks for the class.

    Raises:
        InputError: A picture, a class or a layer that does not belong to the model.

    Example:
        >>> heat = grad_cam(model, image)
        >>> heat.shape == image.shape[:2]
        True
    """
    import tensorflow as tf

    batch, found = _classified(model, image), find_maps(model, layer)
    heard = []
    with (
        tf.GradientTape() as tape,
        listening([found], lambda _layer, _given, maps: heard.append(maps)),
    ):
        # What is watched at the beginning is followed all the way.
        tape.watch(batch)
        logit = _logit_of(model(batch, training=False), class_index)
    maps = heard[-1]
    slope = tape.gradient(logit, maps, unconnected_gradients="zero")
    weights = tf.reduce_mean(slope, axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1, keepdims=True))
    return _to_unit(tf.image.resize(heat, batch.shape[1:3])[0, ..., 0].numpy())


def saliency(
    model: "keras.Model",
    image: Any,
    class_index: int | None = None,
    smooth: int = 0,
    seed: int = 0,
) -> np.ndarray:
    """Which pixels a class's logit depends on most: the size of its gradient.

    The largest of the three colours counts (Simonyan et al. 2013, arXiv 1312.6034, section 3). The
    map is noisy; the mean over noisy copies of the picture is less so (Smilkov et al. 2017, arXiv
    1706.03825).

    Args:
        model: From pictures to logits (N, classes).
        image: (H,W,3), 0 to 255.
        class_index: The class to explain; the likeliest one if None.
        smooth: How many noisy copies to average; 0 for the plain gradient.
        seed: Where the noise starts.

    Returns:
        (H,W) float32, from 0 to 1; all 0 when the logit depends on no pixel.

    Raises:
        InputError: A picture or a class that does not belong to the model.

    Example:
        >>> heat_overlay(image, saliency(model, image, smooth=16))
    """
    import tensorflow as tf

    batch, seed = _classified(model, image), checks.seed(seed)
    copies = [batch]
    if checks.whole(smooth, "smooth", 0):
        noise = np.random.default_rng(seed).normal(0, 0.15 * 255, (smooth, *batch.shape[1:]))
        copies = [batch + one.astype(np.float32) for one in noise]
        if class_index is None:
            # The class of the clean picture, also where noise hides it.
            class_index = int(np.argmax(model(batch, training=False)[0]))
    total = 0
    for copy in copies:
        with tf.GradientTape() as tape:
            tape.watch(copy)
            logit = _logit_of(model(copy, training=False), class_index)
        slope = tape.gradient(logit, copy, unconnected_gradients="zero")
        total += tf.reduce_max(tf.abs(slope[0]), axis=-1).numpy()
    # A few pixels stick out and would leave all others dark, so the top per cent all count as 1.
    top = np.percentile(total, 99)
    return _to_unit(np.minimum(total, top) if top > 0 else total)


def maximise_activation(
    model: "keras.Model",
    layer: str,
    channel: int | Sequence[int],
    steps: int = 64,
    step_size: float = 0.03,
    seed: int = 0,
) -> np.ndarray:
    """Pictures made from noise that excite a channel: what it looks for.

    Gradient ascent on the picture (Erhan et al. 2009, "Visualizing higher-layer features of a
    deep network"; F. Chollet, "How convolutional neural networks see the world"). Climbed
    pixel by pixel it ends in dust that excites the network and tells us nothing. So the picture is
    described by its waves, long ones first, and by brightness and two colour contrasts, and it is
    shifted a little at every step (Olah et al. 2017, doi 10.23915/distill.00007).

    Args:
        model: Of pictures; (H,W) are those of its input, or 128 where that is open.
        layer: The name of a layer whose output is maps (N,h,w,c).
        channel: A channel, or several, which together take little longer than one.
        steps: How long to climb.
        step_size: How far a step goes.
        seed: Where the noise starts.

    Returns:
        (H,W,3) uint8, or (channels,H,W,3) for several.

    Raises:
        InputError: No such layer or channel, or steps that lead nowhere.

    Example:
        >>> image_grid(maximise_activation(base, "block_05", [0, 1, 2, 3]))
    """
    import keras
    import tensorflow as tf

    checks.whole(steps, "steps", 1)
    step_size = checks.number(step_size, "step_size", 0, such_as=0.03)
    look = _responses(model, layer, channel, climb=True)
    several = np.atleast_1d(channel)
    height, width = (side or 128 for side in model.input_shape[1:3])
    random = np.random.default_rng(checks.seed(seed))
    waves = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    long_first = (1 / np.maximum(waves, 1 / max(height, width))).astype(np.float32)
    start = random.normal(0, 0.01, (2, len(several), 3, *waves.shape)).astype(np.float32)
    spectrum = tf.Variable(start)
    # Brightness varies most in pictures of the world, then orange-blue, then green-purple.
    mix = tf.constant([[0.50, 0.50, 0.50], [0.22, 0.00, -0.22], [0.08, -0.16, 0.08]])

    def pictures():
        planes = tf.signal.irfft2d(tf.complex(*tf.unstack(spectrum * long_first)), [height, width])
        planes *= (height * width) ** 0.5
        return 255 * tf.sigmoid(tf.einsum("nphw,pc->nhwc", planes, mix))

    optimizer = keras.optimizers.Adam(step_size)
    optimizer.build([spectrum])

    @tf.function
    def climb(shift):
        with tf.GradientTape() as tape:
            maps = look(tf.roll(pictures(), shift, axis=[1, 2]))
            # Each picture climbs by its own channel; the mean over places makes a whole texture.
            loss = -tf.reduce_sum(tf.reduce_mean(maps, axis=(1, 2)) * tf.eye(len(several)))
        optimizer.apply([tape.gradient(loss, spectrum)], [spectrum])

    for shift in random.integers(-8, 9, (steps, 2)):
        climb(tf.constant(shift, tf.int32))
    made = np.round(pictures().numpy()).astype(np.uint8)
    return made if np.ndim(channel) else made[0]


class Patches(NamedTuple):
    """The patches (n,p,p,3), which picture each is from (n,), and how strongly it excites (n,)."""

    patches: np.ndarray
    indices: np.ndarray
    responses: np.ndarray


def strongest_patches(
    model: "keras.Model", images: Any, layer: str, channel: int, n: int = 9, patch: int = 48
) -> Patches:
    """The pieces of real pictures that excite a channel most, at most one of each picture.

    A place in the maps looks at the same relative place in the picture, and the patch is cut around
    that (moved in from the border). What a late layer sees there is larger than the patch.

    Args:
        model: Of pictures.
        images: (N,H,W,3), 0 to 255, of the model's input size.
        layer: The name of a layer whose output is maps (N,h,w,c).
        channel: Which of the c maps.
        n: How many patches, N at most.
        patch: How many pixels high and wide.

    Returns:
        `Patches`: patches (n,patch,patch,3) uint8, the strongest first, with the indices of their
        pictures (n,) and their responses (n,) float32.

    Raises:
        InputError: Pictures, a layer or a channel that do not belong to the model; n or patch too
            large.

    Example:
        >>> found = strongest_patches(base, train.images, "block_05", channel=3)
        >>> image_grid(found.patches, columns=9)
    """
    import tensorflow as tf

    images = checks.pictures(images, open_model(model).input_shape[1:]).astype("float32")
    checks.whole(n, "n", 1, len(images))
    checks.whole(patch, "patch", 1, min(images.shape[1:3]))
    checks.whole(channel, "channel", 0)
    look = tf.function(_responses(model, layer, channel))
    starts = range(0, len(images), 32)
    maps = np.concatenate([look(images[at : at + 32]).numpy()[..., 0] for at in starts])
    peaks = maps.reshape(len(maps), -1).max(axis=1)
    best = np.argsort(-peaks, kind="stable")[:n]
    sides = np.array(images.shape[1:3])
    patches = []
    for index in best:
        place = np.array(np.unravel_index(maps[index].argmax(), maps.shape[1:]))
        centre = (place + 0.5) * sides / maps.shape[1:]
        top, left = np.clip(np.round(centre - patch / 2).astype(int), 0, sides - patch)
        patches.append(images[index, top : top + patch, left : left + patch])
    return Patches(np.round(patches).astype(np.uint8), best, peaks[best])


def _responses(model: "keras.Model", layer: str, channels: Any, climb: bool = False) -> Callable:
    """A function from pictures (N,H,W,3) to some channels of a layer, (N,h,w,channels).

    To climb, a ReLU is left a little open: where it is shut, nothing says which way is up.
    """
    import tensorflow as tf

    found, channels = find_maps(open_model(model), layer), np.atleast_1d(channels)
    what = "No channel was given."
    demand(channels.ndim == 1 and channels.size, what, "Give the number of one, or a list of them.")
    for channel in channels:
        checks.whole(channel, "channel", 0, found.output.shape[-1] - 1)
    relu = _relu_behind(model, found) if climb else None

    def run(pictures):
        heard = []
        with listening([relu or found], lambda _, given, maps: heard.append((given, maps))):
            model(pictures, training=False)
        given, maps = heard[-1]
        maps = tf.nn.leaky_relu(given, 0.1) if relu else maps
        return tf.gather(maps, channels, axis=-1)

    return run


def _relu_behind(model: "keras.Model", layer: "keras.layers.Layer") -> "keras.layers.Layer | None":
    """The ReLU that a layer is, or passes on under another name; None if there is none."""
    import keras

    every = leaf_layers(model, whole=True)
    at = next((place for place, each in enumerate(every) if each is layer), 0)
    while isinstance(every[at], keras.layers.Identity) and every[at].input is every[at - 1].output:
        at -= 1
    return every[at] if isinstance(every[at], keras.layers.ReLU) else None


def _classified(model: "keras.Model", image: Any) -> Any:
    """A picture as a batch of one, a tensor, for a model that ends in (N, classes)."""
    import tensorflow as tf

    count_classes(open_model(model), least=1)
    return tf.constant(checks.picture(image, model.input_shape[1:]), tf.float32)


def _logit_of(outputs: Any, class_index: int | None) -> Any:
    """The logit to explain, from a model's output for one picture."""
    if outputs.shape[1] > 1:
        logits(outputs)
    if class_index is None:
        class_index = int(np.argmax(outputs[0]))
    return outputs[0, checks.whole(class_index, "class_index", 0, outputs.shape[1] - 1)]


def _to_unit(heat: np.ndarray) -> np.ndarray:
    """Values of 0 or more as float32 from 0 to 1; all 0 stays all 0."""
    highest = heat.max()
    return (heat / highest if highest > 0 else heat).astype(np.float32)
