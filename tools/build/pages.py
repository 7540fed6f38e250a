"""What tools write into pages: each piece stands between two markers that carry its name."""

from __future__ import annotations

from pathlib import Path


def shown(page: Path, name: str) -> str:
    """What a page shows now between `<!-- name: begin -->` and `<!-- name: end -->`.

    Raises:
        ValueError: The page has no such place.
    """
    return _parts(page, name)[1].strip("\n")


def put(page: Path, name: str, content: str) -> None:
    """Write a piece of a page anew, and leave the rest as it is.

    Args:
        page: A Markdown file.
        name: What its markers call the piece, such as `"lessons"`.
        content: The new text.

    Raises:
        ValueError: The page has no such place.
    """
    head, _, tail = _parts(page, name)
    page.write_text(f"{head}\n{content}\n{tail}", encoding="utf-8", newline="\n")


def _parts(page: Path, name: str) -> tuple[str, str, str]:
    """The text up to the first marker, between the two, and from the second on."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, _, rest = page.read_text(encoding="utf-8").partition(begin)
    old, found, tail = rest.partition(end)
    if not found:
        raise ValueError(f"{page.name} has no place for {name!r}: a line {begin}, a line {end}.")
    return head + begin, old, end + tail
