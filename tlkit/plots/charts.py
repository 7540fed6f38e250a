"""Charts: lines, bars, a confusion matrix, points with names (see `tlkit.plots`)."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, PercentFormatter

from tlkit.checks import demand, numbers, texts
from tlkit.plots.figures import COLOURS, DASHES, MARKERS, in_words, name_some, new_figure
from tlkit.plots.labels import name_lines, name_points


def _label_axes(axes: Axes, title: str | None, **labels: str) -> None:
    fine = all(isinstance(label, str) and label.strip() for label in labels.values())
    demand(fine, "An axis has no label.", "Say what it shows, with its unit.")
    demand(isinstance(title, str | None), f"`title` is {title!r}.", "Give a text.")
    axes.set(**labels)
    axes.set_title(title or "", loc="left")


def _written(percent: bool) -> str:
    return "{:.0%}" if percent else "{:.3g}"


def curve(
    x: Any,
    ys: Any,
    labels: Sequence[str],
    spread: Any = None,
    *,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    percent: bool = False,
    title: str | None = None,
    caption: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Lines, each with its name at its end, its own marker and its spread as a shade.

    Args:
        x: (n,) where the points stand.
        ys: (lines, n), or (n,) for a single line.
        labels: A name for each line.
        spread: (lines, n) how far it reaches up and down, or (lines, 2, n) from where to where.
        x_label: What x is, with its unit.
        y_label: What y is, with its unit.
        log_x: Whether equal steps are equal factors; the marks are then the points themselves.
        percent: Whether y is a share, to be written as per cent.
        title: What stands above.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: Shapes that do not belong together, too many lines, or an axis without label.

    Example:
        >>> curve([5, 20, 80], [[0.6, 0.8, 0.9], [0.5, 0.5, 0.7]], ["transfer", "from scratch"],
        ...       x_label="labels per class", y_label="accuracy", log_x=True, percent=True)
    """
    x, labels = numbers(x, "x", (None,)), texts(labels, "The labels")
    # As objects, so that lists of different lengths come to the check and end there.
    ys = numbers(np.atleast_2d(np.asarray(ys, object)), "ys", (len(labels), len(x)))
    few = 0 < len(labels) <= len(COLOURS)
    demand(few, f"{len(labels)} lines are not one to {len(COLOURS)}.", "Draw several figures.")
    _check_log(x, log_x)
    shades = None if spread is None else _shades(spread, ys)
    ends = [
        f"{name} from {_written(percent).format(y[0])} to {_written(percent).format(y[-1])}"
        for name, y in zip(labels, ys, strict=True)
    ]
    alt = in_words(alt, f"{y_label} against {x_label}: {name_some(ends)}")
    with new_figure(7, 4, alt, caption) as figure:
        axes = figure.subplots()
        for line, y in enumerate(ys):
            look = {"color": COLOURS[line], "linestyle": DASHES[line], "marker": MARKERS[line]}
            axes.plot(x, y, **look)
            if shades is not None:
                # No share is more than all.
                low, high = np.clip(shades[line], 0, 1) if percent else shades[line]
                axes.fill_between(x, low, high, color=COLOURS[line], alpha=0.18, linewidth=0)
        _label_axes(axes, title, xlabel=x_label, ylabel=y_label)
        if log_x:
            axes.set_xscale("log")
            axes.set_xticks(x, [f"{value:g}" for value in x])
            axes.minorticks_off()
        if percent:
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        name_lines(axes, labels)
    return figure


def _shades(spread: Any, ys: np.ndarray) -> np.ndarray:
    """(lines, 2, n) from where to where, of what may also be half a width."""
    lines, count = ys.shape
    if np.ndim(spread) == 1 or (np.ndim(spread) == 2 and lines == 1 and len(spread) == 2):
        spread = np.asarray(spread)[None]
    if np.ndim(spread) == 2:
        half = numbers(spread, "spread", (lines, count))
        return np.stack([ys - half, ys + half], axis=1)
    return numbers(spread, "spread", (lines, 2, count))


def _check_log(x: np.ndarray, log_x: bool) -> None:
    fine = not log_x or (x > 0).all()
    demand(fine, "A logarithmic axis has no place for 0 or less.", "Leave log_x out.")


def bars_with_intervals(
    labels: Sequence[str],
    values: Any,
    intervals: Any = None,
    *,
    value_label: str,
    percent: bool = False,
    title: str | None = None,
    caption: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Horizontal bars with their numbers and, as thin lines, the intervals around them.

    Args:
        labels: A name for each bar.
        values: (n,) how long the bars are.
        intervals: (n,2) from where to where, as `tlkit.scores` gives them.
        value_label: What the bars measure, with its unit.
        percent: Whether the values are shares, to be written as per cent.
        title: What stands above.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: Shapes that do not belong together, or a value outside its interval.

    Example:
        >>> bars_with_intervals(["transfer", "from scratch"], [0.9, 0.6],
        ...                     [(0.85, 0.93), (0.5, 0.7)], value_label="accuracy", percent=True)
    """
    labels = texts(labels, "The labels")
    values = numbers(values, "The values", (len(labels),))
    ends = values
    if intervals is not None:
        low, ends = numbers(intervals, "The intervals", (len(labels), 2)).T
        fine = ((low <= values) & (values <= ends)).all()
        demand(fine, "A value is outside its interval.", "Give intervals as (low, high).")
    written = [_written(percent).format(value) for value in values]
    said = name_some([f"{name} {text}" for name, text in zip(labels, written, strict=True)])
    alt = in_words(alt, f"{value_label}: {said}")
    height = 0.9 + 0.42 * len(values)
    with new_figure(7, height, alt, caption) as figure:
        axes = figure.subplots()
        draw_bars(axes, labels, values, written, ends)
        if intervals is not None:
            reach = values - low, ends - values
            look = {"fmt": "none", "ecolor": "black", "capsize": 4, "lw": 1.5}
            axes.errorbar(values, range(len(values)), xerr=reach, **look)
        _label_axes(axes, title, xlabel=value_label)
        axes.margins(x=0.12)
        if percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def draw_bars(
    axes: Axes, labels: Sequence[str], values: np.ndarray, written: list[str], ends: np.ndarray
) -> None:
    """Horizontal bars, the first on top, each with its number written behind where it ends."""
    axes.barh(range(len(values)), values, color=COLOURS[0], height=0.6)
    for row, (text, end) in enumerate(zip(written, ends, strict=True)):
        place = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(text, (max(end, 0), row), **place)
    axes.set_yticks(range(len(values)), [textwrap.fill(label, 28) for label in labels])
    axes.invert_yaxis()
    axes.grid(False, axis="y")


def confusion_matrix(
    matrix: Any,
    class_names: Sequence[str],
    title: str | None = None,
    caption: str | None = None,
    alt: str | None = None,
) -> Figure:
    """How often each class (row) was taken for each (column).

    Args:
        matrix: (classes, classes) counts; rows are true classes, columns predicted ones.
        class_names: The classes, in order.
        title: What stands above.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: A matrix that is not square, has negative counts or not one row for each class.

    Example:
        >>> confusion_matrix([[48, 2], [5, 45]], ["hat", "sunglasses"])
    """
    class_names = texts(class_names, "The class names")
    count = len(class_names)
    matrix = numbers(matrix, "The matrix", (count, count))
    demand((matrix >= 0).all(), "A count is negative.", "Give how often each happened.")
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    right = np.trace(matrix) / max(matrix.sum(), 1)
    side = 2.3 + 0.55 * count
    alt = in_words(alt, f"confusion matrix: {right:.0%} on the diagonal")
    with new_figure(side + 0.4, side, alt, caption) as figure:
        axes = figure.subplots()
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(count, count):
            colour = "white" if share[row, column] > 0.68 else "black"
            place = {"ha": "center", "va": "center", "color": colour}
            axes.text(column, row, f"{matrix[row, column]:g}", **place)
        names = [textwrap.fill(name, 14) for name in class_names]
        axes.set_xticks(range(count), names, rotation=35 if count > 2 else 0)
        axes.set_yticks(range(count), names)
        axes.grid(False)
        _label_axes(axes, title, xlabel="predicted class", ylabel="true class")
    return figure


def scatter_labelled(
    x: Any,
    y: Any,
    labels: Sequence[str],
    *,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    title: str | None = None,
    caption: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Points with their names beside them, placed so that names do not cover one another.

    Args:
        x: (n,) places from left to right.
        y: (n,) places from bottom to top.
        labels: A name for each point.
        x_label: What x is, with its unit.
        y_label: What y is, with its unit.
        log_x: Whether equal steps are equal factors.
        title: What stands above.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: Shapes that do not belong together, or an axis without label.

    Example:
        >>> scatter_labelled([138, 26, 4.7], [71.3, 74.9, 75.1], ["VGG-16", "ResNet-50", "Lite0"],
        ...                  x_label="million parameters", y_label="top-1 in %", log_x=True)
    """
    labels = texts(labels, "The labels")
    x, y = numbers(x, "x", (len(labels),)), numbers(y, "y", (len(labels),))
    _check_log(x, log_x)
    said = [f"{name} at {a:.3g}, {b:.3g}" for name, a, b in zip(labels, x, y, strict=True)]
    alt = in_words(alt, f"{y_label} against {x_label}: {name_some(said)}")
    with new_figure(7, 4.5, alt, caption) as figure:
        axes = figure.subplots()
        axes.scatter(x, y, s=45, color=COLOURS[0], zorder=3)
        if log_x:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.minorticks_off()
        axes.margins(0.12)
        _label_axes(axes, title, xlabel=x_label, ylabel=y_label)
        name_points(axes, np.column_stack([x, y]), labels)
    return figure
