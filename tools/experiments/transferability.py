"""Lesson 02: how transferable are features (Yosinski et al., 2014), with a network for a laptop.

Each seed has its own split of the ten digits into A and B, and its own few labels of B. Three
conditions for each: A is the other five digits and B has few labels; A is the icons, which are far
from digits; and A is the other digits again, and B has as many labels as A, as in the paper. The
test digits are seen by no training. Nothing is chosen here: steps and rates are alike for all runs,
and enough for the training pictures to be learnt (the accuracy on them is stored as well).

The controls: the same network's own layers (BnB, BnB+), random layers, and logistic regression on
the pixels, which knows nothing of networks.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

import tlkit
from tlkit.lessons.transferability import only, transfer_experiment
from tlkit.representations import narrow_network
from tools.experiments._digits import shifted

FOUR = ["BnB", "BnB+", "AnB", "AnB+"]
PARAMETERS = {
    "seeds": [0, 1, 2, 3, 4],
    "train": 4000,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "head_steps": 3000,
    "source_steps": 800,
    "conditions": {
        "near, few labels": {"per_class": 10, "steps": 150, "treatments": [*FOUR, "random"]},
        "far, few labels": {"per_class": 10, "steps": 150, "treatments": ["AnB"]},
        "near, many labels": {"per_class": None, "steps": 800, "treatments": FOUR},
    },
}


def pictures(train: int) -> tuple:
    """Training and test pictures with labels: digits 0 to 9, the icons' groups from 10 on."""
    learn, judge = tlkit.load_dataset("digits", image_size=28).split(train=train, seed=0)
    icons = tlkit.load_dataset("icons", image_size=32)
    dark = 255 - icons.images.mean(axis=-1, keepdims=True)  # light strokes on black, as the digits
    images = np.concatenate([shifted(learn.images, 1), dark.astype("uint8")])
    labels = np.concatenate([learn.labels, icons.labels + 10])
    return (images, labels), (shifted(judge.images, 2), judge.labels)


def split(seed: int, far: bool) -> tuple[list[int], list[int]]:
    """The classes of A and those of B, which are the same whether A is near or far."""
    order = np.random.default_rng(seed).permutation(10).tolist()
    return (list(range(10, 15)) if far else order[:5]), order[5:]


def on_pixels(few: tuple, judged: tuple) -> float:
    flat = [images.reshape(len(images), -1) / 255 for images in (few[0], judged[0])]
    return LogisticRegression(max_iter=1000).fit(flat[0], few[1]).score(flat[1], judged[1])


def run(parameters: dict, report) -> list[dict]:
    train, test = pictures(parameters["train"])
    common = ("batch_size", "learning_rate", "head_steps", "source_steps")
    options = {name: parameters[name] for name in common}
    rows = []
    for condition, chosen in parameters["conditions"].items():
        splits = [split(seed, condition.startswith("far")) for seed in parameters["seeds"]]
        found = transfer_experiment(
            narrow_network,
            splits,
            train,
            test,
            chosen["per_class"],
            chosen["treatments"],
            steps=chosen["steps"],
            report=lambda text, condition=condition: report(f"{condition}: {text}"),
            **options,
        )
        if not condition.startswith("far"):
            for seed, (_, b) in enumerate(splits):
                few = only(*train, b, chosen["per_class"], seed=seed)
                accuracy = on_pixels(few, only(*test, b))
                found.append({"split": seed, "treatment": "pixels", "n": 0, "test": accuracy})
        for row in found:
            rows.append({"condition": condition, **row})
    return rows
