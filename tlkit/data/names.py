"""Names of files and of classes: as text, in order, told apart in print, and matched."""

import os
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

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


def readable(name: str) -> str:
    """A file's name as text; bytes that are not UTF-8 as \\x and their number."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def natural(name: str) -> list:
    """Sort key under which `cat 2` comes before `cat 10`, the same on every platform."""
    name = unicodedata.normalize("NFC", readable(name))
    pieces: list = re.split(r"([0-9]+)", name.casefold())
    # Text, number, text, number ...
    pieces[1::2] = map(int, pieces[1::2])
    return [pieces, name]


def labels_by_name(
    data: Any, class_names: Sequence[str], who: str = "The classifier"
) -> np.ndarray:
    """The labels of a data set, as the numbers that others have for classes of the same names.

    Args:
        data: An `ImageDataset`.
        class_names: The names that the numbers shall stand for.
        who: Whose names these are.

    Returns:
        int64 (N,).

    Raises:
        InputError: A picture of a class that is not among the names.
    """
    places = {name: place for place, name in enumerate(class_names)}
    for name in (data.class_names[label] for label in np.unique(data.labels)):
        known = f"Its classes are: {', '.join(class_names)}."
        checks.demand(name in places, f"{who} knows no class {name!r}.", known)
    return np.array([places.get(name, -1) for name in data.class_names], "int64")[data.labels]
