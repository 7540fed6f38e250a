"""Make the notebooks from their sources: run each one, check it, and only then store it.

python -m tools.build.notebooks            # every lesson
python -m tools.build.notebooks 01 03      # these
python -m tools.build.notebooks --check    # run nothing; say which stored ones are out of date
python -m tools.build.notebooks --text     # run nothing; take over what changed in the text alone
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tlkit.paths import write_atomic
from tools.build.kernels import ESCAPE, cell_seconds, run_notebook
from tools.build.lessons import notebook_path, sources, versions_of
from tools.build.notebook_rules import code_cells, problems
from tools.build.notebook_text import (
    SourceError,
    lesson_code,
    plain_metadata,
    read_lesson,
    source_hash,
)

# Seconds; the budget is 30, but a busy machine must not fail a build.
CELL_TIMEOUT = 300
CELL_BUDGET = 30
_WIDGET = "application/vnd.jupyter.widget-view+json"
_MOVING = "*Run this cell to get its controls.*"


class BuildError(RuntimeError):
    """A notebook that could not be made; the message says where it stopped and why."""


def build(path: Path, version: str, run: bool = True, report=print) -> Path:
    """Make one notebook of a lesson, check it against the rules of the house, and store it.

    Args:
        path: The lesson's source.
        version: `"learner"` or `"solved"`.
        run: Whether to run it. Else only its text or tags changed, and it keeps the outputs it has.
        report: Called with lines of progress.

    Returns:
        The file that was written; nothing is written unless everything went well.

    Raises:
        SourceError: The source is malformed.
        BuildError: A cell failed, the stored outputs come from other code, or a rule is broken.
    """
    target = notebook_path(path.stem, version)
    notebook = read_lesson(path, version)
    _demand_none(path.name, problems(notebook, path.stem, executed=False))
    target.parent.mkdir(parents=True, exist_ok=True)
    if run:
        report(f"{path.stem}, {version}: running {len(notebook.cells)} cells")
        seconds = execute(notebook, target.parent, report)
        told = f"written after {seconds:.0f} s"
    else:
        _take_outputs(notebook, target)
        told = "has its new text"
    notebook.metadata["tlkit"] = {"executed_source": source_hash(notebook)}
    _demand_none(target.name, problems(notebook, path.stem, executed=True))
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    if not write_atomic(target, lambda file: file.write(text.encode())):
        raise BuildError(f"{target} cannot be written; is the folder read-only?")
    report(f"{path.stem}, {version}: {told}, {len(text) // 1000} kB")
    return target


def execute(notebook: NotebookNode, folder: Path, report=lambda text: None) -> float:
    """Run a notebook in a fresh kernel and leave its outputs in it, cleaned.

    Args:
        notebook: Changed in place.
        folder: The kernel's working directory.
        report: Called with one line per slow cell.

    Returns:
        How many seconds it took.

    Raises:
        BuildError: A cell failed, took too long, or killed the kernel.
    """
    seconds, problem = run_notebook(
        notebook, folder, timeout=CELL_TIMEOUT, store_widget_state=False
    )
    if problem:
        raise BuildError(problem)
    notebook.metadata = plain_metadata()  # the kernel added its own
    for number, cell in code_cells(notebook):
        if (took := cell_seconds(cell)) > CELL_BUDGET:
            report(f"  cell {number} took {took:.0f} s; the budget is {CELL_BUDGET} s")
        del cell.metadata["execution"]
        cell.outputs = _clean(cell.outputs)
    return seconds


def _take_outputs(notebook: NotebookNode, target: Path) -> None:
    """Give a notebook the outputs of the stored one, as if it had just been run."""
    stored = nbformat.read(target, as_version=4) if target.is_file() else nbformat.v4.new_notebook()
    if stored.metadata.get("tlkit", {}).get("executed_source") != source_hash(notebook):
        raise BuildError(f"The code of {target.stem} changed since it was run; make it.")
    for new, old in zip(lesson_code(notebook), lesson_code(stored), strict=True):
        new.outputs = old.outputs
    for count, (_, cell) in enumerate(code_cells(notebook), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


def drift(path: Path, version: str) -> str | None:
    """Say how a stored notebook differs from its source; None when it does not.

    Args:
        path: The lesson's source.
        version: `"learner"` or `"solved"`.

    Returns:
        One sentence, or None.
    """
    target = notebook_path(path.stem, version)
    name = f"{path.stem}, {version}"
    mend = f"Run: make notebooks LESSON={path.stem.partition('_')[0]}"
    if not target.is_file():
        return f"{name}: it has not been made yet. {mend}"
    stored, wanted = nbformat.read(target, as_version=4), read_lesson(path, version)
    for number, (old, new) in enumerate(zip(stored.cells, wanted.cells, strict=False), start=1):
        for what in ("cell_type", "source", "id", "metadata"):
            if old[what] != new[what]:
                return f"{name}, cell {number}: its {what} is not what the source says. {mend}"
    if len(stored.cells) != len(wanted.cells):
        return f"{name}: {len(stored.cells)} cells, and {len(wanted.cells)} in the source. {mend}"
    wanted.metadata["tlkit"] = {"executed_source": source_hash(wanted)}
    if stored.metadata != wanted.metadata:
        return f"{name}: its outputs come from another version of its code. {mend}"
    return None


def _demand_none(name: str, found: list[str]) -> None:
    if found:
        raise BuildError("\n  - ".join([f"{name} breaks the rules of the house:", *found]))


def _clean(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join the pieces of printed text, keep a progress line's last state, leave out widgets.

    A widget's view needs a running kernel and shows as an error on a static page. The picture that
    is given beside it stays, with a word on how to get the controls.
    """
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.get("data", {}).pop(_WIDGET, None):
            if len(output.data) > 1:
                word = nbformat.v4.new_output("display_data", {"text/markdown": _MOVING})
                kept += [output, word]
            continue
        last = kept[-1] if kept else None
        if output.output_type == "stream" and last is not None and last.get("name") == output.name:
            last.text += output.text
        else:
            kept.append(output)
    for output in kept:
        if output.output_type == "stream":
            lines = ESCAPE.sub("", output.text).replace("\r\n", "\n").split("\n")
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
    chosen = [(path, v) for path in sources(options.lessons) for v in versions_of(path.stem)]
    try:
        if options.check:
            found = [sentence for pair in chosen if (sentence := drift(*pair))]
            print("\n".join(found) or f"All {len(chosen)} notebooks agree with their sources.")
            return 1 if found else 0
        for pair in chosen:
            if not (options.stale or options.text) or drift(*pair):
                build(*pair, run=not options.text)
    except (BuildError, SourceError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
