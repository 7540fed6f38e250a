"""The quiz at the end of a lesson; it works on a page with no kernel, too."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from tlkit.checks import demand
from tlkit.course.words import plain, short
from tlkit.paths import beside_source


@dataclass(frozen=True)
class Question:
    """One question of a quiz.

    Args:
        text: The question. `Code` in back ticks is set as code, *words* between asterisks are set
            in italics and **those** in bold, here and in the choices.
        choices: Pairs of a choice and its explanation, in the order they are shown. An explanation
            starts with "Right:" (exactly one) or "No:" and goes on to say why.
    """

    text: str
    choices: Sequence[tuple[str, str]]

    def __post_init__(self):
        def well(fine: Any, fault: str) -> None:
            what = f"The question {self.text!r} is badly written: {fault}."
            demand(fine, what, "Mend it in the quiz.")

        well(isinstance(self.text, str) and self.text.strip(), "it has no text")
        # Half of a pair of UTF-16 cannot be written to a page.
        well(not re.search("[\ud800-\udfff]", self.text), "it has half a character in it")
        several = isinstance(self.choices, list | tuple) and len(self.choices) > 1
        well(several, "it needs two choices or more")
        for pair in self.choices:
            texts = isinstance(pair, tuple) and [type(part) for part in pair] == [str, str]
            well(texts and pair[0].strip(), f"{short(pair)} is no choice and its explanation")
            fine = re.match(r"(Right|No):\s+\S", pair[1].strip())
            well(fine, f"the explanation of {pair[0]!r} must be 'Right: why' or 'No: why'")
        right = sum(why.strip().startswith("Right:") for _, why in self.choices)
        well(right == 1, f"one choice must be right, not {right}")
        different = {plain(choice) for choice, _ in self.choices}
        well(len(different) == len(self.choices), "a choice is there twice")


def read_quiz(text: str) -> list[Question]:
    """Questions from Markdown.

    Args:
        text: Each question is a heading of the second level. Under it stands a list of choices,
            and under each choice, indented, its explanation, as `Question` wants it.

    Returns:
        The questions.

    Raises:
        InputError: A question is badly written.

    Example:
        >>> text = "## Is 7 odd?\n- yes\n\n  Right: it is.\n- no\n\n  No: halve it."
        >>> read_quiz(text)[0].text
        'Is 7 odd?'
    """
    questions = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        question, *choices = re.split(r"^- ", part, flags=re.MULTILINE)
        pairs = []
        for each in choices:
            choice, _, why = each.partition("\n\n")
            pairs.append((" ".join(choice.split()), " ".join(why.split())))
        questions.append(Question(" ".join(question.split()), pairs))
    return questions


def quiz(questions: str | Sequence[Question]) -> None:
    """Show questions whose choices unfold to say whether they are right, and why.

    Pure HTML: it works on a stored page, with no kernel, no network and no script.

    Args:
        questions: The number of a lesson, such as `"03"`, or the questions, in their order.

    Raises:
        InputError: There is no question, or one of them is none.

    Example:
        >>> quiz([Question("Is 7 odd?", [("yes", "Right: it is."), ("no", "No: halve it.")])])
        1. Is 7 odd?
           a) yes
           b) no
        Answers: 1a Right: it is.  1b No: halve it.
    """
    from IPython.display import display

    if isinstance(questions, str):
        questions = read_quiz(beside_source("quizzes", questions).read_text(encoding="utf-8"))
    listed = isinstance(questions, list | tuple) and len(questions) > 0
    fine = listed and all(isinstance(each, Question) for each in questions)
    mend = "Write quiz([Question(...), ...])."
    demand(fine, "A quiz needs a list of Question objects.", mend)
    display(Quiz(tuple(questions)))


@dataclass(frozen=True, repr=False)
class Quiz:
    """Questions as a page and as text."""

    questions: tuple[Question, ...]

    def _repr_html_(self) -> str:
        parts = []
        for number, question in enumerate(self.questions, 1):
            # Room above, so that a question does not cling to the answers of the one before.
            parts.append(f'<div style="margin-top: 1.5em"><p><b>{number}.</b> ')
            parts.append(f"{_markup(question.text)}</p>\n")
            for choice, explanation in question.choices:
                verdict, _, why = explanation.strip().partition(":")
                why = why.strip()
                parts.append(f"<details><summary>{_markup(choice)}</summary>")
                parts.append(f"<p><b>{verdict}.</b> {_markup(why[0].upper() + why[1:])}</p>")
                parts.append("</details>\n")
            parts.append("</div>\n")
        return "".join(parts)

    def __repr__(self) -> str:
        lines, answers = [], []
        for number, question in enumerate(self.questions, 1):
            lines.append(f"{number}. {question.text}")
            for letter, (choice, why) in zip(ascii_lowercase, question.choices, strict=False):
                lines.append(f"   {letter}) {choice}")
                answers.append(f"{number}{letter} {why.strip()}")
        return "\n".join([*lines, "Answers: " + "  ".join(answers)])


def _markup(text: str) -> str:
    """Escaped text, with `code`, **bold** and *italics* set as such."""
    parts = re.split(r"`([^`]+)`", html.escape(text))
    # Every second part is code, in which an asterisk is an asterisk.
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = f"<code>{part}</code>"
        else:
            for stars, tag in ((r"\*\*", "b"), (r"\*", "i")):
                marked = rf"(?<!\w){stars}(\S(?:[^*]*\S)?){stars}(?!\w)"
                part = re.sub(marked, rf"<{tag}>\1</{tag}>", part)
            parts[place] = part
    return "".join(parts)
