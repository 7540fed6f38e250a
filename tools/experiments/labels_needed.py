"""Lesson 03: how many labels does each way need, and does freezing guard against overfitting?

Five ways to a classifier. The missing arm of older tables is "pretrained, everything moves": the
same weights as the frozen network's, not frozen, for as many steps as the large network gets from
random weights. What an arm leaves open is found on seeds that nothing is measured with, for 200
labels. Training accuracy stands beside that on the test.
"""

import keras
import numpy as np

import tlkit
from tools.experiments import _runs
from tools.experiments._training import train

PARAMETERS = {
    "seeds": list(range(5)),
    "tuning_seeds": [100],
    "tuning_labels": 200,
    "data": "sunglasses-or-hat",
    "image_size": 96,
    "labels": [20, 60, 200, 600],
    "test": 500,
    "batch_size": 16,
    # The large networks see each picture six times or more; the small one has time to know its
    # pictures by heart, or nearly so.
    "steps": {
        "large network from scratch": [60, 120, 200, 240],
        "pretrained, everything moves": [60, 120, 200, 240],
        "small network from scratch": [500, 500, 1000, 1500],
    },
    "settings": {
        "frozen, pretrained": [0.1, 1.0, 10.0],
        "frozen, random": [0.1, 1.0, 10.0],
        "large network from scratch": [7e-4, 2e-3, 6e-3],
        "pretrained, everything moves": [1e-4, 3e-4, 1e-3],
        "small network from scratch": [3e-4, 1e-3, 3e-3],
    },
}


def part(row: dict):
    return "all"


def fitted(arm: str, setting: float, parameters: dict, data, seed: int):
    """A classifier: a function from pictures to logits, and how many parameters trained."""
    size, classes, batch = parameters["image_size"], len(data.class_names), parameters["batch_size"]
    if arm.startswith("frozen"):
        weights = "imagenet" if arm.endswith("pretrained") else None
        base = tlkit.load_backbone(image_size=size, weights=weights, seed=seed)
        seen = tlkit.extract_features(base, data.images, progress=False)
        head = tlkit.fit_linear_head(seen, data.labels, C=setting)
        trained = head.count_params()
        return (
            lambda images: head(tlkit.extract_features(base, images, progress=False)),
            trained,
        )
    steps = parameters["steps"][arm][parameters["labels"].index(len(data))]
    if arm.startswith("small"):
        model = tlkit.small_network(size, classes, seed)
    else:
        weights = "imagenet" if arm.startswith("pretrained") else None
        base = tlkit.load_backbone(image_size=size, weights=weights, seed=seed)
        model = _runs.with_head(base, classes, seed)
        model.trainable = True
        if weights:
            tlkit.unfreeze(model, quiet=True)
    trained = sum(int(np.prod(each.shape)) for each in model.trainable_weights)
    train(model, data.images, data.labels, steps, batch, setting, seed)
    return lambda images: model.predict(images, batch_size=100, verbose=0), trained


def tune(parameters: dict, report) -> dict:
    found = {}
    _, draw = _runs.task(parameters["data"], parameters["image_size"], parameters["test"])
    judge = draw(300, 2000)
    for arm, settings in parameters["settings"].items():

        def accuracy(setting, seed, arm=arm):
            data = draw(parameters["tuning_labels"], seed)
            answer, _ = fitted(arm, setting, parameters, data, seed)
            right = _runs.share_right(answer(judge.images), judge.labels)
            keras.backend.clear_session()
            return right

        found[arm] = _runs.find(settings, parameters["tuning_seeds"], accuracy)
        report(f"{arm}: {found[arm]}")
    return found


def run(parameters: dict, report) -> list[dict]:
    rows = []
    test, draw = _runs.task(parameters["data"], parameters["image_size"], parameters["test"])
    for seed in parameters["seeds"]:
        pool = draw(max(parameters["labels"]), seed)
        for labels in parameters["labels"]:
            data = pool.take(labels, seed=seed)
            for arm in parameters["settings"]:
                setting = parameters["tuned"][arm]["chosen"]
                answer, trained = fitted(arm, setting, parameters, data, seed)
                right = [
                    _runs.share_right(answer(each.images), each.labels) for each in (data, test)
                ]
                row = {"arm": arm, "labels": labels, "seed": seed, "setting": setting}
                row |= {"trained_parameters": trained, "train": right[0], "test": right[1]}
                rows.append(row)
                report("{arm}, {labels} labels, seed {seed}: {test:.3f}".format(**row))
                keras.backend.clear_session()
    return rows
