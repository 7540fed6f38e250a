"""The experiment of Yosinski et al. (2014): how well do a network's first layers serve others?"""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tlkit.checks import choice, demand, whole
from tlkit.errors import InputError
from tlkit.keras_tools import seeded
from tlkit.steps import at_once, shuffled, take_steps

if TYPE_CHECKING:
    import keras

TREATMENTS = ("BnB", "BnB+", "AnB", "AnB+", "random")
# A head alone stands, and needs, larger steps: its answer is a convex problem's.
_ALONE = 10

Pictures = tuple[np.ndarray, np.ndarray]


class Trainer:
    """A network that is compiled once and then filled with new weights for every run.

    Args:
        build: Makes it from a number of classes and a seed.
        classes: How many it tells apart.
        steps: Of a training.
        head_steps: Of one in which only the head trains.
        rate: Where Adam's rate starts; it fades along a cosine.
    """

    def __init__(self, build: Callable, classes: int, steps: int, head_steps: int, rate: float):
        import keras

        self.build, self.classes = build, classes
        self.whole = build(classes, 0)
        demand(
            isinstance(self.whole, keras.Sequential),
            f"{type(self.whole).__name__} is not a network that can be cut after each layer.",
            "Let the function build a keras.Sequential with an Input.",
        )
        layers = self.whole.layers
        # A cut comes just before the next layer that has weights; the last such layer is the head.
        self.cuts = [place for place, layer in enumerate(layers) if layer.weights][1:]
        self.fronts: list[keras.Sequential | None] = [None]
        self.rests = [self.whole]
        for cut in self.cuts:
            first = keras.Input(self.whole.input_shape[1:])
            self.fronts.append(keras.Sequential([first, *layers[:cut]]))
            between = keras.Input(layers[cut].input.shape[1:])
            self.rests.append(keras.Sequential([between, *layers[cut:]]))
        self.steps = [*[steps] * len(self.cuts), head_steps]
        rates = [*[rate] * len(self.cuts), _ALONE * rate]
        for rest, steps, rate in zip(self.rests, self.steps, rates, strict=True):
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            fading = keras.optimizers.schedules.CosineDecay(rate, steps)
            rest.compile(keras.optimizers.Adam(fading), loss, steps_per_execution=at_once(steps))

    def fill(self, seed: int, giver: list | None = None, layers: int = 0) -> None:
        """New random weights, and over them those of the first `layers` layers of a giver."""
        self.whole.set_weights(self.build(self.classes, seed).get_weights())
        with_weights = [layer for layer in self.whole.layers if layer.weights]
        for layer, weights in zip(with_weights[:layers], giver or [], strict=False):
            layer.set_weights(weights)

    def weights(self) -> list[list[np.ndarray]]:
        """The weights of each layer that has any."""
        return [layer.get_weights() for layer in self.whole.layers if layer.weights]

    def fit(self, images: np.ndarray, labels: np.ndarray, frozen: int, batch: int, seed: int):
        """Train all but the first `frozen` layers; those are run only once per picture."""
        import keras

        rest, steps = self.rests[frozen], self.steps[frozen]
        if frozen:
            images = self.fronts[frozen].predict(images, batch_size=256, verbose=0)
        # Forget the run before: its step, its moments.
        for variable in rest.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        with seeded(seed):
            order = shuffled(len(images), steps, min(batch, len(images)), seed)
            take_steps(rest, images, labels, order)

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        answers = self.whole.predict(images, batch_size=256, verbose=0).argmax(axis=1)
        return float((answers == labels).mean())


def transfer_experiment(
    build: Callable[[int, int], "keras.Sequential"],
    splits: Sequence[tuple[Sequence[int], Sequence[int]]],
    train: Pictures,
    test: Pictures,
    labels_per_class: int | None = None,
    treatments: Sequence[str] = TREATMENTS,
    layers: Sequence[int] | None = None,
    steps: int = 400,
    head_steps: int | None = None,
    source_steps: int | None = None,
    batch_size: int = 64,
    learning_rate: float = 3e-3,
    report: Callable[[str], None] | None = None,
) -> list[dict]:
    """Move the first n layers of a network to other classes, and see what they are worth there.

    For each split of the classes into A and B, one network learns A and one learns B (`"base"`, the
    row with n = 0). Then, for each n, a new network for B gets its first n layers from

    - the network that learnt B, frozen (`"BnB"`, the selffer control) or trained on (`"BnB+"`);
    - the network that learnt A, frozen (`"AnB"`) or trained on (`"AnB+"`);
    - nobody: random layers, frozen (`"random"`).

    Its other layers start from random values, alike in all five. All learn at the same rate.

    Args:
        build: A function from (classes, seed) to an untrained `keras.Sequential` that ends in
            logits. Batch normalisation would need settling and is better left out.
        splits: For each run the class numbers of A and those of B. The run's place is its seed.
        train: Pictures as the network takes them, and labels (N,).
        test: The same for the test; only classes of B are looked at.
        labels_per_class: How many pictures of each class of B to train on; all if None. A always
            gets all.
        treatments: Which of the five to run.
        layers: Which n to run; all if None. The head, the last layer with weights, never moves.
        steps: Training steps on B. Take many: a head that has not finished learning looks like
            layers that do not transfer.
        head_steps: Steps on B when only the head is left to train, where each is cheap and more
            are needed; as many as `steps` if None.
        source_steps: Training steps on A; as many as on B if None.
        batch_size: Pictures per step, at most.
        learning_rate: Where Adam's rate starts; it fades to zero along a cosine. A head that is
            alone to train starts at ten times as much.
        report: Called with a line of progress after each run.

    Returns:
        One dict per run: `split`, `treatment`, `n`, `test` and `train` (accuracies from 0 to 1 on
        the classes of B).

    Raises:
        InputError: Classes that overlap or do not occur, an unknown treatment, an impossible n, or
            a network that is not Sequential.

    Example:
        >>> table = transfer_experiment(build, [([0, 1], [2, 3])], train, test, 5,
        ...                             treatments=["AnB"], layers=[1])      # doctest: +SKIP
        >>> [(row["treatment"], row["n"]) for row in table]                  # doctest: +SKIP
        [('base', 0), ('AnB', 1)]

    Source: Yosinski, Clune, Bengio & Lipson 2014, arXiv 1411.1792, section 2.
    """
    _check(splits, train, test, treatments, labels_per_class)

    @functools.cache
    def trainer(classes: int, steps: int) -> Trainer:
        return Trainer(build, classes, steps, head_steps or steps, learning_rate)

    table = []
    for split, (a, b) in enumerate(splits):
        target = trainer(len(b), steps)
        moved = range(1, len(target.cuts) + 1) if layers is None else layers
        for n in moved:
            whole(n, "layers", 1, len(target.cuts))
        few, judged = only(*train, b, labels_per_class, seed=split), only(*test, b)
        givers = {}
        if {"AnB", "AnB+"} & set(treatments):
            source = trainer(len(a), source_steps or steps)
            source.fill(seed=3 * split)
            source.fit(*only(*train, a), 0, batch_size, seed=split)
            givers["A"] = source.weights()
        target.fill(seed=3 * split + 1)
        target.fit(*few, 0, batch_size, seed=split)
        givers["B"] = target.weights()
        for treatment, n in [("base", 0), *((name, n) for n in moved for name in treatments)]:
            if n:
                target.fill(3 * split + 2, givers.get(treatment[0]), n)
                frozen = 0 if treatment.endswith("+") else n
                target.fit(*few, frozen, batch_size, seed=split)
            row = {"split": split, "treatment": treatment, "n": n}
            row |= {"test": target.accuracy(*judged), "train": target.accuracy(*few)}
            table.append(row)
            if report:
                report("split {split}, {treatment}, n = {n}: {test:.3f}".format(**row))
    return table


def only(
    images: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[int],
    per_class: int | None = None,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """The pictures of some classes, or a few random ones of each, with labels from 0."""
    rng, labels = np.random.default_rng(seed), np.asarray(labels)
    rows = [rng.permutation(np.nonzero(labels == each)[0])[:per_class] for each in classes]
    places = np.repeat(np.arange(len(classes)), [len(each) for each in rows])
    return images[np.concatenate(rows)], places


def _check(splits, train, test, treatments, labels_per_class) -> None:
    for treatment in treatments:
        choice(treatment, TREATMENTS, "treatment")
    for a, b in splits:
        known, tested = (set(np.unique(labels).tolist()) for _, labels in (train, test))
        missing = (set(a) | set(b)) - known | set(b) - tested
        if set(a) & set(b) or missing or len(b) < 2:
            raise InputError(
                f"The classes {list(a)} and {list(b)} are no split: they overlap, do not occur, or "
                "are fewer than two.",
                f"Split the classes that occur: {sorted(known)}.",
            )
        if labels_per_class is not None:
            fewest = min(int((np.asarray(train[1]) == each).sum()) for each in b)
            whole(labels_per_class, "labels_per_class", 1, fewest)
