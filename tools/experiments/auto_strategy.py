"""Lesson 07: does `strategy="auto"` do about as well as the best strategy?

Three sets of pictures, three numbers of labels. The same labels go to each strategy, which does
with them what `train_classifier` does: `"features"` fits a head on the last features of all of
them, `"fine-tune"` learns on four fifths and keeps the rest for judging. All are judged by pictures
that no seed trains on. For each seed the people are new; icons and digits are drawn anew from those
that are not in the test set. The labels of a seed are nested: the 20 are among the 60.

`"auto"` runs no training of its own. The code of `train_classifier` chooses strategy and layer, and
what is chosen is then either the fine-tuned network of this very seed or a head on that layer.

The rule was looked for with seeds from 100 on; none of them is in the table. To save time features
are computed once, and networks are compiled once and set back to their first weights. For pictures
as small as these, two processes of one thread each do more than one process of two.
"""

import concurrent.futures
import hashlib
import multiprocessing

import keras
import numpy as np
import tensorflow as tf
import threadpoolctl

import tlkit
from tlkit import finetuning
from tlkit.steps import passes, take_steps
from tlkit.workshop import strategies
from tlkit.workshop.recommendation import CONTROLS, LAYERS

PARAMETERS = {
    "seeds": list(range(10)),
    "image_size": 64,
    "labels": [20, 60, 200],
    "test": {"pictures": 400, "seed": 1000},
}


def data_sets(parameters: dict):
    """For each name: the test set, and a function from a seed to pictures to train on."""
    size, most = parameters["image_size"], max(parameters["labels"])
    count, seed = parameters["test"]["pictures"], parameters["test"]["seed"]
    people = "sunglasses-or-hat"
    yield (
        people,
        tlkit.load_dataset(people, count, size, seed),
        lambda seed: tlkit.load_dataset(people, most, size, seed),
    )
    for name in ("icons", "digits"):
        data = tlkit.load_dataset(name, None, size, seed)
        rest, test = data.split(train=len(data) - count, seed=seed)
        yield name, test, lambda seed, rest=rest: rest.take(most, seed)


class Reader:
    """Features of pictures, computed once and then looked up."""

    def __init__(self, image_size: int):
        self.found, self.size = {}, image_size
        self.networks = {
            kind: tlkit.load_backbone(image_size=image_size, weights=weights)
            for kind, weights in (("pretrained", "imagenet"), ("random", None))
        }
        self.run = {}
        for kind, layers in (("pretrained", LAYERS), ("random", CONTROLS)):
            network = self.networks[kind]
            outputs = [keras.ops.mean(network.get_layer(n).output, axis=(1, 2)) for n in layers]
            self.run[kind] = (
                layers,
                tf.function(keras.Model(network.input, outputs), reduce_retracing=True),
            )

    def set_seed(self, seed: int) -> None:
        """Take other random weights: those that `recommend` would take."""
        fresh = tlkit.load_backbone(image_size=self.size, weights=None, seed=seed)
        self.networks["random"].set_weights(fresh.get_weights())
        self.found = {key: value for key, value in self.found.items() if key[0] != "random"}

    def learn(self, kind: str, images: np.ndarray) -> None:
        layers, run = self.run[kind]
        for start in range(0, len(images), 100):
            part = images[start : start + 100]
            for layer, rows in zip(layers, run(tf.constant(part, tf.float32)), strict=True):
                for image, row in zip(part, rows.numpy(), strict=True):
                    self.found[kind, layer, _name(image)] = row

    def features(self, kind: str, layer: str, images: np.ndarray) -> np.ndarray:
        return np.stack([self.found[kind, layer, _name(image)] for image in images])

    def read(self, images: np.ndarray, _seed: int) -> dict[str, np.ndarray]:
        """All that `recommend` looks at."""
        return {
            f"{kind}, {layer}": self.features(kind, layer, images)
            for kind, (layers, _) in self.run.items()
            for layer in layers
        }


def _name(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()


class FineTuner:
    """What `strategies.by_fine_tuning` does, with one network for all seeds."""

    def __init__(self, image_size: int, classes: int, steps: int):
        base = tlkit.load_backbone(image_size=image_size)
        dense = keras.layers.Dense(classes, name="logits")
        head = keras.Sequential([keras.Input((base.output.shape[-1],)), dense], name="head")
        self.model, self.steps = tlkit.attach_head(base, head), steps
        finetuning.unfreeze(self.model, quiet=True)
        finetuning.compile_fading(self.model, self.steps)
        self.model.optimizer.build(self.model.trainable_variables)
        self.first = self.model.get_weights()[:-2]
        self.begin = [np.array(variable) for variable in self.model.optimizer.variables]

    def answers(self, learn, head, seed: int, images: np.ndarray) -> np.ndarray:
        """What the network says of `images` after it was fine-tuned from this head."""
        self.model.set_weights([*self.first, *head.get_weights()])
        for variable, value in zip(self.model.optimizer.variables, self.begin, strict=True):
            variable.assign(value)
        order = passes(len(learn), self.steps, finetuning.BATCH_SIZE, seed)
        take_steps(self.model, learn.images, learn.labels, order)
        strategies.even_out(self.model.layers[-1], learn.labels)
        return self.model.predict(images, batch_size=100, verbose=0).argmax(axis=1)


class Bench:
    """All that is made once in a process."""

    def __init__(self, parameters: dict):
        self.parameters, self.tuners = parameters, {}
        self.reader = Reader(parameters["image_size"])
        self.sets = list(data_sets(parameters))
        for _, test, _ in self.sets:
            self.reader.learn("pretrained", test.images)

    def one_seed(self, seed: int) -> list[dict]:
        """Every cell of the table for a seed."""
        rows = []
        self.reader.set_seed(seed)
        for name, test, training_set in self.sets:
            pool = training_set(seed)
            for kind in ("pretrained", "random"):
                self.reader.learn(kind, pool.images)
            for labels in self.parameters["labels"]:
                found = self.compare(pool.take(labels, seed), test, seed)
                rows.append({"data": name, "labels": labels, "seed": seed, **found})
        return rows

    def compare(self, data, test, seed: int) -> dict:
        """The accuracy of every strategy, and what `"auto"` chose."""
        classes = len(data.class_names)
        answers = {}

        def with_head_on(layer: str) -> np.ndarray:
            read = [self.reader.features("pretrained", layer, d.images) for d in (data, test)]
            head = strategies.even_head(read[0], data.labels)
            return np.asarray(head(read[1])).argmax(axis=1)

        answers["features"] = with_head_on("features")
        learn, _ = strategies.hold_back(data, seed)
        key = classes, finetuning.fading_steps(len(learn))
        if key not in self.tuners:
            self.tuners[key] = FineTuner(data.images.shape[1], classes, key[1])
        read = self.reader.features("pretrained", "features", learn.images)
        head = tlkit.fit_linear_head(read, learn.labels)
        answers["fine-tune"] = self.tuners[key].answers(learn, head, seed, test.images)
        strategy, layer, _ = strategies.choose(data, seed, self.reader.read)
        tuned = strategy == "fine-tune"
        answers["auto"] = answers["fine-tune"] if tuned else with_head_on(layer)
        found = {name: float((each == test.labels).mean()) for name, each in answers.items()}
        return {**found, "way": strategy, "layer": layer}


def _prepare(parameters: dict) -> None:
    global _bench
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    threadpoolctl.threadpool_limits(1)
    _bench = Bench(parameters)


def _one_seed(seed: int) -> list[dict]:
    return _bench.one_seed(seed)


def run(parameters: dict, report) -> list[dict]:
    rows = []
    with concurrent.futures.ProcessPoolExecutor(
        2, multiprocessing.get_context("spawn"), _prepare, (parameters,)
    ) as pool:
        for found in pool.map(_one_seed, parameters["seeds"]):
            rows += found
            for row in found:
                report(
                    "{data}, {labels} labels, seed {seed}: features {features:.3f}, fine-tune "
                    "{fine-tune:.3f}, auto {auto:.3f} ({way}, {layer})".format(**row)
                )
    return rows
