"""What each depth of a network has made of its pictures, and what it is worth (lesson 02)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tlkit.errors import InputError
from tlkit.features import extract_features, fit_linear_head
from tlkit.networks.small import autoencoder, narrow_network
from tlkit.plots.points import point_panels
from tlkit.scores import Score, score

if TYPE_CHECKING:
    import keras

__all__ = [
    "autoencoder",
    "best_depth",
    "depth_names",
    "features_by_depth",
    "narrow_network",
    "point_panels",
    "probe",
    "probe_by_depth",
    "project",
]


def depth_names(model: "keras.Model") -> list[str]:
    """The layers that stand for the depths of a backbone: stem, blocks and last features.

    Args:
        model: A backbone whose layers are called so, such as `load_backbone` gives for the
            EfficientNet-Lite networks.

    Returns:
        Their names, from early to late.

    Raises:
        InputError: The model has no such layers.

    Example:
        >>> depth_names(load_backbone("efficientnet-lite0", image_size=64))[:3]
        ['stem', 'block_00', 'block_01']
    """
    names = [layer.name for layer in getattr(model, "layers", [])]
    found = [
        name
        for name in names
        if name in ("stem", "features") or (name.startswith("block_") and name[6:].isdigit())
    ]
    if not found:
        raise InputError(
            f"No layer of {getattr(model, 'name', model)!r} is called stem, block_00 or features.",
            "Say which layers to read, such as layers=[layer.name for layer in model.layers[1:]].",
        )
    return found


def features_by_depth(
    model: "keras.Model",
    images: np.ndarray,
    layers: Sequence[str] | None = None,
    batch_size: int = 32,
    cache: bool = True,
    progress: bool | None = None,
) -> dict[str, np.ndarray]:
    """Pooled features of many layers, with one pass through the network for each picture.

    The wanted layers are pooled and set side by side in one model; `extract_features` runs that.

    Args:
        model: A functional or Sequential model from RGB 0–255.
        images: RGB pictures (N, H, W, 3), uint8 or numbers from 0 to 255, of the model's size.
        layers: Names of layers whose output is maps or vectors; those of `depth_names` if None.
        batch_size: Pictures per step.
        cache: Keep the answer on disk and use what was kept.
        progress: True to tell how far it has come, False not to, None to tell after three seconds.

    Returns:
        For each layer, in the order asked for, float32 features (N, C).

    Raises:
        InputError: An unknown layer or one without channels, or pictures that do not fit.

    Example:
        >>> base = load_backbone("efficientnet-lite0", image_size=64)
        >>> found = features_by_depth(base, np.zeros((2, 64, 64, 3), "uint8"))
        >>> len(found), found["stem"].shape, found["block_12"].shape
        (18, (2, 32), (2, 192))
    """
    import keras

    layers = depth_names(model) if layers is None else list(layers)
    known = {layer.name: layer for layer in model.layers}
    unknown = [name for name in layers if name not in known]
    if unknown or not layers:
        raise InputError(
            f"The model {model.name!r} has no layer {', '.join(map(repr, unknown)) or 'to read'}.",
            f"Choose from {', '.join(list(known)[:4])}, …, {list(known)[-1]}.",
        )
    outputs = [known[name].output for name in layers]
    for name, output in zip(layers, outputs, strict=True):
        if len(output.shape) not in (2, 4):
            raise InputError(
                f"The output of {name!r} has the shape {output.shape}: it is neither maps nor a "
                "vector.",
                "Choose another layer.",
            )
    pool = keras.layers.GlobalAveragePooling2D
    pooled = [pool()(output) if len(output.shape) == 4 else output for output in outputs]
    together = keras.layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
    features = extract_features(
        keras.Model(model.inputs, together, name=model.name),
        images,
        batch_size=batch_size,
        cache=cache,
        progress=progress,
    )
    ends = np.cumsum([output.shape[-1] for output in outputs])
    return dict(zip(layers, np.split(features, ends[:-1], axis=1), strict=True))


def probe(
    features: np.ndarray,
    labels: np.ndarray,
    test_features: np.ndarray,
    test_labels: np.ndarray,
    C: float = 1.0,
) -> Score:
    """How much of the labels a straight cut through the features can tell: a linear probe.

    Args:
        features: (N, C) to fit a linear head on.
        labels: (N,) their classes, integers from 0.
        test_features: (M, C) to test it on.
        test_labels: (M,) their classes.
        C: Strength of the fit, as in `fit_linear_head`.

    Returns:
        The accuracy on the test with its 95 % interval.

    Raises:
        InputError: Features and labels that do not fit.

    Example:
        >>> x, y = np.array([[0.0], [1.0], [4.0], [5.0]]), np.array([0, 0, 1, 1])
        >>> probe(x, y, x, y).accuracy
        1.0

    Source: Alain & Bengio 2016, arXiv 1610.01644, section 3.
    """
    features, test_features = np.asarray(features), np.asarray(test_features)
    if features.shape[1:] != test_features.shape[1:]:
        raise InputError(
            f"Features of shape {features.shape} and test features of shape "
            f"{test_features.shape} do not come from the same layer.",
            "Take both from one layer.",
        )
    head = fit_linear_head(features, labels, C)
    return score(test_labels, np.asarray(head(test_features)))


def probe_by_depth(
    features: Mapping[str, np.ndarray],
    labels: np.ndarray,
    test_features: Mapping[str, np.ndarray],
    test_labels: np.ndarray,
    C: float = 1.0,
) -> dict[str, Score]:
    """A linear probe at every depth.

    Args:
        features: For each layer (N, C), as `features_by_depth` gives them.
        labels: (N,) classes.
        test_features: The same layers of the test pictures.
        test_labels: (M,) their classes.
        C: Strength of the fit, as in `fit_linear_head`.

    Returns:
        A `Score` for each layer.

    Raises:
        InputError: A layer that the test features lack, or features and labels that do not fit.

    Example:
        >>> x, y = {"stem": np.array([[0.0], [1.0], [4.0], [5.0]])}, np.array([0, 0, 1, 1])
        >>> probe_by_depth(x, y, x, y)["stem"].accuracy
        1.0
    """
    if missing := [name for name in features if name not in test_features]:
        raise InputError(
            f"The test features lack {', '.join(missing)}.",
            "Read the same layers of both sets of pictures.",
        )
    return {
        name: probe(each, labels, test_features[name], test_labels, C)
        for name, each in features.items()
    }


def best_depth(
    features: Mapping[str, np.ndarray],
    labels: np.ndarray,
    folds: int = 5,
    seed: int = 0,
    C: float = 1.0,
) -> tuple[str, dict[str, float]]:
    """Choose the layer to read by cross-validation on the labels that one has.

    Args:
        features: For each layer (N, C), as `features_by_depth` gives them.
        labels: (N,) classes; each must occur at least `folds` times.
        folds: In how many parts to cut; each is judged once by a probe fitted on the others.
        seed: Which picture goes to which part.
        C: Strength of the fit, as in `fit_linear_head`.

    Returns:
        The name of the layer with the highest accuracy (the later one of equals), and the
        accuracy of each.

    Raises:
        InputError: Too few pictures of a class, or features and labels that do not fit.

    Example:
        >>> x, y = np.array([[0.0], [1.0], [4.0], [5.0]]), np.array([0, 0, 1, 1])
        >>> best_depth({"early": 0 * x, "late": x}, y, folds=2)
        ('late', {'early': 0.5, 'late': 1.0})
    """
    from sklearn.model_selection import StratifiedKFold

    labels = np.asarray(labels)
    fewest = np.unique(labels, return_counts=True)[1].min()
    if not features or not 2 <= folds <= fewest:
        raise InputError(
            f"Of some class there are {fewest} pictures, which cannot be cut in {folds!r} parts.",
            "Give at least one layer, and from 2 parts to as many as the rarest class has.",
        )
    cuts = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels))
    found = {}
    for name, each in features.items():
        right = [
            np.asarray(fit_linear_head(each[fit], labels[fit], C)(each[left_out])).argmax(axis=1)
            == labels[left_out]
            for fit, left_out in cuts
        ]
        found[name] = float(np.concatenate(right).mean())
    return max(reversed(found), key=found.get), found


def project(
    features: np.ndarray, method: str = "pca", perplexity: float = 30.0, seed: int = 0
) -> np.ndarray:
    """Two numbers for each picture, to draw it as a point.

    Args:
        features: (N, C) numbers, N at least 5.
        method: `"pca"`, the two directions in which the features vary most, or `"t-sne"`, which
            keeps neighbours together and gives up distances and directions for it.
        perplexity: About how many neighbours t-SNE keeps together; at most a third of N is used.
        seed: Of what is random.

    Returns:
        (N, 2) float64.

    Raises:
        InputError: Not such features, or an unknown method.

    Example:
        >>> project(np.eye(8), "pca").shape
        (8, 2)

    Source: van der Maaten & Hinton 2008, Journal of Machine Learning Research 9, p. 2579; both
    are scikit-learn's.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    features = np.asarray(features, dtype="float64")
    if features.ndim != 2 or min(features.shape) < 2 or len(features) < 5:
        raise InputError(
            f"Features of shape {features.shape} cannot be projected.",
            "Pass (N, C) features of five pictures or more.",
        )
    if method not in ("pca", "t-sne") or not np.isfinite(features).all():
        raise InputError(
            f"There is no projection {method!r} of these numbers.",
            'Use "pca" or "t-sne", on finite features.',
        )
    components = 2 if method == "pca" else min(50, *features.shape)
    main = PCA(components, random_state=seed).fit_transform(features)
    if method == "pca":
        return main
    perplexity = min(perplexity, len(features) / 3)
    neighbours = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    return neighbours.fit_transform(main).astype("float64")
