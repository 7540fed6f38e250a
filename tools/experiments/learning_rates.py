"""Lesson 05: does a learning rate for each group of layers pay?

Every run starts from the same pretrained network and the same linear head, fitted on its features,
and takes the same number of steps over the same batches; only the rates differ. All rates fade to
nothing along a straight line. Batch norm is kept still. Nothing is chosen here: the rates are the
rules of thumb of the lesson, the same for both sets of pictures.

One network is traced for each set of pictures; weights and optimizers are set back between runs. A
group that is not unfrozen yet has the rate 0: it does not move, though its optimizer watches its
gradients already. The head alone is trained on the features of the network, which is the same.
"""

import keras
import numpy as np

import tlkit
from tlkit.steps import passes, take_steps

PARAMETERS = {
    "seeds": [0, 1, 2, 3, 4],
    "image_size": 96,
    "labels": 100,
    "steps": 48,
    "batch_size": 16,
    "test": {"pictures": 400, "seed": 1000},
    "groups": ["block_05", "block_11", "logits"],
    # A rate for each group, from the earliest to the head.
    "rates": {
        "head only": [0.0, 0.0, 0.0, 1e-3],
        "one small rate": [1e-4, 1e-4, 1e-4, 1e-4],
        "one middle rate": [3e-4, 3e-4, 3e-4, 3e-4],
        "one large rate": [1e-3, 1e-3, 1e-3, 1e-3],
        "two rates": [1e-4, 1e-4, 1e-4, 1e-3],
        "four rates, ratio 3": [1e-3 / 27, 1e-3 / 9, 1e-3 / 3, 1e-3],
        "gradual unfreezing": [1e-3, 1e-3, 1e-3, 1e-3],
    },
    # The share of the steps after which each group starts to move.
    "starts": {"gradual unfreezing": [0.75, 0.5, 0.25, 0.0]},
}


def data_sets(parameters: dict):
    """For each name: the test set, and a function from a seed to its training set."""
    size, labels, hidden = (parameters[name] for name in ("image_size", "labels", "test"))
    count, seed = hidden["pictures"], hidden["seed"]
    people = tlkit.load_dataset("sunglasses-or-hat", count, size, seed)
    icons = tlkit.load_dataset("icons", 1000, size, seed)
    rest, of_icons = icons.split(train=len(icons) - count, seed=seed)
    yield (
        "sunglasses-or-hat",
        people,
        lambda seed: tlkit.load_dataset("sunglasses-or-hat", labels, size, seed),
    )
    yield "icons", of_icons, lambda seed: rest.take(labels, seed)


def compile_model(model: keras.Model, optimizer) -> list[np.ndarray]:
    """Compile, and tell how the optimizer begins."""
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    optimizer.build(model.trainable_variables)
    return [np.array(variable) for variable in optimizer.variables]


def train(model, weights, beginning, inputs, labels, order, rates, starts) -> None:
    """From these weights, steps over the batches in `order`, each group at its own fading rate."""
    model.set_weights(weights)
    for variable, value in zip(model.optimizer.variables, beginning, strict=True):
        variable.assign(value)
    done = np.arange(len(order))[:, None] / len(order)
    fading = np.where(done >= np.array(starts), np.array(rates) * (1 - done), 0.0)
    take_steps(model, inputs, labels, order, fading)


def accuracy(model, inputs, labels) -> float:
    return float((model.predict(inputs, verbose=0).argmax(axis=1) == labels).mean())


def part(row: dict):
    return row["data"]


def run(parameters: dict, report) -> list[dict]:
    rows, seeds = [], parameters["seeds"]
    for name, test, training_set in data_sets(parameters):
        base = tlkit.load_backbone(image_size=parameters["image_size"])
        data = {seed: training_set(seed) for seed in seeds}
        of_test = tlkit.extract_features(base, test.images, progress=False)
        of_train = {
            seed: tlkit.extract_features(base, data[seed].images, progress=False) for seed in seeds
        }
        heads = {seed: tlkit.fit_linear_head(of_train[seed], data[seed].labels) for seed in seeds}

        alone = keras.models.clone_model(heads[seeds[0]])
        alone_begins = compile_model(alone, keras.optimizers.AdamW())
        for layer in base.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
        model = tlkit.attach_head(base, keras.models.clone_model(heads[seeds[0]]))
        optimizer = tlkit.differential_optimizer(model, groups=parameters["groups"])
        model_begins = compile_model(model, optimizer)
        pretrained = model.get_weights()[:-2]

        def add(strategy, seed, model, for_test, for_train, name=name, test=test, data=data):
            rows.append(
                {
                    "data": name,
                    "strategy": strategy,
                    "seed": seed,
                    "test": accuracy(model, for_test, test.labels),
                    "train": accuracy(model, for_train, data[seed].labels),
                }
            )
            report("{data}, {strategy}, seed {seed}: {test:.3f}".format(**rows[-1]))

        for seed in seeds:
            warm, labels = heads[seed].get_weights(), data[seed].labels
            order = passes(*(parameters[each] for each in ("labels", "steps", "batch_size")), seed)
            add("warm start", seed, heads[seed], of_test, of_train[seed])
            for strategy, rates in parameters["rates"].items():
                if strategy == "head only":
                    inputs = of_train[seed]
                    train(alone, warm, alone_begins, inputs, labels, order, rates[-1:], [0.0])
                    add(strategy, seed, alone, of_test, inputs)
                else:
                    weights, inputs = [*pretrained, *warm], data[seed].images
                    starts = parameters["starts"].get(strategy, [0.0] * len(rates))
                    train(model, weights, model_begins, inputs, labels, order, rates, starts)
                    add(strategy, seed, model, test.images, inputs)
        keras.backend.clear_session()
    return rows
