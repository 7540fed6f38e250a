"""Lesson 04: how far ahead does a warm start begin, and does a cold one ever catch up?

The same network, the same 400 pictures, the same batches: once from the pretrained weights with a
fitted head, once from random ones, until that has stopped climbing. Rates are steady, so that one
training shows what each number of steps would have given, and each is found on seeds that nothing
is measured with. From scratch, batch norm has to learn its statistics: it trains, and before each
look its statistics are averaged over the training pictures. The pretrained ones stay still.
"""

import keras
import numpy as np

import tlkit
from tools.experiments import _runs
from tools.experiments._training import settle_batch_norm

PARAMETERS = {
    "seeds": list(range(5)),
    "tuning_seeds": [100],
    "data": "sunglasses-or-hat",
    "image_size": 96,
    "labels": 400,
    "test": 500,
    "batch_size": 16,
    "looks": {
        "pretrained": [10, 20, 40, 80, 160],
        "from scratch": [10, 20, 40, 80, 160, 320, 640, 1280],
    },
    # In the search each takes as many steps as its arm can learn from in a few minutes.
    "tuning_steps": {"pretrained": 80, "from scratch": 320},
    "rates": {"pretrained": [3e-5, 1e-4, 3e-4], "from scratch": [5e-4, 1e-3, 2e-3]},
}


def part(row: dict):
    return "all"


def begin(start: str, parameters: dict, data, seed: int) -> tuple[_runs.Bench, list]:
    """The network with its training graph, and the weights to start from."""
    size, classes = parameters["image_size"], len(data.class_names)
    weights = "imagenet" if start == "pretrained" else None
    base = tlkit.load_backbone(image_size=size, weights=weights, seed=seed)
    model = _runs.with_head(base, classes, seed)
    last = _runs.new_head(base.output_shape[-1], classes, seed)
    if start == "pretrained":
        seen = tlkit.extract_features(base, data.images, progress=False)
        last = tlkit.fit_linear_head(seen, data.labels).get_weights()
        tlkit.unfreeze(model, quiet=True)
    else:
        model.trainable = True
    return _runs.Bench(model, keras.optimizers.Adam()), [*base.get_weights(), *last]


def train(start: str, parameters: dict, data, seed: int, rate: float, looks: list, look) -> None:
    """One training at a steady rate; `look(step, bench)` is called after each of those steps."""
    bench, weights = begin(start, parameters, data, seed)
    bench.model.set_weights(weights)
    look(0, bench)
    done = 0
    for stop in looks:
        # A training goes on from its own weights; its optimizer remembers nothing of the part
        # before, which for Adam is the past ten steps or so.
        rates = np.full(stop - done, rate)
        order_seed = 1000 * seed + done
        bench.train(bench.model.get_weights(), data.images, data.labels, rates, order_seed)
        kept = bench.model.get_weights()
        if start == "from scratch":
            settle_batch_norm(bench.model, data.images[:200])
        look(stop, bench)
        bench.model.set_weights(kept)
        done = stop
    keras.backend.clear_session()


def tune(parameters: dict, report) -> dict:
    found, labels = {}, parameters["labels"]
    _, draw = _runs.task(parameters["data"], parameters["image_size"], parameters["test"])
    judge = draw(300, 2000)
    for start, rates in parameters["rates"].items():

        def accuracy(rate, seed, start=start):
            looks, right = [parameters["tuning_steps"][start]], []
            train(
                *(start, parameters, draw(labels, seed), seed, rate, looks),
                lambda step, bench: right.append(bench.accuracy(judge.images, judge.labels)),
            )
            return right[-1]

        found[start] = _runs.find(rates, parameters["tuning_seeds"], accuracy)
        report(f"{start}: {found[start]}")
    return found


def run(parameters: dict, report) -> list[dict]:
    rows = []
    test, draw = _runs.task(parameters["data"], parameters["image_size"], parameters["test"])
    for seed in parameters["seeds"]:
        data = draw(parameters["labels"], seed)
        for start, looks in parameters["looks"].items():
            rate = parameters["tuned"][start]["chosen"]

            def look(step, bench, start=start, seed=seed, data=data, rate=rate):
                right = [bench.accuracy(each.images, each.labels) for each in (data, test)]
                row = {"arm": start, "steps": step, "seed": seed, "rate": rate}
                rows.append({**row, "train": right[0], "test": right[1]})
                report("{arm}, {steps} steps, seed {seed}: {test:.3f}".format(**rows[-1]))

            train(start, parameters, data, seed, rate, looks, look)
    return rows
