"""Minutes are counted as the design says."""

import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from tools.build.minutes import length

PICTURE = new_output("display_data", {"image/png": "aGk="})
ASKED = new_output("display_data", {"text/html": "<p><b>1.</b> a</p><p><b>2.</b> b</p>"})


def code(source: str, *outputs, tags=(), folded=False):
    metadata = {"tags": list(tags), "jupyter": {"source_hidden": folded}}
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


@pytest.mark.parametrize(
    ("cells", "minutes"),
    [
        ([new_markdown_cell("word " * 400)], 2),
        ([code("word " * 100), code("word " * 900, folded=True)], 0.5),
        ([code("", new_output("stream", text="word " * 200))], 1),
        ([code("", PICTURE, PICTURE, PICTURE)], 1),
        ([code("", ASKED, tags=["quiz"])], 1.5),
        ([new_markdown_cell("**Mend.**"), code("", tags=["exercise"])], 4 + 1 / 200),
        ([new_markdown_cell("# Your turn"), new_markdown_cell("word " * 400)], 0),
    ],
)
def test_each_thing_has_its_minutes(cells, minutes):
    assert length(new_notebook(cells=cells)).minutes == pytest.approx(minutes)


def test_waiting_counts_and_folded_claims_do_not():
    cells = [code("claim('a', True)"), code("claim('b', True)", folded=True)]
    found = length(new_notebook(cells=cells), waiting=2.0)
    assert (found.claims, found.visible, found.folded) == (1, 1, 1) and found.minutes > 2
