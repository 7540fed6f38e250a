"""JupyterLab as `make lab` starts it: does it find every picture and link of every notebook?"""

import json
import mimetypes
import os
import posixpath
import re
import secrets
import shlex
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import nbformat
import pytest

from tools.build.lessons import INDEX, NOTEBOOKS, ROOT, SOLUTIONS
from tools.build.links import links

STORED = sorted([*NOTEBOOKS.glob("*.ipynb"), *SOLUTIONS.glob("*.ipynb")])


def recipe(options: str) -> list[str]:
    """What `make lab` runs, with this Python."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (line,) = re.findall(r"^lab:.*\n\t@\$\(RUN\) (.+)$", makefile, re.MULTILINE)
    return [sys.executable, *shlex.split(line.replace("$(LAB_OPTIONS)", options))]


class Lab:
    """A JupyterLab of our own, without a browser, on this computer alone; as a context.

    Args:
        folder: For all that it would keep in a home folder.

    Attributes:
        root: The folder that it serves.
        opens: The page that a browser would show first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._token = folder, secrets.token_hex()

    def __enter__(self) -> "Lab":
        root_only = "--allow-root" if hasattr(os, "getuid") and os.getuid() == 0 else ""
        own = {f"JUPYTER_{n}_DIR": str(self._folder / n) for n in ("CONFIG", "DATA", "RUNTIME")}
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                recipe(f"--no-browser --ip=127.0.0.1 --port=0 {root_only}"),
                cwd=ROOT,
                env={**os.environ, **own, "JUPYTER_TOKEN": self._token},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._started():
                return self
            time.sleep(0.1)
        self._process.kill()
        pytest.fail(f"JupyterLab did not start:\n{(self._folder / 'log').read_text()[-2000:]}")

    def __exit__(self, *_exception) -> None:
        # Not by a signal: on Windows the server is a child of the process that we know.
        self._ask("api/shutdown", "POST")
        try:
            self._process.wait(30)
        finally:
            self._process.kill()

    def has(self, path: str) -> bool:
        """Whether it serves a file or folder, and a picture as one."""
        kind, _ = mimetypes.guess_type(path)
        found = self._ask(f"api/contents/{urllib.parse.quote(path)}?content=0") is not None
        if found and (kind or "").startswith("image/"):
            return self._ask(f"files/{urllib.parse.quote(path)}") == kind
        return found

    def _started(self) -> bool:
        try:
            (about,) = (self._folder / "RUNTIME").glob("jpserver-*.json")
            (page,) = (self._folder / "RUNTIME").glob("jpserver-file-to-run-*.html")
            told = json.loads(about.read_text(encoding="utf-8"))
            (self.opens,) = re.findall(r"url=http://[^/]+/([^?\"]+)", page.read_text("utf-8"))
        except ValueError:  # not there, or half written
            return False
        self._url, self.root = told["url"], Path(told["root_dir"])
        return self._ask("api") is not None

    def _ask(self, path: str, method: str = "GET") -> str | None:
        """The type of what it answers with; None when it does not have it."""
        asked = urllib.request.Request(f"{self._url}{path}", method=method)
        asked.add_header("Authorization", f"token {self._token}")
        straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with straight.open(asked, timeout=30) as answer:
                return answer.headers.get_content_type()
        except OSError:
            # It answers with an error, or not at all.
            return None


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    pytest.importorskip("jupyterlab")
    with Lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


def missing(page: Path, root: Path, lab: Lab) -> list[str]:
    """Pictures and links of a notebook that JupyterLab does not have, as they are written."""
    found = []
    for link in links(page):
        place = urllib.parse.unquote(link.partition("#")[0])
        if place and not re.match(r"[a-z]+:", place):
            folder = page.parent.relative_to(root).as_posix()
            path = posixpath.normpath(posixpath.join(folder, place))
            if path.startswith("..") or not lab.has(path):
                found.append(link)
    return found


def test_it_serves_the_whole_course_and_opens_the_index(lab):
    assert lab.root.samefile(ROOT)
    assert lab.opens == f"lab/tree/notebooks/{INDEX}.ipynb"


@pytest.mark.parametrize("page", STORED, ids=lambda path: path.relative_to(NOTEBOOKS).as_posix())
def test_every_picture_and_link_of_a_notebook_is_there(page, lab):
    assert lab.has(page.relative_to(ROOT).as_posix())
    assert missing(page, ROOT, lab) == []


def test_the_index_leads_to_the_readme_and_the_documentation():
    targets = set(links(NOTEBOOKS / f"{INDEX}.ipynb"))
    assert {"../README.md", "../docs/platforms.md", "../docs/curriculum.md"} <= targets


def test_a_picture_or_link_that_leads_nowhere_is_noticed(lab, tmp_path):
    text = (
        "[lesson](01_motivation.ipynb#Quiz) [page](../README.md) [web](https://example.org) "
        "[up](#a) ![badge](../docs/badges/open-in-colab.svg) `[code](gone.md)`\n\n"
        "[gone](02_gone.ipynb) ![gone](../docs/badges/gone.svg) [out](../../README.md)\n"
        '<img src="gone.png" alt="gone"> [hidden](../.git/config)'
    )
    page = tmp_path / "notebooks" / "99_x.ipynb"
    page.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]), page)
    assert missing(page, tmp_path, lab) == [
        "02_gone.ipynb",
        "../docs/badges/gone.svg",
        "../../README.md",
        "gone.png",
        "../.git/config",
    ]


@pytest.mark.parametrize("page", ["README.md", "environment.yml"])
def test_other_ways_to_start_it_serve_the_same_folder(page):
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\", "/")
    commands = re.findall(r"\bjupyter lab\b.*", text)
    assert set(commands) == {" ".join(recipe("")[2:])}
