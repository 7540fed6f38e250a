"""Hostile uses of the package's public face: whatever is passed, it is right, or a clear error.

The workshop has its own: `test_workshop_uses.py`.
"""

import tempfile
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import strategies as st
from keras import layers
from matplotlib.figure import Figure
from PIL import Image
from threadpoolctl import threadpool_limits

import tlkit
from tests.package.hostile import (
    anything,
    assert_right_or_refused,
    datasets,
    numbers,
    or_anything,
)
from tests.package.tiny_workshop import SIZE, pictures, tiny_backbone, write_folder
from tlkit import course, data, explain, networks, plots, representations, scores
from tlkit.data.copies import fingerprints
from tlkit.keras_tools import seeded

PLACE = Path(tempfile.mkdtemp(prefix="tlkit-uses-"))


# --- what is passed: models, features, labels, pictures ---


def with_head(activation=None, classes=2, loss="sparse_categorical_crossentropy"):
    """A small classifier, compiled to end in logits or in what `activation` makes of them."""
    base = tiny_backbone()
    x = layers.GlobalAveragePooling2D()(base.output)
    model = keras.Model(base.input, layers.Dense(classes, activation, name="head")(x))
    loss = keras.losses.get({"class_name": loss, "config": {"from_logits": not activation}})
    model.compile("adam", loss)
    return model


def make_models():
    """Models that fit and models that do not, by what they are."""
    picture, numbers_ = keras.Input((SIZE, SIZE, 3)), keras.Input((5,))
    pooled = layers.GlobalAveragePooling2D()(picture)
    with seeded(0):
        return {
            "logits": with_head(),
            "backbone": tiny_backbone(),
            "head": keras.Sequential([keras.Input((8,)), layers.Dense(2)]),
            "softmax": with_head("softmax"),
            "sigmoid": with_head("sigmoid", 1, "binary_crossentropy"),
            "one-hot": with_head(loss="categorical_crossentropy"),
            "three": with_head(classes=3),
            "two inputs": keras.Model(
                [picture, numbers_], layers.Dense(2)(layers.Concatenate()([pooled, numbers_]))
            ),
            "two outputs": keras.Model(picture, [layers.Dense(2)(pooled), layers.Dense(2)(pooled)]),
            "unbuilt": keras.Sequential([layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)]),
            "empty": keras.Sequential(),
            "no weights": keras.Model(picture, pooled),
            "grey": keras.Sequential(
                [keras.Input((SIZE, SIZE, 1)), layers.Flatten(), layers.Dense(2)]
            ),
            "own code": keras.Model(picture, layers.Dense(2)(layers.Lambda(keras.ops.abs)(pooled))),
        }


MODELS: dict[str, keras.Model] = {}
KINDS = ["logits", "backbone", "head", "softmax", "sigmoid", "one-hot", "three", "two inputs"]
KINDS += ["two outputs", "unbuilt", "empty", "no weights", "grey", "own code"]


def models(*fitting):
    """Mostly a model that fits; else another, or what is no model."""
    kinds = st.sampled_from([*fitting] * 3) | st.sampled_from(KINDS)
    return or_anything(kinds.map(MODELS.__getitem__))


def some(*values):
    return or_anything(st.sampled_from(values))


RNG = np.random.default_rng(0)
CLEAN = pictures((6, 6))
FEATURES, LABELS = RNG.normal(size=(12, 8)).astype("float32"), CLEAN.labels
images = some(CLEAN.images, CLEAN.images[:1], CLEAN.images.astype("float32"))
image = some(CLEAN.images[0], CLEAN.images[3].astype("float32"), CLEAN.images[:1])
features, labels = some(FEATURES, FEATURES[:3]), some(LABELS, LABELS[:3], list(LABELS))
logits = some(FEATURES[:, :3], FEATURES[:2, :2])
layer_names = some("stem", "stem_conv", "features", "head", "Stem", None)
seeds, rates = or_anything(st.integers(0, 9)), some(1e-3, 0.01, 1)
small, steps = or_anything(st.integers(1, 6)), some(1, 2, 3)
shares = or_anything(st.floats(0, 1))
words = some("a", "b", "", "x" * 99)
names = some(("a", "b"), ["cat", "dog", "fox"], ("a",), "ab")
datasets_, quiet = or_anything(datasets()), st.just(False)
keys = st.just({"title": None, "alt": None})
by_depth = some({"stem": FEATURES, "end": FEATURES[:, :2]}, {"stem": FEATURES}, {})


# --- what comes of it ---


def finite(found):
    assert np.isfinite(np.asarray(found, "float64")).all()


def drawn(figure):
    assert isinstance(figure, Figure) and figure.alt
    assert not plt.get_fignums()


def ends_in_logits(model):
    assert isinstance(model, keras.Model) and len(model.output_shape) == 2


def a_share(found):
    assert 0 <= found.low <= found.accuracy <= found.high <= 1


def a_data_set(found):
    assert len(found.images) == len(found.labels) and found.describe()


def told(findings):
    assert repr(findings)


def anything_goes(_found):
    """An action without a result."""


def make_dataset(**given):
    return tlkit.ImageDataset(**given)


def split(dataset, train, seed):
    one, other = dataset.split(train, seed)
    assert len(one) + len(other) <= len(dataset)
    return one


def subset(dataset, indices):
    return dataset.subset(indices)


def draw_rows(rows, by):
    table = course.Results(rows, by)
    return repr(table), table.runs(), table.values("test")


def ask(text, choices):
    return course.quiz([course.Question(text, choices)])


plot_words = {"title": words | st.none(), "caption": words | st.none(), "alt": words | st.none()}
ROWS = [{"seed": seed, "arm": arm, "test": 0.5} for seed in range(2) for arm in "ab"]
USED = {
    # data
    "ImageDataset": (
        make_dataset,
        {
            "images": images,
            "labels": labels,
            "class_names": names,
            "name": words,
            "skipped": some((), (("a", "b"),)),
            "notes": some((), ("a",)),
        },
        a_data_set,
    ),
    "split": (split, {"dataset": datasets(), "train": some(4, 0.5, 1), "seed": seeds}, a_data_set),
    "subset": (
        subset,
        {
            "dataset": datasets(),
            "indices": some([0, 1], np.arange(3), np.array([True]), -1, [0, 0]),
        },
        a_data_set,
    ),
    "load_dataset": (
        tlkit.load_dataset,
        {
            "name": some("photos", "photo", "digits"),
            "n": some(5, None, 11),
            "image_size": some(16, 33, 10**9),
            "seed": seeds,
        },
        a_data_set,
    ),
    "load_folder": (
        tlkit.load_folder,
        {
            "path": some(PLACE / "folder", str(PLACE / "folder"), PLACE, PLACE / "good.png"),
            "image_size": some(16, 32, 10**9),
        },
        a_data_set,
    ),
    "load_pictures": (
        tlkit.load_pictures,
        {
            "source": some(
                PLACE / "folder", str(PLACE / "folder"), PLACE / "good.png", "no_such_set"
            )
            | st.tuples(images, labels),
            "image_size": some(16, 32, 10**9),
            "n": st.none() | small,
            "part": some(None, "train"),
            "columns": some(None, ("a", "b")),
            "class_names": some(None, ["a", "b"]),
            "seed": seeds,
        },
        a_data_set,
    ),
    "read_pictures": (
        data.read_pictures,
        {
            "paths": some(PLACE / "good.png", [str(PLACE / "good.png")], PLACE / "words.png", []),
            "image_size": some(16, 32, 10**9),
            "white": some(None, 255, 65535),
        },
        finite,
    ),
    "compose_people": (
        data.compose_people,
        {"n": some(1, 2, 0), "image_size": some(32, 33), "seed": seeds, "masks": st.booleans()},
        len,
    ),
    "find_copies": (data.find_copies, {"images": images}, len),
    "copies_of_known": (
        data.copies_of_known,
        {"images": images, "known": some(fingerprints(CLEAN.images), np.zeros((0, 800)))},
        len,
    ),
    "verify_dataset": (data.verify_dataset, {"name": some("photos", "digit")}, len),
    # networks
    "load_backbone": (
        tlkit.load_backbone,
        {
            "name": some("efficientnet-lite0", "resnet", "EfficientNet-Lite0"),
            "image_size": some(32, 31, 0),
            "classifier": st.booleans(),
            "weights": some(None, "mine"),
            "model": st.none() | models("backbone", "no weights", "grey", "two outputs"),
            "preprocess": some(None, np.sqrt),
        },
        lambda found: finite(found(CLEAN.images[:1].astype("float32"))),
    ),
    "backbone_card": (tlkit.backbone_card, {"name": some("efficientnet-lite0", "lenet")}, len),
    "decode_predictions": (
        tlkit.decode_predictions,
        {"logits": some(RNG.normal(size=(2, 1000)), RNG.normal(size=(1, 999))), "top": small},
        len,
    ),
    "small_network": (
        tlkit.small_network,
        {"image_size": some(32, 64, 10**9), "classes": small, "seed": seeds},
        ends_in_logits,
    ),
    "student_network": (
        tlkit.student_network,
        {
            "kind": some("small", "mixer", "large"),
            "image_size": some(32, 48, 10**9),
            "classes": small,
            "seed": seeds,
        },
        ends_in_logits,
    ),
    "narrow_network": (
        networks.narrow_network,
        {"classes": small, "seed": seeds},
        lambda found: found.count_params(),
    ),
    "autoencoder": (networks.autoencoder, {"code": small, "seed": seeds}, len),
    "multiply_adds": (
        tlkit.multiply_adds,
        {"model": models("logits")},
        lambda found: found >= 0,
    ),
    # the ideas
    "extract_features": (
        tlkit.extract_features,
        {
            "model": models("logits", "backbone"),
            "images": images,
            "layer": layer_names,
            "pooled": anything,
            "batch_size": small,
            "cache": st.booleans(),
            "progress": quiet,
        },
        finite,
    ),
    "fit_linear_head": (
        tlkit.fit_linear_head,
        {"features": features, "labels": labels, "C": rates},
        ends_in_logits,
    ),
    "cross_validate": (
        tlkit.heads.cross_validate,
        {"features": features, "labels": labels, "C": rates, "folds": small, "seed": seeds},
        finite,
    ),
    "attach_head": (
        tlkit.attach_head,
        {"base": models("backbone"), "head": models("head")},
        ends_in_logits,
    ),
    "features_by_depth": (
        representations.features_by_depth,
        {
            "model": models("logits", "backbone"),
            "images": images,
            "layers": some(["stem"], ["stem", "features"], None, []),
            "batch_size": small,
            "cache": st.booleans(),
            "progress": quiet,
        },
        len,
    ),
    "probe": (
        representations.probe,
        {
            "features": features,
            "labels": labels,
            "test_features": features,
            "test_labels": labels,
            "C": rates,
        },
        a_share,
    ),
    "probe_by_depth": (
        representations.probe_by_depth,
        {
            "features": by_depth,
            "labels": labels,
            "test_features": by_depth,
            "test_labels": labels,
            "C": rates,
        },
        len,
    ),
    "best_depth": (
        representations.best_depth,
        {"features": by_depth, "labels": labels, "folds": small, "seed": seeds, "C": rates},
        len,
    ),
    "project": (
        representations.project,
        {
            "features": features,
            "method": some("pca", "tsne", "t-sne", "umap"),
            "perplexity": some(2, 5.0, 30),
            "seed": seeds,
        },
        finite,
    ),
    "unfreeze": (
        tlkit.unfreeze,
        {
            "model": models("logits", "backbone"),
            "from_layer": layer_names,
            "quiet": st.just(True),
        },
        anything_goes,
    ),
    "fine_tune": (
        tlkit.fine_tune,
        {
            "model": models("logits", "one-hot"),
            "train": datasets_,
            "validation": st.none() | datasets_,
            "from_layer": layer_names,
            "learning_rate": rates,
            "epochs": some(1),
            "patience": small,
            "batch_size": small,
            "seed": seeds,
            "progress": quiet,
        },
        lambda found: ends_in_logits(found.model),
    ),
    "layer_groups": (
        tlkit.layer_groups,
        {"model": models("logits", "backbone"), "groups": some(2, 1, ["stem", "head"], [], 99)},
        len,
    ),
    "differential_optimizer": (
        tlkit.differential_optimizer,
        {
            "model": models("logits"),
            "learning_rate": rates,
            "ratio": some(2.0, 3, 1),
            "groups": some(2, 1, ["stem", "head"]),
            "optimizer": some(keras.optimizers.AdamW, keras.optimizers.SGD, "adam"),
        },
        lambda found: isinstance(found, keras.optimizers.Optimizer),
    ),
    "find_learning_rate": (
        tlkit.find_learning_rate,
        {
            "model": models("logits", "one-hot"),
            "train": datasets_,
            "optimizer": some(keras.optimizers.AdamW, keras.optimizers.SGD, "adam"),
            "lowest": some(1e-6, 1e-4),
            "highest": some(1.0, 0.1),
            "steps": some(3, 5, 10),
            "batch_size": small,
            "seed": seeds,
            "progress": quiet,
        },
        lambda found: found.draw().alt,
    ),
    "distill": (
        tlkit.distill,
        {
            "teacher": or_anything(models("logits") | st.just(RNG.normal(size=(12, 2)))),
            "student": models("logits", "three"),
            "images": images | datasets_,
            "temperature": some(3.0, 1),
            "alpha": shares,
            "labels": st.none() | labels,
            "steps": steps,
            "batch_size": small,
            "learning_rate": rates,
            "seed": seeds,
            "progress": quiet,
        },
        ends_in_logits,
    ),
    "soften": (tlkit.soften, {"logits": logits, "temperature": some(1.0, 4, 0.5)}, finite),
    "diagnose": (
        tlkit.diagnose,
        {
            "model": models("logits", "softmax", "sigmoid", "one-hot", "three"),
            "dataset": st.none() | datasets_ | st.tuples(images, labels),
        },
        told,
    ),
    "grad_cam": (
        explain.grad_cam,
        {
            "model": models("logits"),
            "image": image,
            "class_index": some(0, 1, None),
            "layer": layer_names,
        },
        finite,
    ),
    "saliency": (
        explain.saliency,
        {
            "model": models("logits"),
            "image": image,
            "class_index": some(0, 1, None),
            "smooth": some(0, 2),
            "seed": seeds,
        },
        finite,
    ),
    "maximise_activation": (
        explain.maximise_activation,
        {
            "model": models("logits", "backbone"),
            "layer": layer_names,
            "channel": some(0, 1, [0, 1], []),
            "steps": steps,
            "step_size": some(0.03, 1),
            "seed": seeds,
        },
        finite,
    ),
    "strongest_patches": (
        explain.strongest_patches,
        {
            "model": models("logits", "backbone"),
            "images": images,
            "layer": layer_names,
            "channel": some(0, 1),
            "n": small,
            "patch": some(8, 16, 99),
        },
        len,
    ),
    "score": (scores.score, {"labels": labels, "predictions": labels}, a_share),
    "paired_difference": (
        scores.paired_difference,
        {"ours": some([0.5, 0.6, 0.7], [0.5]), "theirs": some([0.4, 0.6, 0.9], [])},
        lambda found: found.low <= found.mean <= found.high,
    ),
    # plots
    "bars_with_intervals": (
        plots.bars_with_intervals,
        {
            "labels": names,
            "values": some([0.1, 0.2], [1.0]),
            "intervals": some(None, [(0, 0.2), (0.1, 0.3)]),
            "value_label": words,
            "percent": st.booleans(),
            **plot_words,
        },
        drawn,
    ),
    "confusion_matrix": (
        plots.confusion_matrix,
        {
            "matrix": some([[1, 2], [3, 4]], np.eye(3, dtype=int)),
            "class_names": names,
            **plot_words,
        },
        drawn,
    ),
    "curve": (
        plots.curve,
        {
            "x": some([1, 2, 3], [1]),
            "ys": some([[1, 2, 3]], [[1, 2, 3], [3, 2, 1]], [[1]]),
            "labels": names,
            "spread": some(None, [[(0, 1)] * 3]),
            "x_label": words,
            "y_label": words,
            "log_x": st.booleans(),
            "percent": st.booleans(),
            **plot_words,
        },
        drawn,
    ),
    "scatter_labelled": (
        plots.scatter_labelled,
        {
            "x": some([1, 2], [1]),
            "y": some([3, 4], [2]),
            "labels": names,
            "x_label": words,
            "y_label": words,
            "log_x": st.booleans(),
            **plot_words,
        },
        drawn,
    ),
    "filters": (
        plots.filters,
        {
            "kernel": some(RNG.normal(size=(3, 3, 3, 4)), RNG.normal(size=(3, 3, 1, 2))),
            "columns": small,
        },
        drawn,
    ),
    "heat_overlay": (
        plots.heat_overlay,
        {"image": image, "heat": some(np.ones((SIZE, SIZE)), np.zeros((4, 4))), "title": words},
        drawn,
    ),
    "image_grid": (
        plots.image_grid,
        {
            "images": images,
            "titles": some(None, ["a"] * 12, []),
            "columns": small | st.none(),
            "masks": some(None, {"a": np.zeros((12, SIZE, SIZE), bool)}, {}),
        },
        drawn,
    ),
    "predictions": (
        plots.predictions,
        {"image": image, "names": names, "probabilities": some([0.9, 0.1], [1.0])},
        drawn,
    ),
    # course
    "Results": (
        draw_rows,
        {"rows": some(ROWS, ROWS[:1], []), "by": some(("arm",), ("seed",), "arm", ())},
        len,
    ),
    "results": (
        tlkit.results,
        {"name": some("label_counts", "labels"), "by": some((), ("arm",))},
        repr,
    ),
    "quiz": (
        ask,
        {
            "text": words,
            "choices": some([("a", "Right: so it is"), ("b", "No: not so")], [("a", "no")], []),
        },
        anything_goes,
    ),
    "claim": (
        course.claim,
        {
            "statement": some("it holds", ""),
            "holds": some(True, 0.5, np.float32(1), np.bool_(True)),
            "evidence": words,
            "above": some(None, 0.1),
            "below": some(None, 0.9),
        },
        anything_goes,
    ),
    "check": (
        course.check,
        {
            "answer": anything,
            "right": some(3, 0.5, "a", [1, 2]),
            "tolerance": some(None, 0.1),
            "hint": words,
            "name": some("", "a"),
        },
        anything_goes,
    ),
    "explore": (
        course.explore,
        {"function": some(lambda x: x, 3), "x": some((0, 5), [1, 2], "a", numbers)},
        anything_goes,
    ),
}


@pytest.fixture(scope="module", autouse=True)
def small_world():
    """Models that are built once, and a few files."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        patch.setenv("TLKIT_CACHE", str(PLACE / "cache"))
        patch.chdir(PLACE)
        Image.fromarray(CLEAN.images[0]).save(PLACE / "good.png")
        (PLACE / "words.png").write_text("words")
        write_folder(PLACE / "folder", (3, 3))
        MODELS.update(make_models())
        yield
        MODELS.clear()


@pytest.mark.parametrize("name", USED)
def test_whatever_is_passed_it_is_right_or_there_is_a_clear_error(name):
    assert_right_or_refused(name, *USED[name])
