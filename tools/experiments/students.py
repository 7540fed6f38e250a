"""Lesson 06: what does a small student gain from a teacher, and is it the softness that helps?

The teacher is the pretrained network, fine-tuned on 200 labels; a thousand other pictures have no
labels. The student's twin learns from the 200 labels alone. A student learns from the teacher's
hard answers (its first choice counts as the label), from its soft ones, or from both in equal
parts. Each of the four with and without altered copies. Two tasks: people, with two classes, and
digits, with ten, where soft answers can say more. Each arm's rate, and the temperature where
answers are soft, are found on a seed that nothing is measured with. All take the same steps.
"""

import contextlib
import io

import keras
import numpy as np

import tlkit
from tools.experiments import _runs
from tools.experiments.rates_by_group import alter

PARAMETERS = {
    "seeds": list(range(5)),
    "tuning_seeds": [100],
    "image_size": 96,
    "labels": 200,
    "unlabelled": 1000,
    "test": 500,
    "data": ["sunglasses-or-hat", "digits"],
    "teacher": {"learning_rate": 3e-4, "epochs": 6},
    "steps": 800,
    "batch_size": 32,
    "student": "small",
    "altered": [False, True],
    # Rate, and temperature of soft answers.
    "arms": {
        "200 labels": [[1e-3, 1.0], [3e-3, 1.0], [1e-2, 1.0]],
        "hard answers": [[1e-3, 1.0], [3e-3, 1.0], [1e-2, 1.0]],
        "soft answers": [[3e-3, 1.0], [3e-3, 3.0], [3e-3, 10.0], [1e-2, 3.0]],
        "both": [[3e-3, 1.0], [3e-3, 3.0], [3e-3, 10.0], [1e-2, 3.0]],
        "1000 labels": [[1e-3, 1.0], [3e-3, 1.0], [1e-2, 1.0]],
    },
}
# How much the teacher's soft answers count against labels or hard answers.
SOFT = {"soft answers": 1.0, "both": 0.5}


def part(row: dict):
    return row["data"]


def taught(labelled, rest, parameters: dict, seed: int):
    """The teacher, and what it says of the pictures without labels."""
    base = tlkit.load_backbone(image_size=parameters["image_size"])
    with contextlib.redirect_stdout(io.StringIO()):
        options = {**parameters["teacher"], "progress": False}
        teacher = tlkit.fine_tune(base, labelled, seed=seed, **options).model
    return teacher, tlkit.extract_features(teacher, rest.images, cache=False, progress=False)


def student(arm: str, altered: bool, setting, parameters: dict, labelled, rest, answers, seed):
    """A student after its training."""
    rate, temperature = setting
    classes = len(labelled.class_names)
    model = tlkit.student_network(parameters["student"], parameters["image_size"], classes, seed)
    data, said = rest, answers
    labels = {"200 labels": labelled.labels, "1000 labels": rest.labels}.get(arm)
    if arm == "200 labels":
        data, said = labelled, np.zeros((len(labelled), classes), "float32")
    elif arm in ("hard answers", "both"):
        labels = answers.argmax(axis=1)
    images, steps, batch = data.images, parameters["steps"], parameters["batch_size"]
    if altered:  # each pass over the pictures sees others
        times = min(8, -(-steps * batch // len(images)))
        images = np.concatenate([images, alter(images, times - 1, seed)])
        said = np.tile(said, (times, 1))
        labels = None if labels is None else np.tile(labels, times)
    tlkit.distill(
        *(said, model, images, temperature, SOFT.get(arm, 0.0), labels),
        *(steps, batch, rate, seed, False),
    )
    return model


def accuracy(model: keras.Model, data) -> float:
    return _runs.share_right(model.predict(data.images, batch_size=100, verbose=0), data.labels)


def tune(parameters: dict, report) -> dict:
    found = {}
    for name in parameters["data"]:
        _, draw = _runs.task(name, parameters["image_size"], parameters["test"])
        [seed] = parameters["tuning_seeds"]
        count = parameters["labels"] + parameters["unlabelled"]
        pool, judge = draw(count + 300, seed).split(train=count, seed=seed)
        labelled, rest = pool.split(train=parameters["labels"], seed=seed)
        _, answers = taught(labelled, rest, parameters, seed)
        for altered in parameters["altered"]:
            for arm, settings in parameters["arms"].items():

                def judged(setting, seed, arm=arm, how=(altered, labelled, rest, answers, judge)):
                    altered, labelled, rest, answers, judge = how
                    given = arm, altered, setting, parameters, labelled, rest, answers, seed
                    return accuracy(student(*given), judge)

                each = f"{name}, {arm}{', altered copies' * altered}"
                found[each] = _runs.find(settings, [seed], judged)
                report(f"{each}: {found[each]}")
                keras.backend.clear_session()
    return found


def run(parameters: dict, report) -> list[dict]:
    rows = []
    for name in parameters["data"]:
        test, draw = _runs.task(name, parameters["image_size"], parameters["test"])
        for seed in parameters["seeds"]:
            pool = draw(parameters["labels"] + parameters["unlabelled"], seed)
            labelled, rest = pool.split(train=parameters["labels"], seed=seed)
            teacher, answers = taught(labelled, rest, parameters, seed)

            def add(arm, altered, setting, model, name=name, seed=seed, seen=rest, test=test):
                row = {"data": name, "arm": arm, "altered": altered, "seed": seed}
                row |= {"setting": setting, "train": accuracy(model, seen)}
                rows.append({**row, "test": accuracy(model, test)})
                report(f"{name}, {arm}, {altered}, seed {seed}: {rows[-1]['test']:.3f}")

            add("teacher", False, None, teacher, seen=labelled)
            for altered in parameters["altered"]:
                for arm in parameters["arms"]:
                    tuned = parameters["tuned"][f"{name}, {arm}{', altered copies' * altered}"]
                    setting = tuned["chosen"]
                    given = arm, altered, setting, parameters, labelled, rest, answers, seed
                    seen = labelled if arm == "200 labels" else rest
                    add(arm, altered, setting, student(*given), seen=seen)
            keras.backend.clear_session()
    return rows
