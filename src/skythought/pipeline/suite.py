"""From options, in layers, to plans: every model that is named with every task, each with the options that are its own.

The layers, each over those before it: variables of the environment, what a file says of all, of the model, of the
task, and what was given by hand. Of mappings (`sampling_params`, `backend_args`, ...) single keys are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skythought.config import RunConfig
from skythought.errors import UserError
from skythought.pipeline.budget import shared
from skythought.pipeline.configfile import ConfigFile, Entry
from skythought.pipeline.options import Options
from skythought.pipeline.plan import Plan, make_plan
from skythought.pipeline.resume import difference, place_of

__all__ = ["Suite", "make_suite", "merged"]

RIVALS = (
    ("system_prompt", "system_prompt_name"),
    ("resume", "overwrite"),
    ("resume_from", "overwrite"),
    ("resume_from", "result_dir"),
    ("until", "versus", "until_correct"),
)
"""Options of which one alone can be given: that of a higher layer takes the place of the others."""


@dataclass(frozen=True)
class Suite:
    """Checked: everything that an invocation does, in order."""

    plans: tuple[Plan, ...]
    is_list: bool
    """Whether models or tasks were given as a list, be it of one."""


def make_suite(
    given: Mapping[str, Any], *, grade: bool, base: Mapping[str, Any] | None = None, config: ConfigFile | None = None
) -> Suite:
    """Check everything that was asked, before anything is loaded.

    Args:
        given: Options that were given by hand; `model` and `task` are a name or several.
        grade: Whether responses are graded.
        base: Options under those of the file.
        config: What a file says.

    Raises:
        UserError: Whatever is wrong, one line; of what a file says with its line, as far as it is known.
    """
    plans = []
    for asked in _asked(base or {}, config, given):
        try:
            plans.append(make_plan(asked.options, grade=grade, recorded=config.recorded if config else None))
        except UserError as error:
            raise type(error)(_located(str(error), config, asked, given)) from None
    _check_folders(plans)
    _check_earlier(plans)
    budgets = [plan.conditions.budget for plan in plans if plan.conditions is not None]
    shared(budgets)
    if config is not None and config.recorded is not None:
        plans = [_with_notice(plan, config.recorded, config.path) for plan in plans]
    several = any(isinstance(given.get(name), list | tuple) for name in ("model", "task"))
    return Suite(tuple(plans), several or (config is not None and config.has_lists))


@dataclass(frozen=True)
class _Asked:
    """Options for one model, and for tasks that share them; and where a file says so."""

    options: Options
    model: Entry
    tasks: Sequence[Entry]


def _asked(base: Mapping[str, Any], config: ConfigFile | None, given: Mapping[str, Any]) -> Iterator[_Asked]:
    own = {name: value for name, value in given.items() if name not in ("model", "task")}
    below = {name: value for name, value in base.items() if name not in ("model", "task")}
    whole = config.options if config else {}
    for model in _chosen("model", given, config.models if config else (), base):
        tasks = model.tasks or (config.tasks if config else ())
        groups: list[tuple[dict[str, Any], list[Entry]]] = []
        for task in _chosen("task", given, tasks, base):
            values = merged(below, whole, model.options, task.options, own)
            if groups and groups[-1][0] == values:
                groups[-1][1].append(task)
            else:
                groups.append((values, [task]))
        for values, entries in groups:
            options = Options(model=model.name, task=tuple(entry.name for entry in entries), **values)
            yield _Asked(options, model, entries)


def _chosen(kind: str, given: Mapping[str, Any], entries: Sequence[Entry], base: Mapping[str, Any]) -> Sequence[Entry]:
    """The models or tasks that are meant. A name given by hand that the file has is meant with its options there."""
    names = _names(given.get(kind))
    if not names:
        found = entries or [Entry(name) for name in _names(base.get(kind))]
        if not found:
            raise UserError(f"Missing option '--{kind}': which {kind}? (In a file for --config: `{kind}`.)")
        return found
    return [entry for name in names for entry in [entry for entry in entries if entry.name == name] or [Entry(name)]]


def _names(value: str | Sequence[str] | None) -> Sequence[str]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The options of all layers, each over those before it."""
    values: dict[str, Any] = {}
    for layer in layers:
        for gone in _replaced(values, layer):
            values.pop(gone, None)
        for name, value in layer.items():
            old = values.get(name)
            values[name] = {**old, **value} if isinstance(value, Mapping) and isinstance(old, Mapping) else value
    return values


def _replaced(values: Mapping[str, Any], layer: Mapping[str, Any]) -> set[str]:
    """The options so far that a layer makes void: rivals, and arguments of another backend."""
    said = {name for name, value in layer.items() if value not in (None, False)}
    gone = {rival for rivals in RIVALS if said & {*rivals} for rival in rivals} - layer.keys()
    for backend in ("backend", "judge_backend"):
        if backend in said and values.get(backend) not in (None, layer[backend]):
            gone.add(f"{backend}_args")
    return gone


def _check_folders(plans: Sequence[Plan]) -> None:
    """Every run has a folder of its own."""
    seen: set[Path] = set()
    if sum(len(plan.configs) for plan in plans) > 1 and any(plan.options.resume_from is not None for plan in plans):
        raise UserError("--resume-from names the folder of one run; give one model and one task with it.")
    for plan in plans:
        for config in plan.configs:
            place = place_of(config, plan.options)
            if place in seen:
                raise UserError(
                    f"{config.model.name} on {config.task.name} is given twice with the same settings: both would be "
                    f"the run {place.name}. Give each its own, or leave one out."
                )
            seen.add(place)


def _check_earlier(plans: Sequence[Plan]) -> None:
    """An earlier run that is named has the problems of all tasks that it is for, so of one."""
    for option in ("versus", "difficulty"):
        tasks: dict[str, set[str]] = {}
        for plan in plans:
            if (path := getattr(plan.options, option)) is not None:
                tasks.setdefault(str(path), set()).update(config.task.name for config in plan.configs)
        if any(len(names) > 1 for names in tasks.values()):
            raise UserError(f"--{option} names a run of one task; give one --task with it.")


def _with_notice(plan: Plan, recorded: RunConfig, path: Path) -> Plan:
    """Say so where a run of a record is not the recorded one."""
    notices = [
        f"not the run of {path}, for {difference(recorded, config)}"
        for config in plan.configs
        if config.fingerprint != recorded.fingerprint
    ]
    return replace(plan, notices=(*plan.notices, *notices))


def _located(text: str, config: ConfigFile | None, asked: _Asked, given: Mapping[str, Any]) -> str:
    """An error with the line of the file that it is about, by the option that it names, unless that is by hand."""
    if config is None:
        return text
    names = [name.replace("-", "_") for name in re.findall(r"--([a-z][a-z-]*)", text)]
    names += re.findall(r"^(?:unknown )?(task|model|backend)\b", text)
    names += ["sampling_params"] if text.startswith("sampling param") else []
    if any(name in given for name in names):
        return text
    around = (asked.tasks[0].place, asked.model.place, ())
    said = re.findall(r"'([^']*)'", text)[:1] if "task" in names else []
    named = [entry.place for entry in asked.tasks if entry.name in said]
    places = [*named, *((*place, name) for name in names for place in around)]
    return f"{config.where(*places)}: {text}"
