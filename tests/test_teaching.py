"""The instructor's kit: plans that add up, notes that speak of what is there, slides, a class."""

import json
import os
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import nbformat
import numpy as np
import pytest

from tools import _class_hub, class_size, classroom, slides, warm_cache
from tools.lessons import LESSONS, NOTEBOOKS, ROOT, SOURCE

TEACHING = ROOT / "docs" / "teaching"
PARTS = [
    "Goal",
    "What they get wrong, and what to say",
    "Questions to ask the room",
    "If time runs short",
]
WRITTEN = [lesson for lesson in LESSONS if lesson.exists]


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


@pytest.mark.parametrize("lesson", WRITTEN, ids=lambda lesson: lesson.number)
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
        if number and known[number].exists:
            assert section.strip("*") in headings(known[number]), (number, section)
        assert bool(number) == section.startswith("*")


def test_two_days_teach_every_lesson():
    both = plans()["Day one"] + plans()["Day two"]
    assert {number for _, number, _ in both if number} == {lesson.number for lesson in LESSONS}


def test_links_of_the_kit_lead_somewhere():
    for page in TEACHING.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


# Slides


def cell(text, *outputs, tags=()):
    made = nbformat.v4.new_code_cell(text, metadata={"tags": list(tags)})
    made.outputs = list(outputs)
    return made


def printed(text):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def picture(data="QUJD"):
    words = {"image/png": {"alt": "a <curve>"}}
    return nbformat.v4.new_output("display_data", {"image/png": data}, metadata=words)


@pytest.fixture
def lesson():
    """A small lesson with each kind of cell."""
    said = nbformat.v4.new_markdown_cell
    cells = [
        said("# 99 · Toys\n\nShort.\n\n## What you will be able to do\n\n- play;"),
        said("## First\n\nWords before."),
        cell("early()", picture("RUFSTFk=")),
        cell("a = 1\nb = 2\nprint(a + b)", printed("3\n"), tags=["row-A1"]),
        cell("silent = 1", tags=["row-A2"]),
        cell("late()", picture()),
        said("It shows a curve, e.g. This one. More."),
        said("## Second"),
        cell("claim()", printed("✓ it holds (1 against 2)\n"), tags=["slide"]),
        cell("skipped()", picture(), tags=["no-slide"]),
        said("## What you measured\n\n- One\n  thing.\n- Another."),
        cell("closing()", picture()),
    ]
    return nbformat.v4.new_notebook(cells=cells)


NOTES = """# Teaching 99 · Toys

## What they get wrong, and what to say

- **"It falls."** It climbs: section *First*.

## Questions to ask the room

1. What of *your* toys? *They\n   roll.* (Section *First*)
2. And who? (Section *First*)
"""


def test_slides_show_tagged_cells_and_the_last_picture_of_a_section(lesson):
    chosen = slides.choose(list(slides.cells_of(lesson)))
    assert [each.code.source.splitlines()[0] for each in chosen] == ["a = 1", "late()", "claim()"]


def test_a_slide_has_one_sentence_and_its_notes_hold_the_rest(lesson):
    made = slides.slides_of(lesson, NOTES)
    texts = [each.text for each in made]
    assert texts[0] == "# 99 · Toys\n\nShort." and "- play;" in texts[1]
    assert "What of *your* toys?\n\nAnd who?" in texts[2] and made[2].notes == ["*They roll.*", ""]
    assert "```python\na = 1" in texts[3] and "<pre>3</pre>" in texts[3]
    assert any("It climbs" in note for note in made[3].notes)
    assert "It shows a curve, e.g. This one.\n" in texts[4] and "More" not in texts[4]
    assert 'alt="a &lt;curve&gt;" src="data:image/png;base64,QUJD"' in texts[4]
    assert "large" in texts[5] and "✓ it holds" in texts[5] and "python" not in texts[5]
    assert texts[6].endswith("- One\n  thing.\n- Another.") and len(texts) == 7


def test_long_output_is_cut_and_wide_lines_are_folded(lesson):
    lesson.cells[3].outputs = [printed("x" * 150 + "\n" + "line\n" * 40)]
    shown = slides.slides_of(lesson, "")[2].text
    lines = re.search(r"<pre>([\s\S]*)</pre>", shown)[1].splitlines()
    assert len(lines) == slides.LINES + 1 and lines[-1] == "…"
    assert max(map(len, lines)) <= slides.WIDEST and "small" in shown


def test_the_slides_of_a_stored_lesson_ask_no_network_for_anything(tmp_path):
    target, count = slides.write(NOTEBOOKS / "03_feature_extraction.ipynb", tmp_path)
    page = target.read_text(encoding="utf-8")
    assert count > 12 and page.count("<section") > count
    asked = re.findall(r"<(?:script|link|img)[^>]*?(?:src|href)=\"(?!data:)([^\"]+)", page)
    assert asked and all(each.startswith("reveal.js/") for each in asked)
    assert "import mermaid" not in page and "@import" not in page


def test_reveal_is_copied_and_a_wrong_folder_is_refused(tmp_path):
    for name in (*slides.NEEDED, "dist/theme/fonts/a.woff"):
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text("x")
    slides.copy_reveal(tmp_path / "mine", tmp_path / "out")
    assert all((tmp_path / "out" / "reveal.js" / name).is_file() for name in slides.NEEDED)
    (tmp_path / "mine" / "dist" / "reveal.js").unlink()
    with pytest.raises(SystemExit, match="no copy of reveal"):
        slides.copy_reveal(tmp_path / "mine", tmp_path / "out")


def test_without_npm_one_is_told_where_to_get_reveal(tmp_path, monkeypatch):
    monkeypatch.setattr(slides, "REVEAL", tmp_path / "nothing")
    monkeypatch.setattr(slides.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="--reveal"):
        slides.copy_reveal(None, tmp_path)


# A class


def test_the_guide_shows_the_computed_tables():
    assert class_size.GUIDE.read_text(encoding="utf-8") == class_size.page(), (
        "Run: python -m tools.class_size --write"
    )


def test_a_larger_class_needs_more_and_a_learner_what_the_hungriest_lesson_needs(capsys):
    small, large = class_size.needs(5), class_size.needs(30)
    assert large[0] > 5 * (small[0] - class_size.SYSTEM_GB) and large[1] > small[1] >= 2
    times = json.loads(class_size.LESSON_TIMES.read_text())["lessons"].values()
    assert small[2] > max(each["learner_mb"] for each in times) / 1000
    assert class_size.main(["17"]) == 0 and "| 17 |" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        class_size.main(["0"])


def test_the_ready_configuration_is_read_and_the_try_out_overrides_it(tmp_path):
    class Config(defaultdict):
        def __init__(self):
            super().__init__(Config)

        __setattr__ = dict.__setitem__

        def __getattr__(self, name):
            return self[name]

    c = Config()

    def load(path):
        exec(Path(path).read_text(encoding="utf-8"), {"get_config": lambda: c})

    _class_hub.Hub(tmp_path, tmp_path / "shared", "proxy")
    text = (tmp_path / "hub.py").read_text(encoding="utf-8")
    exec(text, {"c": c, "load_subconfig": load})
    environment = c.Spawner.environment
    assert environment["TLKIT_SHARED_CACHE"] == str(tmp_path / "shared")
    assert environment["OMP_NUM_THREADS"] == "2" and environment["MALLOC_ARENA_MAX"] == "2"
    assert any("cull_idle_timeout" in each for each in c.Spawner.args)


@pytest.mark.skipif(os.name == "nt", reason="the server has sh")
def test_install_script_is_sound_and_refuses_a_computer_without_tljh():
    script = TEACHING / "jupyterhub" / "install.sh"
    assert subprocess.run(["sh", "-n", script]).returncode == 0
    ran = subprocess.run(
        ["sh", script, "https://example.org/x.git"], capture_output=True, text=True
    )
    assert ran.returncode == 1 and "Littlest JupyterHub is not here" in ran.stderr
    assert subprocess.run(["sh", script], capture_output=True).returncode != 0


def test_damage_in_a_cache_is_found(tmp_path):
    np.savez(tmp_path / "good.npz", a=np.arange(5))
    assert classroom.damaged(tmp_path) == []
    before = classroom.checksums(tmp_path)
    whole = (tmp_path / "good.npz").read_bytes()
    (tmp_path / "good.npz").write_bytes(whole[:-40])
    (tmp_path / ".half.npz.x").write_bytes(b"")
    assert sorted(classroom.damaged(tmp_path)) == [".half.npz.x", "good.npz"]
    assert classroom.checksums(tmp_path) != before


def test_a_learner_without_a_hub_fails_with_words_and_not_with_a_traceback():
    pytest.importorskip("websocket")

    class Nowhere:
        url = "http://127.0.0.1:9"

    outcome = classroom.visit(Nowhere, "ann", "03_feature_extraction", "main")
    assert "ConnectionError" in outcome.failure and outcome.cells == 0


def test_classroom_wants_a_learner_and_a_proxy(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        classroom.main(["--learners", "0", "--proxy", "x"])
    monkeypatch.setattr(classroom.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit):
        classroom.main([])
    assert "npm install" in capsys.readouterr().err


def test_a_class_is_not_held_over_a_cache_that_can_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(classroom, "can_write", lambda folder: True)
    monkeypatch.setattr(classroom, "run_class", lambda *given: pytest.fail("held"))
    assert classroom.main(["--shared-cache", str(tmp_path), "--proxy", "x"]) == 2
    assert "ordinary user" in capsys.readouterr().err


def test_a_damaged_cache_or_a_failed_learner_fails_the_class(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(classroom, "can_write", lambda folder: False)
    shared = tmp_path / "shared"
    shared.mkdir()
    took = {"seconds": 1, "class_mb": 1, "learner_mb": 1, "kernel_mb": 1, "processor_seconds": 1}

    def held(failure="", touch=False):
        def run(learners, lesson, folder, shared, proxy):
            if touch:
                shared.chmod(0o755)
                (shared / "new").write_bytes(b"")
            visits = [classroom.Visit(f"l{n}", 1, 10 + n, 5, failure) for n in range(learners)]
            return {"visits": visits, **took}

        monkeypatch.setattr(classroom, "run_class", run)
        given = ["--shared-cache", str(shared), "--proxy", "x", "--learners", "2"]
        return classroom.main(given)

    assert held() == 0 and "0 failed" in capsys.readouterr().out
    assert held(failure="KeyError: x") == 1 and "failed in cell 5" in capsys.readouterr().out
    assert held(touch=True) == 1 and "DAMAGED" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="the server has Unix permissions")
def test_a_shared_cache_is_warmed_and_then_closed(tmp_path, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(warm_cache, "warm", lambda folder, notebooks, report: ran.extend(notebooks))
    place = tmp_path / "cache"
    (place / "features").mkdir(parents=True)
    (place / "features" / "x.npz").write_bytes(b"abc")
    assert warm_cache.main([str(place), "03", "04"]) == 0
    stems = [path.stem for path in ran]
    assert stems[0] == stems[1] == "03_feature_extraction" and len(stems) == 6
    assert not os.stat(place / "features").st_mode & 0o222
    assert os.stat(place / "features" / "x.npz").st_mode & 0o777 == 0o444
    assert "1 files" in capsys.readouterr().out
    warm_cache.set_writable(place, True)
    assert os.stat(place / "features").st_mode & 0o777 == 0o755


def test_an_unknown_lesson_is_refused_with_the_known_ones():
    with pytest.raises(SystemExit, match="01"):
        warm_cache.stored_notebooks(["9"])
    assert all(path.stem != "00_index" for path in warm_cache.stored_notebooks())
