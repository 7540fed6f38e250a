"""Run a lesson in a fresh kernel, broken or on a computer of another kind, and hear its claims."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import nbformat

from tools.build.kernels import failures, run_notebook
from tools.build.lessons import ROOT, SOLVED, SOURCE
from tools.build.notebook_text import read_lesson

# Runs before the lesson. Claims are noted and none stops its cell, so that all of them are heard.
_LISTEN = """
import tlkit.course.claims as _claims
_heard = []

def _claim(statement, holds, evidence="", *, above=None, below=None):
    value = None if above is below is None else float(holds)
    decided = _claims.decide(statement, holds, above, below)
    _heard.append([statement, decided, evidence, value, above, below])

_claims.claim = _claim
"""
# Runs after it.
_TELL = "import json as _json; print('CLAIMS ' + _json.dumps(_heard))"


class Heard(NamedTuple):
    """One claim as a run of its lesson made it; without a number, the last three are None."""

    statement: str
    holds: bool
    evidence: str
    value: float | None
    above: float | None
    below: float | None


@dataclass(frozen=True)
class Outcome:
    """What became of a lesson's claims.

    Attributes:
        heard: Every claim, in the order in which they were made.
        passed: Statements that held whenever they were made.
        failed: Statements that did not hold at least once.
        errors: The error of each cell that stopped, as `"cell 7: NameError: …"`.
    """

    heard: tuple[Heard, ...]
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    errors: tuple[str, ...]


def run_lesson(
    path: Path,
    prelude: str,
    cache: Path,
    until: Sequence[str] = (),
    timeout: int = 600,
    variables: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a solved lesson in a fresh kernel, to its end, whatever its claims say.

    Args:
        path: The lesson's source.
        prelude: Python code that runs first, such as what breaks something.
        cache: A folder of its own for what is cached, so that nothing wrong is left behind.
        until: Words of claims; cells after the last one that makes such a claim are left out, to
            save their time. All cells are run by default.
        timeout: Seconds for each cell.
        variables: Environment variables of the kernel, beside those of this process.

    Returns:
        Which claims held and which did not.
    """
    notebook = read_lesson(path, SOLVED)
    lesson = [cell for cell in notebook.cells if cell.cell_type == "code"]
    ends = [n for n, cell in enumerate(lesson, 1) if any(words in cell.source for words in until)]
    lesson = lesson[: max(ends, default=len(lesson))]
    first, last = (nbformat.v4.new_code_cell(code) for code in (_LISTEN + prelude, _TELL))
    notebook.cells = [first, *lesson, last]
    told = {"TLKIT_CACHE": str(cache), **(variables or {})}
    folder = ROOT / "notebooks"
    _, problem = run_notebook(notebook, folder, variables=told, timeout=timeout, allow_errors=True)
    if problem:
        raise RuntimeError(problem)
    errors = failures(notebook, first=0)
    if errors and errors[0].startswith("cell 0:"):
        raise RuntimeError(f"The prelude itself failed: {errors[0]}")
    if errors and errors[-1].startswith(f"cell {len(notebook.cells) - 1}:"):
        raise RuntimeError(f"The claims cannot be told: {errors[-1]}")
    printed = "".join(output.get("text", "") for output in last.outputs)
    (line,) = [line for line in printed.splitlines() if line.startswith("CLAIMS ")]
    heard = tuple(Heard(*each) for each in json.loads(line.removeprefix("CLAIMS ")))
    failed = {each.statement: None for each in heard if not each.holds}
    passed = {each.statement: None for each in heard if each.statement not in failed}
    return Outcome(heard, tuple(passed), tuple(failed), tuple(errors))


def lesson_source(start: str) -> Path:
    """The source of the lesson whose name starts so."""
    (path,) = SOURCE.glob(f"{start}_*.py")
    return path
