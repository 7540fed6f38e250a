"""The folder for a room without internet: what is gathered, and how it installs."""

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.build import environments
from tools.places import install_offline, wheelhouse
from tools.places.install_offline import (
    UNFINISHED,
    CannotInstall,
    damage,
    look,
    target_for,
    this_platform,
)

HERE, PYTHON = this_platform(), "{}.{}".format(*sys.version_info)


def test_wheels_of_several_computers_lie_together_and_each_computers_are_named(
    tmp_path, monkeypatch
):
    (tmp_path / "wheels").mkdir()

    def pip(command):
        folder = Path(command[command.index("--dest") + 1])
        for line in command[command.index("--dest") + 2 :]:
            (folder / f"{line}-{'win' if 'win_amd64' in command else 'any'}.whl").touch()

    monkeypatch.setattr(wheelhouse, "run", pip)
    wheels = tmp_path / "wheels"
    assert wheelhouse.download(["a"], "linux-x86_64", "3.12", wheels) == ["a-any.whl"]
    assert wheelhouse.download(["a"], "windows-x86_64", "3.12", wheels) == ["a-win.whl"]
    assert {path.name for path in wheels.iterdir()} == {"a-any.whl", "a-win.whl"}


def wheel(folder, name):
    """A wheel that pip can install: a module, and `python -m` of it."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{name}/__main__.py", "import sys; print('checked', sys.argv[1:])")
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        archive.writestr(f"{info}/METADATA", text)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path.name


def gathered(folder):
    """A tiny folder as `make wheelhouse` makes it."""
    (folder / "wheels").mkdir(parents=True)
    (folder / "course" / "notebooks").mkdir(parents=True)
    (folder / "course" / "notebooks" / "00_index.ipynb").write_text("{}")
    names = [wheel(folder / "wheels", "tlkit"), wheel(folder / "wheels", "other")]
    return wheelhouse.finish(folder, [{"platform": HERE, "python": PYTHON, "wheels": names}])


@pytest.fixture
def stick(tmp_path):
    folder = tmp_path / "my stick"
    gathered(folder)
    return folder


def test_the_zip_holds_the_folder_and_its_checksums_are_those_of_sha256sum(stick):
    with zipfile.ZipFile(stick.with_suffix(".zip")) as archive:
        names = {name.removeprefix("my stick/") for name in archive.namelist()}
    on_disk = {p.relative_to(stick).as_posix() for p in stick.rglob("*") if p.is_file()}
    assert names == on_disk
    assert {"README.txt", "install_offline.py", "manifest.json", "SHA256SUMS"} <= names
    assert f"Python {PYTHON} on {HERE}" in (stick / "README.txt").read_text()
    if shutil.which("sha256sum"):
        command = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
        assert subprocess.run(command, cwd=stick).returncode == 0


def test_it_installs_with_the_folder_alone(stick, tmp_path):
    """The copied script, run by a Python that knows nothing of the clone."""
    into = tmp_path / "the course"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, str(stick / "install_offline.py"), "--into", str(into)]
    run = lambda: subprocess.run(  # noqa: E731
        command, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    done = run()
    assert done.returncode == 0, done.stderr
    assert "checked ['check']" in done.stdout
    assert f'-m jupyter lab "--notebook-dir={into}"' in done.stdout
    assert (into / "notebooks" / "00_index.ipynb").is_file()
    assert not (into / UNFINISHED).exists()
    (into / "mine.txt").write_text("a learner's own file")
    again = run()
    assert again.returncode == 1 and "is there already" in again.stderr
    assert (into / "mine.txt").is_file()


def test_a_damaged_and_a_missing_wheel_are_named_and_nothing_is_made(stick, tmp_path, capsys):
    (stick / "wheels" / "tlkit-1.0-py3-none-any.whl").write_bytes(b"half")
    (stick / "wheels" / "other-1.0-py3-none-any.whl").unlink()
    into = tmp_path / "course"
    assert install_offline.main(["--source", str(stick), "--into", str(into)]) == 1
    told = capsys.readouterr().err
    assert "tlkit-1.0-py3-none-any.whl is damaged" in told
    assert "other-1.0-py3-none-any.whl is missing" in told and "Copy the folder" in told
    assert not into.exists()


def test_another_computers_wheels_are_not_asked_for(stick):
    sums = stick / "SHA256SUMS"
    sums.write_text(sums.read_text() + "0" * 64 + "  wheels/x-1-cp311-cp311-win_amd64.whl\n")
    wheels = json.loads((stick / "manifest.json").read_text())["targets"][0]["wheels"]
    assert damage(stick, wheels) == []
    assert damage(stick, [*wheels, "new.whl"]) == ["wheels/new.whl has no checksum"]


def test_what_pip_cannot_finish_is_removed(stick, tmp_path, capsys, monkeypatch):
    into = tmp_path / "course"

    def command(what, words):
        assert (into / UNFINISHED).is_file() and (into / "notebooks").is_dir()
        python = [sys.executable, "-c", "raise SystemExit('no room left')"]
        step(what, python if what.startswith("installing") else [sys.executable, "-c", ""])

    step = install_offline._step
    monkeypatch.setattr(install_offline, "_step", command)
    assert install_offline.main(["--source", str(stick), "--into", str(into)]) == 1
    told = capsys.readouterr()
    assert "installing 2 packages" in told.err and "no room left" in told.err
    assert "removed again" in told.out and not into.exists()


def test_an_attempt_that_was_cut_off_is_begun_again(stick, tmp_path):
    into = tmp_path / "course"
    (into / "half").mkdir(parents=True)
    with pytest.raises(CannotInstall, match="is there already"):
        look(stick, into)
    (into / UNFINISHED).write_text("")
    assert look(stick, into)["platform"] == HERE


def test_a_full_disk_and_a_folder_of_something_else_are_named(stick, tmp_path, monkeypatch):
    with pytest.raises(CannotInstall, match="no folder of `make wheelhouse`"):
        look(tmp_path, tmp_path / "course")
    usage = argparse.Namespace(free=10)
    monkeypatch.setattr(install_offline.shutil, "disk_usage", lambda place: usage)
    with pytest.raises(CannotInstall, match="are needed"):
        look(stick, tmp_path / "not" / "yet")


def test_the_wrong_python_and_the_wrong_computer_get_the_mend():
    manifest = {"targets": [{"platform": "windows-x86_64", "python": "3.12"}]}
    assert target_for(manifest, "windows-x86_64", "3.12")
    with pytest.raises(CannotInstall, match=r"needs Python 3\.12, .* Python 3\.9.*py -3\.12"):
        target_for(manifest, "windows-x86_64", "3.9")
    with pytest.raises(CannotInstall, match="make wheelhouse PLATFORM=macos-arm64"):
        target_for(manifest, "macos-arm64", "3.12")


def test_an_old_python_can_read_the_installer_and_it_needs_nothing_else():
    text = Path(install_offline.__file__).read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 7))
    for node in ast.walk(tree):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert {name.partition(".")[0] for name in modules} <= set(sys.stdlib_module_names)


def test_the_folder_gets_the_files_that_git_has_and_no_drafts(tmp_path, monkeypatch):
    clone = tmp_path / "clone"
    (clone / "notebooks").mkdir(parents=True)
    (clone / "notebooks" / "known.md").write_text("x")
    subprocess.run(["git", "init", "-q"], cwd=clone, check=True)
    subprocess.run(["git", "add", "-A"], cwd=clone, check=True)
    (clone / "draft.md").write_text("x")
    monkeypatch.setattr(environments, "ROOT", clone)
    given = environments.copy_of_course(tmp_path / "given", new_too=False)
    every = environments.copy_of_course(tmp_path / "every")
    assert [p.name for p in given.rglob("*.md")] == ["known.md"]
    assert (every / "draft.md").is_file()
