"""Findings: what was looked at, in words, as a table that prints well."""

import html
import textwrap
from dataclasses import dataclass

_MARKS = {"fine": "✓", "warning": "!", "error": "✗"}
_HEADINGS = ("finding", "severity", "what was found", "what to do")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: What it is called, such as `"Keras"` or `"softmax twice"`; always the same.
        found: What was found and what it means, such as `"3.15.1"`.
        fine: Whether it is as it should be.
        mend: What to do when it is not.
        severity: Where it is not fine: `"error"`, something will not work; `"warning"`, it will
            cost something.
    """

    name: str
    found: str
    fine: bool = False
    mend: str = ""
    severity: str = "error"


class Findings(tuple[Finding, ...]):
    """Findings, which print as a table; true when something is wrong."""

    def __bool__(self) -> bool:
        return not all(each.fine for each in self)

    def __repr__(self) -> str:
        width = max((len(each.name) for each in self), default=0)
        lines = []
        for each in self:
            mark = _MARKS["fine" if each.fine else each.severity]
            texts = {f"{mark} {each.name:{width}}  ": each.found}
            if not each.fine:
                texts[f"  {'':{width}}  → "] = each.mend
            for start, text in texts.items():
                after = " " * len(start)
                lines.append(textwrap.fill(text, 80, initial_indent=start, subsequent_indent=after))
        return "\n".join([*lines, "", self._summary()]).strip()

    __str__ = __repr__

    def _summary(self) -> str:
        if not self:
            return "All is well." if len(self) else "Nothing found."
        wrong = sum(not each.fine for each in self)
        return f"{wrong} need{'s' * (wrong == 1)} a mend."

    def _repr_html_(self) -> str:
        def row(tag: str, *texts: str) -> str:
            cells = (
                f'<{tag} style="text-align:left">{html.escape(text)}</{tag}>' for text in texts
            )
            return f"<tr>{''.join(cells)}</tr>"

        rows = [
            row("td", each.name, "fine" if each.fine else each.severity, each.found, each.mend)
            for each in self
        ]
        table = f"<table>{row('th', *_HEADINGS)}{''.join(rows)}</table>" if rows else ""
        return f"{table}<p>{self._summary()}</p>"
