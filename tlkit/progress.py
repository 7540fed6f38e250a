"""One line of progress for work that takes longer than a breath."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 3.0  # seconds before the first word


def progress(items: Iterable[T], total: int, what: str, show: bool | None = None) -> Iterator[T]:
    """Hand the items on, and tell how far the work has come when it takes long.

    Args:
        items: The pieces of work.
        total: How many there are.
        what: What is being done, such as `"Reading pictures"`.
        show: True to tell from the start, False to keep quiet, None to tell after three seconds.

    Yields:
        The items.
    """
    start = told = time.monotonic()
    patience = 0.0 if show else PATIENCE
    ended = False
    try:
        for done, item in enumerate(items):
            now = time.monotonic()
            waited = now - start >= patience and (now - told >= 0.5 or told == start)
            if show is not False and waited:
                left = (now - start) / max(done, 1) * (total - done)
                print(
                    f"\r{what}: {done / total:4.0%}, about {left:.0f} s left ", end="", flush=True
                )
                told = now
            yield item
        ended = True
    finally:
        if told != start:  # also when whoever asked has seen enough
            line = f"\r{what}: 100%, {time.monotonic() - start:.0f} s           " if ended else ""
            print(line, flush=True)
