"""How fast a network is fine-tuned: ours against the same fit in plain Keras, and PyTorch.

python benchmarks/finetuning.py [--rounds 5] [--pictures 160] [--image-size 128]

All train every weight of EfficientNet-Lite0 but batch norm, which stays still, with Adam on the
same pictures. Each round lets all of them train for one epoch in turn; the ratios are medians over
the rounds, so they hold when the machine's speed drifts. The time that a training graph takes to
build is told apart. PyTorch takes part when it is installed: `pip install torch`.
"""

import argparse
import contextlib
import io
import statistics
import time

import keras
import numpy as np

import tlkit
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


def plain_keras(data, batch_size):
    """The same network as one layer of a Sequential model, frozen by hand."""
    base = tlkit.load_backbone(image_size=data.images.shape[1])
    for layer in base.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    head = keras.layers.Dense(len(data.class_names))
    model = compiled(keras.Sequential([base, keras.layers.GlobalAveragePooling2D(), head]))
    return lambda: model.fit(data.images, data.labels, batch_size=batch_size, verbose=0)


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


if __name__ == "__main__":
    main()
