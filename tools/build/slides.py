"""Slides of the lessons, for a room: pictures and key cells, made of the stored notebooks.

    python -m tools.build.slides            # all lessons
    python -m tools.build.slides 03         # one

A lesson's slides are its title, then what its tags and headings name (`choose` says which cells),
with a question from docs/teaching/notes before each section that has one, and last what was
measured. Speaker notes (key S) hold the text around a cell, and what learners get wrong there.
They are HTML in build/slides that needs no network: reveal.js is copied beside them. It is looked
for in --reveal, then in build/reveal, and else fetched there once with npm.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.build.lessons import ROOT, notebook_path, stems

SLIDES, REVEAL = ROOT / "build" / "slides", ROOT / "build" / "reveal"
NOTES = ROOT / "docs" / "teaching" / "notes"
TEMPLATE = Path(__file__).parent / "slides_template"
# nbconvert's template is written for reveal.js 4.
REVEAL_VERSION = "4.6.1"
NEEDED = ("dist/reveal.js", "dist/reveal.css", "dist/theme/white.css", "plugin/notes/notes.js")
# Lines of code and output on one slide; columns before it gets smaller; most columns.
LINES, WIDE, WIDEST = 17, 78, 100
TWO_LINES = 150  # letters of a sentence
CLOSING = ("What you measured", "Quiz", "Exercises", "Further reading", "Curriculum rows")
PICTURES = ("image/png", "image/jpeg")


@dataclass
class Slide:
    """One slide: Markdown (with HTML in it) to show, and notes for the speaker."""

    section: str
    text: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """A code cell with what stands around it."""

    code: NotebookNode
    section: str
    before: str
    after: str

    @property
    def tags(self) -> list[str]:
        return self.code.metadata.get("tags", [])

    @property
    def picture(self) -> tuple[str, str, str] | None:
        """The first picture of its output: type, base64 and what it shows in words."""
        for output in self.code.outputs:
            for kind in PICTURES:
                if kind in output.get("data", {}):
                    words = output.get("metadata", {}).get(kind, {}).get("alt", "")
                    return kind, output["data"][kind].replace("\n", ""), words
        return None

    @property
    def said(self) -> str:
        """What it printed."""
        texts = [each.get("text", "") for each in self.code.outputs if each.get("name") == "stdout"]
        lines = "".join(texts).strip("\n").splitlines()
        return "\n".join(line for line in lines if not re.match(r"[A-Z][a-z ]+: 100%", line))


def cells_of(notebook: NotebookNode) -> Iterator[Cell]:
    """The code cells of a lesson between its opening and its closing sections."""
    section, before = "", ""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            headings = re.findall(r"^##+ (.+)$", cell.source, re.MULTILINE)
            section = headings[-1] if headings else section
            before = cell.source
        elif section and section not in CLOSING:
            texts = (c.source for c in notebook.cells[number:] if c.cell_type == "markdown")
            yield Cell(cell, section, before, next(texts, ""))


def choose(cells: list[Cell]) -> list[Cell]:
    """The cells that get a slide.

    Those with a tag `row-…`, which show a row of the curriculum, those with the tag `slide`, and
    the last picture of each section; not those with the tag `no-slide`, nor those without output.

    Args:
        cells: A lesson's cells.

    Returns:
        Some of them, in order.
    """
    last = {cell.section: number for number, cell in enumerate(cells) if cell.picture}
    return [
        cell
        for number, cell in enumerate(cells)
        if (cell.picture or cell.said)
        and "no-slide" not in cell.tags
        and (
            last.get(cell.section) == number
            or any(tag == "slide" or tag.startswith("row-") for tag in cell.tags)
        )
    ]


def slides_of(notebook: NotebookNode, notes: str) -> list[Slide]:
    """The slides of a lesson.

    Args:
        notebook: The lesson, with its outputs.
        notes: The text of its instructor's notes.

    Returns:
        Title, questions and cells, what was measured.
    """
    # In a room nobody needs the links under the title.
    opening = re.sub(r"^\[Open in Colab\].*\n", "", notebook.cells[0].source, flags=re.MULTILINE)
    title, rest = re.match(r"# (.+)\n+([\s\S]*?)\n## ", opening).groups()
    aims = _part(opening, "What you will be able to do")
    slides = [
        Slide("", f"# {title}\n\n{rest.strip()}"),
        Slide("", f"## What you will be able to do\n\n{aims}"),
    ]
    asked = questions(notes)
    warned = mistakes(notes)
    for cell in choose(list(cells_of(notebook))):
        if pairs := asked.pop(cell.section, []):
            text = "\n\n".join(question for question, _ in pairs)
            shown = f'<div class="ask">\n\n{text}\n\n</div>'
            slides.append(Slide(cell.section, shown, [answer for _, answer in pairs]))
        around = [text for text in (cell.before, cell.after) if text]
        slides.append(Slide(cell.section, _shown(cell), [*around, *warned.pop(cell.section, [])]))
    measured = next((c.source for c in notebook.cells if "## What you measured" in c.source), "")
    points = re.findall(r"^- .+(?:\n  .+)*", measured, re.MULTILINE)
    for number in range(0, len(points), 4):
        text = "\n".join(points[number : number + 4])
        slides.append(Slide("What you measured", f"## What you measured\n\n{text}"))
    return slides


def questions(notes: str) -> dict[str, list[tuple[str, str]]]:
    """The questions to ask the room, with their answers, by the section that they belong to."""
    found: dict[str, list[tuple[str, str]]] = {}
    for item in _items(_part(notes, "Questions to ask the room"), r"\d+\. "):
        where = re.search(r"\(Section \*([^*]+)\*", item)
        text = item[: where.start()].strip() if where else item
        question, answer = re.match(r"(.+?[?.:])(?: (\*[\s\S]*))?$", text).groups()
        found.setdefault(where[1] if where else "", []).append((question, answer or ""))
    return found


def mistakes(notes: str) -> dict[str, list[str]]:
    """What learners get wrong, by the section that the advice names first."""
    found: dict[str, list[str]] = {}
    for item in _items(_part(notes, "What they get wrong, and what to say"), "- "):
        if where := re.search(r"[Ss]ection \*([^*]+)\*", item):
            found.setdefault(where[1], []).append(item)
    return found


def _part(text: str, heading: str) -> str:
    """The text under a heading, up to the next one."""
    found = re.search(rf"^## {re.escape(heading)}\n([\s\S]*?)(?=^## |\Z)", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _items(text: str, mark: str) -> list[str]:
    """The items of a list, each on one line."""
    return [" ".join(item.split()) for item in re.split(rf"^{mark}", text, flags=re.MULTILINE)[1:]]


def _shown(cell: Cell) -> str:
    """What a cell's slide shows: its picture with a sentence, or its code with what it printed."""
    head = f"## {cell.section}\n\n"
    if cell.picture:
        kind, data, words = cell.picture
        source = f"data:{kind};base64,{data}"
        image = f'<img alt="{html.escape(words)}" src="{source}">'
        sentence = _sentence(cell)
        lower = " lower" if len(sentence) > TWO_LINES else ""
        return f'{head}{sentence}\n\n<span class="picture{lower}">{image}</span>'
    said, code = _folded(cell.said.splitlines()), cell.code.source
    only_claims = all(line.startswith(("✓", " ")) for line in cell.said.splitlines())
    fits = len(said) + len(code.splitlines()) <= LINES - 2
    fits &= max(map(len, code.splitlines())) <= WIDEST
    said = said[:LINES] + ["…"] * (len(said) > LINES)
    widest = max(map(len, said))
    if only_claims:
        listing = ""
    elif fits and _instructive(code):
        listing = f"```python\n{code}\n```\n\n"
        widest = max(widest, *map(len, code.splitlines()))
    else:
        listing = f"{_sentence(cell)}\n\n"
    size = " large" if only_claims else " small" if widest > WIDE else ""
    shown = html.escape("\n".join(said))
    return (
        f'{head}<div class="listing{size}">\n\n{listing}'
        f'<div class="said"><pre>{shown}</pre></div>\n\n</div>'
    )


def _instructive(code: str) -> bool:
    """Whether code does more than print what was computed before."""
    return sum(not re.match(r"\s*(print\(|for |$)", line) for line in code.splitlines()) > 1


def _folded(lines: list[str]) -> list[str]:
    """Lines none of which is wider than a slide."""
    return [
        part
        for line in lines
        for part in (textwrap.wrap(line, WIDEST, drop_whitespace=False) or [""])
    ]


def _sentence(cell: Cell) -> str:
    """One sentence about a picture: the first after it, or the last before it."""
    for text, which in ((cell.after, 0), (cell.before, -1)):
        plain = " ".join(
            line for line in text.splitlines() if line and not line.startswith(("#", "|", "-", ">"))
        )
        starts_anew = which == 0 and text.lstrip().startswith("#")
        sentences = re.split(r"(?<=[.!?])(?<! al\.)(?<!e\.g\.)\s+(?=[A-Z*`(\"“])", plain)
        if plain and not starts_anew:
            chosen = sentences[which]
            two = " ".join(sentences[:2])
            if which == 0 and len(chosen) < 30 and len(two) <= TWO_LINES:
                # "That took seconds." says little by itself.
                chosen = two
            return chosen if chosen.count("**") % 2 == 0 else chosen.replace("**", "")
    return ""


def as_notebook(slides: list[Slide]) -> NotebookNode:
    """The slides as nbconvert takes them."""
    cells = []
    for slide in slides:
        for kind, text in (
            ("slide", slide.text),
            ("notes", "\n\n".join(filter(None, slide.notes))),
        ):
            if text:
                cell = nbformat.v4.new_markdown_cell(text)
                cell.metadata["slideshow"] = {"slide_type": kind}
                cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


def write(path: Path, folder: Path) -> tuple[Path, int]:
    """Write the slides of a stored notebook.

    Args:
        path: The notebook.
        folder: Where to put them; `reveal.js` lies in it.

    Returns:
        The file that was written, and how many slides it holds.
    """
    from nbconvert import SlidesExporter

    notes = NOTES / f"{path.stem}.md"
    known = notes.read_text(encoding="utf-8") if notes.is_file() else ""
    slides = slides_of(nbformat.read(path, as_version=4), known)
    exporter = SlidesExporter(
        template_name=TEMPLATE.name,
        extra_template_basedirs=[str(TEMPLATE.parent)],
        reveal_url_prefix="reveal.js",
    )
    resources = {
        "course_css": (TEMPLATE / "course.css").read_text(encoding="utf-8"),
        "metadata": {"name": path.stem},
    }
    page, _ = exporter.from_notebook_node(as_notebook(slides), resources)
    target = folder / f"{path.stem}.html"
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    return target, len(slides)


def copy_reveal(source: Path | None, folder: Path) -> None:
    """Put reveal.js beside the slides.

    Args:
        source: A folder that holds it; None to take `build/reveal`, filled with npm if need be.
        folder: Where the slides lie.

    Raises:
        SystemExit: It cannot be found or fetched; the message says what to do.
    """
    place = source or REVEAL / "node_modules" / "reveal.js"
    if not source and not place.is_dir():
        if not shutil.which("npm"):
            raise SystemExit(
                "reveal.js is needed once, and npm, which would fetch it, is not there. Download "
                f"release {REVEAL_VERSION} from https://github.com/hakimel/reveal.js/releases, "
                "unpack it, and pass its folder with --reveal."
            )
        REVEAL.mkdir(parents=True, exist_ok=True)
        wanted = ["--no-save", "--no-audit", "--no-fund", f"reveal.js@{REVEAL_VERSION}"]
        subprocess.run(["npm", "install", "--prefix", str(REVEAL), *wanted], check=True)
    missing = [name for name in NEEDED if not (place / name).is_file()]
    if missing:
        raise SystemExit(
            f"{place} is no copy of reveal.js {REVEAL_VERSION}: no {missing[0]} in it."
        )
    for part in ("dist/theme/fonts", *NEEDED, "plugin/notes/speaker-view.html", "LICENSE"):
        if (place / part).is_dir():
            shutil.copytree(place / part, folder / "reveal.js" / part, dirs_exist_ok=True)
        elif (place / part).is_file():
            (folder / "reveal.js" / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(place / part, folder / "reveal.js" / part)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build.slides", description=__doc__.splitlines()[0]
    )
    parser.add_argument("lessons", nargs="*", help="numbers of lessons, such as 03")
    parser.add_argument("--reveal", type=Path, help="a folder with reveal.js, for work offline")
    given = parser.parse_args(arguments)
    chosen = stems(given.lessons)
    copy_reveal(given.reveal, SLIDES)
    for stem in chosen:
        target, count = write(notebook_path(stem), SLIDES)
        print(f"{target.relative_to(ROOT)}: {count} slides")
    print("Open them in a browser; no network is needed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
