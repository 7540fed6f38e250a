"""Lesson 04: how much of the network should move? Five rungs, each at the rate that suits it.

All start from the same fitted head, and take the same number of steps over the same batches. The
rate of each rung is found on seeds that nothing is measured with. Batch norm stays still.
"""

import keras

import tlkit
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(10)),
    "tuning_seeds": [100, 101],
    "data": ["sunglasses-or-hat", "icons"],
    "image_size": 96,
    "labels": 100,
    "test": 500,
    "steps": 60,
    "batch_size": 16,
    "rungs": {
        "last block": "block_15",
        "last four blocks": "block_12",
        "all but early": "block_03",
        "everything": None,
    },
    "rates": [3e-5, 1e-4, 3e-4, 1e-3],
}


def part(row: dict):
    return row["data"]


class Rungs:
    """A task, and the network with a training graph for each rung."""

    def __init__(self, name: str, parameters: dict):
        self.parameters = parameters
        self.test, self.draw = _runs.task(name, parameters["image_size"], parameters["test"])
        self.base = tlkit.load_backbone(image_size=parameters["image_size"])
        self.body = self.base.get_weights()

    def benches(self):
        """One rung after the other, for all share the weights."""
        for rung, layer in self.parameters["rungs"].items():
            model = _runs.with_head(self.base, len(self.test.class_names))
            tlkit.unfreeze(model, layer, quiet=True)
            yield rung, _runs.Bench(model, keras.optimizers.Adam())
            self.base.set_weights(self.body)

    def start(self, data) -> list:
        """The pretrained weights and a head fitted on their features."""
        self.base.set_weights(self.body)
        seen = tlkit.extract_features(self.base, data.images, progress=False)
        return [*self.body, *tlkit.fit_linear_head(seen, data.labels).get_weights()]

    def train(self, bench: _runs.Bench, start: list, data, rate: float, seed: int) -> _runs.Bench:
        rates = _runs.fading(rate, self.parameters["steps"])
        batch = self.parameters["batch_size"]
        return bench.train(start, data.images, data.labels, rates, seed, batch)


def tune(parameters: dict, report) -> dict:
    found, labels = {}, parameters["labels"]
    for name in parameters["data"]:
        rungs, data = Rungs(name, parameters), {}
        for seed in parameters["tuning_seeds"]:
            learn, judge = rungs.draw(labels + 300, seed).split(train=labels, seed=seed)
            data[seed] = learn, judge, rungs.start(learn)
        for rung, bench in rungs.benches():

            def accuracy(rate, seed, rungs=rungs, bench=bench, data=data):
                learn, judge, start = data[seed]
                rungs.train(bench, start, learn, rate, seed)
                return bench.accuracy(judge.images, judge.labels)

            found[f"{name}, {rung}"] = _runs.find(
                parameters["rates"], parameters["tuning_seeds"], accuracy
            )
            report(f"{name}, {rung}: {found[f'{name}, {rung}']}")
    return found


def run(parameters: dict, report) -> list[dict]:
    rows = []
    for name in parameters["data"]:
        rungs = Rungs(name, parameters)
        test = rungs.test
        data = {seed: rungs.draw(parameters["labels"], seed) for seed in parameters["seeds"]}
        starts = {seed: rungs.start(data[seed]) for seed in parameters["seeds"]}

        def add(rung, seed, rate, trained, train, judged, name=name):
            row = {"data": name, "arm": rung, "seed": seed, "rate": rate}
            rows.append({**row, "trained_parameters": trained, "train": train, "test": judged})
            report("{data}, {arm}, seed {seed}: {test:.3f}".format(**rows[-1]))

        for seed in parameters["seeds"]:
            kernel, bias = starts[seed][-2:]
            right = [
                _runs.share_right(
                    tlkit.extract_features(rungs.base, each.images, progress=False) @ kernel + bias,
                    each.labels,
                )
                for each in (data[seed], test)
            ]
            add("head only", seed, None, kernel.size + bias.size, *right)
        for rung, bench in rungs.benches():
            rate = parameters["tuned"][f"{name}, {rung}"]["chosen"]
            for seed in parameters["seeds"]:
                learn = data[seed]
                rungs.train(bench, starts[seed], learn, rate, seed)
                right = [bench.accuracy(each.images, each.labels) for each in (learn, test)]
                add(rung, seed, rate, bench.trained, *right)
        keras.backend.clear_session()
    return rows
