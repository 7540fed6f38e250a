"""Deeper shelf, H2: what does fine-tuning forget?

The old task is ImageNet. The network's own old head is put back on the fine-tuned network, and its
first choice is compared with what the untouched network says of several hundred crops of the
photographs that come with the installation. By strategy and rate; with a head fitted first or a
new one (Kumar et al. 2022, arXiv 2202.10054); and for averages of the weights before and after
(Wortsman et al. 2022, arXiv 2109.01903). Nothing is chosen: every rate is in the table.
"""

import keras
import numpy as np

import tlkit
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(5)),
    "data": ["sunglasses-or-hat", "digits"],
    "image_size": 96,
    "labels": 200,
    "test": 500,
    "steps": 100,
    "crops": {"pictures": 440, "side": [192, 384], "seed": 0},
    "rates": [1e-4, 3e-4, 1e-3],
    # From which layer on the network moves, and with which head.
    "arms": {
        "last four blocks, fitted head": ["block_12", "fitted"],
        "everything, fitted head": [None, "fitted"],
        "everything, new head": [None, "new"],
    },
    "shares": [0.25, 0.5, 0.75, 1.0],
}


def part(row: dict):
    return row["data"]


def crops(pictures: int, side: list[int], size: int, seed: int) -> np.ndarray:
    """Random squares of the photographs, made as small as the network wants them."""
    photos = tlkit.load_dataset("photos", image_size=512).images
    rng, found = np.random.default_rng(seed), []
    for number in range(pictures):
        edge = int(rng.integers(side[0], side[1] + 1))
        top, left = rng.integers(0, 512 - edge + 1, 2)
        square = photos[number % len(photos), top : top + edge, left : left + edge]
        small = keras.ops.image.resize(square.astype("float32"), (size, size), antialias=True)
        found.append(np.asarray(small).clip(0, 255).round().astype("uint8"))
    return np.stack(found)


def run(parameters: dict, report) -> list[dict]:
    rows, size = [], parameters["image_size"]
    whole = tlkit.load_backbone(image_size=size, classifier=True)
    scene = crops(size=size, **parameters["crops"])
    *_, kernel, bias = whole.get_weights()
    base = tlkit.load_backbone(image_size=size)
    body = base.get_weights()

    def old_choice():
        pooled = tlkit.extract_features(base, scene, cache=False, progress=False)
        return (pooled @ kernel + bias).argmax(axis=1)

    before = old_choice()
    for name in parameters["data"]:
        test, draw = _runs.task(name, size, parameters["test"])
        classes = len(test.class_names)

        def add(arm, rate, share, seed, bench, data, name=name, test=test):
            right = [bench.accuracy(each.images, each.labels) for each in (data, test)]
            agreed = float((old_choice() == before).mean())
            row = {"data": name, "arm": arm, "rate": rate, "share": share, "seed": seed}
            rows.append({**row, "agreement": agreed, "train": right[0], "test": right[1]})
            told = "{data}, {arm}, {rate}, {share}, seed {seed}: {test:.3f}, agrees {agreement:.3f}"
            report(told.format(**rows[-1]))

        for arm, (layer, head) in parameters["arms"].items():
            model = _runs.with_head(base, classes)
            tlkit.unfreeze(model, layer, quiet=True)
            bench = _runs.Bench(model, keras.optimizers.Adam())
            for seed in parameters["seeds"]:
                base.set_weights(body)
                data = draw(parameters["labels"], seed)
                seen = tlkit.extract_features(base, data.images, progress=False)
                fitted = tlkit.fit_linear_head(seen, data.labels).get_weights()
                start = [*body, *fitted]
                if arm == next(iter(parameters["arms"])):
                    model.set_weights(start)
                    add("head only", None, 0.0, seed, bench, data)
                if head == "new":
                    start = [*body, *_runs.new_head(base.output_shape[-1], classes, seed)]
                for rate in parameters["rates"]:
                    rates = _runs.fading(rate, parameters["steps"])
                    bench.train(start, data.images, data.labels, rates, seed)
                    end = model.get_weights()
                    # A mean with a head that knows nothing would be no classifier.
                    shares = parameters["shares"] if head == "fitted" else [1.0]
                    for share in shares:
                        model.set_weights(
                            [a + share * (b - a) for a, b in zip(start, end, strict=True)]
                        )
                        add(arm, rate, share, seed, bench, data)
            base.set_weights(body)
        keras.backend.clear_session()
    return rows
