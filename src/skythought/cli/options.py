"""The fields of `Options` as options of a command, so that each is declared once."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer

from skythought.calls import Option

__all__ = ["takes"]


def takes(
    options: type[Any], *, defaults: Mapping[str, Any] | None = None, without_grading: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each field; it gets their values as its first argument, a dictionary.

    Args:
        options: The dataclass that declares them.
        defaults: Of this command, where they are not the fields'.
        without_grading: Leave out what only concerns grading.
    """
    hints = get_type_hints(options, include_extras=True)
    declared = {
        entry.name: (entry, get_args(hints[entry.name])[0], _option(hints[entry.name]))
        for entry in sorted(
            fields(options), key=lambda entry: entry.name not in vars(options).get("__annotations__", ())
        )
        if not (without_grading and _option(hints[entry.name]).grading)
    }

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
        made = [
            _parameter(entry, kind, option, (defaults or {}).get(name, MISSING))
            for name, (entry, kind, option) in declared.items()
        ]
        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *made)]

        @functools.wraps(command)
        def run(**values: Any) -> None:
            given = {name: _value(name, values.pop(name), kind, option) for name, (_, kind, option) in declared.items()}
            command(given, **values)

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return run

    return decorated


def _option(hint: Any) -> Option:
    return next(extra for extra in get_args(hint)[1:] if isinstance(extra, Option))


def _parameter(entry: Field[Any], kind: Any, option: Option, default: Any) -> inspect.Parameter:
    flag = "--" + entry.name.replace("_", "-")
    names = (f"{flag}/--no-{flag[2:]}",) if kind is bool else (flag,)
    if default is MISSING:
        default = inspect.Parameter.empty if entry.default is MISSING else entry.default
        default = "" if entry.default_factory is not MISSING else default
    annotation = Annotated[_typed(kind), typer.Option(*names, help=option.help)]  # type: ignore[valid-type]
    return inspect.Parameter(entry.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _typed(kind: Any) -> Any:
    """How typer reads a field of this type: numbers and switches as they are, texts, and lists of texts."""
    parts = get_args(kind) if get_origin(kind) in (types.UnionType, Union) else (kind,)
    plain = next(part for part in parts if part is not type(None))
    if get_origin(plain) in (tuple, Sequence):
        return list[str]
    read = plain if plain in (int, float, bool) else str
    return read | None if type(None) in parts else read


def _value(name: str, given: Any, kind: Any, option: Option) -> Any:
    """What was typed as the field's value."""
    from skythought.pipeline import arguments

    if get_origin(kind) is tuple:
        return arguments.names(given)
    if Sequence in [get_origin(part) for part in get_args(kind)]:
        return arguments.whole_numbers(given, "--" + name.replace("_", "-"))
    if Mapping in [get_origin(part) for part in (kind, *get_args(kind))]:
        values = arguments.key_values(given, "--" + name.replace("_", "-"))
        return values or (None if type(None) in get_args(kind) else {})
    return arguments.text(given, "--" + name.replace("_", "-")) if option.escapes else given
