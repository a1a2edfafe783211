"""Making a run folder, and giving an existing one more problems or samples."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from skythought.config import RunConfig
from skythought.errors import DiskError, RunFolderError, UserError
from skythought.runs import records
from skythought.runs.asked import ASKING
from skythought.runs.environment import versions
from skythought.runs.folder import RunFolder, line_id, load, require
from skythought.runs.journal import dumps
from skythought.runs.jsonfile import DERIVED, open_temporary
from skythought.runs.lock import LOCK, Lock
from skythought.runs.log import ENGINE_LOG, LOG
from skythought.runs.marks import MARKS
from skythought.runs.parquet import remove_parquet
from skythought.runs.records import COPY, Manifest
from skythought.runs.sessions import SESSIONS
from skythought.types import MalformedRow, Problem

__all__ = ["OURS", "ProblemSource", "adopt", "clear", "create", "discard", "extend", "restore", "widen"]

OURS = (
    ASKING,
    MARKS,
    LOG,
    ENGINE_LOG,
    SESSIONS,
    "results.json",
    DERIVED,
    "summary.json",
    "scores.jsonl",
    "replies.jsonl",
    "responses.jsonl",
    "run.json",
    COPY,
    "samples.jsonl",
)
"""Every file of a run, in an order in which they can be deleted: stopped anywhere, what is left is a sound run."""


class ProblemSource(Protocol):
    """Problems to be frozen in a folder, with what becomes known while they are read."""

    @property
    def revisions(self) -> Mapping[str, str]:
        """The dataset's repositories or addresses -> the commits (or ETags) that were read."""

    @property
    def why_none(self) -> str:
        """Why nothing came, once all is read."""

    def __iter__(self) -> Iterator[Problem | MalformedRow]: ...


def create(path: Path, config: RunConfig, problems: ProblemSource, lock: Lock) -> RunFolder:
    """Freeze the problems and write the manifest; what an interrupted `create` left behind is replaced."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    frozen = _Frozen(path)
    frozen.write(problems)
    frozen.require_some(config, problems)
    clear(path)
    frozen.commit(config, created, problems.revisions)
    return load(path, lock)


def discard(path: Path) -> None:
    """Remove a closed run folder in which nothing was answered, unless there are files of others in it."""
    journal = path / "responses.jsonl"
    if journal.exists() and journal.stat().st_size:
        return
    with suppress(OSError):
        if {entry.name for entry in path.iterdir()} <= {*OURS, LOCK}:
            clear(path)
            (path / LOCK).unlink(missing_ok=True)
            path.rmdir()


def adopt(path: Path, config: RunConfig, problems: ProblemSource, lock: Lock) -> RunFolder:
    """Make the manifest anew for a folder whose own is lost, keeping its journals.

    Raises:
        RunFolderError: The problems that are frozen there are not those of the configuration.
    """
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    frozen = _Frozen(path, _known_lines(path))
    frozen.write(problems)
    frozen.require_some(config, problems)
    frozen.commit(config, created, problems.revisions)
    return load(path, lock)


def restore(path: Path, manifest: Manifest, problems: ProblemSource) -> None:
    """Put back `samples.jsonl`, which was cut, changed or lost, from the dataset; what is there is moved aside.

    Raises:
        RunFolderError: The dataset gives other problems now.
    """
    frozen = _Frozen(path)
    frozen.write(problems)
    if frozen.fingerprint != manifest.dataset_fingerprint:
        frozen.drop()
        raise RunFolderError(
            f"{str(path / 'samples.jsonl')!r} was cut or changed since the run was made, and the dataset does not give "
            "the same problems any more: put the file back from a copy."
        )
    if (path / "samples.jsonl").exists():
        (path / "samples.jsonl").replace(path / "samples.jsonl.damaged")
    frozen.place()


def extend(path: Path, config: RunConfig, problems: ProblemSource) -> None:
    """Give an existing run more problems (a longer slice of the same dataset).

    Raises:
        RunFolderError: The dataset is not the one that the run was made with: a problem changed or is gone.
    """
    before = require(path)
    frozen = _Frozen(path, _known_lines(path))
    frozen.write(problems)
    frozen.commit(config, before.created, problems.revisions)


def _known_lines(path: Path) -> dict[str, bytes]:
    """Digests of the lines of `samples.jsonl` by id."""
    if not (path / "samples.jsonl").exists():
        return {}
    with (path / "samples.jsonl").open("rb") as file:
        return {line_id(raw): hashlib.sha256(raw).digest() for raw in file}


def widen(path: Path, config: RunConfig) -> None:
    """Record a new configuration (more samples a problem) for the same problems."""
    replace(require(path), config=config).write(path)


def clear(path: Path) -> None:
    """Delete the run's own files; anything else in the folder stays."""
    remove_parquet(path)
    for name in OURS:
        (path / name).unlink(missing_ok=True)


class _Frozen:
    """`samples.jsonl` and `run.json` on their way: nothing that is there is touched before `commit`."""

    def __init__(self, path: Path, known: dict[str, bytes] | None = None) -> None:
        """`known`: digests of the lines that are there, by id, all of which must come again as they are."""
        self._path = path
        self._temporary = path / "samples.jsonl.tmp"
        self._known = known or {}
        self._hasher = hashlib.sha256()
        self._count = 0
        self._malformed: list[MalformedRow] = []

    def write(self, problems: Iterable[Problem | MalformedRow]) -> None:
        try:
            with open_temporary(self._temporary) as file:
                for item in problems:
                    if isinstance(item, MalformedRow):
                        self._malformed.append(item)
                        continue
                    raw = dumps(records.problem_line(item)).encode("utf-8", "backslashreplace") + b"\n"
                    before = self._known.pop(item.id, None)
                    if before is not None and before != hashlib.sha256(raw).digest():
                        raise self._changed(item.id)
                    self._hasher.update(raw)
                    file.write(raw)
                    self._count += 1
            if self._known:
                raise self._changed(next(iter(self._known)))
        except OSError as error:
            self.drop()
            raise DiskError.of(error, self._temporary) from None
        except BaseException:
            self.drop()
            raise

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what was written."""
        return self._hasher.hexdigest()

    def drop(self) -> None:
        """Leave everything as it was."""
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def place(self) -> None:
        """Put `samples.jsonl` in its place."""
        self._temporary.replace(self._path / "samples.jsonl")

    def require_some(self, config: RunConfig, problems: ProblemSource) -> None:
        """Raises UserError if there is no problem at all."""
        if self._count:
            return
        self.drop()
        if self._malformed:
            first = self._malformed[0]
            what = f"none of its rows can be used; row {first.index}, column {first.column!r}: {first.why}"
        else:
            what = problems.why_none
        raise UserError(f"task {config.task.name!r}: {what}.")

    def commit(self, config: RunConfig, created: str, revisions: Mapping[str, str]) -> None:
        """Put both files in place, each atomically."""
        self.place()
        Manifest(
            config=config,
            created=created,
            problems=self._count,
            dataset_fingerprint=self.fingerprint,
            dataset_revisions=revisions,
            malformed_rows=tuple(self._malformed),
            versions=versions(),
        ).write(self._path)

    def _changed(self, problem_id: str) -> RunFolderError:
        return RunFolderError(
            f"run folder {str(self._path)!r} cannot be continued: problem {problem_id} of the dataset is not what it "
            "was when the run was made. Pin the revision (--task-args), or start anew in another --result-dir."
        )
