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


def rows(name: str) -> list[dict]:
    """Those of the table, or of the seeds that are there of one that is not complete."""
    stored = experiments.read(name)
    if stored:
        return stored["results"]
    parts = [p for p in experiments.begun(name) if p.stem != "tuned"]
    return [row for part in parts for row in json.loads(part.read_text())["results"]]


@pytest.mark.parametrize("name", NEW)
def test_five_seeds_or_more_and_none_of_them_tunes(name):
    parameters = experiments.load(name).PARAMETERS
    assert len(set(parameters["seeds"])) >= 5
    assert not set(parameters["seeds"]) & set(parameters.get("tuning_seeds", []))


@pytest.mark.parametrize("name", NEW)
def test_at_most_four_candidates_are_tried_and_all_are_reported(name):
    stored = experiments.read(name)
    tuned = stored["parameters"].get("tuned", {}) if stored else {}
    for arm, found in tuned.items():
        reached = {json.dumps(setting): right for setting, right in found["tried"]}
        assert 2 <= len(reached) <= 4, arm
        assert reached[json.dumps(found["chosen"])] == max(reached.values()), arm


@pytest.mark.parametrize("name", NEW)
def test_every_arm_has_every_seed(name):
    seeds = defaultdict(set)
    for row in rows(name):
        seeds[row["arm"]].add(row["seed"])
    found = set(map(frozenset, seeds.values()))
    assert len(found) == 1
    if experiments.read(name):
        assert found == {frozenset(experiments.load(name).PARAMETERS["seeds"])}


@pytest.mark.parametrize("name", NEW)
def test_each_row_has_its_accuracy_on_what_it_learnt_from(name):
    assert all("train" in row or "validation" in row for row in rows(name))
