"""What a network costs on this computer, measured in a process of its own (lesson 01).

A giant such as VGG-16 needs more memory than a lesson should, and gives it back only when its
process ends. And only in a process of its own is the peak the network's and nobody else's.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tlkit.errors import InputError
from tlkit.paths import cache_dir, write_atomic

ANCESTORS = ("lenet5", "alexnet")  # built by tlkit.networks.architectures
FORKS = sys.platform == "linux"  # elsewhere a fork of TensorFlow is not safe, or there is none


def measure_costs(
    names: Sequence[str], runs: int = 3, cache: bool = True
) -> dict[str, dict[str, Any] | None]:
    """Build networks, each in a process of its own, let each name one picture, and measure.

    The weights are zeros, and nothing is fetched: time and memory do not depend on their values.

    Args:
        names: `"lenet5"`, `"alexnet"` or any of `tlkit.backbone_names()`.
        runs: How many times a picture is named, once the network is warm; the median counts.
        cache: Keep what was measured on this computer, and use what was kept.

    Returns:
        For each name `parameters`; `multiply_adds` for one picture; `milliseconds` for one picture;
        `megabytes`, the most memory that building and running took, beyond Keras itself. A network
        that does not fit into this computer's memory has None instead of all these.

    Raises:
        InputError: An unknown name or an impossible number of runs.

    Example:
        >>> measure_costs(["lenet5"])["lenet5"]["parameters"]
        61706
    """
    from tlkit.networks.backbones import backbone_names

    known = (*ANCESTORS, *backbone_names())
    if isinstance(names, str) or not names or not set(names) <= set(known):
        raise InputError(f"{names!r} is no list of known networks.", f"Choose from {known}.")
    if not isinstance(runs, int) or isinstance(runs, bool) or runs < 1:
        raise InputError(f"runs={runs!r} measures nothing.", "Give a whole number, 1 or more.")
    # Where processes can split, Keras is loaded once and each network gets a copy of that process.
    groups = [list(names)] if FORKS else [[name] for name in names]
    return {name: cost for group in groups for name, cost in _kept_or_measured(group, runs, cache)}


def _kept_or_measured(names: list[str], runs: int, cache: bool) -> list[tuple[str, Any]]:
    """What was measured before on this computer with these versions, or is measured now."""
    what = [names, runs, platform.uname(), os.cpu_count()]
    what += [importlib.metadata.version(package) for package in ("keras", "numpy")]
    key = hashlib.sha256(json.dumps([*what, Path(__file__).read_text("utf-8")]).encode())
    kept = cache_dir("costs") / f"{key.hexdigest()[:16]}.json"
    if cache and kept.is_file():
        try:
            found = json.loads(kept.read_bytes())
            return [(name, found[name]) for name in names]
        except (ValueError, KeyError, TypeError):
            pass  # damaged: measure again
    costs = _in_another_process(names, runs)
    if cache and all(cost for _, cost in costs):
        write_atomic(kept, lambda file: file.write(json.dumps(dict(costs)).encode()))
    return costs


def _in_another_process(names: list[str], runs: int) -> list[tuple[str, dict[str, Any] | None]]:
    here = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "tlkit.networks.costs", str(runs), *names],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = {line.pop("name"): line for line in lines}
    return [(name, found.get(name)) for name in names]


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux; getrusage would count what the parent held before it started us
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1000
    try:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS counts bytes
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6


def _build(name: str) -> Any:
    import keras

    from tlkit.networks import architectures, backbones

    # Zeros: drawing random numbers takes, for a moment, three times the largest layer's memory.
    keras.initializers.VarianceScaling.__call__ = lambda self, shape, dtype=None: keras.ops.zeros(
        shape, dtype or "float32"
    )
    if name in ANCESTORS:
        return getattr(architectures, name)()
    size = backbones.backbone_card(name)["image_size"]
    return backbones.load_backbone(name, size, classifier=True, weights=None)


def _measure(name: str, runs: int) -> dict[str, Any]:
    import keras
    import numpy as np

    from tlkit.networks.backbones import multiply_adds

    tiny = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    tiny.predict_on_batch(np.zeros((1, 8)))  # what Keras itself needs is no network's fault
    before = peak_megabytes()
    model = _build(name)
    picture = np.zeros((1, *model.input_shape[1:]), "float32")
    model.predict_on_batch(picture)  # the first time it is still being compiled
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        model.predict_on_batch(picture)
        seconds.append(time.perf_counter() - began)
    return {
        "name": name,
        "parameters": model.count_params(),
        "multiply_adds": multiply_adds(model),
        "milliseconds": 1000 * float(np.median(seconds)),
        "megabytes": peak_megabytes() - before,
    }


def _main(runs: int, names: list[str]) -> None:
    import keras  # noqa: F401  (loaded before the process splits)

    for name in names:
        if FORKS:
            if process := os.fork():
                os.waitpid(process, 0)
                continue
            print(json.dumps(_measure(name, runs)), flush=True)
            os._exit(0)
        print(json.dumps(_measure(name, runs)), flush=True)


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2:])
