"""The fields of `Options` as options of a command, and as variables of the environment: each is declared once."""

from __future__ import annotations

import functools
import inspect
import os
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import typer
import typer.core

from skythought.calls import Option
from skythought.cli.completion import completer
from skythought.errors import UserError, did_you_mean
from skythought.pipeline.options import Options

__all__ = ["Layers", "OnceCommand", "takes", "takes_layers"]

PREFIX = "SKYTHOUGHT_"
OTHERS = ("config", "dry_run", "run_dir", "ids", "executor", "ray_address", "keep_env", "replica")
"""Variables that stand for something else than a field of `Options`."""
SWITCHES = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


class Layers(NamedTuple):
    """What was asked for, by where it was said."""

    base: dict[str, Any]
    """Defaults of the command, and over them variables of the environment."""
    typed: dict[str, Any]
    """On the command line."""


class _Declared(NamedTuple):
    """One option."""

    field: Field[Any]
    kind: Any
    option: Option


class OnceCommand(typer.core.TyperCommand):
    """A command that refuses an option which takes one value and is given two; parsers take the last in silence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Check, then parse as ever."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in order:
            single = not (parameter.multiple or parameter.nargs == -1 or getattr(parameter, "is_flag", False))
            if single and sum(one is parameter for one in order) > 1:
                raise UserError(f"{parameter.opts[0]} is given twice; it takes one value.")
        return super().parse_args(ctx, args)


def takes(options: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each field; it gets their values as its first argument, a dictionary."""
    declared = _declared(options)

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        def run(**values: Any) -> None:
            given = {name: _value(values.pop(name), one, _flag(name)) for name, one in declared.items()}
            command(given, **values)

        return _with_parameters(run, command, [_parameter(name, one) for name, one in declared.items()])

    return decorated


def takes_layers(
    options: type[Any], *, defaults: Mapping[str, Any] | None = None, without_grading: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each field, none of them required; it gets `Layers` as its first argument.

    Args:
        options: The dataclass that declares them.
        defaults: Of this command, where they are not the fields'.
        without_grading: Leave out what only concerns grading.
    """
    declared = {name: one for name, one in _declared(options).items() if not (without_grading and one.option.grading)}
    base = dict(defaults or {})

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        def run(context: typer.Context, **values: Any) -> None:
            typed = {
                name: _value(values[name], one, _flag(name))
                for name, one in declared.items()
                if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
            }
            for line in _mistyped():
                typer.echo(f"skythought: {line}", err=True)
            layers = Layers({**base, **_from_environment(declared)}, typed)
            command(layers, **{name: value for name, value in values.items() if name not in declared})

        made = [_parameter(name, one, base.get(name)) for name, one in declared.items()]
        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        return _with_parameters(run, command, [context, *made])

    return decorated


def _declared(options: type[Any]) -> dict[str, _Declared]:
    """The options by name, those of the class itself first."""
    hints = get_type_hints(options, include_extras=True)
    own = vars(options).get("__annotations__", ())
    return {
        entry.name: _Declared(entry, get_args(hints[entry.name])[0], _option(hints[entry.name]))
        for entry in sorted(fields(options), key=lambda entry: entry.name not in own)
    }


def _with_parameters(
    run: Callable[..., None], command: Callable[..., None], made: Sequence[inspect.Parameter]
) -> Callable[..., None]:
    """`run` as typer reads it: with the command's name, text and own parameters, and those that are made."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *made)]
    functools.update_wrapper(run, command)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _from_environment(declared: Mapping[str, _Declared]) -> dict[str, Any]:
    """What `SKYTHOUGHT_` variables say of these options; an empty one says nothing."""
    return {
        name: _read(text, one, variable)
        for name, one in declared.items()
        if (text := os.environ.get(variable := f"{PREFIX}{name.upper()}"))
    }


def _mistyped() -> list[str]:
    """What to say of variables that look like ours and are none."""
    known = {PREFIX + name.upper() for name in (*_declared(Options), *OTHERS)}
    return [
        f"the variable {name} is not known, and not used.{did_you_mean(name, known)}"
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name not in known
    ]


def _read(text: str, one: _Declared, label: str) -> Any:
    """A text as the option's value, as typer would read it."""
    kind = _typed(one)
    parts = get_args(kind) or (kind,)
    try:
        if bool in parts:
            return SWITCHES[text.lower()]
        if int in parts or float in parts:
            return int(text) if int in parts else float(text)
    except (ValueError, KeyError):
        wanted = "true or false" if bool in parts else "a whole number" if int in parts else "a number"
        raise UserError(f"{label}: {wanted} is wanted, not {text!r}.") from None
    return _value([text] if list in [get_origin(part) for part in (kind, *parts)] else text, one, label)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _option(hint: Any) -> Option:
    return next(extra for extra in get_args(hint)[1:] if isinstance(extra, Option))


def _parameter(name: str, one: _Declared, default: Any = None) -> inspect.Parameter:
    """`default`: the command's; None: the field's."""
    flag = _flag(name)
    names = (f"{flag}/--no-{flag[2:]}",) if one.kind is bool else (flag,)
    if default is None and one.field.default is not MISSING:
        default = one.field.default
    elif default is None and one.field.default_factory is not MISSING:
        default = ""
    annotation = Annotated[_typed(one), typer.Option(*names, help=one.option.help, autocompletion=completer(name))]  # type: ignore[valid-type]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _typed(one: _Declared) -> Any:
    """How typer reads an option: numbers and switches as they are, texts, and lists of texts."""
    parts = get_args(one.kind) if get_origin(one.kind) in (types.UnionType, Union) else (one.kind,)
    plain = next(part for part in parts if part is not type(None))
    if one.option.several:
        return list[str] | None
    if get_origin(plain) in (tuple, Sequence):
        return list[str]
    read = plain if plain in (int, float, bool) else str
    return read | None if type(None) in parts else read


def _value(given: Any, one: _Declared, label: str) -> Any:
    """What was typed as the option's value. `label`: the option, for errors."""
    from skythought.pipeline import arguments

    kinds = (one.kind, *get_args(one.kind))
    if one.option.several:  # a file may have a comma in its name
        parts = [(name,) if "," in name and Path(name).exists() else arguments.names([name]) for name in given or ()]
        return tuple(name for part in parts for name in part)
    if get_origin(one.kind) is tuple:
        return arguments.names(given)
    if Sequence in [get_origin(part) for part in kinds]:
        return arguments.whole_numbers(given, label)
    if Mapping in [get_origin(part) for part in kinds]:
        values = arguments.key_values(given, label)
        return values or (None if type(None) in kinds else {})
    return arguments.text(given, label) if one.option.escapes else given
