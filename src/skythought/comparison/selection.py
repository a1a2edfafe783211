"""What is compared: runs, folders of runs, or lists of runs, under a name each, with one run a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skythought.errors import UserError
from skythought.runs.listing import runs_in
from skythought.runs.view import Run

__all__ = ["Given", "RunSet", "is_greedy", "select"]

Given = str | Path | Run | Sequence[str | Path | Run]
"""A run, a folder that holds runs, or a list of these that belong together."""


@dataclass(frozen=True)
class RunSet:
    """What goes under one name in a comparison: one run of each task."""

    name: str
    runs: Mapping[str, Run]
    """By task; the task is empty where a folder does not record it."""


def select(given: Sequence[Given], names: Sequence[str]) -> list[RunSet]:
    """The runs to compare, each under a name of its own.

    Args:
        given: Two and more. One folder that holds runs of several models stands for these.
        names: What they are to be called; by default what tells them apart: models, settings, or folders.

    Raises:
        UserError: Fewer than two, a folder without a run, two runs of one task under one name, names that do not fit.
    """
    lists = [_runs(one) for one in given]
    if len(lists) == 1 or all(len(runs) == 1 for runs in lists):
        together = _by_model([run for runs in lists for run in runs])
        lists = together if len(together) > 1 else lists
    if len(lists) < 2:
        raise UserError("compare: two runs are wanted at least; give two run folders, or two folders that hold runs.")
    chosen = _checked(names, len(lists)) if names else _names(lists)
    return [RunSet(name, _one_a_task(name, runs)) for name, runs in zip(chosen, lists, strict=True)]


def _runs(given: Given) -> list[Run]:
    if isinstance(given, Run):
        return [given]
    if isinstance(given, list | tuple):
        return [run for one in given for run in _runs(one)]
    if not isinstance(given, str | Path):
        raise UserError(f"compare: a run, its folder, or a list of these is wanted, not {type(given).__name__}.")
    return runs_in(Path(given).expanduser(), "compare")


def _task_of(run: Run) -> str:
    """The name of a run's task; empty where it is not recorded."""
    return str(section(run, "task").get("name", ""))


def section(run: Run, name: str) -> Mapping[str, Any]:
    """A part of the summary's configuration; empty where another program wrote something else, or nothing."""
    part = run.summary["configuration"].get(name)
    return part if isinstance(part, Mapping) else {}


def is_greedy(run: Run) -> bool:
    """Whether a run was sampled at temperature 0, where another sample is the same again."""
    return section(run, "sampling_params").get("temperature") == 0


def _model(run: Run) -> str:
    return str(section(run, "model").get("name", ""))


def _tasks(runs: Iterable[Run]) -> set[str]:
    return {_task_of(run) for run in runs}


def _by_model(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs given one by one (`runs/*`): those of one model belong together where they are of several tasks."""
    if len(_tasks(runs)) == 1:
        return [[run] for run in runs]
    by_model: dict[str, list[Run]] = {}
    for run in runs:
        by_model.setdefault(_model(run), []).append(run)
    return list(by_model.values())


def _one_a_task(name: str, runs: Sequence[Run]) -> dict[str, Run]:
    found: dict[str, Run] = {}
    for run in runs:
        task = _task_of(run)
        if task in found:
            raise UserError(
                f"compare: two runs of task {task!r} under the name {name!r}: {str(found[task].path)!r} and "
                f"{str(run.path)!r}. Give the folders of the runs themselves, or move one away."
            )
        found[task] = run
    return found


def _checked(names: Sequence[str], count: int) -> list[str]:
    if len(names) != count:
        raise UserError(f"compare: {len(names)} names for {count} runs: give one for each, in the same order.")
    for name, times in Counter(names).items():
        if times > 1:
            raise UserError(f"compare: the name {name!r} is given twice.")
        if not name.strip():
            raise UserError("compare: a name is empty.")
    return list(names)


def _names(lists: Sequence[Sequence[Run]]) -> list[str]:
    """The shortest kind of name that tells all of them apart."""
    firsts = [runs[0] for runs in lists]
    models = [" + ".join(dict.fromkeys(_model(run) or "?" for run in runs)) for runs in lists]
    settings = _settings(firsts)
    kinds = [
        models,
        settings if len(set(models)) == 1 else [f"{one} {told}" for one, told in zip(models, settings, strict=True)],
        [_folder(runs).name for runs in lists],
        [str(_folder(runs)) for runs in lists],
    ]
    for names in kinds:
        if len(set(names)) == len(names) and not any(name.strip() in ("", "?") for name in names):
            return names
    return [f"{name} ({number})" for number, name in enumerate(kinds[-1], 1)]


def _folder(runs: Sequence[Run]) -> Path:
    return runs[0].path if len(runs) == 1 else runs[0].path.parent


def _settings(runs: Sequence[Run]) -> list[str]:
    """What of each run's sampling, seed and engine is not the same in all of them."""
    found = []
    for run in runs:
        values = {name: value for name, value in section(run, "sampling_params").items() if name != "n"}
        model = section(run, "model").get("config")
        if isinstance(model, Mapping) and model.get("system_prompt") is not None:
            values["system_prompt"] = str(model["system_prompt"])[:20]
        values["seed"] = run.statistics.get("seed")
        values["backend"] = Path(str(section(run, "backend").get("name", ""))).name
        found.append(values)
    names = dict.fromkeys(name for values in found for name in values)
    differing = [name for name in names if len({str(values.get(name)) for values in found}) > 1]
    return [" ".join(f"{name}={values.get(name)}" for name in differing) for values in found]
