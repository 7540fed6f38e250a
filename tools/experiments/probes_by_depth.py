"""Lesson 02: how much a linear probe tells at each depth, the number of features held equal.

Late blocks have more channels than early ones, so a curve over depth shows two things at once. Here
each depth is probed three times: with all its channels, averaged over the whole map as in the
lesson; with 16 numbers of each depth, random mixtures of its channels; and with 320 of each, random
mixtures of channels averaged over as many parts of the map as make that many. Mixtures are drawn
anew for every seed. Each seed has training pictures of its own; the test is the same for all.
"""

import math

import numpy as np

import tlkit
from tlkit.representations import depth_names
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(6)),
    "data": ["sunglasses-or-hat", "icons", "digits"],
    "image_size": 128,
    "labels": 100,
    "test": 400,
    "features": {"all channels": None, "16 of each": 16, "320 of each": 320},
}


def part(row: dict):
    return row["data"]


def averaged(maps: np.ndarray, parts: int) -> np.ndarray:
    """(N, parts × parts × C): the means of a map's parts, as equal as they can be."""
    rows = [
        column.mean(axis=(1, 2))
        for row in np.array_split(maps, parts, axis=1)
        for column in np.array_split(row, parts, axis=2)
    ]
    return np.concatenate(rows, axis=1)


def mixed(features: list[np.ndarray], count: int, seed: int) -> list[np.ndarray]:
    """So many random mixtures of the features, which are brought to a common scale before."""
    middle, spread = features[0].mean(axis=0), features[0].std(axis=0) + 1e-6
    mixture = np.random.default_rng(seed).normal(size=(features[0].shape[1], count))
    return [((each - middle) / spread) @ mixture / math.sqrt(count) for each in features]


def run(parameters: dict, report) -> list[dict]:
    rows, base = [], tlkit.load_backbone(image_size=parameters["image_size"])
    for name in parameters["data"]:
        test, draw = _runs.task(name, parameters["image_size"], parameters["test"])
        for seed in parameters["seeds"]:
            data = draw(parameters["labels"], seed)
            for depth, layer in enumerate(depth_names(base)):
                maps = [
                    tlkit.extract_features(
                        base, each.images, layer, pooled=False, cache=False, progress=False
                    )
                    for each in (data, test)
                ]
                for arm, count in parameters["features"].items():
                    parts = 1
                    if count:
                        parts = math.ceil(math.sqrt(count / maps[0].shape[-1]))
                    found = [averaged(each, parts) for each in maps]
                    width = found[0].shape[1]
                    if count:
                        found = mixed(found, count, seed)
                    head = tlkit.fit_linear_head(found[0], data.labels)
                    right = [
                        _runs.share_right(head(x), each.labels)
                        for x, each in zip(found, (data, test), strict=True)
                    ]
                    row = {"data": name, "arm": arm, "layer": layer, "depth": depth, "seed": seed}
                    row |= {"channels": maps[0].shape[-1], "features": count or width}
                    rows.append({**row, "train": right[0], "test": right[1]})
            report("{data}, {arm}, {layer}, seed {seed}: {test:.3f}".format(**rows[-1]))
    return rows
