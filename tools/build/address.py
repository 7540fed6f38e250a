"""The course's public address: where it stands, and everything that is made from it.

    python -m tools.build.address                                 # write README's badges anew
    python -m tools.build.address https://github.com/owner/name   # after setting the address

It stands in pyproject.toml, as `Repository`; the version stands in tlkit/__init__.py. From these
two come README's badges, and the links under every lesson's title and its first cell, which
`make address` brings up to date as well. No notebook is run.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

import tlkit
from tools.build.lessons import ROOT
from tools.build.pages import put

# No account on GitHub can have this name, so nobody can put a course of theirs in its place.
PLACEHOLDER = "https://github.com/-your-account-/transfer-learning-hands-on"
# The files that an author writes and that name the address; README's badges are made from it.
PAGES = ("pyproject.toml", "CITATION.cff")
_SHAPE = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)|file://\S*?/([\w.-]+)/([\w.-]+?)")

# What the generator puts under every lesson's title. Short: it is the first code a learner sees.
_SETUP = """\
# @title Set-up: on Google Colab this fetches the course; elsewhere it only looks at versions
import importlib.util, os, shutil, subprocess, sys

COURSE, VERSION = "{address}", "{version}"
if "google.colab" in sys.modules:
    here = os.path.abspath(f"transfer-learning-{{VERSION}}")
    if not os.path.isdir(here):
        print("Fetching the course, which takes some seconds …", flush=True)
        shutil.rmtree(f"{{here}}.part", ignore_errors=True)
        fetch = ["git", "clone", "-q", "--depth=1", "-b", f"v{{VERSION}}", COURSE, f"{{here}}.part"]
        done = subprocess.run(fetch, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"The course cannot be fetched. Run this cell again. {{done.stderr}}")
        os.rename(f"{{here}}.part", here)
    sys.path.insert(0, here)
elif not importlib.util.find_spec("tlkit"):
    sys.exit("This Python lacks the course's package, tlkit. In the course's folder: make lab")
from tlkit.course.colab import set_up

set_up(VERSION)"""


class AddressError(ValueError):
    """An address that the course cannot be fetched from."""


def address(root: Path = ROOT) -> str:
    """The course's public address, as pyproject.toml states it."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"]


def tag() -> str:
    """The tag of this version, which badges, links and first cells lead to."""
    return f"v{tlkit.__version__}"


def setup_code() -> str:
    """The first cell of every lesson."""
    return _SETUP.format(address=address(), version=tlkit.__version__)


def places(notebook: str) -> tuple[str, str, str]:
    """The addresses of a notebook on Google Colab, on Binder and on GitHub.

    Args:
        notebook: Its path in the repository.
    """
    owner, name = _owner_and_name(address())
    return (
        f"https://colab.research.google.com/github/{owner}/{name}/blob/{tag()}/{notebook}",
        f"https://mybinder.org/v2/gh/{owner}/{name}/{tag()}?urlpath=lab/tree/{notebook}",
        f"https://github.com/{owner}/{name}/blob/{tag()}/{notebook}",
    )


def place_links(notebook: str) -> str:
    """What stands under a notebook's title: links to the same notebook elsewhere, as Markdown.

    Words, no pictures: a notebook on Colab, or one that is opened alone, has no files beside it,
    and without a network there are none from elsewhere.

    Args:
        notebook: Its path in the repository.

    Returns:
        One line.
    """
    colab, binder, github = places(notebook)
    return f"[Open in Colab]({colab}) · [Open on Binder]({binder}) · [Read on GitHub]({github})"


def readme_badges() -> str:
    """The badges of README, which open the index."""
    colab, binder, _ = places("notebooks/00_index.ipynb")
    return (
        f"[![Open in Colab](docs/badges/open-in-colab.svg)]({colab})\n"
        f"[![Open on Binder](docs/badges/open-on-binder.svg)]({binder})"
    )


def set_address(new: str, root: Path = ROOT) -> None:
    """Put another address in the place of the present one, on every page that names it.

    Args:
        new: Such as `"https://github.com/owner/name"`; `file:///…` in a trial.
        root: The clone.

    Raises:
        AddressError: It has another shape.
    """
    old, new = address(root), new.removesuffix("/").removesuffix(".git")
    _owner_and_name(new)
    for page in PAGES:
        text = (root / page).read_text(encoding="utf-8").replace(old, new)
        (root / page).write_text(text, encoding="utf-8", newline="\n")


def _owner_and_name(url: str) -> tuple[str, str]:
    found = _SHAPE.fullmatch(url)
    if not found:
        raise AddressError(
            f"{url!r} is no address of a repository: it looks like https://github.com/owner/name."
        )
    owner, name = (part for part in found.groups() if part)
    return owner, name


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", nargs="?", help="such as https://github.com/owner/name")
    options = parser.parse_args(arguments)
    if options.repository:
        try:
            set_address(options.repository)
        except AddressError as error:
            parser.error(str(error))
    put(ROOT / "README.md", "badges", readme_badges())
    return 0


if __name__ == "__main__":
    sys.exit(main())
