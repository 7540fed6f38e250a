"""From a lesson's source file to the cells of its two notebooks; nothing is run here.

The source is a Python file in jupytext's percent format. An exercise cell holds blocks of

    # STUB
    answer = ...
    # SOLUTION
    answer = 42
    # END

of which the learner's notebook keeps the first part and the solutions notebook the second. Under
the title come two things that the source does not hold: links to other places where the notebook
can be opened, and the cell that sets Colab up.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from tools.build.address import place_links, setup_code
from tools.build.lessons import INDEX, LEARNER, SOLVED, lesson_map

# The tag of the first code cell, the same in every notebook.
SETUP = "setup"
# Of cells that prove and are not read: their source is folded.
EVIDENCE = "evidence"
# Alone in a Markdown cell: the generator puts the table there.
LESSON_MAP = "<!-- lesson map -->"

_MARKERS = ("# STUB", "# SOLUTION", "# END")
_ALMOST = re.compile(r"#+\s*(?i:stub|solution|end)s?\W*$|#+\s*(STUB|SOLUTION)S?\b", re.ASCII)
_LINK = re.compile(r"(\]\(|\b(?:href|src)=\")(?![a-z][a-z0-9+.-]*:|#|/)([^)\s\"]+)")


class SourceError(ValueError):
    """A lesson's source that breaks the rules; the message names the file and the cell."""


def read_lesson(path: Path, version: str) -> NotebookNode:
    """The cells of a lesson's learner's or solutions notebook, not yet run.

    Args:
        path: The source file, in percent format.
        version: `"learner"` or `"solved"`.

    Returns:
        A notebook whose cell ids and metadata depend on nothing but the source.

    Raises:
        SourceError: The source cannot be read, or its exercise markers are malformed.
    """
    try:
        source = jupytext.read(path, fmt="py:percent")
    except Exception as error:
        raise SourceError(f"{path.name} is not in jupytext's percent format: {error}") from error
    cells: list[NotebookNode] = []
    for number, cell in enumerate(source.cells, start=1):
        where = f"{path.name}, cell {number}"
        text = _choose(cell.source, version, where) if cell.cell_type == "code" else cell.source
        tags = list(cell.metadata.get("tags", []))
        if ("exercise" in tags) != (text != cell.source):
            raise SourceError(
                f"{where}: a cell with the tag `exercise` holds # STUB … # SOLUTION … # END, "
                "and no other cell does."
            )
        if LESSON_MAP in text:
            text = text.replace(LESSON_MAP, lesson_map())
        if number == 1 and cell.cell_type == "markdown":
            text = _with_place_links(text, path.stem, version)
        if version == SOLVED and cell.cell_type == "markdown":
            text = _one_folder_down(text)
        cells.append(_cell(cell.cell_type, text, tags))
    has_title = bool(cells) and cells[0].cell_type == "markdown"
    cells.insert(int(has_title), _cell("code", setup_code(), [SETUP]))
    if version == SOLVED:
        cells.insert(0, _cell("markdown", _solutions_note(path.stem), []))
    _name_cells(cells)
    return nbformat.v4.new_notebook(cells=cells, metadata=plain_metadata())


def plain_metadata() -> NotebookNode:
    """A notebook's metadata that say nothing about the computer it was made on."""
    return nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {
                "file_extension": ".py",
                "mimetype": "text/x-python",
                "name": "python",
            },
        }
    )


def source_hash(notebook: NotebookNode) -> str:
    """A fingerprint of what a run depends on: the text of the code cells, in order.

    The cell that sets Colab up is left out: it prints nothing, and a new address changes no result.
    """
    digest = hashlib.sha256()
    for cell in lesson_code(notebook):
        digest.update(cell.source.encode() + b"\0")
    return digest.hexdigest()[:16]


def lesson_code(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells that the lesson's source holds: all but the one that sets Colab up."""
    return [c for c in notebook.cells if c.cell_type == "code" and not is_setup(c)]


def is_setup(cell: NotebookNode) -> bool:
    """Whether a cell is the one that sets Colab up."""
    return SETUP in cell.metadata.get("tags", [])


def _cell(kind: str, text: str, tags: list[str]) -> NotebookNode:
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    metadata: dict = {"tags": tags} if tags else {}
    # The code of a quiz holds its answers.
    if "quiz" in tags:
        metadata["jupyter"] = {"source_hidden": True}
    # Folded, here in JupyterLab's way and in Colab's.
    if {SETUP, EVIDENCE} & set(tags):
        metadata["jupyter"] = {"source_hidden": True}
        metadata["cellView"] = "form"
    return make(source=text, metadata=nbformat.from_dict(metadata))


def _name_cells(cells: list[NotebookNode]) -> None:
    """Name every cell after its content, so that a change renames no other cell."""
    seen: dict[str, int] = {}
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\0{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def _choose(text: str, version: str, where: str) -> str:
    """Keep the stub or the solution of every block, without the markers."""
    kept, state = [], "# END"
    before = {"# STUB": "# END", "# SOLUTION": "# STUB", "# END": "# SOLUTION"}
    for line in text.splitlines():
        bare = line.strip()
        if bare in _MARKERS:
            if state != before[bare]:
                raise SourceError(f"{where}: {bare} does not follow {before[bare]}.")
            state = bare
        elif _ALMOST.match(bare):
            raise SourceError(
                f"{where}: {bare!r} looks like a marker; it must be exactly one of "
                f"{', '.join(_MARKERS)}, alone on its line."
            )
        elif state == "# END" or state == ("# STUB" if version == LEARNER else "# SOLUTION"):
            kept.append(line)
    if state != "# END":
        raise SourceError(f"{where}: the block that {state} opens is never closed by # END.")
    return "\n".join(kept)


def _with_place_links(text: str, stem: str, version: str) -> str:
    """Put links to Colab, Binder and GitHub under the title."""
    title, _, rest = text.partition("\n")
    place = f"notebooks/{'solutions/' if version == SOLVED else ''}{stem}.ipynb"
    return f"{title}\n\n{place_links(place)}\n\n{rest.lstrip()}"


def _solutions_note(stem: str) -> str:
    return (
        f"*This is the solved version of [the lesson](../{stem}.ipynb): the same text, "
        "with every exercise answered. Try them there first.*"
    )


def _one_folder_down(text: str) -> str:
    """Mend relative links for the solutions folder; solved lessons link to solved lessons."""

    def mend(link: re.Match) -> str:
        target = link[2]
        is_notebook = re.fullmatch(r"\d\d[a-z]?_\w+\.ipynb(#.*)?", target)
        is_lesson = is_notebook and not target.startswith(INDEX)
        return link[0] if is_lesson else f"{link[1]}../{target}"

    return _LINK.sub(mend, text)
