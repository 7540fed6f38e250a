"""Lesson 04b: every strategy in every one of the four cases, and controls beside them.

A network of three convolutions and three dense layers learns the digits 0 to 4, one network for
each seed. The new task is similar (digits 5 to 9) or different (textures), its labels few (50) or
many (1,800). Whatever a strategy leaves open, a rate, a depth, a strength of fit, is chosen for
each case on parts held back from the training labels of `tuning_seeds`, never on the test. Steps
and the grids of choices changed after partial runs, mostly to save time.
"""

import numpy as np

import tlkit
from tlkit.lessons import cases
from tools.experiments._small_networks import Trainer, part_of, probe

PARAMETERS = {
    "seeds": [0, 1, 2, 3, 4],
    "source": {"steps": 1200, "rate": 2e-3, "batch_size": 64},
    "steps": {"few": 200, "many": 600},
    "tuning_seeds": {"few": [0, 1, 2, 3, 4], "many": [0]},
    "held_back": {"few": 20, "many": 400},
    "rates": [3e-4, 1e-3, 3e-3],
    "strengths": [0.003, 0.03, 0.3, 3.0],
    "depths": ["conv_1", "conv_2", "conv_3", "dense_1"],
    "grids": [1, 4],
}
FROZEN = {
    "train the dense layers": ["conv_1", "conv_2", "conv_3"],
    "fine-tune all": [],
    "from scratch": [],
}


class Probes:
    """Linear classifiers on what a network makes of pictures, at any depth."""

    def __init__(self, network):
        names = [layer.name for layer in network.layers if layer.weights][:-1]
        self.parts = {name: part_of(network, name) for name in names}

    def features(self, images, depth):
        """(N, C): maps averaged over the cells of a grid; pixels as they are."""
        if depth == "pixels":
            return images[..., 0].reshape(len(images), -1) / 255.0
        name, grid = depth
        maps = self.parts[name].predict(images.astype("float32"), batch_size=500, verbose=0)
        if maps.ndim == 4:
            count, side, _, channels = maps.shape
            cells = maps.reshape(count, grid, side // grid, grid, side // grid, channels)
            maps = cells.mean(axis=(2, 4)).reshape(count, -1)
        return maps


def run(parameters: dict, report) -> list[dict]:
    seeds, source = parameters["seeds"], parameters["source"]
    network = cases.demonstration_network()
    trainers = {name: Trainer(cases.demonstration_network(), f) for name, f in FROZEN.items()}
    digits = cases.source_digits()
    pretrained, rows = {}, []
    for seed in seeds:
        new = cases.demonstration_network(seed=seed).get_weights()
        learner = trainers["from scratch"]
        learner.train(
            *(new, digits.images, digits.labels),
            *(source["steps"], source["rate"], seed, source["batch_size"]),
        )
        pretrained[seed] = learner.model.get_weights()
        right = learner.accuracy(digits.images[::7], digits.labels[::7])
        report(f"source, seed {seed}: {right:.3f} on its own pictures")
    probes = Probes(network)

    def random_weights(seed):
        return cases.demonstration_network(seed=100 + seed).get_weights()

    def fine_tuned(strategy, setting, seed, train, steps):
        trainer, rate = trainers[strategy], setting
        if strategy == "from scratch":
            start = random_weights(seed)
        else:
            network.set_weights(pretrained[seed])
            last = probes.features(train.images, ("dense_2", 1))
            head = tlkit.fit_linear_head(last, train.labels)
            start = [*pretrained[seed][:-2], *head.get_weights()]
        trainer.train(start, train.images, train.labels, steps, rate, seed)
        return trainer

    def choose(options, judge):
        """The option that is best on the held-back parts, averaged over seeds."""
        means = [float(np.mean(judge(option))) for option in options]
        return options[int(np.argmax(means))], max(means)

    last = [("dense_2", 1)]
    earlier = [
        (depth, grid)
        for depth in parameters["depths"]
        for grid in (parameters["grids"] if depth.startswith("conv") else [1])
    ]
    ways = {
        "last features": (pretrained.get, last),
        "earlier features": (pretrained.get, earlier),
        "random network, last features": (random_weights, last),
        "random network, earlier features": (random_weights, earlier),
        "raw pixels": (random_weights, ["pixels"]),
    }
    for similar in (True, False):
        for large in (False, True):
            size = "many" if large else "few"
            case = {"size": size, "task": "similar" if similar else "different"}
            steps, held_back = parameters["steps"][size], parameters["held_back"][size]
            data = {seed: cases.target_pictures(similar, large, seed) for seed in seeds}
            tuning = parameters["tuning_seeds"][size]
            held = {s: data[s][0].split(len(data[s][0]) - held_back, seed=s) for s in tuning}

            def add(strategy, choice, held, seed, test, case=case):
                row = {**case, "strategy": strategy, "choice": choice, "held_back": held}
                rows.append({**row, "seed": seed, "test": test})
                report("{size}, {task}, {strategy} {choice}, {seed}: {test:.3f}".format(**rows[-1]))

            for strategy, (weights, depths) in ways.items():
                found = {}
                for seed in tuning:
                    network.set_weights(weights(seed))
                    learn, judge = held[seed]
                    for depth in depths:
                        seen, unseen = (probes.features(p.images, depth) for p in (learn, judge))
                        for strength in parameters["strengths"]:
                            score = probe(seen, learn.labels, unseen, judge.labels, strength)
                            found.setdefault((depth, strength), []).append(score)
                (depth, strength), best = choose(list(found), found.get)
                for seed in seeds:
                    network.set_weights(weights(seed))
                    train, test = data[seed]
                    seen, unseen = (probes.features(p.images, depth) for p in (train, test))
                    score = probe(seen, train.labels, unseen, test.labels, strength)
                    add(strategy, [depth, strength], best, seed, score)
            for strategy in FROZEN:

                def judged(rate, strategy=strategy, held=held, steps=steps, tuning=tuning):
                    for seed in tuning:
                        learn, judge = held[seed]
                        trainer = fine_tuned(strategy, rate, seed, learn, steps)
                        yield trainer.accuracy(judge.images, judge.labels)

                rate, best = choose(parameters["rates"], lambda rate: list(judged(rate)))
                for seed in seeds:
                    train, test = data[seed]
                    trainer = fine_tuned(strategy, rate, seed, train, steps)
                    add(strategy, rate, best, seed, trainer.accuracy(test.images, test.labels))
    return rows
