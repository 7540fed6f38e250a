"""Run the lessons with the newest or the oldest versions that pyproject.toml allows.

    python -m tools.places.canary --newest            # every lesson; needs a network, 3 GB of disk
    python -m tools.places.canary --oldest 01 03      # these lessons, with the oldest versions
    python -m tools.places.canary --oldest --quick    # the quick tests as well
    python -m tools.places.canary --newest --python 3.12 --keep build/canary-newest

Without `--newest` or `--oldest` both are tried, one after the other. The lessons run in a copy of
the course, with an empty cache. A hung cell or a kernel that dies ends its lesson with a line.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from tools.build.environments import UV, copy_of_course, make_environment, run
from tools.build.kernels import run_notebook
from tools.build.lessons import ROOT, duration, stems
from tools.build.lock import PYTHONS

# The oldest versions that are named, and whatever they need in its newest: what pip would do.
ENDS = {"newest": ("highest", PYTHONS[-1]), "oldest": ("lowest-direct", PYTHONS[0])}
EXTRAS = ("cpu", "lab", "dev")
SHOWN = r"^(?:keras|tensorflow(?:-cpu)?|numpy|matplotlib|scikit-learn)==.+"
# Seconds; they take two minutes where nothing else runs.
QUICK_LIMIT = 1800


def canary_environment(folder: Path, end: str, python: str | None = None) -> Path:
    """Make an environment with the versions at one end of the ranges.

    Args:
        folder: Where; one that is there already is taken as it is.
        end: `"newest"` or `"oldest"`.
        python: The Python to make it with; the newest or the oldest by default.

    Returns:
        Its Python.

    Raises:
        SystemExit: It could not be made.
    """
    resolution, usual = ENDS[end]
    wanted = ["--resolution", resolution, "-r", ROOT / "pyproject.toml"]
    for extra in EXTRAS:
        wanted += ["--extra", extra]
    return make_environment(folder, python or usual, wanted)


def try_lessons(python: Path, chosen: list[str], quick: bool) -> bool:
    """Run lessons, and the quick tests when wished, in a copy of the course; tell of each.

    Args:
        python: Of the environment.
        chosen: The lessons, such as `["01_motivation"]`.
        quick: Whether to run the quick tests.

    Returns:
        Whether nothing failed.
    """
    fine = True
    with tempfile.TemporaryDirectory() as temporary:
        course = copy_of_course(Path(temporary, "course"))
        told = {"PYTHONPATH": str(course), "TLKIT_CACHE": str(Path(temporary, "cache"))}
        for stem in chosen:
            notebook = nbformat.read(course / "notebooks" / f"{stem}.ipynb", as_version=4)
            seconds, problem = run_notebook(
                notebook, course / "notebooks", variables=told, python=python
            )
            print(f"  {'✗' if problem else '✓'} {stem}: {problem or duration(seconds)}", flush=True)
            fine &= not problem
        if quick:
            command = [str(python), "-m", "pytest", "tests", "-m", "not lessons", "-q", "-n", "2"]
            command += ["--dist", "loadfile", "-p", "no:cacheprovider"]
            try:
                fine &= subprocess.run(command, cwd=course, timeout=QUICK_LIMIT).returncode == 0
            except subprocess.TimeoutExpired:
                print(f"  ✗ quick tests: ran longer than {QUICK_LIMIT} s")
                fine = False
    return fine


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="the numbers of the lessons, such as 01 03")
    parser.add_argument("--newest", action="store_true", help="only the newest versions")
    parser.add_argument("--oldest", action="store_true", help="only the oldest versions")
    parser.add_argument("--quick", action="store_true", help="the quick tests as well")
    parser.add_argument("--python", help="of the environment, such as 3.12")
    parser.add_argument("--keep", type=Path, help="make the environment here and keep it")
    options = parser.parse_args(arguments)
    ends = [end for end in ENDS if getattr(options, end)] or list(ENDS)
    if options.keep and len(ends) > 1:
        parser.error("--keep holds one environment: say --newest or --oldest")
    chosen, fine = stems(options.lessons), True
    for end in ends:
        with tempfile.TemporaryDirectory() as temporary:
            own = canary_environment(options.keep or Path(temporary, end), end, options.python)
            frozen = run([*UV, "pip", "freeze", "--quiet", "--python", own])
            shown = ", ".join(re.findall(SHOWN, frozen, re.MULTILINE))
            print(f"The {end} versions allowed: {shown}", flush=True)
            fine &= try_lessons(own, chosen, options.quick)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
