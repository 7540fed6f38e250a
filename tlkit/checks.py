"""One check for each kind of input: it gives the value back in its usual form, or raises.

An `InputError` says what was wrong with what, and what to do. Models are checked in
`keras_tools.py`.
"""

import difflib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tlkit.errors import InputError, MissingFileError


def demand(fine: Any, what: str, mend: str) -> None:
    """Raise `InputError(what, mend)` unless something holds."""
    if not fine:
        raise InputError(what, mend)


# --- numbers ----------------------------------------------------------------------------------


def whole(value: object, name: str, low: int, high: int | None = None) -> int:
    """A whole number from `low` to `high`; NumPy's will do, True and False will not.

    Example:
        >>> whole(np.int64(3), "steps", low=1)
        3
    """
    within = f"from {low} to {high}" if high is not None else f"of at least {low}"
    right_type = isinstance(value, int | np.integer) and not isinstance(value, bool)
    fine = right_type and low <= value and (high is None or value <= high)
    demand(fine, f"`{name}` is {value!r}.", f"Give a whole number {within}.")
    return int(value)


def seed(value: object) -> int:
    """A seed: a whole number that fits in 32 bits."""
    return whole(value, "seed", 0, 2**32 - 1)


def number(
    value: object,
    name: str,
    low: float,
    high: float = math.inf,
    ends: bool = False,
    such_as: float | None = None,
) -> float:
    """A finite number between two limits.

    Args:
        value: What was given.
        name: What it is called.
        low: The lower limit.
        high: The upper limit.
        ends: Whether the limits themselves will do.
        such_as: A usual value, to be named where this one will not do.

    Example:
        >>> number(1e-3, "learning_rate", 0, 1, such_as=1e-4)
        0.001
    """
    kinds = int | float | np.integer | np.floating
    fine = isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)
    fine = fine and (low <= value <= high if ends else low < value < high)
    if high == math.inf:
        within = f"from {low:g} up" if ends else f"above {low:g}"
    else:
        within = f"from {low:g} to {high:g}" if ends else f"between {low:g} and {high:g}"
    usual = "" if such_as is None else f", such as {such_as:g}"
    demand(fine, f"`{name}` is {value!r}.", f"Give a number {within}{usual}.")
    return float(value)


def numbers(values: Any, what: str, shape: Sequence[int | None]) -> np.ndarray:
    """Finite numbers of a shape (None: any length), as float64.

    Example:
        >>> numbers([1, 2], "The list of rates", (None,))
        array([1., 2.])
    """
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        array = None
    readable = f"{what} cannot be read as numbers."
    demand(array is not None, readable, "Give a list or an array of them.")
    fits = array.ndim == len(shape) and array.size > 0
    fits = fits and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    wanted = ", ".join("any" if length is None else str(length) for length in shape)
    demand(fits, f"{what} has the shape {array.shape}.", f"Give the shape ({wanted}).")
    demand(np.isfinite(array).all(), f"{what} has NaN or infinity in it.", "Leave such values out.")
    return array


# --- names and paths --------------------------------------------------------------------------


def choice(value: Any, known: Iterable[str], what: str) -> str:
    """One of some names, such as `"strategy"` in `what`; else the nearest ones are named.

    Example:
        >>> choice("feature", ["auto", "features"], "strategy")
        Traceback (most recent call last):
        tlkit.errors.InputError: There is no strategy 'feature'. Did you mean features?
    """
    known = list(known)
    fine = isinstance(value, str) and value in known
    demand(fine, f"There is no {what} {value!r}.", did_you_mean(value, known))
    return value


def texts(values: Any, what: str) -> list[str]:
    """A list of texts, such as the names of classes; a number stands for its own text.

    Example:
        >>> texts(("cat", 7), "The labels")
        ['cat', '7']
    """
    listed = np.iterable(values) and not isinstance(values, str | bytes | Mapping)
    demand(listed, f"{what} are {values!r}.", "Give a list of names.")
    return [str(value) for value in values]


def did_you_mean(value: object, known: Sequence[str]) -> str:
    """A sentence with what is nearest to an unknown name, or else with what there is."""
    if near := difflib.get_close_matches(str(value), known, 3):
        return f"Did you mean {', '.join(near)}?"
    some = ", ".join(map(repr, known[:20]))
    return f"Use one of: {some}{', …' if len(known) > 20 else ''}."


def path(value: Any, suffix: str = "", there: str = "") -> Path:
    """A path, with `~` written out.

    Args:
        value: A path or its text.
        suffix: The ending that it must have, such as `".keras"`.
        there: What must be there: `"file"` or `"folder"`; or `"place"`: a folder to put it in.

    Raises:
        InputError: No path, another ending, or a folder in place of a file.
        MissingFileError: Nothing is there.

    Example:
        >>> path("model.h5", suffix=".keras")
        Traceback (most recent call last):
        tlkit.errors.InputError: 'model.h5' does not end in .keras. Call it model.keras.
    """
    try:
        found = Path(value).expanduser()
    except (TypeError, RuntimeError):
        raise InputError(f"{value!r} is no path.", "Give a path as text.") from None
    demand("\0" not in str(found), f"{value!r} is no path.", "Give a path as text.")
    ending = f"{found.name!r} does not end in {suffix}."
    demand(found.name.endswith(suffix), ending, f"Call it {found.stem or 'model'}{suffix}.")
    if there == "place":
        parent = str(found.parent)
        demand(os.path.isdir(parent), f"There is no folder {parent!r}.", "Make it first.")
    # Of the two ways to ask, this one also takes names that are too long, or that nobody may see.
    elif there and not os.path.exists(found):
        raise MissingFileError(
            f"There is no {there} {str(found)!r} (looked in {str(found.absolute())!r}).",
            "Check the spelling, or give the whole path.",
        )
    if there in ("file", "folder"):
        fine = os.path.isdir(found) == (there == "folder")
        demand(fine, f"{str(found)!r} is not a {there}.", f"Give the path of a {there}.")
    return found


# --- pictures and labels ----------------------------------------------------------------------


def array(values: Any, what: str) -> np.ndarray:
    """Anything as an array, unless it is a list of lists of unequal lengths."""
    try:
        return np.asarray(values)
    except ValueError:
        readable = f"{what} cannot be read as an array."
        raise InputError(readable, "Give one array, or lists of equal lengths.") from None


def pictures(images: Any, shape: Sequence[int | None] = (None, None, 3)) -> np.ndarray:
    """Raw RGB pictures (N, H, W, 3), uint8 or numbers from 0 to 255, as uint8 or float32.

    Args:
        images: The pictures.
        shape: What a model takes, (H, W, 3); None for any length.

    Example:
        >>> pictures(np.zeros((2, 8, 8, 3), int)).dtype
        dtype('float32')
    """
    images = array(images, "The list of pictures")
    fine = images.dtype.kind in "uif" and images.ndim == 4
    if not fine or images.shape[-1] != 3 or 0 in images.shape:
        hint = " Add an axis to a single picture: image[None]." if images.ndim == 3 else ""
        raise InputError(
            f"Pictures must be numbers of shape (N, H, W, 3); these are {images.dtype} of shape "
            f"{images.shape}.",
            f"Pass RGB pictures from 0 to 255.{hint}",
        )
    have, takes = images.shape[1:], tuple(shape)
    fits = len(takes) == 3 and all(w in (None, h) for w, h in zip(takes, have, strict=True))
    wanted = f"{takes[1]}×{takes[0]}" if takes[2:] == (3,) else f"inputs of shape {takes}"
    demand(
        fits,
        f"The pictures are {have[1]}×{have[0]} pixels, but the model takes {wanted}.",
        f"Build or load the model with image_size={have[0]}, or pictures of its size.",
    )
    if images.dtype == np.uint8:
        return images
    demand(
        np.isfinite(images).all(),
        "Some pixels are not numbers (NaN or infinite).",
        "Look for a division by zero or a missing value where the pictures were made.",
    )
    low, high = float(images.min()), float(images.max())
    demand(
        low >= 0 and high <= 255 and not 0 < high <= 1,
        f"The pixels lie between {low:g} and {high:g}: the pictures seem to be scaled already.",
        "Pass raw RGB from 0 to 255: the model scales them itself.",
    )
    return images.astype("float32")


def picture(image: Any, shape: Sequence[int | None] = (None, None, 3)) -> np.ndarray:
    """One raw RGB picture (H, W, 3), as a batch of one; see `pictures`."""
    image = array(image, "The picture")
    demand(
        image.ndim == 3,
        f"One picture has the shape (H, W, 3); this is {image.shape}.",
        "Take one of several by its index, and turn grey into RGB.",
    )
    return pictures(image[None], shape)


def labels(values: Any, count: int, classes: int | None = None) -> np.ndarray:
    """A whole number from 0 for each of `count` pictures, below `classes` if given; int64 (N,).

    Example:
        >>> labels([0, 2, 1], count=3, classes=3)
        array([0, 2, 1])
    """
    values = array(values, "The list of labels")
    one_hot = values.ndim == 2 and values.shape[0] == count and values.shape[1] > 1
    hint = " Of one-hot rows take labels.argmax(axis=1)." if one_hot else ""
    demand(
        values.shape == (count,) and values.dtype.kind in "ui",
        f"`labels` is {values.dtype} of shape {values.shape} for {count} pictures.",
        f"Give one whole number for each picture.{hint}",
    )
    if count:
        low, high = int(values.min()), int(values.max())
        most = f", for {classes} classes" if classes else ""
        demand(
            low >= 0 and (classes is None or high < classes),
            f"`labels` go from {low} to {high}{most}.",
            f"Give labels from 0 to {classes - 1}." if classes else "Count the classes from 0.",
        )
    return values.astype("int64")


def dataset(data: Any) -> Any:
    """An `ImageDataset`, or what has its `images`, `labels` and `class_names`, with pictures."""
    parts = ("images", "labels", "class_names")
    demand(
        all(hasattr(data, part) for part in parts),
        f"{type(data).__name__} is no set of pictures with labels.",
        'Load one, as with tlkit.load_folder("pictures/"), or put arrays together: '
        "tlkit.ImageDataset(images, labels, class_names).",
    )
    demand(len(data.images), "There are no pictures in the set.", "Load some first.")
    return data
