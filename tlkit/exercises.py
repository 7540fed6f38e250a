"""What makes a lesson answerable: claims about its numbers, checked answers, and the quiz."""

import html
import numbers
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlkit._answers import check_exercise, find_hint, judge, plain, short
from tlkit.errors import InputError, TlkitError


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
    if not isinstance(statement, str) or not statement.strip() or not isinstance(evidence, str):
        raise InputError(
            "A claim needs a sentence, and its evidence as text.", "Write both as strings."
        )
    shown = f" ({evidence})" if evidence else ""
    if decide(statement, holds, above, below):
        print(f"✓ {statement}{shown}")
        return
    bounds = [
        f"not {word} {limit:g}"
        for word, limit in (("above", above), ("below", below))
        if limit is not None and not decide(statement, holds, **{word: limit})
    ]
    missed = f" {float(holds):.3g} is {' and '.join(bounds)}." if bounds else ""
    if os.environ.get("TLKIT_STRICT"):
        raise ClaimError(
            f"This run does not bear out the claim: {statement}{shown}.{missed}",
            "The text around this cell says so: something was changed above, or the text is wrong.",
        )
    print(
        f"≠ On your computer it came out otherwise: {statement}{shown}.{missed}\n"
        "  If you changed something above, that is its effect; the rest of the lesson goes on."
    )


def decide(
    statement: str, holds: bool | float, above: float | None = None, below: float | None = None
) -> bool:
    """Whether a claim holds: its truth value, or its number between the limits.

    Raises:
        InputError: `holds` is neither.
    """
    if above is None and below is None:
        fine, wanted = isinstance(holds, bool | np.bool_), "True or False"
    else:
        fine = isinstance(holds, numbers.Real | np.floating) and not isinstance(holds, bool)
        wanted = "the number that is compared"
    if not fine:
        raise InputError(
            f"The claim {statement!r} was given {short(holds)} ({type(holds).__name__}) instead of "
            f"{wanted}.",
            "Compare something first, or reduce an array with .all() or .any(); with above= or "
            "below=, pass one number.",
        )
    if above is None and below is None:
        return bool(holds)
    return (above is None or holds > above) and (below is None or holds < below)


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
) -> bool | None:
    """Compare a learner's answer with the right one and say what to try next; never fails.

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

    Returns:
        True or False; None while there is still something to do.

    Raises:
        InputError: The exercise itself is badly written. No answer of a learner raises.

    Example:
        >>> check(448, 448, hints=[(432, "Each filter has a bias, too.")])
        ✓ Right.
        True
        >>> check(lambda x: x, cases=[((2,), 4)], hint="Square it.")
        ✗ Not yet. For (2,) it gives 2. Square it.
        False
    """
    check_exercise(right, cases, choices, tolerance, hints, (hint, praise, name))
    verdict, reason, given = judge(answer, right, cases, choices, tolerance)
    opening, closing = {
        None: ("○ Still to do.", ""),
        True: ("✓ Right.", praise),
        False: ("✗ Not yet.", find_hint(given, hints, tolerance) or hint),
    }[verdict]
    print(" ".join(part for part in (name and f"{name}:", opening, reason, closing) if part))
    return verdict


@dataclass(frozen=True)
class Question:
    """One question of a quiz.

    Args:
        text: The question. `Code` in back ticks is set as code, here and in the choices.
        choices: Pairs of a choice and its explanation, in the order they are shown. An explanation
            starts with "Right:" (exactly one) or "No:" and goes on to say why.
    """

    text: str
    choices: Sequence[tuple[str, str]]

    def __post_init__(self):
        def demand(fine: Any, what: str) -> None:
            if not fine:
                raise InputError(
                    f"The question {self.text!r} is badly written: {what}.", "Mend it in the quiz."
                )

        demand(isinstance(self.text, str) and self.text.strip(), "it has no text")
        demand(
            isinstance(self.choices, list | tuple) and len(self.choices) > 1,
            "it needs two choices or more",
        )
        for pair in self.choices:
            fine = (
                isinstance(pair, tuple)
                and len(pair) == 2
                and all(isinstance(part, str) for part in pair)
            )
            demand(
                fine and pair[0].strip(),
                f"{short(pair)} is no pair of a choice and its explanation",
            )
            fine = re.fullmatch(r"(Right|No):\s+\S.*", pair[1].strip(), re.DOTALL)
            demand(fine, f"the explanation of {pair[0]!r} must be 'Right: why' or 'No: why'")
        right = sum(why.strip().startswith("Right:") for _, why in self.choices)
        demand(right == 1, f"one choice must be right, not {right}")
        demand(
            len({plain(choice) for choice, _ in self.choices}) == len(self.choices),
            "a choice is there twice",
        )


def quiz(questions: Sequence[Question]) -> None:
    """Show questions whose choices unfold to say whether they are right, and why.

    Pure HTML: it works on a stored page, with no kernel, no network and no script.

    Args:
        questions: The questions, in their order.

    Raises:
        InputError: There is no question, or one of them is none.

    Example:
        >>> quiz([Question("Is 7 odd?", [("yes", "Right: it is."), ("no", "No: halve it.")])])
        1. Is 7 odd?
           a) yes
           b) no
        Answers: 1a Right: it is.  1b No: halve it.
    """
    if (
        not isinstance(questions, list | tuple)
        or not questions
        or not all(isinstance(q, Question) for q in questions)
    ):
        raise InputError(
            "A quiz needs a list of Question objects.", "Write quiz([Question(...), ...])."
        )
    from IPython.display import display

    display(_Quiz(tuple(questions)))


@dataclass(frozen=True, repr=False)
class _Quiz:
    questions: tuple[Question, ...]

    def _repr_html_(self) -> str:
        parts = []
        for number, question in enumerate(self.questions, 1):
            parts.append(f"<p><b>{number}.</b> {_markup(question.text)}</p>")
            for choice, why in question.choices:
                verdict, _, reason = why.strip().partition(":")
                parts.append(
                    f"<details><summary>{_markup(choice)}</summary>"
                    f"<p><b>{verdict}.</b> {_markup(reason.strip())}</p></details>"
                )
        return "<div>\n" + "\n".join(parts) + "\n</div>"

    def __repr__(self) -> str:
        lines, answers = [], []
        for number, question in enumerate(self.questions, 1):
            lines.append(f"{number}. {question.text}")
            for letter, (choice, why) in zip(
                "abcdefghijklmnopqrstuvwxyz", question.choices, strict=False
            ):
                lines.append(f"   {letter}) {choice}")
                answers.append(f"{number}{letter} {why.strip()}")
        return "\n".join([*lines, "Answers: " + "  ".join(answers)])


def _markup(text: str) -> str:
    """Escaped text, with `code` in back ticks set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
