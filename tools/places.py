"""Binder: what it installs, what the lessons take there, and the page that tells of it.

python -m tools.places          # does .binder/requirements.txt agree with the lock?
python -m tools.places --write  # write it anew, and the table in docs/platforms.md
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.lessons import LESSONS, ROOT, duration

BINDER = ROOT / ".binder"
BINDER_LOCK = BINDER / "requirements.txt"
BINDER_TIMES = ROOT / "data" / "binder_times.json"
PLATFORMS = ROOT / "docs" / "platforms.md"
PYTHON, COMPUTER = "3.12", "linux-x86_64"
_BEGIN, _END = "<!-- binder: begin -->", "<!-- binder: end -->"
_HEADER = """\
# The part of the lock that the lessons need, for Binder: Linux x86-64, Python 3.12. Made by
# `python -m tools.places --write`; do not edit.
"""


def binder_lock() -> str:
    """The versions for Binder: the lock's, without what builds, tests or opens the lessons.

    Returns:
        The text of `.binder/requirements.txt`.
    """
    from tools.wheelhouse import needed_by, pins  # here, for benchmarks need only the table

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = needed_by([*project["dependencies"], *extras["cpu"], *extras["more-backbones"]])
    lines = [
        line
        for line in pins(COMPUTER, PYTHON, dev=True)
        if canonicalize_name(Requirement(line).name) in set(map(canonicalize_name, wanted))
    ]
    return _HEADER + "".join(f"{line}\n" for line in lines)


def binder_times() -> dict[str, dict[str, int]]:
    """What `benchmarks/binder.py` measured of each lesson; empty when it never ran.

    Returns:
        For each lesson's stem the entries `processor_seconds` and `peak_mb`.
    """
    if not BINDER_TIMES.is_file():
        return {}
    return json.loads(BINDER_TIMES.read_text(encoding="utf-8"))["lessons"]


def binder_table() -> str:
    """Those figures as a Markdown table."""
    rows = ["| Lesson | One processor | Peak memory, JupyterLab included |", "|:--|--:|--:|"]
    titles = {lesson.stem: f"{lesson.number} {lesson.title}" for lesson in LESSONS}
    for stem, cost in binder_times().items():
        took, held = duration(cost["processor_seconds"]), f"{cost['peak_mb'] / 1000:.1f} GB"
        rows.append(f"| {titles.get(stem, stem)} | {took} | {held} |")
    return "\n".join(rows)


def shown_table() -> str:
    """The table as docs/platforms.md shows it now."""
    page = PLATFORMS.read_text(encoding="utf-8")
    return page.split(_BEGIN)[1].split(_END)[0].strip()


def update_pages() -> None:
    """Bring docs/platforms.md up to date."""
    page = PLATFORMS.read_text(encoding="utf-8")
    head, rest = page.split(_BEGIN)
    tail = rest.split(_END)[1]
    text = f"{head}{_BEGIN}\n{binder_table()}\n{_END}{tail}"
    PLATFORMS.write_text(text, encoding="utf-8", newline="\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write lock and table anew")
    options = parser.parse_args(arguments)
    text = binder_lock()
    if options.write:
        BINDER_LOCK.write_text(text, encoding="utf-8", newline="\n")
        update_pages()
    if not BINDER_LOCK.is_file() or BINDER_LOCK.read_text(encoding="utf-8") != text:
        print(".binder/requirements.txt is out of date. Run: python -m tools.places --write")
        return 1
    print(f".binder/requirements.txt agrees with the lock: {text.count('==')} packages.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
