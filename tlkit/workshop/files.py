"""What the workshop writes and reads: texts that people edit, and classifiers in one file.

A classifier is a `.keras` file with a few facts beside the model; plain Keras opens it too. What
comes from elsewhere may be hostile: Keras's safe mode refuses code and links to other files, and
here the parts of the file and the layers that the model names are looked at before.
"""

import contextlib
import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlkit import checks
from tlkit.errors import DamagedFileError, InputError, TlkitError
from tlkit.paths import write_atomic

if TYPE_CHECKING:
    import keras

FACTS = "tlkit.json"
PARTS = {"metadata.json", "config.json", "model.weights.h5", FACTS}
# Bytes, unpacked.
LARGEST = 2_000_000_000
# All that a classifier of tlkit is made of.
KNOWN = {"Functional", "Sequential", "DTypePolicy", "__keras_tensor__", "InputLayer", "Dense"}
KNOWN |= {"Add", "BatchNormalization", "Conv2D", "DepthwiseConv2D", "GlobalAveragePooling2D"}
KNOWN |= {"Identity", "ReLU", "Rescaling", "GlorotUniform", "HeNormal", "Ones", "Zeros"}
# In the first line of a text that tlkit writes and people may edit.
STAMP = re.compile(r"\[tlkit [0-9a-f]{12}\]")


def write_file(path: Path, content: bytes, what: str) -> None:
    """`write_atomic`, with an error when the place cannot be written."""
    checks.demand(
        not os.path.isdir(path) and write_atomic(path, lambda file: file.write(content)),
        f"The {what} cannot be written to {str(path)!r}.",
        "Choose a folder that you may write to, on a disk with room.",
    )


def stamped(text: str) -> str:
    """The text with a stamp in place of `[tlkit]` by which an edit is known later."""
    stamp = hashlib.sha256(text.encode()).hexdigest()[:12]
    return text.replace("[tlkit]", f"[tlkit {stamp}]", 1)


def refuse_edited(path: Path) -> None:
    """Refuse to write over a text that somebody edited, or that tlkit did not write."""
    if not os.path.exists(path):
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        text = ""
    plain = STAMP.sub("[tlkit]", text, count=1)
    checks.demand(
        plain != text and stamped(plain) == text,
        f"The file {str(path)!r} was edited, or is none of tlkit's.",
        "Move it away, or choose another name.",
    )


def refuse_foreign(path: Path) -> None:
    """Refuse to write over a model that is no classifier of tlkit."""
    if not os.path.isfile(path):
        return
    with contextlib.suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as file:
        if FACTS in file.namelist():
            return
    foreign = f"The file {str(path)!r} is no classifier of tlkit, and would be lost."
    raise InputError(foreign, "Move it away, or choose another name.")


def save(model: "keras.Model", facts: dict[str, Any], path: Path) -> None:
    """Write model and facts into one file, which is either whole or not there."""
    refuse_foreign(path)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "model.keras"
        model.save(whole)
        with zipfile.ZipFile(whole, "a", zipfile.ZIP_DEFLATED) as file:
            file.writestr(FACTS, json.dumps(facts, ensure_ascii=False))
        write_file(path, whole.read_bytes(), "classifier")


def load(path: Path) -> tuple["keras.Model", dict[str, Any]]:
    """The model and the facts that `save` wrote.

    Raises:
        DamagedFileError: It is no such file, it is damaged, or it holds what it should not.
    """
    with opening(path), zipfile.ZipFile(path) as file:
        facts = _examine(file)
    return load_model(path), facts


def load_model(path: Path) -> "keras.Model":
    """Any Keras model from a `.keras` file, in safe mode.

    Raises:
        DamagedFileError: It cannot be loaded, or asks for what safe mode forbids.
    """
    import keras

    with opening(path):
        return keras.saving.load_model(path, safe_mode=True)


@contextlib.contextmanager
def opening(path: Path, failed: str = "cannot be opened") -> Iterator[None]:
    """Make a DamagedFileError of whatever Keras, h5py or zipfile raise at a file."""
    try:
        yield
    except (TlkitError, MemoryError):
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        reason = lines[0][:200] if lines else type(error).__name__
        raise DamagedFileError(
            f"{path.name!r} {failed}: {reason.rstrip('.')}.",
            "Fetch it again, or save it anew; use only files from people you trust.",
        ) from None


def _examine(file: zipfile.ZipFile) -> dict[str, Any]:
    """The facts in a file that is whole, and holds what a classifier needs and nothing else."""
    names = file.namelist()
    if FACTS not in names:
        raise ValueError(f"it is no classifier of tlkit, for it lacks {FACTS}")
    if sorted(names) != sorted(PARTS):
        odd = ", ".join(sorted({*names} - PARTS))
        raise ValueError(f"it holds {odd or 'not every part, or one twice'}")
    unpacked = sum(member.file_size for member in file.infolist())
    if unpacked > LARGEST:
        raise ValueError(f"it unpacks to {unpacked / 1e9:.1f} GB")
    if broken := file.testzip():
        raise ValueError(f"{broken} is damaged or cut short")
    json.loads(file.read("config.json"), object_hook=_known)
    return json.loads(file.read(FACTS))


def _known(part: dict[str, Any]) -> dict[str, Any]:
    """A part of a model's description, if it names nothing that a classifier does not need."""
    name = part.get("class_name", "Dense")
    if name not in KNOWN:
        raise ValueError(f"its model uses {str(name)[:80]!r}, which no classifier of tlkit needs")
    return part
