"""Time and peak memory of every lesson, each in a fresh kernel.

    python benchmarks/lessons.py             # all lessons, printed
    python benchmarks/lessons.py 01          # one
    python benchmarks/lessons.py --write     # and update data/lesson_times.json, README and index

The learner's notebook runs with an empty cache, as on the first day; the solved one with the cache
that the learner's left. Memory is the most that any one process held: the kernel, as a rule.
(Lesson 01 measures giants in processes of their own, which take up to 1.3 GB for some seconds.)
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402

from tlkit.paths import write_atomic  # noqa: E402
from tools.build.kernels import run_notebook  # noqa: E402
from tools.build.lessons import (  # noqa: E402
    INDEX,
    LEARNER,
    LESSON_TIMES,
    SOLVED,
    duration,
    lesson_map,
    lesson_times,
    notebook_path,
    sources,
)
from tools.build.notebook_text import read_lesson  # noqa: E402
from tools.build.notebooks import build  # noqa: E402
from tools.build.pages import put  # noqa: E402

BUDGETS = {LEARNER: (120, 1500), SOLVED: (60, 1500)}  # seconds, megabytes


class PeakMemory(threading.Thread):
    """Watches the largest of this process's descendants, ten times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self._over = 0, threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.1):
            processes = psutil.Process().children(recursive=True)
            self.peak = max([self.peak, *map(_resident, processes)])

    def stop(self) -> float:
        """Stop watching; returns the peak in megabytes."""
        self._over.set()
        self.join()
        return self.peak / 1e6


def measure(path: Path, version: str, cache: Path) -> tuple[float, float]:
    """Run a notebook in a fresh kernel.

    Args:
        path: The lesson's source.
        version: `"learner"` or `"solved"`.
        cache: Where results are kept.

    Returns:
        Seconds from the kernel's start to its end, and its peak memory in megabytes.
    """
    watch = PeakMemory()
    watch.start()
    seconds, problem = run_notebook(
        read_lesson(path, version),
        notebook_path(path.stem, version).parent,
        variables={"TLKIT_CACHE": str(cache)},
    )
    if problem:
        raise SystemExit(f"{path.name}, {version}: {problem}")
    return seconds, watch.stop()


def write(measured: dict[str, dict[str, float]]) -> None:
    """Store the figures, and bring up to date the two pages that show them."""
    stored = {
        "made_by": "python benchmarks/lessons.py --write",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "lessons": dict(sorted({**lesson_times(), **measured}.items())),
    }
    text = json.dumps(stored, indent=1) + "\n"
    write_atomic(LESSON_TIMES, lambda file: file.write(text.encode()))
    put(ROOT / "README.md", "lessons", readme_table())
    build(sources([INDEX])[0], LEARNER)


def readme_table() -> str:
    """The lessons as README shows them."""
    return lesson_map("notebooks/{stem}.ipynb")


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:  # it has ended meanwhile
        return 0


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="the numbers of the lessons, such as 01 03")
    parser.add_argument("--write", action="store_true", help="update the stored figures")
    options = parser.parse_args()
    paths = [path for path in sources(options.lessons) if path.stem != INDEX]
    measured: dict[str, dict[str, float]] = {}
    print(f"{'lesson':34} {'version':8} {'time':>12} {'peak memory':>12}")
    for path in paths:
        with tempfile.TemporaryDirectory() as cache:
            for version in (LEARNER, SOLVED):
                seconds, megabytes = measure(path, version, Path(cache))
                limits = BUDGETS[version]
                over = " over budget" if seconds > limits[0] or megabytes > limits[1] else ""
                cost = f"{duration(seconds):>12} {megabytes:>9.0f} MB{over}"
                print(f"{path.stem:34} {version:8} {cost}", flush=True)
                entry = measured.setdefault(path.stem, {})
                entry[f"{version}_seconds"] = round(seconds)
                entry[f"{version}_mb"] = round(megabytes)
    if options.write:
        write(measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
