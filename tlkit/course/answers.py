"""How `tlkit.course.check` compares a learner's answer, which may be any object at all."""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tlkit.checks import demand
from tlkit.course.words import MISHAPS, plain, short


class Judgement(NamedTuple):
    """What becomes of an answer.

    Attributes:
        right: Whether it is right; None while there is still something to do.
        reason: Why it is not, if there is more to say than that.
        value: What was judged: the answer, or what the answer gives if it is a function.
    """

    right: bool | None
    reason: str
    value: Any


def judge(
    answer: Any,
    right: Any,
    cases: Sequence | None,
    choices: Sequence[str] | None,
    tolerance: float | None,
) -> Judgement:
    """Compare an answer with the right one, whatever it is."""
    if _undone(answer):
        return Judgement(None, "", answer)
    if cases is not None:
        return _judge_function(answer, cases, tolerance)
    try:
        if callable(right):
            return Judgement(bool(right(answer)), "", answer)
        if choices is not None and not any(same(answer, choice)[0] for choice in choices):
            return Judgement(False, f"Answer with one of: {', '.join(choices)}.", answer)
        return Judgement(*same(answer, right, tolerance), answer)
    except MISHAPS as error:
        reason = f"This answer cannot be used ({type(error).__name__}): {short(answer)}."
        return Judgement(False, reason, answer)


def _judge_function(answer: Any, cases: Sequence, tolerance: float | None) -> Judgement:
    if not callable(answer):
        return Judgement(False, f"Wanted: a function; this is {short(answer)}.", answer)
    for arguments, result in cases:
        call = f"For {', '.join(map(short, arguments))}"
        try:
            # A copy, for the function may change what it gets.
            given = answer(*copy.deepcopy(arguments))
        except MISHAPS as error:
            reason = f"{call} it stops with {type(error).__name__}: {short(error)}."
            return Judgement(False, reason, answer)
        if _undone(given):
            return Judgement(None, "", given)
        try:
            fine, reason = same(given, result, tolerance)
        except MISHAPS:
            fine, reason = False, ""
        if not fine:
            return Judgement(False, f"{call} it gives {short(given)}. {reason}".strip(), given)
    return Judgement(True, "", answer)


def same(answer: Any, right: Any, tolerance: float | None = None) -> tuple[bool, str]:
    """Whether an answer is as good as the right one and, if its kind is wrong, what is wanted."""
    given, right = np.asarray(answer), np.asarray(right)
    # A fraction, a decimal, ...
    given = given.astype(float) if given.dtype.kind == "O" else given
    kinds = {"b": ("b", "True or False"), "U": ("U", "a text")}
    wanted, words = kinds.get(right.dtype.kind, ("iuf", "a number"))
    if given.dtype.kind not in wanted:
        place = "" if right.ndim == 0 else " at each place"
        return False, f"Wanted: {words}{place}; this is {short(answer)}."
    if given.shape != right.shape and not given.size == right.size == 1:
        return False, f"Wanted: the shape {right.shape}; yours is {given.shape}."
    given = given.reshape(right.shape)
    if wanted == "U":
        return all(plain(a) == plain(b) for a, b in zip(given.flat, right.flat, strict=True)), ""
    if not np.isfinite(given).all():
        return False, "There is a value that is not finite (NaN or infinity)."
    exact = right.dtype.kind in "biu" and tolerance is None
    if exact and given.dtype.kind in "biu":
        # Not as floats, which blur large whole numbers.
        return bool((given == right).all()), ""
    given, size = given.astype(float), np.abs(right.astype(float))
    if tolerance is None:
        tolerance = 0 if exact else 1e-3 * size
    # 0.1 * 30 is 3.0000000000000004.
    rounding = np.minimum(1e-9 * (1 + size), 1e-3)
    return bool((np.abs(given - right) <= tolerance + rounding).all()), ""


def find_hint(given: Any, hints: Sequence, tolerance: float | None) -> str:
    """The first hint whose wrong answer is the one given, or whose recogniser says so."""
    for wrong, text in hints:
        try:
            if bool(wrong(given)) if callable(wrong) else same(given, wrong, tolerance)[0]:
                return text
        except MISHAPS:
            # A recogniser written for numbers may meet anything.
            continue
    return ""


def check_exercise(right, cases, choices, tolerance, hints, texts) -> None:
    """Raise InputError for what only the author of an exercise can have got wrong."""

    def well(fine: Any, fault: str) -> None:
        what = f"This exercise is badly written: {fault}."
        demand(fine, what, "See help(tlkit.course.check).")

    def pairs(given: Any) -> bool:
        return isinstance(given, list | tuple) and all(
            isinstance(pair, tuple) and len(pair) == 2 for pair in given
        )

    well((right is None) != (cases is None), "it needs either the right answer or cases")
    well(all(isinstance(text, str) for text in texts), "hint, praise and name are texts")
    single = isinstance(tolerance, int | float | np.number)
    fine = single and _comparable(tolerance, "iuf") and tolerance >= 0
    well(tolerance is None or fine, "tolerance is a number, 0 or more")
    well(pairs(hints), "hints is a list of pairs of a wrong answer and a text")
    for wrong, text in hints:
        well(isinstance(text, str), f"the hint for {short(wrong)} is no text")
        well(callable(wrong) or _comparable(wrong), f"no answer can equal {short(wrong)}")
    if cases is not None:
        well(pairs(cases) and cases, "cases is a list of pairs (arguments, result)")
        for arguments, result in cases:
            well(isinstance(arguments, tuple), f"the arguments {short(arguments)} are no tuple")
            well(_comparable(result), f"no result can equal {short(result)}")
    elif not callable(right):
        well(_comparable(right), f"no answer can equal {short(right)}")
        well(choices is None or right in choices, "the right answer is not among the choices")
        hinted = find_hint(right, hints, tolerance)
        well(not hinted, "the right answer gets a hint for a wrong one")


def _comparable(value: Any, kinds: str = "biufU") -> bool:
    try:
        array = np.asarray(value)
    except ValueError:
        # A list of lists of different lengths.
        return False
    if array.size == 0 or array.dtype.kind not in kinds:
        return False
    return array.dtype.kind == "U" or bool(np.isfinite(array).all())


def _undone(answer: Any) -> bool:
    if isinstance(answer, list | tuple):
        return any(item is None or item is ... for item in answer)
    return answer is None or answer is ...
