"""People's own pictures: files, and folders with a sub-folder for each class."""

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from tlkit import checks
from tlkit.data.files import Skipped, from_files, shown
from tlkit.data.image_dataset import ImageDataset, image_side
from tlkit.data.names import demand_distinct, natural, readable
from tlkit.errors import InputError

NOT_OURS = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "$recycle.bin"}
LEADS_BACK = "a link that leads back to a folder it is in"
# What the parts of a data set are called, which often stand where classes are expected.
PART = re.compile(
    "(train|test|val|valid|validat|dev|eval|hold[ _-]?out)(ing|ion)?([ _-]?(set|data|images))?",
    re.IGNORECASE,
)


def load_folder(path: str | Path, image_size: int = 160) -> ImageDataset:
    """Your own pictures: a folder with a sub-folder per class.

    Each picture is turned as its camera noted, put on white where it is transparent, made RGB,
    scaled so that it covers a square, and cut to the square's middle: nothing is stretched. All
    16-bit pictures get the same white. `docs/files.md` says what happens to which kind of file.

    A file that cannot be used is left out and listed in `skipped` with its reason; what had to be
    assumed stands in `notes`. Hidden files are passed over; pictures in folders within a class
    folder belong to that class. No file is changed.

    Args:
        path: The folder.
        image_size: Height and width in pixels, from 16 to 1024.

    Returns:
        The pictures; the classes are the sub-folders' names in alphabetical order.

    Raises:
        MissingFileError: There is no such folder.
        InputError: It is a file, it has fewer than two classes, or one without pictures; two
            classes look the same in print; the sub-folders are parts, such as train and test.

    Example:
        >>> mine = load_folder("pictures/", image_size=160)
        >>> mine.skipped
        (('dog/notes.jpg', 'not a picture that can be read'),)
    """
    size, root = image_side(image_size), checks.path(path, there="folder")
    return from_files(*class_files(root), size=size, root=root)


def class_files(root: Path) -> tuple[list[Path], list[int], list[str], Skipped, list[str]]:
    """What is in the class folders of a folder.

    Returns:
        The files, the class of each, the classes' names, what is left out and what is assumed.

    Raises:
        InputError: It has no class folders.
    """
    classes, skipped = class_folders(root)
    notes = _check_layout(root, classes)
    files, labels = [], []
    for label, folder in enumerate(classes):
        for file, reason in _walk(folder, _above(root)):
            if reason:
                skipped.append((shown(file, root), reason))
            else:
                files.append(file)
                labels.append(label)
    names = [unicodedata.normalize("NFC", readable(folder.name)) for folder in classes]
    return files, labels, names, skipped, notes


# --- folders ----------------------------------------------------------------------------------


def entries_of(folder: Path) -> list[Path]:
    """What is in a folder, in order, but for what systems put there."""

    def ours(entry: Path) -> bool:
        return not entry.name.startswith(".") and entry.name.casefold() not in NOT_OURS

    return sorted(filter(ours, folder.iterdir()), key=lambda entry: natural(entry.name))


def _above(root: Path) -> set[str]:
    """A folder and those it is in, where no link within may lead."""
    return {os.path.realpath(folder) for folder in (root, *root.resolve().parents)}


def class_folders(root: Path) -> tuple[list[Path], Skipped]:
    """The class folders in order, and what else lies beside them, with the reason to skip it."""
    classes, skipped = [], []
    try:
        entries = entries_of(root)
    except PermissionError:
        raise InputError(f"You may not read {str(root)!r}.", "Change its rights.") from None
    for entry in entries:
        if not entry.is_dir():
            dangling = entry.is_symlink() and not entry.exists()
            reason = "a link that leads nowhere" if dangling else "not in a class folder"
            skipped.append((shown(entry, root), reason))
        elif os.path.realpath(entry) in _above(root):
            skipped.append((shown(entry, root), LEADS_BACK))
        else:
            classes.append(entry)
    return classes, skipped


def _walk(folder: Path, seen: set[str]) -> Iterator[tuple[Path, str | None]]:
    """Every file in a folder and below it, with the reason when it cannot even be opened."""
    real = os.path.realpath(folder)
    if real in seen:
        yield folder, LEADS_BACK
        return
    seen.add(real)
    try:
        entries = entries_of(folder)
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


def _check_layout(root: Path, classes: list[Path]) -> list[str]:
    """Sentences on what is odd about the class folders; an error if they can be no classes."""
    layout = "Put the pictures into one sub-folder per class, such as pets/cat and pets/dog."
    empty = "is empty" if not any(root.iterdir()) else "has no sub-folders"
    checks.demand(classes, f"The folder {str(root)!r} {empty}.", layout)
    names = [readable(folder.name) for folder in classes]
    inside = [_sub_folders(folder) for folder in classes]
    shared = sorted(set.intersection(*inside), key=natural)
    parts = [name for name in names if PART.fullmatch(name)]
    deeper = str(root / (parts or names)[0])
    checks.demand(
        len(classes) > 1,
        f"The folder {str(root)!r} has one class only, {names[0]!r}.",
        f"If its sub-folders are the classes, load {deeper!r}." if len(shared) > 1 else layout,
    )
    checks.demand(
        len(parts) < 2 or (len(parts) < len(names) and len(shared) < 2),
        f"The sub-folders of {str(root)!r} are parts of a data set, no classes: "
        f"{', '.join(names)}" + (f", each with {', '.join(shared[:5])}." if shared else "."),
        f"Load one part: load_folder({deeper!r}).",
    )
    demand_distinct([folder.name for folder in classes], "class folders")
    notes = []
    if len(shared) > 1:
        notes.append(
            f"Every class folder has the sub-folders {', '.join(shared[:5])}, whose pictures were "
            "put together. If those are the classes, load one class folder instead."
        )
    folded = [name.casefold() for name in names]
    if alike := [name for name in names if folded.count(name.casefold()) > 1]:
        notes.append(f"The classes {', '.join(map(repr, alike))} differ in capitals only.")
    if odd := [name for name, each in zip(names, classes, strict=True) if name != each.name]:
        notes.append(
            f"Names that are not UTF-8 are spelt with numbers for their bytes, such as {odd[0]!r}: "
            "the archive was packed with another code page. Rename the folders to see them right."
        )
    return notes


def _sub_folders(folder: Path) -> set[str]:
    try:
        return {readable(entry.name) for entry in entries_of(folder) if entry.is_dir()}
    except OSError:
        return set()
