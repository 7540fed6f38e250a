"""Lesson 04a, and the default of `train_classifier`: from which layer on should a network move?

What stays still is computed once, so leaving early layers alone saves most of the time. For each
seed the pictures to train on are new, and all arms get the same ones, the same settled head, the
same number of steps and the same order of batches; they differ only in the layer from which on the
network moves. All are tested on the same pictures, which nothing is trained on and nothing chosen
by.

The seconds are those of this training, the computing of the maps and the building of the graph
included. Only their ratios within a seed mean anything, and those on a quiet machine alone.
"""

import functools
import time

import keras
import numpy as np

import tlkit
from tlkit.finetuning import fit_fading

PARAMETERS = {
    "seeds": list(range(10)),
    "data": ["sunglasses-or-hat", "icons", "digits"],
    "image_size": 128,
    "labels": 200,
    "steps": 100,
    "test": {"pictures": 500, "seed": 1000},
    "from_layer": [None, "block_03", "block_07", "block_10", "block_13"],
}


def part(row: dict):
    return "all"


@functools.cache
def sets(name: str, labels: int, size: int, pictures: int, seed: int):
    """The pictures to test on, and a function from a seed to those to train on."""
    if name == "sunglasses-or-hat":
        return tlkit.load_dataset(name, pictures, size, seed), functools.partial(
            tlkit.load_dataset, name, labels, size
        )
    data = tlkit.load_dataset(name, None, size, seed)
    rest, test = data.split(train=len(data) - pictures, seed=seed)
    return test, functools.partial(rest.take, labels)


def run(parameters: dict, report) -> list[dict]:
    rows = []
    size, labels, test = (parameters[name] for name in ("image_size", "labels", "test"))
    base = tlkit.load_backbone(image_size=size)
    first = base.get_weights()
    for name in parameters["data"]:
        judge, draw = sets(name, labels, size, test["pictures"], test["seed"])
        of_judge = tlkit.extract_features(base, judge.images, progress=False)
        for seed in parameters["seeds"]:
            learn = draw(seed=seed)
            features = tlkit.extract_features(base, learn.images, progress=False)
            head = tlkit.fit_linear_head(features, learn.labels)
            settled = head.get_weights()
            right = np.asarray(head(of_judge)).argmax(axis=1) == judge.labels
            rows.append(_row(name, "nothing moves", seed, right, 0.0))
            for layer in parameters["from_layer"]:
                base.set_weights(first), head.set_weights(settled)
                model = tlkit.attach_head(base, head)
                began = time.perf_counter()
                fit_fading(model, learn.images, learn.labels, layer, seed, parameters["steps"])
                seconds = time.perf_counter() - began
                logits = tlkit.extract_features(model, judge.images, cache=False, progress=False)
                right = logits.argmax(axis=1) == judge.labels
                rows.append(_row(name, layer or "everything", seed, right, seconds))
                report("{data}, {moves}, seed {seed}: {test:.3f}".format(**rows[-1]))
            base.set_weights(first)
    keras.backend.clear_session()
    return rows


def _row(data: str, moves: str, seed: int, right: np.ndarray, seconds: float) -> dict:
    return {
        "data": data,
        "moves": moves,
        "seed": seed,
        "test": float(right.mean()),
        "seconds": round(seconds, 1),
    }
