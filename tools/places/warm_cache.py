"""Compute once, for a whole class, what every learner would compute: a shared cache.

    python -m tools.places.warm_cache /srv/tlkit/cache          # all lessons
    python -m tools.places.warm_cache /srv/tlkit/cache 01 03    # some

Runs the lessons and their solved versions with their cache in that folder: drawn pictures, features
and measured costs stay there. Learners then read it, when TLKIT_SHARED_CACHE names it.
"""

from __future__ import annotations

import argparse
import stat
import sys
from pathlib import Path

import nbformat

from tools.build.kernels import run_notebook
from tools.build.lessons import LEARNER, SOLVED, duration, notebook_path, stems

TIMEOUT = 1800  # seconds for a cell


def warm(folder: Path, path: Path) -> None:
    """Run a notebook with its cache in a folder, as a learner would; print what it took.

    Args:
        folder: The cache; made if it is not there.
        path: A stored notebook.

    Raises:
        SystemExit: A cell failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = {"TLKIT_CACHE": str(folder.absolute()), "TLKIT_SHARED_CACHE": "", "TLKIT_STRICT": ""}
    notebook = nbformat.read(path, as_version=4)
    seconds, problem = run_notebook(notebook, path.parent, variables=told, timeout=TIMEOUT)
    if problem:
        raise SystemExit(f"{path.name}: {problem}")
    print(f"{path.parent.name}/{path.name}: {duration(seconds)}", flush=True)


def size(folder: Path) -> tuple[int, float]:
    """How many files a folder holds, and how many megabytes."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return len(files), sum(file.stat().st_size for file in files) / 1e6


def set_writable(folder: Path, writable: bool) -> None:
    """Let everybody read a folder with all that is in it, and its owner write, or nobody."""
    for path in [*folder.rglob("*"), folder]:
        is_folder = path.is_dir()
        mode = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
        mode |= stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH if is_folder else 0
        path.chmod(mode | (stat.S_IWUSR if writable else 0))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.places.warm_cache", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="the cache, such as /srv/tlkit/cache")
    parser.add_argument("lessons", nargs="*", help="numbers of lessons, such as 01 03")
    given = parser.parse_args(arguments)
    chosen = stems(given.lessons)
    if given.folder.is_dir():
        set_writable(given.folder, True)
    for stem in chosen:
        for version in (LEARNER, SOLVED):
            warm(given.folder, notebook_path(stem, version))
    set_writable(given.folder, False)
    files, megabytes = size(given.folder)
    print(f"{given.folder} holds {files} files, {megabytes:.0f} MB. Everybody may read it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
