"""Lesson 07: the brief kept to the letter: 200 labels, no other people, one look at the hidden set.

Five rungs are judged by cross-validation in five parts of the 200 labels, and by nothing else. The
best of them, the simplest where several are alike, learns from all 200, and its answers alone are
compared with the hidden set: one attempt for each seed. No rung has a setting that was found on
other people with their labels; rates and steps are the course's usual ones.
"""

import keras
import numpy as np

import tlkit
from tlkit.finetuning import fit_fading
from tools.experiments import _runs
from tools.experiments.rates_by_group import alter

PARAMETERS = {
    "seeds": list(range(5)),
    "data": "sunglasses-or-hat",
    "labels": 200,
    "folds": 5,
    "image_size": 128,
    "hidden": {"pictures": 1000, "seed": 808},
    "from scratch": {"rate": 1e-3, "steps": 500, "batch_size": 32},
    "from_layer": "block_07",
    "four rates": {
        "rate": 1e-3,
        "parts": [1 / 27, 1 / 9, 1 / 3, 1.0],
        "groups": ["block_05", "block_11", "logits"],
        "steps": 100,
    },
    "altered copies": 5,
    "rungs": [
        "frozen features",
        "from scratch",
        "fine-tuning",
        "four rates",
        "fine-tuning, altered copies",
    ],
}


def part(row: dict):
    return "all"


def answers(rung: str, learn, images: np.ndarray, parameters: dict, seed: int) -> np.ndarray:
    """Logits of pictures, by a classifier that learnt from others in the way of a rung."""
    size, classes = parameters["image_size"], len(learn.class_names)
    if rung == "from scratch":
        model, how = tlkit.small_network(size, classes, seed), parameters[rung]
        bench = _runs.Bench(model, keras.optimizers.Adam())
        rates = _runs.fading(how["rate"], how["steps"])
        bench.train(model.get_weights(), learn.images, learn.labels, rates, seed, how["batch_size"])
        return bench.logits(images)
    base = tlkit.load_backbone(image_size=size)
    seen = tlkit.extract_features(base, learn.images, cache=False, progress=False)
    head = tlkit.fit_linear_head(seen, learn.labels)
    if rung == "frozen features":
        unseen = tlkit.extract_features(base, images, cache=False, progress=False)
        return np.asarray(head(unseen))
    model = tlkit.attach_head(base, head)
    if rung == "four rates":
        how = parameters[rung]
        tlkit.unfreeze(model, quiet=True)
        optimizer = tlkit.differential_optimizer(model, groups=how["groups"])
        rates = _runs.fading([how["rate"] * each for each in how["parts"]], how["steps"])
        bench = _runs.Bench(model, optimizer)
        bench.train(model.get_weights(), learn.images, learn.labels, rates, seed)
        return bench.logits(images)
    pictures, labels, times = learn.images, learn.labels, parameters["altered copies"]
    if rung.endswith("altered copies"):
        pictures = np.concatenate([pictures, alter(pictures, times - 1, seed)])
        labels = np.tile(labels, times)
    fit_fading(model, pictures, labels, parameters["from_layer"], seed)
    return tlkit.extract_features(model, images, cache=False, progress=False)


def run(parameters: dict, report) -> list[dict]:
    size, rows, hidden = parameters["image_size"], [], parameters["hidden"]
    for seed in parameters["seeds"]:
        data = tlkit.load_dataset(parameters["data"], parameters["labels"], size, seed)
        fold = np.arange(len(data)) % parameters["folds"]
        right = {}
        for rung in parameters["rungs"]:
            found = np.zeros(len(data), bool)
            for number in range(parameters["folds"]):
                learn, judge = (
                    tlkit.ImageDataset(data.images[rows_], data.labels[rows_], data.class_names)
                    for rows_ in (fold != number, fold == number)
                )
                logits = answers(rung, learn, judge.images, parameters, seed)
                found[fold == number] = logits.argmax(axis=1) == judge.labels
                keras.backend.clear_session()
            right[rung] = float(found.mean())
            rows.append({"arm": rung, "seed": seed, "validation": right[rung], "hidden": None})
            report("{arm}, seed {seed}: {validation:.3f}".format(**rows[-1]))
        chosen = max(parameters["rungs"], key=right.get)
        test = tlkit.load_dataset(parameters["data"], hidden["pictures"], size, hidden["seed"])
        attempt = _runs.share_right(
            answers(chosen, data, test.images, parameters, seed), test.labels
        )
        for row in rows[-len(parameters["rungs"]) :]:
            row["hidden"] = attempt if row["arm"] == chosen else None
        report(f"{chosen}, seed {seed}: {attempt:.3f} of the hidden set")
        keras.backend.clear_session()
    return rows
