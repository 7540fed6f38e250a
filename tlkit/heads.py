"""Linear heads on frozen features: fit one, judge it by cross-validation, join it to its backbone.

See lesson 03.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tlkit import checks
from tlkit.checks import demand
from tlkit.errors import InputError

if TYPE_CHECKING:
    import keras

# What the logit of a class that never occurred is near: it is never the highest.
_NEVER = -1e3
FOLDS = 5


def fit_linear_head(features: np.ndarray, labels: np.ndarray, C: float = 1.0) -> "keras.Sequential":
    """Fit a linear classifier on frozen features: logistic regression, as a Keras head.

    Features are centred and divided by one number for all, their overall spread, so that `C` means
    the same for every layer; a number for each feature would raise the quiet, noisy ones to the
    rank of the telling ones. Scaling and fit are then one dense layer. Nothing in it is random.

    Args:
        features: (N, C) numbers.
        labels: (N,) integers from 0; every class up to the highest should occur.
        C: Strength of the fit against keeping the weights small, above 0.

    Returns:
        A `keras.Sequential` named `"head"`, from features (N, C) to logits (N, classes).

    Raises:
        InputError: Features and labels that do not fit, or fewer than two classes.

    Example:
        >>> head = fit_linear_head(np.array([[0.0], [1.0], [4.0], [5.0]]), [0, 0, 1, 1])
        >>> np.asarray(head(np.array([[0.5], [4.5]]))).argmax(axis=1)
        array([0, 1])
    """
    import keras
    from sklearn.linear_model import LogisticRegression

    features, labels = _fitting(features, labels)
    middle = features.mean(axis=0, dtype="float64")
    spread = np.sqrt(features.var(axis=0, dtype="float64").mean()) or 1.0
    # Turning the features does not change the fit, and n pictures span n directions at the most:
    # with few pictures there is far less to fit.
    basis, turned = np.linalg.qr(((features - middle) / spread).T)
    fitted = LogisticRegression(C=checks.number(C, "C", 0), max_iter=1000).fit(turned.T, labels)
    weights, bias = fitted.coef_ @ basis.T / spread, fitted.intercept_
    if len(weights) == 1:
        # Of two classes scikit-learn keeps the second one's row alone.
        weights = np.vstack([-weights / 2, weights / 2])
        bias = np.concatenate([-bias / 2, bias / 2])
    kernel = np.zeros((features.shape[1], labels.max() + 1), "float32")
    offset = np.full(labels.max() + 1, _NEVER, "float32")
    kernel[:, fitted.classes_] = weights.T
    offset[fitted.classes_] = bias - weights @ middle
    head = keras.Sequential(
        [keras.Input(features.shape[1:]), keras.layers.Dense(kernel.shape[1], name="logits")],
        name="head",
    )
    head.layers[-1].set_weights([kernel, offset])
    return head


def _fitting(features: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels, if they fit each other."""
    features = checks.array(features, "The table of features")
    labels = checks.array(labels, "The list of labels")
    demand(
        features.ndim == 2
        and features.dtype.kind in "iuf"
        and labels.shape == (len(features),)
        and np.isfinite(features).all(),
        f"Features of shape {features.shape} and labels of shape {labels.shape} do not fit.",
        "Pass one row of finite features and one label per picture.",
    )
    found = np.unique(labels)
    demand(
        labels.dtype.kind in "ui" and len(found) > 1 and found[0] >= 0,
        f"Labels must be whole numbers from 0, of two classes or more; these are {found[:5]}.",
        "Pass the labels of an ImageDataset.",
    )
    return features, labels


def folds_for(labels: np.ndarray) -> int:
    """In how many parts pictures are cut to judge a head: five, or as the rarest class allows."""
    counts = np.unique(labels, return_counts=True)[1]
    return int(np.clip(counts.min(), 2, FOLDS))


def cross_validate(
    features: np.ndarray,
    labels: np.ndarray,
    C: float = 1.0,
    folds: int | None = None,
    seed: int = 0,
    fit: Callable[..., "keras.Model"] = fit_linear_head,
) -> np.ndarray:
    """What heads make of features that they were fitted without: each part judged by the others.

    Args:
        features: (N, C) numbers.
        labels: (N,) integers from 0.
        C: Strength of the fit, as in `fit_linear_head`.
        folds: In how many parts to cut, with the classes in the same proportions in each; None
            for five, or fewer where a class is rarer.
        seed: Which picture goes to which part.
        fit: How to fit a head: a function of features, labels and C.

    Returns:
        float32 logits (N, classes).

    Raises:
        InputError: Features and labels that do not fit, or more parts than pictures of a class.

    Example:
        >>> x, y = np.array([[0.0], [1.0], [4.0], [5.0]]), np.array([0, 0, 1, 1])
        >>> cross_validate(x, y, folds=2).argmax(axis=1)
        array([0, 0, 1, 1])
    """
    from sklearn.model_selection import StratifiedKFold

    (features, labels), seed = _fitting(features, labels), checks.seed(seed)
    if folds is None:
        folds = folds_for(labels)
    else:
        fewest = int(np.unique(labels, return_counts=True)[1].min())
        demand(
            isinstance(folds, int | np.integer) and 2 <= folds <= fewest,
            f"Of some class there are {fewest} pictures, which cannot be cut in {folds!r} parts.",
            "Choose from 2 parts to as many as the rarest class has pictures.",
        )
    logits = np.full((len(labels), labels.max() + 1), _NEVER, "float32")
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for learn, judge in parts.split(labels, labels):
        found = np.asarray(fit(features[learn], labels[learn], C)(features[judge]))
        logits[judge, : found.shape[1]] = found
    return logits


def attach_head(base: "keras.Model", head: "keras.Model") -> "keras.Model":
    """Join a backbone and a head into one classifier from pictures to logits.

    Args:
        base: A backbone from pictures to feature maps.
        head: A model from pooled features (N, C) to logits (N, classes).

    Returns:
        A functional model that shares its layers with both: pictures, base, average pooling, head.

    Raises:
        InputError: The head does not take as many features as the base gives.

    Example:
        >>> model = attach_head(base, fit_linear_head(features, labels))    # doctest: +SKIP
        >>> model.predict(images).shape                                     # doctest: +SKIP
        (2, 5)
    """
    import keras

    if not (_from_one_to_one(base) and _from_one_to_one(head)):
        raise InputError(
            "A backbone and a head are joined where both have one input and one output.",
            "Pass two built models: the backbone, and what fit_linear_head gave.",
        )
    if not hasattr(base, "output"):
        raise InputError(
            f"The Sequential model {base.name!r} was never called, so Keras knows no output of it.",
            "Pass keras.Model(base.inputs, base.outputs) in its place.",
        )
    demand(
        len(base.output.shape) == 4 and base.output.shape[-1] == head.input_shape[-1],
        f"A head for {head.input_shape[-1]} features does not fit a backbone whose output is "
        f"{base.output_shape}.",
        "Fit the head on the pooled features of this very backbone.",
    )
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(base.output)
    return keras.Model(base.input, head(pooled), name=f"{base.name}_classifier")


def _from_one_to_one(model: Any) -> bool:
    """Whether this is a built model with one input and one output."""
    ends = getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or []
    return getattr(model, "built", False) and [len(end) for end in ends] == [1, 1]
