"""One door to pictures with labels, wherever they come from: `load_pictures`."""

import csv
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tlkit import checks
from tlkit.data import streams
from tlkit.data.collecting import Labelled, choose_part, collect
from tlkit.data.files import from_files, of_each
from tlkit.data.folders import PART, class_files, class_folders, entries_of
from tlkit.data.image_dataset import ImageDataset, image_side
from tlkit.data.names import natural
from tlkit.errors import InputError

TABLES = (".csv", ".tsv", ".txt")
# An archive that would need more is refused: it may be made to fill the disk.
MOST_UNPACKED = 20e9


def load_pictures(
    source: Any,
    image_size: int | None = None,
    n: int | None = None,
    part: str | None = None,
    columns: tuple[str, str] | None = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
) -> ImageDataset:
    """Pictures with labels from wherever they are, in the form that the rest of tlkit takes.

    | `source` | what it is |
    |:--|:--|
    | `"pictures/"` | a folder with a sub-folder for each class, or with `train/` and `test/` |
    | `"pictures.zip"` | such a folder, packed |
    | `"labels.csv"` | a table with a column of file names and one of classes, beside the pictures |
    | `(images, labels)` | arrays, as `keras.datasets` gives them, too |
    | a `tf.data.Dataset` | also what `keras.utils.image_dataset_from_directory` gives |
    | `"tf_flowers"` | a name in TensorFlow Datasets (needs `tensorflow-datasets`) |
    | a `datasets.Dataset`, `"hf:name"` | of Hugging Face (the name needs `datasets`) |

    Every picture is brought to one size as `load_folder` does it. What cannot be used is left out
    and listed in `skipped`; what had to be assumed stands in `notes`.

    Args:
        source: Where the pictures are; see above.
        image_size: Height and width in pixels, from 16 to 1024. None for 224, at which photographs
            are told apart a little better than at 160, or for 160 where they are small themselves.
        n: At most so many pictures of each class, chosen at random; None for all. A stream whose
            classes are known is read until all have so many, and up to a thousand pictures on.
        part: Which part of what comes in parts, such as `"train"` or `"test"`; None for the
            training part, and a note says so.
        columns: Of a table the names of the columns that hold the file and the class.
        class_names: What the classes are called, where the source has numbers only.
        seed: Of the choice of pictures.

    Returns:
        The pictures.

    Raises:
        MissingFileError: There is no such file, or a package that the source needs.
        InputError: Something that cannot be read as pictures with labels.

    Example:
        >>> cats_and_dogs = load_pictures("cats_vs_dogs", n=200)            # doctest: +SKIP
        >>> mine = load_pictures("labels.csv", columns=("id", "breed"))     # doctest: +SKIP
        >>> images, labels = np.zeros((4, 28, 28), "uint8"), [0, 1, 0, 1]
        >>> load_pictures((images, labels), 32, class_names=("zero", "one")).counts()
        array([2, 2])
    """
    size, seed = None if image_size is None else image_side(image_size), checks.seed(seed)
    if n is not None:
        n = checks.whole(n, "n", 1)
    checks.demand(part is None or isinstance(part, str), f"`part` is {part!r}.", "Give its name.")
    if columns is not None:
        columns = tuple(checks.texts(columns, "`columns`"))
        mend = "Give two names: of the file, of the class."
        checks.demand(len(columns) == 2, f"`columns` is {columns!r}.", mend)
    names = None if class_names is None else checks.texts(class_names, "The class names")
    if isinstance(source, str) and source.startswith("hf:"):
        return streams.from_hub(source[3:], part, columns, names, size, n, seed)
    if isinstance(source, str) and _is_name(source):
        return streams.from_catalogue(source, part, names, size, n, seed)
    if isinstance(source, str | Path):
        return _from_path(checks.path(source), part, columns, size, n, seed)
    if isinstance(source, tuple):
        return _from_arrays(source, part, names, size, n, seed)
    return streams.from_object(source, part, columns, names, size, n, seed)


def _is_name(text: str) -> bool:
    """Whether this is a name in a catalogue, and nothing that could be a path."""
    plain = text.replace("_", "").replace("/", "").replace(":", "").replace(".", "")
    return plain.isalnum() and not Path(text).suffix and not Path(text).exists() and text[0] != "/"


# --- files ------------------------------------------------------------------------------------


def _from_path(
    path: Path, part, columns, size: int | None, n: int | None, seed: int
) -> ImageDataset:
    if path.is_dir():
        return _from_folder(path, part, size, n, seed)
    path = checks.path(path, there="file" if path.suffix else "folder")
    if path.suffix.casefold() in TABLES:
        return _from_table(path, part, columns, size, n, seed)
    if not zipfile.is_zipfile(path):
        raise InputError(
            f"{str(path)!r} is no folder, no zip and no table.",
            "Unpack an archive of another kind; a table's name ends in .csv or .tsv.",
        )
    with tempfile.TemporaryDirectory() as place:
        root = _unpacked(path, Path(place) / path.stem)
        return _from_folder(root, part, size, n, seed)


def _from_folder(root: Path, part, size: int | None, n: int | None, seed: int) -> ImageDataset:
    inside, _ = class_folders(root)
    parts = {each.name: each for each in inside if PART.fullmatch(each.name)}
    notes = []
    if (len(parts) > 1 and len(parts) == len(inside)) or part is not None:
        chosen = choose_part(parts, part, notes)
        root = parts[chosen]
    files, labels, names, skipped, said = class_files(root)
    return from_files(files, labels, names, skipped, [*notes, *said], size, root, n, seed)


def _unpacked(archive: Path, place: Path) -> Path:
    """The folder of pictures in a zip file, written out."""
    try:
        with zipfile.ZipFile(archive) as packed:
            total = sum(entry.file_size for entry in packed.infolist())
            free = shutil.disk_usage(place.parent).free
            checks.demand(
                total < min(MOST_UNPACKED, 0.8 * free),
                f"{archive.name!r} would need {total / 1e9:.1f} GB once it is unpacked.",
                "Unpack it yourself where there is room, and load the folder.",
            )
            # Names that lead out of the folder lose what leads out.
            packed.extractall(place)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        what = f"{archive.name!r} cannot be unpacked: {error}."
        raise InputError(
            what, "Download it again; an archive with a password, unpack it."
        ) from None
    # Most archives hold one folder, and that the classes.
    while len(inside := entries_of(place)) == 1:
        if not inside[0].is_dir() or not any(each.is_dir() for each in entries_of(inside[0])):
            break
        place = inside[0]
    return place


def _from_table(
    path: Path, part, columns, size: int | None, n: int | None, seed: int
) -> ImageDataset:
    rows = _read_table(path)
    known = _Files(path.parent, part)
    file, label = _columns(rows, known, columns, path.name)
    files, classes, skipped = [], [], []
    for row in rows:
        name, found = row[file], known.find(row[file])
        if len(found) == 1 and row[label]:
            files.append(found[0])
            classes.append(row[label])
        elif len(found) > 1:
            raise InputError(
                f"There are {len(found)} files {name!r} in {str(path.parent)!r}.",
                'Say in which folder, as with part="train".',
            )
        else:
            skipped.append((name, "no class is given" if found else "there is no such file"))
    checks.demand(files, f"None of the files in {path.name!r} is there.", "Put them beside it.")
    names = sorted(set(classes), key=natural)
    places = {name: place for place, name in enumerate(names)}
    labels = [places[each] for each in classes]
    return from_files(files, labels, names, skipped, [], size, path.parent, n, seed)


def _read_table(path: Path) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            start = file.read(4096)
            file.seek(0)
            rows = list(csv.DictReader(file, dialect=csv.Sniffer().sniff(start, ",;\t")))
    except (UnicodeDecodeError, csv.Error) as error:
        what = f"{path.name!r} cannot be read as a table: {error}."
        raise InputError(what, "Save it as CSV, in UTF-8, with a line of column names.") from None
    rows = [{k: (v or "").strip() for k, v in row.items() if isinstance(k, str)} for row in rows]
    checks.demand(rows, f"The table {path.name!r} is empty.", "Give it a line for each picture.")
    return rows


class _Files:
    """The files in a folder and below, by path and name, pictures also without their ending."""

    def __init__(self, root: Path, part: str | None):
        self.by: dict[str, list[Path]] = {}
        for path in sorted(root.rglob("*")):
            inner = path.relative_to(root)
            if path.is_file() and (part is None or part in inner.parts[:-1]):
                picture = path.suffix.casefold() in Image.registered_extensions()
                for name in {inner.as_posix(), path.name, *([path.stem] if picture else [])}:
                    self.by.setdefault(name, []).append(path)

    def find(self, name: str) -> list[Path]:
        return self.by.get(name.removeprefix("./"), [])


def _columns(rows: list[dict], known: _Files, given, name: str) -> tuple[str, str]:
    """Which columns hold the file and the class."""
    there = list(rows[0])
    said = f"{name!r} has the columns {', '.join(there)}."
    if given is not None:
        file, label = given
        checks.demand(file in there and label in there, said, "Name two of them in `columns`.")
        return file, label
    some = rows[:50]
    hits = {column: sum(bool(known.find(row[column])) for row in some) for column in there}
    file = max(hits, key=hits.get)
    rest = [column for column in there if column != file]
    named = [column for column in rest if column.casefold() in streams.LABELS] or rest
    checks.demand(
        hits[file] and len(named) == 1,
        f"{said} None of them is surely the {'class' if hits[file] else 'file'}.",
        'Say which are the file and the class: columns=("file", "class").',
    )
    return file, named[0]


# --- arrays -----------------------------------------------------------------------------------


def _from_arrays(
    source: tuple, part, names, size: int | None, n: int | None, seed: int
) -> ImageDataset:
    notes: list[str] = []
    if len(source) == 2 and all(isinstance(each, tuple) for each in source):
        # What keras.datasets gives: two parts, each with pictures and labels.
        parts = dict(zip(("train", "test"), source, strict=True))
        source = parts[choose_part(parts, part, notes)]
    mend = "Give two arrays: pictures (N, H, W, 3) or (N, H, W), and a label for each."
    checks.demand(len(source) == 2, f"The tuple has {len(source)} parts.", mend)
    images = checks.array(source[0], "The list of pictures")
    labels = checks.array(source[1], "The list of labels")
    fine = images.ndim in (3, 4) and images.dtype.kind in "uif"
    fine = fine and labels.ndim in (1, 2) and len(images) == len(labels)
    what = f"The pictures have the shape {images.shape}, the labels {labels.shape}."
    checks.demand(fine and len(images) > 0, what, mend)
    if labels.ndim == 2:
        labels = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0]
    rows = range(len(images))
    if n is not None:
        rows = of_each(np.unique(labels, return_inverse=True)[1], n, seed)
    pairs = ((images[row], labels[row], f"picture {row}") for row in rows)
    found = Labelled(pairs, names, name="pictures", total=len(rows), notes=notes)
    return collect(found, size, None)
