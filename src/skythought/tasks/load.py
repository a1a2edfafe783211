"""A task's name or file -> `TaskConfig`. The library folder's listing is the registry; plugins and paths extend it.

Nothing here reads a dataset: a task is checked whole before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from jinja2 import TemplateError
from pydantic import TypeAdapter, ValidationError, create_model

from skythought.catalog import entries, is_file_name
from skythought.config import FewShot, TaskConfig, TaskFile, check
from skythought.errors import UserError, did_you_mean, unknown
from skythought.tasks.formats.base import find_format
from skythought.tasks.templates import rename, rendered, require_templates
from skythought.tasks.upstream import handlers
from skythought.yamlfile import read_yaml

__all__ = ["LIBRARY", "load_task", "task_file", "task_names"]

LIBRARY = Path(__file__).parent / "library"
YAML_SUFFIXES = (".yaml", ".yml")
DATA_SUFFIXES = (".jsonl", ".csv", ".tsv", ".parquet", ".arrow", ".gz", ".txt", ".zst", ".xlsx")
DATASET_KEYS = ("dataset_path", "dataset_subset", "dataset_split", "dataset_kwargs")
ITS_OWN = ("name", "aliases", "size")
"""What a task does not take over from the one that it is like."""


def task_names() -> list[str]:
    """Names of all tasks, of the library and of plugins, sorted."""
    return sorted({*_library(), *_plugin_tasks()})


def load_task(name_or_path: str, overrides: Mapping[str, Any] | None = None) -> TaskConfig:
    """The task of this name (in any case), alias or YAML file, with single fields replaced.

    Args:
        name_or_path: A name of the library or of a plugin, or a path to a YAML file.
        overrides: Fields to replace and parameters to set (`--task-args`). A `dataset_path` that is a local file drops
            the entry's subset, split and loader arguments, which would not apply to it, unless these are overridden
            too.

    Raises:
        UserError: One line that names the file, the key at fault and the nearest right one.
    """
    path = task_file(name_or_path)
    where = _where(path)
    values = handlers.located(_values(path), _library_values)
    values, fields = _with_parameters(values, overrides or {})
    values = _merge(values, _with_own_parts(fields, Path.cwd()))
    values.setdefault("name", path.stem)
    task = check(TaskConfig, handlers.completed(values, where, _library_values), where)
    return _complete(_rendered(task, where), where)


def _where(path: Path) -> str:
    return f"task {path.stem}" if path.parent == LIBRARY else str(path)


def _values(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """What a file says, over what the task that it is `like` says.

    Args:
        above: The files that led here, each like the next.
    """
    values = handlers.renewed(_read(path))
    _require_known_keys(values, _where(path), TaskFile.model_fields)
    _require_kinds(values, _where(path))
    other = values.pop("like", None)
    own = _anchored(values, path.parent)
    if other is None:
        return own
    if not isinstance(other, str):
        raise UserError(f"{_where(path)}: like: the name or file of another task, not {other!r}.")
    try:
        like = task_file(str(path.parent / Path(other).expanduser()) if _is_path(other) else other)
    except UserError as error:
        raise UserError(f"{_where(path)}: like: {error}") from None
    chain = (*above, path)
    if like in chain:
        names = " -> ".join(file.stem for file in (*chain, like))
        raise UserError(f"{_where(chain[0])}: like: goes round in a circle ({names}).")
    base = {key: value for key, value in _values(like, chain).items() if key not in ITS_OWN}
    if isinstance(declared := base.get("parameters"), dict) and isinstance(own.get("parameters"), dict):
        own["parameters"] = {**declared, **own["parameters"]}
    return _merge(base, own)


def _library() -> dict[str, Path]:
    return {path.stem: path for path in LIBRARY.glob("*.yaml")}


def _plugin_tasks() -> dict[str, Path]:
    """Task files that installed packages offer through the entry point group `skythought.tasks`."""
    found: dict[str, Path] = {}
    for name, point in entries("tasks").items():
        try:
            loaded = point.load()
        except Exception as error:
            raise UserError(f"plugin {name!r} ({point.value}) cannot be loaded: {error}") from error
        places = list(loaded.__path__) if isinstance(loaded, ModuleType) else [loaded]
        for place in map(Path, places):
            files = [place] if place.is_file() else [f for f in place.glob("*.y*ml") if f.suffix in YAML_SUFFIXES]
            found.update({file.stem: file for file in files})
    return found


def task_file(name_or_path: str) -> Path:
    """The YAML file meant; names first, so that a file of the same name nearby changes nothing."""
    if name_or_path.lower().endswith(DATA_SUFFIXES):
        raise UserError(
            f"task {name_or_path!r}: that is a file of data. A task is a YAML file that says how its rows are asked "
            f"and graded; to ask these rows as another task does: --task NAME --task-args dataset_path={name_or_path}."
        )
    if _is_path(name_or_path):
        path = Path(name_or_path).expanduser()
        if not path.is_file():
            siblings = [file.name for file in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
            near = did_you_mean(path.name, siblings) or (
                f" Did you mean {path.stem!r}?" if path.stem in _library() else ""
            )
            raise UserError(f"task {name_or_path!r}: there is no such file.{near}")
        return path.resolve()
    wanted = name_or_path.casefold()
    for known in (_library, _aliases, _plugin_tasks):  # plugins are imported only for a name that is not ours
        for name, path in known().items():
            if name.casefold() == wanted:
                return path
    raise unknown("task", name_or_path, task_names(), listed="`skythought tasks` lists all")


def _is_path(name: str) -> bool:
    return name.endswith(YAML_SUFFIXES) or "/" in name


def _aliases() -> dict[str, Path]:
    return {alias: path for path in _library().values() for alias in _read(path).get("aliases", [])}


def _read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file."""
    values = read_yaml(path)
    if not isinstance(values, dict):
        found = "an empty file" if values is None else type(values).__name__
        raise UserError(f"{path}: a task is a mapping of keys to values, not {found}.")
    return values


def _library_values(name: str) -> dict[str, Any]:
    return _values(LIBRARY / f"{name}.yaml")


def _with_parameters(values: dict[str, Any], overrides: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values with those overrides in them that are parameters; and the other overrides, which are fields."""
    _require_kinds(overrides, "--task-args")
    declared = values.get("parameters") or {}
    if not isinstance(declared, dict):
        return values, dict(overrides)  # the wrong type is named where all types are checked
    _require_known_keys(overrides, "--task-args", [*TaskConfig.model_fields, *declared])
    given = {name: value for name, value in overrides.items() if name in declared}
    whole = overrides.get("parameters")
    if isinstance(whole, Mapping):
        for name in whole:
            if name not in declared:
                raise unknown("parameter in --task-args", str(name), declared)
        given = {**whole, **given}
    fields = {name: value for name, value in overrides.items() if name not in declared and name != "parameters"}
    return ({**values, "parameters": {**declared, **given}} if given else values), fields


def _rendered(task: TaskConfig, where: str) -> TaskConfig:
    """The task with its parameters put into its `dataset_kwargs`, and a format that exists."""
    clash = sorted(set(task.parameters) & set(TaskConfig.model_fields))
    if clash:
        raise UserError(f"{where}: parameters: {clash[0]!r} is the name of a field already; choose another.")
    variables = {**find_format(task.format).functions, **task.parameters}
    try:
        arguments = rendered(task.dataset_kwargs, variables)
    except (TemplateError, TypeError, ValueError) as error:
        raise UserError(f"{where}: dataset_kwargs: {error}.") from None
    return task.model_copy(update={"dataset_kwargs": arguments})


def _require_known_keys(values: Mapping[Any, Any], where: str, known: Iterable[str]) -> None:
    for place, block, names in (("", values, known), ("few_shot: ", values.get("few_shot"), FewShot.model_fields)):
        for key in block if isinstance(block, Mapping) else ():
            if key not in names:
                near = did_you_mean(str(key), names)
                raise UserError(f"{where}: {place}unknown key {key!r}.{near} Known: {', '.join(sorted(names))}.")


def _require_kinds(values: Mapping[str, Any], where: str) -> None:
    """Refuse values of a wrong type at once: what follows works on them before the task is whole."""
    for name, value in values.items():
        if name == "dataset_path" and isinstance(value, str) and not value.strip():
            raise UserError(f"{where}: dataset_path is empty: name a dataset on the hub, or a file.")
        if name in TaskConfig.model_fields and value is not None:
            kind: Any = dict[str, Any] if name == "few_shot" else TaskConfig.model_fields[name].annotation
            try:
                _adapter(kind).validate_python(value)
            except ValidationError:
                check(create_model("Value", **{name: (kind, ...)}), {name: value}, where)  # type: ignore[call-overload]


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _anchored(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Relative paths to files that lie beside the YAML file, made to work from anywhere.

    Those of the library itself stay as they are (`sources.local_path` knows where they lie), so that a run's
    fingerprint does not depend on where the package is installed.
    """
    anchored = dict(values)
    data = values.get("dataset_path")
    if isinstance(data, str) and folder != LIBRARY and (folder / data).exists():
        anchored["dataset_path"] = str(folder / data)
    shots = values.get("few_shot")
    path = shots.get("dataset_path") if isinstance(shots, dict) else None
    if isinstance(path, str) and folder != LIBRARY and (folder / path).exists():
        anchored["few_shot"] = {**values["few_shot"], "dataset_path": str(folder / path)}
    return _with_own_parts(anchored, folder)


def _with_own_parts(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A scorer and a format of the user's own (`file.py:ClassName`) named by whole paths; relative ones begin here."""
    named = dict(values)
    scorer, format = values.get("scorer"), values.get("format")
    if isinstance(format, str):
        named["format"] = _part_beside(format, folder)
    if scorer is not None:
        named["scorer"] = _scorer_beside(scorer, folder)
    return named


def _scorer_beside(scorer: Any, folder: Path) -> Any:
    """The scorer with those of a mixed one's kinds, which may be the user's own as well."""
    if isinstance(scorer, str):
        return _part_beside(scorer, folder)
    if not isinstance(scorer, dict):
        return scorer
    named = {}
    for name, args in scorer.items():
        kinds = args.get("kinds") if isinstance(args, dict) else None
        if isinstance(kinds, dict):
            args = {**args, "kinds": {kind: _scorer_beside(given, folder) for kind, given in kinds.items()}}
        named[_part_beside(str(name), folder)] = args or {}
    return named


def _part_beside(name: str, folder: Path) -> str:
    file, _, class_name = name.rpartition(":")
    return f"{folder / file}:{class_name}" if is_file_name(name) and (folder / file).is_file() else name


def _merge(values: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The entry's values with the overrides over them, the parts that hang together kept together."""
    merged = dict(values)
    data = overrides.get("dataset_path")
    given = dict(overrides)
    if isinstance(data, str) and Path(data).expanduser().exists():
        given["dataset_path"] = str(Path(data).expanduser().resolve())
        if isinstance(shots := values.get("few_shot"), dict) and "dataset_path" not in shots and not shots.get("rows"):
            merged["few_shot"] = {**{key: values.get(key) for key in DATASET_KEYS}, **shots}  # examples stay its own
        for key in DATASET_KEYS[1:]:
            if key == "dataset_kwargs" or Path(given["dataset_path"]).is_file():  # a folder has subsets and splits
                merged.pop(key, None)
    elif isinstance(data, str) and data != values.get("dataset_path"):  # another dataset: what is pinned is not its own
        merged["dataset_kwargs"] = {
            key: value
            for key, value in (values.get("dataset_kwargs") or {}).items()
            if key not in ("revision", "data_files")
        }
    if isinstance(given.get("dataset_kwargs"), dict):  # some arguments of several
        given["dataset_kwargs"] = {**(merged.get("dataset_kwargs") or {}), **given["dataset_kwargs"]}
    for key in ("question_key", "answer_key"):
        old, new = values.get(key), overrides.get(key)
        if isinstance(old, str) and isinstance(new, str) and old != new:
            merged = _with_column(merged, old, new)
    if "templating_parameters" in given and "prompt" not in given and values.get("handler"):
        # The reference's way to another wording: built again below from its template.
        merged.pop("prompt", None)
    return {**merged, **given}


def _with_column(values: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """The templates of a task reading column `new` wherever they read `old`."""
    renamed = dict(values)
    for key in ("prompt", "target", "choices"):
        if isinstance(values.get(key), str):
            renamed[key] = rename(values[key], old, new, is_template=key == "prompt")
    renamed["filters"] = [rename(text, old, new, is_template=False) for text in values.get("filters") or []]
    return renamed


def _complete(task: TaskConfig, where: str) -> TaskConfig:
    """Refuse a task that cannot work, before any row is read."""
    if not task.prompt:
        raise UserError(f"{where}: no prompt. Give `prompt`, or a `handler` of the reference's format.")
    if not task.scorer_name:
        raise UserError(f"{where}: no scorer. Give `scorer`, e.g. `scorer: math`.")
    if isinstance(task.scorer, dict) and len(task.scorer) != 1:
        raise UserError(f"{where}: scorer: exactly one name with its arguments, not {len(task.scorer)}.")
    require_templates(task, where)
    return task
