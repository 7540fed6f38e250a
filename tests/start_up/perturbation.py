"""Another computer's rounding, imitated: what trains starts a millionth part away from itself.

`TLKIT_PERTURB=1` (or another seed) multiplies the starting weights of whatever Keras trains by
1 + 1e-6 · noise, once, when its training begins. A training is chaotic: this changes its end as
much as another processor does. What only computes, and every weight that stands still, is left
alone, so that claims that compare weights bit by bit still hold.
"""

import functools
import importlib.abc
import importlib.util
import os
import sys

SIZE = 1e-6
_TRAINER = "keras.src.backend.tensorflow.trainer"


def _shake(model) -> None:
    """Move the weights that are about to be trained for the first time by this optimizer."""
    import numpy as np

    optimizer = model.optimizer
    if optimizer is None or int(optimizer.iterations) > 0:
        return
    noise = np.random.default_rng(int(os.environ["TLKIT_PERTURB"]))
    trained = getattr(optimizer, "_trainable_variables", None) or model.trainable_variables
    for variable in trained:
        value = np.asarray(variable)
        variable.assign(value * (1 + SIZE * noise.standard_normal(value.shape)))


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Waits until Keras loads its trainer, and has `fit` and `train_on_batch` shake first."""

    def find_spec(self, name, path=None, target=None):
        if name != _TRAINER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def load_and_change(module) -> None:
            load(module)
            for method in ("fit", "train_on_batch"):
                self._shake_before(module.TensorFlowTrainer, method)

        spec.loader.exec_module = load_and_change
        return spec

    @staticmethod
    def _shake_before(trainer, method: str) -> None:
        plain = getattr(trainer, method)

        @functools.wraps(plain)
        def shaken(model, *arguments, **more):
            _shake(model)
            return plain(model, *arguments, **more)

        setattr(trainer, method, shaken)


def install() -> None:
    """Shake every training of this process, if `TLKIT_PERTURB` asks for it."""
    if os.environ.get("TLKIT_PERTURB"):
        sys.meta_path.insert(0, _AfterKeras())
