"""What tlkit does for you is what you would write in plain Keras: the same numbers, tested.

Each test first says the thing in plain Keras, as a lesson shows it, and then in the package's one
line. Where the package goes another way to be faster, the two agree up to rounding; elsewhere they
agree to the last digit.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tlkit
from tlkit.keras_tools import seeded
from tlkit.steps import passes, shuffled, take_steps

SIZE = 32
CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def pictures(n=40, seed=0):
    """Dark and light pictures, with noise on them."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    images = rng.integers(0, 180, (n, SIZE, SIZE, 3)) + 70 * labels[:, None, None, None]
    return tlkit.ImageDataset(images.astype("uint8"), labels, ("dark", "light"))


DATA, NEW = pictures(), pictures(16, seed=1)


def backbone():
    """Small, with batch norm that has something to remember."""
    rng = np.random.default_rng(0)
    with seeded(0):
        inputs = keras.Input((SIZE, SIZE, 3))
        x = layers.Rescaling(1 / 255)(inputs)
        for number in range(3):
            x = layers.Conv2D(6, 3, 2, padding="same", name=f"block_{number}_conv")(x)
            x = layers.BatchNormalization(name=f"block_{number}_bn")(x)
            x = layers.ReLU(name=f"block_{number}")(x)
        model = keras.Model(inputs, x)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, weight.shape) for weight in layer.weights])
    return model


def classifier():
    base = backbone()
    with seeded(1):
        logits = layers.Dense(2, name="logits")(layers.GlobalAveragePooling2D()(base.output))
    return keras.Model(base.input, logits)


def same_weights(one, other, **tolerance):
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, **{"rtol": 0, "atol": 0, **tolerance})


# --- features and heads ------------------------------------------------------------------------


def test_features_are_predict_and_global_average_pooling():
    base = tlkit.load_backbone(image_size=SIZE)

    averages = keras.layers.GlobalAveragePooling2D()(base.output)
    plain = keras.Model(base.input, averages).predict(DATA.images, verbose=0)

    ours = tlkit.extract_features(base, DATA.images, cache=False)
    assert np.abs(ours - plain).max() < 1e-4 * np.abs(plain).max()


def test_a_layer_is_a_model_that_ends_there():
    base = tlkit.load_backbone(image_size=SIZE)

    early = keras.Model(base.input, base.get_layer("block_05").output)
    plain = early.predict(DATA.images, verbose=0)

    ours = tlkit.extract_features(base, DATA.images, layer="block_05", pooled=False, cache=False)
    assert np.abs(ours - plain).max() < 1e-4 * np.abs(plain).max()


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_a_linear_head_is_logistic_regression(classes):
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    labels = np.arange(60) % classes
    features = rng.normal(size=(classes, 6))[labels] * 3 + rng.normal(size=(60, 6))

    scaled = (features - features.mean(axis=0)) / np.sqrt(features.var(axis=0).mean())
    plain = LogisticRegression(C=0.5, max_iter=1000).fit(scaled, labels)

    head = tlkit.fit_linear_head(features, labels, C=0.5)
    ours = tlkit.soften(head(features.astype("float32")))
    # As closely as the solver converges.
    np.testing.assert_allclose(ours, plain.predict_proba(scaled), atol=1e-3)


# --- fine-tuning -------------------------------------------------------------------------------


def test_unfreezing_is_true_for_all_and_false_for_batch_norm():
    plain, ours = backbone(), backbone()

    plain.trainable = True
    for layer in plain.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False

    tlkit.unfreeze(ours, quiet=True)
    flags = [[layer.trainable for layer in model.layers] for model in (plain, ours)]
    assert flags[0] == flags[1] and not all(flags[0])


def test_steps_are_fit_on_pictures_in_their_order():
    plain, ours = classifier(), classifier()

    rng = np.random.default_rng(0)
    order = np.concatenate([rng.permutation(40) for _ in range(3)])[: 6 * 16]
    plain.compile(keras.optimizers.Adam(1e-3), CROSS_ENTROPY)
    images, labels = DATA.images[order], DATA.labels[order]
    plain.fit(images, labels, batch_size=16, shuffle=False, verbose=0)

    ours.compile(keras.optimizers.Adam(1e-3), CROSS_ENTROPY)
    take_steps(ours, DATA.images, DATA.labels, passes(40, steps=6, batch_size=16, seed=0))
    same_weights(plain, ours)


def test_fine_tuning_is_fit_with_early_stopping():
    base = backbone()
    features = tlkit.extract_features(base, DATA.images, cache=False)
    plain = tlkit.attach_head(base, tlkit.fit_linear_head(features, DATA.labels))
    for layer in plain.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    keras.utils.set_random_seed(3)
    plain.compile(keras.optimizers.Adam(1e-3), CROSS_ENTROPY, metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    history = plain.fit(
        DATA.images,
        DATA.labels,
        batch_size=16,
        epochs=4,
        validation_data=(NEW.images, NEW.labels),
        callbacks=[stop],
        verbose=0,
    ).history

    options = {"learning_rate": 1e-3, "epochs": 4, "patience": 2, "seed": 3, "progress": False}
    ours = tlkit.fine_tune(backbone(), DATA, NEW, **options)
    assert {name: values[1:] for name, values in ours.history.items()} == history
    assert ours.best_epoch > 0
    same_weights(plain, ours.model)


# --- learning rates ----------------------------------------------------------------------------


def test_a_rate_for_each_group_is_a_multi_optimizer_and_its_map():
    plain, ours = classifier(), classifier()

    slow, fast = keras.optimizers.AdamW(1e-3 / 3), keras.optimizers.AdamW(1e-3)
    by_path = keras.optimizers.OptimizerMap(default_optimizer=slow)
    by_path["logits/.*"] = fast
    plain.compile(keras.optimizers.MultiOptimizer(by_path), CROSS_ENTROPY)

    ours.compile(tlkit.differential_optimizer(ours, 1e-3, ratio=3, groups=2), CROSS_ENTROPY)
    for model in (plain, ours):
        take_steps(model, DATA.images, DATA.labels, passes(40, 4, 16, seed=0))
    same_weights(plain, ours)


def test_the_range_test_is_one_step_at_each_rate():
    plain, ours = classifier(), classifier()

    rates = np.geomspace(1e-6, 1e-2, 12)
    optimizer = keras.optimizers.AdamW()
    plain.compile(optimizer, CROSS_ENTROPY)
    losses = []
    for rate, rows in zip(rates, passes(40, 12, 16, seed=0), strict=True):
        optimizer.learning_rate = rate
        losses.append(float(plain.train_on_batch(DATA.images[rows], DATA.labels[rows])))

    found = tlkit.find_learning_rate(ours, DATA, lowest=1e-6, highest=1e-2, steps=12)
    np.testing.assert_allclose(found.rates, rates)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-4)
    same_weights(ours, classifier())


# --- distillation ------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [1.0, 0.7])
def test_distillation_is_its_loss_written_by_hand(alpha):
    # Without batch norm, before which the gradient of a bias is rounding and nothing else.
    plain, ours, temperature = *(tlkit.small_network(SIZE) for _ in range(2)), 3.0
    teacher = np.random.default_rng(0).normal(0, 3, (40, 2)).astype("float32")

    with seeded(5):
        order = shuffled(40, steps=6, batch_size=16, seed=5)
    fading = keras.optimizers.schedules.CosineDecay(1e-2, 6)
    optimizer = keras.optimizers.Adam(fading)
    for rows in order:
        with tf.GradientTape() as tape:
            student = plain(DATA.images[rows].astype("float32"), training=True)
            wanted = tf.nn.softmax(teacher[rows] / temperature)
            given = tf.nn.log_softmax(student / temperature)
            apart = tf.reduce_sum(wanted * (tf.math.log(wanted) - given), axis=1)
            soft = tf.reduce_mean(apart) * temperature**2
            loss = alpha * soft + (1 - alpha) * CROSS_ENTROPY(DATA.labels[rows], student)
        gradients = tape.gradient(loss, plain.trainable_variables)
        optimizer.apply(gradients, plain.trainable_variables)

    options = {"steps": 6, "batch_size": 16, "learning_rate": 1e-2, "seed": 5, "progress": False}
    labels = DATA.labels if alpha < 1 else None
    tlkit.distill(teacher, ours, DATA, temperature, alpha, labels, **options)
    same_weights(plain, ours, rtol=1e-3, atol=1e-5)


def test_softening_is_softmax_of_the_logits_divided():
    logits = np.random.default_rng(0).normal(0, 5, (4, 3)).astype("float32")
    plain = keras.ops.softmax(logits / 2)
    np.testing.assert_allclose(tlkit.soften(logits, temperature=2), plain, rtol=1e-5)


# --- what it looks at --------------------------------------------------------------------------


def test_grad_cam_is_seven_lines():
    model, image = tlkit.load_backbone(image_size=SIZE, classifier=True), DATA.images[1]
    last = model.get_layer("block_05")

    both = keras.Model(model.input, [last.output, model.output])
    with tf.GradientTape() as tape:
        maps, logits = both(image[None].astype("float32"), training=False)
        logit = logits[:, 281]
    weights = tf.reduce_mean(tape.gradient(logit, maps), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1, keepdims=True))
    plain = tf.image.resize(heat, image.shape[:2])[0, ..., 0].numpy()

    ours = tlkit.explain.grad_cam(model, image, class_index=281, layer="block_05")
    np.testing.assert_allclose(ours, plain / plain.max(), atol=1e-5)


def test_saliency_is_the_size_of_the_gradient():
    model, image = classifier(), DATA.images[1]

    batch = tf.Variable(image[None].astype("float32"))
    with tf.GradientTape() as tape:
        logit = model(batch, training=False)[0, 0]
    plain = tf.reduce_max(tf.abs(tape.gradient(logit, batch)[0]), axis=-1).numpy()

    # The top per cent all count as 1.
    top = np.percentile(plain, 99)
    ours = tlkit.explain.saliency(model, image, class_index=0)
    np.testing.assert_allclose(ours, np.minimum(plain, top) / top, atol=1e-6)
