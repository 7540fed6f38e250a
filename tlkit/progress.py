"""One line of progress for work that takes longer than a breath."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
# Seconds: before the first word, and between two.
PATIENCE, PAUSE = 3.0, 0.5


def progress(items: Iterable[T], total: int, what: str, show: bool | None = None) -> Iterator[T]:
    """Hand the items on, and tell how far the work has come when it takes long.

    In a notebook the line goes to standard output, where it belongs to its cell; elsewhere to
    standard error, out of the way of results.

    Args:
        items: The pieces of work, or their results as they come.
        total: How many there are.
        what: What is being done, such as `"Reading pictures"`.
        show: True to tell from the start, False to keep quiet, None to tell after three seconds.

    Yields:
        The items.
    """
    in_notebook = "ipykernel" in type(sys.stdout).__module__
    out = sys.stdout if in_notebook else sys.stderr
    began = time.monotonic()
    due = began if show else began + PATIENCE
    told, ended = False, ""
    try:
        for done, item in enumerate(items, 1):
            yield item
            now = time.monotonic()
            if show is not False and now >= due and done < total:
                left = (now - began) / done * (total - done)
                text = f"\r{what}: {done / total:4.0%}, about {left:.0f} s left "
                print(text, end="", file=out, flush=True)
                told, due = True, now + PAUSE
        ended = f"\r{what}: 100%, {time.monotonic() - began:.0f} s           "
    finally:
        # Also when whoever asked has seen enough.
        if told:
            print(ended, file=out, flush=True)
