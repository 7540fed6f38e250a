"""Lesson 02: how much a linear probe can tell at each depth, for a near, a middling, a far target.

Every seed has training pictures of its own, which no other seed sees; all are tested on the same
ones, which no training sees. The best depth is chosen by cross-validation on the training labels.
"""

import numpy as np

import tlkit
from tlkit.representations import best_depth, features_by_depth, probe_by_depth

PARAMETERS = {
    "seeds": [0, 1, 2, 3, 4, 5],
    "labels": 100,
    "image_size": 128,
    "test": {"sunglasses-or-hat": 500, "icons": 553, "digits": 1000},
}


def pictures(target: str, parameters: dict) -> tuple:
    """The training pictures of all seeds, one seed after the other, and the test pictures."""
    size, judged = parameters["image_size"], parameters["test"][target]
    learnt = parameters["labels"] * len(parameters["seeds"])
    if target == "sunglasses-or-hat":  # drawn anew for every seed; the rest share one store
        return (
            tlkit.load_dataset(target, learnt, size, seed=0),
            tlkit.load_dataset(target, judged, size, seed=1000),
        )
    return tlkit.load_dataset(target, learnt + judged, size, seed=0).split(learnt, seed=0)


def run(parameters: dict, report) -> list[dict]:
    base = tlkit.load_backbone(image_size=parameters["image_size"])
    rows = []
    for target in parameters["test"]:
        pool, test = pictures(target, parameters)
        of_pool = features_by_depth(base, pool.images, progress=False)
        of_test = features_by_depth(base, test.images, progress=False)
        for seed in parameters["seeds"]:
            mine = np.arange(len(pool))[seed :: len(parameters["seeds"])]
            features = {layer: each[mine] for layer, each in of_pool.items()}
            found = probe_by_depth(features, pool.labels[mine], of_test, test.labels)
            chosen, in_folds = best_depth(features, pool.labels[mine], seed=seed)
            for depth, (layer, result) in enumerate(found.items()):
                rows.append(
                    {
                        "target": target,
                        "seed": seed,
                        "layer": layer,
                        "depth": depth,
                        "test": result.accuracy,
                        "folds": in_folds[layer],
                        "chosen": layer == chosen,
                    }
                )
            last = found["features"].accuracy
            report(f"{target}, seed {seed}: {chosen} {found[chosen].accuracy:.3f}, end {last:.3f}")
    return rows
