"""What every test and every notebook run by pytest has in common."""

import os
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
START_UP = ROOT / "tests" / "start_up"


def pytest_configure(config: pytest.Config) -> None:
    """Cut the network, here and in every process to come; let them find tlkit; draw to memory."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        others = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
        os.environ["PYTHONPATH"] = os.pathsep.join([str(START_UP), str(ROOT), *others])
        runpy.run_path(str(START_UP / "sitecustomize.py"))
    else:
        # A core for each worker: threads of two of them would only wait for one another.
        for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
            os.environ.setdefault(name, "1")
    # A claim that fails ends a test, where it lets a learner go on.
    os.environ["TLKIT_STRICT"] = "1"
    # Not MPLBACKEND: kernels would inherit it, and draw nothing into the page.
    os.environ["MATPLOTLIBRC"] = str(ROOT / "tests" / "matplotlibrc")


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Leave stderr out of what nbval compares: libraries write there whatever they like."""
    if collector.fspath and collector.fspath.ext == ".ipynb":
        collector.skip_compare += ("stderr",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count the cells of notebooks among what runs whole lessons."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker(pytest.mark.lessons)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Run the solved notebooks in the arithmetic of another computer (see tests/start_up).

    A notebook's kernel starts with its first cell and inherits what is set here.
    """
    if item.path.suffix == ".ipynb":
        solved = item.path.parent.name == "solutions"
        os.environ["TLKIT_PERTURB"] = "1" if solved else ""


# There without xdist, too.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Share tests out by file, the two notebooks of a lesson together, broken lessons one by one.

    The solved notebook needs what the learner's has cached: one worker runs both, in that order.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByLesson(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = Path(nodeid.partition("::")[0])
            if path.suffix == ".ipynb":
                return path.stem
            return nodeid if path.stem == "test_mutations" else str(path)

    return ByLesson(config, log)
