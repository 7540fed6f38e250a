"""The quiz at the end of a lesson; it works on a page with no kernel, too."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tlkit.course.answers import plain, short
from tlkit.errors import InputError


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
