"""Drawings of lesson 05: the groups of a network's layers, and the curve of a range test."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from tlkit.checks import demand
from tlkit.plots.figures import COLOURS, HATCHES, new_figure


def draw_groups(
    groups: Sequence[Sequence[tuple[str, int]]],
    rates: Sequence[float] | None = None,
    caption: str | None = None,
) -> Figure:
    """Draw the groups of a network: a bar for each layer, a colour and a pattern for each group.

    Args:
        groups: From early to late; for each of its layers the name and how many parameters it has.
        rates: A learning rate for each group, to be written beside it.
        caption: A sentence to print under the figure.

    Returns:
        The figure.

    Raises:
        InputError: No groups, more than there are colours, or not a rate for each.

    Example:
        >>> draw_groups([[("conv_1", 448), ("conv_2", 4640)], [("logits", 130)]], [1e-4, 1e-3])
    """
    few = 0 < len(groups) <= len(COLOURS)
    demand(few, f"{len(groups)} groups cannot be drawn.", f"Make 1 to {len(COLOURS)}.")
    fits = rates is None or len(rates) == len(groups)
    demand(fits, "There is not one rate for each group.", "Give as many rates as groups.")
    told = []
    for place, group in enumerate(groups):
        first_and_last = " to ".join(dict.fromkeys((group[0][0], group[-1][0])))
        rate = "" if rates is None else f", rate {rates[place]:.1e}"
        told.append(f"{first_and_last}, {sum(size for _, size in group):,} parameters{rate}")
    alt = "; ".join(f"group {number}: {text}" for number, text in enumerate(told, start=1))
    height = 3.6 + 0.25 * len(groups)
    with new_figure(7.5, height, f"groups of layers, early to late: {alt}", caption) as figure:
        axes = figure.subplots()
        start = 1
        for place, group in enumerate(groups):
            places = np.arange(start, start + len(group))
            look = {"color": COLOURS[place], "hatch": HATCHES[place], "edgecolor": "white"}
            sizes = [size for _, size in group]
            name = f"{place + 1}: {told[place]}"
            axes.bar(places, sizes, width=0.9, linewidth=0, label=name, **look)
            above = {"xycoords": ("data", "axes fraction"), "ha": "center", "fontsize": 14}
            axes.annotate(f"{place + 1}", (places.mean(), 1), fontweight="bold", **above)
            start += len(group)
            if place < len(groups) - 1:
                axes.axvline(start - 0.5, color="black", linewidth=1)
        axes.set(xlabel="layer that trains, from early to late", ylabel="parameters")
        axes.set(yscale="log", xlim=(0.3, start - 0.3))
        axes.grid(False, axis="x")
        figure.legend(loc="outside lower left", fontsize=9, frameon=False)
    return figure


def draw_range(
    rates: np.ndarray,
    losses: np.ndarray,
    smooth: np.ndarray,
    suggestion: float,
    rate: float | None = None,
    title: str = "",
) -> Figure:
    """The curve of a range test with the suggested rate and, if asked, another one.

    Args:
        rates: (n,) learning rates, rising.
        losses: (n,) the loss of each batch.
        smooth: (n,) the same, averaged.
        suggestion: The rate that is suggested.
        rate: One to mark.
        title: What stands above.

    Returns:
        The figure.
    """
    best = smooth.argmin()
    alt = (
        f"loss against learning rate, from {rates[0]:.0e} to {rates[-1]:.0e}: the smooth loss "
        f"starts at {smooth[0]:.2g}, is lowest, {smooth[best]:.2g}, at {rates[best]:.1e} and ends "
        f"at {smooth[-1]:.2g}; suggested rate {suggestion:.1e}"
    )
    with new_figure(7, 4, f"{alt}; {title}" if title else alt, None) as figure:
        axes = figure.subplots()
        axes.plot(rates, losses, ".", color="0.65", label="each batch")
        axes.plot(rates, smooth, color=COLOURS[0], label="smoothed")
        look = {"color": COLOURS[2], "linestyle": "--", "label": f"suggested: {suggestion:.1e}"}
        axes.axvline(suggestion, **look)
        if rate is not None:
            axes.axvline(rate, color=COLOURS[1], linewidth=3, alpha=0.8, label="your rate")
        axes.set_title(title, loc="left")
        top = max(1.6 * smooth[0], 1.1 * losses[: best + 1].max())
        axes.set(xlabel="learning rate (each mark ten times the one before)", xscale="log")
        axes.set(ylabel="training loss", ylim=(0, top))
        axes.legend(frameon=False)
    return figure
