"""The generator: what it makes of a source, and what it refuses."""

import base64
import re

import nbformat
import pytest

from tests.build.example_lesson import NAME, SOURCE, write_lesson
from tools.build import address, lessons
from tools.build.address import place_links, setup_code
from tools.build.lessons import notebook_path
from tools.build.notebook_rules import problems, rows_shown
from tools.build.notebook_text import SourceError, read_lesson, source_hash
from tools.build.notebooks import BuildError, build, drift, execute, main


def settle(folder, patch):
    """Make a folder a course, with nothing in it but the example; returns the example's source."""
    patch.setattr(lessons, "NOTEBOOKS", folder)
    patch.setattr(lessons, "SOLUTIONS", folder / "solutions")
    patch.setattr(lessons, "SOURCE", folder / "source")
    return write_lesson(folder / "source")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of its own."""
    return settle(tmp_path, monkeypatch)


@pytest.fixture
def lesson(tmp_path):
    """Reads a source text as the learner's or the solved version."""

    def read(source, version="learner"):
        return read_lesson(write_lesson(tmp_path, source), version)

    return read


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The example as a stored learner's and solved notebook, made once."""
    with pytest.MonkeyPatch.context() as patch:
        path = settle(tmp_path_factory.mktemp("course"), patch)
        stored = {v: build(path, v, report=lambda text: None) for v in ("learner", "solved")}
    return {v: nbformat.read(p, as_version=4) for v, p in stored.items()}


def sources(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


# --- from source to cells ---------------------------------------------------------------------


def test_the_learner_gets_the_stubs_and_nothing_of_the_solutions(lesson):
    text = sources(lesson(SOURCE))
    assert "one = ..." in text and "    return ..." in text and "three = None" in text
    for solved in ("41 - 40", "x + x", "1 + 1 + 1", "the answer is"):
        assert solved not in text


def test_the_solved_version_gets_the_solutions_and_no_stubs(lesson):
    text = sources(lesson(SOURCE, "solved"))
    assert "one = 41 - 40" in text and "    return x + x" in text
    assert "..." not in text and "three = None" not in text


@pytest.mark.parametrize("version", ["learner", "solved"])
def test_no_version_keeps_a_marker(lesson, version):
    assert not re.search(r"# (STUB|SOLUTION|END)", sources(lesson(SOURCE, version)))


def test_a_change_in_one_cell_renames_no_other(lesson):
    before = [cell.id for cell in lesson(SOURCE).cells]
    after = [cell.id for cell in lesson(SOURCE.replace('print("five', 'print("4')).cells]
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_two_cells_alike_have_names_of_their_own(lesson):
    notebook = lesson("# %%\n1\n\n# %%\n1\n")
    assert notebook.cells[1].id != notebook.cells[2].id
    nbformat.validate(notebook)


def test_tags_survive(lesson):
    notebook = lesson(SOURCE)
    assert rows_shown(notebook) == {"A1", "A2"}
    assert sum("nbval-check-output" in c.metadata.get("tags", []) for c in notebook.cells) == 5


def test_a_quiz_hides_its_code_for_it_holds_the_answers(lesson):
    (quiz,) = [c for c in lesson(SOURCE).cells if "quiz" in c.metadata.get("tags", [])]
    assert quiz.metadata.jupyter.source_hidden is True


def test_links_still_lead_there_from_the_folder_of_solutions(lesson):
    text = sources(lesson(SOURCE, "solved"))
    assert "(../../docs/curriculum.md)" in text and "(../pictures/dot.png)" in text
    assert "(../00_index.ipynb)" in text and "(92_other.ipynb#part)" in text
    assert "(https://example.org)" in text and f"(../{NAME}.ipynb)" in text


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("# END\ncheck(one", "check(one", "never closed by # END"),
        ("# SOLUTION\none", "one", "# END does not follow # SOLUTION"),
        ("# STUB\none = ...\n", "", "# SOLUTION does not follow # STUB"),
        ("# STUB\none", "# STUB: fill in\none", "looks like a marker"),
        ("# STUB\none", "#STUB\none", "looks like a marker"),
        ("# SOLUTION\none", "# SOLUTIONS\none", "looks like a marker"),
        ("# SOLUTION\none", "# Solution\none", "looks like a marker"),
        ("# END\ncheck(one", "# End.\ncheck(one", "looks like a marker"),
        ('# %% tags=["exercise"]\n# STUB\none', "# %%\n# STUB\none", "the tag `exercise`"),
        ('# %% tags=["nbval-check-output"]\n2 * 5', '# %% tags=["exercise"]\n2 * 5', "`exercise`"),
    ],
)
def test_a_malformed_exercise_is_refused_with_its_place(lesson, old, new, complaint):
    assert old in SOURCE
    with pytest.raises(SourceError, match=f"{NAME}.py, cell [0-9]+: .*{complaint}"):
        lesson(SOURCE.replace(old, new, 1))


def test_prose_about_solutions_is_no_marker(lesson):
    lesson("# %%\n# Solution by hand, in two steps, before the end of the page\n1\n")


# --- what is stored ---------------------------------------------------------------------------


def test_the_unanswered_exercises_say_what_is_to_do_and_the_solved_ones_are_right(made):
    def feedback(notebook):
        cells = [c for c in notebook.cells if "exercise" in c.metadata.get("tags", [])]
        return ["".join(o.get("text", "") for o in cell.outputs).splitlines()[-1] for cell in cells]

    assert all(line.startswith("○ Still to do") for line in feedback(made["learner"]))
    assert all(line.startswith("✓ Right") for line in feedback(made["solved"]))


def test_the_stored_metadata_say_nothing_about_this_computer(made):
    metadata = dict(made["learner"].metadata)
    assert set(metadata) == {"kernelspec", "language_info", "tlkit"}
    assert metadata["kernelspec"]["name"] == "python3"
    assert "version" not in metadata["language_info"]
    for cell in made["learner"].cells:
        assert set(cell.metadata) <= {"tags", "jupyter", "cellView"}


def test_a_second_run_writes_the_same_bytes(course, made):
    written = build(course, "learner", report=lambda text: None).read_bytes()
    assert written == (nbformat.writes(made["learner"]) + "\n").encode()
    assert b"\r\n" not in written


def test_a_failing_cell_stops_with_its_number_and_leaves_the_old_notebook(course, capsys):
    target = notebook_path(NAME, "learner")
    target.write_text("the old one")
    write_lesson(course.parent, SOURCE.replace("2 + 3 == 5", "2 + 2 == 5"))
    assert main([NAME[:2]]) == 1
    complaint = capsys.readouterr().err
    assert "cell 4: ClaimError" in complaint
    assert "a hand has five fingers" in complaint and "\x1b" not in complaint
    assert target.read_text() == "the old one"
    assert [p.name for p in target.parent.iterdir() if p.is_file()] == [target.name]


def test_a_broken_rule_keeps_a_notebook_from_being_stored(course):
    write_lesson(course.parent, SOURCE.replace("# A1 and A2.", "# A1, A2 and A7."))
    with pytest.raises(BuildError, match=r"91_example.py breaks the rules(.|\n)*tagged: A7"):
        build(course, "learner", report=lambda text: None)
    assert not notebook_path(NAME, "learner").exists()


BAD_CELLS = {
    "import sys; print('oh', file=sys.stderr)": "wrote to stderr",
    "import warnings; warnings.warn('mind')": "wrote to stderr",
    "import os; print(os.path.abspath('.'))": "a path of this computer",
    "object()": "a memory address",
}
PROGRESS = "for i in range(3): print(f'\\r{i} of 2', end='', flush=True)\nprint()"
SLIDER = "import ipywidgets; print('before'); ipywidgets.IntSlider()"
MOVED = "import tlkit; tlkit.course.explore(lambda v: tlkit.plots.image_grid([[[v]]]), v=[1, 2])"


def test_outputs_are_cleaned_and_what_must_not_be_stored_is_found(tmp_path):
    cells = [nbformat.v4.new_code_cell(code) for code in (*BAD_CELLS, PROGRESS, SLIDER, MOVED)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    execute(notebook, tmp_path)
    found = problems(notebook, "00_index", executed=True)
    for number, complaint in enumerate(BAD_CELLS.values(), start=1):
        assert any(f"Cell {number} " in sentence and complaint in sentence for sentence in found)
    assert len(found) == len(BAD_CELLS)
    assert [o.text for o in cells[-3].outputs] == ["2 of 2\n"]
    assert [o.text for o in cells[-2].outputs] == ["before\n"]
    picture, word = (output.data for output in cells[-1].outputs)
    assert set(picture) == {"image/png", "text/plain"} and "Run this cell" in word["text/markdown"]
    assert "widgets" not in notebook.metadata


# --- drift ------------------------------------------------------------------------------------


@pytest.fixture
def stored(course, made):
    """The example's two notebooks in their places."""
    for version, notebook in made.items():
        target = notebook_path(NAME, version)
        target.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, target)
    return course


def test_fresh_notebooks_do_not_drift(stored):
    assert drift(stored, "learner") is None and drift(stored, "solved") is None
    assert main(["--check"]) == 0


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("A minute.", "An hour.", "cell 1: its source"),
        ('"row-A1", ', '"row-A3", ', "cell 3: its metadata"),
        ('print("ten"', 'print("eleven"', "cell 7: its source"),
        ("# %% [markdown]\n# ## Exercises\n", "", "its (source|cell_type)"),
    ],
)
def test_an_edited_source_is_drift(stored, old, new, complaint, capsys):
    write_lesson(stored.parent, SOURCE.replace(old, new))
    assert re.search(complaint, drift(stored, "learner"))
    assert main(["--check"]) == 1 and "make notebooks LESSON=91" in capsys.readouterr().out


def test_an_edited_notebook_is_drift(stored):
    path = notebook_path(NAME, "solved")
    path.write_text(path.read_text().replace("twenty in all", "thirty in all"))
    assert "its source is not what the source says" in drift(stored, "solved")


def test_outputs_of_another_version_of_the_code_are_drift(stored):
    """Source and stored cells edited alike, without a run: only the fingerprint can tell."""
    new = SOURCE.replace("twenty in all", "thirty in all")
    write_lesson(stored.parent, new)
    path = notebook_path(NAME, "learner")
    fresh, old = read_lesson(stored, "learner"), nbformat.read(path, as_version=4)
    for cell, wanted in zip(old.cells, fresh.cells, strict=True):
        cell.source, cell.id = wanted.source, wanted.id
    nbformat.write(old, path)
    assert source_hash(fresh) != old.metadata.tlkit.executed_source
    assert "its outputs come from another version of its code" in drift(stored, "learner")


def test_new_text_is_taken_over_without_a_run(stored):
    path = notebook_path(NAME, "learner")
    outputs = [cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells]
    write_lesson(stored.parent, SOURCE.replace("A minute.", "An hour."))
    assert main(["--text"]) == 0 and main(["--check"]) == 0
    told = nbformat.read(path, as_version=4)
    assert [cell.get("outputs") for cell in told.cells] == outputs
    assert "An hour." in sources(told)


def test_new_code_is_not_taken_over_without_a_run(stored, capsys):
    path = notebook_path(NAME, "learner")
    before = path.read_bytes()
    write_lesson(stored.parent, SOURCE.replace('print("ten"', 'print("eleven"'))
    assert main(["--text"]) == 1 and "changed since" in capsys.readouterr().err
    path_of_none = notebook_path(NAME, "solved")
    path_of_none.unlink()
    assert main(["--text"]) == 1 and path.read_bytes() == before and not path_of_none.exists()


def test_a_notebook_that_was_never_made_is_drift(course):
    assert "has not been made yet" in drift(course, "learner")


# --- the links under the title and the first cell ---------------------------------------------


@pytest.mark.parametrize("version", ["learner", "solved"])
def test_under_the_title_stand_links_elsewhere_and_the_cell_that_sets_colab_up(lesson, version):
    title, setup, *_ = [
        c for c in lesson(SOURCE, version).cells if "solved version" not in c.source
    ]
    place = f"notebooks/{'solutions/' if version == 'solved' else ''}{NAME}.ipynb"
    assert title.source.splitlines()[:3] == ["# An example", "", place_links(place)]
    assert setup.source == setup_code() and setup.metadata.tags == ["setup"]
    assert setup.metadata.jupyter.source_hidden is True and setup.metadata.cellView == "form"


def test_the_first_cell_is_short():
    assert len([line for line in setup_code().splitlines() if line.strip()]) <= 18


def test_another_address_reaches_stored_notebooks_without_a_run(stored, monkeypatch):
    before = nbformat.read(notebook_path(NAME, "learner"), as_version=4)
    there = "https://github.com/owner/name"
    monkeypatch.setattr(address, "address", lambda root=None: there)
    assert main(["--check"]) == 1
    assert main(["--text"]) == 0 and main(["--check"]) == 0
    after = nbformat.read(notebook_path(NAME, "learner"), as_version=4)
    assert there in after.cells[1].source and "/github/owner/name/" in after.cells[0].source
    assert [c.get("outputs") for c in after.cells] == [c.get("outputs") for c in before.cells]


def test_the_first_cell_is_put_into_a_notebook_that_was_stored_without_it(stored):
    path = notebook_path(NAME, "learner")
    wanted = path.read_bytes()
    old = nbformat.read(path, as_version=4)
    del old.cells[1]
    for count, cell in enumerate((c for c in old.cells if c.cell_type == "code"), start=1):
        cell.execution_count = count
    nbformat.write(old, path)
    assert main(["--text"]) == 0 and path.read_bytes() == wanted


def test_an_unknown_lesson_is_named_with_the_known_ones(course):
    with pytest.raises(SystemExit, match=r"No lesson starts with '55'\. There is: 91_example"):
        main(["55"])


# --- the rules --------------------------------------------------------------------------------


def broken(made, change):
    notebook = nbformat.from_dict(made["learner"])
    notebook = nbformat.reads(nbformat.writes(notebook), as_version=4)
    change(notebook)
    return problems(notebook, NAME, executed=True)


def set_source(number, text):
    def change(notebook):
        notebook.cells[number - 1].source = text

    return change


def set_output(number, text):
    def change(notebook):
        output = nbformat.v4.new_output("stream", name="stdout", text=text)
        notebook.cells[number - 1].outputs = [output]

    return change


def nothing_in(*numbers):
    def change(notebook):
        for number in numbers:
            notebook.cells[number - 1].outputs = []

    return change


def add_picture(size, alt="", after=None):
    def change(notebook):
        data = base64.b64encode(bytes(size)).decode()
        metadata = {"image/png": {"alt": alt}} if alt else {}
        output = nbformat.v4.new_output("display_data", {"image/png": data}, metadata=metadata)
        notebook.cells[5].outputs.append(output)
        if after:
            notebook.cells.insert(6, nbformat.v4.new_markdown_cell(after))

    return change


def first_cell_without(text):
    def change(notebook):
        cell = next(c for c in notebook.cells if text in c.source)
        cell.source = cell.source.replace(text, "Something else")

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (set_source(4, "\n".join(["x = 1"] * 13)), "has 13 lines"),
        (set_source(4, ""), "is empty"),
        (set_source(4, "%matplotlib inline"), "magic"),
        (set_source(3, "import keras"), "imports keras before tlkit"),
        (set_source(4, "!pip install something"), "magic"),
        (set_source(4, "# NBVAL_CHECK_OUTPUT because it matters\n1"), "nbval comment"),
        (lambda n: n.cells[3].metadata.update(tags=["nbval-check-ouptut"]), "unknown tag"),
        (lambda n: n.cells[3].metadata.update(tags=["row-H1"]), "unknown tag"),
        (lambda n: n.cells[4].metadata.update(tags=["nbval-check-output"]), "is not code"),
        (lambda n: n.cells[3].metadata.update(tags=[]), "There are 4 compared cells"),
        (lambda n: n.cells[3].update(execution_count=None), "was not run in its turn"),
        (lambda n: n.cells[3].update(execution_count=9), "was not run in its turn"),
        (lambda n: n.cells[3].update(outputs=[]), "prints nothing that could be compared"),
        (lambda n: n.cells[9].update(outputs=[]), "The quiz shows 0 questions"),
        (lambda n: n.cells[11].metadata.update(tags=[]), "There are 3 exercises"),
        (lambda n: n.cells[9].metadata.update(tags=[]), "No cell is tagged quiz"),
        (lambda n: n.cells[4].metadata.update(tags=[]), "no cell is tagged: A2"),
        (lambda n: n.cells[4].metadata.update(tags=["row-A3"]), "not listed as covered: A3"),
        (lambda n: n.metadata.update(widgets={}), "state of its widgets"),
        (set_output(2, "tlkit is too old"), "sets Colab up, and elsewhere it prints nothing"),
        (nothing_in(3, 4, 6), "the result comes first"),
        (first_cell_without("What you will be able to do"), "'What you will be able to do' is"),
        (first_cell_without("How long it takes"), "'How long it takes' is missing"),
        (first_cell_without("What you measured"), "'What you measured' is missing"),
        (first_cell_without("Further reading"), "'Further reading' is missing"),
        (add_picture(100_001, alt="a dot"), "a picture of 100 kB"),
        (add_picture(10), "nothing describes"),
        (add_picture(10, after="## A heading is no description"), "nothing describes"),
        (add_picture(2_000_000, alt="a dot"), "MB; at most 2"),
    ],
)
def test_every_rule_finds_what_breaks_it(made, change, complaint):
    assert any(complaint in sentence for sentence in broken(made, change))


@pytest.mark.parametrize(
    "change",
    [add_picture(99_000, alt="a dot"), add_picture(10, after="The dot is where you put it.")],
)
def test_a_picture_that_is_small_and_described_is_welcome(made, change):
    assert broken(made, change) == [] or all("in its turn" in s for s in broken(made, change))


def test_long_cells_on_the_whole_are_noticed(lesson):
    notebook = lesson("# %%\na = 1\nb = 2\nc = 3\nd = 4\ne = 5\n")
    assert "The median code cell has 5 lines; 4 are wanted." in problems(notebook, NAME, False)


def test_rows_may_be_listed_as_a_range(made):
    def change(notebook):
        notebook.cells[-1].source = notebook.cells[-1].source.replace("A1 and A2", "A1–A2")

    assert broken(made, change) == []
