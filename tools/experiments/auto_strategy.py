"""Lesson 07: does `strategy="auto"` do about as well as the best strategy?

Three sets of pictures, three numbers of labels. The same labels go to each strategy, which does
with them what `train_classifier` does, and all are judged by pictures that no seed trains on. For
each seed the people are new; icons and digits are drawn anew from those that are not in the test
set. The labels of a seed are nested: the 20 are among the 60.

`"auto"` has minutes enough to try all that it knows, for what it leaves out when time is short
depends on the machine. Nothing of it was chosen on these seeds.
"""

import time

import tlkit
from tlkit.workshop import strategies
from tlkit.workshop.search import Search

PARAMETERS = {
    "seeds": list(range(5)),
    "data": ["sunglasses-or-hat", "icons", "digits"],
    "image_size": 64,
    "labels": [20, 60, 200],
    "minutes": 10,
    "test": {"pictures": 400, "seed": 1000},
}


def part(row: dict):
    return "all"


def sets(name: str, parameters: dict):
    """The test set, and a function from a seed to pictures to train on."""
    size, most = parameters["image_size"], max(parameters["labels"])
    count, seed = parameters["test"]["pictures"], parameters["test"]["seed"]
    if name == "sunglasses-or-hat":
        test = tlkit.load_dataset(name, count, size, seed)
        return test, lambda seed: tlkit.load_dataset(name, most, size, seed)
    data = tlkit.load_dataset(name, None, size, seed)
    rest, test = data.split(train=len(data) - count, seed=seed)
    return test, lambda seed: rest.take(most, seed)


def accuracy(trained: strategies.Trained, test) -> float:
    logits = tlkit.extract_features(trained.model, test.images, cache=False, progress=False)
    return float((logits.argmax(axis=1) == test.labels).mean())


def run(parameters: dict, report) -> list[dict]:
    rows = []
    for name in parameters["data"]:
        test, draw = sets(name, parameters)
        for seed in parameters["seeds"]:
            pool = draw(seed)
            for labels in parameters["labels"]:
                data = pool.take(labels, seed)
                row = {"data": name, "labels": labels, "seed": seed}
                row["features"] = accuracy(strategies.on_features(data, seed, False), test)
                row["fine-tune"] = accuracy(strategies.by_fine_tuning(data, seed, False), test)
                began = time.perf_counter()
                search = Search(data, seed, parameters["minutes"], False)
                found = search.run()
                row["seconds"] = round(time.perf_counter() - began, 1)
                row["auto"] = accuracy(found, test)
                row["way"] = found.strategy
                row["chose"] = [each.what for each in search.tried if each.kept][-1]
                rows.append(row)
                report(
                    "{data}, {labels} labels, seed {seed}: features {features:.3f}, fine-tune "
                    "{fine-tune:.3f}, auto {auto:.3f} ({chose})".format(**row)
                )
    return rows
