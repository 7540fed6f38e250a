"""What hostile users pass: wrong types, shapes, ranges, sizes, empty things; and how it is tried.

A few uses of each function run with the other tests; five hundred of each, in some minutes, with

    USES=500 python -m pytest tests/package -k whatever_is_passed -s -n 0
"""

import os
import string
import warnings

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tlkit
from tests.package.tiny_workshop import SIZE
from tlkit.errors import TlkitError

USES = int(os.environ.get("USES", "12"))

shapes = st.lists(st.sampled_from([0, 1, 2, 3, 31, SIZE, 40]), max_size=5)
dtypes = st.sampled_from(["uint8", "int8", "int64", "float16", "float32", "float64", "bool", "c16"])


@st.composite
def arrays(draw):
    """Numbers of any kind and shape."""
    shape = draw(shapes | st.just([2, SIZE, SIZE, 3]) | st.just([SIZE, SIZE, 3]))
    if np.prod(shape) > 20_000:
        shape = shape[-3:]
    values = np.random.default_rng(0).uniform(*draw(st.sampled_from(RANGES)), shape)
    if draw(st.booleans()) and values.size:
        values.flat[0] = draw(st.sampled_from([np.nan, np.inf, -np.inf, 0]))
    with np.errstate(all="ignore"):
        return values.astype(draw(dtypes))


RANGES = [(0, 255), (0, 1), (-1, 1), (0, 65535), (0, 1e-3), (5, 5)]
texts = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "x" * 300,
        "../x",
        "no such file",
        "~nobody/x",
        "\ud800",
        "cat",
        "red",
    ]
) | st.text(string.printable, max_size=8)
numbers = st.integers(-3, 40) | st.sampled_from(
    [2**40, -1.5, 0.5, float("nan"), float("inf"), np.int64(3), np.float32(2), True, 1j]
)
odd = st.sampled_from(
    [None, object(), int, len, b"bytes", {}, {"a": 1}, (), [], [[1], [2, 3]], {3}]
)
anything = odd | numbers | texts | arrays() | st.lists(texts | numbers, max_size=3)


def or_anything(good):
    """Mostly what fits, so that what comes after the first check is met as well."""
    return st.sampled_from(range(8)).flatmap(lambda n: anything if n == 7 else good)


@st.composite
def datasets(draw, named=False):
    """Pictures with labels: of few classes or many, uneven, with copies, small, without any."""
    few, some = st.integers(0, 9), st.integers(2, 12)
    counts = draw(st.lists(some, min_size=2, max_size=4) | st.lists(few, min_size=1, max_size=6))
    size = draw(st.sampled_from([SIZE] * 7 + [16, 33, 64]))
    names = ["red", "blue", "кот", "x" * 60, "a|b*", "<c>"]
    names = names if named or draw(st.booleans()) else draw(st.permutations(names))
    labels = np.repeat(np.arange(len(counts)), counts)
    rng = np.random.default_rng(draw(st.integers(0, 3)))
    images = rng.integers(0, 256, (len(labels), size, size, 3), "uint8")
    images[..., 0] //= 1 + labels[:, None, None].astype("uint8")
    if draw(st.integers(0, 5)) == 0:
        images[: len(images) // 2] = draw(st.sampled_from([0, 255]))
    return tlkit.ImageDataset(images, labels, tuple(names[: len(counts)]))


def assert_right_or_refused(name, act, options, right):
    """Use a function again and again: what it gives is right, or an error names fault and remedy.

    Args:
        name: What to call it in what is printed.
        act: The function.
        options: For each of its arguments, what is passed.
        right: Looks at what it returned; raises AssertionError.
    """
    outcomes = []

    @settings(
        max_examples=USES,
        deadline=None,
        derandomize=True,
        database=None,
        # A use that went wrong is shown as it is: making it smaller takes minutes.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.fixed_dictionaries(options))
    def use(given_):
        try:
            with warnings.catch_warnings():
                # What NumPy says of overflows in what is passed is no fault of the function.
                warnings.simplefilter("ignore", RuntimeWarning)
                found = act(**given_)
        except TlkitError as error:
            assert len(error.what) > 5 and len(error.mend) > 5, repr(error)
            outcomes.append("refused")
        else:
            right(found)
            outcomes.append("right")

    use()
    counted = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    print(f"{name}: {len(outcomes)} uses, {counted}")
