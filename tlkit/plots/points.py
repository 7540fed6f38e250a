"""Points in the plane, in several panels side by side: the same pictures, represented anew."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tlkit.checks import demand, numbers, texts, whole
from tlkit.checks import labels as class_numbers
from tlkit.plots.figures import COLOURS, MARKERS, in_words, name_some, new_figure


def point_panels(
    panels: Sequence[np.ndarray],
    labels: np.ndarray,
    class_names: Sequence[str],
    titles: Sequence[str],
    *,
    axis_labels: Sequence[tuple[str, str]] | tuple[str, str],
    boundaries: Sequence[Callable | None] | None = None,
    columns: int = 3,
    caption: str | None = None,
    alt: str | None = None,
) -> Figure:
    """The same things as points in several panels, with a colour and a shape for each class.

    Args:
        panels: For each panel (N, 2) points.
        labels: (N,) their classes, integers from 0.
        class_names: A name for each class, at most seven.
        titles: What stands above each panel.
        axis_labels: The names of the two axes, one pair for all panels or one for each.
        boundaries: For each panel None, or a function from (M, 2) points to (M,) numbers: the line
            where it changes sign is drawn.
        columns: Panels side by side.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: Shapes that do not belong together.

    Example:
        >>> point_panels([np.eye(4)[:, :2]], [0, 1, 0, 1], ["a", "b"], ["as they are"],
        ...              axis_labels=("x", "y"))
    """
    class_names, titles = texts(class_names, "The class names"), texts(titles, "The titles")
    count = len(labels)
    panels = [numbers(panel, "A panel", (count, 2)) for panel in panels]
    few = 0 < len(class_names) <= len(COLOURS)
    demand(few, f"{len(class_names)} classes are not one to {len(COLOURS)}.", "Draw fewer.")
    labels = class_numbers(labels, count, len(class_names))
    if isinstance(axis_labels[0], str):
        axis_labels = [axis_labels] * len(panels)
    boundaries = boundaries or [None] * len(panels)
    fine = len(panels) == len(titles) == len(axis_labels) == len(boundaries) > 0
    demand(fine, "Panels, titles and axes are not equally many.", "Give one of each per panel.")
    rows = -(-len(panels) // whole(columns, "columns", 1))
    alt = in_words(alt, f"points of {name_some(class_names)} in panels: {name_some(titles)}")
    width = 3.0 * columns if columns > 2 else 3.6 * columns
    with new_figure(width, 3.1 * rows + 0.4, alt, caption) as figure:
        places = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes in places[len(panels) :]:
            axes.set_visible(False)
        every = zip(places, panels, titles, axis_labels, boundaries, strict=False)
        for axes, points, title, (x_label, y_label), boundary in every:
            for label, name in enumerate(class_names):
                look = {"color": COLOURS[label], "marker": MARKERS[label], "linewidth": 0}
                size = 22 if count <= 250 else 13
                axes.scatter(*points[labels == label].T, s=size, label=name, alpha=0.75, **look)
            if boundary is not None:
                _draw_boundary(axes, boundary)
            axes.set(xlabel=x_label, ylabel=y_label)
            axes.set_title(title, loc="left", fontsize=11)
        handles, known = places[0].get_legend_handles_labels()
        figure.legend(handles, known, loc="outside lower center", ncols=min(5, len(known)))
    return figure


def _draw_boundary(axes: Axes, boundary: Callable) -> None:
    """The line where a function of the plane changes sign."""
    x, y = (np.linspace(*limits, 200) for limits in (axes.get_xlim(), axes.get_ylim()))
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    values = np.asarray(boundary(grid.reshape(-1, 2))).reshape(200, 200)
    if values.min() < 0 < values.max():
        axes.contour(x, y, values, levels=[0], colors="black", linewidths=2)
