"""One file that holds a classifier: a `.keras` file with a few facts beside the model.

Plain Keras opens it too. What comes from elsewhere may be hostile, so everything is looked at
before Keras sees it: the parts of the file, every class that the model names, and the weights,
which could point to other files.
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlkit.errors import DamagedFileError, InputError, MissingFileError
from tlkit.paths import write_atomic

if TYPE_CHECKING:
    import keras

FACTS = "tlkit.json"
PARTS = {"metadata.json", "config.json", "model.weights.h5", FACTS}
LARGEST = 2_000_000_000  # bytes unpacked
LARGEST_TEXT = 50_000_000
# Every layer that a classifier of tlkit is made of, and nothing that could run code or read files.
LAYERS = {
    "Add",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "GlobalAveragePooling2D",
    "Identity",
    "InputLayer",
    "ReLU",
    "Rescaling",
}
MODELS = {"Functional", "Sequential"}
OTHERS = {"DTypePolicy", "GlorotUniform", "HeNormal", "Ones", "Zeros", "__keras_tensor__"}
# What no image model needs, and what could run code or read other files, safe mode or not.
NEVER = {
    "FlaxLayer",
    "IntegerLookup",
    "JaxLayer",
    "Lambda",
    "StringLookup",
    "TextVectorization",
    "TFSMLayer",
    "TorchModuleWrapper",
}
MODULES = {None, "keras", "keras.layers", "keras.initializers", "keras.src.models.functional"}


def keras_path(path: str | Path) -> Path:
    """The path, if it ends in `.keras`.

    Raises:
        InputError: It does not, or it is no path.
    """
    try:
        path = Path(path).expanduser()
    except TypeError:
        raise InputError(f"`path` is {path!r}.", "Give a file's path as text.") from None
    if path.suffix != ".keras":
        raise InputError(
            f"{path.name!r} does not end in .keras.", f"Call it {path.stem or 'model'}.keras."
        )
    return path


def write_file(path: Path, write: Any, what: str) -> None:
    """`write_atomic`, with an error when the place cannot be written."""
    if not write_atomic(path, write):
        raise InputError(
            f"The {what} cannot be written to {str(path)!r}.",
            "Choose a folder that you may write to, on a disk with room.",
        )


def save(model: "keras.Model", facts: dict, path: Path) -> None:
    """Write model and facts into one file, which is either whole or not there."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "model.keras"
        model.save(whole)
        with zipfile.ZipFile(whole, "a", zipfile.ZIP_DEFLATED) as file:
            file.writestr(FACTS, json.dumps(facts, ensure_ascii=False))
        write_file(path, lambda file: file.write(whole.read_bytes()), "classifier")


def load(path: Path) -> tuple["keras.Model", dict]:
    """Read what `save` wrote.

    Raises:
        MissingFileError: There is no such file.
        DamagedFileError: It is no such file, it is damaged, or it holds what it should not.
    """
    with _opened(path) as file:
        names = {member.filename for member in file.infolist()}
        if FACTS not in names:
            raise DamagedFileError(
                f"{path.name!r} is no classifier of tlkit: it lacks {FACTS}.",
                "Open other Keras models with keras.saving.load_model.",
            )
        if names != PARTS or len(file.infolist()) != len(PARTS):
            odd = ", ".join(sorted(names - PARTS)) or "not every part, or one twice"
            raise _distrusted(path, f"it holds {odd}")
        facts, config = (_json(file, path, name) for name in (FACTS, "config.json"))
        _examine_config(config, path)
        _examine_weights(file.read("model.weights.h5"), path)
    return load_model(path), facts


def load_model(path: Path) -> "keras.Model":
    """Any Keras model from a `.keras` file, in safe mode.

    Which classes it names cannot be known before, as it can for a classifier of tlkit. But none may
    come from outside Keras or be able to run code, and the weights may not point to other files.

    Raises:
        MissingFileError: There is no such file.
        DamagedFileError: It cannot be loaded, or asks for what safe mode forbids.
    """
    import keras

    with _opened(path) as file:
        names = file.namelist()
        if "config.json" not in names or len(set(names)) < len(names):
            raise DamagedFileError(
                f"{path.name!r} is no .keras file: it lacks a part, or has one twice.",
                "Save it anew, or fetch it again.",
            )
        for each in _dicts(_json(file, path, "config.json")):
            kind, module = each.get("class_name"), each.get("module")
            ours = module in (None, "builtins") or str(module).split(".")[0] == "keras"
            if not ours or (isinstance(kind, str) and kind in NEVER):
                raise _distrusted(path, f"its model uses {str(kind)[:80]!r}", "an image model")
        if "model.weights.h5" in names:
            _examine_weights(file.read("model.weights.h5"), path)
    try:
        return keras.saving.load_model(path, compile=True, safe_mode=True)
    except MemoryError:
        raise
    except Exception as error:  # Keras, h5py and zipfile raise whatever they like
        lines = str(error).strip().splitlines()
        reason = lines[0][:200] if lines else type(error).__name__
        raise DamagedFileError(
            f"{path.name!r} cannot be loaded: {reason}", "Save it anew, or fetch it again."
        ) from None


def _opened(path: Path) -> zipfile.ZipFile:
    """The file as a zip whose checksums are right."""
    if not path.is_file():
        raise MissingFileError(
            f"There is no file {str(path)!r}.", "Check the spelling, or give the whole path."
        )
    try:
        file = zipfile.ZipFile(path)
        unpacked = sum(member.file_size for member in file.infolist())
        if unpacked > LARGEST:
            raise _distrusted(path, f"it unpacks to {unpacked / 1e9:.1f} GB")
        broken = file.testzip()
    except DamagedFileError:
        raise
    except PermissionError:
        raise InputError(f"You may not read {str(path)!r}.", "Change the file's rights.") from None
    except Exception:  # BadZipFile, zlib.error, EOFError, NotImplementedError, OverflowError ...
        broken = "the file"
    if broken:
        raise DamagedFileError(
            f"{path.name!r} is not a whole .keras file: {broken} is damaged or cut short.",
            "Save it anew, or fetch it again.",
        )
    return file


def _json(file: zipfile.ZipFile, path: Path, name: str) -> Any:
    if file.getinfo(name).file_size > LARGEST_TEXT:
        raise _distrusted(path, f"its {name} is too large")
    try:
        return json.loads(file.read(name))
    except (ValueError, RecursionError):
        raise DamagedFileError(
            f"{name} in {path.name!r} cannot be read.", "Save it anew, or fetch it again."
        ) from None


def _distrusted(path: Path, reason: str, who: str = "a classifier of tlkit") -> DamagedFileError:
    return DamagedFileError(
        f"{path.name!r} is not loaded, for {reason}, which {who} does not need.",
        "Use only files from people you trust.",
    )


def _examine_config(config: Any, path: Path) -> None:
    """Refuse a model that names any class but the few that are needed."""
    for each in _dicts(config):
        kind = each.get("class_name")
        if "class_name" in each or "module" in each:
            known = isinstance(kind, str) and kind in LAYERS | MODELS | OTHERS
            if not known or each.get("module") not in MODULES:
                raise _distrusted(path, f"its model uses {str(kind)[:80]!r}")
            if each.get("registered_name") not in (None, kind):
                raise _distrusted(path, "its model renames a class")


def _dicts(config: Any) -> Iterator[dict]:
    """Every dictionary within."""
    waiting = [config]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _examine_weights(content: bytes, path: Path) -> None:
    """Refuse weights that are no HDF5, or that point to other files."""
    import h5py

    def walk(group) -> None:
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise _distrusted(path, "its weights point elsewhere")
            each = group[name]
            if isinstance(each, h5py.Group):
                walk(each)
            elif each.external or each.is_virtual:
                raise _distrusted(path, "its weights point to other files")

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            walk(file)
    except DamagedFileError:
        raise
    except Exception:  # h5py raises OSError, KeyError, RuntimeError, RecursionError ...
        raise DamagedFileError(
            f"The weights in {path.name!r} are damaged.", "Save it anew, or fetch it again."
        ) from None
