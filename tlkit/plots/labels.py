"""Where the names of lines and of points go, so that none covers another."""

from collections.abc import Sequence

import numpy as np

from tlkit.plots.figures import COLOURS


def name_lines(axes, ends: np.ndarray, labels: Sequence[str]) -> None:
    """Write each line's name beside its end, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    gap, places = (high - low) / 14, np.sort(ends)
    for _ in range(200):  # neighbours push each other until all are apart
        missing = np.clip(gap - np.diff(places), 0, None) / 2
        places[:-1] -= missing
        places[1:] += missing
    for line, place in zip(np.argsort(ends), places, strict=True):
        axes.annotate(
            f"{labels[line]}",
            (1.02, place),
            xycoords=("axes fraction", "data"),
            color=COLOURS[line],
            va="center",
            fontweight="bold",
            annotation_clip=False,
        )


def name_points(figure, axes, x: np.ndarray, y: np.ndarray, labels: Sequence[str]) -> None:
    """Give each name, in turn, the nearest free place around its point."""
    figure.draw_without_rendering()  # now the layout stands, and lengths can be measured
    points = axes.transData.transform(np.column_stack([x, y]))
    frame = axes.get_window_extent()
    taken = [np.array([*(point - 9), *(point + 9)]) for point in points]
    unit = figure.dpi / 72
    for name, point, spot in zip(labels, points, zip(x, y, strict=True), strict=True):
        text = axes.annotate(str(name), spot, (0, 0), textcoords="offset points", fontsize=10)
        size = np.array(text.get_window_extent().size)
        best, lowest = (0.0, 0.0), np.inf
        for reach in (7, 14, 22, 32, 44):
            for angle in np.radians([0, 180, 90, 270, 45, 135, 225, 315]):
                side = np.array([np.cos(angle), np.sin(angle)])
                corner = point + side * reach * unit + (side - 1) / 2 * size
                place = np.array([*corner, *(corner + size)])
                outside = _covered(place) - _overlap(place, np.array(frame.extents))
                cost = sum(_overlap(place, other) for other in taken) + 3 * outside + reach
                if cost < lowest:
                    lowest, best, chosen = cost, (corner - point) / unit, place
        text.set_position(best)
        taken.append(chosen)
        if np.hypot(*(chosen[:2] + chosen[2:]) / 2 - point) > size[0] / 2 + 14 * unit:
            axes.annotate("", spot, best, textcoords="offset points", arrowprops=_LEADER)


_LEADER = {"arrowstyle": "-", "color": "#777777", "lw": 0.8}


def _covered(box: np.ndarray) -> float:
    return float(np.prod(box[2:] - box[:2]))


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """How many square pixels two boxes (left, bottom, right, top) share."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(np.prod(np.clip(sides, 0, None)))
