"""Drawings of lesson 05: the groups of a network's layers, and the curve of a range test."""

import math
from typing import TYPE_CHECKING

from tlkit.plots.figures import COLOURS, CourseFigure, demand, new_figure

if TYPE_CHECKING:
    import keras

    from tlkit.range_test import RangeTest

HATCHES = ("", "///", "...", "xx", "\\\\\\", "++", "--")


def draw_groups(
    groups: "list[list[keras.layers.Layer]]",
    rates: list[float] | None = None,
    caption: str | None = None,
) -> CourseFigure:
    """Draw the groups of a network: a bar for each layer, a colour and a pattern for each group.

    Args:
        groups: As `layer_groups` gives them, from early to late.
        rates: A learning rate for each group, to be written above it.
        caption: A sentence to print under the figure.

    Returns:
        The figure.

    Raises:
        InputError: No groups, more than there are colours, or not a rate for each.

    Example:
        >>> draw_groups(layer_groups(small_network(), 3), rates=[1e-4, 3e-4, 1e-3])
    """
    demand(
        0 < len(groups) <= len(COLOURS),
        f"{len(groups)} groups cannot be drawn.",
        f"Make 1 to {len(COLOURS)}.",
    )
    fits = rates is None or len(rates) == len(groups)
    demand(fits, "There is not one rate for each group.", "Give as many rates as groups.")
    counts = [[sum(math.prod(w.shape) for w in each.weights) for each in part] for part in groups]
    said = [
        " to ".join(dict.fromkeys((part[0].name, part[-1].name)))
        + f", {sum(count):,} parameters"
        + (f", rate {rates[n]:.1e}" if rates is not None else "")
        for n, (part, count) in enumerate(zip(groups, counts, strict=True))
    ]
    alt = "groups of layers from early to late: " + "; ".join(
        f"group {n}: {text}" for n, text in enumerate(said, start=1)
    )
    with new_figure(7.5, 3.6 + 0.25 * len(groups), alt, caption) as figure:
        axes = figure.subplots()
        start = 1
        for n, count in enumerate(counts):
            places = range(start, start + len(count))
            axes.bar(
                places,
                count,
                width=0.9,
                color=COLOURS[n],
                hatch=HATCHES[n],
                edgecolor="white",
                linewidth=0,
                label=f"{n + 1}: {said[n]}",
            )
            middle = (places[0] + places[-1]) / 2
            axes.annotate(
                f"{n + 1}",
                (middle, 1.0),
                xycoords=("data", "axes fraction"),
                ha="center",
                fontweight="bold",
                fontsize=14,
            )
            if n:  # between the groups
                axes.axvline(start - 0.5, color="black", linewidth=1)
            start += len(count)
        axes.set(
            yscale="log",
            xlabel="layer that trains, from early to late",
            ylabel="parameters",
            xlim=(0.3, start - 0.3),
        )
        axes.grid(False, axis="x")
        figure.legend(loc="outside lower left", fontsize=9, frameon=False)
    return figure


def draw_range(found: "RangeTest", rate: float | None = None) -> CourseFigure:
    """The curve of a range test with the suggested rate and, if asked, another one."""
    alt = (
        f"loss against learning rate, from {found.rates[0]:.0e} to {found.rates[-1]:.0e}: the "
        f"smooth loss starts at {found.smooth[0]:.2g}, is lowest, {found.smooth.min():.2g}, at "
        f"{found.rates[found.smooth.argmin()]:.1e} and ends at {found.smooth[-1]:.2g}; "
        f"suggested rate {found.suggestion:.1e}"
    )
    with new_figure(7, 4, alt, None) as figure:
        axes = figure.subplots()
        axes.plot(found.rates, found.losses, ".", color="0.65", label="each batch")
        axes.plot(found.rates, found.smooth, color=COLOURS[0], label="smoothed")
        axes.axvline(
            found.suggestion,
            color=COLOURS[2],
            linestyle="--",
            label=f"suggested: {found.suggestion:.1e}",
        )
        if rate is not None:
            text = f"{rate:.1e} is {found.read(rate)}"
            axes.axvline(rate, color=COLOURS[1], linewidth=3, alpha=0.8, label="your rate")
            axes.set_title(text, loc="left")
            figure.alt += f"; {text}"
        top = 1.6 * max(found.smooth[0], found.smooth.min())
        axes.set(
            xscale="log",
            xlabel="learning rate (each mark ten times the one before)",
            ylabel="training loss",
            ylim=(0, max(top, 1.1 * found.losses[: 1 + found.smooth.argmin()].max())),
        )
        axes.legend(frameon=False)
    return figure
