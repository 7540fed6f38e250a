"""Lesson 06: what does a small student gain from a large teacher, and when does it gain nothing?

The teacher is the pretrained network, fine-tuned on 200 labels as in lesson 04a. Each seed has its
own 200 labelled and 1000 other pictures; all are tested on the same ones, which nothing else sees.
All students take the same number of steps at the same rates, whoever teaches them. Steps, rates and
the students' sizes were set with other seeds and other test pictures; the temperature is Keras's
default.

The second part is Hinton's: a student is taught digits by a teacher, without a picture of a three.
"""

import contextlib
import io

import keras
import numpy as np

import tlkit
from tlkit.distillation import fit_distiller
from tlkit.keras_tools import seeded

PARAMETERS = {
    "seeds": [0, 1, 2, 3, 4],
    "image_size": 96,
    "labels": 200,
    "unlabelled": 1000,
    "test": {"pictures": 500, "seed": 1000},
    "teacher": {"learning_rate": 3e-4, "epochs": 6},
    "training": {"steps": 800, "batch_size": 32, "learning_rate": 3e-3},
    "temperature": 3.0,
    "students": {"tiny": True, "patches": True, "middling": False},  # with or without its twin
    "digits": {
        "seeds": [0, 1, 2, 3, 4],
        "image_size": 32,
        "train": 3500,
        "teacher": {"steps": 1500, "batch_size": 64, "learning_rate": 3e-3},
        "student": {"steps": 600, "batch_size": 64, "learning_rate": 3e-3},
        "left_out": 3,
        "temperatures": [0.5, 1.0, 4.0, 16.0, 64.0],
    },
}


def share(right) -> float:
    return float(np.mean(right))


def classes_of(model, images) -> np.ndarray:
    return model.predict(images, batch_size=128, verbose=0).argmax(axis=1)


def tuned(labelled, seed: int, size: int, learning_rate: float, epochs: int) -> keras.Model:
    """The teacher of lesson 04a."""
    base = tlkit.load_backbone(image_size=size)
    options = {"learning_rate": learning_rate, "epochs": epochs, "progress": False}
    with contextlib.redirect_stdout(io.StringIO()):
        return tlkit.fine_tune(base, labelled, seed=seed, **options).model


def misled(labelled, seed: int, size: int) -> keras.Model:
    """The pretrained network with a head that is fitted to labels dealt out at random."""
    base = tlkit.load_backbone(image_size=size)
    features = tlkit.extract_features(base, labelled.images, progress=False)
    labels = np.random.default_rng(seed).permutation(labelled.labels)
    return tlkit.attach_head(base, tlkit.fit_linear_head(features, labels))


def match_features(images, logits, maps, student, temperature, outputs, seed, options) -> None:
    """Teach a student the features of the teacher, through a layer that translates them.

    `outputs` says whether the answers count as well.
    """
    with seeded(seed):
        maps = (maps - maps.mean(axis=0)) / maps.std()
        inputs = [keras.Input(part.shape[1:]) for part in (images, logits, maps)]
        both = keras.Model(student.input, [student.output, student.get_layer("pool").output])
        answers, pool = both(inputs[0])
        said = {"logits": inputs[1], "maps": inputs[2]}
        said = {name: keras.layers.Identity()(each) for name, each in said.items()}
        learnt = {"logits": answers, "maps": keras.layers.Dense(maps.shape[1])(pool)}
        losses = [keras.distillation.FeatureDistillation({"logits": None, "maps": "mse"})]
        if outputs:
            divergence = {"logits": keras.losses.KLDivergence(), "maps": None}
            losses.append(keras.distillation.LogitsDistillation(temperature, divergence))
        models = keras.Model(inputs, said), keras.Model(inputs, learnt)
        distiller = keras.distillation.Distiller(*models, losses, student_loss_weight=0.0)
        fit_distiller(distiller, (images, logits, maps), None, seed=seed, **options)


def people(parameters: dict, report) -> list[dict]:
    size, hidden, usual = (parameters[name] for name in ("image_size", "test", "temperature"))
    options = {**parameters["training"], "progress": False}
    test = tlkit.load_dataset("sunglasses-or-hat", hidden["pictures"], size, hidden["seed"])
    rows = []

    def add(what, student, seed, answers, train=None):
        row = {"what": what, "student": student, "seed": seed, "train": train}
        rows.append({**row, "test": share(answers == test.labels)})
        report("{student}, {what}, seed {seed}: {test:.3f}".format(**rows[-1]))

    for seed in parameters["seeds"]:
        count = parameters["labels"] + parameters["unlabelled"]
        pool = tlkit.load_dataset("sunglasses-or-hat", count, size, seed)
        labelled, rest = pool.split(train=parameters["labels"], seed=seed)
        teacher = tuned(labelled, seed, size, **parameters["teacher"])
        wrong = misled(labelled, seed, size)
        said, same, wrongly = (
            tlkit.extract_features(*asked, progress=False)
            for asked in ((teacher, rest.images), (teacher, labelled.images), (wrong, rest.images))
        )
        maps = tlkit.extract_features(teacher, rest.images, layer="features", progress=False)
        add("teacher", "teacher", seed, classes_of(teacher, test.images))
        add("wrong teacher", "teacher", seed, classes_of(wrong, test.images))

        def teach(what, kind, logits, data, labels=None, seed=seed):
            student = tlkit.student_network(kind, size, seed=seed)
            how = {"temperature": usual, "alpha": float(labels is None), "labels": labels}
            tlkit.distill(logits, student, data, seed=seed, **how, **options)
            train = share(classes_of(student, data.images) == data.labels)
            add(what, kind, seed, classes_of(student, test.images), train)

        teach("200 labels", "small", same, labelled, labelled.labels)
        teach("teacher on 200", "small", same, labelled)
        teach("teacher on 1000", "small", said, rest)
        teach("1000 labels", "small", said, rest, rest.labels)
        teach("wrong teacher on 1000", "small", wrongly, rest)
        for kind, twin in parameters["students"].items():
            teach("teacher on 1000", kind, said, rest)
            if twin:
                teach("200 labels", kind, same, labelled, labelled.labels)
        for what, outputs in (("outputs and features", True), ("features, then a head", False)):
            student = tlkit.student_network("small", size, seed=seed)
            how = usual, outputs, seed, parameters["training"]
            match_features(rest.images, said, maps, student, *how)
            if not outputs:
                known = tlkit.extract_features(student, rest.images, layer="pool", progress=False)
                head = tlkit.fit_linear_head(known, said.argmax(axis=1))
                student.get_layer("logits").set_weights(head.get_weights())
            add(what, "small", seed, classes_of(student, test.images))
        keras.backend.clear_session()
    return rows


def digits(parameters: dict, report) -> list[dict]:
    size, left_out = parameters["image_size"], parameters["left_out"]
    data, rows = tlkit.load_dataset("digits", image_size=size, seed=0), []
    for seed in parameters["seeds"]:
        train, test = data.split(train=parameters["train"], seed=seed)
        teacher = tlkit.small_network(size, 10, seed=seed)
        none = np.zeros((len(train), 10), "float32")
        alone = {"alpha": 0.0, "labels": train.labels, "seed": seed, "progress": False}
        tlkit.distill(none, teacher, train, **alone, **parameters["teacher"])
        kept = train.labels != left_out
        said = tlkit.extract_features(teacher, train.images[kept], progress=False)

        def add(what, temperature, model, seed=seed, test=test):
            right = classes_of(model, test.images) == test.labels
            missing = test.labels == left_out
            row = {"what": what, "student": "digits", "seed": seed, "temperature": temperature}
            row |= {"left_out": share(right[missing]), "others": share(right[~missing])}
            rows.append(row)
            report("{what}, T {temperature}, seed {seed}: {left_out:.3f}".format(**row))

        add("teacher of digits", None, teacher)
        ways = [("labels without threes", None)]
        ways += [("teacher without threes", each) for each in parameters["temperatures"]]
        for what, temperature in ways:
            student = tlkit.small_network(size, 10, seed=100 + seed)
            labels = train.labels[kept] if temperature is None else None
            how = {"temperature": temperature or 1.0, "alpha": float(labels is None)}
            how |= {"labels": labels, "seed": seed, "progress": False}
            tlkit.distill(said, student, train.images[kept], **how, **parameters["student"])
            add(what, temperature, student)
        keras.backend.clear_session()
    return rows


def part(row: dict):
    return row["student"] == "digits"


def run(parameters: dict, report) -> list[dict]:
    return people(parameters, report) + digits(parameters["digits"], report)
