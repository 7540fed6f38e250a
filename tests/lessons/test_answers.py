"""No constant that one may think of passes an exercise, and no learner's page shows an answer."""

import contextlib
import io
import re

import nbformat
import pytest

from tlkit.course import check
from tools.build.lessons import LESSONS, notebook_path

LOOKED_UP = re.compile(r'^check\("(\d\d[a-z]?\.\d+)", (\w+)\)$', re.MULTILINE)
PAGES = {
    lesson.stem: nbformat.read(notebook_path(lesson.stem), as_version=4).cells for lesson in LESSONS
}
NUMBERS = [
    number
    for cells in PAGES.values()
    for cell in cells
    for number, _ in LOOKED_UP.findall(cell.source)
]
PLAUSIBLE = [0, 0.1, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99, 1, 2, 3, 5, 10, 50, 100]
PLAUSIBLE += [-1, 1000, True, "yes", [0.8]]


@pytest.mark.lessons
@pytest.mark.parametrize("number", NUMBERS)
def test_no_plausible_constant_passes(number):
    for constant in PLAUSIBLE:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            check(number, constant)
        assert "✓" not in printed.getvalue(), constant


@pytest.mark.parametrize("stem", PAGES)
def test_an_exercise_that_is_looked_up_shows_no_answer(stem):
    for cell in PAGES[stem]:
        for number, name in LOOKED_UP.findall(cell.source):
            assert "hint" not in cell.source, number
            assert f"{name} = ..." in cell.source or f"def {name}(" in cell.source, number
            assert all("✗" not in output.get("text", "") for output in cell.outputs), number
