"""Lesson 04a: what a pretrained network gains and loses when it is let move.

One network, a hundred labels for each seed, one test set. Every run takes the same number of steps,
and every setting that was tried is in the table. Steps and rates were set after a trial with one
seed on the same test pictures; the rate of 1e-3 for SGD and the head on block_12 were added later.
A training graph takes long to build, so each is built once and its weights and its optimizer are
put back before every run.
"""

import time

import keras
import numpy as np

import tlkit
from tlkit.steps import passes, take_steps
from tools.experiments._training import settle_batch_norm

PARAMETERS = {
    "seeds": [0, 1, 2],
    "labels": 100,
    "image_size": 96,
    "test": {"pictures": 300, "seed": 1000},
    "steps": 30,
    "batch_size": 16,
    "adam": {"settled": [1e-6, 1e-5, 1e-4, 1e-3, 1e-2], "random": [1e-4, 1e-3]},
    "sgd": {"settled": [1e-3, 1e-2], "random": [1e-3, 1e-2]},
    "last block": {"settled": [1e-4]},
    "batch norm live": [1e-5],
    # From random values more steps and a higher rate are needed; warm starts get the same steps.
    "curve": {"labels": 400, "steps": [10, 20, 30, 60], "warm": 1e-4, "scratch": 2e-3},
}


def nested(base, head):
    """The popular recipe: the base as one layer, asked to behave as in inference."""
    inputs = keras.Input(base.input_shape[1:])
    x = keras.layers.GlobalAveragePooling2D()(base(inputs, training=False))
    return keras.Model(inputs, head(x))


def let_move(model, first="stem_conv"):
    """Let a flat model train from a layer on, batch norm still; None lets all of it move."""
    model.trainable = False  # or True would be taken for done
    model.trainable = True
    start = [layer.name for layer in model.layers].index(first or "stem_conv")
    for number, layer in enumerate(model.layers):
        still = first is not None and isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number >= start and not still


class Bench:
    """One model with one training graph, and runs that all start from given weights."""

    def __init__(self, model, optimizer, batch_size):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, loss, metrics=["accuracy"])
        self.model, self.batch_size = model, batch_size
        self.trained = sum(int(np.prod(w.shape)) for w in model.trainable_weights)

    def start(self, weights, rate):
        self.model.set_weights(weights)
        for variable in self.model.optimizer.variables:
            variable.assign(np.zeros(variable.shape))
        self.model.optimizer.learning_rate = rate

    def train(self, data, steps, seed):
        """So many steps over the pictures in random order; returns the seconds."""
        order = passes(len(data), steps, self.batch_size, seed)
        began = time.perf_counter()
        take_steps(self.model, data.images, data.labels, order)
        return time.perf_counter() - began

    def accuracy(self, data):
        logits = self.model.predict(data.images, batch_size=100, verbose=0)
        return float((logits.argmax(axis=1) == data.labels).mean())


def moved(model, before, name):
    """How far a convolution's kernel is from where it was, relative to its length."""
    kernel = model.get_layer(f"{name}_conv").kernel
    then = before[kernel.path]
    return float(np.linalg.norm(np.array(kernel) - then) / np.linalg.norm(then))


def drift(layers, before):
    """How far the running averages went, in standard deviations of their channels."""
    steps = [
        np.abs(np.array(layer.moving_mean) - before[layer.moving_mean.path])
        / np.sqrt(before[layer.moving_variance.path] + layer.epsilon)
        for layer in layers
    ]
    return float(np.mean(np.concatenate(steps)))


def part(row: dict):
    return tuple(row.get(each) for each in ("what", "head", "optimizer", "rate", "labels"))


def run(parameters: dict, report) -> list[dict]:
    size, batch, steps = parameters["image_size"], parameters["batch_size"], parameters["steps"]
    seeds, hidden, course = parameters["seeds"], parameters["test"], parameters["curve"]
    test = tlkit.load_dataset("sunglasses-or-hat", hidden["pictures"], size, hidden["seed"])
    pools, large = (
        {seed: tlkit.load_dataset("sunglasses-or-hat", labels, size, seed) for seed in seeds}
        for labels in (parameters["labels"], course["labels"])
    )
    base = tlkit.load_backbone(image_size=size)
    body = base.get_weights()
    features = {s: tlkit.extract_features(base, pools[s].images, progress=False) for s in seeds}
    rows = []

    def weights(head, seed, start=body):
        if head == "settled":
            return start + tlkit.fit_linear_head(features[seed], pools[seed].labels).get_weights()
        keras.utils.set_random_seed(seed)
        new = keras.layers.Dense(len(test.class_names))
        new.build((None, base.output_shape[-1]))
        return start + new.get_weights()

    def add(what, head, optimizer, rate, seed, bench, seconds, **more):
        row = {
            "what": what,
            "head": head,
            "optimizer": optimizer,
            "rate": rate,
            "seed": seed,
            "test": bench.accuracy(test) if bench else None,
            "trained_parameters": bench.trained if bench else None,
            "seconds": round(seconds, 2),
            **more,
        }
        rows.append(row)
        report("{what}, {head} head, {optimizer} {rate:g}, seed {seed}: {test:.3f}".format(**row))

    def sweep(what, model, name, optimizer, rates):
        bench = Bench(model, optimizer, batch)
        bench.train(pools[seeds[0]], 1, 0)  # builds the graph, so that no run's seconds hold it
        before = {w.path: value for w, value in zip(base.weights, body, strict=True)}
        normalisers = [x for x in base.layers if isinstance(x, keras.layers.BatchNormalization)]
        for head in rates:
            for rate in rates[head]:
                for seed in seeds:
                    bench.start(weights(head, seed), rate)
                    seconds = bench.train(pools[seed], steps, seed)
                    more = {f"moved_{n}": moved(base, before, n) for n in ("stem", "features")}
                    more["drift"] = drift(normalisers, before)
                    add(what, head, name, rate, seed, bench, seconds, **more)

    def flat():
        return tlkit.attach_head(base, keras.Sequential([keras.Input((1280,)), classifier()]))

    def classifier():
        return keras.layers.Dense(len(test.class_names), name="logits")

    def adam():
        return keras.optimizers.Adam()

    model = flat()
    for what, layer in (("head only", None), ("head on block_12", "block_12")):
        of_test = tlkit.extract_features(base, test.images, layer=layer, progress=False)
        for seed in seeds:
            began = time.perf_counter()
            once = tlkit.extract_features(
                base, pools[seed].images, layer=layer, cache=False, progress=False
            )
            head = tlkit.fit_linear_head(once, pools[seed].labels)
            seconds = time.perf_counter() - began
            right = np.asarray(head(of_test)).argmax(axis=1) == test.labels
            more = {"test": float(right.mean()), "trained_parameters": head.count_params()}
            add(what, "settled", "none", 0.0, seed, None, seconds, **more)
    let_move(model, "block_15_expand_conv")
    sweep("last block", model, "adam", adam(), parameters["last block"])
    let_move(model)
    sweep("everything", model, "adam", adam(), parameters["adam"])
    sgd = keras.optimizers.SGD(momentum=0.9)
    sweep("everything", model, "sgd", sgd, parameters["sgd"])
    let_move(model, None)
    recipe = {"settled": parameters["batch norm live"]}
    sweep("batch norm live", nested(base, classifier()), "adam", adam(), recipe)

    untrained = tlkit.load_backbone(image_size=size, weights=None).get_weights()
    for name, start, head in (("warm", body, "settled"), ("scratch", untrained, "random")):
        model = flat()
        let_move(model, "stem_conv" if name == "warm" else None)
        bench = Bench(model, adam(), batch)
        for labels, data, stops in (
            (course["labels"], large, course["steps"]),
            (parameters["labels"], pools, course["steps"][-1:]),
        ):
            if name == "warm" and data is pools:
                continue  # in the table already
            for seed in seeds:
                bench.start(weights(head, seed, start), course[name])
                done, seconds = 0, 0.0
                for stop in stops:
                    seconds += bench.train(data[seed], stop - done, seed + stop)
                    done = stop
                    if name == "scratch":
                        settle_batch_norm(model, data[seed].images[:128])
                    more = {"labels": labels, "steps": stop}
                    add(name, head, "adam", course[name], seed, bench, seconds, **more)
    return rows
