"""Calls from Python that are checked like a command line: a wrong argument is one line, not a traceback's guess."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, NamedTuple, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from skythought.errors import UserError, unknown
from skythought.printable import shortened
from skythought.redaction import scrubbed

__all__ = ["Option", "checked", "require_fitting", "require_plain", "require_type", "type_fault"]

P = ParamSpec("P")
T = TypeVar("T")

DEEPEST = 100
"""Lists in lists, in an argument."""


class Option(NamedTuple):
    """How an option is shown on the command line, where its name is the field's with hyphens."""

    help: str
    grading: bool = False
    """Only `evaluate` has it."""
    escapes: bool = False
    r"""`\\n` and `\\t` in its text mean newline and tab, and `@FILE` what is in a file."""
    several: bool = False
    """Several can be given, by repeating it or by commas."""
    path: bool = False
    """It is a file or folder, or may be one."""


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """The function with its arguments checked by name and by type.

    Raises (when it is called):
        UserError: An argument is missing, unknown or of another type; the nearest right name is told.
    """
    signature = inspect.signature(function)
    called = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        require_fitting(called, signature, args, kwargs)
        bound = signature.bind(*args, **kwargs)
        hints = _hints(function)
        for name, value in bound.arguments.items():
            kind = signature.parameters[name].kind
            if name in hints and kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
                require_type(called, name, value, hints[name])
        return function(*args, **kwargs)

    return run


def require_fitting(what: str, signature: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse a call with arguments that the function does not take, or without those that it needs."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        parameters = signature.parameters
        known = [name for name, one in parameters.items() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        others = [name for name in kwargs if name not in known]
        if len(known) < len(parameters):  # it takes others as well: only one like what is missing is a slip
            lacking = [name for name in known if name not in kwargs][len(args) :]
            others = [near for name in lacking for near in difflib.get_close_matches(name, others, n=1)]
        for name in others:
            raise unknown(f"argument of {what}()", name, known) from None
        raise UserError(f"{what}(): {error}.") from None


@cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function, include_extras=True)


def require_type(what: str, name: str, value: Any, hint: Any) -> None:
    """Refuse an argument of another type than its hint says."""
    if fault := type_fault(name, value, hint):
        raise UserError(f"{what}(): {fault}.")


def type_fault(name: str, value: Any, hint: Any) -> str | None:
    """What is wrong with an argument's type, by its hint; begins with the name. None: nothing."""
    from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError

    if hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping | list | tuple | set):
        return None  # an array or a column of a table, of which each library has its own
    if _is_mapping(hint) and not (value is None or isinstance(value, Mapping)):
        return f"{name} is a dictionary, such as {{'key': 'value'}}, not {type(value).__name__}"
    if isinstance(value, bool) and _takes_numbers(hint):
        return f"{name}: a number is wanted (given: {value})"
    try:
        TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True)).validate_python(value, strict=True)
    except ValidationError as error:
        return f"{name}: {_said(error.errors(include_url=False))}{_given(name, value)}"
    except PydanticSchemaGenerationError:
        pass
    return None


def _is_mapping(hint: Any) -> bool:
    """Whether a dictionary is wanted, or one or none."""
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    parts = get_args(plain) if get_origin(plain) in (UnionType, Union) else (plain,)
    return any(get_origin(part) in (Mapping, dict) for part in parts)


def _takes_numbers(hint: Any) -> bool:
    return "int" in str(hint) and "bool" not in str(hint)


def _said(errors: Sequence[Mapping[str, Any]]) -> str:
    return " or ".join(dict.fromkeys(str(error["msg"]) for error in errors[:3]))


def _given(name: str, value: Any) -> str:
    """What was given, if it can hold no secret."""
    if isinstance(value, int | float) or (isinstance(value, str) and "args" not in name):
        return f" (given: {shortened(repr(scrubbed(value)), 100)})"
    return f" (given: {type(value).__name__})"


def require_plain(value: Any, where: str, depth: int = 0) -> None:
    """Refuse what cannot be written down as JSON: other objects, NaN, half characters, keys that are no text.

    Raises:
        UserError: It begins with `where`.
    """
    if depth > DEEPEST:
        raise UserError(f"{where}: nested too deep.")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str | int):
                raise UserError(f"{where}: a key must be a text, not {type(key).__name__}.")
            require_plain(str(key), where, depth + 1)
            require_plain(item, f"{where}: {key}" if depth < 3 else where, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            require_plain(item, where, depth + 1)
    elif fault := _fault(value):
        raise UserError(f"{where}: {fault}.")


def _fault(value: Any) -> str | None:
    """Why a single value is none of JSON's."""
    if isinstance(value, str | Path):
        text = str(value)
        if any("\ud800" <= char <= "\udfff" for char in text):
            return "a text holds half a character (it is not UTF-8)"
        return "a text holds a NUL" if "\0" in text else None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"a number must be finite, not {value}"
    if isinstance(value, int):
        return None if abs(value) < 1 << 1000 else "a number is too large"
    names = "texts, numbers, true, false, None, lists and mappings"
    return None if value is None else f"{names} can be given, not {type(value).__name__}"
