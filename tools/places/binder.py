"""Binder: what it installs, what the lessons take there, and the page that tells of it.

python -m tools.places.binder  # write .binder/requirements.txt and the table in docs/platforms.md
"""

from __future__ import annotations

import json
import sys

from tools.build.lessons import LESSONS, ROOT, duration
from tools.build.lock import pins_for
from tools.build.pages import put

BINDER_LOCK = ROOT / ".binder" / "requirements.txt"
BINDER_TIMES = ROOT / "data" / "binder_times.json"
PLATFORMS = ROOT / "docs" / "platforms.md"
PYTHON, COMPUTER, EXTRAS = "3.12", "linux-x86_64", ("cpu", "more-backbones")
_HEADER = """\
# The part of the lock that the lessons need, for Binder: Linux x86-64, Python 3.12. Made by
# `python -m tools.places.binder`; do not edit.
"""


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


def main() -> int:
    """Write both; it needs uv and a network."""
    lines = "".join(f"{line}\n" for line in pins_for(COMPUTER, PYTHON, EXTRAS))
    BINDER_LOCK.write_text(_HEADER + lines, encoding="utf-8", newline="\n")
    put(PLATFORMS, "binder", binder_table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
