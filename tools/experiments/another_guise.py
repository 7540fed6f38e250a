"""Deeper shelf, H3: the same task in another guise.

A classifier learns digits as they are, and meets them in five other guises: moved, noisy, blurred,
with light and dark exchanged, and on a coloured ground. A linear head on frozen features, and a
fine-tuned network. Two remedies: batch norm's statistics taken from the pictures at hand, without
labels, when learning and anew when a new guise is met (Schneider et al. 2020, arXiv 2006.16971),
and a few labels of the new guise beside the old ones. Nothing is chosen: rates and steps are the
course's usual ones.
"""

import keras
import numpy as np

import tlkit
from tlkit.finetuning import fit_fading
from tools.experiments import _runs

PARAMETERS = {
    "seeds": list(range(5)),
    "image_size": 96,
    "labels": 300,
    "unlabelled": 300,
    "test": 500,
    "target_labels": [20, 100],
    "guises": ["as they are", "moved", "noisy", "blurred", "exchanged", "coloured ground"],
    "from_layer": "block_07",
}


def part(row: dict):
    return row["guise"]


def disguised(images: np.ndarray, guise: str, seed: int) -> np.ndarray:
    """Digits in another guise: uint8 of the same shape."""
    rng, x = np.random.default_rng(seed), images.astype("float32")
    if guise == "moved":
        steps = rng.integers(-20, 21, (len(x), 2))
        x = np.stack([np.roll(each, step, (0, 1)) for each, step in zip(x, steps, strict=True)])
    elif guise == "noisy":
        x = x + rng.normal(0, 60, x.shape)
    elif guise == "blurred":
        side = x.shape[1]
        small = keras.ops.image.resize(x, (side // 8, side // 8), antialias=True)
        x = np.asarray(keras.ops.image.resize(small, (side, side), interpolation="bicubic"))
    elif guise == "exchanged":
        x = 255 - x
    elif guise == "coloured ground":
        ground = rng.integers(40, 200, (len(x), 1, 1, 3))
        x = np.maximum(x, 0) / 255 * (255 - ground) + ground
    return x.clip(0, 255).round().astype("uint8")


def reestimated(base: keras.Model, images: np.ndarray) -> None:
    """Give every batch norm the mean and variance that it meets on these pictures."""
    normalisers = [
        each for each in base.layers if isinstance(each, keras.layers.BatchNormalization)
    ]
    for layer in normalisers:
        layer.trainable = True
    batches = np.array_split(images, max(1, len(images) // 100))
    for number, batch in enumerate(batches):
        for layer in normalisers:
            # So that all batches count alike.
            layer.momentum = number / (number + 1)
        base(batch.astype("float32"), training=True)


def run(parameters: dict, report) -> list[dict]:
    size, rows = parameters["image_size"], []
    test, draw = _runs.task("digits", size, parameters["test"])
    base = tlkit.load_backbone(image_size=size)
    body = base.get_weights()
    for seed in parameters["seeds"]:
        count = parameters["labels"] + parameters["unlabelled"] + max(parameters["target_labels"])
        pool = draw(count, seed)
        learn, rest = pool.split(train=parameters["labels"], seed=seed)
        free, target = rest.split(train=parameters["unlabelled"], seed=seed)
        for arm in ("frozen features", "fine-tuned"):

            def fitted(images, labels, anew=False, arm=arm, seed=seed):
                """The weights of the network and of the head after learning from these."""
                base.set_weights(body)
                if anew:
                    reestimated(base, images)
                seen = tlkit.extract_features(base, images, cache=False, progress=False)
                head = tlkit.fit_linear_head(seen, labels)
                if arm == "fine-tuned":
                    model = tlkit.attach_head(base, head)
                    fit_fading(model, images, labels, parameters["from_layer"], seed)
                    *weights, kernel, bias = model.get_weights()
                    return weights, kernel, bias
                return base.get_weights(), *head.get_weights()

            def judged(weights, kernel, bias, images, labels, anew=None):
                base.set_weights(weights)
                if anew is not None:
                    reestimated(base, anew)
                seen = tlkit.extract_features(base, images, cache=False, progress=False)
                return _runs.share_right(seen @ kernel + bias, labels)

            learnt = fitted(learn.images, learn.labels)
            learnt_anew = fitted(learn.images, learn.labels, anew=True)
            train = judged(*learnt, learn.images, learn.labels)
            for guise in parameters["guises"]:
                unseen = disguised(test.images, guise, 1000)
                found = {
                    "nothing": judged(*learnt, unseen, test.labels),
                    "statistics anew": judged(
                        *learnt_anew, unseen, test.labels, disguised(free.images, guise, seed)
                    ),
                }
                for labels in parameters["target_labels"] if guise != "as they are" else []:
                    few = disguised(target.images[:labels], guise, seed)
                    both = np.concatenate([learn.images, few])
                    answers = np.concatenate([learn.labels, target.labels[:labels]])
                    again = fitted(both, answers)
                    found[f"{labels} labels"] = judged(*again, unseen, test.labels)
                for remedy, right in found.items():
                    row = {"guise": guise, "arm": arm, "remedy": remedy, "seed": seed}
                    rows.append({**row, "train": train, "test": right})
                told = ", ".join(f"{remedy} {right:.3f}" for remedy, right in found.items())
                report(f"{arm}, {guise}, seed {seed}: {told}")
            base.set_weights(body)
            keras.backend.clear_session()
    return rows
