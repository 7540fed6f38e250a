"""Other computers, imitated: what is shaken, which arithmetics count, how close claims come."""

import json
import os
import subprocess
import sys

import pytest

from tools.build import numerics
from tools.build.lesson_runner import lesson_source
from tools.build.lessons import LESSONS
from tools.build.notebook_text import SOLVED, read_lesson, source_hash

SMALL = """
import hashlib, keras, numpy as np
keras.utils.set_random_seed(0)
network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
still = network.layers[0]
still.trainable = False
network.compile("sgd", "mse")
before = still.get_weights()
start = network.layers[1].get_weights()
network.{train}
moved = np.abs(network.layers[1].get_weights()[0] / start[0] - 1).max()
print(all((a == b).all() for a, b in zip(still.get_weights(), before)), moved)
first = network.get_weights()
network.{train}
print(max(np.abs(a - b).max() for a, b in zip(network.get_weights(), first)))
"""
NO_RATE = "optimizer.learning_rate = 0.0\nnetwork."


def in_a_process(code: str, **variables: str) -> list[str]:
    environment = {**os.environ, **variables}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


@pytest.mark.parametrize(
    "train",
    [
        "fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)",
        "train_on_batch(np.ones((4, 3)), np.ones((4, 2)))",
    ],
)
def test_what_trains_is_shaken_once_and_what_stands_still_is_not(train):
    code = SMALL.format(train=NO_RATE + train)
    still, moved, again = in_a_process(code, TLKIT_PERTURB="1")
    assert still == "True"
    assert 0 < float(moved) < 1e-5
    assert float(again) == 0
    _, moved, _ = in_a_process(code, TLKIT_PERTURB="")
    assert float(moved) == 0


def heard(value, above=None, below=None, statement="most are right", holds=True):
    return {
        "statement": statement,
        "holds": holds,
        "evidence": "",
        "value": value,
        "above": above,
        "below": below,
    }


def run_of(*claims, lesson="03", arithmetic="as it is", processor="a", source="1"):
    return {
        "lesson": lesson,
        "arithmetic": arithmetic,
        "processor": processor,
        "source": source,
        "claims": list(claims),
    }


def test_the_room_of_a_claim_is_the_least_distance_over_that_of_the_median():
    runs = [run_of(heard(value, above=0.8)) for value in (0.9, 0.92, 0.84)]
    (found,) = numerics.tightest(runs)
    assert found.room == pytest.approx(0.4)
    assert found.limit == 0.8
    assert found.values == (0.9, 0.92, 0.84)


def test_of_two_limits_the_closer_one_counts():
    runs = [run_of(heard(value, above=0, below=1)) for value in (0.7, 0.7, 0.8)]
    (found,) = numerics.tightest(runs)
    assert (found.limit, found.room) == (1, pytest.approx(2 / 3))


def test_a_claim_that_fails_somewhere_has_no_room():
    runs = [run_of(heard(value, below=0.06)) for value in (0.01, 0.02, 0.118)]
    assert numerics.tightest(runs)[0].room < 0


def test_a_claim_whose_median_fails_has_no_room():
    runs = [run_of(heard(value, below=0.06)) for value in (0.1, 0.1, 0.1)]
    assert numerics.tightest(runs)[0].room == -1


def test_the_tightest_come_first_and_claims_without_a_number_are_left_out():
    runs = [
        run_of(heard(v, above=0, statement="a"), heard(w, above=0, statement="b"), heard(None))
        for v, w in ((1, 1), (1, 0.5), (1, 2))
    ]
    assert [found.statement for found in numerics.tightest(runs)] == ["b", "a"]


def test_a_sentence_that_is_said_twice_in_a_lesson_is_two_claims():
    runs = [run_of(heard(1, above=0), heard(5, above=0)) for _ in range(2)]
    assert sorted(found.values for found in numerics.tightest(runs)) == [(1, 1), (5, 5)]


def test_what_failed_is_named_with_its_arithmetic():
    runs = [run_of(heard(None, holds=False, statement="it stays"), arithmetic="AVX2")]
    assert numerics.failures(runs) == ["03, AVX2: it stays ()"]


def test_a_run_replaces_its_like_and_what_an_older_source_gave(tmp_path, monkeypatch):
    monkeypatch.setattr(numerics, "STORE", tmp_path / "numerics.json")
    numerics.keep(run_of(heard(1), source="old"))
    numerics.keep(run_of(heard(2), source="old", lesson="05"))
    numerics.keep(run_of(heard(3), source="new", arithmetic="AVX2"))
    numerics.keep(run_of(heard(4), source="new", processor="b"))
    numerics.keep(run_of(heard(5), source="new", processor="b"))
    values = [run["claims"][0]["value"] for run in json.loads(numerics.STORE.read_text())]
    assert sorted(values) == [2, 3, 5]


def test_an_arithmetic_that_gives_the_same_bits_as_another_is_left_out(monkeypatch):
    hashes = {"as it is": "1", "AVX2": "1", "no oneDNN": "2"}
    monkeypatch.setattr(numerics, "reference", hashes.get)
    said = []
    assert numerics.distinct(hashes, said.append) == ["as it is", "no oneDNN"]
    assert "AVX2" in said[0] and "left out" in said[0]


# --- what is on record -----------------------------------------------------------------------


def test_on_record_every_claim_held_in_every_arithmetic():
    assert numerics.stored() and not numerics.failures(numerics.stored())


def test_on_record_every_run_stays_a_third_of_the_median_s_distance_from_the_threshold():
    tight = [each for each in numerics.tightest(numerics.stored()) if each.room < 1 / 3]
    assert not tight, [f"{each.lesson}: {each.statement} ({each.room:.2f})" for each in tight]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_on_record_are_the_lessons_as_they_are_now(lesson):
    source = source_hash(read_lesson(lesson_source(lesson.number), SOLVED))
    runs = [run for run in numerics.stored() if run["lesson"] == lesson.number]
    assert runs and {run["source"] for run in runs} == {source}, "run: make numerics"


def test_the_page_shows_what_is_on_record():
    assert numerics.PAGE.read_text(encoding="utf-8") == numerics.page(numerics.stored())
