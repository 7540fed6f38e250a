"""The workshop: train, whatever happens meanwhile, use, judge."""

import numpy as np
import pytest
from PIL import Image

import tlkit
from tests.package.tiny_workshop import pictures, tiny_backbone
from tlkit import finetuning
from tlkit.errors import InputError, TlkitError
from tlkit.scores import score
from tlkit.workshop import Attempts, compare_backbones, search, strategies, train_classifier

pytestmark = pytest.mark.usefixtures("tiny")


def test_features_are_judged_on_pictures_that_the_head_did_not_see(classifier):
    judged = classifier.held_back
    assert judged.confusion.sum() == 28 and judged.accuracy > 0.8
    assert judged.interval[0] < judged.accuracy <= judged.interval[1]
    assert "5 parts" in judged.how and judged.recall.shape == (2,)
    # Labels by chance are not learnt: judged on pictures it learnt from, it would look good.
    data = pictures((60, 60))
    noise = np.random.default_rng(0).permutation(data.labels)
    shuffled = tlkit.ImageDataset(data.images, noise, data.class_names)
    assert 0.25 < train_classifier(shuffled, "features").held_back.accuracy < 0.75


def test_fine_tuning_is_judged_on_a_fifth_that_it_never_saw(monkeypatch):
    seen = []
    real = strategies.take_steps

    def watch(model, inputs, *rest, **options):
        seen.append(inputs)
        real(model, inputs, *rest, **options)

    monkeypatch.setattr(strategies, "take_steps", watch)
    data = pictures((20, 20))
    trained = train_classifier(data, "fine-tune")
    assert trained.held_back.confusion.sum() == 8 and len(seen[0]) == 32
    assert trained.held_back.accuracy > 0.7
    assert not trained.model.trainable_variables and not trained.model.compiled


def test_auto_trains_little_on_few_labels_and_says_so():
    trained = train_classifier(pictures())
    assert trained.about["strategy"] == "features" and "With 28 labels, train little" in str(
        trained
    )
    assert all(each.pictures == 28 for each in trained.about["tried"])
    assert trained.about["tried"][0].what == "head on features, 32 px, C 1"


def by_chance(features, labels, C=1.0):
    """A head that learnt from labels by chance."""
    return tlkit.fit_linear_head(features, np.random.default_rng(1).permutation(labels), C)


def test_auto_fine_tunes_where_that_does_better_on_pictures_held_back(monkeypatch, tmp_path):
    monkeypatch.setattr(strategies, "even_head", by_chance)
    learnt = []
    real = strategies.fine_tuned
    monkeypatch.setattr(
        strategies,
        "fine_tuned",
        lambda data, *a, **k: learnt.append(len(data)) or real(data, *a, **k),
    )
    data = pictures((60, 60))
    trained = train_classifier(data)
    best = [each for each in trained.about["tried"] if each.kept][-1]
    assert trained.about["strategy"] == "fine-tune" and best.what.startswith("fine-tuned from")
    assert best.pictures == 24 == trained.held_back.confusion.sum()
    assert best.accuracy == trained.held_back.accuracy > best.instead_of
    # The last training is with all pictures, and the first two are with those not held back.
    assert learnt == [96, 96, 120] and "trained again on all 120" in trained.notes[0]
    # What was tried is told, on the card, too, and stays with the classifier.
    again = tlkit.ImageClassifier.load(trained.save(tmp_path / "model.keras"))
    assert best.what in repr(again) and best.what in again.card()


def test_half_way_back_is_the_mean_of_the_weights_and_each_call_sets_them_anew():
    data = pictures((10, 10))
    tuning = strategies.fine_tuned(data, 0, False, steps=3)
    half = [each.copy() for each in tuning.at(0.5).get_weights()]
    for old, new, mean in zip(tuning.before, tuning.after, half, strict=True):
        np.testing.assert_allclose(mean, (old + new) / 2, atol=1e-6)
    assert any((old != new).any() for old, new in zip(tuning.before, tuning.after, strict=True))
    end, again = tuning.at().get_weights(), tuning.at(0.5).get_weights()
    np.testing.assert_array_equal(end[-2], tuning.after[-2])
    np.testing.assert_array_equal(again[-2], half[-2])


def test_the_classifier_that_is_kept_has_the_weights_that_were_judged(monkeypatch):
    tunings = []
    real = strategies.fine_tuned

    def watch(*arguments, **options):
        tunings.append(real(*arguments, **options))
        return tunings[-1]

    monkeypatch.setattr(strategies, "even_head", by_chance)
    monkeypatch.setattr(strategies, "fine_tuned", watch)
    # All of the way does well; what is tried after it, no step, does no better.
    monkeypatch.setattr(search, "SHARES", (1.0, 0.0))
    monkeypatch.setattr(search, "MIRRORED", (False,))
    monkeypatch.setattr(search.Search, "steps", lambda *_: 60)
    monkeypatch.setattr(search.Search, "left", lambda _: 1e-9)
    trained = train_classifier(pictures((60, 60)))
    assert trained.about["strategy"] == "fine-tune" and "It learnt from 96" in trained.notes[0]
    [tuning] = tunings
    for kept, after in zip(trained.model.get_weights(), tuning.after, strict=True):
        np.testing.assert_array_equal(kept, after)


def test_auto_keeps_the_head_where_fine_tuning_is_no_better(monkeypatch):
    def spoilt(data, *_, **__):
        base = strategies.load_base(data.images.shape[1])
        head = tlkit.fit_linear_head(np.eye(8)[:2], [0, 1])
        bad = [0 * each for each in tlkit.attach_head(base, head).get_weights()]
        return strategies.Tuning(base, head, bad, bad, data.labels)

    monkeypatch.setattr(strategies, "fine_tuned", spoilt)
    monkeypatch.setattr(search, "next_step", lambda *_: ("fine-tune", ""))
    trained = train_classifier(pictures((60, 60)))
    assert trained.about["strategy"] == "features" and trained.held_back.accuracy > 0.8
    assert "was no better on the pictures held back" in trained.notes[0]
    assert [each.pictures for each in trained.about["tried"]][-1] == 24


def test_auto_stops_when_its_time_is_over(monkeypatch):
    monkeypatch.setattr(strategies, "even_head", by_chance)
    trained = train_classifier(pictures((60, 60)), minutes=1e-6)
    assert len(trained.about["tried"]) == 1
    assert "Fine-tuning was not tried" in trained.notes[0]
    with pytest.raises(InputError, match="minutes"):
        train_classifier(pictures(), minutes=0)


def test_auto_tries_a_smaller_size_first_and_keeps_the_larger_unless_it_is_clearly_worse(
    monkeypatch,
):
    monkeypatch.setattr(search, "SMALL", 32)
    monkeypatch.setattr(search, "ENOUGH", 1.1)
    trained = train_classifier(pictures(size=64))
    first, second = trained.about["tried"][:2]
    assert "32 px" in first.what and "64 px" in second.what
    assert second.kept and trained.image_size == 64


def test_another_setting_is_kept_only_where_it_is_clearly_better(monkeypatch):
    monkeypatch.setattr(search, "ENOUGH", 1.1)
    looking = search.Search(pictures((60, 60)), 0, 1.0, False)
    alike = np.arange(120) % 10 > 0
    one_more = alike.copy()
    one_more[0] = True
    head = search.Head(32, search.MIDDLE)
    monkeypatch.setattr(search, "cross_validate", lambda *_, **__: answers)
    answers = np.eye(2)[np.where(one_more, looking.data.labels, 1 - looking.data.labels)]
    looking.judge(head, one_more)
    assert not looking.tried[-1].kept
    looking.judge(head, ~alike)
    assert looking.tried[-1].kept
    # A larger size is kept where it is no worse.
    looking.judge(search.Head(32), one_more)
    assert looking.tried[-1].kept


def test_five_pictures_a_class_are_enough_and_it_says_how_uncertain_that_is():
    few = train_classifier(pictures((5, 5)), "features")
    low, high = few.held_back.interval
    assert few.held_back.confusion.sum() == 10 and high - low > 0.2
    assert any("has 5 pictures: take this for a first try" in note for note in few.notes)
    assert "judged on 10 pictures only" in few.card()


def test_uneven_classes_are_evened_out_and_reported():
    data = pictures((60, 6), seed=5)
    noisy = np.random.default_rng(0).integers(-90, 90, data.images.shape)
    hard = tlkit.ImageDataset(
        np.clip(data.images + noisy, 0, 255).astype("uint8"), data.labels, data.class_names
    )
    trained = train_classifier(hard, "features")
    assert any("60 of 'red', 6 of 'blue'" in note for note in trained.notes)
    head = tlkit.fit_linear_head(np.eye(4)[[0, 1, 2, 3]], [0, 0, 0, 1])
    before = head.layers[-1].get_weights()[1].copy()
    strategies.even_out(head, np.array([0, 0, 0, 1]))
    moved = head.layers[-1].get_weights()[1] - before
    np.testing.assert_allclose(moved[1] - moved[0], np.log(3), rtol=1e-5)


def test_copies_are_found_and_only_one_of_them_is_used():
    data = pictures((10, 10))
    twice = tlkit.ImageDataset(
        np.concatenate([data.images, data.images[:4]]),
        np.concatenate([data.labels, data.labels[:4]]),
        data.class_names,
    )
    trained = train_classifier(twice, "features")
    assert trained.held_back.confusion.sum() == 20
    assert any("4 pictures are copies" in note for note in trained.notes)
    kept = train_classifier(twice, "features", copies="keep")
    assert kept.held_back.confusion.sum() == 24 and not any("copies" in n for n in kept.notes)
    with pytest.raises(InputError, match="no way with copies 'hide'"):
        train_classifier(twice, "features", copies="hide")


def test_mirrored_copies_are_told():
    data = pictures((10, 10))
    mirrored = tlkit.ImageDataset(
        np.concatenate([data.images, data.images[:3, :, ::-1]]),
        np.concatenate([data.labels, data.labels[:3]]),
        data.class_names,
    )
    notes = " ".join(train_classifier(mirrored, "features").notes)
    assert "3 pictures are copies" in notes and "(3 of them mirrored)" in notes


def test_a_picture_in_two_classes_is_left_out():
    data = pictures((10, 10))
    torn = tlkit.ImageDataset(
        np.concatenate([data.images, data.images[:1]]),
        np.concatenate([data.labels, [1]]),
        data.class_names,
    )
    trained = train_classifier(torn, "features")
    assert trained.held_back.confusion.sum() == 19
    assert any("more than one class (blue, red)" in note for note in trained.notes)
    same = tlkit.ImageDataset(data.images[[0] * 6], [0, 0, 0, 1, 1, 1], data.class_names)
    with pytest.raises(InputError, match="no picture when copies are left out"):
        train_classifier(same, "features")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: "pictures/", "str is no set of pictures"),
        (lambda: pictures(size=16), "square ones of 32"),
        (lambda: pictures((4, 1)), "'blue' has one picture"),
        (lambda: pictures((4, 0)), "'blue' has no picture"),
        (lambda: pictures((4,)), "one class only"),
    ],
)
def test_pictures_that_cannot_be_trained_on(data, words):
    with pytest.raises(InputError, match=words):
        train_classifier(data())


def test_a_strategy_that_is_none():
    with pytest.raises(InputError, match="no strategy 'magic'"):
        train_classifier(pictures(), "magic")


def test_an_interrupted_training_goes_on_where_it_stopped(monkeypatch, tmp_path):
    data = pictures((20, 20))
    whole = train_classifier(data, "fine-tune")
    kept, keep, steps, take_steps = [], strategies.keep, [], strategies.take_steps

    def stop(*arguments, **options):
        keep(*arguments, **options)
        kept.append(1)
        if len(kept) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(strategies, "keep", stop)
        with pytest.raises(KeyboardInterrupt):
            train_classifier(data, "fine-tune")
    # Whole, and no temporary file.
    assert [path.suffix for path in (tmp_path / "cache" / "training").iterdir()] == [".npz"]

    def count(model, images, labels, order, **options):
        steps.append(len(order))
        take_steps(model, images, labels, order, **options)

    monkeypatch.setattr(strategies, "take_steps", count)
    resumed = train_classifier(data, "fine-tune")
    assert steps == [finetuning.fading_steps(32) - 2 * strategies.ROUND]
    np.testing.assert_allclose(resumed.predict(data.images), whole.predict(data.images), atol=1e-4)
    assert not list((tmp_path / "cache" / "training").iterdir())


def test_an_interrupted_extraction_keeps_what_was_done(monkeypatch, tmp_path):
    monkeypatch.setattr(strategies, "PIECE", 8)
    base, images, calls = tiny_backbone(), pictures().images, []
    read = strategies.read_layers

    def stop(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return read(*arguments, **options)

    monkeypatch.setattr(strategies, "read_layers", stop)
    with pytest.raises(KeyboardInterrupt):
        strategies.features_in_pieces(base, images, [None])
    assert len(list((tmp_path / "cache" / "features").iterdir())) == 2
    [whole] = strategies.features_in_pieces(base, images, [None])
    direct = tlkit.extract_features(base, images, cache=False)
    np.testing.assert_allclose(whole, direct, atol=1e-6)


def test_networks_and_sizes_are_compared_on_the_pictures_at_hand():
    found = compare_backbones(pictures(size=64), ("one", "two"), (32, 64))
    assert [name for name, *_ in found.rows] == [
        "one, 32 px",
        "one, 64 px",
        "two, 32 px",
        "two, 64 px",
    ]
    assert all(result.n == 28 and result.accuracy > 0.8 for _, result, _ in found.rows)
    assert all(seconds > 0 for *_, seconds in found.rows)
    with pytest.raises(InputError, match="`image_sizes`"):
        compare_backbones(pictures(), ("one",), (64,))
    with pytest.raises(InputError, match="`image_sizes` is 32"):
        compare_backbones(pictures(), ("one",), 32)
    with pytest.raises(InputError, match="`names`"):
        compare_backbones(pictures(), "one", (32,))


def test_predict_takes_arrays_and_paths(classifier, tmp_path):
    data = pictures(seed=9)
    shares = classifier.predict(data.images)
    assert shares.shape == (28, 2) and np.allclose(shares.sum(axis=1), 1)
    assert (shares.argmax(axis=1) == data.labels).mean() > 0.8
    path = tmp_path / "one.png"
    Image.fromarray(data.images[0]).save(path)
    for one in (path, str(path), [path], data.images[0], data.images[:1].astype(float)):
        np.testing.assert_allclose(classifier.predict(one), shares[:1], atol=1e-6)
    large = data.images.repeat(3, axis=1).repeat(3, axis=2)
    assert (classifier.predict(large).argmax(axis=1) == shares.argmax(axis=1)).mean() > 0.9


@pytest.mark.parametrize("wrong", [np.zeros((2, 2)), np.zeros((1, 32, 32, 1)), [], "words", None])
def test_what_is_no_picture_is_refused(classifier, wrong):
    with pytest.raises(TlkitError):
        classifier.predict(wrong)


def test_a_file_that_is_no_picture_is_refused(classifier, tmp_path):
    (tmp_path / "x.jpg").write_text("words")
    with pytest.raises(InputError, match="cannot be used: not a picture"):
        classifier.predict(tmp_path / "x.jpg")


def test_evaluate_counts_maps_names_and_finds_copies(classifier):
    data = pictures(seed=9)
    found = classifier.evaluate(data)
    assert found.confusion.sum() == 28 and not found.copies and found.without_copies is None
    turned = tlkit.ImageDataset(data.images, 1 - data.labels, ("blue", "red"))
    np.testing.assert_array_equal(classifier.evaluate(turned).confusion, found.confusion)
    mixed = tlkit.ImageDataset(
        np.concatenate([data.images[:6], pictures().images[:3]]), [0] * 9, data.class_names
    )
    copied = classifier.evaluate(mixed)
    assert copied.copies == (6, 7, 8) and copied.without_copies.n == 6
    assert "3 of these pictures seem to be copies" in repr(copied)
    with pytest.raises(InputError, match="knows no class 'green'"):
        classifier.evaluate(tlkit.ImageDataset(data.images, data.labels, ("red", "green")))
    with pytest.raises(InputError, match="no set of pictures"):
        classifier.evaluate("pictures/")


def test_the_surest_mistakes_come_first():
    from tlkit.workshop.evaluation import evaluate

    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.45, 0.55]])
    labelled = tlkit.ImageDataset(pictures((2, 2)).images, [1, 0, 1, 1], ("a", "b"))
    found = evaluate(labelled, probabilities, "new")
    assert [mistake.index for mistake in found.mistakes] == [0, 1]
    assert [title for _, title in found.hardest] == [
        "a 90%, is b",
        "b 60%, is a",
        "b 55%, right",
        "b 80%, right",
    ]
    assert found.score == score([1, 0, 1, 1], probabilities) and found.recall[0] == 0


def test_figures_are_drawn(classifier):
    assert classifier.held_back.draw().axes
    assert len(classifier.held_back.show_mistakes(4).axes) >= 4
    assert classifier.explain(pictures().images[0]).alt
    assert classifier.explain(pictures().images[0], "blue").axes
    with pytest.raises(InputError, match="class 'green'"):
        classifier.explain(pictures().images[0], "green")


def test_the_card_states_what_was_measured(classifier, tmp_path):
    text = classifier.card(tmp_path / "model.md")
    assert (tmp_path / "model.md").read_text(encoding="utf-8") == text
    for words in ("red 14, blue 14", "made up", "CC0", str(classifier.held_back.score)):
        assert words in text
    classifier.card(tmp_path / "model.md")  # its own may be replaced
    (tmp_path / "notes.md").write_text("my notes")
    with pytest.raises(InputError, match="was edited, or is none of tlkit's"):
        classifier.card(tmp_path / "notes.md")
    assert (tmp_path / "notes.md").read_text() == "my notes"


def test_attempts_are_noted_once_each_and_drawn(capsys):
    attempts = Attempts()
    attempts.add_score("always a", score([0, 1, 1], [0, 0, 0]), seconds=0.1)
    attempts.run("always b", lambda: np.ones(3, int), [0, 1, 1])
    attempts.add_score("always a", score([0, 1], [0, 0]), 2)
    assert [name for name, _, _ in attempts.rows] == ["always b", "always a"]
    assert "66.7%" in repr(attempts) and "always b: 66.7%" in capsys.readouterr().out
    assert attempts.draw().alt
    with pytest.raises(InputError, match="needs a name"):
        attempts.add_score("x", 0.5, 1)
