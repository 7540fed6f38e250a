"""Is everything as it must be for a release? Prints a table; nothing is published or changed.

python -m tools.release_check              # without a network
python -m tools.release_check --external   # are the links to the web alive, too?
python -m tools.release_check --wheels     # is there a wheel of every locked package (needs uv)?
python -m tools.release_check --install    # install the wheel with all it needs, from the index
python -m tools.release_check --links      # list the links to the web, and stop
"""

from __future__ import annotations

import argparse
import email
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import yaml

import tlkit
from tlkit.findings import Finding, Findings
from tools import address, build_notebooks, links, lock
from tools.elsewhere import make_environment, run
from tools.lessons import NOTEBOOKS, ROOT, SOLUTIONS

_ENTRY = re.compile(r"^## \[([^\]]+)\](?: - (\d{4}-\d\d-\d\d))?[ \t]*$", re.MULTILINE)
METADATA = (
    "Name",
    "Version",
    "Summary",
    "License-Expression",
    "License-File",
    "Requires-Python",
    "Requires-Dist",
    "Project-URL",
    "Classifier",
    "Keywords",
    "Description-Content-Type",
)
URLS = ("Repository", "Changelog", "Issues")
# Run in the new environment, away from the clone; prints what it found as JSON.
PROBE = """
import importlib.util, json, pathlib, tlkit
from tlkit.paths import read_card
read_card("backbones", "efficientnet-lite0")
package = pathlib.Path(tlkit.__file__).parent
files = [str(p.relative_to(package).as_posix()) for p in package.rglob("*") if p.is_file()]
tlkit.load_backbone, tlkit.load_dataset
print(json.dumps({"place": str(package), "version": tlkit.__version__, "files": files}))
"""


def pages(root: Path = ROOT) -> list[Path]:
    """The course's Markdown pages and notebooks."""
    inside = [
        path
        for name in ("docs", "notebooks", "data/experiments")
        for path in (root / name).rglob("*")
    ]
    found = [path for path in (*root.glob("*.md"), *inside) if path.suffix in (".md", ".ipynb")]
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def check_address() -> Finding:
    """The placeholder must have given way to a real address."""
    found = address.address()
    mend = "This address is a placeholder that nobody can have: make address REPOSITORY=https://…"
    real = found != address.PLACEHOLDER and "-your-account-" not in found
    if real and not found.startswith("https://github.com/"):
        real, mend = False, "Colab and Binder open https://github.com/owner/name: make address"
    pages_left = [
        page
        for page in address.PAGES
        if (ROOT / page).is_file() and "-your-account-" in (ROOT / page).read_text("utf-8")
    ]
    if real and pages_left:
        real, mend = False, f"The placeholder is left in {', '.join(pages_left)}"
    return Finding("Address", found, real, mend)


def check_versions() -> Finding:
    """CITATION.cff and the changelog name the version of tlkit/__init__.py."""
    version, wrong = tlkit.__version__, []
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    if str(citation.get("version")) != version:
        wrong.append(f"CITATION.cff says {citation.get('version')}")
    entry = _ENTRY.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    if not entry or entry[1] != version:
        wrong.append(f"CHANGELOG.md begins with {entry[1] if entry else 'no entry'}")
    found = f"{version}" + (f", but {'; '.join(wrong)}" if wrong else " everywhere")
    mend = f"Write {version} there as well, or another one in tlkit/__init__.py"
    return Finding("Version", found, not wrong, mend)


def check_changelog() -> Finding:
    """The newest entry has a date and says something; no version is there twice."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = list(_ENTRY.finditer(text))
    if not entries:
        return Finding("Changelog", "no entry", False, "Begin one: ## [1.0.0] - 2026-01-31")
    names = [entry[1] for entry in entries]
    end = entries[1].start() if len(entries) > 1 else len(text)
    lines = re.findall(r"^- ", text[entries[0].end() : end], re.MULTILINE)
    wrong = []
    if not entries[0][2]:
        wrong.append("it has no date, as in: ## [1.0.0] - 2026-01-31")
    if not lines:
        wrong.append("it says nothing")
    if len(set(names)) < len(names):
        wrong.append("a version has two entries")
    found = f"[{names[0]}] with {len(lines)} lines"
    return Finding("Changelog", found, not wrong, "; ".join(wrong))


def check_setup_cells() -> Finding:
    """Every stored lesson has this version's first cell and links; README has its badges."""
    wrong, count = [], 0
    for path in sorted([*NOTEBOOKS.glob("*.ipynb"), *SOLUTIONS.glob("*.ipynb")]):
        name = path.relative_to(ROOT).as_posix()
        cells = nbformat.read(path, as_version=4).cells
        count += 1
        if not any(cell.source == address.setup_code() for cell in cells):
            wrong.append(f"{name} (first cell)")
        elif not any(f"/{address.tag()}/{name}" in cell.source for cell in cells[:2]):
            wrong.append(f"{name} (links under the title)")
    if address.readme_badges() not in (ROOT / "README.md").read_text(encoding="utf-8"):
        wrong.append("README.md (badges)")
    found = f"{count} notebooks and README lead to {address.tag()}"
    mend = f"make address writes them anew; wrong: {', '.join(wrong[:6])}"
    return Finding("Badges, set-up", f"{len(wrong)} wrong" if wrong else found, not wrong, mend)


def check_tag() -> Finding:
    """All is committed, and the tag is either free or on this very commit."""
    if run(["git", "status", "--porcelain"], cwd=ROOT).stdout.strip():
        return Finding("Commit", "there are changes that git does not have", False, "Commit first")
    ask = ["git", "rev-parse", "--verify", "--quiet", f"{address.tag()}^{{commit}}"]
    at = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    head = run(["git", "rev-parse", "HEAD"], cwd=ROOT).stdout.strip()
    found = f"{head[:9]}; tag {address.tag()} {'is on it' if at == head else 'is free'}"
    if at and at != head:
        return Finding("Commit", f"{address.tag()} is on {at[:9]}", False, "Take another version")
    return Finding("Commit", found, True)


def check_links() -> Finding:
    """Links inside the course."""
    every = pages()
    wrong = links.broken(every, ROOT)
    inner = sum(not link.outside for page in every for link in links.links(page))
    found = f"{inner} in {len(every)} pages lead somewhere"
    mend = "; ".join(wrong[:5]) + (f"; {len(wrong) - 5} more" if len(wrong) > 5 else "")
    return Finding("Links inside", f"{len(wrong)} broken" if wrong else found, not wrong, mend)


def check_external() -> Finding:
    """Links to the web; needs a network."""
    every = links.outside(pages())
    every = {one: page for one, page in every.items() if not one.startswith(address.address())}
    every = {one: page for one, page in every.items() if not _made_from_address(one)}
    wrong = [f"{one} {why}" for one in every if (why := links.unreachable(one))]
    found = f"{len(every)} answer; badges are alive once the tag is public"
    more = f"; {len(wrong) - 10} more" if len(wrong) > 10 else ""
    mend = "; ".join(wrong[:10]) + more
    if wrong and len(wrong) == len(every):
        mend = f"not one answers: is there a network? The first: {wrong[0]}"
    return Finding("Links outside", f"{len(wrong)} dead" if wrong else found, not wrong, mend)


def _made_from_address(link: str) -> bool:
    return link.startswith(
        ("https://colab.research.google.com/github/", "https://mybinder.org/v2/")
    )


def check_notebooks() -> Finding:
    """Every stored notebook is what its source makes."""
    pairs = [(p, v) for p in build_notebooks.sources() for v in build_notebooks.versions_of(p.stem)]
    wrong = [sentence for pair in pairs if (sentence := build_notebooks.drift(*pair))]
    found = f"all {len(pairs)} agree with their sources"
    mend = " ".join(wrong[:3])
    return Finding("Notebooks", f"{len(wrong)} out of date" if wrong else found, not wrong, mend)


def check_lock() -> Finding:
    """A wheel of every locked version for every computer; needs uv and a network."""
    fine = lock.check_wheels()
    words = "a wheel of everything, everywhere" if fine else "wheels are missing (see above)"
    return Finding("Lock", words, fine, "make lock")


def check_build(folder: Path) -> Finding:
    """Wheel and source archive build without a network, into a folder.

    Args:
        folder: Where.
    """
    run([sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT)
    made = sorted(path.name for path in folder.iterdir())
    wanted = {f"tlkit-{tlkit.__version__}-py3-none-any.whl", f"tlkit-{tlkit.__version__}.tar.gz"}
    if set(made) != wanted:
        return Finding("Build", ", ".join(made), False, f"expected {', '.join(sorted(wanted))}")
    with tarfile.open(folder / f"tlkit-{tlkit.__version__}.tar.gz") as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    missing = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "PKG-INFO"} - inside
    sizes = ", ".join(f"{name} {(folder / name).stat().st_size // 1000} kB" for name in made)
    mend = f"the source archive lacks {', '.join(sorted(missing))}"
    return Finding("Build", sizes, not missing, mend)


def check_metadata(folder: Path) -> Finding:
    """What the wheel says of itself is complete.

    Args:
        folder: Holds the wheel.
    """
    with zipfile.ZipFile(_wheel(folder)) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        told = email.message_from_bytes(archive.read(name))
    wrong = [field for field in METADATA if not told.get(field)]
    given = [line.partition(",")[0] for line in told.get_all("Project-URL", [])]
    wrong += [f"Project-URL {label}" for label in URLS if label not in given]
    if len(str(told.get_payload()).strip()) < 500:
        wrong.append("a description")
    if told["Version"] != tlkit.__version__:
        wrong.append(f"version {tlkit.__version__}: it says {told['Version']}")
    found = f"{len(METADATA)} fields, {len(URLS)} addresses and a description"
    return Finding("Metadata", found, not wrong, f"missing in pyproject.toml: {', '.join(wrong)}")


def check_wheel(folder: Path, full: bool = False) -> Finding:
    """The wheel installs alone into an empty environment, imports, and finds its tables.

    Args:
        folder: Holds the wheel.
        full: Install what it needs as well, from the index; else this environment's is used.
    """
    wheel = _wheel(folder)
    words = [f"{wheel}[cpu]"] if full else ["--no-index", "--no-deps", str(wheel)]
    own = make_environment(folder / "environment", sys.executable, words)
    told = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "TLKIT_CACHE")}
    if not full:  # a .pth file is not read there, so that the clone's tlkit stays out of it
        told["PYTHONPATH"] = sysconfig.get_path("purelib")
    done = subprocess.run([own, "-c", PROBE], cwd=folder, env=told, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        return Finding("Wheel alone", last, False, "it must not need the clone")
    found = json.loads(done.stdout)
    if not Path(found["place"]).is_relative_to((folder / "environment").resolve()):
        return Finding("Wheel alone", f"tlkit came from {found['place']}", False, "look into it")
    missing = []
    for kind in ("cards", "experiments"):
        for path in sorted((ROOT / "data" / kind).rglob("*")):
            inside = f"_{kind}/{path.relative_to(ROOT / 'data' / kind).as_posix()}"
            if path.is_file() and inside not in found["files"]:
                missing.append(inside)
    tables = sum(name.startswith(("_cards/", "_experiments/")) for name in found["files"])
    words = f"imports {found['version']} with {tables} cards and experiments"
    return Finding("Wheel alone", words, not missing, f"it lacks {', '.join(missing[:5])}")


def _wheel(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def check(options: argparse.Namespace) -> Findings:
    """Everything, in the order of the table; a check that breaks becomes a line.

    Args:
        options: With the flags `external`, `wheels` and `install`.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        checks: list[tuple[str, Callable[[], Finding]]] = [
            ("Address", check_address),
            ("Version", check_versions),
            ("Changelog", check_changelog),
            ("Commit", check_tag),
            ("Badges, set-up", check_setup_cells),
            ("Notebooks", check_notebooks),
            ("Links inside", check_links),
            ("Build", lambda: check_build(folder)),
            ("Metadata", lambda: check_metadata(folder)),
            ("Wheel alone", lambda: check_wheel(folder, options.install)),
        ]
        if options.external:
            checks.append(("Links outside", check_external))
        if options.wheels:
            checks.append(("Lock", check_lock))
        found = []
        for what, one in checks:
            try:
                found.append(one())
            except (Exception, SystemExit) as error:
                words = (str(error).strip().splitlines() or [type(error).__name__])[-1]
                found.append(Finding(what, f"could not be checked: {words[:200]}", False, "see it"))
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
        for one, page in sorted(links.outside(pages()).items()):
            print(f"{one}  ({page.relative_to(ROOT).as_posix()})")
        return 0
    found = check(options)
    print(found)
    print(f"{'Not ready' if found else 'Ready'} to be released as {address.tag()}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
