"""Deeper shelf, the four cases: the rule of thumb tried on a network that people really use.

EfficientNet-Lite0 with its ImageNet weights. The near task is people with sunglasses or hats, which
are classes of ImageNet; the far one is digits, whose best features lie in the middle of the
network. Few labels are 50, many 1,000. Every strategy of the rule, controls with random weights in
place of the pretrained ones, others in each seed, and two networks from scratch. Each arm's setting
is found among at most four, on a seed that nothing is measured with; where labels are many, in half
as many steps. All that trains by steps takes the same number of them.
"""

import keras
import numpy as np

import tlkit
from tools.experiments import _runs
from tools.experiments._training import train

PARAMETERS = {
    "seeds": list(range(5)),
    "tuning_seeds": [100],
    "tasks": {"near": "sunglasses-or-hat", "far": "digits"},
    "image_size": 96,
    "labels": {"few": 50, "many": 1000},
    "steps": {"few": 100, "many": 750},
    "tuning_steps": {"few": 100, "many": 375},
    "test": 500,
    "batch_size": 16,
    "arms": {
        "head, last features": [0.03, 0.1, 1.0, 10.0],
        "head, earlier features": ["block_05", "block_08", "block_11", "block_12"],
        "random network, last features": [0.03, 0.1, 1.0, 10.0],
        "random network, earlier features": ["block_05", "block_08", "block_11", "block_12"],
        "fine-tune the last four blocks": [1e-4, 3e-4, 1e-3],
        "fine-tune everything": [1e-4, 3e-4, 1e-3],
        "the same network from scratch": [7e-4, 2e-3, 6e-3],
        "a small network from scratch": [3e-4, 1e-3, 3e-3],
    },
}


def part(row: dict):
    return row["task"], row["size"]


def by_head(arm: str, setting, size: int, data, seed: int):
    """A linear head on frozen features; a setting is its C, or the layer that it sees."""
    weights = None if arm.startswith("random") else "imagenet"
    base = tlkit.load_backbone(image_size=size, weights=weights, seed=seed)
    layer, C = (setting, 1.0) if isinstance(setting, str) else (None, setting)

    def features(images):
        return tlkit.extract_features(base, images, layer=layer, progress=False)

    head = tlkit.fit_linear_head(features(data.images), data.labels, C=C)
    return lambda images: head(features(images))


def by_steps(arm: str, rate: float, size: int, data, seed: int, steps: int, batch_size: int):
    """A network of which something moves, from a fitted head on, or from scratch."""
    classes = len(data.class_names)
    if arm.startswith("a small"):
        model = tlkit.small_network(size, classes, seed)
    elif arm.endswith("from scratch"):
        base = tlkit.load_backbone(image_size=size, weights=None, seed=seed)
        model = _runs.with_head(base, classes, seed)
        model.trainable = True
    else:
        base = tlkit.load_backbone(image_size=size)
        seen = tlkit.extract_features(base, data.images, progress=False)
        model = tlkit.attach_head(base, tlkit.fit_linear_head(seen, data.labels))
        tlkit.unfreeze(model, "block_12" if "last four" in arm else None, quiet=True)
    train(model, data.images, data.labels, steps, batch_size, rate, seed)
    return lambda images: model.predict(images, batch_size=100, verbose=0)


def fit(arm: str, setting, parameters: dict, data, seed: int, steps: int):
    """A classifier: a function from pictures to logits."""
    size = parameters["image_size"]
    if arm.startswith(("head", "random")):
        return by_head(arm, setting, size, data, seed)
    return by_steps(arm, setting, size, data, seed, steps, parameters["batch_size"])


def cells(parameters: dict):
    for task, name in parameters["tasks"].items():
        test, draw = _runs.task(name, parameters["image_size"], parameters["test"])
        for size, labels in parameters["labels"].items():
            yield task, size, labels, test, draw


def tune(parameters: dict, report) -> dict:
    found = {}
    for task, size, labels, _, draw in cells(parameters):
        steps = parameters["tuning_steps"][size]
        for arm, settings in parameters["arms"].items():

            def accuracy(setting, seed, arm=arm, labels=labels, draw=draw, steps=steps):
                learn, judge = draw(labels + 300, seed).split(train=labels, seed=seed)
                answer = fit(arm, setting, parameters, learn, seed, steps)
                right = _runs.share_right(answer(judge.images), judge.labels)
                keras.backend.clear_session()
                return right

            name = f"{task}, {size}, {arm}"
            found[name] = _runs.find(settings, parameters["tuning_seeds"], accuracy)
            report(f"{name}: {found[name]}")
    return found


def run(parameters: dict, report) -> list[dict]:
    rows = []
    for task, size, labels, test, draw in cells(parameters):
        for seed in parameters["seeds"]:
            data = draw(labels, seed)
            for arm in parameters["arms"]:
                setting = parameters["tuned"][f"{task}, {size}, {arm}"]["chosen"]
                answer = fit(arm, setting, parameters, data, seed, parameters["steps"][size])
                right = [
                    _runs.share_right(np.asarray(answer(each.images)), each.labels)
                    for each in (data, test)
                ]
                row = {"task": task, "size": size, "arm": arm, "seed": seed, "setting": setting}
                rows.append({**row, "train": right[0], "test": right[1]})
                report("{task}, {size}, {arm}, seed {seed}: {test:.3f}".format(**rows[-1]))
                keras.backend.clear_session()
    return rows
