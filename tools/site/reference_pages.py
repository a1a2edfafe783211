"""The reference, made from the code: every command with its options, and what can be called from Python."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from importlib import import_module
from typing import Any, get_args, get_type_hints

import typer

import skythought
from skythought.calls import Option
from skythought.cli.app import app
from skythought.config import known_names

__all__ = ["arguments_page", "commands_page", "python_page"]

ARGUMENTS = {
    "Sampling parameters": "skythought.types.SamplingParams",
    "transformers": "skythought.backends.transformers.args.TransformersArgs",
    "openai": "skythought.backends.openai.args.OpenAIArgs",
    "vllm": "skythought.backends.vllm.args.VLLMArgs",
    "ray": "skythought.backends.ray.args.RayArgs",
    "Task files": "skythought.config.TaskConfig",
    "Solved examples": "skythought.config.FewShot",
    "Model presets": "skythought.models.presets.Preset",
}
"""What `--sampling-params`, `--backend-args`, task files and presets may say: heading and class."""


def commands_page() -> str:
    """Every command of `skythought` with all that it takes, as `--help` has it."""
    parts = [
        "# Commands and options",
        "Made from the program itself: what `skythought COMMAND --help` says. [The command line](../cli.md) explains.",
    ]
    for words, command in commands(typer.main.get_command(app)):
        parts += [f"## {words}", re.sub(r"\s+", " ", command.help or ""), _table(command)]
    return "\n\n".join(part for part in parts if part) + "\n"


def commands(command: Any, words: str = "skythought") -> Iterator[tuple[str, Any]]:
    """Each command that does something, with the words that call it."""
    for name, found in getattr(command, "commands", {}).items():
        yield from commands(found, f"{words} {name}")
    if not hasattr(command, "commands") or command.invoke_without_command:
        yield words, command


def _table(command: Any) -> str:
    rows = []
    for parameter in command.params:
        is_argument = parameter.param_type_name == "argument"
        names = (
            [parameter.metavar or parameter.name.upper()]
            if is_argument
            else [*parameter.opts, *parameter.secondary_opts]
        )
        told, default = _split(getattr(parameter, "help", "") or "", parameter.default)
        rows.append((", ".join(f"`{name}`" for name in names), "required" if parameter.required else default, told))
    return "| | default | |\n|---|---|---|\n" + "\n".join(_row(row) for row in rows) if rows else ""


def _split(told: str, default: Any) -> tuple[str, str]:
    """What an option is for, and its default: the text's own word on it, if it has one."""
    text, _, said = told.partition("[default: ")
    shown = said.removesuffix("]") if said else "" if default in (None, "", [], (), False) else f"{default}"
    return text.strip(), "" if "object at" in shown or callable(default) else shown


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def python_page() -> str:
    """Every public name of `skythought`: functions, then what they return, then options."""
    public = {name: getattr(skythought, name) for name in skythought.__all__}
    options = [name for name, found in public.items() if isinstance(found, type) and _declares_options(found)]
    functions = [name for name, found in public.items() if not isinstance(found, type)]
    classes = [name for name in public if name not in (*options, *functions)]
    parts = ["# Python", "Made from the code. [Calling it from Python](../python.md) has an example of each."]
    parts += ["## Functions", *(_shown(public[name]) for name in functions)]
    parts += ["## What they return and raise", *(_shown(public[name]) for name in classes)]
    for name in options:
        parts += [f"## {name}", public[name].__doc__ or "", options_table(public[name])]
    return "\n\n".join(parts) + "\n"


def arguments_page() -> str:
    """What `--sampling-params`, `--backend-args`, task files and presets may say."""
    parts = ["# Arguments, task files and presets", "Made from the classes that check them."]
    for heading, path in ARGUMENTS.items():
        module, _, name = path.rpartition(".")
        found = getattr(import_module(module), name)
        parts += [f"## {heading}", _shown(found, members=known_names(found), labels=False)]
    return "\n\n".join(parts) + "\n"


def _shown(found: Any, members: list[str] | None = None, *, labels: bool = True) -> str:
    """What mkdocstrings makes of a function or class: of its members all that say what they are, or these."""
    lines = [f"::: {found.__module__}.{found.__qualname__}", "    options:", "      heading_level: 3"]
    if members is not None:
        lines += [f"      members: {json.dumps(members)}", "      show_if_no_docstring: true"]
    return "\n".join([*lines, f"      show_labels: {json.dumps(labels)}"])


def _declares_options(kind: type[Any]) -> bool:
    return any(isinstance(extra, Option) for hint in _hints(kind).values() for extra in get_args(hint)[1:])


def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True) if hasattr(kind, "__dataclass_fields__") else {}


def options_table(kind: type[Any]) -> str:
    """The fields of a dataclass of options: name, type, default, and what the command line's help says."""
    rows = []
    for entry in fields(kind):
        plain, *extras = get_args(_hints(kind)[entry.name])
        [option] = [extra for extra in extras if isinstance(extra, Option)]
        told, default = _split(option.help, None)
        rows.append((f"`{entry.name}`", f"`{_type(plain)}`", default or _default(entry), told))
    return "| | type | default | |\n|---|---|---|---|\n" + "\n".join(_row(row) for row in rows)


def _type(kind: Any) -> str:
    name = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
    return re.sub(r"\b(?:typing|collections\.abc|pathlib)\.", "", name)


def _default(entry: Field[Any]) -> str:
    if entry.default is MISSING:
        return "required" if entry.default_factory is MISSING else ""
    return "" if entry.default in (None, "", ()) else f"`{entry.default!r}`"
