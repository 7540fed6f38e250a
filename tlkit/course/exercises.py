"""Exercises: a learner's answer is compared with the right one."""

import functools
import re
import runpy
from collections.abc import Sequence
from typing import Any

from tlkit.checks import demand
from tlkit.course.answers import check_exercise, find_hint, judge
from tlkit.course.words import tell
from tlkit.paths import beside_source


def exercise(number: str) -> dict[str, Any]:
    """What `check` knows of an exercise: the right answer, or cases, and hints.

    What is trained is computed when it is asked for. All of it stands beside the lesson's source,
    where no learner trips over it.

    Args:
        number: Of lesson and exercise, such as `"03.2"`.

    Returns:
        Arguments of `check`.

    Raises:
        InputError: There is no such exercise.
    """
    known = _answers(number.partition(".")[0])
    demand(number in known, f"There is no exercise {number}.", f"There is: {', '.join(known)}.")
    given = dict(known[number])
    compute = given.pop("compute", None)
    return {**given, "right": compute()} if compute else given


@functools.cache
def _answers(lesson: str) -> dict[str, dict[str, Any]]:
    return runpy.run_path(str(beside_source("answers", lesson)))["EXERCISES"]


def reveal(guess: Any, measured: float) -> None:
    """Say what was guessed beside what was measured.

    Args:
        guess: In percent, as the learner wrote it; `...` if there was no guess.
        measured: A share, from 0 to 1.

    Example:
        >>> reveal(70, 0.912)
        You guessed 70 %. It is 91 %.
    """
    is_number = isinstance(guess, int | float) and not isinstance(guess, bool)
    told = f"You guessed {guess:g} %. " if is_number else ""
    tell(f"{told}It is {100 * measured:.0f} %.")


def check(
    answer: Any,
    right: Any = None,
    *,
    cases: Sequence[tuple[tuple, Any]] | None = None,
    choices: Sequence[str] | None = None,
    tolerance: float | None = None,
    hints: Sequence[tuple[Any, str]] = (),
    hint: str = "",
    praise: str = "",
    name: str = "",
) -> None:
    """Compare a learner's answer with the right one and say what to try next; never fails.

    In a lesson it is `check("03.2", answer)`: the right answer and the hints are looked up.

    Args:
        answer: What the learner wrote; `None` or `...` (alone or in a list) means not done yet.
        right: The right answer: a truth value, a number, a text (case and spacing do not matter),
            a sequence or array of those, or a function from the answer to True or False.
        cases: Instead of `right`, for an answer that is a function: pairs of a tuple of arguments
            and the result to expect.
        choices: The texts one may choose from.
        tolerance: The largest error allowed. By default whole numbers must be exact, others agree
            to one part in a thousand.
        hints: Pairs of a usual wrong answer (or a function that recognises it) and what to say to
            it. With `cases` they are about the result of the first case that fails.
        hint: What to say to any other wrong answer.
        praise: What to say to the right answer.
        name: Whose feedback this is, such as "Exercise 2".

    Raises:
        InputError: The exercise itself is badly written. No answer of a learner raises.

    Example:
        >>> check(448, 448, hints=[(432, "Each filter has a bias, too.")])
        ✓ Right.
        >>> check(lambda x: x, cases=[((2,), 4)], hint="Square it.")
        ✗ Not yet. For (2,) it gives 2. Square it.
    """
    if isinstance(answer, str) and re.fullmatch(r"\d\d[a-z]?\.\d+", answer):
        check(right, **exercise(answer), name=f"Exercise {answer}")
        return
    check_exercise(right, cases, choices, tolerance, hints, (hint, praise, name))
    verdict, reason, given = judge(answer, right, cases, choices, tolerance)
    opening, closing = {
        None: ("○ Still to do.", ""),
        True: ("✓ Right.", praise),
        False: ("✗ Not yet.", find_hint(given, hints, tolerance) or hint),
    }[verdict]
    tell(" ".join(part for part in (name and f"{name}:", opening, reason, closing) if part))
