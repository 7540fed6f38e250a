"""Stored tables of the heavy experiments, and the two questions that lessons ask of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tlkit.checks import demand, texts
from tlkit.errors import InputError
from tlkit.paths import read_experiment
from tlkit.scores import Difference, paired_difference


class Results:
    """The rows of a stored table: one for each run, a dictionary of its setting and its figures.

    Args:
        rows: Dictionaries, each with an entry `seed` (or `split`), by which runs make pairs.
        by: The columns that tell one setting from another, in the order in which `runs` takes them.
        name: What the table is called in messages.
    """

    def __init__(self, rows: list[dict[str, Any]], by: Sequence[str] = (), name: str = "table"):
        fine = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        demand(fine, f"The rows of {name} are no dictionaries.", "Give a list of them.")
        self.rows, self.by, self.name = rows, tuple(texts(by, "The columns")), name
        for column in self.by:
            self.values(column)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __add__(self, other: "Results") -> "Results":
        return Results(self.rows + other.rows, self.by, f"{self.name} + {other.name}")

    def __repr__(self) -> str:
        return f"{self.name}: {len(self)} runs with {', '.join(self._columns())}"

    def values(self, column: str) -> list[Any]:
        """What a column holds, each value once, in the order of the table.

        Raises:
            InputError: No row has this column.
        """
        if column not in self._columns():
            raise InputError(
                f"{self.name} has no column {column!r}.", f"It has: {', '.join(self._columns())}."
            )
        return list(dict.fromkeys(row[column] for row in self.rows if column in row))

    def where(self, *setting: Any, **more: Any) -> list[dict[str, Any]]:
        """The rows of one setting, in the order of their seeds.

        Args:
            setting: Values of the columns of `by`, in that order.
            more: Values of other columns, by name.

        Returns:
            Those rows.

        Raises:
            InputError: No run has this setting; the message says which values there are.
        """
        wanted = dict(zip(self.by, setting, strict=False)) | more
        found = [row for row in self.rows if wanted.items() <= row.items()]
        if not found or len(setting) > len(self.by):
            known = "; ".join(
                f"{column}: {', '.join(map(repr, self.values(column)))}"
                for column in dict.fromkeys([*self.by, *more])
            )
            raise InputError(
                f"No run in {self.name} has {wanted or setting}.", f"There are {known}."
            )
        return sorted(found, key=_seed)

    def runs(self, *setting: Any, column: str = "test", **more: Any) -> np.ndarray:
        """One figure of every run of a setting, in the order of the seeds.

        Args:
            setting: Values of the columns of `by`, in that order.
            column: Which figure, such as `"test"` or `"seconds"`.
            more: Values of other columns, by name.

        Returns:
            (runs,) numbers.

        Raises:
            InputError: There is no such run, or it has no such figure.

        Example:
            >>> table = results("label_counts", by=["method", "labels"])
            >>> table.runs("frozen, pretrained", 60).shape
            (5,)
        """
        self.values(column)
        return np.array([row[column] for row in self.where(*setting, **more)])

    def difference(self, ours: Any, theirs: Any, column: str = "test") -> Difference:
        """The mean paired difference of two settings over their seeds, with its interval.

        Args:
            ours: A setting: values of the columns of `by` as a tuple, or the one value.
            theirs: Another one, run with the same seeds.
            column: Which figure to compare.

        Returns:
            A `Difference`: ours minus theirs.

        Raises:
            InputError: A setting has no runs, or the two were not run with the same seeds.

        Example:
            >>> table = results("label_counts", by=["method", "labels"])
            >>> table.difference(("frozen, pretrained", 60), ("frozen, random", 60)).n
            5
        """
        ours, theirs = (each if isinstance(each, tuple) else (each,) for each in (ours, theirs))
        seeds = [[_seed(row) for row in self.where(*each)] for each in (ours, theirs)]
        if seeds[0] != seeds[1]:
            raise InputError(
                f"{ours} was run with the seeds {seeds[0]}, {theirs} with {seeds[1]}.",
                "Only runs of the same seeds make pairs.",
            )
        return paired_difference(self.runs(*ours, column=column), self.runs(*theirs, column=column))

    def _columns(self) -> list[str]:
        return list(dict.fromkeys(key for row in self.rows for key in row))


def _seed(row: dict[str, Any]) -> int:
    """What makes two runs a pair: the same seed, or the same split of the classes."""
    return row["seed"] if "seed" in row else row["split"]


def results(name: str, by: Sequence[str] = ()) -> Results:
    """The stored table of a heavy experiment, as `make experiments` computed it.

    Args:
        name: The experiment's name, such as `"label_counts"`.
        by: The columns that tell one setting from another.

    Returns:
        Its rows, and the two questions that one asks of them: `runs` and `difference`.

    Raises:
        InputError: There is no such experiment, or it has no such column.

    Example:
        >>> results("label_counts", by=["method"]).values("method")[0]
        'frozen, pretrained'
    """
    return Results(read_experiment(name), by, name)
