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

from tlkit import checks
from tlkit.networks.backbones import backbone_card, backbone_names, load_backbone, multiply_adds
from tlkit.paths import cache_dir, write_atomic
from tlkit.store import recipe_key

# Built by `architectures.py`.
ANCESTORS = ("lenet5", "alexnet")
# Elsewhere a fork of TensorFlow is not safe, or there is none.
FORKS = sys.platform == "linux"
MEASURED_WITH = ("networks/costs.py", "networks/backbones.py", "networks/architectures.py")


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
    several = isinstance(names, Sequence) and not isinstance(names, str) and len(names)
    checks.demand(several, f"`names` is {names!r}.", 'Give a list such as ["lenet5", "VGG16"].')
    names = [checks.choice(name, (*ANCESTORS, *backbone_names()), "network") for name in names]
    runs = checks.whole(runs, "runs", 1)
    # Where processes can split, Keras is loaded once and each network gets a copy of that process.
    groups = [names] if FORKS else [[name] for name in names]
    return {name: cost for group in groups for name, cost in _recall_or_measure(group, runs, cache)}


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    status = Path("/proc/self/status")
    # Linux; there getrusage would count what the parent held before it started us.
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1000
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    import resource

    # macOS counts bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _recall_or_measure(names: list[str], runs: int, cache: bool) -> list[tuple[str, Any]]:
    """What was measured before on this computer with these versions, or is measured now."""
    tensorflow = importlib.metadata.packages_distributions().get("tensorflow", ["keras"])[0]
    recipe = recipe_key(*MEASURED_WITH, packages=("keras", "numpy", tensorflow))
    what = [names, runs, platform.uname(), os.cpu_count(), recipe]
    key = hashlib.sha256(json.dumps(what).encode()).hexdigest()
    kept = cache_dir("costs") / f"{key[:16]}.json"
    if cache and kept.is_file():
        try:
            found = json.loads(kept.read_bytes())
            return [(name, found[name]) for name in names]
        # Damaged: measure again.
        except (ValueError, KeyError, TypeError):
            pass
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


def _build(name: str) -> Any:
    import keras

    from tlkit.networks import architectures

    # Zeros: drawing random numbers takes, for a moment, three times the largest layer's memory.
    keras.initializers.VarianceScaling.__call__ = lambda self, shape, dtype=None: keras.ops.zeros(
        shape, dtype or "float32"
    )
    if name in ANCESTORS:
        return getattr(architectures, name)()
    return load_backbone(name, backbone_card(name)["image_size"], classifier=True, weights=None)


def _measure(name: str, runs: int) -> dict[str, Any]:
    import keras
    import numpy as np

    # What Keras itself needs is no network's fault.
    tiny = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    tiny.predict_on_batch(np.zeros((1, 8)))
    before = peak_megabytes()
    model = _build(name)
    picture = np.zeros((1, *model.input_shape[1:]), "float32")
    # The first time it is still being compiled.
    model.predict_on_batch(picture)
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
    # Keras is loaded before the process splits.
    import keras  # noqa: F401

    for name in names:
        if process := os.fork() if FORKS else 0:
            os.waitpid(process, 0)
            continue
        print(json.dumps(_measure(name, runs)), flush=True)
        if FORKS:
            os._exit(0)


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2:])
