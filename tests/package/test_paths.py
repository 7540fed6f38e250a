import os
import subprocess
import sys

import numpy as np
import pytest

from tlkit import paths
from tlkit.errors import InputError, MissingFileError, TlkitError
from tlkit.paths import _laid_over, cache_dir, card_names, read_card, write_atomic
from tlkit.store import keep, recall


def test_cache_can_be_put_anywhere(monkeypatch, tmp_path):
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path))
    monkeypatch.delenv("TLKIT_SHARED_CACHE", raising=False)
    assert cache_dir("features", "x") == tmp_path / "features" / "x"
    assert not cache_dir("features").exists()


def test_cache_of_a_clone_lies_in_its_data_folder(monkeypatch):
    monkeypatch.delenv("TLKIT_CACHE", raising=False)
    monkeypatch.delenv("TLKIT_SHARED_CACHE", raising=False)
    assert cache_dir("features").parts[-3:] == ("data", "cache", "features")


def test_write_atomic_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "new" / "file"
    assert write_atomic(path, lambda file: file.write(b"one"))
    assert write_atomic(path, lambda file: file.write(b"two"))
    assert path.read_bytes() == b"two" and os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError])
def test_write_atomic_keeps_the_old_file_when_interrupted(tmp_path, failure):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"half")
        raise failure

    with pytest.raises(failure):
        write_atomic(path, write)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_write_atomic_says_no_when_the_disk_does(tmp_path):
    def write(_file):
        raise OSError("No space left on device")

    assert not write_atomic(tmp_path / "file", write)
    (tmp_path / "taken").write_bytes(b"")
    assert not write_atomic(tmp_path / "taken" / "file", write)
    assert os.listdir(tmp_path) == ["taken"]


def test_unknown_cards_name_the_known_ones():
    assert {"efficientnet-lite0", "VGG16"} <= set(card_names("backbones"))
    with pytest.raises(InputError, match="VGG16"):
        read_card("backbones", "VGG15")


def test_errors_are_one_family_and_say_what_to_do():
    error = MissingFileError("The file is not there.", "Make it.")
    assert isinstance(error, TlkitError) and isinstance(error, FileNotFoundError)
    assert str(error) == "The file is not there. Make it." and error.mend == "Make it."


def test_import_is_instant_and_loads_nothing_heavy():
    code = (
        "import sys, time; start = time.perf_counter(); import tlkit;"
        "heavy = {'tensorflow', 'keras', 'numpy', 'matplotlib', 'sklearn'};"
        "assert not heavy & set(sys.modules); assert time.perf_counter() - start < 1;"
        "import tlkit.checks, tlkit.keras_tools, tlkit.steps, tlkit.explain;"
        "assert not heavy - {'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def caches(monkeypatch, tmp_path):
    """A personal and a shared cache that nothing has been asked of yet."""
    if os.name == "nt":
        pytest.skip("Windows lets only some people make links; there is no shared cache then")
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("TLKIT_SHARED_CACHE", str(tmp_path / "shared"))
    (tmp_path / "shared" / "features").mkdir(parents=True)
    _laid_over.cache_clear()
    yield tmp_path / "own" / "features", tmp_path / "shared" / "features"
    _laid_over.cache_clear()


def share(shared, **entries):
    """Put entries into the shared cache."""
    for name, numbers in entries.items():
        np.savez(shared / f"{name}.npz", numbers=np.array(numbers))


def test_what_the_class_has_is_read_and_what_is_new_is_ones_own(caches):
    own, shared = caches
    share(shared, known=[1, 2])
    assert recall("features", "known.npz")["numbers"].tolist() == [1, 2]
    assert keep("features", "new.npz", numbers=np.array([3]))
    assert recall("features", "new.npz")["numbers"].tolist() == [3]
    assert os.listdir(shared) == ["known.npz"] and not (own / "new.npz").is_symlink()


@pytest.mark.parametrize("damage", [b"", b"PK half a file"])
def test_a_damaged_shared_entry_is_mended_for_oneself_only(caches, damage):
    own, shared = caches
    (shared / "bad.npz").write_bytes(damage)
    assert recall("features", "bad.npz") is None
    assert keep("features", "bad.npz", numbers=np.array([1]))
    assert recall("features", "bad.npz")["numbers"].tolist() == [1]
    assert (shared / "bad.npz").read_bytes() == damage and not (own / "bad.npz").is_symlink()


def test_ones_own_entry_comes_first_and_half_written_ones_are_left_alone(caches):
    own, shared = caches
    share(shared, both=[1])
    (shared / ".both.npz.x1").write_bytes(b"half")
    own.mkdir(parents=True)
    np.savez(own / "both.npz", numbers=np.array([2]))
    assert recall("features", "both.npz")["numbers"].tolist() == [2]
    assert os.listdir(own) == ["both.npz"]


def test_a_shared_cache_that_went_away_is_no_fault(caches):
    _own, shared = caches
    share(shared, known=[1])
    assert recall("features", "known.npz")
    (shared / "known.npz").unlink()
    assert recall("features", "known.npz") is None
    assert keep("features", "known.npz", numbers=np.array([1]))
    _laid_over.cache_clear()
    shared.rmdir()
    assert recall("features", "known.npz")["numbers"].tolist() == [1]


def test_with_no_cache_of_ones_own_the_shared_one_is_read_and_nothing_is_written(
    caches, monkeypatch
):
    own, shared = caches
    share(shared, known=[1])

    def read_only(*arguments, **more):
        raise PermissionError("read-only")

    monkeypatch.setattr(paths.Path, "mkdir", read_only)
    monkeypatch.setattr(paths.tempfile, "mkstemp", read_only)
    assert recall("features", "known.npz")["numbers"].tolist() == [1]
    assert not keep("features", "new.npz", numbers=np.array([1]))
    assert os.listdir(shared) == ["known.npz"] and not own.exists()


RACE = """
import numpy as np
from tlkit.store import keep, recall
for turn in range(40):
    assert keep("features", "one.npz", numbers=np.full(50_000, {number}))
    numbers = recall("features", "one.npz")["numbers"]
    assert len(numbers) == 50_000 and len(set(numbers.tolist())) == 1
    assert recall("features", "known.npz")["numbers"].tolist() == [1]
"""


def test_processes_that_write_the_same_entry_at_once_leave_a_whole_one(caches):
    own, shared = caches
    share(shared, known=[1], one=[0])
    before = (shared / "one.npz").read_bytes()
    racers = [
        subprocess.Popen([sys.executable, "-c", RACE.format(number=number)]) for number in range(4)
    ]
    assert [racer.wait() for racer in racers] == [0] * 4
    assert sorted(os.listdir(own)) == ["known.npz", "one.npz"]
    assert (shared / "one.npz").read_bytes() == before
