"""Deeper shelf, H5: can a backbone be chosen before anything is trained?

Twelve candidates: three networks, two sizes of pictures, two ends (the whole network, or cut after
a block in its last third). Three scores that need no training of the network: a cross-validated
linear probe, LogME (You et al. 2021, arXiv 2102.11005) and, of the networks' old answers, LEEP
(Nguyen et al. 2020, arXiv 2002.12462), which cannot see where a network is cut. Against what
fine-tuning from the middle of the network on then reaches on the test. Nothing is chosen: all
candidates take the same rate and steps.
"""

import keras
import numpy as np
from scipy.special import softmax

import tlkit
from tlkit.finetuning import fit_fading
from tlkit.heads import cross_validate
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(5)),
    "data": ["icons", "digits"],
    "labels": 100,
    "test": 400,
    "networks": {
        "efficientnet-lite0": "block_10",
        "efficientnet-lite1": "block_14",
        "efficientnet-lite2": "block_14",
    },
    "image_sizes": [64, 96],
    "ends": ["whole", "cut"],
}


def part(row: dict):
    return row["data"]


def leep(old: np.ndarray, labels: np.ndarray) -> float:
    """How well the old classes' probabilities (N, 1000) tell the new labels."""
    joint = np.stack([old[labels == each].sum(axis=0) for each in range(labels.max() + 1)])
    given = joint / len(labels) / np.maximum(old.mean(axis=0), 1e-12)
    return float(np.log((old @ given.T)[np.arange(len(labels)), labels]).mean())


def logme(features: np.ndarray, labels: np.ndarray) -> float:
    """The evidence of a linear model for the labels, one class against the others, per picture."""
    u, s, _ = np.linalg.svd(features.astype("float64"), full_matrices=False)
    count, width = features.shape
    sigma, found = s**2, []
    for each in range(labels.max() + 1):
        y = (labels == each).astype("float64")
        z = (u.T @ y) ** 2
        left = max(y @ y - z.sum(), 1e-12)
        alpha = beta = 1.0
        for _ in range(50):
            gamma = (beta * sigma / (alpha + beta * sigma)).sum()
            m2 = (beta**2 * sigma * z / (alpha + beta * sigma) ** 2).sum()
            r2 = (z / (1 + beta * sigma / alpha) ** 2).sum() + left
            alpha, beta = gamma / max(m2, 1e-12), (count - gamma) / max(r2, 1e-12)
        m2 = (beta**2 * sigma * z / (alpha + beta * sigma) ** 2).sum()
        r2 = (z / (1 + beta * sigma / alpha) ** 2).sum() + left
        evidence = width * np.log(alpha) + count * np.log(beta) - count * np.log(2 * np.pi)
        evidence -= beta * r2 + alpha * m2
        evidence -= np.log(alpha + beta * sigma).sum() + (width - len(sigma)) * np.log(alpha)
        found.append(evidence / 2 / count)
    return float(np.mean(found))


def run(parameters: dict, report) -> list[dict]:
    rows = []
    for name in parameters["data"]:
        for size in parameters["image_sizes"]:
            test, draw = _runs.task(name, size, parameters["test"])
            for network, cut in parameters["networks"].items():
                whole = tlkit.load_backbone(network, size, classifier=True)
                for end in parameters["ends"]:
                    for seed in parameters["seeds"]:
                        data = draw(parameters["labels"], seed)
                        old = tlkit.extract_features(whole, data.images, progress=False)
                        base = tlkit.load_backbone(network, size)
                        if end == "cut":
                            base = keras.Model(base.input, base.get_layer(cut).output)
                        seen = tlkit.extract_features(base, data.images, progress=False)
                        folds = cross_validate(seen, data.labels, seed=seed)
                        row = {"data": name, "network": network, "image_size": size, "end": end}
                        row |= {"arm": f"{network}, {size}, {end}", "seed": seed}
                        row["probe"] = _runs.share_right(folds, data.labels)
                        row["logme"] = logme(seen, data.labels)
                        row["leep"] = leep(softmax(old, axis=1), data.labels)
                        head = tlkit.fit_linear_head(seen, data.labels)
                        unseen = tlkit.extract_features(base, test.images, progress=False)
                        row["frozen"] = _runs.share_right(head(unseen), test.labels)
                        model = tlkit.attach_head(base, head)
                        blocks = [x.name for x in base.layers if x.name.startswith("block_")]
                        middle = blocks[len(blocks) // 2][:8]
                        fit_fading(model, data.images, data.labels, middle, seed)
                        row["from_layer"] = middle
                        row["train"], row["test"] = (
                            _runs.share_right(
                                tlkit.extract_features(
                                    model, each.images, cache=False, progress=False
                                ),
                                each.labels,
                            )
                            for each in (data, test)
                        )
                        rows.append(row)
                        told = "{arm}, {data}, seed {seed}: probe {probe:.3f}, test {test:.3f}"
                        report(told.format(**row))
                        keras.backend.clear_session()
    return rows
