"""Pieces of pages that tools write: they are today's, and nothing else on a page is touched."""

import pytest

from tools.build.lessons import ROOT, lesson_map
from tools.build.pages import put, shown
from tools.places import binder, class_size

BINDER = "python benchmarks/binder.py --python build/binder/bin/python"
SIZES = "python -m tools.places.class_size"
README, GUIDE = "README.md", "docs/teaching/jupyterhub.md"
PIECES = [
    (README, "lessons", lambda: lesson_map("notebooks/{stem}.ipynb"), "benchmarks/lessons.py"),
    ("docs/platforms.md", "binder", binder.binder_table, BINDER),
    (GUIDE, "sizes", class_size.table, SIZES),
    (GUIDE, "classroom", class_size.measured, SIZES),
]


@pytest.mark.parametrize(("page", "name", "wanted", "mend"), PIECES, ids=[p[1] for p in PIECES])
def test_a_page_shows_what_was_measured(page, name, wanted, mend):
    assert shown(ROOT / page, name) == wanted(), f"Run: {mend} --write"


def test_a_piece_is_written_anew_and_the_rest_of_the_page_stays(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("ü\n<!-- a: begin -->\nold\n<!-- a: end -->\nafter\n", encoding="utf-8")
    for _ in range(2):
        put(page, "a", "new\nlines")
    assert page.read_text("utf-8") == ("ü\n<!-- a: begin -->\nnew\nlines\n<!-- a: end -->\nafter\n")
    assert shown(page, "a") == "new\nlines"


def test_a_page_without_a_place_for_a_piece_is_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- a: begin -->\nno end")
    with pytest.raises(ValueError, match=r"page\.md has no place for 'a'"):
        put(page, "a", "new")
    assert page.read_text() == "<!-- a: begin -->\nno end"
