"""Training steps: the same as Keras's own, whoever counts them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tlkit.keras_tools import seeded
from tlkit.steps import at_once, passes, shuffled, take_steps

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 4)).astype("float32"), np.arange(20) % 2
ORDER = passes(20, steps=7, batch_size=8, seed=1)


def network(optimizer=None, **options):
    with seeded(0):
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2)]
        )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or keras.optimizers.Adam(1e-2), loss, **options)
    return model


def same(one, other):
    return all(
        np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
    )


@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 40), st.integers(0, 9))
def test_each_pass_takes_every_picture_once(count, steps, batch_size, seed):
    order = passes(count, steps, batch_size, seed)
    assert order.shape == (steps, batch_size)
    whole, rest = divmod(order.size, count)
    for start in range(whole):
        assert sorted(order.ravel()[start * count : (start + 1) * count]) == [*range(count)]
    assert len(set(order.ravel()[whole * count :])) == rest
    assert np.array_equal(order, passes(count, steps, batch_size, seed))


def test_shuffled_deals_as_a_data_set_does():
    with seeded(3):
        ours = shuffled(20, steps=5, batch_size=8, seed=3)
    with seeded(3):
        data = tf.data.Dataset.from_tensor_slices((X, np.arange(20))).shuffle(20, seed=3)
        theirs = [rows.numpy() for _, rows in data.repeat().batch(8).take(5)]
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("several", [1, 7])
def test_the_same_as_fit_on_pictures_put_in_order(several):
    ours, theirs = network(steps_per_execution=several), network()
    take_steps(ours, X, Y, ORDER)
    theirs.fit(X[ORDER.ravel()], Y[ORDER.ravel()], batch_size=8, shuffle=False, verbose=0)
    assert same(ours, theirs) and int(ours.optimizer.iterations) == 7


def test_the_same_as_one_batch_after_another_with_its_losses():
    ours, theirs, heard = network(), network(), []
    take_steps(ours, X, Y, ORDER, on_step=lambda step, loss: heard.append((step, loss)))
    losses = [float(theirs.train_on_batch(X[rows], Y[rows])) for rows in ORDER]
    assert same(ours, theirs) and heard == list(enumerate(losses))


def test_rates_are_set_before_each_step():
    ours, theirs, rates = network(), network(), np.linspace(1e-2, 0, 7)
    take_steps(ours, X, Y, ORDER, rates)
    for rate, rows in zip(rates, ORDER, strict=True):
        theirs.optimizer.learning_rate = rate
        theirs.train_on_batch(X[rows], Y[rows])
    assert same(ours, theirs)


def test_a_rate_for_each_group():
    groups = [keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)]
    by_layer = keras.optimizers.OptimizerMap(groups[0])
    model = network()
    by_layer[f"(?:.*/)?{model.layers[-1].name}/.*"] = groups[1]
    model.compile(keras.optimizers.MultiOptimizer(by_layer), model.loss)
    before = model.get_weights()
    rates = [[0.0, 0.0][: len(model.optimizer.optimizers)]] * 7
    take_steps(model, X, Y, ORDER, np.array(rates))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_whoever_listens_can_end_it():
    model, heard = network(), []
    take_steps(model, X, Y, ORDER, on_step=lambda step, loss: heard.append(step) or step == 2)
    assert heard == [0, 1, 2] and int(model.optimizer.iterations) == 3
    take_steps(model, X, Y, ORDER[:0])
    assert int(model.optimizer.iterations) == 3


def test_steps_are_bundled_in_equal_parts():
    assert [at_once(steps) for steps in (1, 7, 60, 800, 53)] == [1, 7, 30, 50, 1]


def test_several_inputs_and_no_targets():
    class Near(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, both):
            return self.dense(both[0]) - both[1]

        def compute_loss(self, x, y, y_pred, *_, **__):
            assert y is None
            return keras.ops.mean(y_pred**2)

    model = Near()
    model.compile("sgd")
    take_steps(model, (X, Y[:, None].astype("float32")), None, ORDER)
    assert int(model.optimizer.iterations) == 7
