"""What `tlkit.diagnose` says of models with a known mistake, and of correct ones, as a table.

python benchmarks/diagnose.py

The models are those of `tests/test_diagnosis.py`. Nothing is measured: it shows at a glance what is
found, and that nothing else is.
"""

import contextlib
import io
import sys
import tempfile
from pathlib import Path

import tlkit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.package.diagnosed_models import BROKEN, RIGHT, build


def main():
    print(f"{'model':55} {'mistake':32} found")
    right = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [(case, *made) for case, made in BROKEN.items()]
        for case, mistake, builder in [*cases, *((case, "", b) for case, b in RIGHT.items())]:
            with contextlib.redirect_stdout(io.StringIO()):  # what unfreeze says
                model, data = build(builder, Path(folder))
            found = [each.name for each in tlkit.diagnose(model, data)]
            right += found == [mistake] * bool(mistake)
            print(f"{case:55} {mistake or 'none':32} {', '.join(found) or 'nothing'}")
    print(f"{right} of {len(BROKEN) + len(RIGHT)} models got what they deserve")


if __name__ == "__main__":
    main()
