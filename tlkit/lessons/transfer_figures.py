"""Drawings of lesson 02: the transfer experiment as in its paper, and two ways of learning."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from tlkit.plots.figures import COLOURS, CourseFigure, demand, name_some, new_figure

# The paper's colours: blue for the network's own layers, red for another's; dark where frozen.
_LOOKS = {
    "BnB": ("#004C7F", "o", "-"),
    "BnB+": (COLOURS[5], "o", "--"),
    "AnB": ("#A03C00", "s", "-"),
    "AnB+": (COLOURS[4], "s", "--"),
    "random": ("#666666", "X", ":"),
}


def transfer_curves(
    panels: Mapping[str, Sequence[dict]], caption: str | None = None, alt: str | None = None
) -> CourseFigure:
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
    named = {row["treatment"] for rows in panels.values() for row in rows} - {"base"}
    fine = panels and all(any(row["treatment"] == "base" for row in r) for r in panels.values())
    demand(fine, "A panel has no run of the network that learnt B alone.", 'Add "base" to it.')
    unknown = sorted(named - set(_LOOKS))
    demand(not unknown, f"There is no treatment {name_some(unknown)}.", f"Use {', '.join(_LOOKS)}.")
    said = []
    with new_figure(max(7, 4.2 * len(panels)), 4.6, "", caption) as figure:
        axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for ax, (title, rows) in zip(axes, panels.items(), strict=True):
            alone = np.mean([row["test"] for row in rows if row["treatment"] == "base"])
            ax.axhline(alone, color="black", linewidth=1.5, label="B alone")
            said.append(f"{title}: B alone {alone:.0%}")
            for place, (name, (colour, marker, dash)) in enumerate(_LOOKS.items()):
                runs = [(row["n"], row["test"]) for row in rows if row["treatment"] == name]
                if not runs:
                    continue
                ns = sorted({n for n, _ in runs})
                means = [np.mean([test for n, test in runs if n == each]) for each in ns]
                aside = (place - 2) * 0.08  # so that the marks of one n stand side by side
                x, y = np.array(runs).T
                ax.plot(x + aside, y, marker, color=colour, alpha=0.3, markersize=4)
                look = {"color": colour, "linestyle": dash, "marker": marker, "label": name}
                ax.plot(np.array(ns) + aside, means, **look)
                said.append(f"{name} from {means[0]:.0%} to {means[-1]:.0%}")
            ax.set_xticks(sorted({row["n"] for row in rows if row["n"]}))
            ax.set_xlabel("n, layers that were moved")
            ax.set_title(title, loc="left", fontsize=11)
        axes[0].set_ylabel("accuracy on test pictures of B")
        axes[0].yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))  # no half per cents
        axes[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        every: dict = {}
        for ax in axes:
            handles, names = ax.get_legend_handles_labels()
            every |= dict(zip(names, handles, strict=True))
        figure.legend(every.values(), every, loc="outside lower center", ncols=6, frameon=False)
        figure.alt = alt or "; ".join(said)
    return figure


def two_ways_of_learning(caption: str | None = None) -> CourseFigure:
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
        for ax, carried in zip(figure.subplots(1, 2), (False, True), strict=True):
            ax.set(xlim=(0, 10), ylim=(0, 6.4))
            ax.set_axis_off()
            title = "Carried across: transfer learning" if carried else "Each task alone"
            ax.set_title(title, loc="left", fontsize=12, fontweight="bold")
            _draw_task(ax, 4.0, "A", "many\npictures", COLOURS[0], COLOURS[0])
            early = COLOURS[0] if carried else COLOURS[1]
            few = "few\npictures" if carried else "many\npictures"
            _draw_task(ax, 0.6, "B", few, early, COLOURS[1])
            if carried:
                _draw_arrow(ax, (4.0, 3.9), (4.0, 2.3), 2.5)
                ax.text(4.3, 3.05, "what the early layers know", va="center", fontsize=10)
    return figure


def _draw_task(ax, y: float, task: str, pictures: str, early: str, late: str) -> None:
    """Pictures, a network of two early and two late layers, and answers, from left to right."""
    look = {"ha": "center", "va": "center", "fontsize": 10}
    ax.text(1.2, y + 0.8, f"task {task}:\n{pictures}", **look)
    for place, (x, colour) in enumerate(
        zip((3.2, 4.1, 5.3, 6.2), (early, early, late, late), strict=True)
    ):
        hatch = "" if colour == COLOURS[0] else "///"
        frame = FancyBboxPatch(
            (x, y + 0.1 * place), 0.6, 1.6 - 0.2 * place, boxstyle="round,pad=0.05"
        )
        frame.set(facecolor=colour, hatch=hatch, edgecolor="white")
        ax.add_patch(frame)
    ax.text(8.8, y + 0.8, f"answers\nfor {task}", **look)
    _draw_arrow(ax, (2.2, y + 0.8), (3.0, y + 0.8), 1.5)
    _draw_arrow(ax, (7.0, y + 0.8), (7.8, y + 0.8), 1.5)


def _draw_arrow(ax, start: tuple, end: tuple, width: float) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=16, linewidth=width, color="black"
        )
    )
