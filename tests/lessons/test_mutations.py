"""Break something that matters, and see the lesson's claims fail.

A claim that holds whatever the network has learnt would prove nothing.
"""

import pytest

from tests.build.example_lesson import SOURCE as EXAMPLE
from tests.build.example_lesson import write_lesson
from tests.lessons.broken_lessons import (
    NOTHING_LEARNT,
    ONE_RATE,
    RANDOM_EVERYWHERE,
    RANDOM_WEIGHTS,
    UNTRAINED_TEACHER,
)
from tools.build.lesson_runner import lesson_source, run_lesson
from tools.build.lessons import LESSONS

# For each lesson and each thing broken: words of the claims that must fail then, as the lesson
# states them. Claims that do not depend on what was broken may hold; they are not listed.
MUST_FAIL: dict[tuple[str, str], list[str]] = {
    ("01", "random weights"): [
        "the pretrained network calls the cat a cat",
        "with random weights it tells fewer photographs apart",
        "frozen pretrained features beat frozen random ones",
        "in trained filters, neighbouring weights agree",
        "with shuffled pixels, transfer loses",
    ],
    ("02", "random weights everywhere"): [
        "at the end more can be told than in the stem",
        "the live probes agree with the stored table at every depth",
        "four moved layers beat learning B alone",
    ],
    ("03", "random weights"): [
        "200 labels are enough for a useful classifier",
        "the live run agrees with the stored table",
        "the small network from scratch is far behind",
    ],
    ("04a", "random weights"): [
        "a head on the frozen network is far above guessing",
        "nothing unfrozen is named",
    ],
    ("04b", "nothing learnt"): [
        "with fifty labels the borrowed layers win",
        "on the icons pretrained features beat random ones",
        "live, the shuffled digits do as in the table",
        "the live masks agree with the stored table",
    ],
    ("05", "one rate for all groups"): [
        "every group moves by the fraction asked for",
        "decay that follows the rate keeps its share",
    ],
    ("06", "an untrained teacher"): [
        "the student of a teacher beats its twin",
        "the live run agrees with the stored table",
    ],
    ("07", "random weights"): [
        "a head on frozen features gets most of them right",
        "every borrowed network beats the baseline",
    ],
}

BROKEN = {
    "random weights": RANDOM_WEIGHTS,
    "random weights everywhere": RANDOM_EVERYWHERE,
    "nothing learnt": NOTHING_LEARNT,
    "one rate for all groups": ONE_RATE,
    "an untrained teacher": UNTRAINED_TEACHER,
}


@pytest.mark.lessons
@pytest.mark.parametrize(
    ("lesson", "broken"), MUST_FAIL, ids=[f"{lesson}-{broken}" for lesson, broken in MUST_FAIL]
)
def test_the_claims_notice(lesson, broken, tmp_path):
    wanted = MUST_FAIL[lesson, broken]
    outcome = run_lesson(lesson_source(lesson), BROKEN[broken], tmp_path / "cache", until=wanted)
    unheard = [w for w in wanted if not any(w in statement for statement in outcome.failed)]
    assert not unheard, (
        f"With {broken} these claims should fail and did not: {unheard}.\n"
        f"Failed: {outcome.failed}\nHeld: {outcome.passed}\nErrors: {outcome.errors}"
    )


def test_every_written_lesson_is_broken_somehow():
    written = {lesson.number for lesson in LESSONS}
    missing = written - {lesson for lesson, _ in MUST_FAIL}
    assert not missing, f"No mutation in MUST_FAIL for lesson {', '.join(sorted(missing))}."
    assert all(MUST_FAIL.values())


# --- the frame itself -------------------------------------------------------------------------

LESSON = """\
# %%
import tlkit
from tlkit.course import claim

# %%
base = tlkit.load_backbone("efficientnet-lite0", image_size=64)
first = base.get_layer("stem_conv").get_weights()[0]
claim("the first filters are strong", first.std() > 0.3, f"{first.std():.2f}")
claim("there are weights", first.size > 0)

# %%
undefined_name

# %%
claim("the last claim is heard as well", False)
"""


@pytest.mark.lessons
def test_random_weights_reach_a_lesson_and_all_claims_are_heard(tmp_path):
    path = write_lesson(tmp_path, LESSON)
    broken = run_lesson(path, RANDOM_WEIGHTS, tmp_path / "cache")
    sound = run_lesson(path, "", tmp_path / "cache")
    assert broken.passed == ("there are weights",)
    assert broken.failed == ("the first filters are strong", "the last claim is heard as well")
    assert sound.passed == ("the first filters are strong", "there are weights")
    assert sound.failed == ("the last claim is heard as well",)
    assert len(sound.errors) == 1 and "NameError" in sound.errors[0]


def test_what_comes_after_the_last_wanted_claim_is_not_run(tmp_path):
    source = "# %%\nfrom tlkit.course import claim\n\nclaim('first', True)\n\n# %%\n1 / 0\n"
    path = write_lesson(tmp_path, source)
    assert len(run_lesson(path, "", tmp_path / "cache").errors) == 1
    outcome = run_lesson(path, "", tmp_path / "cache", until=["first"])
    assert outcome.errors == () and outcome.passed == ("first",)


def test_a_prelude_that_fails_is_no_proof(tmp_path):
    path = write_lesson(tmp_path, EXAMPLE)
    with pytest.raises(RuntimeError, match="The prelude itself failed: cell 0: ZeroDivisionError"):
        run_lesson(path, "1 / 0", tmp_path / "cache")
