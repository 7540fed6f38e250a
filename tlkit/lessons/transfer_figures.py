"""Drawings of transfer: the experiment as in its paper, and two ways of learning."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from tlkit.checks import choice, demand
from tlkit.plots.figures import COLOURS, new_figure

# The paper's colours: blue for the network's own layers, red for another's; dark where frozen.
_LOOKS = {
    "BnB": {"color": "#004C7F", "marker": "o", "linestyle": "-"},
    "BnB+": {"color": COLOURS[5], "marker": "o", "linestyle": "--"},
    "AnB": {"color": "#A03C00", "marker": "s", "linestyle": "-"},
    "AnB+": {"color": COLOURS[4], "marker": "s", "linestyle": "--"},
    "random": {"color": "#666666", "marker": "X", "linestyle": ":"},
}


def transfer_curves(
    panels: Mapping[str, Sequence[dict]], caption: str | None = None, alt: str | None = None
) -> Figure:
    """The transfer experiment laid out as figure 2 of its paper, in panels side by side.

    Every run is a pale mark, the means are joined by lines, and a black line stands where the
    network that learnt B alone does.

    Args:
        panels: For each title the rows of `transfer_experiment`: dicts with `treatment`, `n` and
            `test`; the treatment `"base"` is B alone.
        caption: A sentence to print under the figure.
        alt: The alternative text.

    Returns:
        The figure.

    Raises:
        InputError: A panel without rows, without `"base"`, or with a treatment of another name.

    Example:
        >>> rows = [{"treatment": t, "n": n, "test": a}
        ...         for t, n, a in [("base", 0, 0.6), ("AnB", 1, 0.7), ("AnB", 2, 0.8)]]
        >>> transfer_curves({"few labels": rows})
    """
    fine = panels and all("base" in {row["treatment"] for row in rows} for rows in panels.values())
    demand(fine, "A panel has no run of the network that learnt B alone.", 'Add "base" to it.')
    for row in (row for rows in panels.values() for row in rows):
        choice(row["treatment"], ["base", *_LOOKS], "treatment")
    with new_figure(max(7, 4.2 * len(panels)), 4.6, "", caption) as figure:
        places = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        told, known = [], {}
        for axes, (title, rows) in zip(places, panels.items(), strict=True):
            told.append(f"{title}: {_draw_panel(axes, rows)}")
            axes.set_title(title, loc="left", fontsize=11)
            handles, names = axes.get_legend_handles_labels()
            known |= dict(zip(names, handles, strict=True))
        places[0].set_ylabel("accuracy on test pictures of B")
        # No half per cents.
        places[0].yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
        places[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        figure.legend(known.values(), known, loc="outside lower center", ncols=6, frameon=False)
        figure.alt = alt or "; ".join(told)
    return figure


def _draw_panel(axes: Axes, rows: Sequence[dict]) -> str:
    """Draw the runs of one panel; returns what they show, in words."""
    alone = np.mean([row["test"] for row in rows if row["treatment"] == "base"])
    axes.axhline(alone, color="black", linewidth=1.5, label="B alone")
    told = [f"B alone {alone:.0%}"]
    for place, (treatment, look) in enumerate(_LOOKS.items()):
        runs = [(row["n"], row["test"]) for row in rows if row["treatment"] == treatment]
        if runs:
            # So that the marks of one n stand side by side.
            aside = (place - 2) * 0.08
            moved, accuracy = np.array(runs).T
            pale = {"color": look["color"], "alpha": 0.3, "markersize": 4}
            axes.plot(moved + aside, accuracy, look["marker"], **pale)
            ns = np.unique(moved)
            means = [accuracy[moved == n].mean() for n in ns]
            axes.plot(ns + aside, means, label=treatment, **look)
            told.append(f"{treatment} from {means[0]:.0%} to {means[-1]:.0%}")
    axes.set_xticks(sorted({row["n"] for row in rows} - {0}))
    axes.set_xlabel("n, layers that were moved")
    return "; ".join(told)


def two_ways_of_learning(caption: str | None = None) -> Figure:
    """Two pictures: each task learnt alone, and knowledge carried from one task to the other.

    Args:
        caption: A sentence to print under the figure.

    Returns:
        The figure.

    Example:
        >>> two_ways_of_learning()
    """
    alt = (
        "Left: two rows that never meet, each from pictures through a network to answers. Right: "
        "the same rows, and an arrow carries the early layers of task A's network into the network "
        "of task B, which has few pictures."
    )
    with new_figure(9, 3.6, alt, caption) as figure:
        alone, carried = figure.subplots(1, 2)
        _draw_task(alone, 4.0, "task A:\nmany\npictures", "A", early=0, late=0)
        _draw_task(alone, 0.6, "task B:\nmany\npictures", "B", early=1, late=1)
        alone.set_title("Each task alone", loc="left", fontsize=12, fontweight="bold")
        _draw_task(carried, 4.0, "task A:\nmany\npictures", "A", early=0, late=0)
        _draw_task(carried, 0.6, "task B:\nfew\npictures", "B", early=0, late=1)
        title = "Carried across: transfer learning"
        carried.set_title(title, loc="left", fontsize=12, fontweight="bold")
        _draw_arrow(carried, (4.0, 3.9), (4.0, 2.3), 2.5)
        carried.text(4.3, 3.05, "what the early layers know", va="center", fontsize=10)
        for axes in (alone, carried):
            axes.set(xlim=(0, 10), ylim=(0, 6.4))
            axes.set_axis_off()
    return figure


def _draw_task(axes: Axes, y: float, task: str, answers: str, early: int, late: int) -> None:
    """Pictures, a network of two early and two late layers, and answers, from left to right."""
    look = {"ha": "center", "va": "center", "fontsize": 10}
    axes.text(1.2, y + 0.8, task, **look)
    axes.text(8.8, y + 0.8, f"answers\nfor {answers}", **look)
    layers = zip((3.2, 4.1, 5.3, 6.2), (early, early, late, late), strict=True)
    for place, (x, colour) in enumerate(layers):
        size = 0.6, 1.6 - 0.2 * place
        box = FancyBboxPatch((x, y + 0.1 * place), *size, boxstyle="round,pad=0.05")
        box.set(facecolor=COLOURS[colour], hatch="///" * colour, edgecolor="white")
        axes.add_patch(box)
    _draw_arrow(axes, (2.2, y + 0.8), (3.0, y + 0.8), 1.5)
    _draw_arrow(axes, (7.0, y + 0.8), (7.8, y + 0.8), 1.5)


def _draw_arrow(axes: Axes, start: tuple, end: tuple, width: float) -> None:
    look = {"arrowstyle": "-|>", "mutation_scale": 16, "linewidth": width, "color": "black"}
    axes.annotate("", end, start, arrowprops={**look, "shrinkA": 0, "shrinkB": 0})
