"""Stored tables as tidy rows: the runs of one setting, and the paired difference of two."""

import numpy as np
import pytest

import tlkit
from tlkit.course.results import Results
from tlkit.errors import InputError
from tlkit.scores import paired_difference

ROWS = [
    {"method": "head", "labels": 20, "seed": 1, "test": 0.7, "train": 1.0},
    {"method": "head", "labels": 20, "seed": 0, "test": 0.6, "train": 0.9},
    {"method": "all", "labels": 20, "seed": 0, "test": 0.7, "train": 1.0},
    {"method": "all", "labels": 20, "seed": 1, "test": 0.9, "train": 1.0},
    {"method": "all", "labels": 60, "seed": 0, "test": 0.95, "train": 1.0, "rate": 1e-4},
]
TABLE = Results(ROWS, by=["method", "labels"], name="demo")


def test_the_runs_of_a_setting_come_in_the_order_of_their_seeds():
    assert TABLE.runs("head", 20).tolist() == [0.6, 0.7]
    assert TABLE.runs("head", 20, column="train").tolist() == [0.9, 1.0]


def test_other_columns_narrow_a_setting_by_name():
    assert TABLE.runs("all", rate=1e-4).tolist() == [0.95]
    assert TABLE.runs(labels=60).tolist() == [0.95]


def test_the_difference_pairs_the_runs_of_the_same_seeds():
    found = TABLE.difference(("all", 20), ("head", 20))
    assert found == paired_difference([0.7, 0.9], [0.6, 0.7])
    by_method = Results(ROWS[:4], by=["method"])
    assert by_method.difference("all", "head") == found


def test_settings_of_different_seeds_make_no_pair():
    with pytest.raises(InputError, match=r"seeds \[0\].*seeds? .*\[0, 1\]|with \[0, 1\]"):
        TABLE.difference(("all", 60), ("head", 20))


def test_a_column_is_told_once_each_in_the_order_of_the_table():
    assert TABLE.values("method") == ["head", "all"]
    assert len(TABLE) == 5 and list(TABLE) == ROWS
    assert "method" in repr(TABLE)


def test_two_tables_add_up():
    assert (TABLE + Results(ROWS[:1], by=["method"])).runs("head").size == 3


@pytest.mark.parametrize(
    "ask, says",
    [
        (lambda: TABLE.runs("heads", 20), "'head', 'all'"),
        (lambda: TABLE.runs("head", 60), "20, 60"),
        (lambda: TABLE.runs("head", 20, 3), "No run"),
        (lambda: TABLE.runs("head", 20, column="tset"), "no column 'tset'.*test"),
        (lambda: TABLE.runs("head", colour="red"), "no column 'colour'"),
        (lambda: TABLE.values("colour"), "It has: method"),
        (lambda: Results(ROWS, by=["colour"]), "no column 'colour'"),
        (lambda: tlkit.results("nothing"), "No experiment 'nothing'"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(ask, says):
    with pytest.raises(InputError, match=says):
        ask()


def test_a_stored_table_opens_by_name():
    table = tlkit.results("label_counts", by=["method", "labels"])
    assert np.all(table.runs("frozen, pretrained", 60) > 0.8)


def test_runs_of_a_split_of_classes_pair_as_those_of_a_seed_do():
    table = tlkit.results("transferability", by=["condition", "treatment", "n"])
    near = table.values("condition")[0]
    assert table.difference((near, "AnB", 4), (near, "base", 0)).n == 5
