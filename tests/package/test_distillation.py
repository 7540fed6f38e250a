"""Students, soft targets, and distillation that leaves the teacher as it was."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

import tlkit
from tlkit import distillation
from tlkit.errors import InputError

SIZE, CLASSES = 16, 3
RNG = np.random.default_rng(0)
LABELS = np.arange(24) % CLASSES
IMAGES = RNG.integers(0, 80, (24, SIZE, SIZE, 3)).astype("uint8")
IMAGES[np.arange(24), :, :, LABELS] += 120  # red, green or blue
# Logits of a teacher that is right.
SURE = np.eye(CLASSES, dtype="float32")[LABELS] * 6 - 2


def network(classes=CLASSES, activation=None, size=SIZE, seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((size, size, 3))
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(inputs))
    x = layers.Dense(8, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes, activation=activation)(x))


def taught(teacher=SURE, student=None, images=IMAGES, steps=4, **options):
    options = {"batch_size": 8, "learning_rate": 0.1, "progress": False, **options}
    return tlkit.distill(teacher, student or network(), images, steps=steps, **options)


def answers(model):
    return np.asarray(model(IMAGES.astype("float32"))).argmax(axis=1)


# --- what it does -----------------------------------------------------------------------------


def test_the_student_learns_the_teachers_answers_without_labels(capsys):
    student = network()
    assert taught(student=student, steps=60, progress=True) is student
    assert (answers(student) == LABELS).all()
    assert "Distilling: 100%" in capsys.readouterr().err


@pytest.mark.parametrize(("alpha", "believed"), [(0.0, LABELS), (1.0, (LABELS - 1) % CLASSES)])
def test_alpha_weighs_the_teacher_against_the_labels(alpha, believed):
    student = taught(SURE[:, [1, 2, 0]], labels=LABELS, alpha=alpha, steps=60)
    assert (answers(student) == believed).all()


def test_the_teacher_is_not_changed_and_asked_once(monkeypatch):
    teacher, asked = network(seed=1), []
    teacher.compile("adam", "mse")
    real = distillation.extract_features
    monkeypatch.setattr(
        distillation, "extract_features", lambda *a, **k: asked.append(1) or real(*a, **k)
    )
    before = teacher.get_weights()
    flags = [layer.trainable for layer in (teacher, *teacher.layers)]
    optimizer = teacher.optimizer
    taught(teacher)
    assert asked == [1] and teacher.optimizer is optimizer
    assert flags == [layer.trainable for layer in (teacher, *teacher.layers)]
    assert all(np.array_equal(a, b) for a, b in zip(before, teacher.get_weights(), strict=True))


def test_the_seed_decides_and_the_labels_of_a_data_set_do_not(capsys):
    lied = tlkit.ImageDataset(IMAGES, LABELS[::-1].copy(), ("red", "green", "blue"))
    one, same, other = (
        taught(images=images, seed=seed).get_weights()
        for images, seed in ((IMAGES, 3), (lied, 3), (IMAGES, 4))
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("steps", [7, 60])
def test_it_takes_as_many_steps_as_asked_for(monkeypatch, recwarn, steps):
    seen, real = [], keras.distillation.Distiller.fit

    def fit(self, *arguments, **more):
        real(self, *arguments, **more)
        seen.append(int(self.optimizer.iterations))

    monkeypatch.setattr(keras.distillation.Distiller, "fit", fit)
    taught(steps=steps)
    assert seen == [steps] and not recwarn.list


# --- wrong uses -------------------------------------------------------------------------------


def frozen():
    model = network()
    model.trainable = False
    return model


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"teacher": tlkit.soften(SURE)}, "The teacher gives probabilities"),
        ({"student": network(activation="softmax")}, "The student gives probabilities"),
        ({"teacher": np.eye(5)[LABELS] * 9}, "teacher tells 5 classes apart, the student 3"),
        ({"teacher": SURE[:5]}, r"\(5, 3\) for 24 pictures"),
        ({"teacher": "large"}, "logit for each class"),
        ({"student": network(size=8)}, "16×16 pixels, but the model takes 8×8"),
        ({"student": network(classes=1)}, r"has the shape \(None, 1\)"),
        ({"student": "small"}, "str is not a model"),
        ({"student": frozen()}, "frozen"),
        ({"images": IMAGES[0]}, r"shape \(N, H, W, 3\)"),
        ({"images": IMAGES / 255}, "scaled already"),
        ({"labels": LABELS[:5]}, "for 24 pictures"),
        ({"labels": LABELS + 1}, "from 1 to 3, for 3 classes"),
        ({"alpha": 0}, "no labels to learn from"),
        ({"alpha": 1.5}, "from 0 to 1"),
        ({"temperature": 0}, "above 0"),
        ({"steps": 0}, "steps"),
        ({"batch_size": 0.5}, "batch_size"),
        ({"learning_rate": 3}, "learning_rate"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_uses_are_told(options, said):
    with pytest.raises(InputError, match=said):
        taught(**options)


def test_models_that_end_in_softmax_or_in_other_classes_are_told():
    with pytest.raises(InputError, match="The teacher gives probabilities"):
        taught(network(activation="softmax", seed=1))
    with pytest.raises(InputError, match="5 classes apart"):
        taught(network(classes=5))


def test_a_student_made_of_the_teacher_is_refused():
    teacher = network()
    student = keras.Model(teacher.input, layers.Dense(CLASSES)(teacher.layers[-2].output))
    with pytest.raises(InputError, match="shares weights"):
        taught(teacher, student)


# --- soft targets -----------------------------------------------------------------------------


@given(
    logits=st.lists(st.floats(-50, 50), min_size=2, max_size=6),
    temperature=st.floats(0.1, 100),
)
def test_softening_keeps_the_order_and_sums_to_one(logits, temperature):
    soft, sharp = tlkit.soften(logits, temperature), tlkit.soften(logits, temperature / 2)
    assert soft.sum() == pytest.approx(1)
    assert (np.diff(soft[np.argsort(logits)]) >= -1e-12).all()
    assert soft.max() <= sharp.max() + 1e-12


def test_softening_at_one_is_softmax():
    assert tlkit.soften([np.log(3), 0.0]).tolist() == pytest.approx([0.75, 0.25])
    for wrong in ([], [np.inf, 0.0]):
        with pytest.raises(InputError, match="finite"):
            tlkit.soften(wrong)


# --- students ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["tiny", "small", "middling", "patches"])
def test_students_end_in_logits_and_depend_on_the_seed(kind):
    student = tlkit.student_network(kind, 24, classes=4, seed=1)
    assert student.output_shape == (None, 4) and student.get_layer("pool").output.shape[1:] != ()
    again, other = (tlkit.student_network(kind, 24, 4, seed) for seed in (1, 2))
    first = [model.get_weights()[0] for model in (student, again, other)]
    assert np.array_equal(first[0], first[1]) and not np.array_equal(first[0], first[2])


def test_students_differ_in_size():
    counts = [tlkit.student_network(kind).count_params() for kind in ("tiny", "small", "middling")]
    assert counts[0] < 3_000 < 20_000 < counts[1] < 50_000 < counts[2]


@pytest.mark.parametrize(
    "arguments", [("huge",), ("small", 8), ("small", 32, 1), ("small", 32, 2, -1)]
)
def test_students_that_cannot_be(arguments):
    with pytest.raises(InputError):
        tlkit.student_network(*arguments)
