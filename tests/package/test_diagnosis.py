"""`diagnose`: every known mistake is named, alone, and no correct model is blamed.

What is called a mistake is measured, too: Keras trains a small model with it and without it.
"""

import warnings

import keras
import numpy as np
import pytest
from keras import layers, losses, optimizers

import tlkit
from tests.package.diagnosed_models import (
    BROKEN,
    CLASSES,
    DATA,
    IMAGES,
    LABELS,
    RIGHT,
    SIZE,
    Subclassed,
    build,
    compiled,
    loss,
    mobilenet,
    small,
    small_pretrained,
    subclassed,
    two_softmax_layers,
    with_head,
)
from tlkit.diagnosis.mistakes import known
from tlkit.errors import InputError
from tlkit.keras_tools import leaf_layers


def names(model, data=DATA):
    return [each.name for each in tlkit.diagnose(model, data)]


@pytest.mark.parametrize("case", RIGHT)
def test_no_correct_model_is_blamed(case, tmp_path):
    assert names(*build(RIGHT[case], tmp_path)) == []


@pytest.mark.parametrize("case", BROKEN)
def test_each_mistake_is_named_and_nothing_else(case, tmp_path):
    name, builder = BROKEN[case]
    assert names(*build(builder, tmp_path)) == [name]


def test_every_known_finding_has_a_broken_model():
    # What shows only in a model that has learnt, or is none, is tested below.
    elsewhere = {"classes do not match", "ready for use"}
    assert {name for name, _ in BROKEN.values()} | elsewhere == set(known())
    assert len(RIGHT) >= 12


# --- what it does beside -----------------------------------------------------------------------


@pytest.mark.parametrize("data", [None, DATA], ids=["no data", "data"])
def test_looking_changes_nothing(data):
    model = with_head(mobilenet(), settled=True)
    model.add(layers.Dropout(0.5))
    compiled(model, optimizers.Adam(1e-2))
    before = [np.array(variable) for variable in model.variables]
    flags = [layer.trainable for layer in leaf_layers(model)]
    found = tlkit.diagnose(model, data)
    assert {each.name for each in found} == {"batch norm will move", "learning rate too high"}
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert flags == [layer.trainable for layer in leaf_layers(model)]
    assert all("call" not in vars(layer) for layer in leaf_layers(model))


def test_several_mistakes_come_errors_first():
    model = compiled(with_head(small_pretrained()), optimizers.Adam(0.5), loss(from_logits=False))
    found = tlkit.diagnose(model, (IMAGES / 255, LABELS))
    assert [each.severity for each in found] == sorted(each.severity for each in found)
    assert {each.name for each in found} == {
        "inputs scaled twice",
        "learning rate too high",
        "logits taken for probabilities",
        "nothing is frozen",
    }


def test_what_is_found_is_told_with_its_mend():
    found = tlkit.diagnose(two_softmax_layers(), DATA)
    assert found and len(found) == 1
    told = repr(found)
    assert told.startswith("✗ softmax twice") and "→ End in logits" in told
    assert repr(tlkit.diagnose(small())) == "Nothing found."


def test_without_data_what_needs_none_is_still_found():
    assert names(two_softmax_layers(), None) == ["softmax twice"]
    assert names(compiled(subclassed(small())), None) == []


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(InputError, match="not a Keras model"):
        tlkit.diagnose(lambda x: x)
    with pytest.raises(InputError, match="call it once"):
        tlkit.diagnose(Subclassed(keras.Sequential([layers.Conv2D(2, 3)])))
    with pytest.raises(InputError, match="cannot take pictures"):
        tlkit.diagnose(tlkit.small_network(SIZE, CLASSES), (IMAGES[..., :1], LABELS))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((IMAGES[:20], LABELS[:5]), "There are 20 pictures"),
        ((IMAGES, ["a"] * 24), "`labels` is"),
        ((IMAGES, [[0], [0, 1]] * 12), "differ in shape"),
        ((IMAGES[0], LABELS), "The pictures are"),
        ((IMAGES[:0], LABELS[:0]), "The pictures are"),
        ("pictures/", "no set of pictures"),
    ],
)
def test_data_that_cannot_be_judged_is_refused(data, words):
    with pytest.raises(InputError, match=words):
        tlkit.diagnose(tlkit.small_network(SIZE, CLASSES), data)


# --- each mistake as Keras trains it -----------------------------------------------------------

# Three classes that differ in colour: a head on the mean colour tells them apart.
COLOURED = np.full((24, 8, 8, 3), 60, "uint8")
for number, label in enumerate(LABELS):
    COLOURED[number, ..., label] = 180 + number  # no two alike
COLOURS = tlkit.ImageDataset(COLOURED, LABELS, ("red", "green", "blue"))


def on_colours(*after, activation=None, width=CLASSES, **options):
    """A head on the mean colour of the pictures; always the same at its start."""
    keras.utils.set_random_seed(0)
    head = layers.Dense(width, activation=activation, **options)
    pool = layers.GlobalAveragePooling2D()
    return keras.Sequential([keras.Input((8, 8, 3)), layers.Rescaling(1 / 255), pool, head, *after])


def trained(model, with_loss, labels=LABELS, eagerly=True, rate=0.2):
    """The model after 40 steps, and its loss in the end."""
    model.compile(optimizers.Adam(rate), with_loss, run_eagerly=eagerly)
    told = model.fit(COLOURED, labels, batch_size=24, epochs=40, shuffle=False, verbose=0)
    return model, told.history["loss"][-1]


def accuracy(model, labels=LABELS):
    return np.mean(np.asarray(model(COLOURED.astype("float32"))).argmax(1) == labels)


@pytest.fixture(scope="module")
def right():
    model, final = trained(on_colours(), loss())
    assert final < 0.1 and accuracy(model) == 1 and names(model, COLOURS) == []
    return model


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.filterwarnings("ignore:.*received `from_logits=True`")
def test_a_softmax_and_from_logits_train_the_very_same_model(right, activation):
    model, _ = trained(on_colours(activation=activation), loss())
    for ours, theirs in zip(model.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert names(model, COLOURS) == []


@pytest.mark.filterwarnings("ignore:.*received `from_logits=True`")
def test_so_they_do_in_a_graph(right):
    model, _ = trained(on_colours(activation="softmax"), loss(), eagerly=False)
    for ours, theirs in zip(model.get_weights(), right.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    assert names(model, COLOURS) == []


# With three classes, a softmax of probabilities gives 58 % at most, and costs 0.55 at least.
FLOOR = np.log(1 + 2 / np.e)


@pytest.mark.parametrize(
    ("model", "with_loss"),
    [
        (lambda: on_colours(layers.Softmax(), activation="softmax"), loss(from_logits=False)),
        (lambda: on_colours(layers.Reshape((CLASSES,)), activation="softmax"), loss()),
        (lambda: on_colours(activation="softmax", dtype="mixed_float16"), loss()),
    ],
    ids=["two softmax layers", "a layer between", "a change of precision"],
)
def test_softmax_twice_keeps_the_loss_up(model, with_loss):
    model, final = trained(model(), with_loss)
    assert final > FLOOR - 1e-3
    assert names(model, COLOURS) == ["softmax twice"]


def test_logits_taken_for_probabilities_do_not_learn():
    model, final = trained(on_colours(), loss(from_logits=False))
    assert final > 0.5
    assert names(model, COLOURS) == ["logits taken for probabilities"]


def test_inputs_scaled_twice_learn_next_to_nothing():
    finals = {}
    for scalings in (1, 2):
        keras.utils.set_random_seed(0)
        scaled = [layers.Rescaling(1 / 255) for _ in range(scalings)]
        model = keras.Sequential(
            [keras.Input((8, 8, 3)), *scaled, layers.Flatten(), layers.Dense(CLASSES)]
        )
        model, finals[scalings] = trained(model, loss(), rate=0.01)
        assert names(model, COLOURS) == ["inputs scaled twice"] * (scalings - 1)
    assert finals[1] < 0.2 and finals[2] > 0.9


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
def test_what_is_frozen_before_a_training_does_not_train():
    model = on_colours()
    model.trainable = False
    before = model.get_weights()
    compiled(model)
    assert names(model, COLOURS) == ["everything is frozen"]
    model.fit(COLOURED, LABELS, verbose=0)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_what_is_unfrozen_but_not_compiled_again_does_not_train():
    model = keras.Sequential([*on_colours().layers, layers.Dense(CLASSES)])
    model.layers[-2].trainable = False
    trained(model, loss(), eagerly=False)
    model.layers[-2].trainable = True
    before = model.get_weights()
    # As before: Keras traces other shapes of batches anew, and then it does raise an error.
    model.fit(COLOURED, LABELS, batch_size=24, shuffle=False, verbose=0)
    now = model.get_weights()
    np.testing.assert_array_equal(now[0], before[0])
    assert not np.array_equal(now[2], before[2])
    assert "trainable changed since compile" in names(model, COLOURS)


@pytest.mark.parametrize(
    ("labels", "with_loss"),
    [(np.eye(CLASSES)[LABELS], loss()), (LABELS, losses.CategoricalCrossentropy(from_logits=True))],
    ids=["rows for a sparse loss", "numbers for a categorical one"],
)
def test_labels_that_keras_stumbles_over_are_named_before(labels, with_loss):
    model = compiled(on_colours(), with_loss=with_loss)
    assert names(model, (COLOURED, labels)) == ["labels do not fit the loss"]
    with pytest.raises(ValueError, match="must have"):
        model.fit(COLOURED, labels, verbose=0)


def test_labels_of_minus_one_drive_the_loss_below_zero():
    labels = np.where(LABELS == 0, -1, 1)
    model, final = trained(on_colours(width=1), losses.BinaryCrossentropy(from_logits=True), labels)
    assert final < 0
    assert names(model, (COLOURED, labels)) == ["labels do not fit the loss"]


def test_a_head_too_wide_trains_and_only_costs():
    model, final = trained(on_colours(width=10), loss())
    assert final < 0.2 and accuracy(model) == 1
    [found] = tlkit.diagnose(model, COLOURS)
    assert (found.name, found.severity) == ("head does not fit the classes", "warning")


def test_classes_in_another_order_are_wrong_answers(right):
    swapped = tlkit.ImageDataset(COLOURED, (LABELS + 1) % CLASSES, ("blue", "red", "green"))
    assert accuracy(right, swapped.labels) == 0
    assert names(right, swapped) == ["classes do not match"]


# --- a finished model --------------------------------------------------------------------------


def test_a_finished_model_is_not_called_broken(right, tmp_path, capsys):
    from tlkit.workshop.command import main

    finished = keras.Model(right.inputs, right.outputs[0])
    finished.trainable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # as of the structure of inputs
        found = tlkit.diagnose(finished, COLOURS)
    assert not found and [each.name for each in found] == ["ready for use"]
    finished.save(tmp_path / "finished.keras")
    assert main(["diagnose", str(tmp_path / "finished.keras")]) == 0
    assert "right for a finished model" in capsys.readouterr().out
