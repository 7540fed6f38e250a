"""Links: which lead somewhere, and which do not."""

import nbformat
import pytest

from tools.build import links
from tools.build.lessons import ROOT


@pytest.fixture
def site(tmp_path):
    """Two pages and a notebook; gives what is broken when the first holds a text."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").write_text(
        '# Title\n\n## What\'s *new*?\n\n## Twice\n\n## Twice\n\n<a id="here"></a>\n'
        "```\n# no heading\n```\n"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("## A heading here")])
    nbformat.write(notebook, tmp_path / "lesson.ipynb")

    def of(text):
        (tmp_path / "page.md").write_text(text)
        return links.broken([tmp_path / "page.md"], tmp_path)

    return of


@pytest.mark.parametrize(
    "target",
    [
        "docs/other.md",
        "docs/",
        "docs/other.md#whats-new",
        "docs/other.md#twice-1",
        "docs/other.md#here",
        "lesson.ipynb#A-heading-here",
        "#mine",
        "https://example.org/nowhere",
        "mailto:a@example.org",
    ],
)
def test_a_link_that_leads_somewhere_is_no_finding(site, target):
    assert site(f"# Mine\n\nSee [it]({target}).") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[it](docs/gone.md)", "docs/gone.md leads nowhere"),
        ("![it](gone.png)", "gone.png leads nowhere"),
        ('<img alt="" src="gone.png">', "gone.png leads nowhere"),
        ("[it]\n\n[it]: gone.md", "gone.md leads nowhere"),
        ("[it](docs/other.md#no-heading)", "names no heading"),
        ("[it](../outside.md)", "leads nowhere"),
        ("[![badge](gone.svg)](https://example.org)", "gone.svg leads nowhere"),
    ],
)
def test_a_broken_link_is_named(site, text, words):
    (sentence,) = site(text)
    assert sentence.startswith("page.md: ") and words in sentence


def test_what_stands_in_code_is_no_link(site):
    assert site("```\n[it](gone.md)\n```\n\nand `[it](gone.md)` too") == []


def test_links_to_the_web_are_listed_once_with_their_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "[a](https://example.org/x#1), <https://example.org/y>, [b](https://example.org/x)"
    )
    assert links.outside([page]) == {"https://example.org/x": page, "https://example.org/y": page}


def test_an_address_that_does_not_answer_says_why():
    assert links.unreachable("http://127.0.0.1:9/")
    assert "ValueError" in links.unreachable("nonsense")


def test_the_links_inside_the_course_lead_somewhere():
    assert links.broken(links.pages(ROOT), ROOT) == []
