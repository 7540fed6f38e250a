"""Deeper shelf: a network trained to classify, reused to draw a mask, and the control for it.

A small decoder learns where the sunglasses or the hat are, from feature maps of a frozen network:
of several depths, or of one. The control is the same decoder on the same network with random
weights, others in every seed. Each arm's rate is found on a seed that nothing is measured with.
Marking every pixel is what has to be beaten.
"""

import keras
import numpy as np

import tlkit
from tlkit.lessons import cases
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(5)),
    "tuning_seeds": [100],
    "image_size": 96,
    "people": 150,
    "test": 200,
    "depths": {
        "four depths": ["block_00", "block_02", "block_04", "block_10"],
        "early alone": ["block_02"],
        "late alone": ["block_10"],
    },
    "weights": ["pretrained", "random weights"],
    "epochs": 25,
    "batch_size": 16,
    "rates": [1e-3, 3e-3, 1e-2],
}


def part(row: dict):
    return row["arm"]


def people(count: int, seed: int, parameters: dict):
    images, _, masks = tlkit.data.compose_people(count, parameters["image_size"], seed, True)
    return images, masks


class Decoders:
    """The maps of one seed's networks, and decoders that learn from them."""

    def __init__(self, parameters: dict, seed: int, seen: tuple, unseen: tuple):
        self.parameters, self.seed, self.masks = parameters, seed, (seen[1], unseen[1])
        layers = sorted({layer for each in parameters["depths"].values() for layer in each})
        self.maps = {}
        for weights in parameters["weights"]:
            kind = "imagenet" if weights == "pretrained" else None
            base = tlkit.load_backbone(image_size=parameters["image_size"], weights=kind, seed=seed)
            self.maps[weights] = [
                {
                    layer: tlkit.extract_features(
                        base, images, layer, pooled=False, cache=False, progress=False
                    )
                    for layer in layers
                }
                for images in (seen[0], unseen[0])
            ]

    def judge(self, weights: str, depths: str, rate: float) -> list[float]:
        """How well a decoder's masks agree with the true ones, where it learnt and elsewhere."""
        layers, batch = self.parameters["depths"][depths], self.parameters["batch_size"]
        seen, unseen = ([maps[layer] for layer in layers] for maps in self.maps[weights])
        shapes = [each.shape[1:] for each in seen]
        decoder = cases.mask_decoder(shapes, self.parameters["image_size"], seed=self.seed)
        masks = self.masks[0][..., None].astype("float32")
        epochs = self.parameters["epochs"]
        fade = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(masks) // batch))
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        decoder.compile(keras.optimizers.Adam(fade), loss)
        decoder.fit(seen, masks, batch_size=batch, epochs=epochs, verbose=0)
        return [
            float(
                cases.intersection_over_union(
                    decoder.predict(maps, verbose=0)[..., 0] > 0, true
                ).mean()
            )
            for maps, true in zip((seen, unseen), self.masks, strict=True)
        ]


def tune(parameters: dict, report) -> dict:
    found = {}
    [seed] = parameters["tuning_seeds"]
    seen, unseen = people(parameters["people"], seed, parameters), people(100, 2000, parameters)
    decoders = Decoders(parameters, seed, seen, unseen)
    for weights in parameters["weights"]:
        for depths in parameters["depths"]:

            def overlap(rate, _seed, weights=weights, depths=depths):
                return decoders.judge(weights, depths, rate)[1]

            arm = f"{weights}, {depths}"
            found[arm] = _runs.find(parameters["rates"], [seed], overlap)
            report(f"{arm}: {found[arm]}")
    return found


def run(parameters: dict, report) -> list[dict]:
    rows, unseen = [], people(parameters["test"], _runs.TEST_SEED, parameters)
    everything = float(cases.intersection_over_union(np.ones_like(unseen[1]), unseen[1]).mean())
    for seed in parameters["seeds"]:
        seen = people(parameters["people"], seed, parameters)
        decoders = Decoders(parameters, seed, seen, unseen)
        for weights in parameters["weights"]:
            for depths in parameters["depths"]:
                arm = f"{weights}, {depths}"
                rate = parameters["tuned"][arm]["chosen"]
                train, test = decoders.judge(weights, depths, rate)
                row = {"arm": arm, "weights": weights, "depths": depths, "seed": seed}
                rows.append({**row, "rate": rate, "train": train, "test": test})
                report("{arm}, seed {seed}: {test:.3f}".format(**rows[-1]))
        row = {"arm": "mark everything", "weights": "none", "depths": "none", "seed": seed}
        rows.append({**row, "rate": None, "train": None, "test": everything})
        keras.backend.clear_session()
    return rows
