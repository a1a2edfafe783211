"""What can go wrong, by whose fault it is.

    SkythoughtError           everything raised on purpose
    ├── UserError             the user's input: one line that names it, what is wrong, what would be right (exit 2)
    ├── BackendError          the engine or endpoint as a whole cannot go on: ends the run, keeps what is done (exit 1)
    ├── DiskError             the disk is full, read-only or gone: ends the run, keeps what is done (exit 1)
    └── RunFolderError        the run folder is in use, belongs to another run, or cannot be read (exit 2)

One sample's failure is none of these: it is data, a `Response` with `error` or a `Score` with verdict "failed".
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from skythought.printable import printable
from skythought.redaction import redacted

__all__ = [
    "BackendError",
    "DiskError",
    "RunFolderError",
    "SkythoughtError",
    "UserError",
    "did_you_mean",
    "nearest",
    "unknown",
]

MOST_NAMES = 20
"""So many names are listed in an error at most."""


class SkythoughtError(Exception):
    """Base of all errors raised on purpose; its text is meant for the person at the keyboard.

    What comes from outside in it is shown without control characters and without secrets of addresses.
    """

    exit_code = 1

    def __str__(self) -> str:
        return printable(redacted(super().__str__()))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: whoever sits at a notebook wants the one line."""
        return [f"{type(self).__name__}: {self}"]


class UserError(SkythoughtError):
    """The input is wrong: a name, a value, a file. The message is one line."""

    exit_code = 2


class BackendError(SkythoughtError):
    """The engine cannot start or cannot go on. What was answered before is in the journal."""


class DiskError(SkythoughtError):
    """A file cannot be written any more. What was written before is kept; nothing further makes sense."""

    @classmethod
    def of(cls, error: OSError, path: Path) -> Self:
        """What the system said, and what to do."""
        return cls(
            f"cannot write {path}: {error.strerror or error}. What was answered before is kept; make room, or repair "
            "the disk, then go on with --resume."
        )


class RunFolderError(UserError):
    """A run folder cannot be used as asked."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` when something in `known` is close to `name`, else an empty string."""
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near is not None else ""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """What is close to `name` in any case: the same behind an owner (`qwen3-8b`: `Qwen/Qwen3-8B`), or most alike."""
    options = sorted(known)
    folded = {option.casefold(): option for option in options}
    wanted = name.casefold()
    close = [option for option in folded if option.endswith(f"/{wanted}")]
    close = close or difflib.get_close_matches(wanted, list(folded), n=1, cutoff=0.5)
    return folded[close[0]] if close else None


def unknown(what: str, name: str, known: Iterable[str], *, listed: str | None = None) -> UserError:
    """The error for a name that is not known: names it, the nearest right one, and all that there are, up to 20.

    Args:
        listed: What lists them, told where there are more, before their number: "`skythought tasks` lists all".

    >>> str(unknown("backend", "vlm", ["openai", "vllm"]))
    "unknown backend 'vlm'. Did you mean 'vllm'? Known: openai, vllm."
    """
    options = sorted(known)
    if listed is not None and len(options) > MOST_NAMES:
        return UserError(f"unknown {what} {name!r}.{did_you_mean(name, options)} {listed} {len(options)}.")
    more = f" and {len(options) - MOST_NAMES} more" if len(options) > MOST_NAMES else ""
    known = f"Known: {', '.join(options[:MOST_NAMES])}{more}."
    return UserError(f"unknown {what} {name!r}.{did_you_mean(name, options)} {known}")
