"""The runs below a folder, each in a line: what was asked of whom, how far it is, and how it went."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from skythought.errors import RunFolderError, UserError
from skythought.runs.view import Run

__all__ = ["RunLine", "list_runs", "runs_in"]

DEPTH = 4
"""How many folders below the given one are looked into: a suite of runs by model and task, not a whole disk."""
MARKS = ("run.json", "results.json")
"""A folder that holds one of these is a run."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """What tells one run from another."""

    path: Path
    task: str = ""
    model: str = ""
    backend: str = ""
    sampling: str = ""
    """The sampling parameters, `temperature=0.6 top_p=0.95 ...`."""
    problems: int = 0
    n: int = 1
    """Samples a problem, as planned."""
    pending: int = 0
    """Samples without an answer so far."""
    accuracy: float | None = None
    """In [0, 1]; None if nothing was scored."""
    interval: tuple[float, float] | None = None
    """Of the accuracy, on other problems like these; None where it is not known."""
    changed: datetime | None = None
    """When something was last written, in local time."""
    error: str | None = None
    """Why the folder cannot be read; then only `path` and `changed` are known."""

    @property
    def complete(self) -> float:
        """Share of the planned samples that are answered, in [0, 1]."""
        planned = self.problems * self.n
        return 1 - self.pending / planned if planned else 1.0


def list_runs(folder: str | Path) -> list[RunLine]:
    """The runs in a folder and below it (or the folder itself, if it is one), the latest first.

    Raises:
        UserError: There is no such folder.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise UserError(f"there is no folder {str(root)!r}.")
    lines = [_line(path) for path in _found(root, DEPTH)]
    return sorted(lines, key=lambda line: line.changed.timestamp() if line.changed else 0.0, reverse=True)


def runs_in(path: Path, command: str) -> list[Run]:
    """The run in a folder, or the runs in the folders right below it, by name.

    Raises:
        UserError: It is no folder, or there is none. `command` is what the message begins with.
    """
    if not path.is_dir():
        raise UserError(f"{command}: {str(path)!r} is no folder; give a run's folder, or one that holds runs.")
    if _is_run(path):
        return [Run(path)]
    runs = [Run(folder) for folder in sorted(path.iterdir()) if folder.is_dir() and _is_run(folder)]
    if not runs:
        raise UserError(
            f"{command}: {str(path)!r} holds no run: neither it nor a folder in it has run.json or results.json."
        )
    return runs


def _is_run(path: Path) -> bool:
    return any((path / name).is_file() for name in MARKS)


def _found(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            parts = sorted(entries, key=lambda entry: entry.name)
        if any(entry.name in MARKS for entry in parts):
            yield folder
            return
        below = [Path(entry) for entry in parts if entry.is_dir(follow_symlinks=False) and entry.name[0] != "."]
    except OSError:  # a folder that may not be looked into
        return
    if depth:
        for path in below:
            yield from _found(path, depth - 1)


def _line(path: Path) -> RunLine:
    try:
        return _read(path)
    except (RunFolderError, OSError) as error:
        return RunLine(path, changed=_changed(path), error=str(error))


def _read(path: Path) -> RunLine:
    run = Run(path)
    configuration, numbers = run.summary["configuration"], run.statistics
    sampling = _part(configuration, "sampling_params")
    return RunLine(
        path=path,
        task=run.task,
        model=run.model,
        backend=_name(configuration, "backend"),
        sampling=" ".join(f"{key}={value}" for key, value in sampling.items() if key != "n"),
        problems=numbers.get("problems", 0),
        n=numbers.get("samples_per_problem", sampling.get("n", 1)),
        pending=numbers.get("samples_pending", 0),
        accuracy=run.accuracy,
        interval=_interval(numbers),
        changed=_changed(path),
    )


def _interval(numbers: Mapping[str, Any]) -> tuple[float, float] | None:
    estimates = numbers.get("estimates")
    found = estimates.get("accuracy", {}).get("interval") if isinstance(estimates, dict) else None
    return (found[0], found[1]) if found else None


def _part(configuration: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = configuration.get(name)
    return part if isinstance(part, dict) else {}


def _name(configuration: Mapping[str, Any], name: str) -> str:
    return str(_part(configuration, name).get("name", ""))


def _changed(path: Path) -> datetime | None:
    names = (*MARKS, "responses.jsonl", "scores.jsonl", "summary.json")
    times = [(path / name).stat().st_mtime for name in names if (path / name).is_file()]
    return datetime.fromtimestamp(max(times), UTC).astimezone() if times else None
