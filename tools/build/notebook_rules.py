"""The rules a notebook of the course keeps, each as one sentence when it is broken.

The generator refuses to store a notebook that breaks one, and the tests read the stored ones again.
"""

from __future__ import annotations

import base64
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.build.lessons import INDEX, ROOT
from tools.build.notebook_text import EVIDENCE, SETUP, is_setup, lesson_code

COMPARE = "nbval-check-output"
MOST_LINES, MEDIAN_LINES = 12, 4
PICTURE_BYTES, NOTEBOOK_BYTES = 100_000, 2_000_000
FEWEST_COMPARED, FEWEST_EXERCISES, FEWEST_QUESTIONS = 5, 4, 5

# Sections that open and close a lesson, each as a heading of its own.
OPENING = ("What you will be able to do", "How long it takes", "What you need")
CLOSING = ("What you measured", "Quiz", "Further reading", "Curriculum rows")

_KNOWN_TAG = re.compile(
    r"row-[A-G]\d{1,2}|nbval-check-output|exercise|evidence|quiz|slide|sub-slide|notes|skip-slide|setup"
)
_NBVAL_COMMENT = re.compile(r"^\s*#.*nbval", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")
_MACHINE_PATH = re.compile(r"(?<![\w.])(/(?:home|root|tmp|Users|private|work)/\S+|[A-Z]:\\\S+)")
_ROW = re.compile(r"\b([A-G])(\d{1,2})(?:\s*(?:–|-|to)\s*\1?(\d{1,2}))?\b")


def problems(notebook: NotebookNode, stem: str, executed: bool) -> list[str]:
    """Everything that is wrong with a notebook.

    Args:
        notebook: The notebook.
        stem: The lesson's name, such as `"01_motivation"`.
        executed: Whether its outputs are to be judged, too.

    Returns:
        One sentence per broken rule; empty when there is none.
    """
    found = [*_tags(notebook), *_lengths(notebook), *_imports(notebook)]
    if executed:
        found += [*_outputs(notebook), *_pictures(notebook), *_compared(notebook), *_size(notebook)]
    if stem != INDEX:
        found += [*_sections(notebook), *_rows(notebook, stem), *_counts(notebook)]
        if executed:
            found += _lesson_outputs(notebook)
    return found


def code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Every code cell with its number, counted over all cells from 1."""
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code":
            yield number, cell


def tags(cell: NotebookNode) -> list[str]:
    """A cell's tags."""
    return list(cell.metadata.get("tags", []))


def tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    """The cells that carry a tag."""
    return [cell for cell in notebook.cells if tag in tags(cell)]


def rows_shown(notebook: NotebookNode) -> set[str]:
    """The curriculum rows that some cell of the notebook is tagged with, such as `"A1"`."""
    return {t.removeprefix("row-") for c in notebook.cells for t in tags(c) if t.startswith("row-")}


def _tags(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in enumerate(notebook.cells, start=1):
        for tag in tags(cell):
            if not _KNOWN_TAG.fullmatch(tag):
                yield f"Cell {number} has the unknown tag {tag!r}."
        if COMPARE in tags(cell) and cell.cell_type != "code":
            yield f"Cell {number} is tagged {COMPARE} but is not code."
        if cell.cell_type == "code" and _NBVAL_COMMENT.search(cell.source):
            yield f"Cell {number} has an nbval comment, easily misread; use the tag {COMPARE}."
        if cell.cell_type == "code" and re.search(r"^\s*[%!]", cell.source, re.MULTILINE):
            yield f"Cell {number} uses a magic or a shell command; lessons are plain Python."


def _lengths(notebook: NotebookNode) -> Iterator[str]:
    lengths = {}
    for number, cell in code_cells(notebook):
        if not {"exercise", "quiz", SETUP, EVIDENCE} & set(tags(cell)):
            lengths[number] = sum(bool(line.strip()) for line in cell.source.splitlines())
    for number, length in lengths.items():
        if length > MOST_LINES:
            yield f"Cell {number} has {length} lines; a learner reads {MOST_LINES} at a glance."
        if length == 0:
            yield f"Cell {number} is empty."
    if lengths and (median := statistics.median_low(lengths.values())) > MEDIAN_LINES:
        yield f"The median code cell has {median} lines; {MEDIAN_LINES} are wanted."


def _imports(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in code_cells(notebook):
        if is_setup(cell):
            continue
        first = re.search(
            r"^\s*(?:import|from) (tlkit|keras|tensorflow)\b", cell.source, re.MULTILINE
        )
        if first:
            if first[1] != "tlkit":
                yield (
                    f"Cell {number} imports {first[1]} before tlkit, which keeps TensorFlow from "
                    "greeting on stderr."
                )
            return


def _outputs(notebook: NotebookNode) -> Iterator[str]:
    expected = 1
    for number, cell in code_cells(notebook):
        if cell.execution_count != expected:
            yield f"Cell {number} was not run in its turn (its count is {cell.execution_count})."
        expected += 1
        if is_setup(cell) and cell.outputs:
            yield f"Cell {number} sets Colab up, and elsewhere it prints nothing when all is well."
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"Cell {number} holds an error: {output.ename}."
            if output.get("name") == "stderr":
                yield f"Cell {number} wrote to stderr: {output.text.strip()[:200]!r}."
            if any("widget" in kind for kind in output.get("data", {})):
                yield f"Cell {number} stores a widget, which a static page cannot show."
            shown = _text_of(output)
            if found := _ADDRESS.search(shown):
                yield f"Cell {number} shows a memory address ({found[0]}), new in every run."
            if found := _MACHINE_PATH.search(shown) or _own_path(shown):
                yield f"Cell {number} shows a path of this computer: {found[0]}"
    if "widgets" in notebook.metadata:
        yield "The notebook stores the state of its widgets."


def _own_path(shown: str) -> list[str]:
    return [place for place in (str(ROOT), str(Path.home()), sys.prefix) if place in shown]


def _pictures(notebook: NotebookNode) -> Iterator[str]:
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            pictures = {k: v for k, v in output.get("data", {}).items() if k.startswith("image/")}
            for kind, data in pictures.items():
                raw = len(data) if kind == "image/svg+xml" else len(base64.b64decode(data))
                if raw > PICTURE_BYTES:
                    yield f"Cell {index + 1} stores a picture of {raw // 1000} kB, more than 100."
            if pictures and not _described(notebook, index, output):
                yield (
                    f"Cell {index + 1} shows a picture that nothing describes: give it an alt "
                    "text, or let the next cell begin with a sentence about it."
                )
        html = "".join(o.get("data", {}).get("text/html", "") for o in cell.get("outputs", []))
        for image in re.findall(r"<img\b[^>]*>", html):
            if not re.search(r"\balt=[\"'][^\"']+", image):
                yield f"Cell {index + 1} shows an <img> without alt text."


def _described(notebook: NotebookNode, index: int, output: NotebookNode) -> bool:
    """Whether there is an alt text, a caption among the outputs, or a sentence in the next cell."""
    metadata = output.get("metadata", {})
    if metadata.get("alt") or any(m.get("alt") for m in metadata.values() if isinstance(m, dict)):
        return True
    for other in notebook.cells[index].outputs:
        text = "".join(other.get("data", {}).get(k, "") for k in ("text/html", "text/markdown"))
        if "figcaption" in text or 'class="caption"' in text or text.lstrip().startswith("*"):
            return True
    after = notebook.cells[index + 1 : index + 2]
    return bool(after) and after[0].cell_type == "markdown" and not after[0].source.startswith("#")


def _compared(notebook: NotebookNode) -> Iterator[str]:
    for number, cell in code_cells(notebook):
        if COMPARE in tags(cell) and not any(map(_text_of, cell.outputs)):
            yield f"Cell {number} is tagged {COMPARE} but prints nothing that could be compared."


def _size(notebook: NotebookNode) -> Iterator[str]:
    size = len(nbformat.writes(notebook).encode())
    if size > NOTEBOOK_BYTES:
        yield f"The notebook has {size / 1e6:.1f} MB; at most 2 are wanted."


def _headings(notebook: NotebookNode) -> list[str]:
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return [line.lstrip("#").strip().lower() for line in text.splitlines() if line.startswith("#")]


def _sections(notebook: NotebookNode) -> Iterator[str]:
    headings = _headings(notebook)
    places = []
    for section in (*OPENING, *CLOSING):
        at = [i for i, heading in enumerate(headings) if heading.startswith(section.lower())]
        if not at:
            yield f"The heading {section!r} is missing."
        else:
            places.append(at[-1] if section in CLOSING else at[0])
    if places != sorted(places):
        yield f"The sections do not come in order: {', '.join((*OPENING, *CLOSING))}."


def _rows(notebook: NotebookNode, stem: str) -> Iterator[str]:
    shown = rows_shown(notebook)
    last = [cell for cell in notebook.cells if re.search(r"^#+ Curriculum rows", cell.source, re.M)]
    if last:
        text = last[-1].source[last[-1].source.index("Curriculum rows") :]
        listed = set()
        for letter, first, end in _ROW.findall(text):
            listed |= {f"{letter}{n}" for n in range(int(first), int(end or first) + 1)}
        if listed - shown:
            yield f"Listed as covered, but no cell is tagged: {', '.join(sorted(listed - shown))}."
        if shown - listed:
            yield f"Tagged, but not listed as covered: {', '.join(sorted(shown - listed))}."


def _counts(notebook: NotebookNode) -> Iterator[str]:
    exercises = len(tagged(notebook, "exercise"))
    if exercises < FEWEST_EXERCISES:
        yield f"There are {exercises} exercises; at least {FEWEST_EXERCISES} are wanted."
    if not tagged(notebook, "quiz"):
        yield "No cell is tagged quiz."
    compared = len(tagged(notebook, COMPARE))
    if compared < FEWEST_COMPARED:
        yield f"There are {compared} compared cells; at least {FEWEST_COMPARED} are wanted."


def _lesson_outputs(notebook: NotebookNode) -> Iterator[str]:
    if not any(cell.outputs for cell in lesson_code(notebook)[:3]):
        yield "None of the first three code cells shows anything: the result comes first."
    quiz = "".join(
        output.get("data", {}).get("text/html", "")
        for cell in tagged(notebook, "quiz")
        for output in cell.outputs
    )
    questions = len(re.findall(r"<p><b>\d+\.</b>", quiz))  # as tlkit.course.quiz writes them
    if questions < FEWEST_QUESTIONS:
        yield f"The quiz shows {questions} questions; at least {FEWEST_QUESTIONS} are wanted."


def _text_of(output: NotebookNode) -> str:
    """The text of an output that nbval compares; a figure's placeholder is none."""
    if output.output_type == "stream":
        return output.text if output.name == "stdout" else ""
    data = output.get("data", {})
    if any(kind.startswith("image/") for kind in data):
        return ""
    return "".join(data.get(kind, "") for kind in ("text/plain", "text/html", "text/markdown"))
