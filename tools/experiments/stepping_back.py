"""Lesson 05: train until it overfits, then step back. What is it worth, epoch 0 counted?

Four tasks were looked at for one on which overfitting shows, each with two tuning seeds; all four
are in the table, and the conclusion is drawn from fresh seeds of all four. Training begins with a
fitted head, which is epoch 0; then everything moves at a steady rate for twenty epochs. One epoch
is kept by the loss on validation pictures, as many as there are labels.
"""

import functools

import keras
import numpy as np

import tlkit
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(5)),
    "image_size": 96,
    "labels": 60,
    "test": 400,
    "epochs": 20,
    "batch_size": 12,
    "tasks": {
        "people": {"data": "sunglasses-or-hat", "rate": 3e-4, "wrong": 0.0},
        "icons": {"data": "icons", "rate": 3e-4, "wrong": 0.0},
        "icons, high rate": {"data": "icons", "rate": 2e-3, "wrong": 0.0},
        "people, one label in five wrong": {
            "data": "sunglasses-or-hat",
            "rate": 3e-4,
            "wrong": 0.2,
        },
    },
}


def part(row: dict):
    return row["arm"]


def spoilt(labels: np.ndarray, share: float, classes: int, seed: int) -> np.ndarray:
    """Labels of which a share is replaced by another class."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(labels))[: round(share * len(labels))]
    labels = labels.copy()
    labels[rows] = (labels[rows] + rng.integers(1, classes, len(rows))) % classes
    return labels


def figures(bench: _runs.Bench, learn, given, validation, by, test) -> dict:
    """How a classifier does now on pictures to learn from, to choose by, and to test on."""
    of = [bench.logits(each.images) for each in (learn, validation, test)]
    return {
        "train": _runs.share_right(of[0], given),
        "train_loss": _runs.mean_loss(of[0], given),
        "validation_loss": _runs.mean_loss(of[1], by),
        "test_loss": _runs.mean_loss(of[2], test.labels),
        "test": _runs.share_right(of[2], test.labels),
    }


def run(parameters: dict, report) -> list[dict]:
    rows, labels, batch = [], parameters["labels"], parameters["batch_size"]
    base = tlkit.load_backbone(image_size=parameters["image_size"])
    body = base.get_weights()
    for name, task in parameters["tasks"].items():
        test, draw = _runs.task(task["data"], parameters["image_size"], parameters["test"])
        classes = len(test.class_names)
        model = _runs.with_head(base, classes)
        tlkit.unfreeze(model, quiet=True)
        bench = _runs.Bench(model, keras.optimizers.Adam())
        for seed in parameters["seeds"]:
            learn, validation = draw(2 * labels, seed).split(train=labels, seed=seed)
            given, chosen_by = (
                spoilt(each.labels, task["wrong"], classes, seed) for each in (learn, validation)
            )
            base.set_weights(body)
            seen = tlkit.extract_features(base, learn.images, progress=False)
            start = [*body, *tlkit.fit_linear_head(seen, given).get_weights()]
            now = functools.partial(figures, bench, learn, given, validation, chosen_by, test)
            model.set_weights(start)
            found, an_epoch = [now()], labels // batch

            def after(step, loss, found=found, now=now, an_epoch=an_epoch):
                if (step + 1) % an_epoch == 0:
                    found.append(now())

            rates = np.full(parameters["epochs"] * an_epoch, task["rate"])
            bench.train(start, learn.images, given, rates, seed, batch, after)
            best = int(np.argmin([each["validation_loss"] for each in found]))
            for epoch, each in enumerate(found):
                row = {"arm": name, "epoch": epoch, "seed": seed, "rate": task["rate"]}
                rows.append({**row, "kept": epoch == best, **each})
            first, kept, last = (found[epoch]["test"] for epoch in (0, best, -1))
            report(f"{name}, seed {seed}: {first:.3f}, epoch {best} {kept:.3f}, end {last:.3f}")
        base.set_weights(body)
    keras.backend.clear_session()
    return rows
