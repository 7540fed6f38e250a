"""Linear heads: logistic regression as a Keras layer, judged by what it was not fitted on."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tlkit
from tlkit.errors import InputError
from tlkit.heads import cross_validate, folds_for

SIZE = 32


def two_clouds(n, classes=2, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    centres = rng.normal(size=(classes, 6)) * 3
    return centres[labels] + rng.normal(size=(n, 6)), labels


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_linear_head_does_not_mind_units(scale, shift):
    features, labels = two_clouds(40)
    same = tlkit.fit_linear_head(features, labels)(features).numpy().argmax(axis=1)
    moved = features * scale + shift
    again = tlkit.fit_linear_head(moved, labels)(moved).numpy().argmax(axis=1)
    assert (same == again).mean() > 0.95


def test_a_class_that_never_occurs_is_never_answered():
    features, labels = two_clouds(40)
    head = tlkit.fit_linear_head(features, labels * 2)  # classes 0 and 2
    assert head.output_shape == (None, 3)
    assert set(head(features).numpy().argmax(axis=1)) == {0, 2}


@pytest.mark.parametrize("constant", [slice(0, 1), slice(None)])
def test_features_that_never_change_do_no_harm(constant):
    features, labels = two_clouds(40)
    features[:, constant] = 7.0
    assert np.isfinite(tlkit.fit_linear_head(features, labels)(features).numpy()).all()


@pytest.mark.parametrize(
    ("features", "labels", "said"),
    [
        (np.zeros((4, 2, 2)), [0, 1, 0, 1], "do not fit"),
        (np.zeros((4, 2)), [0, 1, 0], "do not fit"),
        (np.full((4, 2), np.nan), [0, 1, 0, 1], "do not fit"),
        (np.zeros((4, 2)), [1, 1, 1, 1], "two classes"),
        (np.zeros((4, 2)), [0, -1, 0, 1], "two classes"),
        (np.zeros((4, 2)), [0.5, 1, 0, 1], "two classes"),
        (np.zeros((4, 2)), ["a", "b", "a", "b"], "two classes"),
    ],
)
def test_linear_head_wants_features_and_labels_that_fit(features, labels, said):
    with pytest.raises(InputError, match=said):
        tlkit.fit_linear_head(features, labels)


# --- cross-validation --------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 4])
def test_each_part_is_judged_by_a_head_fitted_on_the_others(classes):
    from sklearn.model_selection import StratifiedKFold

    features, labels = two_clouds(60, classes)
    found = cross_validate(features, labels, C=0.5, folds=3, seed=1)
    parts = StratifiedKFold(3, shuffle=True, random_state=1)
    for learn, judge in parts.split(features, labels):
        head = tlkit.fit_linear_head(features[learn], labels[learn], C=0.5)
        np.testing.assert_array_equal(found[judge], head(features[judge]))
    assert found.shape == (60, classes) and (found.argmax(axis=1) == labels).mean() > 0.9


def test_there_are_five_parts_or_as_many_as_the_rarest_class_allows():
    assert [folds_for(np.repeat([0, 2], [9, n])) for n in (1, 2, 3, 5, 9)] == [2, 2, 3, 5, 5]
    features, labels = two_clouds(60)
    default, five = (cross_validate(features, labels, folds=n) for n in (None, 5))
    assert np.array_equal(default, five)


@pytest.mark.parametrize("folds", [1, 31, 2.5, "many"])
def test_parts_must_fit_the_pictures(folds):
    with pytest.raises(InputError, match="30 pictures, which cannot be cut"):
        cross_validate(*two_clouds(60), folds=folds)


def test_a_class_that_a_head_never_saw_is_not_answered():
    features, labels = two_clouds(40)
    labels[0] = 2
    with pytest.warns(UserWarning, match="least populated"):
        found = cross_validate(features, labels)
    assert found.shape == (40, 3) and found[0].argmax() != 2


@pytest.mark.parametrize("C", [0, -1, np.nan, "strong"])
def test_the_strength_is_a_number_above_0(C):
    with pytest.raises(InputError, match="`C`"):
        tlkit.fit_linear_head(*two_clouds(40), C=C)


# --- joined to a backbone ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def base():
    return tlkit.load_backbone("efficientnet-lite0", image_size=SIZE)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3)).astype("uint8")


def test_attached_head_answers_as_features_and_head_do(base, images):
    features = tlkit.extract_features(base, images, cache=False)
    head = tlkit.fit_linear_head(features, np.array([0, 1, 2, 0, 1]))
    model = tlkit.attach_head(base, head)
    assert model.input_shape == (None, SIZE, SIZE, 3)
    np.testing.assert_allclose(model(images), head(features), rtol=1e-2, atol=1e-3)
    assert model.get_layer("block_12") is base.get_layer("block_12")


def test_a_head_of_another_width_does_not_fit(base):
    head = keras.Sequential([keras.Input((7,)), keras.layers.Dense(2)])
    with pytest.raises(InputError, match="7 features"):
        tlkit.attach_head(base, head)
