"""Signatures of functions, as they cross between the tests of a check and the program."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["from_rows", "names_of", "rows_of"]

Rows = tuple[tuple[Any, ...], ...]
"""Of each parameter its name, kind, default and annotation, and last what is returned; what may lack is a tuple of one
or none."""
_KINDS = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
)
_EMPTY = inspect.Parameter.empty


def rows_of(value: Callable[..., Any]) -> Rows:
    """The signature of what can be called. Raises TypeError or ValueError: it has none."""
    signature = inspect.signature(value)
    parameters = [
        (each.name, _KINDS.index(each.kind), _given(each.default), _given(each.annotation))
        for each in signature.parameters.values()
    ]
    return (*parameters, ("", 0, (), _given(signature.return_annotation)))


def names_of(value: Callable[..., Any]) -> Rows:
    """The same without defaults and annotations, which could hold what a test expects."""
    return tuple((name, kind, (None,) if default else (), ()) for name, kind, default, _ in rows_of(value))


def from_rows(rows: Any) -> inspect.Signature:
    """The signature again. Raises AttributeError: these are no such rows."""
    try:
        *parameters, (_, _, _, returned) = rows
        return inspect.Signature(
            [
                inspect.Parameter(name, _KINDS[kind], default=_value(default), annotation=_value(annotation))
                for name, kind, default, annotation in parameters
            ],
            return_annotation=_value(returned),
        )
    except (TypeError, ValueError, IndexError) as error:
        raise AttributeError(f"__signature__: {error}") from None


def _given(value: Any) -> tuple[Any, ...]:
    return () if value is _EMPTY else (value,)


def _value(given: tuple[Any, ...]) -> Any:
    return given[0] if given else _EMPTY
