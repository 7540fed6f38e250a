"""Lesson 03: how many labels does each way of getting a classifier need?

Each seed has its own training pictures; all are tested on the same ones, which nothing else sees.
Every setting is fixed beforehand and the same for all seeds, so nothing is chosen here.
"""

import keras
import numpy as np

import tlkit
from tools.experiments._training import train

PARAMETERS = {
    "seeds": [0, 1, 2],
    "labels": [20, 60, 200, 600],
    "image_size": 128,
    "test": {"pictures": 500, "seed": 1000},
    # The large network sees every picture ten times or more; with 600 that would take too long.
    # The small one gets steps enough to know its pictures by heart, or nearly so: its training
    # accuracy was looked at, never how it tests.
    "large": {"steps": [40, 70, 130], "batch_size": 16, "learning_rate": 2e-3},
    "small": {"steps": [500, 500, 1000, 1500], "batch_size": 32, "learning_rate": 1e-3},
}


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    return float((np.asarray(logits).argmax(axis=1) == labels).mean())


def part(row: dict):
    return "all"


def run(parameters: dict, report) -> list[dict]:
    size, classes = parameters["image_size"], 2
    hidden = parameters["test"]
    test = tlkit.load_dataset("sunglasses-or-hat", hidden["pictures"], size, hidden["seed"])
    rows = []

    def add(method: str, seed: int, data, model, of_train, of_test, trained: int) -> None:
        rows.append(
            {
                "method": method,
                "labels": len(data),
                "seed": seed,
                "test": accuracy(model(of_test), test.labels),
                "train": accuracy(model(of_train), data.labels),
                "trained_parameters": trained,
            }
        )
        report("{method}, {labels} labels, seed {seed}: {test:.3f}".format(**rows[-1]))

    for seed in parameters["seeds"]:
        pool = tlkit.load_dataset("sunglasses-or-hat", max(parameters["labels"]), size, seed)
        for name, weights in (("frozen, pretrained", "imagenet"), ("frozen, random", None)):
            base = tlkit.load_backbone(image_size=size, weights=weights, seed=seed)
            of_test = tlkit.extract_features(base, test.images, progress=False)
            for labels in parameters["labels"]:
                data = pool.take(labels, seed=seed)
                of_train = tlkit.extract_features(base, data.images, progress=False)
                head = tlkit.fit_linear_head(of_train, data.labels)
                add(name, seed, data, head, of_train, of_test, head.count_params())
        for place, labels in enumerate(parameters["labels"]):
            data = pool.take(labels, seed=seed)
            base = tlkit.load_backbone(image_size=size, weights=None, seed=seed)
            pooled = keras.layers.GlobalAveragePooling2D()(base.output)
            large = keras.Model(base.input, keras.layers.Dense(classes)(pooled))
            small = tlkit.small_network(size, classes, seed)
            for name, model in (("large", large), ("small", small)):
                if place >= len(parameters[name]["steps"]):
                    continue
                options = {**parameters[name], "steps": parameters[name]["steps"][place]}
                train(model, data.images, data.labels, seed=seed, **options)
                trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)

                def answer(images, model=model):
                    return model.predict(images, verbose=0)

                method = f"{name} network from scratch"
                add(method, seed, data, answer, data.images, test.images, trained)
            keras.backend.clear_session()
    return rows
