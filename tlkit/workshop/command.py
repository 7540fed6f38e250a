"""The workshop without a notebook.

pictures/ is a folder with a sub-folder per class, such as pictures/cat and pictures/dog.

examples:
  python -m tlkit train pictures/ --out model.keras
  python -m tlkit predict model.keras holiday.jpg
  python -m tlkit evaluate model.keras more-pictures/
  python -m tlkit export model.keras --out model.tflite --quantised

Results go to standard output; what is being done, and how far it has come, to standard error.

exit codes:
  0  done
  1  done, and something is not as it should be (a finding, a picture that cannot be used)
  2  not done: the message says why, and what to do
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tlkit import __version__, checks
from tlkit.errors import DamagedFileError, TlkitError
from tlkit.workshop.strategies import STRATEGIES

if TYPE_CHECKING:
    from tlkit.data import ImageDataset
    from tlkit.workshop import ImageClassifier

DONE, FOUND, WRONG, STOPPED = 0, 1, 2, 130


def say(what: str) -> None:
    """Say at once what is being done."""
    print(f"{what} …", file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    top = argparse.ArgumentParser(
        prog="python -m tlkit",
        description="Train a classifier of your own pictures, judge it, and take it elsewhere.",
        epilog=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"tlkit {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    def command(act: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
        about = f"{words[0].upper()}{words[1:]}."
        each = commands.add_parser(act.__name__, help=words, description=about)
        each.set_defaults(act=act)
        return each

    each = command(train, "train a classifier on a folder of pictures")
    each.add_argument("pictures", help="a folder with a sub-folder per class, a zip or a table")
    each.add_argument("--out", required=True, help="where to save it, such as model.keras")
    choices = "; ".join(f"{name}: {words}" for name, words in STRATEGIES.items())
    each.add_argument(
        "--strategy", choices=STRATEGIES, default="auto", help=f"{choices} (default: %(default)s)"
    )
    each.add_argument(
        "--image-size", type=int, help="pixels of a side (default: 224; 160 for small pictures)"
    )
    each.add_argument(
        "--minutes", type=float, default=1, help="what auto may take (default: %(default)s)"
    )
    each.add_argument("--seed", type=int, default=0, help="of the split (default: %(default)s)")
    each.add_argument("--keep-copies", action="store_true", help="train on every picture")

    each = command(predict, "say what is on pictures")
    each.add_argument("model", help="a file that train has made")
    each.add_argument("pictures", nargs="+", help="picture files, or folders of them")

    each = command(evaluate, "judge a classifier on pictures with labels")
    each.add_argument("model", help="a file that train has made")
    each.add_argument("pictures", help="a folder with a sub-folder per class")

    each = command(export, "write a file that runs without Keras, and its script")
    each.add_argument("model", help="a file that train has made")
    each.add_argument("--out", required=True, help="model.onnx or model.tflite")
    each.add_argument("--quantised", action="store_true", help="a quarter of the size (.tflite)")
    each.add_argument("--calibrate", help="training pictures: quantised, they make it faster")
    each.add_argument("--test", help="pictures with labels, to measure the cost in accuracy")
    each.add_argument(
        "--script", default="predict.py", help="name of the script (default: %(default)s)"
    )

    each = command(diagnose, "look for the usual mistakes in any Keras model")
    each.add_argument("model", help="a .keras file")
    each.add_argument("pictures", nargs="?", help="what it is to be trained on, if at hand")

    command(check, "see whether this installation works, and how fast; half a minute")
    return top


def train(given: argparse.Namespace) -> int:
    from tlkit.data import load_pictures
    from tlkit.workshop.files import refuse_edited, refuse_foreign
    from tlkit.workshop.train import train_classifier

    # What is wrong with names ends here, and not after minutes.
    out = checks.path(given.out, ".keras", there="place")
    card = out.with_suffix(".md")
    refuse_foreign(out)
    refuse_edited(card)
    say(f"Reading the pictures in {given.pictures}")
    data = load_pictures(Path(given.pictures), given.image_size)
    print(data.describe(), flush=True)
    say("Loading the network, and training")
    copies = "keep" if given.keep_copies else "drop"
    how = {"progress": True, "copies": copies, "minutes": given.minutes}
    classifier = train_classifier(data, given.strategy, given.seed, **how)
    classifier.save(out)
    classifier.card(card)
    print(classifier)
    print(f"Saved: {out}, and its model card {card}")
    return DONE


def predict(given: argparse.Namespace) -> int:
    # What is missing is said before the network is loaded, which takes seconds.
    checks.path(given.model, ".keras", there="file")
    pictures = [path for named in given.pictures for path in _files(named)]
    if not any(each.exists() for each in pictures):
        checks.path(pictures[0], there="file")
    classifier, code = _load(given.model), DONE
    for path in pictures:
        try:
            [probabilities] = classifier.predict(path)
        except TlkitError as error:
            print(error, file=sys.stderr)
            code = FOUND
            continue
        first = probabilities.argsort()[::-1][:3]
        words = [f"{classifier.class_names[each]} {probabilities[each]:.1%}" for each in first]
        print(f"{path}: {', '.join(words)}", flush=True)
    return code


def _files(path: str) -> list[Path]:
    """A picture, or the files of a folder and of those within; hidden ones are passed over."""
    if not Path(path).is_dir():
        return [Path(path)]
    inside = sorted(Path(path).rglob("*"))
    files = [each for each in inside if each.is_file() and not each.name.startswith(".")]
    checks.demand(files, f"There are no files in the folder {path!r}.", "Name another one.")
    return files


def evaluate(given: argparse.Namespace) -> int:
    classifier = _load(given.model)
    say(f"Judging it on {given.pictures}")
    print(classifier.evaluate(_pictures(given.pictures, classifier.image_size)))
    return DONE


def export(given: argparse.Namespace) -> int:
    from tlkit.workshop.export import SUFFIXES

    formats = {suffix: name for name, suffix in SUFFIXES.items()}
    ending = checks.choice(Path(given.out).suffix, formats, "format for files that end in")
    classifier = _load(given.model)
    calibrate, test = (
        _pictures(folder, classifier.image_size) for folder in (given.calibrate, given.test)
    )
    say("Writing the file, and comparing it with Keras")
    how = (formats[ending], given.quantised, calibrate, test, given.script)
    print(classifier.export(given.out, *how))
    return DONE


def diagnose(given: argparse.Namespace) -> int:
    path = checks.path(given.model, ".keras", there="file")
    say(f"Looking at {path}")
    from tlkit import diagnosis
    from tlkit.workshop.classifier import ImageClassifier
    from tlkit.workshop.files import load_model

    # A classifier knows the names of its classes. Any other model will do as well.
    try:
        model = ImageClassifier.load(path)
        size = model.image_size
    except DamagedFileError:
        model = load_model(path)
        size = getattr(model, "input_shape", (None, None))[1]
    found = diagnosis.diagnose(model, _pictures(given.pictures, size or 160))
    print(found)
    return FOUND if found else DONE


def check(_given: argparse.Namespace) -> int:
    from tlkit.course.installation import check_installation

    found = check_installation(training=True)
    print(found)
    return FOUND if found else DONE


def _load(path: str) -> "ImageClassifier":
    say(f"Loading {path}")
    from tlkit.workshop.classifier import ImageClassifier

    return ImageClassifier.load(path)


def _pictures(folder: str | None, image_size: int) -> "ImageDataset | None":
    from tlkit.data import load_pictures

    return load_pictures(Path(folder), image_size) if folder else None


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What was typed after `python -m tlkit`; from the command line if None.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        # What a console or a pipe cannot show becomes a "?". A notebook shows everything.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    given = parser().parse_args(arguments)
    try:
        return given.act(given)
    except TlkitError as error:
        print(f"\n{error}", file=sys.stderr)
        return WRONG
    except BrokenPipeError:
        # Whoever reads the results has seen enough, also of what would be written at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        stopped = "Stopped; nothing half-written was left. The same command goes on from here."
        print(f"\n{stopped}", file=sys.stderr)
        return STOPPED
