"""How `tlkit.course.check` compares a learner's answer, which may be any object at all."""

import copy
import reprlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tlkit.errors import InputError

# What may go wrong inside a learner's function or object; Ctrl-C still stops the cell.
MISHAPS = (Exception, SystemExit)


def judge(
    answer: Any,
    right: Any,
    cases: Sequence | None,
    choices: Sequence[str] | None,
    tolerance: float | None,
) -> tuple[bool | None, str, Any]:
    """The verdict on an answer, the reason if it is more than that, and the value judged."""
    if _undone(answer):
        return None, "", answer
    if cases is not None:
        return _judge_function(answer, cases, tolerance)
    try:
        if callable(right):
            return bool(right(answer)), "", answer
        if choices is not None and not any(same(answer, choice)[0] for choice in choices):
            return False, f"Answer with one of: {', '.join(choices)}.", answer
        return *same(answer, right, tolerance), answer
    except MISHAPS as error:
        return (
            False,
            f"This answer cannot be used ({type(error).__name__}): {short(answer)}.",
            answer,
        )


def _judge_function(
    answer: Any, cases: Sequence, tolerance: float | None
) -> tuple[bool | None, str, Any]:
    if not callable(answer):
        return False, f"Wanted: a function; this is {short(answer)}.", answer
    for arguments, result in cases:
        call = f"For {', '.join(map(short, arguments))}"
        try:
            given = answer(
                *copy.deepcopy(arguments)
            )  # a copy: the function may change what it gets
        except MISHAPS as error:
            return False, f"{call} it stops with {type(error).__name__}: {short(error)}.", answer
        if _undone(given):
            return None, "", given
        try:
            verdict, reason = same(given, result, tolerance)
        except MISHAPS:
            verdict, reason = False, ""
        if not verdict:
            return False, f"{call} it gives {short(given)}. {reason}".strip(), given
    return True, "", answer


def same(answer: Any, right: Any, tolerance: float | None = None) -> tuple[bool, str]:
    """Whether an answer is as good as the right one and, if its kind is wrong, what is wanted."""
    given, right = np.asarray(answer), np.asarray(right)
    if given.dtype.kind == "O":  # a fraction, a decimal, ...
        given = given.astype(float)
    wanted, words = {"b": ("b", "True or False"), "U": ("U", "a text")}.get(
        right.dtype.kind, ("iuf", "a number")
    )
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
    if given.dtype.kind in "biu" and right.dtype.kind in "biu" and tolerance is None:
        return bool((given == right).all()), ""  # not as floats, which blur large whole numbers
    given, exact = given.astype(float), right.dtype.kind in "iu"
    size = np.abs(right.astype(float))
    if tolerance is None:
        tolerance = 0 if exact else 1e-3 * size
    rounding = np.minimum(1e-9 * (1 + size), 1e-3)  # 0.1 * 30 is 3.0000000000000004
    return bool((np.abs(given - right) <= tolerance + rounding).all()), ""


def find_hint(given: Any, hints: Sequence, tolerance: float | None) -> str:
    """The first hint whose wrong answer is the one given, or whose recogniser says so."""
    for wrong, text in hints:
        try:
            if bool(wrong(given)) if callable(wrong) else same(given, wrong, tolerance)[0]:
                return text
        except MISHAPS:  # a recogniser written for numbers may meet anything
            continue
    return ""


def check_exercise(right, cases, choices, tolerance, hints, texts) -> None:
    """Raise InputError for what only the author of an exercise can have got wrong."""

    def demand(fine: Any, what: str) -> None:
        if not fine:
            raise InputError(
                f"This exercise is badly written: {what}.", "See help(tlkit.course.check)."
            )

    demand((right is None) != (cases is None), "it needs either the right answer or cases")
    demand(all(isinstance(text, str) for text in texts), "hint, praise and name are texts")
    fine = tolerance is None or (
        _comparable(tolerance, "iuf") and np.ndim(tolerance) == 0 and tolerance >= 0
    )
    demand(fine, "tolerance is a number, 0 or more")
    demand(isinstance(hints, list | tuple), "hints is a list of pairs")
    for pair in hints:
        demand(
            _is_pair(pair) and isinstance(pair[1], str),
            "a hint is a pair of a wrong answer and a text",
        )
        demand(callable(pair[0]) or _comparable(pair[0]), f"no answer can equal {short(pair[0])}")
    if cases is not None:
        demand(isinstance(cases, list | tuple) and cases, "cases is a list of (arguments, result)")
        for case in cases:
            demand(
                _is_pair(case) and isinstance(case[0], tuple),
                "a case is a pair (arguments, result)",
            )
            demand(_comparable(case[1]), f"no result can equal {short(case[1])}")
    elif not callable(right):
        demand(_comparable(right), f"no answer can equal {short(right)}")
        demand(choices is None or right in choices, "the right answer is not among the choices")
        demand(
            not find_hint(right, hints, tolerance), "the right answer gets a hint for a wrong one"
        )


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _comparable(value: Any, kinds: str = "biufU") -> bool:
    try:
        array = np.asarray(value)
    except ValueError:  # a list of lists of different lengths
        return False
    return (
        array.size > 0
        and array.dtype.kind in kinds
        and (array.dtype.kind == "U" or bool(np.isfinite(array).all()))
    )


def _undone(answer: Any) -> bool:
    if isinstance(answer, list | tuple):
        return any(item is None or item is ... for item in answer)
    return answer is None or answer is ...


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
