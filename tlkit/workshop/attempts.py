"""A notebook of one's own attempts: what was tried, how well it did, and how long it took."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tlkit.errors import InputError
from tlkit.scores import Score, score

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Attempts:
    """Attempts in the order they were made; prints as a table.

    Example:
        >>> attempts = Attempts()
        >>> attempts.add("always hat", [0, 1, 1], [1, 1, 1], seconds=0.1)
        >>> attempts
        attempt      accuracy                                              seconds
        always hat   66.7% (95 % interval 20.8% to 93.9%, n = 3)               0.1
    """

    def __init__(self):
        self.rows: list[tuple[str, Score, float]] = []

    def add(self, name: str, labels: Any, predictions: Any, seconds: float) -> None:
        """Note an attempt; one of the same name is replaced.

        Args:
            name: What was tried.
            labels: (N,) true classes of the validation pictures.
            predictions: (N,) answers, or (N, classes) logits or probabilities.
            seconds: How long it took.
        """
        self.add_score(name, score(labels, predictions), seconds)

    def add_score(self, name: str, result: Score, seconds: float) -> None:
        """The same with an accuracy that is known already.

        Args:
            name: What was tried.
            result: From `tlkit.scores.score`, or an `Evaluation`'s `score`.
            seconds: How long it took.
        """
        if not isinstance(result, Score) or not seconds >= 0:
            raise InputError("An attempt needs a score and its seconds.", "Use tlkit.scores.score.")
        self.rows = [row for row in self.rows if row[0] != name]
        self.rows.append((name, result, float(seconds)))

    def run(self, name: str, way: Callable[[], Any], labels: Any) -> None:
        """Try a way, take its time, note it, and print the line.

        Args:
            name: What is tried.
            way: Trains something and returns its answers to the validation pictures.
            labels: (N,) their true classes.
        """
        began = time.perf_counter()
        predictions = way()
        self.add(name, labels, predictions, time.perf_counter() - began)
        print(f"{name}: {self.rows[-1][1]}, {self.rows[-1][2]:.0f} s")

    def __repr__(self) -> str:
        wide = max([len("attempt"), *(len(name) for name, _, _ in self.rows)])
        lines = [f"{'attempt':{wide}}   {'accuracy':50} {'seconds':>10}"]
        lines += [f"{name:{wide}}   {result!s:50} {s:10.1f}" for name, result, s in self.rows]
        return "\n".join(lines)

    def draw(self) -> "Figure":
        """The attempts as bars with their intervals.

        Returns:
            The figure.
        """
        from tlkit.plots import bars_with_intervals

        return bars_with_intervals(
            [f"{name} ({seconds:.0f} s)" for name, _, seconds in self.rows],
            [result.accuracy for _, result, _ in self.rows],
            [(result.low, result.high) for _, result, _ in self.rows],
            value_label="accuracy on validation pictures, with 95 % interval",
            percent=True,
        )
