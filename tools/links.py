"""The links of the course's pages and notebooks: do they lead somewhere?"""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat

_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1`*\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_INLINE = re.compile(r"\]\(\s*<?([^\s<>()]+(?:\([^\s()]*\)[^\s<>()]*)*)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^\[[^\]^]+\]:\s*(\S+)", re.MULTILINE)
_HTML = re.compile(r"<(?:a|img)\s[^>]*?(?:href|src)=\"([^\"]+)\"", re.IGNORECASE)
_BARE = re.compile(r"<(https?://[^>\s]+)>")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_NAMED = re.compile(r"<[^>]*?\b(?:id|name)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Link:
    """A link: the page that holds it, and where it leads, as written."""

    page: Path
    target: str

    @property
    def outside(self) -> bool:
        """Whether it leads to the web."""
        return re.match(r"https?:", self.target) is not None


def text_of(page: Path) -> str:
    """A page's Markdown; of a notebook, its text cells'."""
    if page.suffix != ".ipynb":
        return page.read_text(encoding="utf-8")
    cells = nbformat.read(page, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def links(page: Path) -> list[Link]:
    """Every link and picture of a page, in order; what stands in code is none.

    Args:
        page: A Markdown file or a notebook.
    """
    text = _CODE.sub("", _FENCE.sub("", text_of(page)))
    found = []
    for pattern in (_INLINE, _REFERENCE, _HTML, _BARE):
        found += [(match.start(), match[1]) for match in pattern.finditer(text)]
    return [Link(page, target) for _, target in sorted(found)]


def anchors(page: Path) -> set[str]:
    """What a link may name after `#`: a heading as GitHub writes it, in lower case, or an HTML id.

    Example:
        >>> import tempfile
        >>> page = Path(tempfile.mkdtemp(), "page.md")
        >>> _ = page.write_text("## What's *new*?\\n")
        >>> anchors(page)
        {'whats-new'}
    """
    text = _FENCE.sub("", text_of(page))
    found: set[str] = {name.lower() for name in _NAMED.findall(text)}
    for heading in _HEADING.findall(text):
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"[*`]", "", plain).lower()).replace(" ", "-")
        again = 1
        name = slug
        while name in found:
            name, again = f"{slug}-{again}", again + 1
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
    found, known = [], {}
    for page in pages:
        for link in links(page):
            if link.outside or re.match(r"mailto:|data:|attachment:", link.target):
                continue
            place, _, anchor = urllib.parse.unquote(link.target).partition("#")
            target = (page.parent / place).resolve() if place else page.resolve()
            name = page.relative_to(root)
            if not target.is_relative_to(root.resolve()) or not target.exists():
                found.append(f"{name}: {link.target} leads nowhere")
            elif anchor and target.suffix in (".md", ".ipynb"):
                if target not in known:
                    known[target] = anchors(target)
                if anchor.lower() not in known[target]:
                    found.append(f"{name}: {link.target} names no heading there")
    return found


def outside(pages: Iterable[Path]) -> dict[str, Path]:
    """Addresses on the web, each with the first page that names it."""
    found: dict[str, Path] = {}
    for page in pages:
        for link in links(page):
            if link.outside:
                found.setdefault(link.target.partition("#")[0], page)
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
