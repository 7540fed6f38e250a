"""What each depth of a network has made of its pictures, and what it is worth (lesson 02)."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tlkit import checks
from tlkit.checks import demand
from tlkit.errors import InputError
from tlkit.features import read_layers
from tlkit.heads import FOLDS, cross_validate, fit_linear_head
from tlkit.keras_tools import find_layer, open_model

# So that the lesson finds in one place what it draws and trains.
from tlkit.networks.small import autoencoder as autoencoder
from tlkit.networks.small import narrow_network as narrow_network
from tlkit.plots.points import point_panels as point_panels
from tlkit.scores import Score, score

if TYPE_CHECKING:
    import keras


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
    found = [name for name in names if re.fullmatch(r"stem|block_\d+|features", name)]
    demand(
        found,
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
    if layers is not None and (isinstance(layers, str) or not np.iterable(layers)):
        raise InputError(f"`layers` is {layers!r}.", "Give a list of names.")
    layers = depth_names(model) if layers is None else list(layers)
    demand(layers, "There is no layer to read.", "Name one or more.")
    for name in layers:
        shape = find_layer(open_model(model), name).output.shape
        demand(
            len(shape) in (2, 4),
            f"The output of {name!r} has the shape {shape}: it is neither maps nor a vector.",
            "Choose another layer.",
        )
    found = read_layers(model, images, layers, True, batch_size, cache, progress)
    return dict(zip(layers, found, strict=True))


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
    features = checks.array(features, "The table of features")
    test_features = checks.array(test_features, "The table of test features")
    both = f"Features of shape {features.shape} and test features of shape {test_features.shape}"
    same = features.shape[1:] == test_features.shape[1:]
    demand(same, f"{both} do not come from the same layer.", "Take both from one layer.")
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
    if not (isinstance(features, Mapping) and isinstance(test_features, Mapping)):
        raise InputError(
            "Features by depth are a dictionary from layers to arrays.",
            "Pass what features_by_depth gave.",
        )
    missing = [name for name in features if name not in test_features]
    mend = "Read the same layers of both sets of pictures."
    demand(not missing, f"The test features lack {', '.join(missing)}.", mend)
    return {
        name: probe(each, labels, test_features[name], test_labels, C)
        for name, each in features.items()
    }


def best_depth(
    features: Mapping[str, np.ndarray],
    labels: np.ndarray,
    folds: int = FOLDS,
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
    if not isinstance(features, Mapping):
        raise InputError(
            "Features by depth are a dictionary from layers to arrays.",
            "Pass what features_by_depth gave.",
        )
    demand(features, "There are no layers to choose from in any parts.", "Give one or more.")
    labels, found = np.asarray(labels), {}
    for name, each in features.items():
        answers = cross_validate(each, labels, C, folds, seed).argmax(axis=1)
        found[name] = float((answers == labels).mean())
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

    features = checks.numbers(features, "The table of features", (None, None))
    demand(
        min(features.shape) > 1 and len(features) > 4,
        f"Features of shape {features.shape} cannot be projected.",
        "Pass (N, C) features of five pictures or more.",
    )
    checks.choice(method, ("pca", "t-sne"), "projection")
    perplexity, seed = checks.number(perplexity, "perplexity", 0), checks.seed(seed)
    components = 2 if method == "pca" else min(50, *features.shape)
    main = PCA(components, random_state=seed).fit_transform(features)
    if method == "pca":
        return main
    perplexity = min(perplexity, len(features) / 3)
    neighbours = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    return neighbours.fit_transform(main).astype("float64")
