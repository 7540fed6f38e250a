"""The links of the course's pages and notebooks: do they lead somewhere?"""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from pathlib import Path

import mistune
import nbformat
from bs4 import BeautifulSoup


def pages(root: Path) -> list[Path]:
    """The course's Markdown pages and notebooks."""
    inside = (root / name for name in ("docs", "notebooks", "data/experiments"))
    every = [*root.glob("*.md"), *(path for folder in inside for path in folder.rglob("*"))]
    found = (path for path in every if path.suffix in (".md", ".ipynb"))
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def links(page: Path) -> list[str]:
    """Where every link and picture of a page leads, as written, in order; code holds none.

    Args:
        page: A Markdown file or a notebook.
    """
    return [tag.get("href") or tag["src"] for tag in _shown(page).select("a[href], img[src]")]


def anchors(page: Path) -> set[str]:
    """What a link may name after `#`: a heading as GitHub writes it, in lower case, or an HTML id.

    Example:
        >>> import tempfile
        >>> page = Path(tempfile.mkdtemp(), "page.md")
        >>> _ = page.write_text("## What's *new*?\\n")
        >>> anchors(page)
        {'whats-new'}
    """
    shown = _shown(page)
    found = {tag["id"].lower() for tag in shown.select("[id]")}
    for heading in shown.select("h1, h2, h3, h4, h5, h6"):
        slug = re.sub(r"[^\w\- ]", "", heading.text.strip().lower()).replace(" ", "-")
        name, again = slug, 0
        while name in found:
            again += 1
            name = f"{slug}-{again}"
        found.add(name)
    return found


def broken(pages: Iterable[Path], root: Path) -> list[str]:
    """Links inside the course that lead nowhere.

    Args:
        pages: Markdown files and notebooks.
        root: The clone; a link must not leave it.

    Returns:
        One sentence for each; empty when all is well.
    """
    found = []
    for page in pages:
        for link in links(page):
            if re.match(r"https?:|mailto:|data:|attachment:", link):
                continue
            place, _, anchor = urllib.parse.unquote(link).partition("#")
            target = (page.parent / place).resolve() if place else page.resolve()
            if not target.is_relative_to(root.resolve()) or not target.exists():
                found.append(f"{page.relative_to(root)}: {link} leads nowhere")
                continue
            is_page = target.suffix in (".md", ".ipynb")
            if anchor and is_page and anchor.lower() not in anchors(target):
                found.append(f"{page.relative_to(root)}: {link} names no heading there")
    return found


def outside(pages: Iterable[Path]) -> dict[str, Path]:
    """Addresses on the web, each with the first page that names it."""
    found: dict[str, Path] = {}
    for page in pages:
        for link in links(page):
            if re.match(r"https?:", link):
                found.setdefault(link.partition("#")[0], page)
    return found


def unreachable(address: str, timeout: float = 20.0) -> str:
    """Why an address on the web does not answer; empty when it does. Needs a network."""
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0 (links)"})
        with urllib.request.urlopen(request, timeout=timeout):
            return ""
    except urllib.error.HTTPError as error:
        # Some publishers turn programs away; a reader's browser gets in.
        return "" if error.code in (401, 403, 405, 429) else f"answers {error.code}"
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def _shown(page: Path) -> BeautifulSoup:
    """A page as a browser would get it; of a notebook, its text cells."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return BeautifulSoup(mistune.html(text), "html.parser")
