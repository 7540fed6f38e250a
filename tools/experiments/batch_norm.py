"""Lesson 04: when does it cost to let batch norm train while the rest is fine-tuned?

Three ways to treat it: still, as `tlkit.unfreeze` leaves it; still in its statistics, while its
scale and shift train; and live, as it is once the whole network has been set trainable: it
normalises by each batch, and its running statistics drift. Three rates, two sizes of batch, the
same pictures for each. Nothing is chosen: every combination is in the table.
"""

import keras
import numpy as np

import tlkit
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(5)),
    "data": "sunglasses-or-hat",
    "image_size": 96,
    "labels": 100,
    "test": 500,
    "pictures": 960,
    "batch_sizes": [8, 32],
    "rates": [1e-5, 1e-4, 1e-3],
    "arms": ["still", "scale trains", "live"],
}


def part(row: dict):
    return tuple(row[each] for each in ("arm", "batch_size", "rate"))


class StillStatistics(keras.layers.BatchNormalization):
    """Batch norm that keeps to its statistics while its scale and shift train."""

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=False, mask=mask)


def still_statistics(layer: keras.layers.Layer) -> keras.layers.Layer:
    """The same layer, of the class above if it is batch norm; for `clone_model`."""
    kind = type(layer)
    if isinstance(layer, keras.layers.BatchNormalization):
        kind = StillStatistics
    return kind.from_config(layer.get_config())


def prepare(arm: str, base: keras.Model, classes: int) -> keras.Model:
    """A classifier from new layers, with that treatment of batch norm."""
    if arm == "scale trains":
        base = keras.models.clone_model(base, clone_function=still_statistics)
    model = _runs.with_head(base, classes)
    # The layers are shared with an arm before, and True on True would do nothing.
    model.trainable = False
    model.trainable = True
    if arm == "still":
        tlkit.unfreeze(model, quiet=True)
    return model


def drift(model: keras.Model, before: list[np.ndarray]) -> float:
    """How far the running means went, in standard deviations of their channels."""
    then = dict(zip((each.path for each in model.weights), before, strict=True))
    steps = [
        np.abs(np.array(layer.moving_mean) - then[layer.moving_mean.path])
        / np.sqrt(then[layer.moving_variance.path] + layer.epsilon)
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    return float(np.mean(np.concatenate(steps)))


def run(parameters: dict, report) -> list[dict]:
    test, draw = _runs.task(*(parameters[each] for each in ("data", "image_size", "test")))
    base = tlkit.load_backbone(image_size=parameters["image_size"])
    body, rows = base.get_weights(), []
    for arm in parameters["arms"]:
        bench = _runs.Bench(prepare(arm, base, len(test.class_names)), keras.optimizers.Adam())
        for seed in parameters["seeds"]:
            data = draw(parameters["labels"], seed)
            base.set_weights(body)
            seen = tlkit.extract_features(base, data.images, progress=False)
            start = [*body, *tlkit.fit_linear_head(seen, data.labels).get_weights()]
            for batch_size in parameters["batch_sizes"]:
                for rate in parameters["rates"]:
                    rates = _runs.fading(rate, parameters["pictures"] // batch_size)
                    bench.train(start, data.images, data.labels, rates, seed, batch_size)
                    row = {"arm": arm, "batch_size": batch_size, "rate": rate, "seed": seed}
                    row["drift"] = drift(bench.model, start)
                    row["train"] = bench.accuracy(data.images, data.labels)
                    row["test"] = bench.accuracy(test.images, test.labels)
                    rows.append(row)
                    told = "{arm}, batch {batch_size}, rate {rate:g}, seed {seed}: {test:.3f}"
                    report(told.format(**row))
        base.set_weights(body)
    keras.backend.clear_session()
    return rows
