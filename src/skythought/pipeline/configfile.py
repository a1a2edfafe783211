"""A file that says what to run (`--config`): options by their names, and models and tasks with options of their own.

It is checked whole when it is read, each fault with its line; docs/config.md tells the format. A run's own `run.json`
serves as well.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from skythought.calls import Option, require_plain, type_fault
from skythought.catalog import is_file_name
from skythought.config import RunConfig
from skythought.errors import RunFolderError, UserError, did_you_mean
from skythought.pipeline import arguments
from skythought.pipeline.options import Options
from skythought.pipeline.recorded import options_of
from skythought.redaction import is_secretive, keep_secret
from skythought.runs.records import Manifest
from skythought.yamlfile import read_document

__all__ = ["ConfigFile", "Entry", "read_config"]

Place = tuple[str | int, ...]
"""Keys and numbers of items that lead to a value."""

BUDGETS = ("max_total_tokens", "max_hours", "max_cost")
"""Of everything that an invocation asks, so not of one model or task."""
RUN_KEYS = {"config", "dataset_fingerprint"}
"""Keys by which a run.json is known."""
# `$${` is how one writes `${` itself
_VARIABLE = re.compile(r"\$\$(?=\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(frozen=True)
class Entry:
    """A model or a task, with options of its own."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    tasks: tuple[Entry, ...] = ()
    """Of a model: the tasks that it alone is to do, instead of the file's."""
    place: Place = ()


@dataclass(frozen=True)
class ConfigFile:
    """What a file says, every value of the type that its option has."""

    path: Path
    options: Mapping[str, Any]
    """All but models and tasks."""
    models: tuple[Entry, ...]
    tasks: tuple[Entry, ...]
    has_lists: bool
    """Whether models or tasks are written as a list, be it of one."""
    lines: Mapping[Place, int] = field(default_factory=dict)
    recorded: RunConfig | None = None
    """What a run was, if the file is its run.json."""

    def where(self, *places: Place) -> str:
        """The file, and the line of the first of these places that it has."""
        return _where(self.path, self.lines, *places)


def read_config(path: str | Path, variables: Mapping[str, str] = os.environ) -> ConfigFile:
    """The content of a file of options, or of a run's `run.json` (named itself, or by the run's folder).

    Args:
        path: The file.
        variables: What `${NAME}` and `${NAME:-default}` in values stand for.

    Raises:
        UserError: There is no such file; an unknown key, with the nearest right one; a value of a wrong type; a
            variable that is not set. File and line are named.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        manifest = Manifest.read(file)
        if manifest is None:
            raise UserError(f"--config {str(path)!r}: a folder without a run.json; give a YAML file or a run's folder.")
        return _of_run(file / "run.json", manifest.config)
    if not file.is_file():
        raise UserError(f"--config {str(path)!r}: there is no such file.")
    if _is_run(file):
        return _of_run(file, Manifest.of_file(file).config)
    return _Reader(file, variables).config()


def _is_run(file: Path) -> bool:
    """Whether a file is a run.json."""
    if file.suffix != ".json":
        return False
    try:
        record = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        if file.name == "run.json":
            raise RunFolderError(f"{file}: a damaged run.json.") from None
        return False  # the reader has better words for it
    return isinstance(record, dict) and record.keys() >= RUN_KEYS


def _of_run(path: Path, config: RunConfig) -> ConfigFile:
    models, tasks = (Entry(config.model.model_id),), (Entry(config.task.name),)
    return ConfigFile(path, options_of(config), models, tasks, has_lists=False, recorded=config)


def _where(path: Path, lines: Mapping[Place, int], *places: Place) -> str:
    line = next((lines[place] for place in places if place in lines), None)
    return f"{path}, line {line}" if line is not None else str(path)


class _Reader:
    """Reads one file."""

    def __init__(self, path: Path, variables: Mapping[str, str]) -> None:
        self._path = path
        self._variables = variables
        self._faults: list[tuple[Place, str]] = []
        self._value, self._lines = read_document(path, _VARIABLE, self._filled)
        self._hints = get_type_hints(Options, include_extras=True)

    def config(self) -> ConfigFile:
        """What it says.

        Raises:
            UserError: All that is wrong, in one line.
        """
        if not isinstance(self._value, dict):
            what = "nothing" if self._value is None else f"a {type(self._value).__name__}"
            raise UserError(f"{self._path}: a file of options is a mapping such as `model: tiny`; it holds {what}.")
        values = dict(self._value)
        models, tasks = values.pop("model", None), values.pop("task", None)
        read = ConfigFile(
            path=self._path,
            options=self._options(values, (), beside=("model", "task")),
            models=self._entries("model", models, ("model",)),
            tasks=self._entries("task", tasks, ("task",)),
            has_lists=any(isinstance(value, list) for value in (models, tasks)),
            lines=self._lines,
        )
        if self._faults:
            told = [(self._lines.get(place, 1), text) for place, text in self._faults]
            raise UserError(f"{self._path}, " + " ".join(f"line {line}: {text}" for line, text in sorted(told)))
        return read

    def _fault(self, place: Place, text: str) -> None:
        self._faults.append((place, text))

    def _filled(self, found: re.Match[str], place: Place, line: int) -> str:
        """What a variable stands for."""
        name, default = found[1], found[2]
        if name is None:
            return "$"
        if default is not None:
            return self._variables.get(name) or default
        if name not in self._variables:
            key = ".".join(str(part) for part in place if isinstance(part, str))
            raise UserError(
                f"{self._path}, line {line}: {key}: the variable {name} is not set; set it, or give a default as "
                f"${{{name}:-value}}."
            )
        if is_secretive(name) and any(str(part).endswith("_args") for part in place):
            keep_secret(self._variables[name])
        return self._variables[name]

    def _entries(self, kind: str, value: Any, place: Place) -> tuple[Entry, ...]:
        """Models or tasks: a name, names by commas, a mapping with options, or a list of these."""
        if value is None:
            return ()
        entries: list[Entry] = []
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            at = (*place, number) if isinstance(value, list) else place
            if isinstance(item, str):
                names = [item] if isinstance(value, list) else arguments.names([item])
                entries += [Entry(self._located(kind, name), place=at) for name in names]
            elif isinstance(item, dict):
                entries.append(self._entry(kind, dict(item), at))
            else:
                self._fault(at, f"{kind}: a name, or a mapping with `{kind}` and its own options, not {_kind(item)}.")
        if not entries:
            self._fault(place, f"{kind}: no name is given.")
        return tuple(entries)

    def _entry(self, kind: str, item: dict[str, Any], place: Place) -> Entry:
        name = item.pop(kind, None)
        if not isinstance(name, str):
            name = ""
            self._fault(place, f"{kind}: an entry with options of its own has its name under `{kind}`.")
        tasks = item.pop("task", None) if kind == "model" else None
        for budget in BUDGETS:
            if item.pop(budget, None) is not None:
                self._fault((*place, budget), f"{budget} is a limit for all runs together: it belongs at the top.")
        return Entry(
            name=self._located(kind, name),
            options=self._options(item, place, beside=("task",) if kind == "model" else ()),
            tasks=self._entries("task", tasks, (*place, "task")),
            place=place,
        )

    def _options(self, values: Mapping[str, Any], place: Place, beside: Collection[str]) -> dict[str, Any]:
        """Options by name, each of its type. `beside`: other keys that could stand here."""
        known = [entry.name for entry in fields(Options) if entry.name not in ("model", "task")]
        for name in values:
            if name not in known:
                near = did_you_mean(str(name), [*known, *beside])
                told = near or " The keys are the names of options."
                self._fault((*place, str(name)), f"unknown key {name!r}.{told}")
        return {name: self._value_of(name, values[name], (*place, name)) for name in values if name in known}

    def _value_of(self, name: str, value: Any, place: Place) -> Any:
        hint, *extras = get_args(self._hints[name])
        option = next(extra for extra in extras if isinstance(extra, Option))
        try:
            value = self._from_text(name, value, hint, option) if isinstance(value, str) else value
            require_plain(value, name)
        except UserError as error:
            self._fault(place, str(error))
            return None
        if fault := type_fault(name, value, hint):
            self._fault(place, f"{fault}.")
            return None
        if name == "task_args" and isinstance(path := value.get("dataset_path"), str):
            return {**value, "dataset_path": self._beside(path, lambda there: there.exists())}
        return value

    def _from_text(self, name: str, text: str, hint: Any, option: Option) -> Any:
        """A text as the option's value: a mapping or numbers as on the command line, `@FILE`, a path."""
        parts = [get_origin(part) for part in (hint, *get_args(hint))]
        if Mapping in parts:
            return arguments.key_values(text, name)
        if Sequence in parts:
            return arguments.whole_numbers([text], name)
        if option.escapes and text.startswith("@"):
            return arguments.text("@" + self._beside(text[1:]), name)
        return self._beside(text) if option.path else self._located(name, text)

    def _located(self, kind: str, text: str) -> str:
        """A name of a model, task or backend; if it is a file, from where this file is."""
        if kind in ("backend", "judge_backend") and is_file_name(text):
            return self._beside(text)
        if kind == "task" and (text.endswith((".yaml", ".yml")) or "/" in text):
            return self._beside(text)
        if kind in ("model", "judge_model"):
            is_path = text.startswith(("./", "../"))
            return self._beside(text, lambda there: is_path or there.is_dir())
        return text

    def _beside(self, path: str, if_so: Callable[[Path], bool] = lambda there: True) -> str:
        """A path as seen from the working folder, if `if_so`."""
        folder, given = self._path.parent, Path(path).expanduser()
        if given.is_absolute() or folder == Path() or not if_so(folder / given):
            return path
        return str(folder / given)


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else repr(value)
