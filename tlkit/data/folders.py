"""Reading a folder of people's own pictures, whatever else lies in it."""

import os
import re
import unicodedata
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tlkit.errors import InputError, MissingFileError
from tlkit.progress import progress

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
MOST_PIXELS = 50_000_000  # decoded: 200 MB at four bytes each
MOST_JPEG_PIXELS = 120_000_000  # a JPEG is decoded at a fraction of its size
NOT_OURS = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "$recycle.bin"}
# What EXIF orientation 2 to 8 asks for (numbers of Pillow's Image.Transpose).
TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
LEADS_BACK = "a link that leads back to a folder it is in"


class Unusable(Exception):
    """A file that is left out; says why in plain words."""


def readable(name: str) -> str:
    """A file's name as text: composed accents, and no bytes that are not UTF-8."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return unicodedata.normalize("NFC", text)


def natural(name: str) -> list:
    """Sort key under which `cat 2` comes before `cat 10`, the same on every platform."""
    name = readable(name)
    pieces = re.split(r"([0-9]+)", name.casefold())  # text, number, text, number ...
    pieces[1::2] = map(int, pieces[1::2])
    return [pieces, name]


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.casefold() in NOT_OURS


def _entries(folder: Path) -> list[Path]:
    return sorted(
        (entry for entry in folder.iterdir() if not _hidden(entry.name)),
        key=lambda entry: natural(entry.name),
    )


def _walk(folder: Path, seen: set[str]) -> Iterator[tuple[Path, str | None]]:
    """Every file in a folder and below it, with the reason when it cannot even be opened."""
    real = os.path.realpath(folder)
    if real in seen:
        yield folder, LEADS_BACK
        return
    seen.add(real)
    try:
        entries = _entries(folder)
    except OSError:
        yield folder, "a folder that cannot be opened"
        return
    for entry in entries:
        if entry.is_dir():
            yield from _walk(entry, seen)
        elif entry.is_file():
            yield entry, None
        elif entry.is_symlink():
            yield entry, "a link that leads nowhere"
        else:
            yield entry, "not a file that can be read"


def _refuse_by_first_bytes(path: Path) -> None:
    """Name the usual things that are not pictures but lie among them."""
    with path.open("rb") as file:
        start = file.read(1024)
    if not start:
        raise Unusable("an empty file")
    if start.startswith(b"version https://git-lfs"):
        raise Unusable("a Git LFS pointer, not the picture itself: fetch it with `git lfs pull`")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        raise Unusable("an HTML page, not a picture: the download went wrong")
    if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"mif1", b"avif", b"hevc"):
        raise Unusable("a HEIC or AVIF picture, which is not read: save it as JPEG")


def _eight_bit(image):
    """A picture of one wide channel (16- or 32-bit, or floats) as 8-bit grey."""
    from PIL import Image

    values = np.nan_to_num(np.asarray(image).astype(np.float32))
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I") and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0  # black and white mean the same in every 16-bit picture
    elif image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif image.mode == "F" and low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    grey = (values - low) * (255 / (high - low or 1))
    return Image.fromarray((grey + 0.5).astype(np.uint8))


def _decode(path: Path, size: int) -> np.ndarray:
    from PIL import Image

    with Image.open(path, formats=FORMATS) as image:
        width, height = image.size
        jpeg = image.format in ("JPEG", "MPO")
        if width * height > (MOST_JPEG_PIXELS if jpeg else MOST_PIXELS):
            raise Unusable(f"too large: {width} x {height} pixels")
        if jpeg:  # decoded at a half, a quarter or an eighth while that leaves twice what we need
            shrink = max(1.0, min(width, height) / (2 * size))
            image.draft(None, (int(width / shrink), int(height / shrink)))
        image.load()
        try:  # asked after loading: TIFF has turned itself by then
            turn = TURNS.get(image.getexif().get(0x0112))
        except Exception:  # unreadable EXIF says nothing about the picture
            turn = None
        see_through = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or (
            "transparency" in image.info and image.mode in ("P", "RGB", "L", "1")
        )
        if image.mode[0] in "IF":
            picture = _eight_bit(image).convert("RGB")
        else:
            picture = image.convert("RGBA" if see_through else "RGB")
    # The largest square in the middle, scaled: covers the picture, stretches nothing.
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    picture = picture.resize(
        (size, size),
        Image.Resampling.LANCZOS,
        box=(left, top, left + side, top + side),
        reducing_gap=3.0,
    )
    if see_through:
        picture = Image.alpha_composite(Image.new("RGBA", (size, size), "white"), picture)
    if turn is not None:  # the square may be turned last: its middle stays where it is
        picture = picture.transpose(Image.Transpose(turn))
    return np.asarray(picture.convert("RGB"))


def read_picture(path: Path, size: int) -> np.ndarray:
    """One picture file as uint8 (size, size, 3).

    Raises:
        Unusable: It cannot be read; says why in plain words.
    """
    from PIL import Image

    try:
        _refuse_by_first_bytes(path)
        return _decode(path, size)
    except Unusable:
        raise
    except PermissionError:
        raise Unusable("not allowed to read it") from None
    except Image.UnidentifiedImageError:
        raise Unusable("not a picture that can be read") from None
    except Image.DecompressionBombError:
        raise Unusable("too large: more pixels than any photograph has") from None
    except MemoryError:
        raise Unusable("too large for this computer's memory") from None
    except Exception:  # decoders raise anything: OSError, SyntaxError, struct.error, zlib.error ...
        raise Unusable("damaged or cut short") from None


def _list_files(root: Path) -> tuple[list[tuple[Path, str]], list[str], list[tuple[str, str]]]:
    """Files with their class, the class names in order, and what is left out already."""
    files, names, skipped = [], [], []
    above = {os.path.realpath(folder) for folder in (root, *root.resolve().parents)}
    for entry in _entries(root):
        if not entry.is_dir():
            dangling = entry.is_symlink() and not entry.exists()
            reason = "a link that leads nowhere" if dangling else "not in a class folder"
            skipped.append((_relative(entry, root), reason))
            continue
        if os.path.realpath(entry) in above:
            skipped.append((_relative(entry, root), LEADS_BACK))
            continue
        name = readable(entry.name)
        if name not in names:
            names.append(name)
        for path, reason in _walk(entry, set(above)):
            if reason:
                skipped.append((_relative(path, root), reason))
            else:
                files.append((path, name))
    return files, names, skipped


def _relative(path: Path, root: Path) -> str:
    return readable(path.relative_to(root).as_posix())


def read_folder(
    path: str | Path, size: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], tuple[tuple[str, str], ...], str]:
    """Everything in a folder of class folders: images, labels, class names, skipped, name."""
    try:
        root = Path(path).expanduser()
    except TypeError:
        raise InputError(f"`path` is {path!r}.", "Give a folder's path as text.") from None
    if not root.exists():
        raise MissingFileError(
            f"There is no folder {str(root)!r} (looked in {os.path.abspath(root)!r}).",
            "Check the spelling, or give the whole path.",
        )
    layout = "Put the pictures into one sub-folder per class, such as pets/cat and pets/dog."
    if not root.is_dir():
        raise InputError(f"{str(root)!r} is a file, not a folder.", layout)
    try:
        files, names, skipped = _list_files(root)
    except PermissionError:
        raise InputError(
            f"You may not read {str(root)!r}.", "Change the folder's rights."
        ) from None
    if not names:
        found = "has no sub-folders" if skipped else "is empty"
        raise InputError(f"The folder {str(root)!r} {found}.", layout)
    if len(names) == 1:
        raise InputError(f"The folder {str(root)!r} has one class only, {names[0]!r}.", layout)

    def read(file: tuple[Path, str]) -> np.ndarray | str:
        try:
            return read_picture(file[0], size)
        except Unusable as reason:
            return str(reason)

    images = np.empty((len(files), size, size, 3), np.uint8)
    labels = np.empty(len(files), np.int64)
    kept = 0
    with warnings.catch_warnings(), ThreadPoolExecutor(2) as pool:
        warnings.simplefilter("ignore")  # Pillow's, on odd EXIF and large pictures
        results = progress(pool.map(read, files), len(files), f"Reading {len(files)} pictures")
        for file, result in zip(files, results, strict=True):
            if isinstance(result, str):
                skipped.append((_relative(file[0], root), result))
                continue
            images[kept], labels[kept] = result, names.index(file[1])
            kept += 1
    for label, name in enumerate(names):
        if label not in labels[:kept]:
            reason = next((f" ({p}: {r})" for p, r in skipped if p.split("/")[0] == name), "")
            raise InputError(
                f"The class {name!r} in {str(root)!r} has no picture that can be used{reason}.",
                "Put pictures into its folder, or take the folder away.",
            )
    skipped.sort(key=lambda pair: natural(pair[0]))
    folder_name = readable(root.resolve().name) or "pictures"
    return images[:kept], labels[:kept], tuple(names), tuple(skipped), folder_name
