"""Lesson 06: Hinton's missing class. Does a student know threes that it has never seen?

A student learns digits from a teacher's soft answers, without a picture of a three, as in Hinton,
Vinyals & Dean 2015 (arXiv 1503.02531, section 3). They found that most mistakes come from the bias
of the missing class, which nothing ever raised. Here it is raised until as many of the pictures
without labels are called threes as there are threes among the labelled ones, a tenth: no label of a
three is needed for that. Four temperatures, and the same student from labels without threes.
"""

import keras
import numpy as np

import tlkit
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(5)),
    "image_size": 32,
    "train": 3500,
    "left_out": 3,
    "expected": 0.1,
    "teacher": {"steps": 1500, "batch_size": 64, "learning_rate": 3e-3},
    "student": {"steps": 600, "batch_size": 64, "learning_rate": 3e-3},
    "temperatures": [1.0, 4.0, 16.0, 64.0],
}


def part(row: dict):
    return "all"


def raised(logits: np.ndarray, missing: int, expected: float) -> float:
    """What to add to the missing class's logit, so that so many pictures are called by it."""
    others = np.delete(logits, missing, axis=1).max(axis=1)
    return float(np.quantile(others - logits[:, missing], expected))


def run(parameters: dict, report) -> list[dict]:
    size, missing = parameters["image_size"], parameters["left_out"]
    data, rows = tlkit.load_dataset("digits", image_size=size, seed=0), []
    for seed in parameters["seeds"]:
        train, test = data.split(train=parameters["train"], seed=seed)
        # Half of what is left stands for pictures without labels, which only the bias may see.
        unlabelled, test = test.split(train=len(test) // 2, seed=seed)
        teacher = tlkit.small_network(size, 10, seed=seed)
        alone = {"alpha": 0.0, "labels": train.labels, "seed": seed, "progress": False}
        nothing = np.zeros((len(train), 10), "float32")
        tlkit.distill(nothing, teacher, train, **alone, **parameters["teacher"])
        kept = train.labels != missing
        answers = teacher.predict(train.images[kept], batch_size=500, verbose=0)

        def add(arm, temperature, model, seed=seed, test=test, free=unlabelled, seen=(train, kept)):
            logits, of_free = (
                model.predict(each.images, batch_size=500, verbose=0) for each in (test, free)
            )
            train, kept = seen
            learnt = model.predict(train.images[kept], batch_size=500, verbose=0)
            bias = raised(of_free, missing, parameters["expected"])
            row = {"arm": arm, "temperature": temperature, "seed": seed, "bias": bias}
            row["train"] = _runs.share_right(learnt, train.labels[kept])
            threes = test.labels == missing
            for name, more in (("", 0.0), ("_raised", bias)):
                right = (logits + more * np.eye(10)[missing]).argmax(axis=1) == test.labels
                row[f"missing{name}"] = float(right[threes].mean())
                row[f"others{name}"] = float(right[~threes].mean())
                row[f"test{name}"] = float(right.mean())
            rows.append(row)
            report("{arm}, {temperature}, seed {seed}: {missing}, {missing_raised}".format(**row))

        add("teacher", None, teacher)
        arms = [("labels", None), *(("soft answers", each) for each in parameters["temperatures"])]
        for arm, temperature in arms:
            student = tlkit.small_network(size, 10, seed=100 + seed)
            labels = train.labels[kept] if arm == "labels" else None
            how = {"temperature": temperature or 1.0, "alpha": float(labels is None)}
            how |= {"labels": labels, "seed": seed, "progress": False}
            tlkit.distill(answers, student, train.images[kept], **how, **parameters["student"])
            add(arm, temperature, student)
        keras.backend.clear_session()
    return rows
