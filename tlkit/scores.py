"""Accuracy with its uncertainty: no figure in the course stands without one."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tlkit import checks
from tlkit.errors import InputError


class Score(NamedTuple):
    """An accuracy, its 95 % interval and the number of pictures it rests on."""

    accuracy: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return (
            f"{self.accuracy:.1%} (95 % interval {self.low:.1%} to {self.high:.1%}, n = {self.n})"
        )


class Difference(NamedTuple):
    """A mean paired difference and its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        points = [100 * value for value in (self.mean, self.low, self.high)]
        return "{:+.1f} points (95 % interval {:+.1f} to {:+.1f}, {} seeds)".format(*points, self.n)


def score(labels: np.ndarray, predictions: np.ndarray) -> Score:
    """Accuracy with Wilson's 95 % interval, which stays sensible near 100 % and for few pictures.

    Args:
        labels: (N,) true classes, integers.
        predictions: (N,) predicted classes, or (N, classes) logits or probabilities.

    Returns:
        A `Score`: accuracy and bounds between 0 and 1.

    Raises:
        InputError: Nothing to score, or the two do not fit.

    Example:
        >>> print(score([0, 1, 1, 0], [0, 1, 0, 0]))
        75.0% (95 % interval 30.1% to 95.4%, n = 4)

    Source: Wilson 1927, Journal of the American Statistical Association 22, p. 209.
    """
    from scipy.stats import binomtest

    labels, predictions = _classes(labels, "labels"), _classes(predictions, "predictions")
    checks.demand(
        labels.shape == predictions.shape,
        f"{len(labels)} labels do not fit {len(predictions)} predictions.",
        "Pass one label and one prediction (or one row of logits) per picture.",
    )
    right = int((labels == predictions).sum())
    low, high = binomtest(right, len(labels)).proportion_ci(0.95, method="wilson")
    return Score(right / len(labels), float(low), float(high), len(labels))


def _classes(values: Any, what: str) -> np.ndarray:
    """(N,) classes, of rows of logits the likeliest ones."""
    values = checks.array(values, f"The list of {what}")
    if what == "predictions" and values.ndim == 2 and values.shape[1] > 1:
        rows = checks.numbers(values, "The table of predictions", (None, None))
        return rows.argmax(axis=1)
    whole = values.dtype.kind in "iubU" or (
        values.dtype.kind == "f" and np.array_equal(values, values.round())
    )
    checks.demand(
        values.ndim == 1 and len(values) and whole,
        f"The {what} are {values.dtype} of shape {values.shape}.",
        "Give a class for each picture; of one probability for each, take (p > 0.5).astype(int).",
    )
    return values


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> Difference:
    """Mean of `ours - theirs` over paired runs (the same seed, the same split), with 95 % interval.

    Args:
        ours: One accuracy per seed, between 0 and 1.
        theirs: The other method's accuracies for the same seeds, in the same order.

    Returns:
        A `Difference`, from Student's t with n - 1 degrees of freedom.

    Raises:
        InputError: Fewer than two pairs, or lists of different lengths.

    Example:
        >>> print(paired_difference([0.90, 0.92, 0.91], [0.80, 0.83, 0.80]))
        +10.0 points (95 % interval +7.5 to +12.5, 3 seeds)
    """
    from scipy.stats import t

    if not (_are_numbers(ours) and _are_numbers(theirs)):
        raise InputError("A result is no finite number.", "Pass lists of accuracies.")
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    if ours.ndim != 1 or ours.shape != theirs.shape or len(ours) < 2:
        raise InputError(
            f"{ours.size} and {theirs.size} values make no paired comparison.",
            "Pass two lists of equal length, one value per seed, for two seeds or more.",
        )
    differences = ours - theirs
    mean, n = differences.mean(), len(differences)
    margin = t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n)
    return Difference(float(mean), float(mean - margin), float(mean + margin), n)


def _are_numbers(values: Any) -> bool:
    """Whether all of this can be read as finite numbers."""
    try:
        return bool(np.isfinite(np.asarray(values, dtype=float)).all())
    except (TypeError, ValueError):
        return False
