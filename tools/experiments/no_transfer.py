"""Lesson 04b: when a pretrained network does not help, and how to tell from where that comes.

Digits, their pixels in one other order, and their pixels in a new order for each picture; charts of
prices with a planted signal and without. Each is given to a head on frozen pretrained features, to
one on the same network with random weights, to a network from scratch, and to logistic regression
on the pixels or, for charts, on the prices. Depth, strength of fit and rate are chosen on parts
held back from the training labels. Training pictures change with the seed; the test does not.
"""

from dataclasses import replace

import numpy as np

import tlkit
from tlkit.lessons import cases
from tools.experiments._small_networks import Trainer, probe

PARAMETERS = {
    "seeds": [0, 1, 2, 3, 4],
    "labels": 400,
    "held_back": 100,
    "test": 500,
    "image_size": 64,
    "depths": ["block_02", "block_05", "block_10", "block_12", "features"],
    "strengths": [0.003, 0.03, 0.3, 3.0],
    "rates": [5e-4, 2e-3],
    "steps": 400,
}


def data_sets(parameters: dict):
    """For each kind: test and training pictures, as (pictures for Lite0, for scratch, table)."""
    count, hidden, seeds = (parameters[name] for name in ("labels", "test", "seeds"))
    digits = tlkit.load_dataset("digits", n=hidden + count * len(seeds), image_size=32)

    def shown(images):
        enlarged = images.repeat(2, axis=1).repeat(2, axis=2)
        return enlarged, images, images[..., 0].reshape(len(images), -1) / 255

    for name, order in {
        "digits": lambda images: images,
        "one order": lambda images: cases.shuffle_pixels(images, seed=0),
        "new orders": lambda images: cases.shuffle_pixels(images, seed=0, same=False),
    }.items():
        every = replace(digits, images=order(digits.images))
        test, rest = every.split(hidden, seed=0)
        parts = [test]
        for _ in seeds[1:]:
            part, rest = rest.split(count, seed=0)
            parts.append(part)
        parts.append(rest)
        yield name, [(part.labels, *shown(part.images)) for part in parts]
    for name, signal in {"charts, signal": True, "charts, no signal": False}.items():
        parts = []
        for seed, n in [(1000, hidden), *((seed, count) for seed in seeds)]:
            charts, prices = cases.price_charts(n, signal, seed, parameters["image_size"])
            low, high = prices.min(axis=1, keepdims=True), prices.max(axis=1, keepdims=True)
            table = (prices - low) / (high - low)
            parts.append((charts.labels, charts.images, charts.images, table))
        yield name, parts


def run(parameters: dict, report) -> list[dict]:
    rows, seeds, size = [], parameters["seeds"], parameters["image_size"]
    pretrained = tlkit.load_backbone(image_size=size)
    untrained = tlkit.load_backbone(image_size=size, weights=None, seed=0)
    trainers = {}
    for name, (test, *trains) in data_sets(parameters):
        labels, classes = [part[0] for part in (test, *trains)], int(test[0].max()) + 1
        held = [
            np.arange(len(each)) % parameters["labels"] < parameters["held_back"]
            for each in labels[1:]
        ]
        ways = {"raw": {"table": [part[3] for part in (test, *trains)]}}
        for way, network in (("pretrained", pretrained), ("random weights", untrained)):
            every = np.concatenate([part[1] for part in (test, *trains)])
            found = tlkit.representations.features_by_depth(
                network, every, parameters["depths"], progress=False
            )
            ends = np.cumsum([len(each) for each in labels])[:-1]
            ways[way] = {depth: np.split(each, ends) for depth, each in found.items()}

        def add(way, choice, held_back, seed, score, name=name):
            row = {"data": name, "way": way, "choice": choice, "held_back": held_back}
            rows.append({**row, "seed": seed, "test": score})
            report("{data}, {way} {choice}, seed {seed}: {test:.3f}".format(**rows[-1]))

        for way, depths in ways.items():
            scores = {
                (depth, strength): np.mean(
                    [
                        probe(f[~h], each[~h], f[h], each[h], strength)
                        for f, each, h in zip(features[1:], labels[1:], held, strict=True)
                    ]
                )
                for depth, features in depths.items()
                for strength in parameters["strengths"]
            }
            (depth, strength), best = max(scores.items(), key=lambda item: item[1])
            for seed, (seen, each) in enumerate(zip(depths[depth][1:], labels[1:], strict=True)):
                score = probe(seen, each, depths[depth][0], labels[0], strength)
                add(way, [depth, strength], float(best), seeds[seed], score)

        shape = (classes, test[2].shape[1])
        if shape not in trainers:
            trainers[shape] = Trainer(cases.demonstration_network(*shape))
        trainer, steps = trainers[shape], parameters["steps"]

        def scratch(seed, images, each, rate, trainer=trainer, steps=steps, shape=shape):
            new = cases.demonstration_network(*shape, seed=seed).get_weights()
            trainer.train(new, images, each, steps, rate, seed)

        scores = {}
        for rate in parameters["rates"]:
            for seed, (part, h) in enumerate(zip(trains, held, strict=True)):
                scratch(seeds[seed], part[2][~h], part[0][~h], rate)
                scores.setdefault(rate, []).append(trainer.accuracy(part[2][h], part[0][h]))
        rate = max(scores, key=lambda rate: np.mean(scores[rate]))
        for seed, part in zip(seeds, trains, strict=True):
            scratch(seed, part[2], part[0], rate)
            best = float(np.mean(scores[rate]))
            add("from scratch", rate, best, seed, trainer.accuracy(test[2], test[0]))
    return rows
