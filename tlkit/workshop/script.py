"""The script beside an exported file: the very lines that open it and read pictures here."""

import inspect
import sys

import numpy as np

from tlkit.data import reading
from tlkit.data.reading import Unusable, read_picture


def open_onnx(content):
    """A function from pictures, float32 (N, size, size, 3), to probabilities (N, classes)."""
    from onnxruntime import InferenceSession

    session = InferenceSession(content)
    return lambda pictures: session.run(None, {"pictures": pictures})[0]


def open_litert(content):
    """A function from pictures, float32 (1, size, size, 3), to probabilities (1, classes)."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    # The same, on its way out of TensorFlow.
    except ImportError:
        from tensorflow.lite import Interpreter
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    run = interpreter.get_signature_runner()
    return lambda pictures: next(iter(run(pictures=pictures).values()))


def tell(paths, run, classes, size, white):
    """Print the probabilities for each picture; returns the exit code."""
    # What a console cannot show becomes a "?".
    sys.stdout.reconfigure(errors="replace")
    failed = 0
    for path in paths:
        try:
            picture = read_picture(path, size, white)
        except Unusable as reason:
            print(f"{path} cannot be used: {reason}.", file=sys.stderr)
            failed = 1
            continue
        [probabilities] = run(np.float32(picture)[None])
        shares = zip(classes, probabilities, strict=True)
        print(path, *(f"{name} {share:.1%}" for name, share in shares), sep="  ")
    return failed


# For each format: how to open it, and the package to do so.
RUNTIMES = {"onnx": (open_onnx, "onnxruntime"), "litert": (open_litert, "ai-edge-litert")}


def script_text(
    file: str, format: str, classes: tuple[str, ...], size: int, white: int | None
) -> str:
    """A program that needs a small runtime, Pillow and NumPy, but not tlkit."""
    opener, package = RUNTIMES[format]
    sources = "\n\n".join(inspect.getsource(each) for each in (opener, tell))
    return f"""\
# Say what is on pictures. [tlkit]
# Needs: pip install numpy pillow {package}
# Run:   python predict.py picture.jpg another.png

{inspect.getsource(reading)}

import sys
from pathlib import Path


{sources}

if not sys.argv[1:]:
    sys.exit(f"Which pictures? Run: python {{sys.argv[0]}} picture.jpg")
run = {opener.__name__}(Path(__file__).with_name({file!r}).read_bytes())
sys.exit(tell(sys.argv[1:], run, {classes!r}, {size}, {white!r}))
"""
