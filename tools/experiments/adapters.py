"""Deeper shelf, H1: small additions instead of moving everything.

LoRA (Hu et al. 2021, arXiv 2106.09685) on the network's own 1×1 convolutions and its head, by
Keras's `enable_lora`; only the scale and shift of batch norm (Frankle et al. 2020, arXiv
2003.00152); the last block, the last four, everything; and the head alone. All start from the same
fitted head and take the same steps over the same batches. Each arm's rate is found on seeds that
nothing is measured with. What has to be saved for each new task is counted in numbers that trained.
"""

import keras
import numpy as np

import tlkit
from tlkit.keras_tools import leaf_layers
from tools.experiments import _runs
from tools.experiments.batch_norm import still_statistics

PARAMETERS = {
    "seeds": list(range(5)),
    "tuning_seeds": [100],
    "data": ["sunglasses-or-hat", "digits"],
    "image_size": 96,
    "labels": 200,
    "test": 500,
    "steps": 100,
    "rank": 4,
    "arms": {
        "scale and shift": [1e-3, 3e-3, 1e-2],
        "LoRA": [3e-4, 1e-3, 3e-3],
        "last block": [1e-4, 3e-4, 1e-3],
        "last four blocks": [1e-4, 3e-4, 1e-3],
        "everything": [1e-4, 3e-4, 1e-3],
    },
    "from_layer": {"last block": "block_15", "last four blocks": "block_12", "everything": None},
}


def part(row: dict):
    return row["data"]


class Arms:
    """A task, and the network with a training graph for one arm after the other."""

    def __init__(self, name: str, parameters: dict):
        self.parameters = parameters
        self.test, self.draw = _runs.task(name, parameters["image_size"], parameters["test"])
        self.base = tlkit.load_backbone(image_size=parameters["image_size"])
        self.body = self.base.get_weights()

    def model(self, arm: str) -> keras.Model:
        """A classifier of which that arm's weights train."""
        base = keras.models.clone_model(self.base, clone_function=still_statistics)
        model = _runs.with_head(base, len(self.test.class_names))
        if arm in self.parameters["from_layer"]:
            tlkit.unfreeze(model, self.parameters["from_layer"][arm], quiet=True)
            return model
        model.trainable = True
        for layer in leaf_layers(model):
            is_head = layer.name == "logits"
            if arm == "LoRA":
                one_by_one = getattr(layer, "kernel_size", None) == (1, 1)
                if is_head or (isinstance(layer, keras.layers.Conv2D) and one_by_one):
                    layer.enable_lora(self.parameters["rank"])
                else:
                    layer.trainable = False
            else:
                is_norm = isinstance(layer, keras.layers.BatchNormalization)
                layer.trainable = is_head or is_norm
        return model

    def begin(self, model: keras.Model, data, seed: int) -> list:
        """The pretrained weights, a fitted head, and additions that add nothing yet."""
        rng = np.random.default_rng(seed)
        seen = tlkit.extract_features(self.base, data.images, progress=False)
        head = tlkit.fit_linear_head(seen, data.labels).get_weights()
        values = dict(zip((each.path for each in self.base.weights), self.body, strict=True))
        start = []
        for weight in model.weights:
            if weight.path in values:
                start.append(values[weight.path])
            elif weight.path.endswith("logits/kernel"):
                start.append(head[0])
            elif weight.path.endswith("logits/bias"):
                start.append(head[1])
            elif weight.path.endswith("lora_kernel_b"):
                start.append(np.zeros(weight.shape, "float32"))
            elif weight.path.endswith("lora_kernel_a"):
                start.append(rng.normal(0, 0.02, weight.shape).astype("float32"))
            else:
                raise ValueError(f"Nothing is known of {weight.path}.")
        return start

    def train(self, bench: _runs.Bench, data, rate: float, seed: int) -> _runs.Bench:
        rates = _runs.fading(rate, self.parameters["steps"])
        start = self.begin(bench.model, data, seed)
        return bench.train(start, data.images, data.labels, rates, seed)


def tune(parameters: dict, report) -> dict:
    found, labels = {}, parameters["labels"]
    for name in parameters["data"]:
        arms = Arms(name, parameters)
        for arm, rates in parameters["arms"].items():
            bench = _runs.Bench(arms.model(arm), keras.optimizers.Adam())

            def accuracy(rate, seed, arms=arms, bench=bench):
                learn, judge = arms.draw(labels + 300, seed).split(train=labels, seed=seed)
                return arms.train(bench, learn, rate, seed).accuracy(judge.images, judge.labels)

            each = f"{name}, {arm}"
            found[each] = _runs.find(rates, parameters["tuning_seeds"], accuracy)
            report(f"{each}: {found[each]}")
        keras.backend.clear_session()
    return found


def run(parameters: dict, report) -> list[dict]:
    rows = []
    for name in parameters["data"]:
        arms = Arms(name, parameters)
        data = {seed: arms.draw(parameters["labels"], seed) for seed in parameters["seeds"]}
        test = arms.test

        def add(arm, seed, rate, trained, right, name=name):
            row = {"data": name, "arm": arm, "seed": seed, "rate": rate}
            rows.append({**row, "trained_parameters": trained, "train": right[0], "test": right[1]})
            report("{data}, {arm}, seed {seed}: {test:.3f}".format(**rows[-1]))

        unseen = tlkit.extract_features(arms.base, test.images, progress=False)
        for seed in parameters["seeds"]:
            seen = tlkit.extract_features(arms.base, data[seed].images, progress=False)
            head = tlkit.fit_linear_head(seen, data[seed].labels)
            right = [
                _runs.share_right(head(x), each.labels)
                for x, each in ((seen, data[seed]), (unseen, test))
            ]
            add("head only", seed, None, head.count_params(), right)
        for arm in parameters["arms"]:
            bench = _runs.Bench(arms.model(arm), keras.optimizers.Adam())
            rate = parameters["tuned"][f"{name}, {arm}"]["chosen"]
            for seed in parameters["seeds"]:
                arms.train(bench, data[seed], rate, seed)
                right = [bench.accuracy(each.images, each.labels) for each in (data[seed], test)]
                add(arm, seed, rate, bench.trained, right)
        keras.backend.clear_session()
    return rows
