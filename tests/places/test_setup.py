"""The set-up: three descriptions of one environment, the commands, and the package itself."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import tlkit
from tlkit.course.installation import PYTHONS
from tools.build import lock
from tools.build.lessons import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK_LINES = [
    line
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
COMPUTERS = {
    "linux-x86_64": ("linux", "Linux", "posix", "x86_64"),
    "linux-aarch64": ("linux", "Linux", "posix", "aarch64"),
    "macos-arm64": ("darwin", "Darwin", "posix", "arm64"),
    "windows-x86_64": ("win32", "Windows", "nt", "AMD64"),
}
PYTHON_PATCHES = ("3.11.0", "3.11.9", "3.12.0", "3.12.8", "3.13.0", "3.13.5")

needs_make = pytest.mark.skipif(
    os.name != "posix" or not shutil.which("make"), reason="there is no make here"
)


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_every_source_is_clean(command):
    pytest.importorskip("ruff")
    ruff = [sys.executable, "-m", "ruff", *command, "."]
    done = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\nRun: ruff check --fix . && ruff format ."


def markers(computer: str, python: str) -> dict[str, str]:
    """The environment that markers are evaluated in, on another computer."""
    sys_platform, platform_system, os_name, machine = COMPUTERS[computer]
    return {
        "sys_platform": sys_platform,
        "platform_system": platform_system,
        "os_name": os_name,
        "platform_machine": machine,
        "python_version": python.rpartition(".")[0],
        "python_full_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }


def locked(computer: str, python: str) -> dict[str, str]:
    """What the lock installs on a computer: exact versions by canonical name."""
    environment, pins = markers(computer, python), {}
    for line in LOCK_LINES:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name not in pins, f"{name} is locked twice on {computer}, Python {python}"
            pins[name] = str(requirement.specifier).removeprefix("==")
    return pins


# --- pyproject.toml, requirements.txt and environment.yml agree ------------------------------


def test_every_line_of_the_lock_is_one_exact_version():
    for line in LOCK_LINES:
        specifier = str(Requirement(line).specifier)
        assert re.fullmatch(r"==[\w.!+]+", specifier), line


def test_the_lock_names_no_server_and_no_folder():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|^\s*-", text, re.MULTILINE)
    assert " @ " not in text


@pytest.mark.parametrize(
    ("computer", "python"), list(itertools.product(COMPUTERS, PYTHON_PATCHES)), ids="-".join
)
def test_the_lock_satisfies_everything_that_pyproject_asks_for(computer, python):
    pins, environment = locked(computer, python), markers(computer, python)
    wanted = [*PROJECT["dependencies"]]
    for extra in lock.EXTRAS:
        wanted += PROJECT["optional-dependencies"][extra]
    checked = 0
    for requirement in map(Requirement, wanted):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name in pins, f"{name} is not in the lock"
            assert requirement.specifier.contains(pins[name]), f"{requirement} against {pins[name]}"
            checked += 1
    assert checked > 20


@pytest.mark.parametrize(
    ("computer", "python"), list(itertools.product(COMPUTERS, PYTHON_PATCHES)), ids="-".join
)
def test_every_computer_gets_exactly_one_tensorflow(computer, python):
    builds = {"tensorflow", "tensorflow-cpu"} & set(locked(computer, python))
    small = computer in ("linux-x86_64", "windows-x86_64")
    assert builds == ({"tensorflow-cpu"} if small else {"tensorflow"})


def test_pyproject_forces_no_tensorflow_on_anyone():
    names = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert not {"tensorflow", "tensorflow-cpu", "torch", "jax"} & names
    assert not any(name.startswith("tensorflow") for name in names)


def test_the_environment_of_this_test_is_inside_the_ranges():
    from importlib.metadata import version

    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert requirement.specifier.contains(version(requirement.name)), requirement


def test_conda_gets_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-r requirements.txt", "-e ."]
    (python,) = [entry.removeprefix("python=") for entry in plain if entry.startswith("python=")]
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{python}.0")
    # Anything else from conda could shadow what the lock installs.
    assert sorted(plain) == ["pip", f"python={python}"]


def test_everybody_means_the_same_pythons():
    supported = [
        f"3.{m}" for m in range(20) if SpecifierSet(PROJECT["requires-python"]).contains(f"3.{m}.1")
    ]
    assert list(lock.PYTHONS) == supported
    assert [f"{a}.{b}" for a, b in PYTHONS] == [supported[0], supported[-1]]
    classifiers = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if ":: Python :: 3." in c]
    assert classifiers == supported
    script = (ROOT / "tools" / "places" / "find_python.sh").read_text(encoding="utf-8")
    assert f"({PYTHONS[0][0]}, {PYTHONS[0][1]}) <=" in script
    assert f"<= ({PYTHONS[1][0]}, {PYTHONS[1][1]})" in script
    for version in supported:
        assert f"python{version} " in script


def test_the_version_stands_in_one_place_and_the_others_follow():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == tlkit.__version__
    assert "version" in PROJECT["dynamic"]


# --- the package ------------------------------------------------------------------------------


def test_the_wheel_is_complete_and_works_without_the_clone(tmp_path):
    """Built without a network, unpacked elsewhere: cards and modules are there."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    folders = {name.split("/")[0] for name in names}
    assert folders == {"tlkit", f"tlkit-{tlkit.__version__}.dist-info"}
    cards = {p.relative_to(ROOT / "data/cards").as_posix() for p in ROOT.glob("data/cards/*/*")}
    assert {f"tlkit/_cards/{card}" for card in cards} <= set(names)
    code = (
        "import tlkit, pathlib; from tlkit.paths import read_card, cache_dir;"
        "print(pathlib.Path(tlkit.__file__).parent.parent);"
        "print(read_card('datasets', 'icons')['licence']); print(cache_dir())"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    environment.pop("TLKIT_CACHE", None)
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    place, licence, cache = run.stdout.splitlines()
    assert Path(place) == (tmp_path / "site").resolve() and "CC BY-SA" in licence
    assert str(ROOT) not in cache


# --- the commands -----------------------------------------------------------------------------


def fake_python(folder: Path, name: str, version: str, venv: bool = True) -> None:
    """A program that answers find_python.sh as a Python of that version would."""
    major, minor = version.split(".")[:2]
    fits = 0 if (3, 11) <= (int(major), int(minor)) <= (3, 13) else 1
    script = f"""#!/bin/sh
case "$*" in
  *version_info\\[:2\\]\\ \\<=*) exit {fits} ;;
  *ensurepip*) exit {0 if venv else 1} ;;
  *print*) echo python{major}.{minor} ;;
  --version) echo Python {version} ;;
esac
"""
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


def find_python(folder: Path, wish: str = "") -> subprocess.CompletedProcess:
    """Run the script where only the programs of one folder are to be found."""
    script = ROOT / "tools" / "places" / "find_python.sh"
    return subprocess.run(
        ["/bin/sh", str(script), wish],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
    )


@needs_make
def test_a_python_that_fits_is_found_among_others(tmp_path):
    fake_python(tmp_path, "python3", "3.9.2")
    fake_python(tmp_path, "python3.11", "3.11.4")
    assert find_python(tmp_path).stdout.strip() == str(tmp_path / "python3.11")


@needs_make
@pytest.mark.parametrize("version", ["2.7.18", "3.10.13", "3.14.0"])
def test_an_unsupported_python_gets_one_clear_sentence(tmp_path, version):
    fake_python(tmp_path, "python3", version)
    run = find_python(tmp_path)
    assert run.returncode == 1 and run.stdout == ""
    (sentence,) = run.stderr.splitlines()
    assert f"here is Python {version}: install one from" in sentence


@needs_make
def test_no_python_at_all_gets_one_clear_sentence(tmp_path):
    (sentence,) = find_python(tmp_path).stderr.splitlines()
    assert "needs Python 3.11, 3.12 or 3.13, and here is none" in sentence


@needs_make
def test_a_python_without_venv_gets_one_clear_sentence(tmp_path):
    fake_python(tmp_path, "python3", "3.12.3", venv=False)
    run = find_python(tmp_path)
    (sentence,) = run.stderr.splitlines()
    assert run.returncode == 1 and "sudo apt install python3.12-venv" in sentence


@needs_make
def test_the_wished_python_is_not_replaced_by_another(tmp_path):
    fake_python(tmp_path, "python3", "3.12.3")
    fake_python(tmp_path, "old", "3.8.1")
    assert find_python(tmp_path, "old").returncode == 1
    assert find_python(tmp_path, str(tmp_path / "python3")).stdout.strip().endswith("python3")


@pytest.fixture
def clone(tmp_path):
    """What make needs of a clone, in a folder whose name has spaces."""
    folder = tmp_path / "my clone's folder"
    (folder / "tools" / "places").mkdir(parents=True)
    for name in ("Makefile", "requirements.txt", "pyproject.toml", "tools/places/find_python.sh"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def make(folder: Path, *arguments: str, **more) -> subprocess.CompletedProcess:
    """Run make there, without the settings of a make around these tests."""
    return subprocess.run(
        ["make", *arguments], cwd=folder, capture_output=True, text=True, env=calm(), **more
    )


def calm() -> dict[str, str]:
    """The environment variables without those of a make that runs these tests."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}


@needs_make
def test_make_stops_before_installing_with_an_unsupported_python(clone):
    fake_python(clone, "ancient", "3.7.3")
    run = make(clone, "lab", "PYTHON=./ancient")
    assert run.returncode != 0 and not (clone / ".venv").exists()
    sentence = run.stderr.splitlines()[0]
    assert "needs Python 3.11, 3.12 or 3.13, and here is Python 3.7.3" in sentence
    assert "Traceback" not in run.stderr


@needs_make
def test_an_environment_that_is_linked_to_is_never_emptied(clone, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "installed").write_text("/another/clone\n")
    (theirs / "kept").write_text("precious")
    late = (theirs / "installed").stat().st_mtime + 10
    os.utime(clone / "requirements.txt", (late, late))
    (clone / ".venv").symlink_to(theirs)
    run = make(clone, "install")
    assert run.returncode != 0 and ".venv is a link" in run.stderr
    assert sorted(os.listdir(theirs)) == ["installed", "kept"]


@needs_make
@pytest.mark.parametrize("target", ["lab", "test", "check", "notebooks", "experiments", "lint"])
def test_every_command_installs_on_a_fresh_clone_and_not_again(clone, target):
    assert "-m pip install" in make(clone, "-n", target).stdout
    (clone / ".venv").mkdir()
    (clone / ".venv" / "installed").write_text(f"{clone}\n")
    assert "-m pip install" not in make(clone, "-n", target).stdout


@needs_make
def test_a_changed_lock_or_a_moved_clone_is_installed_again(clone):
    (clone / ".venv").mkdir()
    stamp = clone / ".venv" / "installed"
    stamp.write_text(f"{clone}\n")
    late = stamp.stat().st_mtime + 10
    os.utime(clone / "requirements.txt", (late, late))
    assert "-m pip install" in make(clone, "-n", "check").stdout
    stamp.write_text(f"{clone.parent}\n")
    os.utime(stamp, (late + 10, late + 10))
    assert "-m pip install" in make(clone, "-n", "check").stdout


@needs_make
@pytest.mark.parametrize("target", ["lock", "canary", "test-colab", "wheelhouse", "release-check"])
def test_what_only_a_release_needs_is_installed_once_and_by_nobody_else(clone, target):
    (clone / ".venv").mkdir()
    (clone / ".venv" / "installed").write_text(f"{clone}\n")
    assert '".[release]"' in make(clone, "-n", target).stdout
    assert '".[release]"' not in make(clone, "-n", "test").stdout
    (clone / ".venv" / "release").touch()
    assert "-m pip install" not in make(clone, "-n", target).stdout


@needs_make
def test_make_alone_lists_the_commands(clone):
    shown = make(clone).stdout
    for target in ("lab", "test", "check", "notebooks", "experiments", "test-offline"):
        assert f"make {target}" in shown


# --- the public build -------------------------------------------------------------------------

WORKFLOW = ROOT / ".github" / "workflows" / "test.yml"


def jobs() -> dict[str, dict]:
    """What GitHub is to do, by name."""
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


def commands(job: dict) -> list[str]:
    """What a job runs, in order."""
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_public_build_runs_the_commands_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\nmake test " in readme
    assert commands(jobs()["make"]) == ["make test PYTHON=python"]
    windows = readme.split("<summary>Windows, or without make</summary>")[1].split("</details>")[0]
    told = re.findall(r"^(?:The tests: `)?((?:py|\.venv) ?[^\n`]+)`?$", windows, re.MULTILINE)
    told = [line.replace("py -3.12", "python") for line in told if "jupyter lab" not in line]
    assert len(told) == 4 and commands(jobs()["windows"]) == told


def test_the_public_build_takes_every_system_and_python():
    matrices = [job["strategy"]["matrix"] for job in jobs().values()]
    assert all(matrix["python"] == list(lock.PYTHONS) for matrix in matrices)
    assert jobs()["make"]["strategy"]["matrix"]["system"] == ["ubuntu-latest", "macos-latest"]
    assert jobs()["windows"]["runs-on"] == "windows-latest"


def test_the_public_build_may_only_read_and_ends_in_time():
    text = WORKFLOW.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert "secrets" not in text and "github.com" not in text
    for job in jobs().values():
        used = [step for step in job["steps"] if "uses" in step]
        assert all(step["uses"].startswith("actions/") for step in used)
        assert used[0]["with"] == {"persist-credentials": False}
        assert job["timeout-minutes"] <= 180 and "permissions" not in job


@needs_make
def test_the_build_server_runs_make_test(clone):
    (clone / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", clone / ".ci" / "run")
    (clone / "Makefile").write_text("test test-extras:\n\t@echo $@ ran in; pwd\n")
    assert os.access(clone / ".ci" / "run", os.X_OK)
    run = subprocess.run(
        [str(clone / ".ci" / "run")], cwd="/", capture_output=True, text=True, env=calm()
    )
    assert run.returncode == 0, run.stderr
    ran = ["test ran in", str(clone), "test-extras ran in", str(clone)]
    assert run.stdout.splitlines() == ran


# --- what needs more packages -----------------------------------------------------------------


def test_the_second_lock_repeats_nothing_of_the_first_and_holds_what_the_extra_asks_for():
    lines = lock.EXTRAS_LOCK.read_text(encoding="utf-8").splitlines()
    more = [Requirement(line) for line in lines if line and not line.startswith("#")]
    names = {canonicalize_name(each.name) for each in more}
    assert not names & {canonicalize_name(Requirement(line).name) for line in LOCK_LINES}
    assert all(str(each.specifier).startswith("==") for each in more)
    asked = PROJECT["optional-dependencies"]["extras"]
    pins = {canonicalize_name(each.name): str(each.specifier)[2:] for each in more}
    for each in map(Requirement, asked):
        assert each.specifier.contains(pins[canonicalize_name(each.name)]), each.name
