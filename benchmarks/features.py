"""How fast features are extracted: ours against keras.Model.predict and ONNX Runtime.

python benchmarks/features.py [--runs 7] [--pictures 640] [--image-size 160]

Each round runs all of them in turn on the same pictures; the ratios are medians over the rounds, so
they hold when the machine's speed drifts. ONNX Runtime needs `pip install -e ".[export]"`.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import tlkit


def onnx_runner(model, batch_size):
    """The same network in ONNX Runtime, fed with floats so that it need not convert them."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.onnx")
        model(np.zeros((1, *model.input_shape[1:]), "float32"))  # or Keras calls it never called
        model.export(path, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(pictures):
        starts = range(0, len(pictures), batch_size)
        steps = [session.run(None, {name: pictures[i : i + batch_size]})[0] for i in starts]
        return np.concatenate(steps).mean(axis=(1, 2))

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--pictures", type=int, default=640)
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()

    size, batch = options.image_size, options.batch_size
    base = tlkit.load_backbone("efficientnet-lite0", image_size=size)
    pictures = tlkit.load_dataset("sunglasses-or-hat", n=options.pictures, image_size=size).images
    floats = pictures.astype("float32")
    ways = {
        "tlkit.extract_features": lambda: tlkit.extract_features(
            base, pictures, batch_size=batch, cache=False, progress=False
        ),
        "keras.Model.predict": lambda: base.predict(floats, batch_size=batch, verbose=0).mean(
            axis=(1, 2)
        ),
    }
    try:
        run = onnx_runner(base, batch)
        ways["ONNX Runtime"] = lambda: run(floats)
    except ImportError as error:
        print(f"Without ONNX Runtime: {error}.")

    expected = ways["keras.Model.predict"]()
    seconds = {name: [] for name in ways}
    for name, way in ways.items():  # warm-up, and a check that all compute the same
        error = np.abs(way() - expected).max() / np.abs(expected).max()
        print(
            f"{name}: largest difference from predict, relative to the largest value: {error:.1e}"
        )
    for _ in range(options.runs):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)

    print(f"\n{options.pictures} pictures of {size} px, median of {options.runs} rounds")
    ours = seconds["tlkit.extract_features"]
    for name, theirs in seconds.items():
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        speed = len(pictures) / statistics.median(theirs)
        print(f"{name:24} {speed:6.0f} pictures/s   ours is {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
