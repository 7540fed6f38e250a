"""Lesson 03: loss on training and on validation pictures while each strategy learns.

Sixty labels, three strategies and a control: a linear head on frozen features, the pretrained
network with all of it moving, the same network from random weights, and a small one. Rates are
those that the table `labels_needed` was made with, or Adam's default for the head. The validation
pictures choose nothing here.
"""

import keras
import numpy as np

import tlkit
from tools.experiments import _runs
from tools.experiments._training import settle_batch_norm

PARAMETERS = {
    "seeds": list(range(5)),
    "data": "sunglasses-or-hat",
    "image_size": 96,
    "labels": 60,
    "validation": {"pictures": 300, "seed": 2000},
    "batch_size": 16,
    "looks": [0, 5, 10, 20, 40, 60, 80, 120, 160],
    "rates": {
        "head on frozen features": 1e-3,
        "pretrained, everything moves": 3e-4,
        "large network from scratch": 2e-3,
        "small network from scratch": 1e-3,
    },
}


def part(row: dict):
    return row["arm"]


def network(arm: str, size: int, classes: int, seed: int) -> keras.Model:
    if arm.startswith("small"):
        return tlkit.small_network(size, classes, seed)
    weights = None if arm.startswith("large") else "imagenet"
    base = tlkit.load_backbone(image_size=size, weights=weights, seed=seed)
    model = _runs.with_head(base, classes, seed)
    model.trainable = True
    if weights:
        tlkit.unfreeze(model, "logits" if arm.startswith("head") else None, quiet=True)
    return model


def run(parameters: dict, report) -> list[dict]:
    rows, size, shown = [], parameters["image_size"], parameters["validation"]
    _, draw = _runs.task(parameters["data"], size, 100)
    validation = draw(shown["pictures"], shown["seed"])
    for seed in parameters["seeds"]:
        data = draw(parameters["labels"], seed)
        for arm, rate in parameters["rates"].items():
            model = network(arm, size, len(data.class_names), seed)
            bench, done = _runs.Bench(model, keras.optimizers.Adam()), 0
            for look in parameters["looks"]:
                rates, order_seed = np.full(look - done, rate), 1000 * seed + done
                if look:
                    images, labels = data.images, data.labels
                    batch = parameters["batch_size"]
                    bench.train(model.get_weights(), images, labels, rates, order_seed, batch)
                done, kept = look, model.get_weights()
                if arm.endswith("from scratch") and look:
                    settle_batch_norm(model, data.images)
                row = {"arm": arm, "steps": look, "seed": seed, "rate": rate}
                for name, each in (("train", data), ("test", validation)):
                    logits = bench.logits(each.images)
                    row[f"{name}_loss"] = _runs.mean_loss(logits, each.labels)
                    row[name] = _runs.share_right(logits, each.labels)
                rows.append(row)
                model.set_weights(kept)
            report("{arm}, seed {seed}: {test:.3f}, loss {test_loss:.3f}".format(**rows[-1]))
            keras.backend.clear_session()
    return rows
