"""The stored notebooks: made from their sources, whole, and as the house wants them.

What they print is compared by nbval (`make test`); this is about what they are.
"""

import nbformat
import pytest

from tools.build.lessons import (
    INDEX,
    LESSONS,
    NOTEBOOKS,
    SOLUTIONS,
    notebook_path,
    sources,
    versions_of,
)
from tools.build.notebook_rules import problems
from tools.build.notebook_text import lesson_code
from tools.build.notebooks import drift

PAIRS = [(path, version) for path in sources() for version in versions_of(path.stem)]
every_notebook = pytest.mark.parametrize(
    ("path", "version"), PAIRS, ids=[f"{path.stem}-{version}" for path, version in PAIRS]
)


@every_notebook
def test_it_agrees_with_its_source(path, version):
    assert drift(path, version) is None


@every_notebook
def test_it_breaks_no_rule(path, version):
    notebook = nbformat.read(notebook_path(path.stem, version), as_version=4)
    nbformat.validate(notebook)
    found = problems(notebook, path.stem, executed=True)
    assert not found, "\n".join(found)


def test_every_notebook_has_a_source():
    found = {p.stem for folder in (NOTEBOOKS, SOLUTIONS) for p in folder.glob("*.ipynb")}
    assert found <= {path.stem for path in sources()}
    assert not (SOLUTIONS / f"{INDEX}.ipynb").exists()


def test_every_source_is_a_lesson_of_the_course_and_every_lesson_has_one():
    known = {INDEX, *(lesson.stem for lesson in LESSONS)}
    assert {path.stem for path in sources()} == known


def test_the_index_was_made_where_everything_worked():
    (cell,) = lesson_code(nbformat.read(notebook_path(INDEX), as_version=4))
    shown = "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    assert "All is well." in shown
