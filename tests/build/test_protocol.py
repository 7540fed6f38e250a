"""What can be checked of the protocol that the stored tables keep: tools/experiments/README.md."""

import json
from collections import defaultdict

import pytest

from tools import experiments

# Made before the protocol. They leave the list as they are made again or go.
BEFORE = {
    "auto_strategy",
    "autoencoder",
    "depth_probes",
    "distillation",
    "fine_tuning",
    "fine_tuning_seeds",
    "four_cases",
    "fourth_channel",
    "from_layer",
    "label_counts",
    "learning_rates",
    "no_transfer",
    "segmentation",
    "transferability",
    "workshop_ladder",
}
NEW = sorted(set(experiments.names()) - BEFORE)
STORED = [name for name in NEW if experiments.read(name)]


@pytest.mark.parametrize("name", NEW)
def test_five_seeds_or_more_and_none_of_them_tunes(name):
    parameters = experiments.load(name).PARAMETERS
    assert len(set(parameters["seeds"])) >= 5
    assert not set(parameters["seeds"]) & set(parameters.get("tuning_seeds", []))


@pytest.mark.parametrize("name", STORED)
def test_at_most_four_candidates_are_tried_and_all_are_reported(name):
    for arm, found in experiments.read(name)["parameters"].get("tuned", {}).items():
        reached = {json.dumps(setting): right for setting, right in found["tried"]}
        assert 2 <= len(reached) <= 4, arm
        assert reached[json.dumps(found["chosen"])] == max(reached.values()), arm


@pytest.mark.parametrize("name", STORED)
def test_every_arm_has_every_seed(name):
    stored, seeds = experiments.read(name), defaultdict(set)
    for row in stored["results"]:
        seeds[row["arm"]].add(row["seed"])
    assert set(map(frozenset, seeds.values())) == {frozenset(stored["parameters"]["seeds"])}


@pytest.mark.parametrize("name", STORED)
def test_each_row_has_its_accuracy_on_what_it_learnt_from(name):
    rows = experiments.read(name)["results"]
    assert all("train" in row or "validation" in row for row in rows)
