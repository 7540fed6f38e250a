"""Claims, checked answers and the quiz: what they accept, refuse and say."""

import contextlib
import html
import io
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlkit.course import ClaimError, Question, claim, exercises, quiz, reveal
from tlkit.course.claims import decide
from tlkit.course.quizzes import Quiz, read_quiz
from tlkit.errors import InputError, TlkitError


def check(answer, right=None, **exercise):
    """What `check` prints, as True or False, or None while there is something to do."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert exercises.check(answer, right, **exercise) is None
    print(printed.getvalue(), end="")
    return {"✓": True, "✗": False, "○": None}[re.search("[✓✗○]", printed.getvalue())[0]]


# ---------------------------------------------------------------- claim


def test_a_claim_that_holds_prints_one_line(capsys):
    claim("frozen features win", True, "91% against 62%")
    assert capsys.readouterr().out == "✓ frozen features win (91% against 62%)\n"


def test_what_is_said_breaks_between_words(capsys):
    claim("word " * 25, True, "91% against 62%")
    check(1, 2, hint="word " * 25)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and max(map(len, lines)) <= 80
    assert all(line.startswith("  word") for line in lines[1::2])


def test_a_claim_accepts_numpy_truth(capsys):
    claim("all are positive", np.array([1, 2]).min() > 0)
    assert capsys.readouterr().out == "✓ all are positive\n"


@pytest.fixture
def learner(monkeypatch):
    """The kernel of a learner, where nothing is strict."""
    monkeypatch.delenv("TLKIT_STRICT")


@pytest.mark.parametrize("false", [False, np.False_])
def test_a_claim_that_fails_says_what_it_means(false):
    with pytest.raises(ClaimError, match=r"a beats b \(1 against 2\).*the text is wrong") as caught:
        claim("a beats b", false, "1 against 2")
    assert isinstance(caught.value, AssertionError) and isinstance(caught.value, TlkitError)


@pytest.mark.parametrize("holds", [1, 0, None, "yes", np.array([True]), np.array(True), [], 0.5])
def test_a_claim_refuses_what_is_no_truth_value(holds):
    with pytest.raises(InputError, match="instead of True or False"):
        claim("a beats b", holds)


@pytest.mark.parametrize(
    "limits, holds",
    [
        ({"above": 0.8}, True),
        ({"above": 0.9}, False),
        ({"below": 0.9}, False),
        ({"below": 1}, True),
        ({"above": 0.8, "below": 1}, True),
        ({"above": 0.1, "below": 0.8}, False),
    ],
)
@pytest.mark.parametrize("number", [float, np.float32])
def test_a_claim_is_decided_by_a_number_and_its_limits(limits, holds, number):
    assert decide("most are right", number(0.9), **limits) is holds
    if holds:
        claim("most are right", number(0.9), **limits)
    else:
        with pytest.raises(ClaimError, match=r"0\.9 is not"):
            claim("most are right", number(0.9), **limits)


def test_a_value_that_is_not_a_number_bears_nothing_out():
    for limits in ({"above": 0}, {"below": 0}):
        with pytest.raises(ClaimError):
            claim("most are right", float("nan"), **limits)


@pytest.mark.parametrize("value", [True, None, "0.9", np.array([0.9]), [0.9]])
def test_a_claim_with_limits_refuses_what_is_no_number(value):
    with pytest.raises(InputError, match="instead of the number"):
        claim("most are right", value, above=0.8)


def test_a_claim_that_fails_does_not_stop_a_learner(learner, capsys):
    claim("most are right", 0.7, "70 %", above=0.8)
    claim("a beats b", False, "1 against 2")
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "≠ On your computer it came out otherwise: most are right (70 %). 0.7 is not above 0.8."
        in said
    )
    assert "a beats b (1 against 2)" in said and "If you changed something above" in said


@pytest.mark.parametrize("statement, evidence", [("", ""), ("  ", ""), (None, ""), ("a", 3)])
def test_a_claim_needs_texts(statement, evidence):
    with pytest.raises(InputError):
        claim(statement, True, evidence)


# ---------------------------------------------------------------- check: right answers


class WithArray:
    """Anything that turns into an array, as tensors and Keras variables do."""

    def __init__(self, value):
        self.value = value

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.value, dtype)


RIGHT = [
    (3, 3),
    (3.0, 3),
    (0.1 * 30, 3),
    (np.int8(3), 3),
    (np.float32(3), 3),
    (np.array(3), 3),
    (np.array([3]), 3),
    ([[3]], 3),
    (WithArray(3), 3),
    (Fraction(6, 2), 3),
    (Decimal(3), 3),
    (134268738, 134268738),
    (0.3334, 1 / 3),
    (True, True),
    (np.False_, False),
    (np.array(True), True),
    ("  Global  Average POOLING", "global average pooling"),
    (np.str_("b"), "b"),
    ([1, 2, 3], np.array([1, 2, 3])),
    ((1.0, 2.0), [1, 2]),
    (["A ", "b"], ["a", "B"]),
    (WithArray([[1, 2]]), [[1, 2]]),
]


@pytest.mark.parametrize("answer, right", RIGHT)
def test_check_accepts_every_right_answer(answer, right, capsys):
    assert check(answer, right, praise="Well counted.") is True
    assert capsys.readouterr().out == "✓ Right. Well counted.\n"


def test_check_accepts_tensors_of_keras():
    import keras

    assert check(keras.ops.convert_to_tensor(2.5), 2.5) is True
    assert check(keras.Variable([1.0, 2.0]), [1, 2]) is True
    assert check(keras.ops.equal(1, 1), True) is True
    assert check(keras.Input((3,)), 3) is False  # has no value at all


def test_tolerance_is_inclusive_and_absolute():
    assert check(0.3, 0.2, tolerance=0.1) is True
    assert check(0.301, 0.2, tolerance=0.1) is False
    assert check(98, 100, tolerance=2) is True
    assert check(0.9, lambda accuracy: accuracy >= 0.9) is True


# ---------------------------------------------------------------- check: wrong answers

WRONG = [
    (2, 3, ""),
    (134268737, 134268738, ""),
    (np.float32(134268738), 134268738, ""),  # float32 cannot hold it
    (2.9, 3, ""),
    ("3", 3, "Wanted: a number"),
    (True, 1, "Wanted: a number"),
    (1, True, "Wanted: True or False"),
    (3, "three", "Wanted: a text"),
    (float("nan"), 3.0, "not finite"),
    (float("inf"), 3.0, "not finite"),
    ([1, 2], 3, "the shape ()"),
    ([1, 2], [1, 2, 3], "Wanted: the shape (3,); yours is (2,)"),
    ([[1], [2, 3]], [1, 2], "cannot be used"),
    (["a", 2], [1, 2], "a number at each place"),
    (10**400, 3, "cannot be used"),
    (3 + 0j, 3, "Wanted: a number"),
    ({"a": 1}, 3, "cannot be used"),
    (len, 3, "cannot be used"),
    (b"three", "three", "Wanted: a text"),
]


@pytest.mark.parametrize("answer, right, said", WRONG)
def test_check_refuses_wrong_answers_in_words(answer, right, said, capsys):
    assert check(answer, right, hint="Count again.") is False
    out = capsys.readouterr().out
    assert out.startswith("✗ Not yet.") and said in out and out.endswith("Count again.\n")


@pytest.mark.parametrize("answer", [None, ..., [1, None], (..., 2)])
def test_an_exercise_not_done_is_still_to_do(answer, capsys):
    assert check(answer, [1, 2], name="Exercise 1", hint="Count.") is None
    assert capsys.readouterr().out == "Exercise 1: ○ Still to do.\n"


def test_a_usual_wrong_answer_gets_its_own_hint(capsys):
    hints = [
        (432, "Each filter has a bias."),
        (lambda a: a < 0, "Not negative."),
        (9, "Kernel alone."),
    ]
    assert check(432, 448, hints=hints, hint="Count.") is False
    assert check(-1, 448, hints=hints, hint="Count.") is False
    assert check(9, 448, hints=hints, hint="Count.") is False
    assert check("many", 448, hints=hints, hint="Count.") is False
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "✗ Not yet. Each filter has a bias."
    assert lines[1] == "✗ Not yet. Not negative."
    assert lines[2] == "✗ Not yet. Kernel alone."
    assert lines[3] == "✗ Not yet. Wanted: a number; this is 'many'. Count."


def test_the_right_answer_is_never_given_away(capsys):
    check(2, 448.25)
    check([1, 2], np.array([77, 78]))
    check(lambda x: 0, cases=[((2,), 448)])
    assert not re.search("448|77|78", capsys.readouterr().out)


def test_choices(capsys):
    assert check(" Early ", "early", choices=["early", "late"]) is True
    assert check("late", "early", choices=["early", "late"], hint="Think.") is False
    assert check("top", "early", choices=["early", "late"]) is False
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "✗ Not yet. Think."
    assert lines[2] == "✗ Not yet. Answer with one of: early, late."


# ---------------------------------------------------------------- check: functions

SQUARES = [((2,), 4), ((3.0,), 9.0)]


def test_a_function_is_tried_on_its_cases(capsys):
    assert check(lambda x: x * x, cases=SQUARES) is True
    assert check(lambda x: 2 * x, cases=SQUARES, hints=[(6, "That doubles.")]) is False
    assert check(lambda x: 1 / 0, cases=SQUARES) is False
    assert check(lambda: 4, cases=SQUARES) is False
    assert check(lambda x: "4", cases=SQUARES) is False
    assert check(4, cases=SQUARES) is False
    lines = capsys.readouterr().out.replace("\n  ", " ").splitlines()
    assert lines[1] == "✗ Not yet. For 3.0 it gives 6.0. That doubles."
    assert lines[2] == "✗ Not yet. For 2 it stops with ZeroDivisionError: division by zero."
    assert "stops with TypeError" in lines[3]
    assert "it gives '4'. Wanted: a number" in lines[4]
    assert "Wanted: a function; this is 4" in lines[5]


def test_an_empty_function_is_still_to_do():
    assert check(lambda x: None, cases=SQUARES) is None
    assert check(lambda x: ..., cases=SQUARES) is None


def test_a_function_cannot_spoil_the_cases():
    cases = [(([3, 1, 2],), 6), (([3, 1, 2],), 6)]

    def eats_its_list(numbers):
        return sum(numbers.pop() for _ in range(len(numbers)))

    assert check(eats_its_list, cases=cases) is True
    assert cases[0][0][0] == [3, 1, 2]


class Hostile:
    """Raises whatever one does with it."""

    def _no(self, *args, **kwargs):
        raise RuntimeError("no")

    __array__ = __bool__ = __call__ = __eq__ = __float__ = __iter__ = __len__ = __repr__ = (
        __str__
    ) = _no
    __hash__ = None


def quits(*_):
    raise SystemExit


ANYTHING = st.recursive(
    st.none()
    | st.just(...)
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary()
    | st.datetimes()
    | st.builds(Hostile)
    | st.just(quits)
    | st.just(np.zeros((2, 0))),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(), inner, max_size=2)
    ),
    max_leaves=5,
)
EXERCISES = [
    {"right": 3},
    {"right": 0.5, "hints": [(0.4, "a"), (lambda a: a > 3, "b")]},
    {"right": "early", "choices": ["early", "late"]},
    {"right": True},
    {"right": np.ones((2, 2))},
    {"right": ["a", "b"]},
    {"right": lambda a: a > 0.9},
    {"cases": SQUARES},
]


@settings(max_examples=100, deadline=None)
@given(answer=ANYTHING, exercise=st.sampled_from(EXERCISES))
def test_no_answer_makes_check_raise(answer, exercise):
    assert check(answer, **exercise) in (True, False, None)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_hostile_answers_do_not_raise_either(exercise):
    for answer in (Hostile(), quits, lambda x: Hostile(), lambda x: x.nothing, [Hostile()], "١"):
        assert check(answer, **exercise) is False


@pytest.mark.parametrize(
    "exercise",
    [
        {},
        {"right": 3, "cases": SQUARES},
        {"right": float("nan")},
        {"right": {"a": 1}},
        {"right": []},
        {"right": [[1], [2, 3]]},
        {"right": object()},
        {"right": 3, "tolerance": -1},
        {"right": 3, "tolerance": "a bit"},
        {"right": 3, "tolerance": float("nan")},
        {"right": 3, "hints": {4: "no"}},
        {"right": 3, "hints": [4]},
        {"right": 3, "hints": [(4, None)]},
        {"right": 3, "hints": [(None, "no")]},
        {"right": 3, "hints": [(3, "wrong")]},
        {"right": 3, "hints": [(lambda a: a > 2, "too large")]},
        {"right": "a", "choices": ["b", "c"]},
        {"right": 3, "hint": None},
        {"cases": []},
        {"cases": [(2, 4)]},
        {"cases": [((2,), None)]},
        {"cases": {2: 4}},
    ],
)
@pytest.mark.parametrize("answer", [3, None])
def test_a_badly_written_exercise_is_told_to_its_author(exercise, answer):
    with pytest.raises(InputError, match="badly written"):
        check(answer, **exercise)


# ---------------------------------------------------------------- quiz


def page(capsys, questions):
    """What a quiz shows: as a page and as text."""
    quiz(questions)
    text = capsys.readouterr().out
    return Quiz(tuple(questions))._repr_html_(), text


FIRST = Question(
    "Does `fit` move frozen weights?",
    [("no", "Right: they get no update."), ("yes", "No: look at `trainable` again.")],
)
SECOND = Question(
    "Which layers come first?", [("late", "No: late is late."), ("early", "Right: early ones.")]
)


def test_a_quiz_reads_without_script_or_colour(capsys):
    shown, text = page(capsys, [FIRST, SECOND])
    assert shown.count("<details>") == shown.count("</details>") == shown.count("<summary>") == 4
    assert shown.count("<b>Right.</b>") == 2 and shown.count("<b>No.</b>") == 2
    assert "<code>fit</code>" in shown and "<code>trainable</code>" in shown
    assert not re.search(r"script|color|onclick|<input", shown)
    assert shown.index(">late<") < shown.index(">early<")  # the author's order
    assert "1. Does `fit` move" in text and "   b) early" in text
    assert "2a No: late is late." in text and "2b Right: early ones." in text
    assert text.index("b) early") < text.index("Answers:")


@given(st.text(min_size=1).filter(str.strip))
def test_a_quiz_escapes_whatever_it_shows(text):
    question = Question(text, [(text + "1", f"Right: {text}."), (text + "2", f"No: {text}.")])
    shown = Quiz((question,))._repr_html_()
    bare = re.sub(r"</?(div|p|b|i|details|summary|code)( style=[^<>]+)?>", "", shown)
    assert "<" not in bare and ">" not in bare
    unmarked = str.maketrans("", "", "*`")
    assert text.translate(unmarked) in html.unescape(bare).translate(unmarked)


def test_words_are_marked_as_in_markdown_and_a_reason_begins_like_a_sentence(capsys):
    question = Question(
        "Is *all* of it **done**, 2*3 and `a*b*c`?",
        [("yes", "Right: it *is*."), ("no", "No: `fit` did.")],
    )
    shown, _ = page(capsys, [question])
    assert "Is <i>all</i> of it <b>done</b>, 2*3 and <code>a*b*c</code>?" in shown
    assert "<b>Right.</b> It <i>is</i>." in shown and "<b>No.</b> <code>fit</code> did." in shown


@pytest.mark.parametrize(
    "text, choices",
    [
        ("", [("a", "Right: a."), ("b", "No: b.")]),
        (None, [("a", "Right: a."), ("b", "No: b.")]),
        ("Q?", []),
        ("Q?", [("a", "Right: a.")]),
        ("Q?", [("a", "Right: a."), ("b", "Right: b.")]),
        ("Q?", [("a", "No: a."), ("b", "No: b.")]),
        ("Q?", [("a", "Right: a."), ("b", "No:")]),
        ("Q?", [("a", "Right: a."), ("b", "")]),
        ("Q?", [("a", "Right: a."), ("b", "because")]),
        ("Q?", [("a", "Right: a."), ("", "No: b.")]),
        ("Q?", [("a", "Right: a."), ("A ", "No: b.")]),
        ("Q?", [("a", "Right: a."), "b"]),
        ("Q?", {"a": "Right: a.", "b": "No: b."}),
    ],
)
def test_a_badly_written_question_is_refused(text, choices):
    with pytest.raises(InputError, match="badly written"):
        Question(text, choices)


@pytest.mark.parametrize("questions", [None, [], ["Q?"], FIRST])
def test_a_quiz_is_a_list_of_questions(questions):
    with pytest.raises(InputError, match="list of Question"):
        quiz(questions)


# ---------------------------------------------------------------- looked up by number


def test_a_numbered_exercise_is_looked_up_and_named(capsys):
    exercises.check("03.1", 1930)
    exercises.check("03.1", 1920)
    exercises.check("03.1", ...)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "Exercise 03.1: ✓ Right."
    assert "Each class has a bias, too." in told[1] and told[2].startswith("Exercise 03.1: ○")


@pytest.mark.parametrize(
    ("number", "words"),
    [("03.99", r"no exercise 03.99.*03\.1"), ("98.1", r"no answers of lesson '98'.*03")],
)
def test_an_exercise_that_is_not_there_is_named(number, words):
    with pytest.raises(InputError, match=words):
        exercises.check(number, 1)


def test_a_text_that_is_no_number_is_an_answer():
    assert check("3.5", "3.5") is True


@pytest.mark.parametrize(
    ("guess", "told"),
    [(70, "You guessed 70 %. It is 91 %.\n"), (..., "It is 91 %.\n"), ("a lot", "It is 91 %.\n")],
)
def test_a_guess_stands_beside_what_was_measured(guess, told, capsys):
    reveal(guess, 0.912)
    assert capsys.readouterr().out == told


def test_a_quiz_is_read_from_markdown():
    text = "## Is *7*\nodd?\n\n- yes, it\n  is\n\n  Right: it is.\n\n- no\n\n  No: halve it.\n"
    (question,) = read_quiz(text)
    assert question.text == "Is *7* odd?"
    assert list(question.choices) == [("yes, it is", "Right: it is."), ("no", "No: halve it.")]


def test_a_quiz_without_an_explanation_is_refused():
    with pytest.raises(InputError, match="badly written"):
        read_quiz("## Is 7 odd?\n\n- yes\n\n- no\n\n  No: halve it.\n")


def test_a_lesson_without_a_quiz_is_named():
    with pytest.raises(InputError, match=r"no quizzes of lesson '99'.*03"):
        quiz("99")
