"""What the first cell of every lesson calls: on Google Colab it adds what is missing there.

Elsewhere it looks at a few versions and, when they are right, says nothing.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tlkit import __version__
from tlkit.course import installation
from tlkit.errors import InputError

_CLONE = Path(__file__).resolve().parents[2]
# pip must not touch these: everything else on Colab is built to fit them.
_UNTOUCHABLE = ("tensorflow", "numpy", "matplotlib")
_AFRESH = "Choose Runtime, Disconnect and delete runtime, and run this cell again."


def on_colab() -> bool:
    """Whether this Python runs on Google Colab.

    Example:
        >>> on_colab()
        False
    """
    return "google.colab" in sys.modules


def set_up(version: str, run: Callable = subprocess.run) -> None:
    """Make a lesson ready to run; a second call does nothing more.

    On Colab, pip installs the packages that are missing there, and a Keras that is new enough;
    every other package keeps its version. Elsewhere nothing is installed: what does not fit is
    named in one sentence, with the mend, and nothing is printed when all fits.

    Args:
        version: The version of the course that the notebook belongs to, such as `"0.1.0"`.
        run: What starts pip; tests put something else here.

    Raises:
        InputError: On Colab, pip failed, or Keras had been loaded before it was renewed.

    Example:
        >>> set_up(__version__)
    """
    if on_colab():
        _fill_colab(run)
        tensorflow = installation.look_at("TensorFlow")
        if not tensorflow.fine:
            print(f"Colab's TensorFlow is {tensorflow.found} now; the course is tried with 2.20.")
    else:
        for sentence in what_does_not_fit(version):
            print(sentence)


def what_does_not_fit(version: str) -> list[str]:
    """What keeps a notebook from running here, judged by versions alone.

    Args:
        version: The version of the course that the notebook belongs to.

    Returns:
        One sentence, with its mend, for each thing; empty when all fits.

    Example:
        >>> what_does_not_fit(__version__)
        []
    """
    sentences = []
    if version != __version__:
        sentences.append(
            f"This notebook belongs to version {version} of the course, and tlkit here is "
            f"{__version__}: open the notebook of the same download."
        )
    looked = [installation.look_at(name) for name in ("Python", "Keras", "TensorFlow")]
    sentences += [f"{one.name} here: {one.found}. {one.mend}" for one in looked if not one.fine]
    return sentences


def missing_packages(pyproject: str, installed: dict[str, str]) -> list[str]:
    """What Colab lacks, as pip wants to read it.

    Args:
        pyproject: The text of the course's pyproject.toml.
        installed: Versions by canonical name.

    Returns:
        The requirements of packages that are not there; and Keras's, when it is too old.

    Example:
        >>> text = '[project]\\ndependencies = ["keras>=3.15,<4", "numpy>=2.1.0", "mlxtend>=1"]'
        >>> missing_packages(text, {"keras": "3.13.2", "numpy": "2.1.3"})
        ['keras>=3.15,<4', 'mlxtend>=1']
    """
    wanted = []
    for line in tomllib.loads(pyproject)["project"]["dependencies"]:
        name = canonicalize_name(Requirement(line).name)
        too_old = name == "keras" and not installation.fits(installed.get(name), installation.KERAS)
        if name not in installed or too_old:
            wanted.append(line)
    return wanted


def _fill_colab(run: Callable) -> None:
    began = time.perf_counter()
    _share_with_children()
    before = _installed()
    wanted = missing_packages((_CLONE / "pyproject.toml").read_text(encoding="utf-8"), before)
    if not wanted:
        _refuse_another_keras()
        return
    print("Fetching what Colab lacks; this happens once and takes less than a minute …", flush=True)
    _install(wanted, before, run)
    after = _installed()
    changed = [name for name in _UNTOUCHABLE if after.get(name) != before.get(name)]
    if changed:
        what = f"pip changed what it should have left alone: {', '.join(changed)}."
        raise InputError(what, _AFRESH)
    _refuse_another_keras()
    print(f"Ready, after {time.perf_counter() - began:.0f} s.")


def _install(wanted: list[str], before: dict[str, str], run: Callable) -> None:
    """Let pip install what is wanted; whatever else is there keeps its version."""
    renewed = {canonicalize_name(Requirement(line).name) for line in wanted}
    with tempfile.TemporaryDirectory() as folder:
        # Under these pip stops before it changes anything.
        kept = Path(folder, "kept.txt")
        names = sorted(set(before) - renewed)
        kept.write_text("".join(f"{name}=={before[name]}\n" for name in names), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(kept)]
        done = run([*command, *wanted], capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise InputError(f"pip could not install what Colab lacks: {last}", _AFRESH)
    importlib.invalidate_caches()


def _refuse_another_keras() -> None:
    """Stop while an older Keras is loaded, in every run of the cell until the session restarts."""
    loaded = getattr(sys.modules.get("keras"), "__version__", None)
    installed = _installed().get("keras")
    if loaded and loaded != installed:
        raise InputError(
            f"Keras {loaded} had been loaded before {installed} was installed.",
            "Choose Runtime, Restart session, and run the notebook from the top.",
        )


def _share_with_children() -> None:
    """Let processes that a lesson starts find the course too."""
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(_CLONE) not in places:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_CLONE), *places]))


def _installed() -> dict[str, str]:
    """Versions of all packages by canonical name; of two copies, the one that Python finds."""
    versions: dict[str, str] = {}
    for one in importlib.metadata.distributions():
        if name := one.metadata["Name"]:
            versions.setdefault(canonicalize_name(name), one.version)
    return versions
