"""Deeper shelf: the same digits seen by another camera. Which layers are worth keeping?

A network learns the digits 0 to 4, which stand out by their colour, one network for each seed. The
new camera sees digits painted almost like the wall, and as a fourth channel how far away each point
is. Early layers are the first two convolutions, late layers all that follow, the answers included:
the classes are the same. Each arm's rate is found on a seed that nothing is measured with. A first
design, with ten digits lighter or darker than the wall, was dropped: the network could not even
learn the old camera's pictures. With fewer steps, or with 50 labels, all arms of this one were near
guessing; so it has 1,000 steps, and 500 labels.
"""

import functools

import numpy as np

from tlkit.lessons import cases
from tools.experiments import _runs
from tools.experiments._small_networks import Trainer

PARAMETERS = {
    "seeds": list(range(5)),
    "tuning_seeds": [100],
    "source": {"digits": 1200, "copies": 4, "steps": 1200, "rate": 2e-3, "batch_size": 64},
    "labels": 500,
    "test": 700,
    "steps": 1000,
    "rates": [1e-3, 3e-3, 1e-2],
    # What is kept, and what of it is frozen.
    "arms": {
        "late": ["late", "late"],
        "late, as a start": ["late", ""],
        "early": ["early", "early"],
        "all but the answers": ["early late", "early late but logits"],
        "all, as a start": ["early late", ""],
        "none": ["", ""],
        "none, colours alone": ["", ""],
    },
}
EARLY = ("conv_1", "conv_2")
LATE = ("conv_3", "dense_1", "dense_2", "logits")


def part(row: dict):
    return row["arm"]


def names(text: str) -> tuple[str, ...]:
    """The layers that a word or two of `arms` stand for."""
    found = EARLY * ("early" in text) + LATE * ("late" in text)
    return tuple(name for name in found if name != "logits" or "but" not in text)


@functools.cache
def sets(known: int, test: int):
    """Digits for the old camera, for the test, and the rest."""
    digits, rest = cases.some_digits(range(5)).split(known, seed=0)
    return digits, *rest.split(test, seed=0)


@functools.cache
def trainer(frozen: tuple[str, ...]) -> Trainer:
    return Trainer(cases.demonstration_network(5, channels=4), frozen)


@functools.cache
def old_weights(seed: int, digits: int, copies: int, steps: int, rate: float, batch_size: int):
    """What a network has learnt from the old camera."""
    known, *_ = sets(digits, PARAMETERS["test"])
    images = np.concatenate([cases.camera_pictures(known, each) for each in range(copies)])
    before = Trainer(cases.demonstration_network(5))
    new = cases.demonstration_network(5, seed=seed).get_weights()
    labels = np.tile(known.labels, copies)
    before.train(new, images, labels, steps, rate, seed, batch_size)
    return before.model.get_weights()


def begin(kept: tuple[str, ...], seed: int, parameters: dict) -> list[np.ndarray]:
    """New weights, and over them those that are kept; the new channel's are the mean."""
    weights = cases.demonstration_network(5, channels=4, seed=1000 + seed).get_weights()
    for place, weight in enumerate(old_weights(seed, **parameters["source"])):
        if (EARLY + LATE)[place // 2] in kept:
            if place == 0:
                weight = np.concatenate([weight, weight.mean(axis=2, keepdims=True)], axis=2)
            weights[place] = weight
    return weights


def judge(arm: str, rate: float, parameters: dict, seed: int, learn, unseen) -> list[float]:
    """Accuracy of an arm on what it learns from, and on other pictures."""
    kept, frozen = map(names, parameters["arms"][arm])
    shown = [cases.camera_pictures(each, s, depth=True) for each, s in (learn, unseen)]
    if arm.endswith("colours alone"):
        for pictures in shown:
            pictures[..., 3] = 128
    (data, _), (other, _), run = learn, unseen, trainer(frozen)
    start = begin(kept, seed, parameters)
    run.train(start, shown[0], data.labels, parameters["steps"], rate, seed)
    return [run.accuracy(shown[0], data.labels), run.accuracy(shown[1], other.labels)]


def tune(parameters: dict, report) -> dict:
    found = {}
    _, _, pool = sets(parameters["source"]["digits"], parameters["test"])
    for arm in parameters["arms"]:

        def accuracy(rate, seed, arm=arm):
            data, rest = pool.split(train=parameters["labels"] - 125, seed=seed)
            other = rest.take(min(125, len(rest)), seed)
            return judge(arm, rate, parameters, seed, (data, seed), (other, seed + 1))[1]

        found[arm] = _runs.find(parameters["rates"], parameters["tuning_seeds"], accuracy)
        report(f"{arm}: {found[arm]}")
    return found


def run(parameters: dict, report) -> list[dict]:
    rows = []
    _, test, pool = sets(parameters["source"]["digits"], parameters["test"])
    for seed in parameters["seeds"]:
        learn = pool.take(parameters["labels"], seed)
        for arm in parameters["arms"]:
            rate = parameters["tuned"][arm]["chosen"]
            unseen = test, _runs.TEST_SEED
            train, right = judge(arm, rate, parameters, seed, (learn, seed), unseen)
            rows.append({"arm": arm, "seed": seed, "rate": rate, "train": train, "test": right})
            report("{arm}, seed {seed}: {test:.3f}".format(**rows[-1]))
    return rows
