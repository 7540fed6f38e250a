"""python -m tools.experiments [--check | --stale | --verify | --wait] [name ...]"""

from __future__ import annotations

import argparse
import sys

from tools import experiments
from tools.experiments._verification import verify


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Compute the stored tables of the lessons.")
    parser.add_argument("names", nargs="*", help="experiments to run; all by default")
    parser.add_argument("--check", action="store_true", help="only say which are out of date")
    parser.add_argument("--stale", action="store_true", help="run only what is out of date")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="run one seed with the code of then and of now; where both agree to the last digit, "
        "take a table over (without names: those that are out of date)",
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="note that rebuilt code is still to be verified for these tables, before a release",
    )
    options = parser.parse_args(arguments)
    known = experiments.names()
    if unknown := set(options.names) - set(known):
        parser.error(f"no experiment {', '.join(unknown)}; there is: {', '.join(known)}")
    chosen = options.names or known
    if options.check:
        found = [sentence for name in chosen if (sentence := experiments.stale(name))]
        print("\n".join(found) or f"All {len(chosen)} stored results are up to date.")
        for note in filter(None, map(experiments.other_versions, chosen)):
            print(note)
        if to_verify := ", ".join(experiments.waiting()):
            print(f"Still to be verified, with make experiments VERIFY=1: {to_verify}.")
        return 1 if found else 0
    if options.wait:
        experiments.let_wait(known)
        return 0
    if options.verify:
        asked = [name for name in known if experiments.stale(name) or name in experiments.waiting()]
        agreed = [verify(name) for name in options.names or asked]
        experiments.let_wait([name for name in known if name in experiments.waiting()])
        return 0 if all(agreed) else 1
    for name in chosen:
        if not options.stale or experiments.stale(name):
            experiments.run(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
