"""The measured times, and the pages that show them."""

import runpy

import pytest

from tools.build import lessons
from tools.build.lessons import LESSONS, ROOT, duration, lesson_map, lesson_times

BENCHMARK = runpy.run_path(str(ROOT / "benchmarks" / "lessons.py"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (48.4, "48 s"), (59.7, "1 min"), (120, "2 min"), (190, "3 min 10 s")],
)
def test_a_duration_reads_as_a_person_says_it(seconds, text):
    assert duration(seconds) == text


def test_every_lesson_was_measured():
    measured = lesson_times()
    for lesson in LESSONS:
        assert lesson.stem in measured, "Run: python benchmarks/lessons.py --write"
        assert all(value > 0 for value in measured[lesson.stem].values())


def test_the_map_says_what_each_lesson_costs(monkeypatch):
    cost = {"learner_seconds": 75.2, "learner_mb": 1234.0}
    monkeypatch.setattr(lessons, "lesson_times", lambda: {"01_motivation": cost})
    first, second, *_ = lesson_map("x/{stem}.ipynb").splitlines()[2:]
    assert first.startswith("| [01 Motivation](x/01_motivation.ipynb) | ")
    assert first.endswith(" | 1 min 15 s | 1.2 GB |")
    assert second.startswith("| [02 ") and "not measured" in second


def test_a_run_is_measured(tmp_path):
    path = tmp_path / "91_short.py"
    path.write_text("# %%\nimport time\nblock = bytearray(300_000_000)\ntime.sleep(0.5)\n")
    seconds, megabytes = BENCHMARK["measure"](path, "learner", tmp_path)
    assert seconds > 0.5 and megabytes > 300
