"""Names of classes that can be told apart in print."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from tlkit import checks


def class_names(given: Any) -> tuple[str, ...]:
    """Class names that can be told apart in print."""
    try:
        names = () if isinstance(given, str) else tuple(given)
    except TypeError:
        names = ()
    checks.demand(
        names and all(isinstance(name, str) for name in names),
        f"`class_names` is {given!r}.",
        "Give a tuple of one name per class.",
    )
    demand_distinct(names, "class names")
    return tuple(map(str, names))


def demand_distinct(names: Sequence[str], what: str) -> None:
    """Raise InputError when two names look the same in print, or one like nothing."""
    seen: dict[str, str] = {}
    for name in names:
        shown = in_print(name)
        blank = f"One of the {what}, {name!a}, shows nothing in print."
        checks.demand(shown, blank, "Give it another name.")
        checks.demand(
            shown not in seen,
            f"The {what} {seen.get(shown)!a} and {name!a} look the same in print.",
            "Rename one of them, or put both into one class.",
        )
        seen[shown] = name


def in_print(name: str) -> str:
    """A name as it is seen: composed accents, no characters that do not show, single spaces."""
    composed = unicodedata.normalize("NFC", name)
    shown = (
        each
        for each in composed
        if each.isspace() or unicodedata.category(each) not in ("Cc", "Cf")
    )
    return " ".join("".join(shown).split())
