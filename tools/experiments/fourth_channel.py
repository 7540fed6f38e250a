"""Lesson 04b: the same digits seen by another camera. Which layers are worth keeping?

A network learns the digits 0 to 4, which stand out by their colour, one network for each seed. The
new camera sees digits painted almost like the wall, and as a fourth channel how far away each point
is. Early layers are the first two convolutions, late layers all that follow, the answers included:
the classes are the same. Rates are chosen on parts held back from the training labels of
`tuning_seeds`. A first design, with ten digits lighter or darker than the wall, was dropped: the
network could not even learn the old camera's pictures. With fewer steps, or with 50 labels, all
ways of this one were near guessing; so it has 1,000 steps, and 500 labels.
"""

import numpy as np

from tlkit.lessons import cases
from tools.experiments._small_networks import Trainer

PARAMETERS = {
    "seeds": [0, 1, 2, 3, 4],
    "source": {"digits": 1200, "copies": 4, "steps": 1200, "rate": 2e-3, "batch_size": 64},
    "labels": [500],
    "test": 700,
    "steps": 1000,
    "tuning_seeds": [0],
    "rates": [1e-3, 3e-3],
    "early": ["conv_1", "conv_2"],
    "late": ["conv_3", "dense_1", "dense_2", "logits"],
}


def run(parameters: dict, report) -> list[dict]:
    seeds, source, rows = parameters["seeds"], parameters["source"], []
    early, late = parameters["early"], parameters["late"]
    digits = cases.some_digits(range(5))
    known, rest = digits.split(source["digits"], seed=0)
    test, pool = rest.split(parameters["test"], seed=0)
    unseen = cases.camera_pictures(test, seed=1000, depth=True)

    before = Trainer(cases.demonstration_network(5))
    images = np.concatenate([cases.camera_pictures(known, s) for s in range(source["copies"])])
    labels = np.tile(known.labels, source["copies"])
    learnt = {}
    for seed in seeds:
        new = cases.demonstration_network(5, seed=seed).get_weights()
        setting = source["steps"], source["rate"], seed, source["batch_size"]
        before.train(new, images, labels, *setting)
        learnt[seed] = before.model.get_weights()
        right = before.accuracy(cases.camera_pictures(test, 1000), test.labels)
        rows.append({"labels": len(known), "keep": "source", "seed": seed, "test": right})
        report(f"source, seed {seed}: {right:.3f} on new pictures of its camera")

    # What is kept, and what of it is frozen.
    ways = {
        "late": (late, late),
        "late, as a start": (late, []),
        "early": (early, early),
        "all but the answers": (early + late, early + late[:-1]),
        "all, as a start": (early + late, []),
        "none": ([], []),
        "none, colours alone": ([], []),
    }
    names = [*early, *late]
    trainers = {}
    for _, frozen in ways.values():
        if tuple(frozen) not in trainers:
            network = cases.demonstration_network(5, channels=4)
            trainers[tuple(frozen)] = Trainer(network, frozen)

    def start(kept, seed):
        """New weights, and over them those that are kept; the new channel's are the mean."""
        weights = cases.demonstration_network(5, channels=4, seed=100 + seed).get_weights()
        for place, weight in enumerate(learnt[seed]):
            if names[place // 2] in kept:
                if place == 0:
                    weight = np.concatenate([weight, weight.mean(axis=2, keepdims=True)], axis=2)
                weights[place] = weight
        return weights

    def seen_by(way, pictures):
        if way.endswith("colours alone"):
            pictures = pictures.copy()
            pictures[..., 3] = 128
        return pictures

    for count in parameters["labels"]:
        data = {seed: pool.take(count, seed) for seed in seeds}
        shown = {s: cases.camera_pictures(data[s], seed=s, depth=True) for s in seeds}
        for way, (kept, frozen) in ways.items():
            trainer = trainers[tuple(frozen)]

            def fit(seed, pictures, answers, rate, trainer=trainer, kept=kept):
                trainer.train(start(kept, seed), pictures, answers, parameters["steps"], rate, seed)

            scores = {}
            for rate in parameters["rates"]:
                for seed in parameters["tuning_seeds"]:
                    pictures, answers = seen_by(way, shown[seed]), data[seed].labels
                    held = np.arange(count) < count // 4
                    fit(seed, pictures[~held], answers[~held], rate)
                    right = trainer.accuracy(pictures[held], answers[held])
                    scores.setdefault(rate, []).append(right)
            rate = max(scores, key=lambda rate: np.mean(scores[rate]))
            for seed in seeds:
                fit(seed, seen_by(way, shown[seed]), data[seed].labels, rate)
                right = trainer.accuracy(seen_by(way, unseen), test.labels)
                row = {"labels": count, "keep": way, "rate": rate, "seed": seed, "test": right}
                rows.append(row)
                report("{labels} labels, keep {keep}, seed {seed}: {test:.3f}".format(**row))
    return rows
