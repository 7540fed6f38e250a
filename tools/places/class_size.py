"""How large a server does a class need? Computed from what the lessons were measured to take.

python -m tools.places.class_size             # the table
python -m tools.places.class_size --write     # put it into docs/teaching/jupyterhub.md
python -m tools.places.class_size 17          # for seventeen learners
"""

from __future__ import annotations

import argparse
import json
import math
import sys

from tools.build.lessons import LESSON_TIMES, ROOT, duration, lesson_times
from tools.build.pages import put

GUIDE = ROOT / "docs" / "teaching" / "jupyterhub.md"
CLASSROOM = ROOT / "data" / "classroom.json"  # what `tools.places.classroom --write` measured
CLASSES = (5, 10, 20, 30, 60)
# A learner's own server beside the kernel: `tools.places.classroom` prints both.
SERVER_MB = 250
# The system, the hub and the proxy.
SYSTEM_GB = 2
HEADROOM = 1.2
# Minutes: how long everybody may wait when all press Run All at once.
PATIENCE = 10


def needs(learners: int) -> tuple[float, int, float]:
    """What a class needs.

    Args:
        learners: How many work at the same time.

    Returns:
        Gigabytes of memory in all, cores such that the longest lesson run by everybody at once
        ends within ten minutes, and gigabytes per learner.
    """
    times = lesson_times().values()
    cores = json.loads(LESSON_TIMES.read_text(encoding="utf-8"))["cores"]
    each = (max(lesson["learner_mb"] for lesson in times) + SERVER_MB) * HEADROOM / 1000
    work = max(lesson["learner_seconds"] for lesson in times) * cores  # at the most: all cores busy
    busy = max(2, math.ceil(learners * work / (60 * PATIENCE)))
    return math.ceil(learners * each + SYSTEM_GB), busy, each


def table(classes: tuple[int, ...] = CLASSES) -> str:
    """The sizes as a Markdown table."""
    rows = ["| learners at once | memory | cores |", "|--:|--:|--:|"]
    for learners in classes:
        memory, cores, _ = needs(learners)
        rows.append(f"| {learners} | {memory} GB | {cores} |")
    return "\n".join(rows)


def measured() -> str:
    """What `tools.places.classroom` stored, as a Markdown table with the command that made it."""
    if not CLASSROOM.is_file():
        return "Not measured yet."
    stored = json.loads(CLASSROOM.read_text(encoding="utf-8"))
    rows = [
        f"`{stored['made_by']}`, on {stored['cores']} cores with a warm shared cache:",
        "",
        "| learners | lesson open after | its cells ran in | one kernel | one learner |",
        "|--:|--:|--:|--:|--:|",
    ]
    for learners, took in stored["classes"].items():
        ran = duration(took["fastest"])
        if took["slowest"] > took["fastest"]:
            ran += f" to {duration(took['slowest'])}"
        memory = (f"{took[name] / 1000:.1f} GB" for name in ("kernel_mb", "learner_mb"))
        rows.append(f"| {learners} | {took['ready']} s | {ran} | {' | '.join(memory)} |")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.places.class_size", description=__doc__.splitlines()[0]
    )
    parser.add_argument("learners", nargs="?", type=int, help="how many; the usual sizes if none")
    parser.add_argument("--write", action="store_true", help=f"update {GUIDE.name}")
    given = parser.parse_args(arguments)
    if given.learners is not None and given.learners < 1:
        parser.error("a class has at least one learner")
    print(table((given.learners,) if given.learners else CLASSES))
    if given.write:
        put(GUIDE, "sizes", table())
        put(GUIDE, "classroom", measured())
    return 0


if __name__ == "__main__":
    sys.exit(main())
