"""Copies of the course, and environments of other Pythons and versions to run it in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.build.lessons import ROOT

UV = [sys.executable, "-m", "uv"]  # with the extra `release`


def python_of(environment: Path) -> Path:
    """The Python of a virtual environment."""
    windows = sys.platform == "win32"
    return (environment / ("Scripts/python.exe" if windows else "bin/python")).absolute()


def make_environment(folder: Path, python: str, install: Sequence[str | Path]) -> Path:
    """Make a virtual environment with uv and install into it, unless it is there already.

    Args:
        folder: Where.
        python: The Python to make it with, such as `"3.13"`.
        install: What `uv pip install` is to be told.

    Returns:
        The environment's Python.

    Raises:
        SystemExit: It could not be made.
    """
    own = python_of(folder)
    if not own.is_file():
        run([*UV, "venv", "--quiet", "--seed", "--python", python, folder])
        run([*UV, "pip", "install", "--quiet", "--python", own, *install])
    return own


def copy_of_course(folder: Path, new_too: bool = True) -> Path:
    """Copy the files of the course as they are now.

    Args:
        folder: Where; it is made.
        new_too: Whether files come along that were not yet given to git.

    Returns:
        The folder.
    """
    others = ["--others", "--exclude-standard"] if new_too else []
    names = run(["git", "ls-files", "-z", "--cached", *others], cwd=ROOT)
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():  # not when it was just removed
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    return folder


def run(command: Sequence[str | Path], **more) -> str:
    """Run a command and return what it prints; stops the program when it fails.

    Raises:
        SystemExit: The command failed; the message ends with its last lines.
    """
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, **more)
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        if "No module named uv" in last:
            last = 'Install it once: pip install -e ".[release]"'
        raise SystemExit(f"This failed: {' '.join(words)}\n{last}")
    return done.stdout
