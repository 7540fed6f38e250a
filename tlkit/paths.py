"""Where tlkit keeps what it makes, and how it writes without ever leaving half a file."""

import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from tlkit.errors import InputError

_PACKAGE = Path(__file__).parent
_CLONE = _PACKAGE.parent


def _data_folder() -> Path | None:
    """The clone's `data` folder, or None when tlkit was installed from a wheel."""
    data = _CLONE / "data"
    return data if (data / "cards").is_dir() and (_CLONE / "pyproject.toml").is_file() else None


def cache_dir(*parts: str) -> Path:
    """Folder for what is rendered, fetched or computed; nothing in it is ever needed twice.

    `$TLKIT_CACHE` if that is set, else `data/cache` in a clone, else the user's cache folder.
    The folder is not created here: a cache may be read-only, or never be written at all.

    If `$TLKIT_SHARED_CACHE` names a second folder, such as one that a whole class can read and
    nobody can write, what lies there is read as if it were in the first. What is new goes to the
    first one; where that cannot be written, the shared folder is used alone.

    Args:
        parts: Names of sub-folders, such as `"features"`.

    Returns:
        The folder's path.

    Example:
        >>> cache_dir("features").name
        'features'
    """
    if "TLKIT_CACHE" in os.environ:
        root = Path(os.environ["TLKIT_CACHE"])
    elif data := _data_folder():
        root = data / "cache"
    else:
        import platformdirs

        root = Path(platformdirs.user_cache_dir("tlkit"))
    shared = os.environ.get("TLKIT_SHARED_CACHE")
    own = root.joinpath(*parts)
    return _laid_over(own, Path(shared, *parts).absolute()) if shared and parts else own


@functools.cache
def _laid_over(own: Path, shared: Path) -> Path:
    """The own folder, in which what only the shared one has is linked; once in a process.

    Reading follows a link. `write_atomic` replaces the link and not what it points to, so that a
    damaged shared entry is mended for oneself and harms nobody else.
    """
    try:
        own.mkdir(parents=True, exist_ok=True)
        have = set(os.listdir(own))
        for entry in shared.iterdir() if shared.is_dir() else ():
            # What begins with a dot is half-written; and another process may be quicker.
            if entry.name not in have and not entry.name.startswith("."):
                with contextlib.suppress(FileExistsError):
                    (own / entry.name).symlink_to(entry)
    except OSError:
        return own if os.access(own, os.W_OK) else shared
    return own


def write_atomic(path: Path, write: Callable[[BinaryIO], Any]) -> bool:
    """Write a file so that it is either whole or not there, whoever interrupts or races.

    The content goes to a temporary file in the same folder, which then takes the final name.

    Args:
        path: The file to make; its folder is created.
        write: Called with the open binary file.

    Returns:
        True when the file stands; False when the folder cannot be written (a shared, read-only
        cache, or a full disk), in which case nothing is left behind.

    Example:
        >>> write_atomic(cache_dir("demo") / "hello.txt", lambda file: file.write(b"hello"))
        True
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        # `mkstemp`'s 0600 would hide a shared cache from other learners.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        return True
    except OSError:
        return False
    finally:
        Path(temporary).unlink(missing_ok=True)


def _shipped(folder: str, *parts: str) -> Path:
    """Something under `data/cards` or `data/experiments`, which a wheel carries inside."""
    data = _data_folder()
    return (data / folder if data else _PACKAGE / f"_{folder}").joinpath(*parts)


def beside_source(kind: str, lesson: str) -> Path:
    """A file that stands beside the source of a lesson: its quiz, or the answers of its exercises.

    Args:
        kind: `"quizzes"` or `"answers"`.
        lesson: The lesson's number, such as `"03"`.

    Returns:
        The file.

    Raises:
        InputError: There is none of that number.

    Example:
        >>> beside_source("quizzes", "03").name
        '03.md'
    """
    folder = _CLONE / "notebooks/source" / kind if _data_folder() else _PACKAGE / f"_{kind}"
    known = {path.stem: path for path in sorted(folder.glob("[0-9]*.*"))}
    if not isinstance(lesson, str) or lesson not in known:
        raise InputError(
            f"There are no {kind} of lesson {lesson!r}.", f"Use one of: {', '.join(known)}."
        )
    return known[lesson]


def card_text(file: str) -> str:
    """The text of a file beside the cards, such as the names of the ImageNet classes.

    Args:
        file: The file's name.

    Returns:
        Its text.

    Example:
        >>> len(card_text("imagenet_classes.txt").splitlines())
        1000
    """
    return _shipped("cards", file).read_text(encoding="utf-8")


def card_names(kind: str) -> list[str]:
    """Names of the cards of a kind, in alphabetical order.

    Args:
        kind: `"datasets"` or `"backbones"`.

    Returns:
        The names that `read_card` takes.

    Example:
        >>> "icons" in card_names("datasets")
        True
    """
    return sorted(card.stem for card in _shipped("cards", kind).glob("*.json"))


def read_card(kind: str, name: str) -> dict[str, Any]:
    """The card of a data set or of a backbone: where it comes from and under which licence.

    Args:
        kind: `"datasets"` or `"backbones"`.
        name: The card's name, such as `"icons"`.

    Returns:
        The card's entries.

    Raises:
        InputError: There is no such card.

    Example:
        >>> read_card("datasets", "icons")["licence"]
        'CC BY-SA 4.0'
    """
    known = card_names(kind)
    if not isinstance(name, str) or name not in known:
        raise InputError(
            f"There is no card {name!r} among the {kind}.", f"Use one of: {', '.join(known)}."
        )
    return json.loads(_shipped("cards", kind, f"{name}.json").read_text(encoding="utf-8"))


def read_experiment(name: str) -> Any:
    """The stored table of a heavy experiment, as `make experiments` computed it.

    Args:
        name: The experiment's name, such as `"label_counts"`.

    Returns:
        Its results.

    Raises:
        InputError: There is no such experiment.

    Example:
        >>> read_experiment("label_counts")[0]["labels"]
        20
    """
    folder = _shipped("experiments")
    known = sorted(each.stem for each in folder.glob("*.json"))
    if not isinstance(name, str) or name not in known:
        raise InputError(f"No experiment {name!r} is stored.", f"There is: {', '.join(known)}.")
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["results"]
