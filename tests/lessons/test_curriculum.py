"""Every row of the curriculum is shown by a cell of its lesson."""

import re

import pytest

from tools.build.lessons import LESSONS, ROOT, SOURCE
from tools.build.notebook_rules import rows_shown
from tools.build.notebook_text import read_lesson

CURRICULUM = (ROOT / "docs" / "curriculum.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^- \*\*([A-G]\d+)\*\* ", CURRICULUM, re.MULTILINE)
LENGTHS = {"A": 15, "B": 6, "C": 9, "D": 11, "E": 6, "F": 5, "G": 5}


def test_the_curriculum_is_complete_and_in_order():
    assert [f"{a}{n}" for a, many in LENGTHS.items() for n in range(1, many + 1)] == ROWS


def test_every_lesson_has_its_chapter():
    chapters = re.findall(r"^## ([A-G])\. (.+) \(lessons? (.+)\)$", CURRICULUM, re.MULTILINE)
    assert [letter for letter, _, _ in chapters] == list(LENGTHS)
    for letter, title, numbers in chapters:
        lessons = [lesson for lesson in LESSONS if lesson.letter == letter]
        assert (title, numbers.split(" and ")) == (lessons[0].title, [x.number for x in lessons])


def test_every_row_belongs_to_one_lesson():
    for row in ROWS:
        assert sum(lesson.teaches(row) for lesson in LESSONS) == 1, row
    assert [lesson.number for lesson in LESSONS if lesson.teaches("D8")] == ["04b"]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_every_row_of_a_lesson_is_shown_by_a_cell(lesson):
    shown = rows_shown(read_lesson(SOURCE / f"{lesson.stem}.py", "learner"))
    missing = [row for row in ROWS if lesson.teaches(row) and row not in shown]
    assert not missing, f"No cell of {lesson.stem} is tagged row-{', row-'.join(missing)}."
    assert shown <= set(ROWS), f"These rows do not exist: {shown - set(ROWS)}"
