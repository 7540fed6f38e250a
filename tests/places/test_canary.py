"""The oldest and the newest versions: an environment of either, and lessons in it."""

import shutil
import sys
from pathlib import Path

import nbformat
import pytest

from tools.build import environments
from tools.places import canary


def test_uv_is_asked_for_either_end_of_the_ranges(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(environments, "run", lambda command: asked.append(list(map(str, command))))
    canary.canary_environment(tmp_path / "o", "oldest")
    canary.canary_environment(tmp_path / "n", "newest", "3.12")
    old_venv, old, new_venv, new = asked
    assert "3.11" in old_venv and "lowest-direct" in old and {"cpu", "lab", "dev"} <= set(old)
    assert "3.12" in new_venv and "highest" in new


def test_an_environment_that_was_kept_is_not_made_again(tmp_path, monkeypatch):
    own = environments.python_of(tmp_path)
    own.parent.mkdir()
    own.touch()
    monkeypatch.setattr(environments, "run", None)
    assert canary.canary_environment(tmp_path, "newest") == own


def notebook_of(source):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])


def test_the_canary_shows_versions_and_what_became_of_each_lesson(tmp_path, monkeypatch, capsys):
    course = tmp_path / "course"
    (course / "notebooks").mkdir(parents=True)
    nbformat.write(notebook_of("1 + 1"), course / "notebooks" / "01_fine.ipynb")
    nbformat.write(notebook_of("1 / 0"), course / "notebooks" / "02_broken.ipynb")
    monkeypatch.setattr(canary, "copy_of_course", lambda to: shutil.copytree(course, to))
    monkeypatch.setattr(canary, "stems", lambda wanted: ["01_fine", "02_broken"])
    monkeypatch.setattr(canary, "canary_environment", lambda *given: Path(sys.executable))
    monkeypatch.setattr(canary, "run", lambda command: "jax==1\nkeras==3.15.1\nnumpy==2.1.3\n")
    assert canary.main(["--oldest"]) == 1
    told = capsys.readouterr().out
    assert "The oldest versions allowed: keras==3.15.1, numpy==2.1.3\n" in told
    assert "✓ 01_fine" in told and "✗ 02_broken" in told and "ZeroDivisionError" in told


def test_the_canary_refuses_an_unknown_lesson_and_one_folder_for_two_environments(capsys):
    with pytest.raises(SystemExit, match="No lesson starts with '99'"):
        canary.main(["99"])
    with pytest.raises(SystemExit):
        canary.main(["--keep", "x"])
    assert "--newest or --oldest" in capsys.readouterr().err
