"""Many picture files: read by two threads, with what could not be used and what was assumed."""

import contextlib
import warnings
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from tlkit import checks
from tlkit.data.image_dataset import ImageDataset, image_side
from tlkit.data.names import natural, readable
from tlkit.data.reading import FORMATS, Picture, Unusable, read, read_picture
from tlkit.errors import InputError
from tlkit.progress import progress

# At how many pixels photographs are read, and pictures whose shorter side has fewer than `SMALL`.
LARGE, SMALL = 224, 160
# Of 255: a picture that has nothing brighter is nearly black.
DARK = 31

Skipped = list[tuple[str, str]]


def from_files(
    files: list[Path],
    labels: list[int],
    names: list[str],
    skipped: Skipped,
    notes: Sequence[str],
    size: int | None,
    root: Path,
    n: int | None = None,
    seed: int = 0,
) -> ImageDataset:
    """Files with their classes as a data set.

    Args:
        files: Where the pictures are.
        labels: The class of each.
        names: What the classes are called.
        skipped: What was left out already, and why.
        notes: What was assumed already.
        size: Height and width in pixels; None for what suits most of them.
        root: The folder that the files' names are told from.
        n: So many of each class at most, chosen at random; None for all.
        seed: Of that choice.

    Raises:
        InputError: A class without a picture that can be used.
    """
    if n is not None:
        rows = of_each(labels, n, seed)
        files, labels = [files[row] for row in rows], [labels[row] for row in rows]
    size = size or suitable_size([short_side(file) for file in files[:: 1 + len(files) // 50]])
    images, kept, white, remarks = _read_all(files, size, root, skipped)
    for label, name in enumerate(names):
        if label not in np.array(labels)[kept]:
            reason = next((f" ({p}: {r})" for p, r in skipped if p.split("/")[0] == name), "")
            raise InputError(
                f"The class {name!r} in {str(root)!r} has no picture that can be used{reason}.",
                "Put pictures into its folder, or take the folder away.",
            )
    return ImageDataset(
        images[: len(kept)],
        np.array(labels)[kept],
        tuple(names),
        readable(root.resolve().name) or "pictures",
        "your own folder",
        "your own",
        tuple(sorted(skipped, key=lambda pair: natural(pair[0]))),
        (*notes, *remarks),
        white,
    )


def short_side(file: Path | BinaryIO) -> int | None:
    """The shorter side of a picture in pixels, as its first bytes tell; None where they do not."""
    Image.init()
    # Whatever is wrong with the file is told when it is read.
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN]) as image:
            return min(image.size)
    return None


def suitable_size(sides: Sequence[int | None]) -> int:
    """At how many pixels pictures of such sides are best read: more than they have is no use."""
    known = [side for side in sides if side]
    return LARGE if not known or np.median(known) >= SMALL else SMALL


def read_pictures(
    paths: str | Path | Sequence[str | Path], image_size: int = 160, white: int | None = None
) -> np.ndarray:
    """Picture files, read as `load_folder` reads them.

    Args:
        paths: A path or several.
        image_size: Height and width in pixels, from 16 to 1024.
        white: The value that is white in 16-bit pictures, such as an `ImageDataset` notes.

    Returns:
        uint8 (N, image_size, image_size, 3), RGB.

    Raises:
        MissingFileError: There is no such file.
        InputError: A file that is no usable picture, with the reason.

    Example:
        >>> read_pictures("cat.jpg").shape                                  # doctest: +SKIP
        (1, 160, 160, 3)
    """
    size = image_side(image_size)
    several = [paths] if isinstance(paths, str | Path) else paths
    fine = isinstance(several, Sequence) and not isinstance(several, bytes) and len(several)
    checks.demand(fine, f"`paths` is {paths!r}.", "Give a path, or a list of paths.")
    images = []
    for each in several:
        file = checks.path(each, there="file")
        try:
            images.append(read_picture(file, size, white))
        except Unusable as reason:
            raise InputError(f"{str(file)!r} cannot be used: {reason}.", "Try another.") from None
    return np.stack(images)


def of_each(labels: Sequence[int], n: int, seed: int) -> np.ndarray:
    """Rows of at most `n` random pictures of each class, in the order in which they came."""
    labels = np.asarray(labels)
    order = np.random.default_rng(seed).permutation(len(labels))
    chosen = [order[labels[order] == label][:n] for label in np.unique(labels)]
    return np.sort(np.concatenate([np.empty(0, int), *chosen]))


def shown(path: Path, root: Path) -> str:
    """A file's name as it is told: from the folder on, as text."""
    return readable(path.relative_to(root).as_posix())


def _read_all(
    files: list[Path], size: int, root: Path, skipped: Skipped
) -> tuple[np.ndarray, list[int], int | None, list[str]]:
    """The pictures, the indices of their files, the white of 16 bits, and what was assumed."""

    def try_to_read(file: Path) -> Picture | str:
        try:
            return read(file, size)
        except Unusable as reason:
            return str(reason)

    images = np.empty((len(files), size, size, 3), np.uint8)
    kept: list[int] = []
    whites: dict[int, int] = {}
    remarks = defaultdict(list)
    with warnings.catch_warnings(), ThreadPoolExecutor(2) as pool:
        # Pillow's, on odd EXIF and large pictures.
        warnings.simplefilter("ignore")
        results = pool.map(try_to_read, files)
        told = progress(results, len(files), f"Reading {len(files)} pictures")
        for number, picture in enumerate(told):
            name = shown(files[number], root)
            if isinstance(picture, str):
                skipped.append((name, picture))
                continue
            if picture.white is not None:
                whites[len(kept)] = picture.white
            if picture.pixels.max() <= DARK:
                remarks[f"Nearly black, with nothing brighter than {DARK} of 255"].append(name)
            for remark in picture.remarks:
                remarks[remark].append(name)
            images[len(kept)] = picture.pixels
            kept.append(number)
    white = max(whites.values(), default=None)
    for row, its in whites.items():
        if its != white:
            images[row] = read_picture(files[kept[row]], size, white)
    if white is not None and white < 65535:
        remark = f"16 bits of which {white.bit_length()} are used, so {white} is white"
        remarks[remark] = [shown(files[kept[row]], root) for row in whites]
    return images, kept, white, [_note(*each) for each in remarks.items()]


def _note(remark: str, files: list[str]) -> str:
    many = "1 file" if len(files) == 1 else f"{len(files)} files"
    return f"{remark}: {many}, such as {files[0]}."
