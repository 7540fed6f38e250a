"""The few kinds of picture that the course draws, all in one style.

Every function draws what it is given and returns a figure that shows itself once, as the last
expression of a cell or through `display`. The figures never enter pyplot's list of open figures, so
there is nothing to close and nothing is shown twice. What a cell shows is under 100 kB, and has an
alternative text: `alt=`, or one made from what is drawn.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "charts": ["bars_with_intervals", "confusion_matrix", "curve", "scatter_labelled"],
        "figures": ["COLOURS", "as_output", "style"],
        "pictures": ["filters", "heat_overlay", "image_grid", "predictions"],
    },
)
