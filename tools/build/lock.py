"""Make the locks, requirements.txt and -extras: exact versions for every computer and Python.

    python -m tools.build.lock            # keep what is locked, but for what pyproject.toml demands
    python -m tools.build.lock --upgrade  # take the newest versions that the ranges allow
    python -m tools.build.lock --check    # is there a wheel of all, for every computer and Python?

Authors only: it needs uv (the extra `release`) and a network.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.build.environments import UV, run
from tools.build.lessons import ROOT

LOCK = ROOT / "requirements.txt"
EXTRAS_LOCK = ROOT / "requirements-extras.txt"
EXTRAS = ("cpu", "lab", "dev", "export", "more-backbones")
# KerasHub asks for the first, which its networks of pictures do not use, and which brings the
# second: it would write over the smaller build of TensorFlow.
LEFT_OUT = ("tensorflow-text", "tensorflow")
PYTHONS = ("3.11", "3.12", "3.13")
# How uv calls each kind of computer.
PLATFORMS = {
    "linux-x86_64": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "macos-arm64": "aarch64-apple-darwin",
    "windows-x86_64": "x86_64-pc-windows-msvc",
}
COMPILE = [*UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"]
# Held back below what the ranges allow, each for its reason.
HELD = {
    # 1.3 forbids Python 3.11 on, which pip heeds and uv does not.
    "backports-strenum": "1.2.8",
    # Later ones have no wheel for macOS 13.
    "onnxruntime": "1.23.2",
}
HEADER = """\
# Every version exactly, for Linux (x86-64, aarch64), macOS (arm64) and Windows (x86-64),
# Python 3.11 to 3.13. Made from pyproject.toml by `python -m tools.build.lock`; do not edit.
"""
HEADER_OF_EXTRAS = """\
# What `make test-extras` installs beside requirements.txt, every version exactly. Made from
# pyproject.toml by `python -m tools.build.lock`; do not edit. To be installed with --no-deps.
"""


def compile_lock(upgrade: bool = False) -> str:
    """Resolve pyproject.toml with all extras for every platform at once.

    Args:
        upgrade: Take the newest versions instead of keeping the locked ones.

    Returns:
        The text of the lock.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, held = Path(folder) / "lock.txt", Path(folder) / "held.txt"
        if LOCK.is_file() and not upgrade:
            # uv keeps the versions that it finds in its output file.
            shutil.copy(LOCK, out)
        held.write_text("".join(f"{name}=={version}\n" for name, version in HELD.items()))
        command = [*COMPILE, "--universal", "--python-version", PYTHONS[0], ROOT / "pyproject.toml"]
        for extra in EXTRAS:
            command += ["--extra", extra]
        run([*command, "--no-emit-find-links", "--constraint", held, "--output-file", out])
        return HEADER + out.read_text(encoding="utf-8")


def compile_extras() -> str:
    """Resolve what `make test-extras` adds to the lock; what is in the lock keeps its version.

    Returns:
        The text of the second lock.
    """
    command = [*COMPILE, "--universal", "--python-version", PYTHONS[0], ROOT / "pyproject.toml"]
    command += ["--extra", "cpu", "--extra", "extras", "--no-emit-find-links", "--constraint", LOCK]
    names = {line.split("==")[0] for line in LOCK.read_text(encoding="utf-8").splitlines()}
    lines = run(command).splitlines()
    more = [line for line in lines if line.split("==")[0] not in {*names, *LEFT_OUT}]
    return "\n".join([HEADER_OF_EXTRAS.rstrip(), *more]) + "\n"


def pins_for(platform: str, python: str, extras: Sequence[str]) -> list[str]:
    """The lines of the lock that a computer needs, as uv finds them; needs a network.

    Args:
        platform: One of `PLATFORMS`, such as `"windows-x86_64"`.
        python: Such as `"3.12"`.
        extras: Of pyproject.toml, such as `("cpu", "lab")`.

    Returns:
        Lines such as `"keras==3.15.1"`.

    Raises:
        SystemExit: There is no wheel of one of them.
    """
    command = [*COMPILE, "--only-binary", ":all:", "--python-platform", PLATFORMS[platform]]
    command += ["--python-version", python, "--constraint", LOCK, ROOT / "pyproject.toml"]
    for extra in extras:
        command += ["--extra", extra]
    return run(command).split()


def check_wheels() -> bool:
    """Ask the package index for a wheel of every locked version, everywhere; prints what it finds.

    Nothing is downloaded or built but metadata.

    Returns:
        Whether there is one for all.
    """
    fine = True
    for platform, python in itertools.product(PLATFORMS, PYTHONS):
        try:
            verdict = f"{len(pins_for(platform, python, EXTRAS))} wheels"
        except SystemExit as error:
            verdict, fine = str(error), False
        print(f"{platform}, Python {python}: {verdict}", flush=True)
    return fine


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    parser.add_argument("--check", action="store_true", help="only look for wheels")
    options = parser.parse_args(arguments)
    if options.check:
        return 0 if check_wheels() else 1
    LOCK.write_text(compile_lock(options.upgrade), encoding="utf-8", newline="\n")
    EXTRAS_LOCK.write_text(compile_extras(), encoding="utf-8", newline="\n")
    for path in (LOCK, EXTRAS_LOCK):
        print(f"{path.name}: {path.read_text(encoding='utf-8').count('==')} pins")
    return 0


if __name__ == "__main__":
    sys.exit(main())
