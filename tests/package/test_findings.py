"""Findings as a table: in a terminal, in a notebook, and as a truth value."""

from tlkit.findings import Finding, Findings

THIS, THAT = Finding("This", "1", True), Finding("That one", "no", False, "Fix it.")
WORSE = Finding("A third", "<b> " + "word " * 30, False, "Wait.", "warning")


def test_the_table_names_what_is_broken_with_its_mend():
    assert str(Findings([THIS, THAT])).splitlines() == [
        "✓ This      1",
        "✗ That one  no",
        "            → Fix it.",
        "",
        "1 needs a mend.",
    ]


def test_long_texts_go_on_below_where_they_began():
    lines = str(Findings([THAT, WORSE])).splitlines()
    assert lines[2].startswith("! A third   <b> word") and lines[3].startswith(" " * 12 + "word")
    assert max(map(len, lines)) <= 80 and lines[-1] == "2 need a mend."


def test_findings_are_true_when_something_is_wrong():
    assert Findings([THIS, THAT]) and not Findings([THIS]) and not Findings()
    assert str(Findings([THIS])).endswith("All is well.") and str(Findings()) == "Nothing found."


def test_a_notebook_shows_them_as_a_table():
    shown = Findings([THIS, WORSE])._repr_html_()
    assert shown.count("<tr>") == 3 and "&lt;b&gt;" in shown and "<b>" not in shown
    assert ">fine<" in shown and ">warning<" in shown and "1 needs a mend" in shown
    assert Findings()._repr_html_() == "<p>Nothing found.</p>"
