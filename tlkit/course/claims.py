"""Sentences of a lesson that its own numbers must bear out."""

import numbers
import os

import numpy as np

from tlkit.checks import demand
from tlkit.course.words import short, tell
from tlkit.errors import TlkitError


class ClaimError(TlkitError, AssertionError):
    """A sentence of the lesson that the numbers of this run do not bear out."""


def claim(
    statement: str,
    holds: bool | float,
    evidence: str = "",
    *,
    above: float | None = None,
    below: float | None = None,
) -> None:
    """Say a sentence of the lesson aloud, with its number, and say so when it is not true.

    A claim about something trained names the value that decides it and how far that may go, so that
    `make numerics` can tell how close it comes on other computers.

    A claim that fails does not stop a learner: it says that it came out otherwise. Where the
    environment variable `TLKIT_STRICT` is set, as in the tests, it raises instead.

    Args:
        statement: The sentence, as the text states it.
        holds: Whether this run bears it out, a `bool` or NumPy bool; or, with `above` or `below`,
            the number that decides.
        evidence: The numbers behind it, ready to print.
        above: The number must be larger than this.
        below: The number must be smaller than this.

    Raises:
        ClaimError: The statement does not hold, and `TLKIT_STRICT` is set.
        InputError: `holds` is not a truth value (or not a number), or a text is not a text.

    Example:
        >>> claim("nine is more than seven", 9 > 7, "9 against 7")
        ✓ nine is more than seven (9 against 7)
        >>> claim("most are right", 0.93, "93 %", above=0.8)
        ✓ most are right (93 %)
    """
    fine = isinstance(statement, str) and statement.strip() and isinstance(evidence, str)
    demand(fine, "A claim needs a sentence, and its evidence as text.", "Write both as strings.")
    shown = f"{statement} ({evidence})" if evidence else statement
    if decide(statement, holds, above, below):
        tell(f"✓ {shown}")
        return
    missed = []
    for word, limit in (("above", above), ("below", below)):
        if limit is not None and not decide(statement, holds, **{word: limit}):
            missed.append(f"not {word} {limit:g}")
    shown += f". {float(holds):.3g} is {' and '.join(missed)}" if missed else ""
    if os.environ.get("TLKIT_STRICT"):
        raise ClaimError(
            f"This run does not bear out the claim: {shown}.",
            "The text around this cell says so: something was changed above, or the text is wrong.",
        )
    tell(f"≠ On your computer it came out otherwise: {shown}.")
    tell("  If you changed something above, that is its effect; the rest of the lesson goes on.")


def decide(
    statement: str, holds: bool | float, above: float | None = None, below: float | None = None
) -> bool:
    """Whether a claim holds: its truth value, or its number between the limits.

    Raises:
        InputError: `holds` is neither.
    """
    limits = [limit for limit in (above, below) if limit is not None]
    if limits:
        fine = all(_is_number(value) for value in (holds, *limits))
        wanted = "the number that is compared"
    else:
        fine, wanted = isinstance(holds, bool | np.bool_), "True or False"
    demand(
        fine,
        f"The claim {statement!r} was given {short(holds)} ({type(holds).__name__}) instead of "
        f"{wanted}.",
        "Compare something first, or reduce an array with .all() or .any(); with above= or "
        "below=, pass one number.",
    )
    if not limits:
        return bool(holds)
    return bool((above is None or holds > above) and (below is None or holds < below))


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real | np.floating) and not isinstance(value, bool)
