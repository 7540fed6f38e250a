"""The workshop without a notebook: `python -m tlkit train pictures/ --out model.keras`."""

import argparse
import sys
from pathlib import Path

from tlkit import __version__
from tlkit.errors import DamagedFileError, InputError, TlkitError

DONE, FOUND, WRONG, STOPPED = 0, 1, 2, 130

EPILOG = """\
pictures/ is a folder with a sub-folder per class, such as pictures/cat and pictures/dog.

examples:
  python -m tlkit train pictures/ --out model.keras
  python -m tlkit predict model.keras holiday.jpg
  python -m tlkit evaluate model.keras more-pictures/
  python -m tlkit export model.keras --out model.tflite --quantised

exit codes:
  0  done
  1  done, and something is not as it should be (a finding, a picture that cannot be used)
  2  not done: the message says why, and what to do
"""


def parser() -> argparse.ArgumentParser:
    """What the command understands."""
    top = argparse.ArgumentParser(
        prog="python -m tlkit",
        description="Train a classifier of your own pictures, judge it, and take it elsewhere.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"tlkit {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    def command(name: str, act, words: str) -> argparse.ArgumentParser:
        each = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        each.set_defaults(act=act)
        return each

    train = command("train", _train, "train a classifier on a folder of pictures")
    train.add_argument("pictures", help="a folder with a sub-folder per class")
    train.add_argument("--out", required=True, help="where to save it, such as model.keras")
    train.add_argument(
        "--strategy",
        choices=("auto", "features", "fine-tune"),
        default="auto",
        help="features is fast, fine-tune slower and often better, auto decides (default)",
    )
    train.add_argument(
        "--image-size", type=int, default=160, help="pixels of a side (default: %(default)s)"
    )
    train.add_argument("--seed", type=int, default=0, help="of the split (default: %(default)s)")

    predict = command("predict", _predict, "say what is on pictures")
    predict.add_argument("model", help="a file that train has made")
    predict.add_argument("pictures", nargs="+", help="picture files")

    evaluate = command("evaluate", _evaluate, "judge a classifier on pictures with labels")
    evaluate.add_argument("model", help="a file that train has made")
    evaluate.add_argument("pictures", help="a folder with a sub-folder per class")

    export = command("export", _export, "write a file that runs without Keras, and its script")
    export.add_argument("model", help="a file that train has made")
    export.add_argument("--out", required=True, help="model.onnx or model.tflite")
    export.add_argument("--quantised", action="store_true", help="a quarter of the size (.tflite)")
    export.add_argument("--calibrate", help="training pictures: quantised, they make it faster")
    export.add_argument("--test", help="pictures with labels, to measure the cost in accuracy")
    export.add_argument(
        "--script", default="predict.py", help="name of the script (default: %(default)s)"
    )

    diagnose = command("diagnose", _diagnose, "look for the usual mistakes in any Keras model")
    diagnose.add_argument("model", help="a .keras file")
    diagnose.add_argument("pictures", nargs="?", help="what it is to be trained on, if at hand")

    command("check", _check, "see whether this installation works, and how fast; half a minute")
    return top


def _train(given: argparse.Namespace) -> int:
    from tlkit.data.datasets import load_folder
    from tlkit.workshop.card import MARK
    from tlkit.workshop.export import refuse_others
    from tlkit.workshop.files import keras_path
    from tlkit.workshop.train import train_classifier

    out = keras_path(given.out)  # a wrong name ends here, and not after minutes
    card = out.with_suffix(".md")
    refuse_others(card, MARK)
    if not out.parent.is_dir():
        raise InputError(f"There is no folder {str(out.parent)!r}.", "Make it first.")
    data = load_folder(given.pictures, image_size=given.image_size)
    print(data.describe(), flush=True)
    classifier = train_classifier(data, given.strategy, given.seed, progress=True)
    classifier.save(out)
    classifier.card(card)
    print(classifier)
    print(f"Saved: {out}, and its model card {card}")
    return DONE


def _predict(given: argparse.Namespace) -> int:
    from tlkit.workshop.classifier import ImageClassifier

    classifier, code = ImageClassifier.load(given.model), DONE
    for path in given.pictures:
        try:
            [shares] = classifier.predict(path)
        except TlkitError as error:
            print(error, file=sys.stderr)
            code = FOUND
            continue
        order = shares.argsort()[::-1][:3]
        said = ", ".join(f"{classifier.class_names[each]} {shares[each]:.1%}" for each in order)
        print(f"{path}: {said}", flush=True)
    return code


def _evaluate(given: argparse.Namespace) -> int:
    from tlkit.data.datasets import load_folder
    from tlkit.workshop.classifier import ImageClassifier

    classifier = ImageClassifier.load(given.model)
    print(classifier.evaluate(load_folder(given.pictures, classifier.image_size)))
    return DONE


def _export(given: argparse.Namespace) -> int:
    from tlkit.data.datasets import load_folder
    from tlkit.workshop.classifier import ImageClassifier
    from tlkit.workshop.export import SUFFIXES

    formats = {suffix: name for name, suffix in SUFFIXES.items()}
    ending = Path(given.out).suffix
    if ending not in formats:
        raise InputError(f"{given.out!r} has no known ending.", "Use .onnx or .tflite.")
    classifier = ImageClassifier.load(given.model)
    calibrate, test = (
        load_folder(each, classifier.image_size) if each else None
        for each in (given.calibrate, given.test)
    )
    made = classifier.export(
        given.out, formats[ending], given.quantised, calibrate, test, given.script
    )
    print(made)
    return DONE


def _diagnose(given: argparse.Namespace) -> int:
    from tlkit.data.datasets import load_folder
    from tlkit.diagnosis import diagnose
    from tlkit.workshop.classifier import ImageClassifier
    from tlkit.workshop.files import keras_path, load_model

    path = keras_path(given.model)
    try:
        model = ImageClassifier.load(path)  # which knows the names of its classes
        size = model.image_size
    except DamagedFileError:
        model = load_model(path)
        size = getattr(model, "input_shape", (None, None))[1]
    data = load_folder(given.pictures, size or 160) if given.pictures else None
    found = diagnose(model, data)
    print(found)
    return FOUND if found else DONE


def _check(_given: argparse.Namespace) -> int:
    from tlkit.course.installation import check_installation

    found = check_installation(training=True)
    print(found)
    return FOUND if found else DONE


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What was typed after `python -m tlkit`; from the command line if None.

    Returns:
        The exit code.
    """
    given = parser().parse_args(arguments)
    try:
        return given.act(given)
    except TlkitError as error:
        print(f"\n{error}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print(
            "\nStopped; nothing half-written was left. The same command goes on from here.",
            file=sys.stderr,
        )
        return STOPPED
