"""Lesson 02: an autoencoder's encoder, learnt without labels, reused where labels are few.

The pictures are digits at random places. For each seed an autoencoder learns four thousand of them,
without their labels; then a few labels of the same pictures come in. The test digits are seen by
no training. Nothing is chosen here: steps and rates are the same for all.
"""

import keras
import numpy as np

import tlkit
from tlkit.representations import autoencoder, probe
from tools.experiments._digits import shifted
from tools.experiments._training import train

PARAMETERS = {
    "seeds": [0, 1, 2, 3, 4],
    "unlabelled": 4000,
    "epochs": 20,
    "per_class": [5, 20, 50],
    "steps": 300,
    "batch_size": 32,
    "learning_rate": 1e-3,
    "image_size": 96,
}


def learn_to_copy(images: np.ndarray, epochs: int, seed: int) -> tuple[keras.Model, float]:
    """An encoder whose decoder can draw the pictures again; and the loss that was left."""
    encoder, decoder = autoencoder(seed=seed)
    copier = keras.Sequential([encoder, decoder])
    copier.compile(keras.optimizers.Adam(2e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    history = copier.fit(images, images / 255, batch_size=64, epochs=epochs, verbose=0)
    return encoder, history.history["loss"][-1]


def few(labels: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Rows of so many random pictures of each class."""
    order = np.random.default_rng(seed).permutation(len(labels))
    return np.concatenate([order[labels[order] == each][:per_class] for each in range(10)])


def run(parameters: dict, report) -> list[dict]:
    size = parameters["unlabelled"]
    learn, judge = tlkit.load_dataset("digits", image_size=28).split(train=size, seed=0)
    images, tests = shifted(learn.images, 1), shifted(judge.images, 2)
    base = tlkit.load_backbone(image_size=parameters["image_size"])

    def pretrained(grey):
        enlarged = keras.ops.image.resize(grey, (base.input_shape[1],) * 2)
        rgb = np.repeat(np.clip(enlarged, 0, 255).round().astype("uint8"), 3, axis=-1)
        return tlkit.extract_features(base, rgb, progress=False)

    rows = []
    every = [few(learn.labels, max(parameters["per_class"]), s) for s in parameters["seeds"]]
    needed = np.unique(np.concatenate(every))
    of_needed = dict(zip(needed, pretrained(images[needed]), strict=True))
    of_tests = pretrained(tests)
    for seed in parameters["seeds"]:
        encoder, left = learn_to_copy(images, parameters["epochs"], seed)
        learnt = encoder.get_weights()
        untrained = autoencoder(seed=seed + 100)[0].get_weights()
        for per_class in parameters["per_class"]:
            chosen = few(learn.labels, per_class, seed)
            x, y = images[chosen], learn.labels[chosen]
            found = {
                "pixels, linear": probe(
                    x.reshape(len(x), -1) / 255,
                    y,
                    tests.reshape(len(tests), -1) / 255,
                    judge.labels,
                ).accuracy,
                "ImageNet, linear": probe(
                    np.stack([of_needed[n] for n in chosen]), y, of_tests, judge.labels
                ).accuracy,
            }
            for name, weights in (("random", untrained), ("autoencoder", learnt)):
                encoder.set_weights(weights)
                codes = [encoder.predict(each, verbose=0) for each in (x, tests)]
                found[f"{name}, linear"] = probe(codes[0], y, codes[1], judge.labels).accuracy
                keras.utils.set_random_seed(seed)
                model = keras.Sequential([encoder, keras.layers.Dense(10)])
                model.build((None, *x.shape[1:]))
                options = ("steps", "batch_size", "learning_rate")
                train(model, x, y, *(parameters[each] for each in options), seed=seed)
                answers = model.predict(tests, verbose=0).argmax(axis=1)
                found[f"{name}, trained on"] = float((answers == judge.labels).mean())
            for method, accuracy in found.items():
                rows.append(
                    {"seed": seed, "per_class": per_class, "method": method, "test": accuracy}
                )
            told = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
            report(f"seed {seed}, {per_class} a class (loss {left:.4f}): {told}")
        keras.backend.clear_session()
    return rows
