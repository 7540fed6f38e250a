"""The list of lessons: the one place that knows their order, names and what each is about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
SOURCE = NOTEBOOKS / "source"
SOLUTIONS = NOTEBOOKS / "solutions"
LESSON_TIMES = ROOT / "data" / "lesson_times.json"
INDEX = "00_index"
# The two notebooks that a source makes.
LEARNER, SOLVED = "learner", "solved"


@dataclass(frozen=True)
class Lesson:
    """One lesson: its file's stem, its letter in the curriculum, its title and its promise.

    A chapter too long for one lesson has two, each with its part of the chapter's rows.
    """

    stem: str
    letter: str
    title: str
    promise: str
    # Numbers of its rows; None: the whole chapter.
    part: range | None = None

    @property
    def number(self) -> str:
        """What the stem starts with, such as `"03"` or `"04a"`."""
        return self.stem.partition("_")[0]

    def teaches(self, row: str) -> bool:
        """Whether a row of the curriculum, such as `"D8"`, is this lesson's to show."""
        return row[0] == self.letter and (self.part is None or int(row[1:]) in self.part)


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


def sources(starts: Sequence[str] = ()) -> list[Path]:
    """The source files of the lessons whose names start so; all of them, index and all, if none.

    Raises:
        SystemExit: No lesson starts so.
    """
    every = sorted(SOURCE.glob("[0-9][0-9]*.py"))
    for start in starts:
        if not any(path.stem.startswith(start) for path in every):
            known = ", ".join(path.stem for path in every)
            raise SystemExit(f"No lesson starts with {start!r}. There is: {known}.")
    return [path for path in every if not starts or path.stem.startswith(tuple(starts))]


def stems(starts: Sequence[str] = ()) -> list[str]:
    """The names of the lessons that start so; all of them but the index, if none is given."""
    return [path.stem for path in sources(starts) if path.stem != INDEX]


def versions_of(stem: str) -> tuple[str, ...]:
    """Which notebooks a source makes: the index has nothing to solve."""
    return (LEARNER,) if stem == INDEX else (LEARNER, SOLVED)


def notebook_path(stem: str, version: str = LEARNER) -> Path:
    """Where the learner's or the solved notebook of a lesson is stored."""
    return (NOTEBOOKS if version == LEARNER else SOLUTIONS) / f"{stem}.ipynb"


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
    """The course as a Markdown table: a link to each lesson, and what it costs.

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
        cost = times.get(lesson.stem)
        runs = duration(cost["learner_seconds"]) if cost else "not measured"
        memory = f"{cost['learner_mb'] / 1000:.1f} GB" if cost else ""
        target = link.format(stem=lesson.stem)
        rows.append(f"| [{title}]({target}) | {lesson.promise} | {runs} | {memory} |")
    return "\n".join(rows)
