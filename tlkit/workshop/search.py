"""What `"auto"` does: try what may pay, the best value for its seconds first, and keep the best."""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from tlkit.data.files import SMALL
from tlkit.data.image_dataset import ImageDataset
from tlkit.features import extract_features
from tlkit.finetuning import BATCH_SIZE, fading_steps
from tlkit.heads import cross_validate
from tlkit.scores import paired_difference, score
from tlkit.workshop import strategies
from tlkit.workshop.evaluation import evaluate
from tlkit.workshop.recommendation import ENOUGH, next_step
from tlkit.workshop.strategies import Trained

# The layers whose features are tried: from the middle and from the end of the network.
MIDDLE, END = "block_12", "features"
# How far to go from the weights before fine-tuning to those after it.
SHARES = (0.5, 1.0)
# What a step of fine-tuning takes, in passes of its pictures through the network, and what else a
# training takes, in seconds. Both are on the safe side.
PASSES, BUILDING = 2.0, 10.0
# Whether mirror images take part in fine-tuning; what costs least is tried first.
MIRRORED = (False, True)
# With fewer steps it is not tried.
FEWEST_STEPS = 40


RULE = (
    "A larger size is kept unless it is worse by more than a standard error, another layer or C\n"
    "only if it is better by more than that: of settings that are alike, one leads by chance."
)


class Tried(NamedTuple):
    """Something that was tried.

    Args:
        what: In words.
        accuracy: On pictures that it was not fitted on, 0 to 1.
        instead_of: The accuracy of the best before it on the same pictures; None of the first.
        pictures: How many these are.
        seconds: What it took.
        kept: Whether it was the best from then on.
    """

    what: str
    accuracy: float
    instead_of: float | None
    pictures: int
    seconds: float
    kept: bool


class Best(NamedTuple):
    """The best fine-tuning so far: its row, what it said of the pictures held back, and how."""

    row: Tried
    logits: np.ndarray
    tuning: strategies.Tuning
    share: float
    how: dict


class Head(NamedTuple):
    """A setting of the linear head: pixels of a side, the layer whose features it sees, and C."""

    size: int
    layer: str = END
    C: float = 1.0

    def __str__(self) -> str:
        return f"head on {self.layer}, {self.size} px, C {self.C:g}"


def table(tried: Iterable[Sequence]) -> str:
    """What was tried, a line each."""
    rows = [Tried(*each) for each in tried]
    width = max(len(each.what) for each in rows)
    lines = [f"{'tried':{width}}  accuracy  instead of  pictures  seconds"]
    for each in rows:
        before = "" if each.instead_of is None else f"{each.instead_of:.1%}"
        lines.append(
            f"{each.what:{width}}  {each.accuracy:8.1%}  {before:>10}  {each.pictures:8}"
            f"  {each.seconds:7.1f}{'  kept' if each.kept else ''}"
        )
    return "\n".join([*lines, RULE])


class Search:
    """One search: the pictures, what was tried on them, and the time that is left.

    Args:
        data: What to train on.
        seed: Of the folds, of what is held back and of the order of the pictures.
        minutes: How long it may take; what would take longer is not begun.
        progress: Whether to tell how far it has come, as in `extract_features`.
    """

    def __init__(self, data: ImageDataset, seed: int, minutes: float, progress: bool | None):
        self.data, self.seed, self.progress = data, seed, progress
        self.ends = time.monotonic() + 60 * minutes
        self.tried: list[Tried] = []
        self.read: dict[tuple[int, str], np.ndarray] = {}

    def run(self) -> Trained:
        """Settings of the head first, then fine-tuning where it may pay."""
        head, right = self.choose_head()
        reach = score(np.ones(len(right), int), right.astype(int))
        strategy, reason = next_step(self.data.labels, reach, f"a {head},")
        tuned = None
        if strategy == "fine-tune":
            tuned, reason = self.tune(head)
        if tuned is None:
            data = self.data.resized(head.size)
            tuned = strategies.on_features(data, self.seed, self.progress, head.layer, head.C)
        return tuned._replace(note=f"{tuned.note} {reason}")

    def choose_head(self) -> tuple[Head, np.ndarray]:
        """The setting of the linear head, and which pictures its heads get right, cross-validated.

        The larger size is kept unless it is clearly worse: on photographs it mostly is better.
        Another layer or C is kept only where it is clearly better, for of settings that are alike
        one always leads by chance. Clearly is by more than one standard error (Hastie et al. 2009,
        "The Elements of Statistical Learning", section 7.10).
        """
        side = self.data.images.shape[1]
        best = Head(min(SMALL, side))
        right = self.judge(best, None)
        changes = [{"layer": MIDDLE}, {"C": 0.1}, {"C": 10.0}]
        for change in [{"size": side}] * (side > SMALL) + changes:
            if right.mean() >= ENOUGH or self.left() < 0:
                break
            head = best._replace(**change)
            now = self.judge(head, right)
            if self.tried[-1].kept:
                best, right = head, now
        return best, right

    def judge(self, head: Head, before: np.ndarray | None) -> np.ndarray:
        """Cross-validate heads of a setting: for each picture whether it was recognised."""
        began = time.monotonic()
        features = self.features(head.size, head.layer)
        logits = cross_validate(
            features, self.data.labels, head.C, seed=self.seed, fit=strategies.even_head
        )
        now = logits.argmax(axis=1) == self.data.labels
        kept = before is None
        if not kept:
            gain = paired_difference(now, before)
            error = (gain.high - gain.low) / 4
            kept = gain.mean > error or (gain.mean >= -error and head[1:] == (END, 1.0))
        self.note(str(head), now, before, began, kept)
        return now

    def features(self, size: int, layer: str) -> np.ndarray:
        """Of all pictures; one pass through the network gives those of both layers."""
        if (size, layer) not in self.read:
            base, images = strategies.load_base(size), self.data.resized(size).images
            layers = (MIDDLE, END)
            found = strategies.features_in_pieces(base, images, layers, self.progress)
            self.read |= {(size, name): each for name, each in zip(layers, found, strict=True)}
        return self.read[size, layer]

    def tune(self, head: Head) -> tuple[Trained | None, str]:
        """Fine-tune, if that beats the head on a fifth of the pictures, which neither has seen.

        The best is trained once more on all pictures, if there is time.
        """
        data = self.data.resized(head.size)
        learn, judge = strategies.hold_back(data, self.seed)
        right = self.head_on(head, learn, judge)
        best, why = None, "Fine-tuning was not tried: it takes more than the time left."
        for mirrored in MIRRORED:
            steps = self.steps(learn)
            if steps < FEWEST_STEPS:
                break
            began = time.monotonic()
            how = {"mirrored": mirrored, "steps": steps, "show": self.progress}
            tuning = strategies.fine_tuned(learn, self.seed, **how)
            why = "Fine-tuning was tried, and was no better on the pictures held back."
            for share in SHARES:
                model = tuning.at(share)
                logits = extract_features(model, judge.images, cache=False, progress=False)
                now = logits.argmax(axis=1) == judge.labels
                what = f"fine-tuned from {strategies.FROM_LAYER}, {head.size} px, {steps} steps"
                what += ", mirror images, too" * mirrored + ", half-way back" * (share < 1)
                self.note(what, now, right, began, now.sum() > right.sum())
                if self.tried[-1].kept:
                    right, best = now, Best(self.tried[-1], logits, tuning, share, how)
        if best is None:
            return None, why
        tuning, why = best.tuning, f"It learnt from {len(learn)} pictures; {len(judge)} judged it."
        if best.row.seconds < self.left():
            tuning = strategies.fine_tuned(data, self.seed, **best.how)
            why = f"Once judged on {len(judge)} pictures, it was trained again on all {len(data)}."
        told = f"held back: {len(judge)} pictures, of which nothing was learnt"
        judged = evaluate(judge, softmax(best.logits, axis=1), told)
        # Its weights are those that were set last.
        model = tuning.at(best.share)
        return Trained(model, judged, f"{model.name}, {best.row.what}.", "fine-tune"), why

    def head_on(self, head: Head, learn: ImageDataset, judge: ImageDataset) -> np.ndarray:
        """Which of the pictures held back a head of this setting gets right."""
        base = strategies.load_base(head.size, head.layer)
        [of_learn], [of_judge] = (
            strategies.features_in_pieces(base, each.images, [None], self.progress)
            for each in (learn, judge)
        )
        fitted = strategies.even_head(of_learn, learn.labels, head.C)
        return np.asarray(fitted(of_judge)).argmax(axis=1) == judge.labels

    def steps(self, learn: ImageDataset) -> int:
        """How many steps fit in the time that is left."""
        base, batch = strategies.load_base(learn.images.shape[1]), learn.images[:BATCH_SIZE]
        extract_features(base, batch, cache=False, progress=False)
        began = time.monotonic()
        extract_features(base, batch, cache=False, progress=False)
        step = PASSES * (time.monotonic() - began)
        return min(fading_steps(len(learn)), int((self.left() - BUILDING) / step))

    def left(self) -> float:
        """Seconds."""
        return self.ends - time.monotonic()

    def note(
        self, what: str, right: np.ndarray, before: np.ndarray | None, began: float, kept: bool
    ) -> None:
        """Write down what was tried."""
        instead_of = None if before is None else float(before.mean())
        took = time.monotonic() - began
        tried = Tried(what, float(right.mean()), instead_of, len(right), took, bool(kept))
        self.tried.append(tried)
