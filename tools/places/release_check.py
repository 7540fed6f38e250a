"""Is everything as it must be for a release? Prints a table; nothing is published or changed.

python -m tools.places.release_check              # without a network
python -m tools.places.release_check --external   # are the links to the web alive, too?
python -m tools.places.release_check --wheels     # is there a wheel of every locked package?
python -m tools.places.release_check --install    # install the wheel with all that it needs, too
python -m tools.places.release_check --links      # list the links to the web, and stop

What `make test` has shown is not asked again: notebooks and their links agree with the sources, and
the package works without the clone. It needs the extra `release`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import tlkit
from tlkit.findings import Finding, Findings
from tools import experiments
from tools.build import address, links, lock
from tools.build.environments import UV, run
from tools.build.lessons import ROOT

# Run away from the clone, where nothing is installed but the wheel and what it needs.
PROBE = """
import tlkit, tlkit.paths
tlkit.paths.read_card("backbones", "efficientnet-lite0")
tlkit.load_backbone()
print(tlkit.__version__, tlkit.__file__)
"""


def check_address() -> Finding:
    """The placeholder must have given way to a real address, on every page."""
    found = address.address()
    mend = "Give it a public address: make address REPOSITORY=https://github.com/owner/name"
    owner = address.PLACEHOLDER.split("/")[3]
    pages = (*address.PAGES, "README.md")
    left = [page for page in pages if owner in (ROOT / page).read_text(encoding="utf-8")]
    if left:
        found = f"a placeholder that nobody can have, in {', '.join(left)}"
    return Finding("Address", found, not left and found.startswith("https://github.com/"), mend)


def check_changelog() -> Finding:
    """The newest entry is this version's, has a date and says something."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    title, _, entry = text.partition("\n## ")[2].partition("\n")
    lines = len(re.findall(r"^- ", entry.partition("\n## ")[0], re.MULTILINE))
    wanted = rf"\[{re.escape(tlkit.__version__)}\] - \d{{4}}-\d\d-\d\d"
    mend = f"Begin with: ## [{tlkit.__version__}] - 2026-01-31, and say what is new"
    fine = bool(re.fullmatch(wanted, title.strip())) and lines > 0
    return Finding("Changelog", f"{title or 'no entry'}, with {lines} lines", fine, mend)


def check_tag() -> Finding:
    """All is committed, and the tag is either free or on this very commit."""
    if run(["git", "status", "--porcelain"], cwd=ROOT).strip():
        return Finding("Commit", "there are changes that git does not have", False, "Commit first")
    ask = ["git", "rev-parse", "--verify", "--quiet", f"{address.tag()}^{{commit}}"]
    at = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    head = run(["git", "rev-parse", "HEAD"], cwd=ROOT).strip()
    found = f"{head[:9]}; tag {address.tag()} {'is on it' if at == head else 'is free'}"
    if at and at != head:
        return Finding("Commit", f"{address.tag()} is on {at[:9]}", False, "Take another version")
    return Finding("Commit", found, True)


def check_package(folder: Path, install: bool) -> Finding:
    """Source archive and wheel build, are complete, and install when that is wished.

    Args:
        folder: Where to build them.
        install: Install the wheel with what it needs, from the index, and use it.
    """
    run([*UV, "build", "--quiet", "--no-build-isolation", "--out-dir", folder], cwd=ROOT)
    made = sorted(path for path in folder.iterdir() if path.name.startswith("tlkit"))
    run([sys.executable, "-m", "twine", "check", "--strict", *made])
    (wheel,) = (path for path in made if path.suffix == ".whl")
    run([sys.executable, "-m", "check_wheel_contents", wheel])
    found = ", ".join(f"{path.name} {path.stat().st_size // 1000} kB" for path in made)
    if install:
        alone = [*UV, "run", "--quiet", "--isolated", "--no-project", "--with", f"{wheel}[cpu]"]
        found += f"; installs as {run([*alone, 'python', '-c', PROBE], cwd=folder).split()[0]}"
    return Finding("Package", found, True)


def check_external() -> Finding:
    """Links to the web, but for those that are alive only once the tag is public."""
    ours = (
        address.address(),
        "https://colab.research.google.com/github/",
        "https://mybinder.org/v2/",
    )
    every = [one for one in links.outside(links.pages(ROOT)) if not one.startswith(ours)]
    wrong = [f"{one} {why}" for one in every if (why := links.unreachable(one))]
    found = f"{len(wrong)} of {len(every)} are dead" if wrong else f"{len(every)} answer"
    return Finding("Links outside", found, not wrong, "; ".join(wrong))


def check_lock() -> Finding:
    """A wheel of every locked version for every computer."""
    fine = lock.check_wheels()
    words = "a wheel of everything, everywhere" if fine else "wheels are missing (see above)"
    return Finding("Lock", words, fine, "make lock")


def check_tables() -> Finding:
    """No stored table waits to be verified with rebuilt code."""
    left = ", ".join(experiments.waiting())
    words = f"still to be verified: {left}" if left else "all belong to the code as it is"
    return Finding("Stored tables", words, not left, "make experiments VERIFY=1")


def check(options: argparse.Namespace) -> Findings:
    """Everything, in the order of the table; a check that breaks becomes a line.

    Args:
        options: With the flags `external`, `wheels` and `install`.
    """
    found = []
    with tempfile.TemporaryDirectory() as folder:
        checks: list[Callable[[], Finding]] = [check_address, check_changelog, check_tag]
        checks.append(check_tables)
        checks.append(partial(check_package, Path(folder), options.install))
        checks += [check_external] * options.external + [check_lock] * options.wheels
        for one in checks:
            try:
                found.append(one())
            except (Exception, SystemExit) as error:
                what = getattr(one, "func", one).__name__.removeprefix("check_").capitalize()
                found.append(Finding(what, str(error).strip(), False, "see it"))
    return Findings(found)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--external", action="store_true", help="ask the links to the web")
    parser.add_argument("--wheels", action="store_true", help="ask for a wheel of all in the lock")
    parser.add_argument("--install", action="store_true", help="install what the wheel needs, too")
    parser.add_argument("--links", action="store_true", help="list the links to the web, and stop")
    options = parser.parse_args(arguments)
    if options.links:
        for one, page in sorted(links.outside(links.pages(ROOT)).items()):
            print(f"{one}  ({page.relative_to(ROOT).as_posix()})")
        return 0
    found = check(options)
    print(found)
    print(f"{'Not ready' if found else 'Ready'} to be released as {address.tag()}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
