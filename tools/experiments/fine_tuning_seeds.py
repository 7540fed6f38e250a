"""Lesson 04a: the two comparisons that the three seeds of `fine_tuning` leave open, with five more.

Does a settled head help, at the rate that suits each optimizer? And what does batch norm cost when
it is let move? Same network, steps and test set as in `fine_tuning`; other training pictures.
"""

import keras

import tlkit
from tools.experiments import fine_tuning
from tools.experiments.fine_tuning import Bench, drift, let_move, moved, nested

PARAMETERS = {
    **{k: fine_tuning.PARAMETERS[k] for k in ("labels", "image_size", "test", "steps")},
    "batch_size": fine_tuning.PARAMETERS["batch_size"],
    "seeds": [3, 4, 5, 6, 7],
    "adam": {"settled": [1e-5, 1e-4], "random": [1e-4]},
    "sgd": {"settled": [1e-3], "random": [1e-3]},
    "live": {"settled": [1e-5]},
}


def part(row: dict):
    return tuple(row.get(each) for each in ("what", "head", "optimizer", "rate"))


def run(parameters: dict, report) -> list[dict]:
    size, seeds, hidden = (parameters[name] for name in ("image_size", "seeds", "test"))
    test = tlkit.load_dataset("sunglasses-or-hat", hidden["pictures"], size, hidden["seed"])
    pools = {
        s: tlkit.load_dataset("sunglasses-or-hat", parameters["labels"], size, s) for s in seeds
    }
    base = tlkit.load_backbone(image_size=size)
    body = base.get_weights()
    before = {w.path: value for w, value in zip(base.weights, body, strict=True)}
    normalisers = [x for x in base.layers if isinstance(x, keras.layers.BatchNormalization)]
    rows = []

    def weights(head, seed):
        if head == "settled":
            features = tlkit.extract_features(base, pools[seed].images, progress=False)
            return body + tlkit.fit_linear_head(features, pools[seed].labels).get_weights()
        keras.utils.set_random_seed(seed)
        new = keras.layers.Dense(len(test.class_names))
        new.build((None, base.output_shape[-1]))
        return body + new.get_weights()

    # Features are of the pretrained network: take them before anything moves it.
    starts = {(head, seed): weights(head, seed) for head in ("settled", "random") for seed in seeds}

    def sweep(what, model, name, optimizer, rates):
        bench = Bench(model, optimizer, parameters["batch_size"])
        for head, each in rates.items():
            for rate in each:
                for seed in seeds:
                    bench.start(starts[head, seed], rate)
                    seconds = bench.train(pools[seed], parameters["steps"], seed)
                    row = {
                        "what": what,
                        "head": head,
                        "optimizer": name,
                        "rate": rate,
                        "seed": seed,
                        "test": bench.accuracy(test),
                        "trained_parameters": bench.trained,
                        "seconds": round(seconds, 2),
                        **{f"moved_{n}": moved(base, before, n) for n in ("stem", "features")},
                        "drift": drift(normalisers, before),
                    }
                    rows.append(row)
                    report("{what}, {head}, {optimizer} {rate:g}, {seed}: {test:.3f}".format(**row))

    def classifier():
        return keras.layers.Dense(len(test.class_names), name="logits")

    features = tlkit.extract_features(base, test.images, progress=False)
    for seed in seeds:
        kernel, bias = starts["settled", seed][-2:]
        right = (features @ kernel + bias).argmax(axis=1) == test.labels
        rows.append(
            {"what": "head only", "head": "settled", "seed": seed, "test": float(right.mean())}
        )
    model = tlkit.attach_head(base, keras.Sequential([keras.Input((1280,)), classifier()]))
    let_move(model)
    sweep("everything", model, "adam", keras.optimizers.Adam(), parameters["adam"])
    sweep("everything", model, "sgd", keras.optimizers.SGD(momentum=0.9), parameters["sgd"])
    let_move(model, None)
    live = nested(base, classifier())
    sweep("batch norm live", live, "adam", keras.optimizers.Adam(), parameters["live"])
    return rows
