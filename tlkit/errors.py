"""The few errors that tlkit raises: what was wrong, with what, and what to do about it."""


class TlkitError(Exception):
    """Base of every error that tlkit raises on purpose.

    Args:
        what: One sentence: what was wrong, and with what.
        mend: One sentence: what to do about it.

    Example:
        >>> raise TlkitError("The folder 'pets' is empty.", "Put pictures in it.")
        Traceback (most recent call last):
        tlkit.errors.TlkitError: The folder 'pets' is empty. Put pictures in it.
    """

    def __init__(self, what: str, mend: str):
        super().__init__(f"{what} {mend}")
        self.what = what
        self.mend = mend


class InputError(TlkitError, ValueError):
    """A value that a function cannot work with: wrong type, shape, range or name."""


class MissingFileError(TlkitError, FileNotFoundError):
    """A file or folder that is not where it must be."""


class DamagedFileError(TlkitError, ValueError):
    """A file that is there but is not what it claims to be."""
