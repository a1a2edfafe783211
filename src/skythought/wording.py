"""Messages that name options of the command line, worded for whoever called from Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import iscoroutinefunction, unwrap
from typing import Any, ParamSpec, TypeVar

from skythought.errors import SkythoughtError

__all__ = ["from_the_command_line", "in_python", "worded"]

P = ParamSpec("P")
T = TypeVar("T")

SWITCHES = frozenset({"resume", "overwrite", "reproducible", "as_test", "private", "decontaminate_answers"})
"""Options that are true or false."""

_OPTION = re.compile(
    r"(?<![\w`-])--(?:"
    r"(?P<named>task|backend|executor|allow|results|sandbox)[ =](?P<word>(?>[a-z0-9_]+(?:,[a-z0-9_]+)*))(?=[.;:)]|, |$)"
    r"|(?P<name>[a-z][a-z-]*[a-z]|[nk])\b(?:[ =](?P<value>[A-Z]{1,8}\b|-?\d+(?:\.\d+)?(?![\w/%]|\.\d)|'[^']*'))?)"
)
_CODE = re.compile(r"`[^`]*`")

_command_line = False


@contextmanager
def from_the_command_line() -> Iterator[None]:
    """Within this, messages name options as they are typed: `--resume`, not `resume=True`."""
    global _command_line
    before, _command_line = _command_line, True
    try:
        yield
    finally:
        _command_line = before


def in_python(text: str) -> str:
    """The text with options as arguments; what stands in backticks is a command and stays.

    >>> in_python("--resume goes on; or give another --result-dir, as for `skythought score --run-dir DIR`.")
    'resume=True goes on; or give another result_dir, as for `skythought score --run-dir DIR`.'
    """
    if _command_line:
        return text
    parts, start = [], 0
    for code in _CODE.finditer(text):
        parts += [_OPTION.sub(_argument, text[start : code.start()]), code[0]]
        start = code.end()
    return "".join([*parts, _OPTION.sub(_argument, text[start:])])


def _argument(found: re.Match[str]) -> str:
    if found["named"]:
        return f"{found['named']}={found['word']!r}"
    name = found["name"].replace("-", "_")
    if name in SWITCHES:
        return f"{name}=True"
    return f"{name}={found['value']}" if found["value"] else name


def worded(function: Callable[P, T]) -> Callable[P, T]:
    """The function, also an asynchronous one, with its errors worded as `in_python` has it."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with _worded():
            return function(*args, **kwargs)

    @wraps(function)
    async def run_async(*args: P.args, **kwargs: P.kwargs) -> Any:
        with _worded():
            return await function(*args, **kwargs)  # type: ignore[misc]  # a coroutine function

    return run_async if iscoroutinefunction(unwrap(function)) else run  # type: ignore[return-value]


@contextmanager
def _worded() -> Iterator[None]:
    try:
        yield
    except SkythoughtError as error:
        error.args = tuple(in_python(part) if isinstance(part, str) else part for part in error.args)
        raise
