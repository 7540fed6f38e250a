"""The course's public address: where it stands, and everything that is made from it.

    python -m tools.address                                           # write everything anew
    python -m tools.address https://github.com/owner/name             # after setting it

It stands in pyproject.toml, as `Repository`; the version stands in tlkit/__init__.py. From these
two come the links under every lesson's title, its first cell, and README's badges. No notebook is
run.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

import tlkit
from tools.lessons import ROOT

# No account on GitHub can have this name, so nobody can put a course of theirs in its place.
PLACEHOLDER = "https://github.com/-your-account-/transfer-learning-hands-on"
# Beside pyproject.toml, the files that an author writes and that name the address.
PAGES = ("pyproject.toml", "CITATION.cff", "README.md", "docs/platforms.md")
_SHAPE = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)|file://\S*?/([\w.-]+)/([\w.-]+?)")
_BEGIN, _END = "<!-- badges: begin -->", "<!-- badges: end -->"

# What the generator puts under every lesson's title. Short: it is the first code a learner sees.
_SETUP = """\
# @title Set-up: on Google Colab this fetches the course; elsewhere it only looks at versions
import importlib.util, os, shutil, subprocess, sys

COURSE, VERSION = "{address}", "{version}"
if "google.colab" in sys.modules:
    here = os.path.abspath(f"transfer-learning-{{VERSION}}")
    if not os.path.isdir(here):
        shutil.rmtree(f"{{here}}.part", ignore_errors=True)
        fetch = ["git", "-c", "advice.detachedHead=false", "clone", "-q", "--depth=1"]
        subprocess.run([*fetch, "-b", f"v{{VERSION}}", COURSE, f"{{here}}.part"], check=True)
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


def set_address(new: str, root: Path = ROOT) -> list[str]:
    """Put another address in the place of the present one, in all pages that name it.

    Args:
        new: Such as `"https://github.com/owner/name"`; `file:///…` in a trial.
        root: The clone.

    Returns:
        The pages that changed.

    Raises:
        AddressError: It has another shape.
    """
    new = new.removesuffix("/").removesuffix(".git")
    pairs = list(zip((address(root), *_paths(address(root))), (new, *_paths(new)), strict=True))
    changed = []
    for page in PAGES:
        path = root / page
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        text = old
        for before, after in pairs:
            text = text.replace(before, after)
        if text != old:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(page)
    return changed


def update_readme(root: Path = ROOT) -> None:
    """Write README's badges anew, if it has a place for them."""
    readme = root / "README.md"
    page = readme.read_text(encoding="utf-8")
    if _BEGIN in page:
        head, rest = page.split(_BEGIN)
        new = f"{head}{_BEGIN}\n{readme_badges()}\n{_END}{rest.split(_END)[1]}"
        readme.write_text(new, encoding="utf-8", newline="\n")


def _owner_and_name(url: str) -> tuple[str, str]:
    found = _SHAPE.fullmatch(url)
    if not found:
        raise AddressError(
            f"{url!r} is no address of a repository: it looks like https://github.com/owner/name."
        )
    owner, name = (part for part in found.groups() if part)
    return owner, name


def _paths(url: str) -> tuple[str, str]:
    """How the address appears in the links to Colab and Binder."""
    owner, name = _owner_and_name(url)
    return f"/github/{owner}/{name}/", f"/gh/{owner}/{name}/"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    from tools import build_notebooks  # here, for it imports this module by way of the lessons

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", nargs="?", help="such as https://github.com/owner/name")
    options = parser.parse_args(arguments)
    try:
        if options.repository:
            print("\n".join(f"{page}: new address" for page in set_address(options.repository)))
    except AddressError as error:
        print(error, file=sys.stderr)
        return 1
    update_readme()
    return build_notebooks.main(["--text"])


if __name__ == "__main__":
    sys.exit(main())
