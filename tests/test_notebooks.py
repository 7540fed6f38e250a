"""The stored notebooks: made from their sources, whole, and as the house wants them.

What they print is compared by nbval (`make test`); this is about what they are.
"""

import re
from pathlib import Path

import nbformat
import pytest

from tools.build_notebooks import drift, notebook_path, sources
from tools.lessons import INDEX, LESSONS, NOTEBOOKS, SOLUTIONS, lesson_map
from tools.notebook_rules import FEWEST_COMPARED, compared_cells, problems
from tools.notebook_text import LEARNER, LESSON_MAP, lesson_code, solution_lines, versions_of

PAIRS = [(path, version) for path in sources() for version in versions_of(path.stem)]
LESSON_PAIRS = [(path, version) for path, version in PAIRS if path.stem != INDEX]
every_notebook = pytest.mark.parametrize(
    ("path", "version"), PAIRS, ids=[f"{path.stem}-{version}" for path, version in PAIRS]
)
every_lesson = pytest.mark.parametrize(
    ("path", "version"),
    LESSON_PAIRS,
    ids=[f"{path.stem}-{version}" for path, version in LESSON_PAIRS],
)


def stored(path: Path, version: str):
    """The stored notebook of a source."""
    place = notebook_path(path.stem, version)
    if not place.is_file():
        number = path.stem.partition("_")[0]
        pytest.fail(f"{place.name} is missing. Run: make notebooks LESSON={number}")
    return nbformat.read(place, as_version=4)


@every_notebook
def test_it_agrees_with_its_source(path, version):
    assert drift(path, version) is None


@every_notebook
def test_it_breaks_no_rule(path, version):
    notebook = stored(path, version)
    nbformat.validate(notebook)
    found = problems(notebook, path.stem, executed=True)
    assert not found, "\n".join(found)


@every_lesson
def test_nbval_has_enough_to_compare(path, version):
    assert len(compared_cells(stored(path, version))) >= FEWEST_COMPARED


@every_lesson
def test_the_learners_notebook_holds_no_solution(path, version):
    text = "\n".join(cell.source for cell in stored(path, version).cells)
    lines = {line.strip() for line in text.splitlines()}
    solved = solution_lines(path) & lines
    if version == LEARNER:
        assert not solved, f"The learner's notebook gives away: {solved}"
    else:
        assert solved == solution_lines(path)


@every_notebook
def test_its_links_to_files_lead_somewhere(path, version):
    place = notebook_path(path.stem, version)
    for cell in stored(path, version).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", cell.source):
                if not re.match(r"[a-z][a-z0-9+.-]*:", target):
                    assert (place.parent / target).exists(), f"{place.name} links to {target}"


def test_every_notebook_has_a_source():
    found = {p.stem for folder in (NOTEBOOKS, SOLUTIONS) for p in folder.glob("*.ipynb")}
    assert found <= {path.stem for path in sources()}
    assert not (SOLUTIONS / f"{INDEX}.ipynb").exists()


def test_every_source_is_a_lesson_of_the_course():
    known = {INDEX, *(lesson.stem for lesson in LESSONS)}
    assert {path.stem for path in sources()} <= known


def test_the_index_links_to_the_lessons_that_exist_and_names_the_others():
    (path,) = [path for path in sources() if path.stem == INDEX]
    text = "\n".join(cell.source for cell in stored(path, LEARNER).cells)
    assert LESSON_MAP not in text and lesson_map() in text
    for lesson in LESSONS:
        link = f"[{lesson.number} {lesson.title}]({lesson.stem}.ipynb)"
        assert (link in text) == lesson.exists
        assert lesson.title in text
    assert text.count("in preparation") == sum(not lesson.exists for lesson in LESSONS)


def test_the_index_was_made_where_everything_worked():
    (path,) = [path for path in sources() if path.stem == INDEX]
    (cell,) = lesson_code(stored(path, LEARNER))
    shown = "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
    assert "All is well." in shown
