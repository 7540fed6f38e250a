"""Pictures for the cases of lesson 04b: digits, textures, charts, and cameras that see depth."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources

import numpy as np

from tlkit import checks
from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import InputError

SIDE = 32  # pixels, of all small pictures
_DIGIT = 22  # of them a digit takes
TEXTURES = {  # class name: file in scikit-image's wheel
    "brick": "brick.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "tissue": "ihc.png",
    "sky": "hubble_deep_field.jpg",
}
FEW, MANY = 50, 1800  # labels: what the lesson calls small and large
_TEST = 700
DAYS = 60  # on a chart
_TREND = 12  # days that the planted signal lasts
_DRIFT, _TRUE = 0.6, 0.9  # how strong it is, and how often the next day keeps to it


def scatter_digits(digits: ImageDataset, seed: int = 0, copies: int = 1) -> ImageDataset:
    """Digits at random places, so that no pixel always belongs to the same part of a digit.

    Args:
        digits: Of 28 pixels, as `load_dataset("digits", image_size=28)` gives them.
        seed: Of the places.
        copies: How many pictures to make of each, each at a place of its own.

    Returns:
        Pictures of 32 pixels; the classes that occur, counted from 0.

    Raises:
        InputError: Pictures of another size, or no whole number of copies.

    Example:
        >>> scatter_digits(load_dataset("digits", n=10, image_size=28)).images.shape
        (10, 32, 32, 3)
    """
    if digits.images.shape[1:3] != (28, 28):
        raise InputError(
            f"The digits have the shape {digits.images.shape[1:]}.", "Load them with image_size=28."
        )
    rng = np.random.default_rng(checks.seed(seed))
    edge = (28 - _DIGIT) // 2
    cut = np.repeat(
        digits.images[:, edge:-edge, edge:-edge], checks.whole(copies, "copies", 1), axis=0
    )
    images = np.zeros((len(cut), SIDE, SIDE, 3), np.uint8)
    for row, (top, left) in enumerate(rng.integers(0, SIDE - _DIGIT + 1, (len(cut), 2))):
        images[row, top : top + _DIGIT, left : left + _DIGIT] = cut[row]
    classes, labels = np.unique(digits.labels, return_inverse=True)
    names = tuple(digits.class_names[each] for each in classes)
    return ImageDataset(
        images, np.repeat(labels, copies), names, "digits", digits.source, digits.licence
    )


def source_digits() -> ImageDataset:
    """What the demonstration network is trained on: the digits 0 to 4, each at four places.

    Returns:
        Some 10,000 pictures of 32 pixels, 5 classes.

    Example:
        >>> source_digits().class_names
        ('0', '1', '2', '3', '4')
    """
    return scatter_digits(some_digits(range(5)), copies=4)


def target_pictures(
    similar: bool = True, large: bool = False, seed: int = 0
) -> tuple[ImageDataset, ImageDataset]:
    """The new task: digits 5 to 9, which are similar to the source, or textures, which are not.

    Args:
        similar: Which of the two.
        large: Whether to give 1,800 labels or 50.
        seed: Which pictures to train on. The test never changes.

    Returns:
        Training pictures, and 700 or so for the test.

    Example:
        >>> train, test = target_pictures(similar=False)
        >>> len(train), len(test), test.class_names[0]
        (50, 700, 'brick')
    """
    if similar:
        pool, test = some_digits(range(5, 10)).split(train=MANY, seed=0)
        train, test = scatter_digits(pool, seed), scatter_digits(test.take(_TEST), 1000)
    else:
        train, test = texture_patches(MANY, seed), texture_patches(_TEST, test=True)
    return train.take(MANY if large else FEW, seed), test


def some_digits(classes: Sequence[int]) -> ImageDataset:
    """All the digits of some classes, 28 pixels high and wide.

    Args:
        classes: Which digits.

    Returns:
        Some 500 pictures of each; labels and class names as in `load_dataset("digits")`.

    Example:
        >>> len(some_digits([3]))
        500
    """
    from tlkit.data.datasets import load_dataset

    every = load_dataset("digits", image_size=28)
    rows = np.isin(every.labels, classes)
    return replace(every, images=every.images[rows], labels=every.labels[rows])


def texture_patches(n: int, seed: int = 0, test: bool = False) -> ImageDataset:
    """Small grey patches of five photographs: brick, grass, gravel, tissue and the night sky.

    Patches for training come from the left three fifths of each photograph, those for the test
    from the right third, so that the two never overlap. Each is brought to the same brightness and
    contrast: only the texture tells.

    Args:
        n: How many; as many of each class as can be.
        seed: Which patches.
        test: Whether to cut them from the part that is kept for the test.

    Returns:
        Pictures of 32 pixels.

    Raises:
        InputError: A number out of range.

    Example:
        >>> texture_patches(10).class_names
        ('brick', 'grass', 'gravel', 'tissue', 'sky')
    """
    from PIL import Image

    rng = np.random.default_rng([checks.seed(seed), test])
    labels = rng.permutation(np.arange(checks.whole(n, "n", 1)) % len(TEXTURES))
    images = np.zeros((n, SIDE, SIDE, 3), np.uint8)
    for label, file in enumerate(TEXTURES.values()):
        with Image.open(str(resources.files("skimage") / "data" / file)) as opened:
            photo = np.asarray(opened.convert("L"), float)
        width = photo.shape[1]
        photo = photo[:, 2 * width // 3 :] if test else photo[:, : 3 * width // 5]
        high, wide = (length - SIDE for length in photo.shape)
        for row in np.nonzero(labels == label)[0]:
            top, left = rng.integers(0, high + 1), rng.integers(0, wide + 1)
            patch = photo[top : top + SIDE, left : left + SIDE]
            patch = 128 + 50 * (patch - patch.mean()) / (patch.std() + 1e-6)
            images[row] = patch.clip(0, 255)[..., None]
    return ImageDataset(images, labels, tuple(TEXTURES), "textures", "scikit-image", "see its card")


def shuffle_pixels(images: np.ndarray, seed: int = 0, same: bool = True) -> np.ndarray:
    """The pixels of pictures in another order.

    Args:
        images: (N, H, W, C).
        seed: Of the order.
        same: One order for all pictures, or a new one for each.

    Returns:
        Pictures of the same shape.

    Example:
        >>> shuffle_pixels(np.arange(4).reshape(1, 2, 2, 1)).shape
        (1, 2, 2, 1)
    """
    count, height, width, channels = images.shape
    rng, pixels = np.random.default_rng(checks.seed(seed)), height * width
    order = np.tile(rng.permutation(pixels), (count, 1)) if same else _orders(rng, count, pixels)
    flat = images.reshape(count, pixels, channels)
    return np.take_along_axis(flat, order[..., None], axis=1).reshape(images.shape)


def _orders(rng: np.random.Generator, count: int, pixels: int) -> np.ndarray:
    return rng.permuted(np.tile(np.arange(pixels), (count, 1)), axis=1)


def price_charts(
    n: int, signal: bool = True, seed: int = 0, image_size: int = 64
) -> tuple[ImageDataset, np.ndarray]:
    """Charts of made-up prices, to tell from them whether the next day goes up or down.

    Prices walk at random. With a planted signal, the last twelve days drift up or down, and nine
    times in ten the next day goes the same way. Without it the next day is the toss of a coin.

    Args:
        n: How many; half of them go up.
        signal: Whether to plant it.
        seed: Which prices.
        image_size: Side of the chart in pixels.

    Returns:
        The charts, and the prices they show (n, 60).

    Raises:
        InputError: A number out of range.

    Example:
        >>> charts, prices = price_charts(6)
        >>> charts.class_names, prices.shape
        (('down', 'up'), (6, 60))
    """
    from PIL import Image, ImageDraw

    rng = np.random.default_rng([checks.seed(seed), signal])
    labels = rng.permutation(np.arange(checks.whole(n, "n", 2)) % 2)
    steps = rng.normal(size=(n, DAYS))
    if signal:
        keeps = np.where(rng.random(n) < _TRUE, 1, -1)
        steps[:, -_TREND:] += (_DRIFT * keeps * (2 * labels - 1))[:, None]
    prices = steps.cumsum(axis=1)
    low, high = prices.min(axis=1, keepdims=True), prices.max(axis=1, keepdims=True)
    fine = 4 * checks.whole(
        image_size, "image_size", 16, 1024
    )  # drawn large, made small: smooth lines
    across = np.linspace(0.03, 0.97, DAYS) * fine
    down = (0.95 - 0.9 * (prices - low) / (high - low)) * fine
    images = np.zeros((n, image_size, image_size, 3), np.uint8)
    for row, heights in enumerate(down):
        chart = Image.new("L", (fine, fine), 255)
        line = list(zip(across.tolist(), heights.tolist(), strict=True))
        ImageDraw.Draw(chart).line(line, fill=0, width=6)
        images[row] = np.asarray(chart.reduce(4))[..., None]
    return ImageDataset(images, labels, ("down", "up"), "charts", "made up", "none"), prices


def camera_pictures(digits: ImageDataset, seed: int = 0, depth: bool = False) -> np.ndarray:
    """Digits in front of a coloured wall, seen by a colour camera or by one that sees depth, too.

    The colour camera sees digits that are lighter than the wall. In front of the other one they are
    painted almost like it; but they stand before the wall, which may be slanted, and the fourth
    channel measures how far away each point is.

    Args:
        digits: As for `scatter_digits`.
        seed: Of places, colours, slants and noise.
        depth: Which camera.

    Returns:
        uint8 (N, 32, 32, 3), or (N, 32, 32, 4) with depth as the last channel.

    Raises:
        InputError: Digits of another size.

    Example:
        >>> camera_pictures(load_dataset("digits", n=10, image_size=28), depth=True).shape
        (10, 32, 32, 4)
    """
    shape = scatter_digits(digits, seed).images[..., :1] / 255.0
    count = len(shape)
    rng = np.random.default_rng([checks.seed(seed), 1 + depth])
    wall = rng.uniform(20, 140, (count, 1, 1, 3))
    away = rng.uniform(60, 110, (count, 1, 1, 3)) * (0.08 if depth else 1)
    noise = rng.normal(0, 12, (count, SIDE, SIDE, 3))
    seen = [wall + shape * away + noise]
    if depth:
        up, right = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j][..., None]
        slant = rng.uniform(-60, 60, (2, count, 1, 1, 1))
        far = 128 + slant[0] * up + slant[1] * right - 40 * shape
        seen.append(far + rng.normal(0, 6, far.shape))
    return np.concatenate(seen, axis=-1).clip(0, 255).astype(np.uint8)
