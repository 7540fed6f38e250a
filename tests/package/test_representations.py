import json

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

import tlkit
from tlkit import representations as r
from tlkit.errors import InputError
from tlkit.lessons.transfer_figures import transfer_curves, two_ways_of_learning
from tlkit.lessons.transferability import transfer_experiment

SIZE = 32


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def base():
    return tlkit.load_backbone("efficientnet-lite0", image_size=SIZE)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3)).astype("uint8")


def clouds(n=60, classes=2, seed=0, apart=4.0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    centres = np.eye(6)[:classes] * apart
    return (centres[labels] + rng.normal(size=(n, 6))).astype("float32"), labels


# --- features at every depth -----------------------------------------------------------------


def test_depths_are_stem_blocks_and_features_in_order(base):
    names = r.depth_names(base)
    assert names == ["stem", *[f"block_{n:02d}" for n in range(16)], "features"]


def test_a_network_with_other_names_says_to_name_them():
    with pytest.raises(InputError, match="layers="):
        r.depth_names(tlkit.small_network(32))
    with pytest.raises(InputError, match="layers="):
        r.depth_names("a network")


def test_every_depth_is_what_extract_features_gives_for_it(base, images):
    found = r.features_by_depth(base, images)
    assert list(found) == r.depth_names(base)
    kept = ("stem", "block_12", "features")
    some = keras.Model(base.inputs, [base.get_layer(name).output for name in kept])
    for name, maps in zip(kept, some(images.astype("float32"), training=False), strict=True):
        expected = np.asarray(maps).mean(axis=(1, 2))
        np.testing.assert_allclose(found[name], expected, rtol=1e-3, atol=1e-3)


def test_all_depths_take_one_pass_and_are_kept(base, images, monkeypatch):
    calls = []
    real = r.read_layers
    monkeypatch.setattr(r, "read_layers", lambda *a, **k: calls.append(1) or real(*a, **k))
    first = r.features_by_depth(base, images)
    assert len(calls) == 1
    # From here on the network cannot run.
    monkeypatch.setattr("tlkit.features._compile", None)
    again = r.features_by_depth(base, images)
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_layers_can_be_named_maps_and_vectors(images):
    model = tlkit.small_network(SIZE, classes=3)
    names = [model.layers[1].name, model.layers[4].name, "logits"]
    found = r.features_by_depth(model, images, layers=names)
    assert [each.shape for each in found.values()] == [(5, 16), (5, 64), (5, 3)]
    np.testing.assert_allclose(
        found["logits"], model.predict(images, verbose=0), rtol=1e-3, atol=1e-4
    )
    (alone,) = r.features_by_depth(model, images, layers=["logits"]).values()
    np.testing.assert_allclose(alone, found["logits"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("layers", "said"),
    [(["blok_12"], "block_12"), (["stem", "pool"], "no layer 'pool'"), ([], "no layer to read")],
)
def test_unknown_layers_are_refused(base, images, layers, said):
    with pytest.raises(InputError, match=said):
        r.features_by_depth(base, images, layers=layers)


def test_a_layer_that_is_neither_maps_nor_vector_is_refused(images):
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Reshape((SIZE, 96))])
    with pytest.raises(InputError, match="neither maps"):
        r.features_by_depth(model, images, layers=[model.layers[0].name])


def test_pictures_are_checked(base, images):
    with pytest.raises(InputError, match="scaled already"):
        r.features_by_depth(base, images / 255)


# --- probes ----------------------------------------------------------------------------------


def test_a_probe_is_a_linear_head_and_its_score():
    x, y = clouds(80)
    result = r.probe(x[:40], y[:40], x[40:], y[40:])
    head = tlkit.fit_linear_head(x[:40], y[:40])
    assert result == tlkit.scores.score(y[40:], np.asarray(head(x[40:])))
    assert result.low < result.accuracy <= result.high and result.accuracy > 0.9


def test_a_probe_wants_both_from_one_layer():
    x, y = clouds(20)
    with pytest.raises(InputError, match="one layer"):
        r.probe(x, y, x[:, :3], y)


def test_probe_by_depth_wants_the_same_layers():
    x, y = clouds(20)
    found = r.probe_by_depth({"a": x, "b": x[:, :1]}, y, {"a": x, "b": x[:, :1]}, y)
    assert list(found) == ["a", "b"] and found["a"].accuracy >= found["b"].accuracy
    with pytest.raises(InputError, match="lack b"):
        r.probe_by_depth({"a": x, "b": x}, y, {"a": x}, y)


def test_the_best_depth_is_chosen_by_the_folds():
    x, y = clouds(60, classes=3)
    noise = np.random.default_rng(1).normal(size=x.shape)
    name, found = r.best_depth({"noise": noise, "telling": x, "more noise": noise}, y, folds=2)
    assert name == "telling" and found["telling"] > 0.9 > found["noise"]
    assert r.best_depth({"one": x, "two": x}, y, folds=2, seed=1)[0] == "two"  # of equals the later


@pytest.mark.parametrize(("folds", "features"), [(1, True), (31, True), (5, False)])
def test_the_folds_must_fit_the_pictures(folds, features):
    x, y = clouds(60)
    with pytest.raises(InputError, match="parts"):
        r.best_depth({"a": x} if features else {}, y, folds=folds)


# --- projections -----------------------------------------------------------------------------


def test_pca_is_the_directions_of_most_variance():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 4)) * [10, 5, 0.1, 0.1]
    found = r.project(x)
    assert found.shape == (50, 2)
    assert abs(np.corrcoef(found[:, 0], x[:, 0])[0, 1]) > 0.99
    assert abs(np.corrcoef(found[:, 1], x[:, 1])[0, 1]) > 0.99


def test_t_sne_keeps_clouds_apart_and_is_seeded():
    x, y = clouds(30, apart=30.0)
    found = r.project(x, "t-sne", seed=1)
    np.testing.assert_array_equal(found, r.project(x, "t-sne", seed=1))
    assert r.probe(found, y, found, y).accuracy == 1.0


@pytest.mark.parametrize(
    ("features", "method", "said"),
    [
        (np.zeros((4, 3)), "pca", "five pictures"),
        (np.zeros((9, 1)), "pca", "cannot be projected"),
        (np.zeros((9, 2, 2)), "pca", r"has the shape \(9, 2, 2\)"),
        (np.zeros((9, 3)), "umap", "umap"),
        (np.full((9, 3), np.nan), "pca", "NaN or infinity"),
    ],
)
def test_what_cannot_be_projected_is_refused(features, method, said):
    with pytest.raises(InputError, match=said):
        r.project(features, method)


# --- the networks and the transfer experiment ------------------------------------------------


def test_the_small_networks_are_seeded_and_take_raw_grey_pictures():
    one, two, other = (r.narrow_network(5, seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0], other[0])
    encoder, decoder = r.autoencoder(code=7, seed=1)
    assert encoder.output_shape == decoder.input_shape == (None, 7)
    assert decoder.output_shape == encoder.input_shape == (None, 32, 32, 1)
    assert np.array_equal(encoder.get_weights()[0], r.autoencoder(seed=1)[0].get_weights()[0])


def tiny(classes, seed):
    keras.utils.set_random_seed(seed)
    convolution = keras.layers.Conv2D
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 255),
            convolution(4, 3, strides=2, activation="relu"),
            convolution(4, 3, activation="relu"),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(classes),
        ]
    )


def stripes(n=80, seed=0):
    """Four classes of 8-pixel pictures: how often the brightness changes from left to right."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    waves = np.sin(np.arange(8) * (labels[:, None] + 0.5) + rng.uniform(0, 6, (n, 1)))
    images = 128 + 100 * np.repeat(waves[:, None], 8, axis=1) + rng.normal(size=(n, 8, 8))
    return images[..., None].astype("uint8"), labels


def test_the_experiment_gives_a_row_for_each_run():
    told = []
    rows = transfer_experiment(
        tiny,
        [([0, 1], [2, 3])] * 2,
        stripes(),
        stripes(40, seed=1),
        labels_per_class=4,
        treatments=["BnB+", "AnB", "random"],
        layers=[2],
        steps=5,
        report=told.append,
    )
    runs = [(row["split"], row["treatment"], row["n"]) for row in rows]
    one = [("base", 0), ("BnB+", 2), ("AnB", 2), ("random", 2)]
    assert runs == [(split, *run) for split in (0, 1) for run in one]
    assert len(told) == 8 and "split 1, AnB, n = 2" in "".join(told)
    assert json.loads(json.dumps(rows)) == rows
    assert all(0 <= row["test"] <= 1 and 0 <= row["train"] <= 1 for row in rows)


def test_frozen_layers_stay_tuned_ones_move_and_runs_do_not_meet():
    from tlkit.lessons.transferability import Trainer

    x, y = stripes()
    trainer = Trainer(tiny, 4, 5, 6, 1e-2)
    giver = [[np.full_like(w, 0.1) for w in layer] for layer in trainer.weights()]
    found = []
    for frozen in (0, 2, 0):
        trainer.fill(seed=1, giver=giver, layers=2)
        before = trainer.weights()
        assert np.array_equal(before[1][0], giver[1][0])
        assert not np.array_equal(before[2][0], giver[2][0])  # the head is never given
        trainer.fit(x, y, frozen, batch=16, seed=0)
        after = trainer.weights()
        stays = [np.array_equal(a[0], b[0]) for a, b in zip(before, after, strict=True)]
        assert stays == [frozen > 0, frozen > 0, False]
        found.append(after[0][0])
    # Nothing is left of the runs before.
    np.testing.assert_allclose(found[0], found[2], atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(per_class=st.integers(1, 20), seed=st.integers(0, 99))
def test_few_pictures_are_of_the_classes_asked_for(per_class, seed):
    from tlkit.lessons.transferability import only

    x, y = stripes()
    images, labels = only(x, y, [3, 1], per_class, seed)
    assert np.bincount(labels).tolist() == [per_class, per_class]
    known = {image.tobytes(): label for image, label in zip(x, y, strict=True)}
    assert [known[image.tobytes()] for image in images] == [[3, 1][label] for label in labels]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"splits": [([0, 1], [1, 2])]}, "overlap"),
        ({"splits": [([0, 1], [2, 9])]}, "no split"),
        ({"splits": [([0, 9], [2, 3])]}, "no split"),
        ({"splits": [([0, 1], [2])]}, "fewer than two"),
        ({"treatments": ["AnC"]}, "AnC"),
        ({"labels_per_class": 21}, "from 1 to 20"),
        ({"labels_per_class": 0}, "from 1 to 20"),
        ({"layers": [3]}, "from 1 to 2"),
        ({"layers": [0]}, "from 1 to 2"),
        ({"build": lambda classes, seed: keras.Model()}, "Sequential"),
    ],
)
def test_what_is_no_experiment_is_refused(changed, said):
    options = {
        "build": tiny,
        "splits": [([0, 1], [2, 3])],
        "train": stripes(),
        "test": stripes(40),
        "steps": 1,
        "treatments": ["random"],
        "layers": [1],
    }
    with pytest.raises(InputError, match=said):
        transfer_experiment(**options | changed)


# --- points ----------------------------------------------------------------------------------


def test_point_panels_draw_classes_boundaries_and_names():
    x, y = clouds(30)
    figure = r.point_panels(
        [x[:, :2], x[:, 2:4]],
        y,
        ["a", "b"],
        ["one", "two"],
        axis_labels=[("x", "y"), ("u", "v")],
        boundaries=[lambda points: points[:, 0] - points[:, 1], None],
        columns=2,
    )
    assert isinstance(figure, Figure) and "one, two" in figure.alt
    first, second = figure.axes
    assert (first.get_xlabel(), second.get_ylabel()) == ("x", "v")
    assert len(first.collections) == 3 and len(second.collections) == 2  # one is the boundary


@pytest.mark.parametrize(
    "changed",
    [
        {"titles": ["one", "two"]},
        {"labels": np.full(30, 2)},
        {"labels": np.zeros(30)},
        {"class_names": []},
        {"panels": [np.zeros((30, 3))]},
        {"boundaries": [None, None]},
    ],
)
def test_panels_that_do_not_fit_are_refused(changed):
    x, y = clouds(30)
    options = {"labels": y, "class_names": ["a", "b"], "titles": ["t"], "axis_labels": ("x", "y")}
    with pytest.raises(InputError):
        r.point_panels(**{"panels": [x[:, :2]]} | options | changed)


# --- what the lesson draws -------------------------------------------------------------------


def runs_of(treatments=("AnB", "random")):
    rows = [{"treatment": "base", "n": 0, "test": 0.6}]
    return rows + [
        {"treatment": name, "n": n, "test": 0.5 + 0.1 * n} for name in treatments for n in (1, 2)
    ]


def test_transfer_curves_have_a_panel_each_and_tell_their_numbers():
    figure = transfer_curves({"few": runs_of(), "many": runs_of(["BnB+"])})
    few, many = figure.axes
    assert few.get_title(loc="left") == "few" and many.get_xlabel() and few.get_ylabel()
    assert "few: B alone 60%; AnB from 60% to 70%" in figure.alt and "BnB+" in figure.alt
    assert [text.get_text() for text in figure.legends[0].texts] == [
        *("B alone", "AnB", "random"),
        "BnB+",
    ]
    # B alone; marks and means of two treatments.
    assert len(few.lines) == 1 + 2 * 2


@pytest.mark.parametrize(
    ("panels", "said"),
    [
        ({}, "B alone"),
        ({"a": runs_of()[1:]}, "B alone"),
        ({"a": runs_of(["AnC"])}, "AnC"),
    ],
)
def test_transfer_curves_want_runs_they_know(panels, said):
    with pytest.raises(InputError, match=said):
        transfer_curves(panels)


def test_two_ways_of_learning_says_what_it_shows():
    figure = two_ways_of_learning("a caption")
    assert len(figure.axes) == 2 and "early layers of task A" in figure.alt
    assert figure.caption == "a caption"


def test_shifted_digits_are_whole_and_somewhere_else():
    from tools.experiments._digits import shifted
    from tools.experiments.transferability import split

    digits = np.zeros((20, 28, 28, 3), "uint8")
    digits[:, 4:24, 4:24] = 200  # the box that holds a digit
    moved = shifted(digits, seed=0)
    assert moved.shape == (20, 32, 32, 1)
    assert (moved.astype(int).sum(axis=(1, 2, 3)) == 200 * 20 * 20).all()  # nothing is cut off
    assert len({image.tobytes() for image in moved}) > 10
    near, far = split(3, far=False), split(3, far=True)
    assert sorted(near[0] + near[1]) == list(range(10)) and near[1] == far[1]
