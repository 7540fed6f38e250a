"""Where the course runs beside a learner's own computer: its public address, and measured times."""

from __future__ import annotations

import json

from tools.lessons import LESSONS, ROOT, duration

BINDER_TIMES = ROOT / "data" / "binder_times.json"
PLATFORMS = ROOT / "docs" / "platforms.md"
_BEGIN, _END = "<!-- binder: begin -->", "<!-- binder: end -->"


def binder_times() -> dict[str, dict[str, int]]:
    """What `benchmarks/binder.py` measured of each lesson; empty when it never ran.

    Returns:
        For each lesson's stem the entries `seconds`, `processor_seconds` and `peak_mb`.
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


def update_pages() -> None:
    """Bring docs/platforms.md up to date."""
    page = PLATFORMS.read_text(encoding="utf-8")
    head, rest = page.split(_BEGIN)
    tail = rest.split(_END)[1]
    PLATFORMS.write_text(f"{head}{_BEGIN}\n{binder_table()}\n{_END}{tail}", encoding="utf-8")
