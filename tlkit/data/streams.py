"""Pictures from other packages: tf.data, TensorFlow Datasets, Hugging Face.

Heavy packages are imported where they are needed, and asked for in a sentence where they lack.
"""

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tlkit import checks
from tlkit.data.collecting import Labelled, choose_part, collect
from tlkit.data.files import of_each
from tlkit.data.image_dataset import ImageDataset
from tlkit.errors import InputError, MissingFileError
from tlkit.keras_tools import seeded

# Pictures among which a stream is shuffled where only some of each class are wanted.
BUFFER = 1000
IMAGES = ("image", "img", "picture")
# Names of columns that hold the class in the tables that people share.
LABELS = ("label", "labels", "class", "class_name", "category", "target", "species", "breed", "y")


def from_object(
    source: Any,
    part: str | None,
    columns: Any,
    names: Any,
    size: int | None,
    n: int | None,
    seed: int,
) -> ImageDataset:
    """Pictures from an object that other packages make; see `load_pictures`."""
    notes: list[str] = []
    if isinstance(source, Mapping) and source:
        source = source[choose_part(source, part, notes)]
        part = None
    checks.demand(part is None, f"There is no part {part!r}: it has none.", "Leave `part` out.")
    if hasattr(source, "element_spec"):
        found = _of_tensors(source, names, n, seed)
    elif hasattr(source, "cast_column"):
        found = _of_rows(source, columns, names, n, seed)
    else:
        raise InputError(
            f"{type(source).__name__} is no source of pictures.",
            "Give a path, a name, a pair of arrays, a tf.data.Dataset or a datasets.Dataset.",
        )
    found.notes[:0] = notes
    return collect(found, size, n)


def _of_tensors(source: Any, names: Any, n: int | None, seed: int) -> Labelled:
    """A `tf.data.Dataset` of (picture, label), alone or in batches."""
    spec = source.element_spec
    keys: tuple = (0, 1)
    if isinstance(spec, Mapping):
        keys = tuple(next((k for k in known if k in spec), None) for known in (IMAGES, LABELS))
    fine = isinstance(spec, Mapping | tuple | list) and len(spec) >= 2 and None not in keys
    what = "The tf.data.Dataset does not give pairs of a picture and a label."
    checks.demand(fine, what, "Map it: dataset.map(lambda row: (row['image'], row['label'])).")
    # What unbatch gives no longer has them.
    names = names or getattr(source, "class_names", None) or None
    picture = spec[keys[0]]
    if getattr(picture, "shape", None) is not None and picture.shape.rank == 4:
        source = source.unbatch()
    rows = _some(source, n, seed)
    pairs = ((row[keys[0]], row[keys[1]], f"picture {place}") for place, row in enumerate(rows))
    return Labelled(pairs, names and list(names))


def _some(source: Any, n: int | None, seed: int) -> Iterable:
    """The rows of a `tf.data.Dataset` as NumPy values; shuffled where only some are wanted."""
    if n is None:
        return source.as_numpy_iterator()
    with seeded(seed):
        shuffled = source.shuffle(BUFFER, seed=seed, reshuffle_each_iteration=False)
        return shuffled.as_numpy_iterator()


def _of_rows(source: Any, columns: Any, names: Any, n: int | None, seed: int) -> Labelled:
    """A `datasets.Dataset` or `IterableDataset` of Hugging Face."""
    datasets = package("datasets", "datasets")
    features = source.features or {}
    if columns is None:
        kinds = {name: type(each).__name__ for name, each in features.items()}
        image = next((name for name, kind in kinds.items() if kind == "Image"), None)
        label = next((name for name, kind in kinds.items() if kind == "ClassLabel"), None)
        label = label or next((name for name in LABELS if name in kinds), None)
    else:
        image, label = columns
    checks.demand(
        image in features and label in features,
        f"The data set has the columns {', '.join(features) or '(unknown)'}.",
        'Say which are the picture and the class: columns=("image", "label").',
    )
    names = names or getattr(features[label], "names", None)
    if n is not None and hasattr(source, "select"):
        labels = np.unique(np.asarray(source[label]), return_inverse=True)[1]
        source = source.select(of_each(labels, n, seed))
    elif n is not None:
        source = source.shuffle(seed=seed, buffer_size=BUFFER)
    # As the bytes of a file, so that only what is wanted is decoded, and by our own reading.
    source = source.cast_column(image, datasets.Image(decode=False))
    pairs = ((_content(row[image]), row[label], f"row {at}") for at, row in enumerate(source))
    about = source.info
    return Labelled(
        pairs,
        names and list(names),
        about.dataset_name or "pictures",
        about.homepage or "Hugging Face",
        about.license or "not stated",
        len(source) if hasattr(source, "select") else None,
    )


def _content(cell: Any) -> Any:
    """The bytes of a file that a row holds or names."""
    if not isinstance(cell, Mapping):
        return b""
    if cell.get("bytes") is None and cell.get("path"):
        try:
            with open(cell["path"], "rb") as file:
                return file.read()
        except OSError:
            return b""
    return cell.get("bytes") or b""


# --- names in catalogues ----------------------------------------------------------------------


def from_hub(
    name: str,
    part: str | None,
    columns: Any,
    names: Any,
    size: int | None,
    n: int | None,
    seed: int,
) -> ImageDataset:
    """A data set of Hugging Face by its name, read as it comes over the network."""
    datasets = package("datasets", "datasets")
    try:
        source = datasets.load_dataset(name, streaming=True)
    except Exception as error:
        raise _unreachable(f"The data set {name!r} of Hugging Face", error) from error
    return from_object(source, part, columns, names, size, n, seed)


def from_catalogue(
    name: str, part: str | None, names: Any, size: int | None, n: int | None, seed: int
) -> ImageDataset:
    """A data set of TensorFlow Datasets by its name; fetched once, into its own folder."""
    why = f"{name!r} is no file here; as a name in TensorFlow Datasets it"
    # It also uses importlib_resources, without asking for it.
    tfds = package("tensorflow_datasets", "tensorflow-datasets importlib_resources", why)
    try:
        builder = tfds.builder(name)
    except ValueError:
        what = f"There is no file and no data set {name!r}."
        raise InputError(what, checks.did_you_mean(name, tfds.list_builders())) from None
    try:
        builder.download_and_prepare()
    except Exception as error:
        raise _unreachable(f"The data set {name!r}", error) from error
    info, notes = builder.info, []
    chosen = choose_part(dict(info.splits), part, notes)
    kinds = tfds.features.Image, tfds.features.ClassLabel
    image, label = (
        next((key for key, each in info.features.items() if isinstance(each, kind)), None)
        for kind in kinds
    )
    what = f"The data set {name!r} has no picture with one class: {', '.join(info.features)}."
    checks.demand(image and label, what, "Choose one for classification.")
    skip = {image: tfds.decode.SkipDecoding()}
    rows = _some(builder.as_dataset(split=chosen, decoders=skip), n, seed)
    pairs = ((row[image], row[label], f"{chosen} {at}") for at, row in enumerate(rows))
    classes = names or list(info.features[label].names)
    total = None if n else info.splits[chosen].num_examples
    licence = getattr(info, "license", None) or "see its page"
    return collect(
        Labelled(pairs, classes, name, info.homepage or "", licence, total, notes), size, n
    )


def package(module: str, pip: str, who: str = "This") -> Any:
    """An optional package, or an error that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        what = f"{who} needs the package {pip.split()[0]}, which is not installed."
        raise MissingFileError(what, f"Run: pip install {pip}") from None


def _unreachable(what: str, error: Exception) -> MissingFileError:
    last = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    mend = "Check the name and the network; once it was fetched, no network is needed."
    return MissingFileError(f"{what} could not be fetched: {last}", mend)
