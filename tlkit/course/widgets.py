"""Pictures that a learner can play with: a plain function, and stock controls in front of it."""

import base64
import html
import inspect
from collections.abc import Callable
from typing import Any

from tlkit.checks import demand
from tlkit.errors import InputError
from tlkit.plots import as_output

_KINDS = "Give a list, a dict, a tuple (lowest, highest), True or False, or a widget."


def explore(function: Callable[..., Any], **controls: Any) -> None:
    """Show a function's figure below controls that draw it anew with other arguments.

    The figure at the start is stored with the page and seen where nothing runs; the controls need a
    running notebook. They act when they are let go, so that a slow function is called once.

    Args:
        function: Draws and returns a matplotlib figure (or anything a notebook can show).
        controls: For each argument of the function one of
            a list of values, or a dict of values by their names: a menu (a slider for numbers);
            a tuple (lowest, highest) or (lowest, highest, step): a slider;
            `True` or `False`: a box to tick;
            a widget of `ipywidgets` with a value.
            Each starts at the function's own default if it has one, else at the first value.

    Raises:
        InputError: A control for no argument, one that nothing can be made of, or none at all. An
            error in the function itself is raised at the start and told in words later on.

    Example:
        >>> def powers(exponent=2):
        ...     return curve([1, 2, 3], [x**exponent for x in [1, 2, 3]], ["power"],
        ...                  x_label="x", y_label="y")
        >>> explore(powers, exponent=(1, 4))
    """
    import ipywidgets
    from IPython.display import display

    demand(callable(function), f"{function!r} is no function.", "Pass one that draws a figure.")
    parameters = inspect.signature(function).parameters
    demand(
        controls and set(controls) <= set(parameters),
        f"These controls do not fit the function: {', '.join(controls) or 'none at all'}.",
        f"Its arguments are: {', '.join(parameters)}.",
    )
    made = {
        name: _control(name, given, parameters[name].default) for name, given in controls.items()
    }
    # The picture is a widget, too: so the controls still move it after the page was loaded again.
    picture = ipywidgets.HTML()

    def draw() -> tuple[dict, dict]:
        return _output(function(**{name: control.value for name, control in made.items()}))

    def redraw(_change: Any) -> None:
        try:
            picture.value = _page(*draw())
        except Exception as error:  # in a callback it would vanish without a word
            words = html.escape(f"This setting does not work. {type(error).__name__}: {error}")
            picture.value = f"<p><b>{words}</b> Choose another one.</p>"

    data, metadata = draw()
    picture.value = _page(data, metadata)
    for control in made.values():
        control.observe(redraw, names="value")
    box = ipywidgets.VBox([*made.values(), picture])
    # The view is sent by hand, with the figure beside it for pages on which no widget can live.
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    data = {"application/vnd.jupyter.widget-view+json": view, **data}
    display(data, metadata=metadata, raw=True)


def _control(name: str, given: Any, default: Any) -> Any:
    import ipywidgets

    if isinstance(given, ipywidgets.Widget) and hasattr(given, "value"):
        return given
    look = {"description": name.replace("_", " "), "style": {"description_width": "initial"}}
    start = {} if default is inspect.Parameter.empty else {"value": default}
    try:
        if isinstance(given, bool):
            return ipywidgets.Checkbox(**{"value": given, **start}, **look)
        if isinstance(given, tuple) and len(given) in (2, 3):
            whole = all(isinstance(part, int) for part in (*given, *start.values()))
            low, high, step = (*given, 1 if whole else (given[1] - given[0]) / 50)[:3]
            slider = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
            limits = {"min": low, "max": high, "step": step, "continuous_update": False}
            return slider(**{"value": low, **start}, **limits, **look)
        if (
            isinstance(given, list)
            and given
            and all(isinstance(each, int | float) for each in given)
        ):
            slider = ipywidgets.SelectionSlider
            return slider(options=given, **start, continuous_update=False, **look)
        if isinstance(given, list | dict) and given:
            options = list(given.items()) if isinstance(given, dict) else given
            return ipywidgets.Dropdown(options=options, **start, **look)
    except Exception as error:  # TraitError, TypeError, ...: ipywidgets says what it did not like
        what = f"The control {name}={given!r} cannot be made: {error}."
        raise InputError(what, _KINDS) from error
    raise InputError(f"Nothing can be made of the control {name}={given!r}.", _KINDS)


def _output(shown: Any) -> tuple[dict, dict]:
    """What a notebook would store for a value: a picture for a figure, else what IPython makes."""
    from IPython import get_ipython
    from matplotlib.figure import Figure

    if isinstance(shown, Figure):
        return as_output(shown)
    shell = get_ipython()
    return shell.display_formatter.format(shown) if shell else ({"text/plain": repr(shown)}, {})


def _page(data: dict, metadata: dict) -> str:
    """The same as HTML: the picture with its alternative text, else a table, else plain text."""
    for kind, content in data.items():
        if kind.startswith("image/"):
            if isinstance(content, bytes):
                content = base64.b64encode(content).decode("ascii")
            about = {"alt": data.get("text/plain", ""), **metadata.get(kind, {})}
            told = " ".join(f'{name}="{html.escape(str(value))}"' for name, value in about.items())
            fits = 'style="max-width: 100%; height: auto"'
            return f'<img src="data:{kind};base64,{content}" {told} {fits}>'
    return data.get("text/html") or f"<pre>{html.escape(data['text/plain'])}</pre>"
