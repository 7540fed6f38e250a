"""The one way in which notebooks are run."""

import time

import nbformat
import pytest

from tools.build.kernels import cell_seconds, failures, run_notebook


def notebook_of(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])


def test_it_runs_strictly_where_it_is_told_to_and_says_how_long_each_cell_took(tmp_path):
    show = "import os; print(os.getcwd(), os.environ['TLKIT_STRICT'], os.environ['MORE'])"
    notebook = notebook_of(show, "import time; time.sleep(0.3)")
    seconds, problem = run_notebook(notebook, tmp_path, variables={"MORE": "and more"})
    assert problem == "" and 0.3 < cell_seconds(notebook.cells[1]) < seconds
    assert notebook.cells[0].outputs[0].text == f"{tmp_path} 1 and more\n"


def test_a_cell_that_fails_is_named_and_nothing_after_it_runs(tmp_path):
    notebook = notebook_of("x = 1", "# why\nx / 0", "print('after')")
    _, problem = run_notebook(notebook, tmp_path)
    assert problem == "cell 2: ZeroDivisionError: division by zero (it begins: # why)"
    assert notebook.cells[2].outputs == [] and cell_seconds(notebook.cells[2]) == 0


def test_when_errors_are_allowed_all_of_them_are_named(tmp_path):
    notebook = notebook_of("1 / 0", "x = 1", "undefined")
    assert run_notebook(notebook, tmp_path, allow_errors=True)[1] == ""
    first, second = failures(notebook, first=0)
    assert first.startswith("cell 0: ZeroDivisionError") and second.startswith("cell 2: NameError")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(3)", "kernel died"),
        ("import time; time.sleep(60)", "ran longer than 2 s"),
    ],
)
def test_a_hung_or_dead_kernel_ends_with_a_line(tmp_path, source, words):
    began = time.monotonic()
    assert words in run_notebook(notebook_of(source), tmp_path, timeout=2)[1]
    assert time.monotonic() - began < 45
