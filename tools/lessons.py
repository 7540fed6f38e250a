"""The list of lessons: the one place that knows their order, names and what each is about."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCE = NOTEBOOKS / "source"
SOLUTIONS = NOTEBOOKS / "solutions"
LESSON_TIMES = ROOT / "data" / "lesson_times.json"
INDEX = "00_index"


@dataclass(frozen=True)
class Lesson:
    """One lesson: its file's stem, its letter in the curriculum, its title and its promise.

    A chapter too long for one lesson has two, each with its part of the chapter's rows.
    """

    stem: str
    letter: str
    title: str
    promise: str
    part: range | None = None  # numbers of its rows; None: the whole chapter

    @property
    def number(self) -> str:
        """What the stem starts with, such as `"03"` or `"04a"`."""
        return self.stem.partition("_")[0]

    def teaches(self, row: str) -> bool:
        """Whether a row of the curriculum, such as `"D8"`, is this lesson's to show."""
        return row[0] == self.letter and (self.part is None or int(row[1:]) in self.part)

    @property
    def exists(self) -> bool:
        """Whether the lesson has been written."""
        return (SOURCE / f"{self.stem}.py").is_file()


LESSONS = (
    Lesson("01_motivation", "A", "Motivation", "why borrow a network, and your first classifier"),
    Lesson(
        "02_representation_learning",
        "B",
        "Representation learning",
        "what each layer has made of a picture",
    ),
    Lesson(
        "03_feature_extraction",
        "C",
        "Feature extraction",
        "freeze the network, train a head in milliseconds",
    ),
    Lesson(
        "04a_fine_tuning",
        "D",
        "Fine-tuning",
        "let the network move without wrecking it",
        range(1, 8),
    ),
    Lesson(
        "04b_four_cases",
        "D",
        "Four cases, measured",
        "which strategy when, and where the rule of thumb loses",
        range(8, 12),
    ),
    Lesson(
        "05_differential_learning_rates",
        "E",
        "Differential learning rates",
        "small steps early, large steps late",
    ),
    Lesson("06_distillation", "F", "Distillation", "teach a small network with a large one"),
    Lesson("07_workshop", "G", "Workshop", "your own pictures, from folder to exported model"),
)


def curriculum_count() -> str:
    """How much of the curriculum is in lessons that exist, as a sentence."""
    text = (ROOT / "docs" / "curriculum.md").read_text(encoding="utf-8")
    rows = re.findall(r"^- \*\*([A-G]\d+)\*\* ", text, re.MULTILINE)
    to_come = [lesson for lesson in LESSONS if not lesson.exists]
    waiting = sum(lesson.teaches(row) for lesson in to_come for row in rows)
    return (
        f"Curriculum: {len(rows) - waiting} of {len(rows)} rows are in lessons that exist; "
        f"{waiting} wait for {len(to_come)} lessons to come."
    )


def lesson_times() -> dict[str, dict[str, float]]:
    """Measured seconds and megabytes per notebook, as `benchmarks/lessons.py` stored them.

    Returns:
        For each lesson's stem the entries `learner_seconds`, `learner_mb`, `solved_seconds`,
        `solved_mb`; empty when nothing has been measured yet.
    """
    if not LESSON_TIMES.is_file():
        return {}
    return json.loads(LESSON_TIMES.read_text(encoding="utf-8"))["lessons"]


def duration(seconds: float) -> str:
    """Seconds as a person says them: `'48 s'`, `'2 min'`, `'3 min 10 s'`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def lesson_map(link: str = "{stem}.ipynb") -> str:
    """The course as a Markdown table: a link to each lesson that exists, and what it costs.

    Args:
        link: Where a lesson's notebook lies, seen from the page that shows the table.

    Returns:
        The table's lines.
    """
    times = lesson_times()
    rows = [
        "| Lesson | What it is about | Runs in | Memory |",
        "|:--|:--|--:|--:|",
    ]
    for lesson in LESSONS:
        title = f"{lesson.number} {lesson.title}"
        if not lesson.exists:
            rows.append(f"| {title} | {lesson.promise} | in preparation | |")
            continue
        cost = times.get(lesson.stem)
        runs = duration(cost["learner_seconds"]) if cost else "not measured"
        memory = f"{cost['learner_mb'] / 1000:.1f} GB" if cost else ""
        target = link.format(stem=lesson.stem)
        rows.append(f"| [{title}]({target}) | {lesson.promise} | {runs} | {memory} |")
    return "\n".join(rows)
