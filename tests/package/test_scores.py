import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlkit.errors import InputError
from tlkit.scores import paired_difference, score


def test_known_interval():
    """81 of 263, the worked example in Newcombe 1998 (Statistics in Medicine 17, p. 857)."""
    answers = np.zeros(263, int)
    answers[:81] = 1
    result = score(np.ones(263, int), answers)
    assert (round(result.low, 4), round(result.high, 4)) == (0.2553, 0.3662)


def test_logits_count_as_answers():
    assert score([1, 0], [[-1.0, 2.0], [0.3, 0.1]]).accuracy == 1


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_the_interval_holds_the_accuracy(right):
    result = score(np.ones(len(right), int), np.array(right, int))
    assert 0 <= result.low <= result.accuracy <= result.high <= 1
    assert result.n == len(right)


@pytest.mark.parametrize(
    ("labels", "predictions"),
    [
        ([], []),
        ([0, 1], [0]),
        ([[0], [1]], [[0], [1]]),
        (0, 0),
        (None, [0]),
        ([0, 1], [[0], [1, 2]]),
        # Each of these would count as 0 % or as something that nobody meant.
        ([0, 1], [0.2, 0.7]),
        ([0, 1], [[0.2], [0.7]]),
        ([0, 1], [[np.nan, 0.2], [0.1, 0.3]]),
        ([0, 1], [None, 1]),
    ],
)
def test_what_does_not_fit_is_refused(labels, predictions):
    with pytest.raises(InputError):
        score(labels, predictions)


def test_paired_difference_is_students():
    result = paired_difference([0.9, 0.8, 0.7], [0.5, 0.5, 0.5])
    assert result.mean == pytest.approx(0.3)
    assert result.high - result.mean == pytest.approx(4.3027 * 0.1 / np.sqrt(3), rel=1e-4)
    assert "+30.0 points" in str(result)


def test_pairs_not_groups():
    """A constant gain is certain, however much the runs themselves vary."""
    runs = np.array([0.1, 0.5, 0.9])
    result = paired_difference(runs + 0.05, runs)
    assert result.low == pytest.approx(0.05) and result.high == pytest.approx(0.05)


@pytest.mark.parametrize(("ours", "theirs"), [([0.5], [0.4]), ([0.5, 0.6], [0.4]), ([], [])])
def test_no_pairs_no_difference(ours, theirs):
    with pytest.raises(InputError, match="paired"):
        paired_difference(ours, theirs)
