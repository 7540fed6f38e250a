"""The instructor's kit: plans that add up, and notes that speak of what is there."""

import re
from collections import defaultdict

import pytest

from tools.build import slides
from tools.build.lessons import LESSONS, NOTEBOOKS, ROOT, SOURCE

TEACHING = ROOT / "docs" / "teaching"
PARTS = [
    "Goal",
    "What they get wrong, and what to say",
    "Questions to ask the room",
    "If time runs short",
]


def headings(lesson) -> set[str]:
    """All headings of a lesson's source."""
    text = (SOURCE / f"{lesson.stem}.py").read_text(encoding="utf-8")
    return set(re.findall(r"^# ##+ (.+)$", text, re.MULTILINE))


def notes(lesson) -> str:
    """A lesson's notes."""
    return (TEACHING / "notes" / f"{lesson.stem}.md").read_text(encoding="utf-8")


def plans() -> dict[str, list[tuple[int, str, str]]]:
    """Minutes, lesson and section of every row, by plan."""
    found, plan = defaultdict(list), ""
    for line in (TEACHING / "plans.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("##"):
            plan = line.lstrip("# ")
        elif re.match(r"\| \d+ \|", line):
            minutes, number, section, _how = (part.strip() for part in line.strip("|").split("|"))
            found[plan].append((int(minutes), number, section))
    return found


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_every_lesson_has_notes_with_the_four_parts(lesson):
    text = notes(lesson)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    assert text.startswith(f"# Teaching {lesson.number} · ")
    assert len(slides.questions(text)) >= 4
    assert len(re.findall(r"^- \*\*", text, re.MULTILINE)) >= 6


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_notes_speak_of_sections_that_exist_and_of_numbers_that_the_lesson_has(lesson):
    text = " ".join(notes(lesson).split())
    named = set(re.findall(r"[Ss]ections? \*([^*]+?)\*", text))
    assert len(named) >= 6 and named <= headings(lesson), named - headings(lesson)
    lesson_text = (SOURCE / f"{lesson.stem}.py").read_text(encoding="utf-8")
    lesson_text += (NOTEBOOKS / f"{lesson.stem}.ipynb").read_text(encoding="utf-8")
    figures = set(re.findall(r"\d+[.,]\d+|\d{3,}", text))
    missing = {each for each in figures if each not in lesson_text}
    missing = {each for each in missing if each.replace(",", "") not in lesson_text}
    assert not missing


@pytest.mark.parametrize(
    ("plan", "minutes"),
    [
        ("90 minutes: a taste", 90),
        ("Half a day: four hours", 240),
        ("Day one", 420),
        ("Day two", 420),
    ],
)
def test_the_minutes_of_a_plan_add_up_and_its_sections_exist(plan, minutes):
    rows = plans()[plan]
    assert sum(row[0] for row in rows) == minutes
    known = {lesson.number: lesson for lesson in LESSONS}
    for _, number, section in rows:
        if number:
            assert section.strip("*") in headings(known[number]), (number, section)
        assert bool(number) == section.startswith("*")


def test_two_days_teach_every_lesson():
    both = plans()["Day one"] + plans()["Day two"]
    assert {number for _, number, _ in both if number} == {lesson.number for lesson in LESSONS}
