"""Make requirements.txt, the lock: exact versions for every supported computer and Python.

    python -m tools.lock            # keep what is locked, change only what pyproject.toml demands
    python -m tools.lock --upgrade  # take the newest versions that the ranges allow
    python -m tools.lock --check    # is there a wheel of everything for every computer and Python?

Authors only: it needs uv (https://docs.astral.sh/uv) and a network.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.lessons import ROOT

LOCK = ROOT / "requirements.txt"
EXTRAS = ("cpu", "lab", "dev", "export", "more-backbones")
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "Linux x86-64": "x86_64-manylinux_2_28",
    "Linux aarch64": "aarch64-manylinux_2_28",
    "macOS arm64": "aarch64-apple-darwin",
    "Windows x86-64": "x86_64-pc-windows-msvc",
}
# Held back below what the ranges allow, each for its reason.
HELD = {
    "backports-strenum": "1.2.8",  # 1.3 forbids Python 3.11 on, which pip heeds and uv does not
    "onnxruntime": "1.23.2",  # later ones have no wheel for macOS 13
}
HEADER = """\
# Every version exactly, for Linux (x86-64, aarch64), macOS (arm64) and Windows (x86-64),
# Python 3.11 to 3.13. Made from pyproject.toml by `python -m tools.lock`; do not edit.
"""


def compile_lock(upgrade: bool = False) -> str:
    """Resolve pyproject.toml with all extras for every platform at once.

    Args:
        upgrade: Take the newest versions instead of keeping the locked ones.

    Returns:
        The text of the lock.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "lock.txt"
        if LOCK.is_file() and not upgrade:
            shutil.copy(LOCK, out)  # uv keeps the versions that it finds in its output file
        held = Path(folder) / "held.txt"
        held.write_text("".join(f"{name}=={version}\n" for name, version in HELD.items()))
        command = [_uv(), "pip", "compile", "--quiet", str(ROOT / "pyproject.toml")]
        command += ["--constraint", str(held)]
        for extra in EXTRAS:
            command += ["--extra", extra]
        command += ["--universal", "--python-version", PYTHONS[0], "--output-file", str(out)]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
        subprocess.run(command, check=True)
        return HEADER + out.read_text(encoding="utf-8")


def check_wheels() -> bool:
    """Ask the package index for a wheel of every locked version, everywhere; prints what it finds.

    Nothing is downloaded or built but metadata.

    Returns:
        Whether there is one for all.
    """
    fine = True
    for platform, name in PLATFORMS.items():
        for python in PYTHONS:
            command = [_uv(), "pip", "compile", "--quiet", str(LOCK), "--no-deps"]
            command += ["--only-binary", ":all:", "--no-annotate", "--no-header"]
            command += ["--python-version", python, "--python-platform", name]
            done = subprocess.run(command, capture_output=True, text=True)
            count = done.stdout.count("==")
            verdict = f"{count} wheels" if done.returncode == 0 else done.stderr.strip()
            print(f"{platform}, Python {python}: {verdict}", flush=True)
            fine &= done.returncode == 0
    return fine


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if not found:
        sys.exit("uv is missing: pip install uv")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    parser.add_argument("--check", action="store_true", help="only look for wheels")
    options = parser.parse_args(arguments)
    if options.check:
        return 0 if check_wheels() else 1
    LOCK.write_text(compile_lock(options.upgrade), encoding="utf-8", newline="\n")
    print(f"requirements.txt: {LOCK.read_text(encoding='utf-8').count('==')} pins")
    return 0


if __name__ == "__main__":
    sys.exit(main())
