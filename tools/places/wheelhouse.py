"""Gather the course and everything that pip would fetch for it, for a room without internet.

    python -m tools.places.wheelhouse              # for this computer and Python
    python -m tools.places.wheelhouse --platform windows-x86_64 macos-arm64 --python-version 3.12
    python -m tools.places.wheelhouse --dev        # what tests the course, too

It needs a network and makes the folder build/wheelhouse/<name> and a zip of it, for a memory stick.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

import tlkit
from tools.build.environments import copy_of_course, run
from tools.build.lessons import ROOT
from tools.build.lock import EXTRAS, PLATFORMS, PYTHONS, pins_for
from tools.places import install_offline

TARGET = ROOT / "build" / "wheelhouse"
RUNNING = ("cpu", "lab", "more-backbones", "export")  # extras that learners have
# 2.5 to 2.28, which the lock is made for.
GLIBC = range(5, 29)
README = """\
Transfer Learning, hands on: version {version}
{line}

This folder holds the course and every package that it needs. Nothing is fetched from a network.

You need one of these:
{targets}
Python comes from https://www.python.org/downloads/: bring its installer along as well.

1. Copy this folder from the stick to the computer.
2. In the folder, run:   python3 install_offline.py
   (on Windows:          py install_offline.py)

It takes a few minutes and {megabytes} MB of disk, and says at its end how to open the course.
The course goes to a folder of its own in your home folder; to another one with: --into FOLDER
"""


def pip_tags(name: str) -> list[str]:
    """The wheel tags that a platform takes, as `pip download --platform` wants them.

    Example:
        >>> pip_tags("windows-x86_64")
        ['win_amd64']
    """
    if name == "windows-x86_64":
        return ["win_amd64"]
    # 12: what TensorFlow asks for; pip adds the older ones.
    if name == "macos-arm64":
        return ["macosx_12_0_arm64"]
    machine = name.partition("-")[2]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in reversed(GLIBC)]
    old = ["manylinux2014", *(["manylinux2010", "manylinux1"] if machine == "x86_64" else [])]
    return [*tags, *(f"{one}_{machine}" for one in old), f"linux_{machine}"]


def download(lines: list[str], name: str, python: str, wheels: Path) -> list[str]:
    """Fetch a wheel of each line; nothing is built.

    Returns:
        The wheels' file names.

    Raises:
        SystemExit: One could not be had.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--python-version", python]
    for tag in pip_tags(name):
        command += ["--platform", tag]
    # In a folder of its own first: what others need lies beside it later.
    with tempfile.TemporaryDirectory(dir=wheels.parent) as place:
        run([*command, "--implementation", "cp", "--dest", place, *lines])
        files = sorted(Path(place).iterdir())
        for file in files:
            file.replace(wheels / file.name)
    return [file.name for file in files]


def unpacked_size(wheels: Iterable[Path]) -> int:
    """Bytes that wheels take once they are installed, without compiled files."""
    total = 0
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            total += sum(one.file_size for one in archive.infolist())
    return total


def finish(folder: Path, targets: list[dict]) -> Path:
    """Add the installer, the manifest, README.txt and the checksums to what was gathered; zip it.

    Args:
        folder: Holds `wheels` and `course`.
        targets: Each with `platform`, `python` and `wheels`, the file names for that computer.

    Returns:
        The zip, beside the folder.
    """
    for one in targets:
        size = unpacked_size(folder / "wheels" / name for name in one["wheels"])
        one["bytes"] = int(size * 1.25)  # with what Python compiles
    manifest = {"version": tlkit.__version__, "targets": targets}
    words = json.dumps(manifest, indent=1) + "\n"
    (folder / "manifest.json").write_text(words, encoding="utf-8")
    shutil.copy(install_offline.__file__, folder)
    text = README.format(
        version=tlkit.__version__,
        line="=" * 46,
        targets="\n".join(f"  Python {one['python']} on {one['platform']}" for one in targets),
        megabytes=max(one["bytes"] for one in targets) // 1_000_000,
    )
    # Windows' Notepad and everything else reads this.
    (folder / "README.txt").write_text(text, encoding="utf-8", newline="\r\n")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = "".join(
        f"{checksum(path)}  {path.relative_to(folder).as_posix()}\n"
        for path in files
        if path.name != "SHA256SUMS"
    )
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8", newline="\n")
    packed = folder.parent / f"{folder.name}.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in [*files, folder / "SHA256SUMS"]:
            # Wheels are compressed already: a second time would only take long.
            how = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            archive.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}", how)
    return packed


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def gather(
    platforms: list[str], pythons: list[str], dev: bool = False, target: Path = TARGET
) -> tuple[Path, Path]:
    """Make the folder and its zip.

    Args:
        platforms: Such as `["windows-x86_64"]`.
        pythons: Such as `["3.12"]`.
        dev: Whether to add what builds and tests the course.
        target: Where; what was gathered there before goes.

    Returns:
        The folder and the zip.

    Raises:
        SystemExit: A wheel could not be had.
    """
    folder = target / f"transfer-learning-{tlkit.__version__}"
    shutil.rmtree(folder, ignore_errors=True)
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels], cwd=ROOT)
    (own,) = wheels.glob("tlkit-*.whl")
    targets = []
    for name in platforms:
        for python in pythons:
            lines = pins_for(name, python, EXTRAS if dev else RUNNING)
            print(f"{name}, Python {python}: {len(lines)} packages", flush=True)
            files = download(lines, name, python, wheels)
            targets.append({"platform": name, "python": python, "wheels": [*files, own.name]})
    copy_of_course(folder / "course", new_too=False)
    return folder, finish(folder, targets)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--platform", nargs="+", choices=PLATFORMS, help="this computer's if left out"
    )
    parser.add_argument(
        "--python-version", nargs="+", choices=PYTHONS, help="this one's if left out"
    )
    parser.add_argument("--dev", action="store_true", help="also what builds and tests the course")
    options = parser.parse_args(arguments)
    here = ".".join(platform.python_version_tuple()[:2])
    began = time.perf_counter()
    platforms = options.platform or [install_offline.this_platform()]
    folder, packed = gather(platforms, options.python_version or [here], options.dev)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder.relative_to(ROOT)}: {size / 1e6:.0f} MB")
    print(f"{packed.relative_to(ROOT)}: {packed.stat().st_size / 1e6:.0f} MB")
    print(f"gathered in {time.perf_counter() - began:.0f} s. On the other computer, in the folder:")
    print("python3 install_offline.py (Windows: py install_offline.py)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
