"""The reader of weight files, on small checkpoints written by hand: PyTorch is not needed here."""

import collections
import contextlib
import hashlib
import io
import os
import pickle
import struct
import sys
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlkit.errors import DamagedFileError, MissingFileError
from tlkit.networks.torch_file import MAGIC, read_torch_file


class Named:
    """Pickles as a reference to a global, as PyTorch's own classes do."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Pickler(pickle._Pickler):
    """Writes Named as globals and ('storage', ...) tuples as persistent ids."""

    def persistent_id(self, obj):
        return obj if isinstance(obj, tuple) and obj[:1] == ("storage",) else None

    def save_named(self, obj):
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())


Pickler.dispatch = {**pickle._Pickler.dispatch, Named: Pickler.save_named}


class Call:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        raise AssertionError("Pickler.save_call does this")


def save_call(pickler, obj):
    pickler.save(obj.function)
    pickler.save(obj.arguments)
    pickler.write(pickle.REDUCE)


Pickler.dispatch[Call] = save_call

FLOATS = Named("torch", "FloatStorage")
REBUILD = Named("torch._utils", "_rebuild_tensor_v2")


def tensor(key, count, shape, strides, offset=0):
    storage = ("storage", FLOATS, key, "cpu", count, None)
    return Call(REBUILD, storage, offset, shape, strides, False, collections.OrderedDict())


def checkpoint(path, tensors, storages, magic=MAGIC):
    """Write a legacy checkpoint; returns its SHA-256."""
    file = io.BytesIO()
    for part in (magic, 1001, {"little_endian": True}, tensors, list(storages)):
        Pickler(file, protocol=2).dump(part)
    for numbers in storages.values():
        file.write(struct.pack("<q", len(numbers)) + np.asarray(numbers, "<f4").tobytes())
    path.write_bytes(file.getvalue())
    return hashlib.sha256(file.getvalue()).hexdigest()


def test_strides_are_honoured(tmp_path):
    numbers = np.arange(6, dtype="float32")
    tensors = collections.OrderedDict(
        rows=tensor("0", 6, (2, 3), (3, 1)), columns=tensor("0", 6, (2, 3), (1, 2))
    )
    sha256 = checkpoint(tmp_path / "a.pth", tensors, {"0": numbers})
    read = read_torch_file(tmp_path / "a.pth", sha256)
    np.testing.assert_array_equal(read["rows"], numbers.reshape(2, 3))
    np.testing.assert_array_equal(read["columns"], numbers.reshape(3, 2).T)
    assert list(read) == ["rows", "columns"]


@settings(max_examples=30, deadline=None)
@given(shape=st.lists(st.integers(1, 4), max_size=4), order=st.randoms())
def test_any_layout_is_read_back(tmp_path_factory, shape, order):
    path = tmp_path_factory.mktemp("file") / "a.pth"
    axes = list(range(len(shape)))
    order.shuffle(axes)
    expected = np.random.default_rng(0).random(shape, "float32")
    stored = np.array(expected.transpose(axes), order="C")
    strides = [0] * len(shape)
    for axis, step in zip(axes, stored.strides, strict=True):
        strides[axis] = step // 4
    made = tensor("0", expected.size, tuple(shape), tuple(strides))
    sha256 = checkpoint(path, collections.OrderedDict(a=made), {"0": stored.ravel()})
    np.testing.assert_array_equal(read_torch_file(path, sha256)["a"], expected)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_parameter"),
        ("collections", "defaultdict"),
    ],
)
def test_any_other_name_is_refused_and_nothing_runs(tmp_path, monkeypatch, module, name):
    ran = []
    monkeypatch.setattr(os, "system", lambda command: ran.append(command))
    evil = collections.OrderedDict(a=Call(Named(module, name), "echo caught"))
    sha256 = checkpoint(tmp_path / "evil.pth", evil, {})
    with pytest.raises(DamagedFileError, match=rf"{module}\.{name}"):
        read_torch_file(tmp_path / "evil.pth", sha256)
    assert not ran


def test_the_sum_is_checked_before_anything_is_opened(tmp_path):
    evil = collections.OrderedDict(a=Call(Named("os", "system"), "echo caught"))
    checkpoint(tmp_path / "evil.pth", evil, {})
    with pytest.raises(DamagedFileError, match="SHA-256"):
        read_torch_file(tmp_path / "evil.pth", "0" * 64)


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((3, 3), (3, 1), 0),  # longer than its storage
        ((2, 3), (3, 1), 1),
        ((6,), (2,), 0),
        ((6,), (-1,), 4),
        ((-1,), (1,), 0),
        ((2,), (1,), -1),
        ((2, 3), (3,), 0),
    ],
)
def test_tensors_stay_inside_their_storage(tmp_path, shape, strides, offset):
    made = collections.OrderedDict(a=tensor("0", 6, shape, strides, offset))
    sha256 = checkpoint(tmp_path / "a.pth", made, {"0": np.arange(6)})
    with pytest.raises(DamagedFileError):
        read_torch_file(tmp_path / "a.pth", sha256)


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 300), noise=st.binary(max_size=20))
def test_damaged_files_are_refused_in_one_way(tmp_path_factory, cut, noise):
    path = tmp_path_factory.mktemp("file") / "a.pth"
    made = collections.OrderedDict(a=tensor("0", 6, (2, 3), (3, 1)))
    checkpoint(path, made, {"0": np.arange(6)})
    content = path.read_bytes()[:cut] + noise
    path.write_bytes(content)
    with contextlib.suppress(DamagedFileError):
        read_torch_file(path, hashlib.sha256(content).hexdigest())


def test_another_kind_of_file_is_refused(tmp_path):
    sha256 = checkpoint(tmp_path / "a.pth", collections.OrderedDict(), {}, magic=42)
    with pytest.raises(DamagedFileError, match="legacy checkpoint"):
        read_torch_file(tmp_path / "a.pth", sha256)


def test_missing_file(tmp_path):
    with pytest.raises(MissingFileError, match="none"):
        read_torch_file(tmp_path / "none.pth", "0" * 64)


def test_pytorch_is_not_needed():
    from tlkit import load_backbone

    load_backbone(image_size=32)
    assert not isinstance(sys.modules.get("torch"), types.ModuleType)
