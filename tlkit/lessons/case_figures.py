"""Drawings of lesson 04b: what becomes of each layer, and which strategy won which case."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tlkit.plots.figures import CourseFigure, demand, new_figure, numbers

# What the rule of thumb advises for how many labels and what kind of task.
RULE = {
    ("few", "similar"): ("last features",),
    ("few", "different"): ("earlier features",),
    ("many", "similar"): ("fine-tune all",),
    ("many", "different"): ("fine-tune all", "from scratch"),
}
LAYERS = ("conv_1", "conv_2", "conv_3", "dense_1", "dense_2", "logits")
FATES = {  # what becomes of each layer, from the first to the last
    "last features": "fffffn",
    "earlier features": "ff---n",
    "train the dense layers": "fffttn",
    "fine-tune all": "tttttn",
    "from scratch": "nnnnnn",
}
# By the letter: what it means, colour, pattern, and what stands in the box.
_LOOK = {
    "f": ("kept and frozen", "#56B4E9", "", "kept,\nfrozen"),
    "t": ("kept, goes on training", "#009E73", "//", "kept,\ntrains"),
    "n": ("replaced: new weights, trained", "#E69F00", "..", "new,\ntrains"),
    "-": ("left out", "#FFFFFF", "", "left\nout"),
}
_HEIGHTS = (2.6, 2.2, 1.8, 1.5, 1.5, 1.0)


def draw_case(size: str = "few", task: str = "similar") -> CourseFigure:
    """The demonstration network as the rule of thumb would have it for one of the four cases.

    Args:
        size: `"few"` labels or `"many"`.
        task: `"similar"` to the task that the network was trained for, or `"different"`.

    Returns:
        The figure; two networks where the sources disagree.

    Raises:
        InputError: Another word for either.

    Example:
        >>> draw_case("few", "similar").alt[:30]
        'few labels, similar task: last'
    """
    demand(
        (size, task) in RULE,
        f"There is no case {size!r}, {task!r}.",
        "Say 'few' or 'many', and 'similar' or 'different'.",
    )
    return draw_strategies(RULE[size, task], title=f"{size} labels, {task} task")


def draw_strategies(strategies: Sequence[str], title: str) -> CourseFigure:
    """What becomes of each layer of the demonstration network, a row for each strategy.

    Args:
        strategies: Names, as in `FATES`.
        title: What stands above.

    Returns:
        The figure.

    Raises:
        InputError: A strategy that has no drawing.

    Example:
        >>> figure = draw_strategies(["last features"], "few labels, similar task")
    """
    known = bool(strategies) and all(name in FATES for name in strategies)
    demand(known, "There is no such strategy.", f"Choose from {', '.join(FATES)}.")
    said = [
        f"{name}: "
        + ", ".join(
            f"{layer} {_LOOK[f][3].replace(chr(10), ' ')}"
            for layer, f in zip(LAYERS, FATES[name], strict=True)
        )
        for name in strategies
    ]
    alt = f"{title}: {'; '.join(said)}"
    with new_figure(7.6, 0.9 + 1.7 * len(strategies), alt, None) as figure:
        rows = figure.subplots(len(strategies), squeeze=False)[:, 0]
        used = dict.fromkeys("".join(FATES[name] for name in strategies))
        for axes, name in zip(rows, strategies, strict=True):
            _draw_network(axes, FATES[name])
            axes.set_title(name, loc="left", fontweight="bold", fontsize=11)
        figure.suptitle(title, x=0.01, ha="left")
        figure.legend(
            handles=[_patch(fate, label=_LOOK[fate][0]) for fate in used],
            loc="outside lower left",
            ncols=len(used),
            frameon=False,
            fontsize=9,
        )
    return figure


def _patch(fate: str, **options: Any):
    from matplotlib.patches import Rectangle

    _, colour, hatch, _ = _LOOK[fate]
    line = {"linestyle": "--", "edgecolor": "0.5"} if fate == "-" else {"edgecolor": "black"}
    size = options.pop("size", (1, 1))
    return Rectangle(
        options.pop("at", (0, 0)), *size, facecolor=colour, hatch=hatch, **line, **options
    )


def _draw_network(axes, fates: str) -> None:
    for place, (name, fate, high) in enumerate(zip(LAYERS, fates, _HEIGHTS, strict=True)):
        left = 1.35 * place
        axes.add_patch(_patch(fate, at=(left, -high / 2), size=(1.0, high)))
        axes.text(
            left + 0.5,
            0,
            _LOOK[fate][3],
            ha="center",
            va="center",
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.9},
        )
        axes.text(left + 0.5, -1.75, name, ha="center", va="center", fontsize=9.5)
        if place and fate != "-":  # from the last layer that is there
            before = max(p for p in range(place) if fates[p] != "-")
            arrow = {"arrowstyle": "-|>", "color": "black", "lw": 1.2}
            bend = 1.35 * before + 1.0
            if before < place - 1:  # over the heads of those left out
                arrow["connectionstyle"] = "arc3,rad=-0.32"
                start, end = (bend - 0.2, _HEIGHTS[before] / 2), (left + 0.3, high / 2)
            else:
                start, end = (bend, 0), (left, 0)
            axes.annotate("", end, start, arrowprops=arrow)
    axes.set(xlim=(-0.1, 1.35 * len(LAYERS)), ylim=(-2.0, 1.9))
    axes.set_axis_off()


def case_map(
    scores: Any,
    strategies: Sequence[str],
    cases: Sequence[str],
    advised: Mapping[str, Sequence[str]],
    controls: Sequence[str] = (),
    title: str | None = None,
    shared: bool = False,
) -> CourseFigure:
    """Accuracies by strategy and case, with what was advised outlined and the winner starred.

    Args:
        scores: (rows, cases) accuracies: strategies first, then controls.
        strategies: A name for each of the first rows.
        cases: A name for each column.
        advised: For each case the strategies that the rule of thumb advises.
        controls: Names of the other rows; they cannot win.
        title: What stands above.
        shared: Whether all columns share one scale of shades; else each has its own.

    Returns:
        The figure.

    Raises:
        InputError: Shapes that do not belong together, or advice that is no strategy.

    Example:
        >>> figure = case_map([[0.6], [0.4]], ["probe", "scratch"], ["few"], {"few": ["probe"]})
    """
    from matplotlib.patches import Rectangle

    names = [*strategies, *controls]
    scores = numbers(scores, "The scores", (len(names), len(cases)))
    fits = set(advised) <= set(cases) and {n for a in advised.values() for n in a} <= {*strategies}
    demand(fits, "The advice fits no case or strategy.", "Use the names of rows and columns.")
    best = scores[: len(strategies)].argmax(axis=0)
    said = [
        f"{case}: "
        + (f"advised {' or '.join(advised[case])}, " if advised.get(case) else "")
        + f"best {strategies[best[n]]} with {scores[best[n], n]:.0%}"
        for n, case in enumerate(cases)
    ]
    alt = "; ".join(said).replace("\n", " ")
    with new_figure(7.8, 1.5 + 0.42 * len(names), alt, None) as figure:
        axes = figure.subplots()
        gap = np.arange(len(names)) + 0.35 * (np.arange(len(names)) >= len(strategies))
        colours = _shades(scores, shared)
        for row, column in np.ndindex(scores.shape):
            y, value = gap[row], scores[row, column]
            axes.add_patch(Rectangle((column - 0.5, y - 0.5), 1, 1, facecolor=colours[row, column]))
            star = "★ " if row == best[column] else ""
            dark = colours[row, column][:3] @ np.array([0.3, 0.6, 0.1]) < 0.5
            axes.text(
                column,
                y,
                f"{star}{value:.1%}",
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontweight="bold" if star else "normal",
            )
        for column, case in enumerate(cases):
            for name in advised.get(case, ()):
                y = gap[names.index(name)]
                axes.add_patch(
                    Rectangle((column - 0.46, y - 0.44), 0.92, 0.88, fill=False, lw=3, ec="#D55E00")
                )
        axes.set_xticks(range(len(cases)), cases)
        axes.set_yticks(gap, names)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.set(xlim=(-0.5, len(cases) - 0.5), ylim=(gap[-1] + 0.5, -0.5))
        axes.grid(False)
        for side in axes.spines.values():
            side.set_visible(False)
        outlined = "outlined: the rule; " if advised else ""
        axes.set(xlabel=f"{outlined}★: best in its column" + " (controls aside)" * bool(controls))
        if title:
            figure.suptitle(title, x=0.01, ha="left")
    return figure


def _shades(scores: np.ndarray, shared: bool) -> np.ndarray:
    """(rows, columns, 4) colours, dark for the lowest and bright for the highest score."""
    import matplotlib

    over = None if shared else 0
    low, high = scores.min(axis=over), scores.max(axis=over)
    return matplotlib.colormaps["cividis"]((scores - low) / np.maximum(high - low, 1e-9))
