"""The ancestors are what their papers describe, and costs are measured, not guessed."""

import math

import numpy as np
import pytest

from tlkit.errors import InputError
from tlkit.networks import architectures, costs
from tlkit.networks.backbones import backbone_card, backbone_names, multiply_adds


def test_lenet5_has_the_layers_of_its_paper():
    model = architectures.lenet5()
    # C1 156, C3 fully connected 2,416, C5 48,120, F6 10,164, ten outputs 850
    assert model.count_params() == 156 + 2_416 + 48_120 + 10_164 + 850
    assert model.output_shape == (None, 10)
    assert architectures.lenet5(26).output_shape == (None, 26)


def test_alexnet_counts_about_sixty_million_in_two_towers():
    model = architectures.alexnet()
    assert model.count_params() == 60_965_224
    assert 0.70e9 < multiply_adds(model) < 0.75e9
    first = [layer for layer in model.layers if "Conv" in type(layer).__name__][:2]
    assert {layer.filters for layer in first} == {48}


def test_ancestors_answer_for_each_picture():
    logits = architectures.lenet5().predict(np.zeros((3, 32, 32, 1)), verbose=0)
    assert logits.shape == (3, 10) and np.isfinite(logits).all()


def test_the_family_tree_is_complete_and_in_order():
    tree = architectures.family_tree()
    years = [entry["year"] for entry in tree.values()]
    assert years == sorted(years) and years[0] == 1998
    assert math.isnan(tree["lenet5"]["top1"])
    assert tree["VGG16"]["top1"] == backbone_card("VGG16")["top1"]
    for entry in tree.values():
        assert {"label", "top1_source", "hardware", "time", "source"} <= set(entry)
    assert set(tree) - set(costs.ANCESTORS) <= set(backbone_names())


def test_costs_are_measured_in_another_process():
    before = costs.peak_megabytes()
    found = costs.measure_costs(["lenet5", "MobileNetV2"], runs=1, cache=False)
    small, large = found["lenet5"], found["MobileNetV2"]
    assert small["parameters"] == 61_706
    assert large["parameters"] == backbone_card("MobileNetV2")["parameters"]
    assert large["multiply_adds"] == backbone_card("MobileNetV2")["multiply_adds"]
    assert 0 < small["milliseconds"] < large["milliseconds"]
    assert 0 <= small["megabytes"] < large["megabytes"] < before + 1000
    # 3.5 million weights of four bytes must at least be held
    assert large["megabytes"] > 14


def test_a_network_that_does_not_fit_is_told_apart(monkeypatch):
    monkeypatch.setattr(costs.subprocess, "run", lambda *a, **k: _Done())
    assert costs.measure_costs(["lenet5"], cache=False) == {"lenet5": None}


def test_what_was_measured_is_kept_and_damage_is_noticed(monkeypatch, tmp_path):
    calls = []

    def measured(names, runs):
        calls.append(names)
        return [(name, {"parameters": 1}) for name in names]

    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(costs, "_in_another_process", measured)
    for _ in range(2):
        assert costs.measure_costs(["lenet5"]) == {"lenet5": {"parameters": 1}}
    assert len(calls) == 1
    (kept,) = (tmp_path / "costs").iterdir()
    kept.write_text('{"lenet')
    assert costs.measure_costs(["lenet5"]) == {"lenet5": {"parameters": 1}}
    assert len(calls) == 2
    costs.measure_costs(["lenet5"], cache=False)
    assert len(calls) == 3


def test_a_failed_measurement_is_not_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("TLKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(costs, "_in_another_process", lambda names, runs: [(names[0], None)])
    assert costs.measure_costs(["lenet5"]) == {"lenet5": None}
    assert not (tmp_path / "costs").exists()


class _Done:
    returncode, stdout, stderr = -9, "", "Killed"


@pytest.mark.parametrize("names", [[], "lenet5", ["lenet6"]])
def test_unknown_networks_are_refused(names):
    with pytest.raises(InputError):
        costs.measure_costs(names)


@pytest.mark.parametrize("runs", [0, 1.5])
def test_impossible_runs_are_refused(runs):
    with pytest.raises(InputError, match="runs"):
        costs.measure_costs(["lenet5"], runs=runs)
