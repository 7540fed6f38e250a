"""Fold batch normalisation into the convolution before it, for a faster frozen forward pass.

A frozen batch-norm layer multiplies each channel by a constant and adds another; a convolution just
before it can do both with its own kernel and bias. The output is the same up to rounding, and on a
CPU the network runs faster: see `benchmarks/features.py` (Jacob et al. 2017, arXiv 1712.05877,
section 3.2).
"""

import keras
import numpy as np
from keras import layers


def _foldable(model: keras.Model) -> dict[str, layers.Layer]:
    """Names of convolutions whose only reader is a batch-norm layer, with that layer."""
    pairs = {}
    # A layer may stand in other models as well.
    ours = {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}
    for layer in model.layers:
        if type(layer) not in (layers.Conv2D, layers.DepthwiseConv2D):
            continue
        readers = [node.operation for node in layer._outbound_nodes if id(node) in ours]
        places = [node for node in layer._inbound_nodes if id(node) in ours]
        # With LoRA the kernel is a sum of two.
        if getattr(layer, "lora_enabled", False):
            continue
        linear = layer.activation is keras.activations.linear
        inner = not any(layer.output is output for output in model.outputs)
        if linear and inner and len(places) == 1 and len(readers) == 1:
            bn = readers[0]
            if type(bn) is layers.BatchNormalization and bn.axis in (-1, 3) and bn in model.layers:
                pairs[layer.name] = bn
    return pairs


def _folded_weights(conv: layers.Layer, bn: layers.BatchNormalization) -> list[np.ndarray]:
    kernel, *bias = conv.get_weights()
    mean, variance = np.array(bn.moving_mean), np.array(bn.moving_variance)
    scale = 1 / np.sqrt(variance + bn.epsilon) * (np.array(bn.gamma) if bn.scale else 1.0)
    shift = (np.array(bn.beta) if bn.center else 0.0) - mean * scale
    # A depthwise kernel is (height, width, channel, multiplier); others end in their out channels.
    factor = scale.reshape(kernel.shape[-2:]) if isinstance(conv, layers.DepthwiseConv2D) else scale
    return [kernel * factor, shift + (bias[0] * scale if bias else 0.0)]


def fold_batch_norm(model: keras.Model) -> keras.Model:
    """Copy a functional model with every foldable batch-norm layer folded away.

    Layers keep their names: a folded batch-norm layer becomes an identity of the same name.

    Args:
        model: A functional model; it is not changed.

    Returns:
        A new model with the same inputs and, up to rounding, the same outputs in inference. Parts
        that cannot be folded are copied as they are.
    """
    pairs = _foldable(model)
    folded = {bn.name for bn in pairs.values()}

    def copy(layer):
        if layer.name in folded:
            return layers.Identity(name=layer.name)
        config = layer.get_config()
        if layer.name in pairs:
            config["use_bias"] = True
        return layer.__class__.from_config(config)

    def call(layer, *inputs, **options):
        # What was said to a batch-norm layer (training, mask) means nothing to an identity.
        return layer(*inputs) if isinstance(layer, layers.Identity) else layer(*inputs, **options)

    copied = keras.models.clone_model(model, clone_function=copy, call_function=call)
    for layer in model.layers:
        if layer.name in pairs:
            copied.get_layer(layer.name).set_weights(_folded_weights(layer, pairs[layer.name]))
        elif layer.weights and layer.name not in folded:
            copied.get_layer(layer.name).set_weights(layer.get_weights())
    copied.trainable = False
    return copied
