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


def test_every_written_lesson_was_measured():
    written = {lesson.stem for lesson in LESSONS if lesson.exists}
    assert written <= set(lesson_times()), "Run: python benchmarks/lessons.py --write"
    for stem in written:
        assert all(value > 0 for value in lesson_times()[stem].values())


def test_the_map_says_what_each_lesson_costs(monkeypatch, tmp_path):
    monkeypatch.setattr(lessons, "SOURCE", tmp_path)
    (tmp_path / "01_motivation.py").write_text("")
    (tmp_path / "03_feature_extraction.py").write_text("")
    cost = {"learner_seconds": 75.2, "learner_mb": 1234.0}
    monkeypatch.setattr(lessons, "lesson_times", lambda: {"01_motivation": cost})
    first, second, third, *_ = lesson_map("x/{stem}.ipynb").splitlines()[2:]
    assert first.startswith("| [01 Motivation](x/01_motivation.ipynb) | ")
    assert first.endswith(" | 1 min 15 s | 1.2 GB |")
    assert "in preparation" in second and "](" not in second
    assert "not measured" in third


def test_a_run_is_measured(tmp_path):
    path = tmp_path / "91_short.py"
    path.write_text("# %%\nimport time\nblock = bytearray(300_000_000)\ntime.sleep(0.5)\n")
    seconds, megabytes = BENCHMARK["measure"](path, "learner", tmp_path)
    assert seconds > 0.5 and megabytes > 300
