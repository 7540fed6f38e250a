"""Make the notebooks from their sources: run each one, check it, and only then store it.

python -m tools.build_notebooks            # every lesson
python -m tools.build_notebooks 01 03      # these
python -m tools.build_notebooks --check    # run nothing; say which stored ones are out of date
python -m tools.build_notebooks --text     # run nothing; take over what changed in the text alone
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tlkit.paths import write_atomic
from tools.lessons import NOTEBOOKS, ROOT, SOLUTIONS, SOURCE
from tools.notebook_rules import problems
from tools.notebook_text import (
    LEARNER,
    SourceError,
    lesson_code,
    plain_metadata,
    read_lesson,
    source_hash,
    versions_of,
)

CELL_TIMEOUT = 300  # seconds; the budget is 30, but a busy machine must not fail a build
CELL_BUDGET = 30
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WIDGET = "application/vnd.jupyter.widget-view+json"


class BuildError(RuntimeError):
    """A notebook that could not be made; the message says where it stopped and why."""


def notebook_path(stem: str, version: str) -> Path:
    """Where the learner's or the solved notebook of a lesson is stored."""
    return (NOTEBOOKS if version == LEARNER else SOLUTIONS) / f"{stem}.ipynb"


def sources(wanted: list[str] | None = None) -> list[Path]:
    """The source files of the lessons whose names start as wanted; all of them by default.

    Raises:
        BuildError: A wanted lesson has no source.
    """
    every = sorted(SOURCE.glob("[0-9][0-9]*.py"))
    if not wanted:
        return every
    for start in wanted:
        if not any(path.stem.startswith(start) for path in every):
            known = ", ".join(path.stem for path in every)
            raise BuildError(f"No lesson's source starts with {start!r}. There is: {known}.")
    return [path for path in every if path.stem.startswith(tuple(wanted))]


def execute(notebook: NotebookNode, folder: Path, report=lambda text: None) -> None:
    """Run a notebook in a fresh kernel and leave its outputs in it, cleaned.

    Args:
        notebook: Changed in place.
        folder: The kernel's working directory.
        report: Called with one line per slow cell.

    Raises:
        BuildError: A cell failed, took too long, or killed the kernel.
    """
    started: dict[int, float] = {}

    def begin(cell, cell_index):
        started[cell_index] = time.perf_counter()

    def end(cell, cell_index, execute_reply):
        seconds = time.perf_counter() - started[cell_index]
        if seconds > CELL_BUDGET:
            report(f"  cell {cell_index + 1} took {seconds:.0f} s; the budget is {CELL_BUDGET} s")

    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "TLKIT_STRICT": "1"}
    environment.pop("MPLBACKEND", None)  # or the pictures would not be drawn into the page
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        on_cell_execute=begin,
        on_cell_executed=end,
    )
    try:
        client.execute(env=environment)
    except CellExecutionError as error:
        raise BuildError(_describe_failure(notebook, error)) from error
    except CellTimeoutError as error:
        raise BuildError(f"A cell ran longer than {CELL_TIMEOUT} s: {error}") from error
    except DeadKernelError as error:
        raise BuildError("The kernel died; most likely the memory ran out.") from error
    notebook.metadata = plain_metadata()  # the kernel added its own
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _clean(cell.outputs)
            cell.metadata.pop("execution", None)


def build(path: Path, version: str, report=print) -> Path:
    """Run one notebook of a lesson, check it against the rules of the house, and store it.

    Args:
        path: The lesson's source.
        version: `"learner"` or `"solved"`.
        report: Called with lines of progress.

    Returns:
        The file that was written; nothing is written unless everything went well.

    Raises:
        SourceError: The source is malformed.
        BuildError: A cell failed, or the notebook breaks a rule.
    """
    target = notebook_path(path.stem, version)
    notebook = read_lesson(path, version)
    _demand_none(path.name, problems(notebook, path.stem, executed=False))
    report(f"{target.relative_to(ROOT)}: running {len(notebook.cells)} cells")
    began = time.perf_counter()
    target.parent.mkdir(parents=True, exist_ok=True)
    execute(notebook, target.parent, report)
    size = _store(notebook, path.stem, target)
    seconds = time.perf_counter() - began
    report(f"{target.relative_to(ROOT)}: written after {seconds:.0f} s, {size // 1000} kB")
    return target


def retell(path: Path, version: str, report=print) -> Path:
    """Store a lesson whose text or tags changed and whose code did not, with the outputs it has.

    Args:
        path: The lesson's source.
        version: `"learner"` or `"solved"`.
        report: Called with lines of progress.

    Returns:
        The file that was written.

    Raises:
        SourceError: The source is malformed.
        BuildError: The stored outputs come from other code, or the notebook breaks a rule.
    """
    target = notebook_path(path.stem, version)
    notebook = read_lesson(path, version)
    stored = nbformat.read(target, as_version=4) if target.is_file() else nbformat.v4.new_notebook()
    if stored.metadata.get("tlkit", {}).get("executed_source") != source_hash(notebook):
        raise BuildError(f"The code of {path.name} changed since {target.name} was run; make it.")
    for new, old in zip(lesson_code(notebook), lesson_code(stored), strict=True):
        new.outputs = old.outputs
    every = (cell for cell in notebook.cells if cell.cell_type == "code")
    for count, cell in enumerate(every, start=1):  # as if they had just been run, set-up included
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    _store(notebook, path.stem, target)
    report(f"{target.relative_to(ROOT)}: has its new text")
    return target


def _store(notebook: NotebookNode, stem: str, target: Path) -> int:
    """Write a notebook that has its outputs, unless it breaks a rule; returns its size in bytes."""
    notebook.metadata["tlkit"] = {"executed_source": source_hash(notebook)}
    _demand_none(target.name, problems(notebook, stem, executed=True))
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    if not write_atomic(target, lambda file: file.write(text.encode())):
        raise BuildError(f"{target.relative_to(ROOT)} cannot be written; is the folder read-only?")
    return len(text)


def drift(path: Path, version: str) -> str | None:
    """Say how a stored notebook differs from its source; None when it does not.

    Args:
        path: The lesson's source.
        version: `"learner"` or `"solved"`.

    Returns:
        One sentence, or None.
    """
    target = notebook_path(path.stem, version)
    name = target.relative_to(ROOT)
    mend = f"Run: make notebooks LESSON={path.stem.partition('_')[0]}"
    if not target.is_file():
        return f"{name} has not been made yet. {mend}"
    stored = nbformat.read(target, as_version=4)
    wanted = read_lesson(path, version)
    for number, (old, new) in enumerate(zip(stored.cells, wanted.cells, strict=False), start=1):
        for what in ("cell_type", "source", "id", "metadata"):
            if old[what] != new[what]:
                return f"{name}, cell {number}: its {what} is not what the source says. {mend}"
    if len(stored.cells) != len(wanted.cells):
        return f"{name} has {len(stored.cells)} cells, its source {len(wanted.cells)}. {mend}"
    if stored.metadata.get("tlkit", {}).get("executed_source") != source_hash(wanted):
        return f"{name}: its outputs come from another version of its code. {mend}"
    wanted.metadata["tlkit"] = stored.metadata["tlkit"]
    return None if stored.metadata == wanted.metadata else f"{name}: its metadata differ. {mend}"


def _demand_none(name: str, found: list[str]) -> None:
    if found:
        raise BuildError("\n  - ".join([f"{name} breaks the rules of the house:", *found]))


def _describe_failure(notebook: NotebookNode, error: CellExecutionError) -> str:
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                first = cell.source.strip().splitlines()[0]
                return (
                    f"Cell {number} stopped with {error.ename}: {_ESCAPE.sub('', error.evalue)}\n"
                    f"  the cell begins: {first}"
                )
    return _ESCAPE.sub("", str(error))


def _clean(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join the pieces of printed text, keep a progress line's last state, leave out widgets.

    A widget's view needs a running kernel and shows as an error on a static page; the picture
    that stands beside it does not.
    """
    kept: list[NotebookNode] = []
    for output in outputs:
        if _WIDGET in output.get("data", {}):
            continue
        last = kept[-1] if kept else None
        if output.output_type == "stream" and last is not None and last.get("name") == output.name:
            last.text += output.text
        else:
            kept.append(output)
    for output in kept:
        if output.output_type == "stream":
            lines = _ESCAPE.sub("", output.text).replace("\r\n", "\n").split("\n")
            output.text = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)
    return [o for o in kept if o.output_type != "stream" or o.text.strip()]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="the numbers of the lessons, such as 01 03")
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    parser.add_argument("--text", action="store_true", help="take over new text, run nothing")
    parser.add_argument("--stale", action="store_true", help="make only what is out of date")
    options = parser.parse_args(arguments)
    try:
        chosen = [(path, v) for path in sources(options.lessons) for v in versions_of(path.stem)]
        if options.check:
            found = [sentence for pair in chosen if (sentence := drift(*pair))]
            print("\n".join(found) or f"All {len(chosen)} notebooks agree with their sources.")
            return 1 if found else 0
        for pair in chosen:
            if not (options.stale or options.text) or drift(*pair):
                (retell if options.text else build)(*pair)
    except (BuildError, SourceError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
