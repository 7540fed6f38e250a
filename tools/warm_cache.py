"""Compute once, for a whole class, what every learner would compute: a shared cache.

    python -m tools.warm_cache /srv/tlkit/cache          # all lessons
    python -m tools.warm_cache /srv/tlkit/cache 01 03    # some

Runs the lessons and their solved versions with their cache in that folder: drawn pictures, features
and measured costs stay there. Learners then read it, when TLKIT_SHARED_CACHE names it.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.lessons import INDEX, NOTEBOOKS, ROOT, SOLUTIONS, duration


def stored_notebooks(numbers: Sequence[str] = (), solved: bool = True) -> list[Path]:
    """The stored notebooks of some lessons, each lesson's before its solved version.

    Args:
        numbers: Starts of their names, such as `"03"`; all lessons if empty.
        solved: Also the solved versions.

    Returns:
        Their paths.

    Raises:
        SystemExit: A number fits no lesson.
    """
    lessons = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path.stem != INDEX]
    unknown = [n for n in numbers if not any(path.stem.startswith(n) for path in lessons)]
    if unknown:
        known = ", ".join(path.stem.partition("_")[0] for path in lessons)
        raise SystemExit(f"No lesson begins with {unknown[0]!r}. There is: {known}.")
    chosen = [p for p in lessons if not numbers or p.stem.startswith(tuple(numbers))]
    return [
        path
        for lesson in chosen
        for path in (lesson, SOLUTIONS / lesson.name)[: 2 if solved else 1]
        if path.is_file()
    ]


def warm(folder: Path, notebooks: Sequence[Path], report=print) -> None:
    """Run notebooks with their cache in a folder.

    Args:
        folder: The cache; made if it is not there.
        notebooks: What to run.
        report: Called with a line for each.

    Raises:
        CellExecutionError: A cell failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    environment = {
        **os.environ,
        "TLKIT_CACHE": str(folder.absolute()),
        "PYTHONPATH": os.pathsep.join(places),
    }
    for name in ("TLKIT_SHARED_CACHE", "MPLBACKEND"):
        environment.pop(name, None)
    for path in notebooks:
        began = time.perf_counter()
        NotebookClient(
            nbformat.read(path, as_version=4),
            timeout=1800,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
        ).execute(env=environment)
        report(f"{path.relative_to(ROOT)}: {duration(time.perf_counter() - began)}")


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
        prog="python -m tools.warm_cache", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="the cache, such as /srv/tlkit/cache")
    parser.add_argument("lessons", nargs="*", help="numbers of lessons, such as 01 03")
    given = parser.parse_args(arguments)
    notebooks = stored_notebooks(given.lessons)
    if given.folder.is_dir():
        set_writable(given.folder, True)
    try:
        warm(given.folder, notebooks, lambda line: print(line, flush=True))
    except (OSError, CellExecutionError) as error:
        print(error, file=sys.stderr)
        return 1
    set_writable(given.folder, False)
    files, megabytes = size(given.folder)
    print(f"{given.folder} holds {files} files, {megabytes:.0f} MB. Everybody may read it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
