"""Arrays kept on disk, in files that are checked when they are read."""

import hashlib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from tlkit.paths import cache_dir, write_atomic


def recipe_key(*sources: str, packages: tuple[str, ...] = ()) -> str:
    """Eight letters that change when the code that draws, or a library it draws with, changes."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update((Path(__file__).parent / source).read_bytes().replace(b"\r\n", b"\n"))
    for package in packages:
        digest.update(metadata.version(package).encode())
    return digest.hexdigest()[:8]


def digest(*parts: str | bytes | np.ndarray) -> str:
    """SHA-256 over texts and arrays, with their types and shapes, as hexadecimal text."""
    found = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            found.update(f"{part.dtype.str}{part.shape}".encode())
            part = np.ascontiguousarray(part).data
        found.update(part.encode() if isinstance(part, str) else part)
    return found.hexdigest()


def recall(kind: str, file_name: str) -> dict[str, np.ndarray] | None:
    """The arrays kept under a name; None when there are none, or when the file is damaged."""
    try:
        with np.load(cache_dir(kind) / file_name, allow_pickle=False) as kept:
            # A zip's checksums are looked at as it is read.
            return {name: kept[name] for name in kept.files}
    # Not there, cut short, not a zip: whatever it is, it is made anew.
    except Exception:
        return None


def keep(kind: str, file_name: str, compress: bool = False, **arrays: np.ndarray) -> bool:
    """Keep arrays under a name; False when the cache cannot be written, which is no error."""
    save = np.savez_compressed if compress else np.savez
    return write_atomic(cache_dir(kind) / file_name, lambda file: save(file, **arrays))


def make_or_recall(
    file_name: str,
    make: Callable[[], dict[str, np.ndarray]],
    sound: Callable[[dict[str, np.ndarray]], bool],
) -> dict[str, np.ndarray]:
    """What is kept under a name if it is sound, else what `make` returns, which is then kept."""
    kept = recall("datasets", file_name)
    try:
        if kept is not None and sound(kept):
            return kept
    except (KeyError, AttributeError, IndexError):
        pass
    made = make()
    keep("datasets", file_name, compress=True, **made)
    return made
