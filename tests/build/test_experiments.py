"""The stored tables are up to date, and the frame notices when they are not."""

import ast
import json
import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import experiments
from tools.experiments import __main__ as command
from tools.experiments._verification import verify
from tools.places.release_check import check_tables

VERSIONS = {"keras": "3", "numpy": "2", "scikit-learn": "1"}


@pytest.mark.parametrize("name", filter(experiments.read, experiments.names()))
def test_the_stored_table_belongs_to_its_code(name):
    assert experiments.stale(name) is None


def test_every_stored_table_has_an_experiment():
    assert {path.stem for path in experiments.RESULTS.glob("*.json")} <= set(experiments.names())


# --- what the stored tables are computed from ---

EVERY = set(experiments.names())
SMALL_NETWORKS_ALONE = {"four_cases", "fourth_channel", "other_camera", "transferability"}
WITHOUT_A_FITTED_HEAD = {
    "fourth_channel",
    "masks",
    "missing_class",
    "no_transfer",
    "other_camera",
    "segmentation",
    "training_curves",
    "transferability",
}
UNFREEZING = {
    "adapters",
    "another_guise",
    "auto_strategy",
    "backbone_choice",
    "batch_norm",
    "brief",
    "distillation",
    "forgetting",
    "four_cases_lite0",
    "from_layer",
    "labels_needed",
    "ladder",
    "rates_by_group",
    "settled_head",
    "stepping_back",
    "students",
    "training_curves",
    "warm_start",
    "workshop_ladder",
}
SETTLING = {
    "autoencoder",
    "fine_tuning",
    "four_cases_lite0",
    "label_counts",
    "labels_needed",
    "training_curves",
    "warm_start",
    "without_labels",
}
USERS = {
    "draw_person": EVERY,  # whoever loads pictures could load these
    "_pick": EVERY - {"masks", "segmentation"},
    "_compile": EVERY - SMALL_NETWORKS_ALONE - {"training_curves"},
    "fit_linear_head": EVERY - WITHOUT_A_FITTED_HEAD,
    "unfreeze": UNFREEZING,
    "settle_batch_norm": SETTLING,
    "image_grid": set(),
}


@pytest.fixture(scope="module")
def as_they_are():
    return {name: experiments.fingerprint(name, VERSIONS) for name in experiments.names()}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The course's code in another folder, where it may be changed."""
    for package in ("tlkit", "tools/experiments"):
        others = shutil.ignore_patterns("__pycache__")
        shutil.copytree(experiments.ROOT / package, tmp_path / package, ignore=others)
    monkeypatch.setattr(experiments, "ROOT", tmp_path)
    return tmp_path


def rewrite(files: list[Path], change: Callable[[ast.Module], None]) -> None:
    """Change modules; comments and layout get lost."""
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        change(tree)
        file.write_text(ast.unparse(tree), encoding="utf-8")


def changed_from(before: dict[str, str]) -> set[str]:
    return {name for name in before if experiments.fingerprint(name, VERSIONS) != before[name]}


@pytest.mark.parametrize("function", USERS)
def test_a_step_more_is_noticed_by_every_table_that_takes_it(copy, as_they_are, function):
    def add_step(tree):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == function:
                node.body.insert(-1, ast.parse("len('one step more')").body[0])

    files = [f for f in copy.rglob("*.py") if f"def {function}(" in f.read_text(encoding="utf-8")]
    rewrite(files, add_step)
    assert changed_from(as_they_are) == USERS[function]


def test_other_words_and_another_order_are_noticed_by_no_table(copy, as_they_are):
    def reword(tree):
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise):
                for each in ast.walk(node):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        each.value = "other words"
            elif isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
                node.body[0].value.value = "Another docstring."
        tree.body.sort(key=lambda each: getattr(each, "name", ""), reverse=True)

    rewrite(copy.rglob("*.py"), reword)
    assert changed_from(as_they_are) == set()


@pytest.mark.parametrize("module", ["store", "features", "paths"])
def test_a_module_that_moves_into_a_room_is_noticed_by_no_table(copy, as_they_are, module):
    old, new = copy / "tlkit" / f"{module}.py", copy / "tlkit" / "room" / "moved.py"
    new.parent.mkdir()
    text = old.read_text(encoding="utf-8").replace("(__file__).parent", "(__file__).parents[1]")
    new.write_text(text, encoding="utf-8")
    old.unlink()
    for file in copy.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        text = text.replace(f"from tlkit.{module} import", "from tlkit.room.moved import")
        text = re.sub(
            rf"from tlkit import (.*, )?{module}\b",
            rf"from tlkit.room import moved as {module}\nfrom tlkit import \1errors",
            text,
        )
        file.write_text(text.replace(f'"{module}": [', '"room.moved": ['), encoding="utf-8")
    assert changed_from(as_they_are) == set()


# --- what counts and what does not ---

TOY, DEEP, HELPERS = "tools/experiments/toy.py", "tlkit/_deep.py", "tlkit/helpers.py"
FILES = {
    "tools/__init__.py": "",
    "tools/experiments/__init__.py": "",
    TOY: """
        import numpy as np
        import tlkit
        from tlkit import _deep

        PARAMETERS = {"seeds": [0, 1]}

        def run(parameters, report):
            doubled = [tlkit.double(seed) for seed in parameters["seeds"]]
            report("half way")
            deep = _deep.Network(3).size(by=_deep.STEP)
            return [{"sum": int(np.sum([*doubled, 1])), "deep": deep, "seconds": 1}]
        """,
    "tlkit/__init__.py": """
        import lazy_loader

        __getattr__, __dir__, __all__ = lazy_loader.attach(
            __name__, submodules=["plots"], submod_attrs={"helpers": ["double"]}
        )
        """,
    HELPERS: '''
        from tlkit.errors import InputError

        def double(number: int) -> int:
            """Twice as much."""
            if number < 0:
                raise InputError("Too low.", "Give more.")
            return _times(number, 2)  # by hand

        def _times(number, factor):
            product = number * factor
            return product
        ''',
    DEEP: """
        from tlkit import plots

        STEP = 3

        class Network:
            depth = 1

            def __init__(self, layers):
                self.layers = layers

            def size(self, by=1):
                return self.layers * by

            def plot(self):
                return plots.curve(self.depth)
        """,
    "tlkit/errors.py": "class InputError(ValueError): ...",
    "tlkit/plots.py": "def curve(value): return value",
}


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A course of its own with one experiment, which counts how often it ran."""
    monkeypatch.setattr(experiments, "ROOT", tmp_path)
    monkeypatch.setattr(experiments, "RESULTS", tmp_path / "data" / "experiments")
    monkeypatch.setattr(experiments, "WAITING", tmp_path / "data" / "tables_to_verify.json")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text), encoding="utf-8")
    module = SimpleNamespace(PARAMETERS={"seeds": [0, 1]}, runs=0)

    def run(parameters, report):
        report("half way")
        module.runs += 1
        return {"sum": sum(parameters["seeds"])}

    module.run = run
    monkeypatch.setattr(experiments, "names", lambda: ["toy"])
    monkeypatch.setattr(experiments, "load", lambda name: module)
    return module


def replace(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (TOY, "[0, 1]", "[0, 1, 2]"),
        (TOY, "np.sum", "np.mean"),
        (TOY, "import numpy as np", "import jax.numpy as np"),
        (TOY, '"sum"', '"total"'),
        (HELPERS, ", 2)", ", 3)"),
        (HELPERS, "number * factor", "factor * number"),
        (HELPERS, "def _times", "import functools\n\n@functools.cache\ndef _times"),
        (HELPERS, "number < 0:", "number < 0:\n        number = 0"),
        (DEEP, "STEP = 3", "STEP = 4"),
        (DEEP, "by=1", "by=2"),
        (DEEP, "depth = 1", "depth = 2"),
        (DEEP, "* by", "* by * self.plot()"),
        (DEEP, "= layers", "= layers + 1"),
        (DEEP, "class Network", "class Network(list)"),
    ],
)
def test_what_computes_something_counts(toy, tmp_path, file, old, new):
    before = experiments.fingerprint("toy", VERSIONS)
    replace(tmp_path, file, old, new)
    assert experiments.fingerprint("toy", VERSIONS) != before


FREE = {
    "a comment": [(HELPERS, "by hand", "by heart")],
    "a docstring": [(HELPERS, "Twice as much", "Two times")],
    "an error's words": [(HELPERS, "Too low", "Negative")],
    "a check": [(HELPERS, "number < 0", "number < -1")],
    "a type": [(HELPERS, "number: int", "number: float")],
    "progress": [(TOY, "half way", "done"), (TOY, "return", "print('end')\n    return")],
    "line ends": [(HELPERS, "\n", "\r\n")],
    "a variable's name": [(HELPERS, "product", "result")],
    "a function's name": [(HELPERS, "_times", "_product")],
    "a class's name": [(DEEP, "Network", "Net"), (TOY, "Network", "Net")],
    "a method's name": [(DEEP, "def size", "def count"), (TOY, ".size(", ".count(")],
    "a constant's name": [(DEEP, "STEP", "STRIDE"), (TOY, "STEP", "STRIDE")],
    "what nobody calls": [(DEEP, "plots.curve(self", "plots.bars(self")],
    "an import of the function": [
        (TOY, "import tlkit\n", "from tlkit.helpers import double as twice\n"),
        (TOY, "tlkit.double", "twice"),
    ],
    "an import of the module": [
        (TOY, "import tlkit\n", "import tlkit.helpers\n"),
        (TOY, "tlkit.double", "tlkit.helpers.double"),
    ],
    "an import where it is used": [
        (TOY, "import tlkit\n", ""),
        (TOY, "    report(", "    import tlkit\n    report("),
        (TOY, "    doubled =", "    from tlkit import double\n    doubled ="),
        (TOY, "tlkit.double", "double"),
    ],
    "an import from beside": [(HELPERS, "from tlkit.errors", "from .errors")],
    "an import of numpy": [
        (TOY, "import numpy as np", "from numpy import sum as total"),
        (TOY, "np.sum", "total"),
    ],
    "a way round": [
        (DEEP, "from tlkit import plots", "from tlkit.helpers import double"),
        (TOY, "tlkit.double", "_deep.double"),
    ],
}


@pytest.mark.parametrize("change", FREE)
def test_what_computes_nothing_is_free(toy, tmp_path, change):
    before = experiments.fingerprint("toy", VERSIONS)
    for each in FREE[change]:
        replace(tmp_path, *each)
    assert experiments.fingerprint("toy", VERSIONS) == before


def test_a_function_that_moves_is_free(toy, tmp_path):
    before = experiments.fingerprint("toy", VERSIONS)
    text = (tmp_path / HELPERS).read_text(encoding="utf-8")
    start = text.index("def _times")
    (tmp_path / DEEP).open("a", encoding="utf-8").write(text[start:])
    text = "from tlkit._deep import _times\n" + text[:start]
    (tmp_path / HELPERS).write_text(text, encoding="utf-8")
    assert experiments.fingerprint("toy", VERSIONS) == before


def test_two_functions_that_swap_their_work_are_noticed(toy, tmp_path):
    replace(tmp_path, DEEP, "STEP = 3", "STEP, SIZE = 3, 4")
    before = experiments.fingerprint("toy", VERSIONS)
    replace(tmp_path, DEEP, "STEP, SIZE", "SIZE, STEP")
    assert experiments.fingerprint("toy", VERSIONS) != before


def test_two_methods_that_swap_their_names_are_noticed(toy, tmp_path):
    replace(tmp_path, TOY, '"deep": deep', '"deep": deep, "plot": _deep.Network(3).plot()')
    before = experiments.fingerprint("toy", VERSIONS)
    for old, new in (("plot", "other"), ("size", "plot"), ("other", "size")):
        replace(tmp_path, DEEP, f"def {old}(", f"def {new}(")
    assert experiments.fingerprint("toy", VERSIONS) != before


def test_functions_that_call_each_other_come_to_an_end(toy, tmp_path):
    replace(tmp_path, HELPERS, "return product", "return product or double(factor)")
    before = experiments.fingerprint("toy", VERSIONS)
    replace(tmp_path, HELPERS, "or double", "or _times")
    assert experiments.fingerprint("toy", VERSIONS) != before


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (TOY, "tlkit.double(", "tlkit.triple(", "tlkit.triple is no definition"),
        (TOY, "_deep.STEP", "len(_deep)", "tlkit._deep is no definition"),
        (HELPERS, "return _times", "return _divided", "_divided in tlkit.helpers leads nowhere"),
        (HELPERS, "def _times", "print()\n\ndef _times", "does something on import"),
    ],
)
def test_code_that_cannot_be_followed_is_named(toy, tmp_path, file, old, new, words):
    replace(tmp_path, file, old, new)
    with pytest.raises(LookupError, match=words):
        experiments.fingerprint("toy", VERSIONS)


# --- running and storing ---


def test_a_result_is_stored_and_then_up_to_date(toy, capsys):
    assert "no stored result" in experiments.stale("toy")
    stored = json.loads(experiments.run("toy").read_text())
    assert stored["results"] == {"sum": 1} and stored["parameters"] == {"seeds": [0, 1]}
    assert experiments.stale("toy") is None
    assert "toy: half way" in capsys.readouterr().out


def test_changed_code_makes_it_stale(toy, tmp_path, capsys):
    experiments.run("toy")
    replace(tmp_path, DEEP, "STEP = 3", "STEP = 4")
    assert "has changed since it was run" in experiments.stale("toy")
    assert command.main(["--check"]) == 1 and "has changed" in capsys.readouterr().out


def test_rebuilt_code_may_wait_to_be_verified_but_no_other_code(toy, tmp_path, capsys):
    experiments.run("toy")
    replace(tmp_path, DEEP, "STEP = 3", "STEP = 4")
    assert command.main(["--wait"]) == 0 and list(experiments.waiting()) == ["toy"]
    assert experiments.stale("toy") is None
    assert command.main(["--check"]) == 0 and "Still to be verified" in capsys.readouterr().out
    assert not check_tables().fine
    replace(tmp_path, DEEP, "STEP = 4", "STEP = 5")
    assert "has changed since it was run" in experiments.stale("toy")
    replace(tmp_path, DEEP, "STEP = 5", "STEP = 3")
    assert command.main(["--wait"]) == 0 and not experiments.waiting() and check_tables().fine


def test_other_versions_are_told_but_make_nothing_stale(toy, monkeypatch, capsys):
    experiments.run("toy")
    monkeypatch.setattr(experiments, "versions", lambda: VERSIONS)
    assert experiments.stale("toy") is None
    assert command.main(["--check"]) == 0
    assert "toy was computed with keras 3." in capsys.readouterr().out


def test_versions_that_were_edited_make_it_stale(toy):
    stored = json.loads(experiments.run("toy").read_text())
    experiments.store({**stored, "versions": VERSIONS})
    assert experiments.stale("toy")


def test_only_what_is_stale_is_run_on_request(toy):
    for expected in (1, 1):
        assert command.main(["--stale"]) == 0 and toy.runs == expected
    assert command.main([]) == 0 and toy.runs == 2


def test_code_that_changes_under_a_running_experiment_is_noticed(toy, tmp_path):
    toy.run = lambda parameters, report: replace(tmp_path, DEEP, "STEP = 3", "STEP = 4")
    with pytest.raises(RuntimeError, match="changed while it ran"):
        experiments.run("toy")
    assert not experiments.result_path("toy").exists()


def test_an_unknown_experiment_is_named(toy, capsys):
    with pytest.raises(SystemExit):
        command.main(["nonsense"])
    assert "no experiment nonsense; there is: toy" in capsys.readouterr().err


# --- seed by seed ---


def test_seeds_that_are_run_one_by_one_make_the_stored_tables():
    for name in experiments.names():
        stored, part = experiments.read(name), getattr(experiments.load(name), "part", None)
        if stored and part:
            seeds, rows = stored["parameters"]["seeds"], stored["results"]
            one_by_one = [row for seed in seeds for row in rows if row["seed"] == seed]
            assert experiments.in_parts(one_by_one, part) == rows, name


@pytest.fixture
def by_seed(toy):
    """The toy run seed by seed, with two rows in one part and a baseline that knows no seeds."""
    toy.done = []

    def run(parameters, report):
        (seed,) = parameters["seeds"]
        if toy.done == toy.interrupted_after:
            raise KeyboardInterrupt
        toy.done.append(seed)
        ours = [{"what": "ours", "seed": seed, "n": n} for n in (1, 2)]
        return [*ours, {"what": "theirs", "seed": seed, "n": 1}, {"what": "chance", "n": 0}]

    toy.run, toy.part, toy.interrupted_after = run, lambda row: row["what"], None
    return toy


def test_rows_come_part_by_part_and_then_by_seed(by_seed):
    results = json.loads(experiments.run("toy").read_text())["results"]
    told = [(row["what"], row.get("seed"), row["n"]) for row in results]
    ours = [("ours", 0, 1), ("ours", 0, 2), ("ours", 1, 1), ("ours", 1, 2)]
    assert told == [*ours, ("theirs", 0, 1), ("theirs", 1, 1), ("chance", None, 0)]


def test_an_interruption_costs_one_seed(by_seed, capsys):
    by_seed.interrupted_after = [0]
    with pytest.raises(KeyboardInterrupt):
        experiments.run("toy")
    assert experiments.read("toy") is None
    by_seed.interrupted_after = None
    experiments.run("toy")
    assert by_seed.done == [0, 1] and len(experiments.read("toy")["results"]) == 7
    assert "seed 0 is kept of an earlier start" in capsys.readouterr().out
    assert not (experiments.RESULTS / "partial" / "toy").exists()


def test_a_seed_of_other_code_is_not_used(by_seed, tmp_path):
    by_seed.interrupted_after = [0]
    with pytest.raises(KeyboardInterrupt):
        experiments.run("toy")
    by_seed.interrupted_after = None
    replace(tmp_path, DEEP, "STEP = 3", "STEP = 4")
    experiments.run("toy")
    assert by_seed.done == [0, 0, 1]


def test_what_was_tuned_is_kept_stored_and_given_to_every_seed(by_seed, tmp_path, capsys):
    replace(tmp_path, TOY, "def run", "def tune(parameters, report):\n    return {}\n\ndef run")
    given, run = [], by_seed.run
    found, searches = {"ours": {"tried": [[1, 0.5], [2, 0.7]], "chosen": 2}}, [1]
    # A second search would find the list empty.
    by_seed.tune = lambda parameters, report: searches.pop() and found

    def watched(parameters, report):
        given.append(parameters["tuned"])
        return run(parameters, report)

    by_seed.run, by_seed.interrupted_after = watched, [0]
    with pytest.raises(KeyboardInterrupt):
        experiments.run("toy")
    kept = (experiments.RESULTS / "partial").rglob("*.json")
    assert sorted(path.stem for path in kept) == ["seed_0", "tuned"]
    by_seed.interrupted_after = None
    experiments.run("toy")
    assert experiments.read("toy")["parameters"]["tuned"] == found and given == 3 * [found]
    assert "tuned is kept of an earlier start" in capsys.readouterr().out


# --- verifying ---


@pytest.fixture
def committed(toy, tmp_path):
    """The toy's table, stored and committed with the code that made it."""

    def git(*arguments: str) -> None:
        who = "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    experiments.run("toy")
    git("init")
    git("add", ".")
    git("commit", "-m", "Store a table")
    return git


def test_other_code_that_computes_the_same_takes_a_table_over(committed, tmp_path, capfd):
    replace(tmp_path, HELPERS, "number * factor", "factor * number")
    assert experiments.stale("toy") and command.main(["--verify"]) == 0
    assert experiments.stale("toy") is None
    assert "rows agree to the last digit" in capfd.readouterr().out
    # The commit that made a table is not the one that took it over.
    committed("commit", "-a", "-m", "Multiply the other way round")
    replace(tmp_path, HELPERS, "factor * number", "number * factor * 1")
    assert command.main(["--verify"]) == 0
    assert "commit" in capfd.readouterr().out


def test_code_that_computes_something_else_does_not(committed, tmp_path, capfd):
    replace(tmp_path, DEEP, "STEP = 3", "STEP = 4")
    before = experiments.read("toy")
    assert command.main(["--verify", "toy"]) == 1
    assert experiments.read("toy") == before and experiments.stale("toy")
    told = capfd.readouterr().out
    assert "1 and 1 rows, 1 differ" in told and "now  {'sum': 1, 'deep': 12}" in told


def test_one_seed_is_left_of_all(toy):
    given = {"seeds": [3, 4], "tuning_seeds": {"few": [3, 4]}, "part": {"seeds": [5]}, "n": [1, 2]}
    left = {"seeds": [3], "tuning_seeds": {"few": [3]}, "part": {"seeds": [5]}, "n": [1, 2]}
    assert experiments.one_seed(given) == left


def test_a_table_that_is_not_committed_or_has_other_parameters_is_not_verified(
    committed, toy, tmp_path
):
    toy.PARAMETERS = {"seeds": [0, 1, 2]}
    with pytest.raises(RuntimeError, match="other parameters now"):
        verify("toy")
    experiments.store({**experiments.read("toy"), "results": []})
    with pytest.raises(RuntimeError, match="commit it first"):
        verify("toy")
