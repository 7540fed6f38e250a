"""`diagnose`: every known mistake is named, alone, and no correct model is blamed."""

import keras
import numpy as np
import pytest
from keras import layers, optimizers

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
    with_head,
)
from tlkit.diagnosis.findings import KNOWN
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
    assert {name for name, _ in BROKEN.values()} == set(KNOWN)
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
    found = tlkit.diagnose(compiled(with_head(small(), activation="softmax")), DATA)
    assert found and len(found) == 1
    told = repr(found)
    assert told.startswith("✗ softmax twice") and "→ End in logits" in told
    assert repr(tlkit.diagnose(small())) == "Nothing found."


def test_without_data_what_needs_none_is_still_found():
    assert names(compiled(with_head(small(), activation="softmax")), None) == ["softmax twice"]
    assert names(compiled(subclassed(small())), None) == []


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(InputError, match="not a Keras model"):
        tlkit.diagnose(lambda x: x)
    with pytest.raises(InputError, match="call it once"):
        tlkit.diagnose(Subclassed(keras.Sequential([layers.Conv2D(2, 3)])))
    with pytest.raises(InputError, match="cannot take pictures"):
        tlkit.diagnose(tlkit.small_network(SIZE, CLASSES), (IMAGES[..., :1], LABELS))
