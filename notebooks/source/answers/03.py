"""What `check` knows of the exercises of lesson 03; what is trained is computed when asked for."""

import functools
from collections.abc import Callable

import tlkit
from tlkit.scores import score

SIZE = 160


@functools.cache
def _accuracy(name: str, n: int, train: int, seed: int, layer: str | None = None) -> float:
    """Of a linear head on frozen features."""
    base = tlkit.load_backbone(image_size=SIZE)
    learn, judge = tlkit.load_dataset(name, n, SIZE, seed).split(train=train, seed=seed)
    seen, unseen = (
        tlkit.extract_features(base, each.images, layer, progress=False) for each in (learn, judge)
    )
    return score(judge.labels, tlkit.fit_linear_head(seen, learn.labels)(unseen)).accuracy


def _close_to(compute: Callable[[], float], within: float = 0.004) -> Callable[[float], bool]:
    """Whether a number is what is computed here: another processor may turn one picture."""
    return lambda answer: abs(float(answer) - compute()) <= within


def _points_gained() -> float:
    table = tlkit.results("labels_needed", by=["arm", "labels"])
    before, after = (table.runs("small network from scratch", n).mean() for n in (60, 600))
    return float(100 * (after - before))


AS_SHARE = (lambda answer: answer > 1, "Give a share between 0 and 1.")

EXERCISES = {
    "03.1": {
        "right": 1930,
        "hints": [
            (1920, "Each class has a bias, too."),
            (12810, "That is on the last features; how many maps has block_12?"),
        ],
        "hint": "Each class has a weight for each feature, and one more number.",
    },
    "03.2": {
        "cases": [((300, 20), 20), ((50, 20), 20), ((300, 20, 5), 4)],
        "hint": "The recipe passes every picture in every epoch; we pass every version once.",
    },
    "03.3": {
        "compute": _points_gained,
        "tolerance": 0.1,
        "hints": [(lambda answer: 0 < answer < 1, "In percentage points: times 100.")],
        "hint": "Take the mean of the five accuracies at 600 labels, less that at 60.",
    },
    "03.4": {
        "right": _close_to(lambda: _accuracy("sunglasses-or-hat", 600, 200, 0, "block_12")),
        "hints": [AS_SHARE],
        "hint": "Extract training and test features with layer='block_12', then fit a new head.",
    },
    "03.5": {
        "right": _close_to(lambda: _accuracy("sunglasses-or-hat", 600, 200, 0)),
        "hints": [AS_SHARE],
        "hint": "What range of pixels does the model want, and what does it get?",
    },
    "03.6": {
        "right": _close_to(lambda: _accuracy("icons", 400, 200, 3), within=0.006),
        "hints": [AS_SHARE],
        "hint": "The steps are those of the first section; mind both seeds.",
    },
}
