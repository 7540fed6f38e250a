"""Install the course from this folder, without a network.

    python3 install_offline.py                   # into your home folder
    python3 install_offline.py --into FOLDER     # elsewhere

On Windows it is `py install_offline.py`. It looks first (Python, files, disk) and installs when
all is well. What it cannot finish, it removes. Python's own library is enough for it, and an old
Python can read it, to be told which one is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

# In a folder that holds it, nothing is of use.
UNFINISHED = "not-finished.txt"
MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "aarch64"}
SYSTEMS = {"Linux": "linux", "Darwin": "macos", "Windows": "windows"}


class CannotInstall(Exception):
    """Why the course cannot be installed, and what to do."""


def this_platform() -> str:
    """This computer, such as `"linux-x86_64"` or `"windows-x86_64"`."""
    machine = platform.machine().lower()
    system = SYSTEMS.get(platform.system(), platform.system().lower())
    return f"{system}-{MACHINES.get(machine, machine)}"


def target_for(manifest: dict, here: str, python: str) -> dict:
    """The part of the folder that is for this computer.

    Args:
        manifest: What manifest.json holds.
        here: This platform.
        python: This Python, such as `"3.12"`.

    Raises:
        CannotInstall: The folder holds nothing for it.
    """
    targets = manifest["targets"]
    for one in targets:
        if (one["platform"], one["python"]) == (here, python):
            return one
    pythons = [one["python"] for one in targets if one["platform"] == here]
    if not pythons:
        there = ", ".join(sorted({one["platform"] for one in targets}))
        raise CannotInstall(
            f"This folder is for {there}, and this computer is {here}. Gather it again with: "
            f"make wheelhouse PLATFORM={here}"
        )
    starts = (
        "py -{} install_offline.py" if here.startswith("win") else "python{} install_offline.py"
    )
    raise CannotInstall(
        f"This folder needs Python {' or '.join(pythons)}, and this is Python {python}. "
        f"Install Python {pythons[-1]}, then run: {starts.format(pythons[-1])}"
    )


def damage(folder: Path, wheels: list[str]) -> list[str]:
    """Files that are missing or not as they were gathered, each as a sentence.

    Args:
        folder: With its SHA256SUMS.
        wheels: Those for this computer; others are not looked at.
    """
    found = []
    listed = {}
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        wanted, _, name = line.partition("  ")
        listed[name] = wanted
    for name in [f"wheels/{wheel}" for wheel in wheels if f"wheels/{wheel}" not in listed]:
        found.append(f"{name} has no checksum")
    for name, wanted in listed.items():
        if name.startswith("wheels/") and name[len("wheels/") :] not in wheels:
            continue
        if not (folder / name).is_file():
            found.append(f"{name} is missing")
        elif _sha256(folder / name) != wanted:
            found.append(f"{name} is damaged")
    return found


def _sha256(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            total.update(block)
    return total.hexdigest()


def look(folder: Path, into: Path) -> dict:
    """Look at everything that installing needs, and change nothing.

    Returns:
        The part of the manifest that is for this computer.

    Raises:
        CannotInstall: Something is not as it must be.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        (folder / "SHA256SUMS").read_bytes()
    except (OSError, ValueError):
        raise CannotInstall(
            f"{folder} is no folder of `make wheelhouse`, or its manifest.json or SHA256SUMS is "
            "damaged: copy it again."
        ) from None
    python = ".".join(platform.python_version_tuple()[:2])
    target = target_for(manifest, this_platform(), python)
    try:
        import ensurepip  # noqa: F401  # Debian leaves it out
        import venv  # noqa: F401
    except ImportError:
        raise CannotInstall(
            "This Python lacks its module venv. On Debian and Ubuntu: "
            f"apt install python{python}-venv; elsewhere install Python from python.org."
        ) from None
    bad = damage(folder, target["wheels"])
    if bad:
        more = f", and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise CannotInstall(
            f"{'; '.join(bad[:5])}{more}. Copy the folder from the stick again; if that does not "
            "help, gather it again."
        )
    if into.exists() and not (into / UNFINISHED).exists() and any(into.iterdir()):
        raise CannotInstall(
            f"{into} is there already and is left as it is. Name another folder: --into FOLDER"
        )
    above = into
    while not above.exists():
        above = above.parent
    free = shutil.disk_usage(above).free
    if free < target["bytes"]:
        raise CannotInstall(
            f"{above} has {free / 1e9:.1f} GB free, and {target['bytes'] / 1e9:.1f} GB are needed. "
            "Free some, or name a folder on another disk: --into FOLDER"
        )
    return target


def install(folder: Path, into: Path, target: dict) -> Path:
    """Copy the course and install it into an environment of its own, inside `into`.

    Returns:
        The environment's Python.

    Raises:
        CannotInstall: A step failed; what was made is removed again.
    """
    shutil.rmtree(into, ignore_errors=True)  # empty, or an earlier attempt's half
    into.mkdir(parents=True)
    try:
        (into / UNFINISHED).write_text("Run install_offline.py again.\n", encoding="utf-8")
        shutil.copytree(folder / "course", into, dirs_exist_ok=True)
        environment = into / ".venv"
        windows = sys.platform == "win32"
        python = environment / ("Scripts/python.exe" if windows else "bin/python")
        _step("making an environment", [sys.executable, "-m", "venv", environment])
        wheels = [folder / "wheels" / name for name in target["wheels"]]
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        command = [*pip, "--no-index", "--find-links", folder / "wheels", *wheels]
        _step(f"installing {len(wheels)} packages; this takes minutes", command)
        settings = into / "tools" / "places" / "jupyterlab_overrides.json"
        # JupyterLab would ask for leave to fetch news.
        if settings.is_file():
            place = environment / "share" / "jupyter" / "lab" / "settings"
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(settings, place / "overrides.json")
        (into / UNFINISHED).unlink()
    except BaseException:  # Ctrl+C as well
        shutil.rmtree(into, ignore_errors=True)
        rest = f" Remove {into} yourself." if into.exists() else ""
        print(f"Not finished: what was made in {into} is removed again.{rest}", flush=True)
        raise
    return python


def _step(what: str, command: list) -> None:
    print(f"{what[0].upper()}{what[1:]} …", flush=True)
    # No setting of this computer may send pip elsewhere.
    calm = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    done = subprocess.run(
        [str(word) for word in command],
        env={**calm, "PIP_CONFIG_FILE": os.devnull},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        last = "\n".join((done.stdout or "").strip().splitlines()[-8:])
        raise CannotInstall(f"{what} failed:\n{last}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--into", type=Path, help="the folder to make (default: in your home folder)"
    )
    parser.add_argument(
        "--source", type=Path, default=Path(__file__).resolve().parent, help=argparse.SUPPRESS
    )
    options = parser.parse_args(arguments)
    into = (options.into or Path.home() / "transfer-learning").expanduser().absolute()
    # So that it, too, is tidied up after.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.time()
    try:
        print("Looking at Python, the files and the disk …", flush=True)
        target = look(options.source.absolute(), into)
        python = install(options.source.absolute(), into, target)
    except CannotInstall as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"Installed in {into} after {time.time() - began:.0f} s. Now a check:", flush=True)
    calm = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    fine = subprocess.run([str(python), "-m", "tlkit", "check"], cwd=str(into), env=calm).returncode
    print("\nTo open the course:")
    index = into / "notebooks" / "00_index.ipynb"
    print(f'  "{python}" -m jupyter lab "--notebook-dir={into}" "{index}"')
    return 1 if fine else 0


if __name__ == "__main__":
    sys.exit(main())
