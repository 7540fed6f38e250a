"""Pictures with labels that come one after the other, put together as a data set."""

import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from tlkit import checks
from tlkit.data.files import Skipped, short_side, suitable_size
from tlkit.data.image_dataset import ImageDataset
from tlkit.data.reading import Unusable, decode, middle_square
from tlkit.progress import progress


@dataclass
class Labelled:
    """Pictures with labels as they come, and what is known of them.

    Args:
        pairs: (picture, label, where it stands): the picture an array (H, W), (H, W, 1), (H, W, 3)
            or (H, W, 4), or the bytes of a file; the label a number, a text or a one-hot row.
        names: What the classes are called, by number; None for their own names.
        name: What the set is called.
        source: Where it is from.
        licence: Under which licence it may be used.
        total: How many there are, where that is known.
        notes: What was assumed already.
    """

    pairs: Iterable[tuple[Any, Any, str]]
    names: list[str] | None = None
    name: str = "pictures"
    source: str = "your own"
    licence: str = "your own"
    total: int | None = None
    notes: list[str] = field(default_factory=list)


def choose_part(parts: Mapping[str, Any], wanted: str | None, notes: list[str]) -> str:
    """The part that is wanted, or the training part, of which a note is made.

    Raises:
        InputError: There is no such part.
    """
    if wanted is not None:
        checks.demand(parts, f"There is no part {wanted!r}: it has none.", "Leave `part` out.")
        return checks.choice(wanted, parts, "part")
    checks.demand(parts, "It has no parts.", "Look at where the pictures come from.")
    training = [name for name in parts if name.casefold().startswith("train")]
    chosen = (training or list(parts))[0]
    others = [name for name in parts if name != chosen]
    if others:
        notes.append(
            f"Only the part {chosen!r} was read. There is more: "
            + ", ".join(f"part={name!r}" for name in others)
            + "."
        )
    return chosen


def collect(found: Labelled, size: int | None, n: int | None) -> ImageDataset:
    """Put a stream together as a data set.

    Args:
        found: The stream.
        size: Height and width in pixels; None for what suits the first picture.
        n: At most so many of each class; when all have them, no more is read.

    Raises:
        InputError: Pictures or labels that cannot be read as such, or no pictures at all.
    """
    images, labels, fractions = [], [], []
    have: Counter = Counter()
    skipped: Skipped = []
    wanted = None if n is None or found.names is None else range(len(found.names))
    told = progress(found.pairs, found.total, "Reading pictures") if found.total else found.pairs
    for picture, given, where in told:
        label = _label(given, found.names)
        if label is None:
            skipped.append((where, "no class is given"))
            continue
        if n is not None and have[label] >= n:
            continue
        try:
            size = size or suitable_size([_short_side(picture)])
            pixels, fraction = _square(picture, size)
        except Unusable as reason:
            skipped.append((where, str(reason)))
            continue
        have[label] += 1
        images.append(pixels)
        labels.append(label)
        fractions.append(fraction)
        if wanted and all(have[each] >= n for each in wanted):
            break
    checks.demand(images, "No picture that can be used came.", "Look at where they come from.")
    # A picture that is black all over goes with either.
    if True in fractions and False not in fractions:
        found.notes.append("Values from 0 to 1 were taken for black to white.")
    elif True in fractions:
        # Some have higher values: what lies below 1 in the others is almost black.
        for row in np.flatnonzero(np.equal(fractions, True)):
            images[row] = np.round(images[row] / 255).astype("uint8")
    classes = sorted(have, key=_order)
    names = [str(each) for each in classes]
    if found.names is not None:
        names = [found.names[each] for each in classes]
        if missing := [name for name in found.names if name not in names]:
            some = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
            found.notes.append(f"There are no pictures of {some}.")
    places = {label: place for place, label in enumerate(classes)}
    return ImageDataset(
        np.stack(images),
        np.array([places[label] for label in labels]),
        tuple(names),
        found.name,
        found.source,
        found.licence,
        tuple(skipped),
        tuple(found.notes),
    )


def _order(label: int | str) -> tuple:
    return (0, label, "") if isinstance(label, int) else (1, 0, label)


def _label(given: Any, names: list[str] | None) -> int | str | None:
    """A label as a number or a text; None where there is none."""
    given = np.asarray(given)
    if given.ndim == 1 and given.size > 1:
        given = given.argmax()
    checks.demand(given.size == 1, f"A label is {given!r}.", "Give one class for each picture.")
    value = given.item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        if names is not None and value in names:
            return names.index(value)
        checks.demand(names is None, f"A label is {value!r}.", f"The classes are {names}.")
        return value or None
    checks.demand(
        isinstance(value, int | float) and value == int(value),
        f"A label is {value!r}.",
        "Give whole numbers, or names.",
    )
    if value < 0:
        return None
    inside = names is None or value < len(names)
    checks.demand(inside, f"A label is {value}, of {len(names or ())} classes.", "Name them all.")
    return int(value)


def _short_side(picture: Any) -> int | None:
    """Of a picture as it comes, in pixels."""
    if isinstance(picture, bytes):
        return short_side(io.BytesIO(picture))
    return min(picture.size if isinstance(picture, Image.Image) else np.shape(picture)[:2])


def _square(picture: Any, size: int) -> tuple[np.ndarray, bool | None]:
    """A picture as uint8 (size, size, 3), and whether it goes from 0 to 1; None: who knows."""
    if isinstance(picture, bytes):
        return _from_bytes(picture, size), False
    if isinstance(picture, Image.Image):
        alpha = "RGBA" if picture.has_transparency_data else "RGB"
        return middle_square(picture.convert(alpha), size), False
    pixels = np.asarray(picture)
    fine = pixels.dtype.kind in "uif" and pixels.ndim in (2, 3) and 0 not in pixels.shape
    if pixels.ndim == 3:
        fine = fine and pixels.shape[2] in (1, 3, 4)
    checks.demand(
        fine,
        f"A picture is {pixels.dtype} of shape {pixels.shape}.",
        "Give numbers of shape (H, W, 3), or (H, W) for grey.",
    )
    if not np.isfinite(pixels).all():
        raise Unusable("some pixels are not numbers")
    low, high = float(pixels.min()), float(pixels.max())
    checks.demand(
        low >= 0 and high <= 255,
        f"The pixels of a picture lie between {low:g} and {high:g}.",
        "Pass raw pictures, from 0 to 255: the networks scale them themselves.",
    )
    fraction = None if high == 0 else pixels.dtype.kind == "f" and high <= 1
    pixels = np.round(pixels * 255.0 if fraction else pixels).astype("uint8")
    image = Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
    return middle_square(image if image.mode == "RGBA" else image.convert("RGB"), size), fraction


def _from_bytes(content: bytes, size: int) -> np.ndarray:
    try:
        return decode(io.BytesIO(content), size, None).pixels
    except Unusable:
        raise
    # Decoders raise anything.
    except Exception:
        raise Unusable("damaged, or no picture that can be read") from None
