"""The release check: what it refuses, with the mend."""

import subprocess

import pytest

from tlkit.findings import Finding
from tools.build import address, links
from tools.places import release_check


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small course, ready for a release, for the checks to look at."""
    monkeypatch.setattr(release_check, "ROOT", tmp_path)
    monkeypatch.setattr(release_check.tlkit, "__version__", "1.2.0")
    monkeypatch.setattr(address, "address", lambda root=None: "https://github.com/owner/name")
    for page in (*address.PAGES, "README.md"):
        (tmp_path / page).write_text("https://github.com/owner/name")
    write_changelog(tmp_path, "## [1.2.0] - 2026-11-25\n\n- It is new.\n\n## [1.1.0] - 2026-01-01")
    return tmp_path


def write_changelog(root, entries):
    (root / "CHANGELOG.md").write_text(f"# Changelog\n\n{entries}")


def git(*words, folder):
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_a_course_that_is_ready_has_no_findings(course):
    assert release_check.check_address().fine
    assert release_check.check_changelog().fine


def test_the_placeholder_address_is_refused_wherever_it_is_left(course, monkeypatch):
    (course / "CITATION.cff").write_text(f"repository-code: {address.PLACEHOLDER}\n")
    found = release_check.check_address()
    assert not found.fine and "CITATION.cff" in found.found and "make address" in found.mend


def test_an_address_that_colab_and_binder_cannot_open_is_refused(course, monkeypatch):
    monkeypatch.setattr(address, "address", lambda root=None: "file:///somewhere/owner/name")
    assert not release_check.check_address().fine


@pytest.mark.parametrize(
    "entries",
    [
        "## [Unreleased]\n\n- It is new.\n",
        "## [1.1.0] - 2026-11-25\n\n- It is new.\n",
        "## [1.2.0]\n\n- It is new.\n",
        "## [1.2.0] - 2026-11-25\n\n## [1.1.0] - 2026-01-01\n\n- Old.\n",
        "",
    ],
    ids=["unreleased", "another version", "no date", "nothing said", "no entry"],
)
def test_a_changelog_that_is_not_ready_is_refused(course, entries):
    write_changelog(course, entries)
    found = release_check.check_changelog()
    assert not found.fine and "## [1.2.0] - " in found.mend


def test_a_tag_on_another_commit_and_uncommitted_changes_are_refused(course):
    git("init", "-q", folder=course)
    assert "changes" in release_check.check_tag().found
    git("add", "-A", folder=course), git("commit", "-qm", "one", folder=course)
    assert "is free" in release_check.check_tag().found
    git("tag", "v1.2.0", folder=course)
    assert "is on it" in release_check.check_tag().found
    git("commit", "-qm", "two", "--allow-empty", folder=course)
    assert not release_check.check_tag().fine


def test_dead_links_to_the_web_are_named_and_those_of_a_tag_to_come_are_left_out(
    course, monkeypatch
):
    (course / "README.md").write_text(
        "[a](https://a.example.org), [b](https://b.example.org) and a badge of ours: "
        "[c](https://github.com/owner/name/blob/v1/x), "
        "[d](https://colab.research.google.com/github/owner/name/x)"
    )
    monkeypatch.setattr(links, "unreachable", lambda one: "answers 404" if "a." in one else "")
    found = release_check.check_external()
    assert found.found == "1 of 2 are dead" and found.mend == "https://a.example.org answers 404"
    monkeypatch.setattr(links, "unreachable", lambda one: "")
    assert release_check.check_external().fine


def test_a_check_that_breaks_becomes_a_line_and_the_exit_code_is_one(monkeypatch, capsys):
    def broken():
        raise SystemExit("This failed: git\nno git here")

    for name in dir(release_check):
        if name.startswith("check_"):
            monkeypatch.setattr(release_check, name, lambda *given: Finding("x", "y", True))
    assert release_check.main([]) == 0
    assert "All is well." in capsys.readouterr().out
    broken.__name__ = "check_tag"
    monkeypatch.setattr(release_check, "check_tag", broken)
    assert release_check.main([]) == 1
    told = capsys.readouterr().out
    assert "✗ Tag" in told and "no git here" in told and "Not ready" in told
