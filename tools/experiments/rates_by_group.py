"""Lesson 05: does a learning rate for each group of layers pay?

From a fitted head and from a new one, which knows nothing: that is where the usual argument for
different rates begins. One rate, two, four, and gradual unfreezing; each with and without altered
copies, on two tasks. All take the same number of steps over the same batches, all rates fade to
nothing, batch norm stays still. Each arm's rate, that of the head, is found among three, on seeds
that nothing is measured with.
"""

import itertools

import keras
import numpy as np

import tlkit
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(5)),
    "tuning_seeds": [100, 101],
    "data": ["sunglasses-or-hat", "icons"],
    "heads": ["fitted", "new"],
    "altered": [False, True],
    "image_size": 96,
    "labels": 100,
    "test": 500,
    "steps": 60,
    "batch_size": 16,
    "groups": ["block_05", "block_11", "logits"],
    # How fast each group is, from the earliest to the head, in parts of the head's rate.
    "arms": {
        "one rate": [1.0, 1.0, 1.0, 1.0],
        "two rates": [0.1, 0.1, 0.1, 1.0],
        "four rates": [1 / 27, 1 / 9, 1 / 3, 1.0],
        "gradual unfreezing": [1.0, 1.0, 1.0, 1.0],
    },
    "rates": {
        "one rate": [1e-4, 3e-4, 1e-3],
        "two rates": [3e-4, 1e-3, 3e-3],
        "four rates": [3e-4, 1e-3, 3e-3],
        "gradual unfreezing": [1e-4, 3e-4, 1e-3],
    },
    # The share of the steps after which each group starts to move.
    "starts": {"gradual unfreezing": [0.75, 0.5, 0.25, 0.0]},
}


def part(row: dict):
    return row["data"]


def alter(images: np.ndarray, times: int, seed: int) -> np.ndarray:
    """So many copies of each picture, mirrored or not, turned, scaled and moved at random."""
    change = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal", seed=seed),
            keras.layers.RandomRotation(0.06, seed=seed),
            keras.layers.RandomZoom((-0.2, 0.2), seed=seed),
            keras.layers.RandomTranslation(0.1, 0.1, seed=seed),
        ]
    )
    copies = [np.asarray(change(images.astype("float32"), training=True)) for _ in range(times)]
    return np.concatenate(copies).clip(0, 255).astype("uint8")


class Groups:
    """A task, and the network with a training graph in which each group has its own rate."""

    def __init__(self, name: str, parameters: dict):
        self.parameters = parameters
        self.test, self.draw = _runs.task(name, parameters["image_size"], parameters["test"])
        self.base = tlkit.load_backbone(image_size=parameters["image_size"])
        self.body = self.base.get_weights()
        self.model = _runs.with_head(self.base, len(self.test.class_names))
        tlkit.unfreeze(self.model, quiet=True)
        optimizer = tlkit.differential_optimizer(self.model, groups=parameters["groups"])
        self.bench = _runs.Bench(self.model, optimizer)

    def begin(self, head: str, data, seed: int) -> list:
        """The pretrained weights with such a head."""
        self.base.set_weights(self.body)
        seen = tlkit.extract_features(self.base, data.images, progress=False)
        if head == "fitted":
            return [*self.body, *tlkit.fit_linear_head(seen, data.labels).get_weights()]
        return [*self.body, *_runs.new_head(seen.shape[1], len(data.class_names), seed)]

    def train(self, arm: str, start: list, rate: float, altered: bool, data, seed: int):
        steps, batch = self.parameters["steps"], self.parameters["batch_size"]
        rates = _runs.fading([rate * part for part in self.parameters["arms"][arm]], steps)
        begins = self.parameters["starts"].get(arm, [0.0] * rates.shape[1])
        rates[np.arange(steps)[:, None] < np.array(begins) * steps] = 0.0
        images, labels = data.images, data.labels
        if altered:  # every step has copies of its own
            times = -(-steps * batch // len(images))
            images, labels = alter(images, times, seed), np.tile(labels, times)
        return self.bench.train(start, images, labels, rates, seed, batch)


def settings(parameters: dict):
    return itertools.product(*(parameters[each] for each in ("heads", "altered", "arms")))


def named(*setting) -> str:
    return "{}, {} head, {}, {}".format(
        setting[0], setting[1], "altered copies" if setting[2] else "as they are", setting[3]
    )


def tune(parameters: dict, report) -> dict:
    found, labels = {}, parameters["labels"]
    for name in parameters["data"]:
        groups = Groups(name, parameters)
        data = {
            seed: groups.draw(labels + 300, seed).split(train=labels, seed=seed)
            for seed in parameters["tuning_seeds"]
        }
        for head, altered, arm in settings(parameters):

            def accuracy(rate, seed, groups=groups, data=data, how=(head, altered, arm)):
                head, altered, arm = how
                learn, judge = data[seed]
                start = groups.begin(head, learn, seed)
                bench = groups.train(arm, start, rate, altered, learn, seed)
                return bench.accuracy(judge.images, judge.labels)

            each = named(name, head, altered, arm)
            rates = parameters["rates"][arm]
            found[each] = _runs.find(rates, parameters["tuning_seeds"], accuracy)
            report(f"{each}: {found[each]}")
        keras.backend.clear_session()
    return found


def run(parameters: dict, report) -> list[dict]:
    rows = []
    for name in parameters["data"]:
        groups = Groups(name, parameters)
        for seed in parameters["seeds"]:
            data = groups.draw(parameters["labels"], seed)
            starts = {head: groups.begin(head, data, seed) for head in parameters["heads"]}

            def add(arm, head, altered, rate, name=name, groups=groups, seed=seed, data=data):
                right = [
                    groups.bench.accuracy(each.images, each.labels) for each in (data, groups.test)
                ]
                row = {"data": name, "head": head, "altered": altered, "arm": arm, "seed": seed}
                rows.append({**row, "rate": rate, "train": right[0], "test": right[1]})
                report(f"{named(name, head, altered, arm)}, seed {seed}: {right[1]:.3f}")

            groups.model.set_weights(starts["fitted"])
            add("head only", "fitted", False, None)
            for head, altered, arm in settings(parameters):
                rate = parameters["tuned"][named(name, head, altered, arm)]["chosen"]
                groups.train(arm, starts[head], rate, altered, data, seed)
                add(arm, head, altered, rate)
        keras.backend.clear_session()
    return rows
