"""How fast a network is fine-tuned: ours against the same fit in plain Keras, and PyTorch.

python benchmarks/finetuning.py [--rounds 5] [--pictures 160] [--image-size 128] [--epochs 10]

All train every weight of EfficientNet-Lite0 but batch norm, which stays still, with Adam on the
same pictures. Each round lets all of them train for one epoch in turn; the ratios are medians over
the rounds, so they hold when the machine's speed drifts. The time that a training graph takes to
build is told apart. PyTorch takes part when it is installed: `pip install torch`.

A second table holds whole trainings, from compiling on: plain Keras lets all of the network move;
we let it move from a layer on, and compute what lies before once. What that costs in accuracy is
in the table `from_layer` of `make experiments`.
"""

import argparse
import contextlib
import io
import statistics
import time
from functools import partial

import keras
import numpy as np

import tlkit
from tlkit.finetuning import fit_fading
from tlkit.networks.efficientnet_lite import STAGES


def compiled(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-4), loss)
    return model


def ours(data, batch_size):
    """What `tlkit.fine_tune` does in its second phase."""
    base = tlkit.load_backbone(image_size=data.images.shape[1])
    features = tlkit.extract_features(base, data.images)
    model = tlkit.attach_head(base, tlkit.fit_linear_head(features, data.labels))
    with contextlib.redirect_stdout(io.StringIO()):
        tlkit.unfreeze(model)
    compiled(model)
    return lambda: model.fit(data.images, data.labels, batch_size=batch_size, verbose=0)


def plain_keras(data, batch_size, fit=True):
    """The same network as one layer of a Sequential model, frozen by hand."""
    base = tlkit.load_backbone(image_size=data.images.shape[1])
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    head = keras.layers.Dense(len(data.class_names))
    model = compiled(keras.Sequential([base, keras.layers.GlobalAveragePooling2D(), head]))
    if not fit:
        return model
    return lambda: model.fit(data.images, data.labels, batch_size=batch_size, verbose=0)


def whole_trainings(data, batch_size, epochs, rounds):
    """Seconds of whole trainings, plain Keras first; prints the ratios."""

    def plain():
        model = plain_keras(data, batch_size, fit=False)
        model.fit(data.images, data.labels, batch_size=batch_size, epochs=epochs, verbose=0)

    def from_layer(layer):
        base = tlkit.load_backbone(image_size=data.images.shape[1])
        features = tlkit.extract_features(base, data.images, cache=False)
        model = tlkit.attach_head(base, tlkit.fit_linear_head(features, data.labels))
        steps = epochs * len(data) // batch_size
        fit_fading(model, data.images, data.labels, layer, steps=steps)

    layers = (None, "block_03", "block_07", "block_10")
    ways = {"plain Keras, everything": plain}
    ways |= {f"tlkit, from {name or 'the start'}": partial(from_layer, name) for name in layers}
    seconds = {name: [] for name in ways}
    for _ in range(rounds):
        for name, train in ways.items():
            start = time.perf_counter()
            train()
            seconds[name].append(time.perf_counter() - start)
            keras.backend.clear_session()
    print(f"\nWhole trainings of {epochs} epochs, median of {rounds} rounds")
    [first, *_] = seconds.values()
    for name, its in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(first, its, strict=True))
        print(
            f"{name:26} {statistics.median(its):6.1f} s   {ratio:.2f} times as fast as plain Keras"
        )


def pytorch(data, batch_size):
    """The same architecture in PyTorch, channels last, with the weights it starts from."""
    import torch
    from torch import nn

    def convolution(inside, outside, kernel, stride=1, groups=1, activate=True):
        padding = kernel // 2
        conv = nn.Conv2d(inside, outside, kernel, stride, padding, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(outside, eps=1e-3), *[nn.ReLU6()] * activate]

    class Block(nn.Module):
        def __init__(self, inside, outside, kernel, stride, expansion):
            super().__init__()
            wide = inside * expansion
            self.body = nn.Sequential(
                *(convolution(inside, wide, 1) if expansion > 1 else []),
                *convolution(wide, wide, kernel, stride, groups=wide),
                *convolution(wide, outside, 1, activate=False),
            )
            self.adds = stride == 1 and inside == outside

        def forward(self, x):
            return x + self.body(x) if self.adds else self.body(x)

    parts, channels = convolution(3, 32, 3, stride=2), 32
    for repeats, kernel, stride, expansion, outside in STAGES:
        for repeat in range(repeats):
            parts.append(Block(channels, outside, kernel, 1 if repeat else stride, expansion))
            channels = outside
    parts += [*convolution(channels, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    model = nn.Sequential(*parts, nn.Linear(1280, len(data.class_names)))
    model = model.to(memory_format=torch.channels_last).train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval().requires_grad_(False)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    print(f"PyTorch {torch.__version__} trains {sum(w.numel() for w in weights):,} parameters")
    optimizer, judge = torch.optim.Adam(weights, 1e-4), nn.CrossEntropyLoss()

    def epoch():
        order = np.random.default_rng(0).permutation(len(data))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            pictures = torch.from_numpy(data.images[rows]).permute(0, 3, 1, 2)
            pictures = pictures.to(torch.float32).contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            judge(model((pictures - 127) / 128), torch.from_numpy(data.labels[rows])).backward()
            optimizer.step()

    return epoch


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=160)
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=10, help="of the whole trainings")
    options = parser.parse_args()

    data = tlkit.load_dataset("sunglasses-or-hat", options.pictures, options.image_size)
    ways, seconds = {}, {}
    for name, make in (("tlkit", ours), ("plain Keras", plain_keras), ("PyTorch", pytorch)):
        try:
            ways[name] = make(data, options.batch_size)
        except ImportError as error:
            print(f"Without {name}: {error}.")
            continue
        start = time.perf_counter()
        ways[name]()
        print(f"{name}: first epoch, with what is built once, {time.perf_counter() - start:.1f} s")
        seconds[name] = []
    for _ in range(options.rounds):
        for name, epoch in ways.items():
            start = time.perf_counter()
            epoch()
            seconds[name].append(time.perf_counter() - start)

    print(f"\n{len(data)} pictures of {options.image_size} px, median of {options.rounds} rounds")
    for name, theirs in seconds.items():
        ratios = [b / a for a, b in zip(seconds["tlkit"], theirs, strict=True)]
        speed = len(data) / statistics.median(theirs)
        print(
            f"{name:12} {speed:6.1f} pictures/s   "
            f"tlkit is {statistics.median(ratios):.2f} times as fast"
        )
    whole_trainings(data, options.batch_size, options.epochs, options.rounds)


if __name__ == "__main__":
    main()
