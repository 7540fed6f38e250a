"""Deeper shelf: when a pretrained network does not help, and how to tell from where that comes.

Digits, their pixels in one other order, and in a new order for each picture; charts of prices with
a planted signal and without. A head on frozen pretrained features, one on the same network with
random weights, others in every seed, a network from scratch, and logistic regression on the pixels
or, for charts, on the prices. Depth, strength of fit or rate of each arm is found among at most
four, on a seed that nothing is measured with.
"""

from dataclasses import replace

import tlkit
from tlkit.lessons import cases
from tools.experiments import _runs
from tools.experiments._small_networks import Trainer

PARAMETERS = {
    "seeds": list(range(5)),
    "tuning_seeds": [100],
    "labels": 400,
    "test": 500,
    "image_size": 64,
    "steps": 400,
    "data": ["digits", "one order", "new orders", "charts, signal", "charts, no signal"],
    "arms": {
        "pretrained": ["block_05", "block_10", "block_12", "features"],
        "random weights": ["block_05", "block_10", "block_12", "features"],
        "raw": [0.003, 0.03, 0.3, 3.0],
        "from scratch": [5e-4, 2e-3],
    },
}


def part(row: dict):
    return row["data"]


def pictures(name: str, count: int, seed: int, parameters: dict):
    """Labels, pictures for the large network, pictures for the small one, and a table."""
    size = parameters["image_size"]
    if name.startswith("charts"):
        charts, prices = cases.price_charts(count, name == "charts, signal", seed, size)
        low, high = prices.min(axis=1, keepdims=True), prices.max(axis=1, keepdims=True)
        return charts.labels, charts.images, charts.images, (prices - low) / (high - low)
    test, draw = _runs.task("digits", 32, parameters["test"])
    data = test if seed == _runs.TEST_SEED else draw(count, seed)
    if name != "digits":
        order = 0 if name == "one order" else seed
        images = cases.shuffle_pixels(data.images, seed=order, same=name == "one order")
        data = replace(data, images=images)
    enlarged = data.images.repeat(2, axis=1).repeat(2, axis=2)
    return data.labels, enlarged, data.images, data.images[..., 0].reshape(len(data), -1) / 255


class Arms:
    """The ways of one seed: each fits, and gives its accuracy on training and other pictures."""

    def __init__(self, parameters: dict, seed: int):
        size = parameters["image_size"]
        self.parameters, self.seed, self.trainers = parameters, seed, {}
        self.networks = {
            "pretrained": tlkit.load_backbone(image_size=size),
            "random weights": tlkit.load_backbone(image_size=size, weights=None, seed=seed),
        }

    def judge(self, arm: str, setting, seen: tuple, unseen: tuple) -> tuple[float, float]:
        if arm == "from scratch":
            return self.from_scratch(setting, seen, unseen)
        C = 1.0
        if arm == "raw":
            x, other, C = seen[3], unseen[3], setting
        else:
            x, other = (
                tlkit.extract_features(self.networks[arm], each[1], setting, progress=False)
                for each in (seen, unseen)
            )
        head = tlkit.fit_linear_head(x.astype("float32"), seen[0], C=C)
        return tuple(
            _runs.share_right(head(each.astype("float32")), labels)
            for each, labels in ((x, seen[0]), (other, unseen[0]))
        )

    def from_scratch(self, rate: float, seen: tuple, unseen: tuple) -> tuple[float, float]:
        shape = int(seen[0].max()) + 1, seen[2].shape[1]
        if shape not in self.trainers:
            self.trainers[shape] = Trainer(cases.demonstration_network(*shape))
        new = cases.demonstration_network(*shape, seed=self.seed).get_weights()
        trainer, steps = self.trainers[shape], self.parameters["steps"]
        trainer.train(new, seen[2], seen[0], steps, rate, self.seed)
        return trainer.accuracy(seen[2], seen[0]), trainer.accuracy(unseen[2], unseen[0])


def tune(parameters: dict, report) -> dict:
    found, count = {}, parameters["labels"]
    [seed] = parameters["tuning_seeds"]
    arms = Arms(parameters, seed)
    for name in parameters["data"]:
        pool = pictures(name, count + 300, seed, parameters)
        seen, unseen = tuple(x[:count] for x in pool), tuple(x[count:] for x in pool)
        for arm, settings in parameters["arms"].items():

            def accuracy(setting, _seed, arm=arm, seen=seen, unseen=unseen):
                return arms.judge(arm, setting, seen, unseen)[1]

            found[f"{name}, {arm}"] = _runs.find(settings, [seed], accuracy)
            report(f"{name}, {arm}: {found[f'{name}, {arm}']}")
    return found


def run(parameters: dict, report) -> list[dict]:
    rows = []
    for seed in parameters["seeds"]:
        arms = Arms(parameters, seed)
        for name in parameters["data"]:
            seen = pictures(name, parameters["labels"], seed, parameters)
            unseen = pictures(name, parameters["test"], _runs.TEST_SEED, parameters)
            for arm in parameters["arms"]:
                setting = parameters["tuned"][f"{name}, {arm}"]["chosen"]
                train, test = arms.judge(arm, setting, seen, unseen)
                row = {"data": name, "arm": arm, "seed": seed, "setting": setting}
                rows.append({**row, "train": train, "test": test})
                report("{data}, {arm}, seed {seed}: {test:.3f}".format(**rows[-1]))
    return rows
