"""Lesson 04b: a network trained to classify, reused to draw a mask, and the control for it.

A small decoder learns where the sunglasses or the hat are, from feature maps of a frozen network:
of several depths, or of one. The control is the same decoder on the same network with random
weights. Nothing is chosen: steps and rate were set in a trial with other people. Training people
and the decoder's first weights change with the seed, the people of the test do not.
"""

import keras
import numpy as np

import tlkit
from tlkit.lessons import cases

PARAMETERS = {
    "seeds": [0, 1, 2],
    "image_size": 96,
    "people": 150,
    "test": {"people": 200, "seed": 1000},
    "depths": {
        "four depths": ["block_00", "block_02", "block_04", "block_10"],
        "early alone": ["block_02"],
        "late alone": ["block_10"],
    },
    "epochs": 25,
    "batch_size": 16,
    "rate": 3e-3,
}


def fit(decoder: keras.Model, maps: list[np.ndarray], masks: np.ndarray, parameters: dict) -> None:
    """Train a decoder for a number of epochs, with Adam at a rate that fades to nothing."""
    steps = parameters["epochs"] * -(-len(masks) // parameters["batch_size"])
    fade = keras.optimizers.schedules.CosineDecay(parameters["rate"], steps)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    decoder.compile(keras.optimizers.Adam(fade), loss)
    targets = masks[..., None].astype("float32")
    batch, epochs = parameters["batch_size"], parameters["epochs"]
    decoder.fit(maps, targets, batch_size=batch, epochs=epochs, verbose=0)


def part(row: dict):
    return row["weights"]


def run(parameters: dict, report) -> list[dict]:
    seeds, size, hidden = parameters["seeds"], parameters["image_size"], parameters["test"]
    people = {s: tlkit.data.compose_people(parameters["people"], size, s, True) for s in seeds}
    test = tlkit.data.compose_people(hidden["people"], size, hidden["seed"], True)
    rows = []
    for weights, network in (
        ("pretrained", tlkit.load_backbone(image_size=size)),
        ("random weights", tlkit.load_backbone(image_size=size, weights=None, seed=0)),
    ):
        layers = sorted({layer for each in parameters["depths"].values() for layer in each})

        def maps_of(images, network=network, layers=layers):
            return {
                layer: tlkit.extract_features(
                    network, images, layer=layer, pooled=False, progress=False
                )
                for layer in layers
            }

        unseen = maps_of(test[0])
        for seed in seeds:
            images, _, masks = people[seed]
            seen = maps_of(images)
            for name, depths in parameters["depths"].items():
                decoder = cases.mask_decoder([seen[d].shape[1:] for d in depths], size, seed=seed)
                fit(decoder, [seen[d] for d in depths], masks, parameters)
                found = decoder.predict([unseen[d] for d in depths], verbose=0)[..., 0] > 0
                overlap = float(cases.intersection_over_union(found, test[2]).mean())
                row = {"weights": weights, "depths": name, "seed": seed, "test": overlap}
                rows.append(row)
                report("{weights}, {depths}, seed {seed}: {test:.3f}".format(**row))
    everything = np.ones_like(test[2])
    overlap = float(cases.intersection_over_union(everything, test[2]).mean())
    rows.append({"weights": "none", "depths": "mark everything", "seed": 0, "test": overlap})
    return rows
