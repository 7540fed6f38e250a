"""Lesson 02: which task without labels teaches an encoder something that few labels can use?

Digits at random places. Four tasks that need no label: to draw the picture again (an autoencoder),
to tell by how many quarters it was turned (Gidaris et al. 2018, arXiv 1803.07728), to put its four
parts in order (a jigsaw; Noroozi & Favaro 2016, arXiv 1603.09246), and to find the other altered
copy of the same picture (contrastive; SimCLR, Chen et al. 2020, arXiv 2002.05709). All share one
encoder, one optimizer and the number of times that they see the four thousand pictures. Then a few
labels come in, for a linear classifier on the codes, and for training on, with and without altered
copies. Beside them an encoder that learnt nothing, the pixels, and the ImageNet network.
"""

import itertools

import keras
import numpy as np

import tlkit
from tlkit.representations import autoencoder
from tools.experiments import _runs
from tools.experiments._digits import shifted
from tools.experiments._training import train

PARAMETERS = {
    "seeds": list(range(5)),
    "unlabelled": 4000,
    "epochs": 20,
    "batch_size": 64,
    "rate": 2e-3,
    "temperature": 0.5,
    "per_class": [5, 20, 50],
    "labelled": {"steps": 300, "batch_size": 32, "rate": 1e-3},
    "arms": ["nothing", "drawing again", "quarter turns", "jigsaw", "contrastive"],
    "image_size": 96,
}


def part(row: dict):
    return "all"


def altered(images: np.ndarray, seed: int) -> np.ndarray:
    """Moved, turned and scaled a little, each picture otherwise."""
    change = keras.Sequential(
        [
            keras.layers.RandomTranslation(0.15, 0.15, fill_mode="constant", seed=seed),
            keras.layers.RandomRotation(0.06, fill_mode="constant", seed=seed),
            keras.layers.RandomZoom((-0.2, 0.2), fill_mode="constant", seed=seed),
        ]
    )
    return np.asarray(change(images.astype("float32"), training=True))


def jigsaws(images: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """The four quarters of each picture in such an order."""
    half = images.shape[1] // 2
    quarters = np.stack(
        [images[:, y : y + half, x : x + half] for y in (0, half) for x in (0, half)], axis=1
    )
    a, b, c, d = np.moveaxis(np.take_along_axis(quarters, orders[:, :, None, None, None], 1), 1, 0)
    rows = [np.concatenate(pair, axis=2) for pair in ((a, b), (c, d))]
    return np.concatenate(rows, axis=1)


def fit_answers(model: keras.Model, images: np.ndarray, ask, parameters: dict, seed: int) -> None:
    """Train on questions that are asked anew in each epoch: `ask` gives pictures and answers."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(parameters["rate"]), loss)
    for epoch in range(parameters["epochs"]):
        rng = np.random.default_rng([seed, epoch])
        asked, answers = ask(images, rng)
        model.fit(asked, answers, batch_size=parameters["batch_size"], verbose=0)


def draw_again(encoder, decoder, images, parameters: dict) -> None:
    copier = keras.Sequential([encoder, decoder])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    copier.compile(keras.optimizers.Adam(parameters["rate"]), loss)
    options = {"batch_size": parameters["batch_size"], "epochs": parameters["epochs"]}
    copier.fit(images, images / 255, verbose=0, **options)


def quarter_turns(encoder, images, parameters: dict, seed: int) -> None:
    def ask(images, rng):
        turns = rng.integers(0, 4, len(images))
        return np.stack([np.rot90(each, n) for each, n in zip(images, turns, strict=True)]), turns

    model = keras.Sequential([encoder, keras.layers.Dense(4)])
    fit_answers(model, images, ask, parameters, seed)


def jigsaw(encoder, images, parameters: dict, seed: int) -> None:
    orders = np.array(list(itertools.permutations(range(4))))

    def ask(images, rng):
        answers = rng.integers(0, len(orders), len(images))
        return jigsaws(images, orders[answers]), answers

    model = keras.Sequential([encoder, keras.layers.Dense(len(orders))])
    fit_answers(model, images, ask, parameters, seed)


def contrastive(encoder, images, parameters: dict, seed: int) -> None:
    """Of a batch of pairs, each picture has to find its partner among all others."""

    def loss(_, found):
        found = keras.ops.normalize(found, axis=-1)
        count = keras.ops.shape(found)[0]
        alike = found @ keras.ops.transpose(found) / parameters["temperature"]
        alike -= 1e9 * keras.ops.eye(count)  # nobody is a partner of oneself
        partners = keras.ops.roll(keras.ops.arange(count), count // 2)
        return keras.losses.sparse_categorical_crossentropy(partners, alike, from_logits=True)

    relu = keras.layers.Dense(64, activation="relu")
    model = keras.Sequential([encoder, relu, keras.layers.Dense(32)])
    model.compile(keras.optimizers.Adam(parameters["rate"]), loss)
    pairs = parameters["batch_size"]
    for epoch in range(parameters["epochs"]):
        order = np.random.default_rng([seed, epoch]).permutation(len(images))
        one, other = (altered(images[order], 2 * epoch + side) for side in (0, 1))
        whole = len(images) // pairs * pairs
        both = [each[:whole].reshape(-1, pairs, *each.shape[1:]) for each in (one, other)]
        both = np.concatenate(both, axis=1).reshape(-1, *images.shape[1:])
        model.fit(both, np.zeros(len(both)), batch_size=2 * pairs, shuffle=False, verbose=0)


def learnt(arm: str, images: np.ndarray, parameters: dict, seed: int) -> keras.Model:
    """The encoder after a task without labels."""
    encoder, decoder = autoencoder(seed=seed)
    if arm == "drawing again":
        draw_again(encoder, decoder, images, parameters)
    elif arm == "quarter turns":
        quarter_turns(encoder, images, parameters, seed)
    elif arm == "jigsaw":
        jigsaw(encoder, images, parameters, seed)
    elif arm == "contrastive":
        contrastive(encoder, images, parameters, seed)
    return encoder


def few(labels: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Rows of so many random pictures of each class."""
    order = np.random.default_rng(seed).permutation(len(labels))
    return np.concatenate([order[labels[order] == each][:per_class] for each in range(10)])


def linear(seen, labels, unseen, answers) -> tuple[float, float]:
    """Accuracy of a linear classifier on what it learnt from, and on the test."""
    head = tlkit.fit_linear_head(seen, labels)
    return _runs.share_right(head(seen), labels), _runs.share_right(head(unseen), answers)


def run(parameters: dict, report) -> list[dict]:
    learn, judge = tlkit.load_dataset("digits", image_size=28).split(
        train=parameters["unlabelled"], seed=0
    )
    images, tests = (shifted(each.images, seed) for each, seed in ((learn, 1), (judge, 2)))
    base = tlkit.load_backbone(image_size=parameters["image_size"])
    side, after, rows = base.input_shape[1:3], parameters["labelled"], []

    def pretrained(grey):
        enlarged = np.asarray(keras.ops.image.resize(grey.astype("float32"), side))
        rgb = np.repeat(enlarged.clip(0, 255).round().astype("uint8"), 3, axis=-1)
        return tlkit.extract_features(base, rgb, progress=False)

    def add(seed, per_class, arm, how, train, test):
        row = {"seed": seed, "per_class": per_class, "arm": arm, "how": how}
        rows.append({**row, "train": train, "test": test})
        report("{arm}, {how}, {per_class} a class, seed {seed}: {test:.3f}".format(**rows[-1]))

    of_tests = pretrained(tests)
    for seed in parameters["seeds"]:
        for per_class in parameters["per_class"]:
            chosen = few(learn.labels, per_class, seed)
            x, y = images[chosen], learn.labels[chosen]
            flat = [each.reshape(len(each), -1) / 255 for each in (x, tests)]
            add(seed, per_class, "pixels", "linear", *linear(flat[0], y, flat[1], judge.labels))
            right = linear(pretrained(x), y, of_tests, judge.labels)
            add(seed, per_class, "ImageNet", "linear", *right)
        for arm in parameters["arms"]:
            encoder = learnt(arm, images, parameters, seed)
            weights = encoder.get_weights()
            for per_class in parameters["per_class"]:
                chosen = few(learn.labels, per_class, seed)
                x, y = images[chosen], learn.labels[chosen]
                encoder.set_weights(weights)
                codes = [encoder.predict(each, verbose=0) for each in (x, tests)]
                add(seed, per_class, arm, "linear", *linear(codes[0], y, codes[1], judge.labels))
                for how in ("trained on", "trained on, altered copies"):
                    encoder.set_weights(weights)
                    keras.utils.set_random_seed(seed)
                    model = keras.Sequential([encoder, keras.layers.Dense(10)])
                    model.build((None, *x.shape[1:]))
                    seen, answers = x.astype("float32"), y
                    if how.endswith("copies"):
                        times = -(-after["steps"] * after["batch_size"] // len(x))
                        seen = np.concatenate([altered(x, each) for each in range(times)])
                        answers = np.tile(y, times)
                    options = (after[each] for each in ("steps", "batch_size", "rate"))
                    train(model, seen, answers, *options, seed=seed)
                    right = [
                        _runs.share_right(model.predict(each, verbose=0), labels)
                        for each, labels in ((x, y), (tests, judge.labels))
                    ]
                    add(seed, per_class, arm, how, *right)
            keras.backend.clear_session()
    return rows
