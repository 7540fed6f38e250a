"""Lesson 04: does a head that has settled first make fine-tuning better, or steadier?

Three orders of the same work, with SGD and with Adam. "Head first" trains the new head alone, then
everything. "Head last" is the control: both get just as many steps, in the other order, so that the
weights of the network meet a head that knows nothing. "At once" trains everything from the start,
for as many steps as the head gets in the others. The head alone learns at ten times the rate. Each
arm's rate is found on seeds that nothing is measured with.
"""

import functools

import keras

import tlkit
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(10)),
    "tuning_seeds": [100, 101],
    "data": "sunglasses-or-hat",
    "image_size": 96,
    "labels": 100,
    "test": 500,
    "steps": 30,
    "batch_size": 16,
    "orders": {
        "head first": ["head", "everything"],
        "head last": ["everything", "head"],
        "at once": ["everything twice"],
    },
    "rates": {"adam": [3e-5, 1e-4, 3e-4, 1e-3], "sgd": [3e-4, 1e-3, 3e-3, 1e-2]},
    "head_faster": 10,
}


def part(row: dict):
    return "all"


class Runs:
    """The network with its two training graphs, for one optimizer."""

    def __init__(self, name: str, parameters: dict, classes: int):
        make = functools.partial(keras.optimizers.SGD, momentum=0.9)
        make = keras.optimizers.Adam if name == "adam" else make
        self.parameters, self.classes = parameters, classes
        self.base = tlkit.load_backbone(image_size=parameters["image_size"])
        self.body = self.base.get_weights()
        channels = self.base.output_shape[-1]
        alone = keras.Sequential([keras.Input((channels,)), keras.layers.Dense(classes)])
        self.head = _runs.Bench(alone, make())
        model = _runs.with_head(self.base, classes)
        tlkit.unfreeze(model, quiet=True)
        self.whole = _runs.Bench(model, make())

    def run(self, order: list[str], rate: float, data, seed: int) -> _runs.Bench:
        """One training from the pretrained weights and a new head; the classifier is in `whole`."""
        body, steps = self.body, self.parameters["steps"]
        head = _runs.new_head(self.base.output_shape[-1], self.classes, seed)
        batch = self.parameters["batch_size"]
        for phase in order:
            if phase == "head":
                self.whole.model.set_weights([*body, *head])
                seen = tlkit.extract_features(self.base, data.images, cache=False, progress=False)
                rates = _runs.fading(rate * self.parameters["head_faster"], steps)
                self.head.train(head, seen, data.labels, rates, seed, batch)
                head = self.head.model.get_weights()
            else:
                rates = _runs.fading(rate, 2 * steps if phase.endswith("twice") else steps)
                self.whole.train([*body, *head], data.images, data.labels, rates, seed, batch)
                *body, kernel, bias = self.whole.model.get_weights()
                head = [kernel, bias]
        self.whole.model.set_weights([*body, *head])
        return self.whole


def tune(parameters: dict, report) -> dict:
    judge, draw = _runs.task(*(parameters[each] for each in ("data", "image_size", "test")))
    judge = draw(300, 2000)
    found = {}
    for optimizer, rates in parameters["rates"].items():
        runs = Runs(optimizer, parameters, len(judge.class_names))
        for arm, order in parameters["orders"].items():

            def accuracy(rate, seed, runs=runs, order=order):
                model = runs.run(order, rate, draw(parameters["labels"], seed), seed)
                return model.accuracy(judge.images, judge.labels)

            found[f"{arm}, {optimizer}"] = _runs.find(rates, parameters["tuning_seeds"], accuracy)
            report(f"{arm}, {optimizer}: {found[f'{arm}, {optimizer}']}")
    return found


def run(parameters: dict, report) -> list[dict]:
    test, draw = _runs.task(*(parameters[each] for each in ("data", "image_size", "test")))
    rows = []
    for optimizer in parameters["rates"]:
        runs = Runs(optimizer, parameters, len(test.class_names))
        for seed in parameters["seeds"]:
            data = draw(parameters["labels"], seed)
            for arm, order in parameters["orders"].items():
                rate = parameters["tuned"][f"{arm}, {optimizer}"]["chosen"]
                model = runs.run(order, rate, data, seed)
                rows.append(
                    {
                        "arm": arm,
                        "optimizer": optimizer,
                        "rate": rate,
                        "seed": seed,
                        "train": model.accuracy(data.images, data.labels),
                        "test": model.accuracy(test.images, test.labels),
                    }
                )
                report("{arm}, {optimizer}, seed {seed}: {test:.3f}".format(**rows[-1]))
            # The same for both optimizers: what the others are compared with.
            runs.whole.model.set_weights([*runs.body, *runs.whole.model.get_weights()[-2:]])
            seen, unseen = (
                tlkit.extract_features(runs.base, each.images, progress=False)
                for each in (data, test)
            )
            head = tlkit.fit_linear_head(seen, data.labels)
            rows.append(
                {
                    "arm": "head only, fitted",
                    "optimizer": optimizer,
                    "rate": None,
                    "seed": seed,
                    "train": _runs.share_right(head(seen), data.labels),
                    "test": _runs.share_right(head(unseen), test.labels),
                }
            )
    return rows
