"""Finding one's way through a model, whatever it is built of."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def leaf_layers(model: "keras.layers.Layer") -> list["keras.layers.Layer"]:
    """The layers that compute something, each once, from early to late, through nested models.

    Args:
        model: Any Keras model or layer.

    Returns:
        Its layers that hold no other layers; of a subclassed model in the order of its attributes.

    Example:
        >>> [layer.name for layer in leaf_layers(small_network())][-1]
        'logits'
    """

    def walk(layer) -> Iterator["keras.layers.Layer"]:
        inner = getattr(layer, "layers", None) or getattr(layer, "_layers", [])
        if not inner:
            yield layer
        for each in inner:
            yield from walk(each)

    return list({id(layer): layer for layer in walk(model)}.values())
