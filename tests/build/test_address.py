"""The course's address: where it stands, and what leads there."""

import re
import shutil

import pytest

import tlkit
from tools.build import address
from tools.build.lessons import ROOT
from tools.build.pages import shown


@pytest.fixture
def pages(tmp_path):
    """A copy of the pages that name the address."""
    for page in address.PAGES:
        shutil.copy(ROOT / page, tmp_path / page)
    return tmp_path


def texts(root):
    return [(root / page).read_text("utf-8") for page in address.PAGES]


@pytest.mark.parametrize("end", ["", "/", ".git", ".git/"])
def test_an_address_may_end_as_it_is_copied(pages, end):
    address.set_address(f"https://github.com/owner/name{end}", pages)
    assert address.address(pages) == "https://github.com/owner/name"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "owner/name",
        "http://github.com/owner/name",
        "https://github.com/owner",
        "https://github.com/owner/name/tree/main",
        "https://github.com/own er/name",
        "https://example.org/owner/name",
        "git@github.com:owner/name.git",
        "https://github.com/owner/name\n",
        "file:///a folder/owner/name",
    ],
)
def test_a_bad_address_is_refused_and_nothing_is_written(pages, bad):
    before = texts(pages)
    with pytest.raises(address.AddressError, match="it looks like"):
        address.set_address(bad, pages)
    assert texts(pages) == before


@pytest.mark.parametrize("new", ["https://github.com/an-owner/a.name", "file:///srv/remote/course"])
def test_a_new_address_reaches_every_page_and_the_old_one_comes_back(pages, new):
    before, old = texts(pages), address.address(pages)
    address.set_address(new, pages)
    assert all(new in text and old not in text for text in texts(pages))
    address.set_address(old, pages)
    assert texts(pages) == before


def test_the_placeholder_is_a_name_that_nobody_can_register():
    owner = address.PLACEHOLDER.split("/")[3]
    # GitHub's rule: letters, digits and single hyphens, none of them at the beginning or the end.
    assert not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", owner)


def test_the_command_refuses_a_bad_address(capsys):
    before = texts(ROOT)
    with pytest.raises(SystemExit):
        address.main(["nonsense"])
    assert "'nonsense'" in capsys.readouterr().err and texts(ROOT) == before


def test_the_links_under_a_title_lead_to_the_tag(monkeypatch):
    monkeypatch.setattr(address, "address", lambda root=None: "https://github.com/owner/name")
    links = re.findall(r"\((https:[^)]+)\)", address.place_links("notebooks/01_x.ipynb"))
    tag = f"v{tlkit.__version__}"
    assert links == [
        f"https://colab.research.google.com/github/owner/name/blob/{tag}/notebooks/01_x.ipynb",
        f"https://mybinder.org/v2/gh/owner/name/{tag}?urlpath=lab/tree/notebooks/01_x.ipynb",
        f"https://github.com/owner/name/blob/{tag}/notebooks/01_x.ipynb",
    ]


def test_readme_has_its_badges():
    assert shown(ROOT / "README.md", "badges") == address.readme_badges(), "Run: make address"
