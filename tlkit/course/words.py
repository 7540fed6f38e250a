"""How the course speaks: short lines that break between words."""

import reprlib
import textwrap
from typing import Any

# What may go wrong inside a learner's function or object; Ctrl-C still stops the cell.
MISHAPS = (Exception, SystemExit)


def tell(text: str) -> None:
    """Print a text in lines that fit into a notebook, which would break long ones inside words."""
    print(textwrap.fill(text, 80, subsequent_indent="  ", break_long_words=False))


def plain(text: str) -> str:
    """A text without what does not count: case and spacing."""
    return " ".join(str(text).casefold().split())


def short(value: Any) -> str:
    """Something printable, on one line and not long, for any object."""
    try:
        text = str(value) if isinstance(value, BaseException) else reprlib.repr(value)
        return " ".join(text.split())[:80]
    except MISHAPS:
        return f"a {type(value).__name__}"
