"""Lesson 07: four ways to a classifier from 200 labels, and a fifth that meets the brief.

Each seed has people of its own. Four rungs learn from 160 and answer the other 40 for validation;
the fifth learns from altered copies of all 200 and has no validation pictures left. The hidden set
is the same for all, drawn from a seed that nothing else uses, and was opened when all was settled.
Fine-tuning moves the whole network, with the recipe of `train_classifier`; the four rates are as in
lesson 05. The small network's rate and epochs, and the fifth rung's copies and steps, were tried
out on other test people.

The seconds run from the labelled pictures to the first answers, with nothing read from a cache.
"""

import time

import keras
import numpy as np

import tlkit
from tlkit.steps import passes, take_steps

ALL = "all 200, altered"
PARAMETERS = {
    "seeds": [0, 1, 2],
    "labels": 200,
    "learn": 160,
    "image_size": 128,
    "hidden": {"pictures": 1000, "seed": 808},
    "batch_size": 16,
    "from scratch": {"rate": 3e-3, "epochs": 40},
    "fine-tuning": {"rate": 3e-4, "steps": 80},
    ALL: {"rate": 3e-4, "steps": 300},
    "four rates": {
        "rate": 1e-3,
        "steps": 80,
        "ratio": 3,
        "groups": ["block_05", "block_11", "logits"],
    },
}
CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def fading(rate: float, steps: int):
    return keras.optimizers.schedules.PolynomialDecay(rate, steps, 0.0)


def from_scratch(learn, parameters, seed):
    given, batch = parameters["from scratch"], parameters["batch_size"]
    network = tlkit.small_network(parameters["image_size"], 2, seed)
    steps = given["epochs"] * (len(learn) // batch)
    network.compile(keras.optimizers.Adam(fading(given["rate"], steps)), CROSS_ENTROPY)
    keras.utils.set_random_seed(seed)
    network.fit(learn.images, learn.labels, batch_size=batch, epochs=given["epochs"], verbose=0)
    return lambda images: network.predict(images, verbose=0)


def frozen(learn, parameters):
    base = tlkit.load_backbone(image_size=parameters["image_size"])
    of_learn = tlkit.extract_features(base, learn.images, cache=False, progress=False)
    return base, tlkit.fit_linear_head(of_learn, learn.labels)


def frozen_features(learn, parameters, seed):
    base, head = frozen(learn, parameters)
    return lambda images: head(tlkit.extract_features(base, images, cache=False, progress=False))


def altered(images, times, seed):
    """So many copies of each picture, each mirrored or not, turned, scaled and moved at random."""
    alter = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal", seed=seed),
            keras.layers.RandomRotation(0.06, seed=seed),
            keras.layers.RandomZoom((-0.2, 0.2), seed=seed),
            keras.layers.RandomTranslation(0.1, 0.1, seed=seed),
        ]
    )
    copies = [np.asarray(alter(images.astype("float32"), training=True)) for _ in range(times)]
    return np.concatenate(copies).clip(0, 255).astype("uint8")


def tuned(learn, parameters, seed, steps, optimizer, alter=False):
    """From the fitted head on, all layers but batch norm move, over the batches of this seed."""
    model = tlkit.attach_head(*frozen(learn, parameters))
    tlkit.unfreeze(model, quiet=True)
    model.compile(optimizer(model), CROSS_ENTROPY)
    images, labels = learn.images, learn.labels
    batch = parameters["batch_size"]
    if alter:  # every step has copies of its own
        times = -(-steps * batch // len(images))
        images, labels = altered(images, times, seed), np.tile(labels, times)
    take_steps(model, images, labels, passes(len(images), steps, batch, seed))
    return lambda asked: tlkit.extract_features(model, asked, cache=False, progress=False)


def at_one_rate(learn, parameters, seed, rate, steps, alter=False):
    def optimizer(model):
        return keras.optimizers.AdamW(fading(rate, steps))

    return tuned(learn, parameters, seed, steps, optimizer, alter)


def fine_tuning(learn, parameters, seed):
    return at_one_rate(learn, parameters, seed, **parameters["fine-tuning"])


def all_altered(labelled, parameters, seed):
    return at_one_rate(labelled, parameters, seed, **parameters[ALL], alter=True)


def four_rates(learn, parameters, seed):
    given = parameters["four rates"]
    fade = fading(given["rate"], given["steps"])

    def optimizer(model):
        return tlkit.differential_optimizer(model, fade, given["ratio"], given["groups"])

    return tuned(learn, parameters, seed, given["steps"], optimizer)


RUNGS = {
    "from scratch": from_scratch,
    "frozen features": frozen_features,
    "fine-tuning": fine_tuning,
    "four rates": four_rates,
    ALL: all_altered,
}


def accuracy(answers, labels) -> float:
    return float((np.asarray(answers).argmax(axis=1) == labels).mean())


def part(row: dict):
    return "all"


def run(parameters: dict, report) -> list[dict]:
    size, hidden, rows = parameters["image_size"], parameters["hidden"], []
    people = "sunglasses-or-hat"
    test = tlkit.load_dataset(people, hidden["pictures"], size, hidden["seed"])
    for seed in parameters["seeds"]:
        labelled = tlkit.load_dataset(people, parameters["labels"], size, seed)
        learn, validation = labelled.split(train=parameters["learn"], seed=seed)
        for rung, way in RUNGS.items():
            everything = rung == ALL  # nothing is left for validation
            began = time.perf_counter()
            answer = way(labelled if everything else learn, parameters, seed)
            first = answer(validation.images)
            seconds = time.perf_counter() - began
            rows.append(
                {
                    "rung": rung,
                    "seed": seed,
                    "validation": None if everything else accuracy(first, validation.labels),
                    "hidden": accuracy(answer(test.images), test.labels),
                    "seconds": round(seconds, 1),
                }
            )
            report("{rung}, seed {seed}: {hidden:.3f} after {seconds} s".format(**rows[-1]))
            keras.backend.clear_session()
    return rows
