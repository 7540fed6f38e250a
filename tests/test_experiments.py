"""The stored tables are up to date, and the frame notices when they are not."""

import json
import types

import pytest

from tools import experiments
from tools.experiments import __main__ as command
from tools.experiments import bare_code, fingerprint


@pytest.mark.parametrize("name", experiments.names())
def test_the_stored_table_belongs_to_its_code(name):
    assert experiments.stale(name) is None


def test_every_stored_table_has_an_experiment():
    assert {path.stem for path in experiments.RESULTS.glob("*.json")} <= set(experiments.names())


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A course of its own with one experiment, which counts how often it ran."""
    monkeypatch.setattr(experiments, "ROOT", tmp_path)
    monkeypatch.setattr(experiments, "RESULTS", tmp_path / "data" / "experiments")
    (tmp_path / "helper.py").write_text('"""Help."""\n\nVALUE = 1  # a comment\n')
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "a.json").write_text("{}")
    (tmp_path / "toy.py").write_text("def run(): ...\n")
    module = types.ModuleType("toy")
    module.__file__ = str(tmp_path / "toy.py")
    module.CODE = ["helper.py", "cards"]
    module.PARAMETERS = {"seeds": [0, 1]}
    module.runs = 0

    def run(parameters, report):
        report("half way")
        module.runs += 1
        return {"sum": sum(parameters["seeds"])}

    module.run = run
    monkeypatch.setattr(experiments, "names", lambda: ["toy"])
    monkeypatch.setattr(experiments, "load", lambda name: module)
    return module


def test_a_result_is_stored_and_then_up_to_date(toy, tmp_path, capsys):
    assert "no stored result" in experiments.stale("toy")
    stored = json.loads(experiments.run("toy").read_text())
    assert stored["results"] == {"sum": 1} and stored["parameters"] == {"seeds": [0, 1]}
    assert stored["fingerprint"] == fingerprint(toy) and "keras" in stored["versions"]
    assert experiments.stale("toy") is None
    assert "toy: half way" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        lambda toy, folder: (folder / "helper.py").write_text("VALUE = 2\n"),
        lambda toy, folder: (folder / "cards" / "a.json").write_text('{"a": 1}'),
        lambda toy, folder: (folder / "cards" / "b.json").write_text("{}"),
        lambda toy, folder: (folder / "toy.py").write_text("def run(): return 2\n"),
        lambda toy, folder: toy.PARAMETERS.update(seeds=[0, 1, 2]),
    ],
)
def test_changed_code_inputs_or_parameters_make_it_stale(toy, tmp_path, change):
    experiments.run("toy")
    change(toy, tmp_path)
    assert "changed since it was run" in experiments.stale("toy")
    assert command.main(["--check"]) == 1


@pytest.mark.parametrize(
    "text",
    [
        '"""Other help, on\ntwo lines."""\n\n\n# more\nVALUE = 1\n',
        "VALUE = 1\r\n",
        'VALUE = 1   # "another" comment\n',
    ],
)
def test_a_better_sentence_costs_no_computing(toy, tmp_path, text):
    experiments.run("toy")
    (tmp_path / "helper.py").write_bytes(text.encode())
    assert experiments.stale("toy") is None


def test_only_what_is_stale_is_run_on_request(toy):
    for expected in (1, 1):
        assert command.main(["--stale"]) == 0 and toy.runs == expected
    assert command.main([]) == 0 and toy.runs == 2


def test_code_that_changes_under_a_running_experiment_is_noticed(toy, tmp_path):
    def run(parameters, report):
        (tmp_path / "helper.py").write_text("VALUE = 3\n")
        return {}

    toy.run = run
    with pytest.raises(RuntimeError, match="changed while it ran"):
        experiments.run("toy")
    assert not experiments.result_path("toy").exists()


def test_a_dependency_that_is_not_there_is_named(toy):
    toy.CODE = ["gone.py"]
    with pytest.raises(FileNotFoundError, match=r"toy depends on gone\.py"):
        fingerprint(toy)


def test_an_unknown_experiment_is_named(toy, capsys):
    with pytest.raises(SystemExit):
        command.main(["nonsense"])
    assert "no experiment nonsense; there is: toy" in capsys.readouterr().err


def test_bare_code_keeps_strings_that_are_no_docstrings():
    source = 'def f():\n    """Doc."""\n    x = "# not a comment"  # one\n    return """a\nb"""\n'
    assert bare_code(source) == 'def f():\n    x = "# not a comment"\n    return """a\nb"""'
