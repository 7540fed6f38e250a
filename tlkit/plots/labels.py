"""Where the names of lines and of points go, so that none covers another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox


def name_lines(axes: Axes, labels: Sequence[str]) -> None:
    """Write each line's name beside its end, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    lines = sorted(zip(axes.get_lines(), labels, strict=True), key=lambda pair: _end(pair[0]))
    gap, places = (high - low) / 14, np.array([_end(line) for line, _ in lines])
    # Neighbours push each other until all are apart.
    for _ in range(200):
        missing = np.clip(gap - np.diff(places), 0, None) / 2
        places[:-1] -= missing
        places[1:] += missing
    look = {"va": "center", "fontweight": "bold", "annotation_clip": False}
    for (line, label), place in zip(lines, places, strict=True):
        where = {"xycoords": ("axes fraction", "data"), "color": line.get_color()}
        axes.annotate(str(label), (1.02, place), **where, **look)


def _end(line) -> float:
    return float(line.get_ydata()[-1])


def name_points(axes: Axes, points: np.ndarray, labels: Sequence[str]) -> None:
    """Give each name, in turn, the nearest free place around its point.

    Args:
        axes: Where (N, 2) points have been drawn.
        points: The points.
        labels: A name for each.
    """
    # Now the layout stands, and lengths can be measured.
    axes.figure.draw_without_rendering()
    around = np.array([(-9, -9), (9, 9)])
    taken = [Bbox(spot + around) for spot in axes.transData.transform(points)]
    frame = axes.get_window_extent()
    angles = np.radians([0, 180, 90, 270, 45, 135, 225, 315])
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    leader = {"arrowstyle": "-", "color": "#777777", "lw": 0.8}
    for label, point in zip(labels, points, strict=True):
        text = axes.annotate(str(label), point, (0, 0), textcoords="offset points", fontsize=10)
        size = np.array(text.get_window_extent().size) * 72 / axes.figure.dpi
        lowest, best = (np.inf, 0), (0, 0)
        for reach in (7, 14, 22, 32, 44):
            for corner in reach * directions + (directions - 1) / 2 * size:
                text.set_position(corner)
                place = text.get_window_extent()
                inside = frame.contains(*place.min) and frame.contains(*place.max)
                cost = (place.count_overlaps(taken) + 2 * (not inside), reach)
                if cost < lowest:
                    lowest, best = cost, corner
        text.set_position(best)
        taken.append(text.get_window_extent())
        if lowest[1] > 14:
            axes.annotate("", point, best, textcoords="offset points", arrowprops=leader)
