import os
import subprocess
import sys

import pytest

from tlkit.errors import InputError, MissingFileError, TlkitError
from tlkit.paths import cache_dir, card_names, read_card, write_atomic


def test_cache_can_be_put_anywhere(monkeypatch, tmp_path):
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path))
    assert cache_dir("features", "x") == tmp_path / "features" / "x"
    assert not cache_dir("features").exists()


def test_cache_of_a_clone_lies_in_its_data_folder(monkeypatch):
    monkeypatch.delenv("TLKIT_CACHE", raising=False)
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


def test_import_is_instant_and_loads_no_tensorflow():
    code = (
        "import sys, time; start = time.perf_counter(); import tlkit;"
        "heavy = {'tensorflow', 'keras', 'numpy', 'matplotlib', 'sklearn'} & set(sys.modules);"
        "assert not heavy, heavy; assert time.perf_counter() - start < 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
