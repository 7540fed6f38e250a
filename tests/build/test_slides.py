"""Slides: which cells of a lesson become one, and what stands on it and in its notes."""

import re

import nbformat
import pytest

from tools.build import slides
from tools.build.lessons import NOTEBOOKS


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
