"""A run folder: its problems, its journals, and what is still owed.

run.json          what was asked for, whole (written last when a run is made: its existence means the run exists)
samples.jsonl     the problems, frozen: scoring again needs neither dataset nor network
responses.jsonl   one line per answered request   (journal)
scores.jsonl      one line per verdict            (journal)
results.json, summary.json   derived from the above; see results.py
"""

from __future__ import annotations

import hashlib
import json
import time
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from skythought.config import RunConfig, check
from skythought.errors import RunFolderError, UserError
from skythought.runs.environment import versions
from skythought.runs.journal import Journal, Line, dumps, record_at
from skythought.runs.jsonfile import DERIVED, write_json
from skythought.runs.lock import Lock
from skythought.types import Problem

__all__ = ["OURS", "RunFolder", "Slot", "clear", "create", "extend", "load", "read_manifest", "widen"]

OURS = ("results.json", DERIVED, "summary.json", "scores.jsonl", "responses.jsonl", "run.json", "samples.jsonl")
"""Every file of a run, in an order in which they can be deleted: stopped anywhere, what is left is a sound run."""
MANIFEST_KEYS = {"config", "created", "dataset_fingerprint", "malformed_rows", "versions"}
NOTHING = -1
_decoder = json.JSONDecoder()


class Slot(NamedTuple):
    """One sample's place in the run: position of its problem in `samples.jsonl`, and sample number."""

    position: int
    sample: int


class Index:
    """For each slot the offset of its latest line in a journal; eight bytes a sample."""

    def __init__(self, slots: int) -> None:
        self._offsets = array("q", [NOTHING]) * slots

    def put(self, slot: int, offset: int, *, failed: bool = False) -> None:
        """Remember the latest line; failed ones are kept apart (as negative numbers), for they are owed again."""
        self._offsets[slot] = -2 - offset if failed else offset

    def done(self, slot: int) -> int | None:
        """Offset of a line that settles this slot, or None."""
        offset = self._offsets[slot]
        return offset if offset >= 0 else None

    def failed(self, slot: int) -> int | None:
        """Offset of the line that tells of its failure, or None."""
        offset = self._offsets[slot]
        return -2 - offset if offset < NOTHING else None

    def clear(self) -> None:
        """Forget everything."""
        self._offsets = array("q", [NOTHING]) * len(self._offsets)


class RunFolder:
    """An open, locked run. Use as a context manager; all records go through it."""

    def __init__(self, path: Path, manifest: dict[str, Any], lock: Lock) -> None:
        self.path = path
        self.manifest = manifest
        self.config: RunConfig = check(RunConfig, manifest["config"], str(path / "run.json"))
        self.ids, self._problem_offsets = _problem_index(path / "samples.jsonl")
        self._positions = {problem_id: position for position, problem_id in enumerate(self.ids)}
        self._samples = (path / "samples.jsonl").open("rb")
        self._lock = lock
        self.responses = Journal(path / "responses.jsonl")
        self.scores = Journal(path / "scores.jsonl")
        self._answered = Index(len(self.ids) * self.config.n)
        self._scored = Index(len(self.ids) * self.config.n)
        self.pass_header: dict[str, Any] | None = None
        """What the latest pass of scoring in the journal was made with."""
        self.pass_ended = False
        """Whether a pass of `score` got to its end; one that did not goes on where it was."""
        self._read_journals()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Flush the journals and let other processes in."""
        self.close_files()
        self._lock.release()

    def close_files(self) -> None:
        """Flush the journals, keeping the folder locked."""
        self.responses.close()
        self.scores.close()
        self._samples.close()

    # -- problems ---------------------------------------------------------------------------------------------

    def problem(self, position: int) -> Problem:
        """The problem at a position of `samples.jsonl`."""
        record = record_at(self._samples, self._problem_offsets[position])
        shots = tuple((prompt, answer) for prompt, answer in record.get("shots", ()))
        return Problem(**{**record, "choices": tuple(record["choices"]), "shots": shots})

    def position(self, problem_id: str) -> int | None:
        """Where a problem is, or None if the run does not hold it."""
        return self._positions.get(problem_id)

    def slots(self) -> Iterator[Slot]:
        """All samples of the run, problem by problem, so that engines can share a prompt's work."""
        return (slot for position in range(len(self.ids)) for slot in self.slots_of(position))

    def slots_of(self, position: int) -> Iterator[Slot]:
        """The samples of one problem."""
        return (Slot(position, sample) for sample in range(self.config.n))

    # -- responses --------------------------------------------------------------------------------------------

    def owed(self) -> Iterator[Slot]:
        """Samples without an answer, failed ones included; lazily, so ask before generating starts."""
        return (slot for slot in self.slots() if not self.answered(slot))

    def answered(self, slot: Slot) -> bool:
        """Whether there is an answer, failed ones not counted."""
        return self._answered.done(self._number(slot)) is not None

    def add_response(self, slot: Slot, record: dict[str, Any]) -> None:
        """Journal one response; the keys that find it again are put first."""
        self._add(self.responses, self._answered, slot, record)

    def response(self, slot: Slot) -> dict[str, Any] | None:
        """The journalled response of a sample, a failed one if there is no other, or None."""
        return self._latest(self.responses, self._answered, slot)

    # -- scores -----------------------------------------------------------------------------------------------

    def unscored(self) -> Iterator[Slot]:
        """Answered samples without a verdict."""
        for slot in self.slots():
            if self.answered(slot) and self._scored.done(self._number(slot)) is None:
                yield slot

    def begin_pass(self, header: dict[str, Any]) -> None:
        """Start judging everything anew: verdicts before this line no longer count."""
        self.scores.append({"pass": header})
        self._scored.clear()
        self.pass_header, self.pass_ended = header, False

    def end_pass(self) -> None:
        """Journal that everything was judged once; what failed then is not left over from a killed process."""
        self.scores.append({"ended": True})
        self.pass_ended = True

    def add_score(self, slot: Slot, record: dict[str, Any]) -> None:
        """Journal one verdict. One with `error` (the scorer broke) is owed again."""
        self._add(self.scores, self._scored, slot, record)

    def score(self, slot: Slot) -> dict[str, Any] | None:
        """The latest verdict on a sample, a failed one if there is no other, or None."""
        return self._latest(self.scores, self._scored, slot)

    # -- inner ------------------------------------------------------------------------------------------------

    def _number(self, slot: Slot) -> int:
        return slot.position * self.config.n + slot.sample

    def _add(self, journal: Journal, index: Index, slot: Slot, record: dict[str, Any]) -> None:
        error = record.get("error")
        key = {"id": self.ids[slot.position], "sample": slot.sample, "error": error}
        index.put(self._number(slot), journal.append({**key, **record}), failed=error is not None)

    def _latest(self, journal: Journal, index: Index, slot: Slot) -> dict[str, Any] | None:
        number = self._number(slot)
        offset = index.done(number)
        if offset is None:
            offset = index.failed(number)
        return None if offset is None else journal.read(offset)

    def _read_journals(self) -> None:
        for line in self.responses.scan():
            if isinstance(line, Line) and (number := self._known(line)) is not None:
                self._answered.put(number, line.offset, failed=line.failed)
        for line in self.scores.scan():
            if not isinstance(line, Line):
                if "pass" in line:
                    self.pass_header, self.pass_ended = line["pass"], False
                    self._scored.clear()
                self.pass_ended = self.pass_ended or "ended" in line
            elif (number := self._known(line)) is not None:
                self._scored.put(number, line.offset, failed=line.failed)

    def _known(self, line: Line) -> int | None:
        position = self._positions.get(line.problem_id)
        if position is None or line.sample >= self.config.n:
            return None
        return self._number(Slot(position, line.sample))


def widen(path: Path, config: RunConfig) -> None:
    """Record a new configuration (more samples a problem) for the same problems."""
    manifest = read_manifest(path)
    assert manifest is not None
    write_json(path / "run.json", {**manifest, "config": config.record()})


def read_manifest(path: Path) -> dict[str, Any] | None:
    """The content of `run.json`; None if the folder holds no run of ours."""
    try:
        manifest = json.loads((path / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RunFolderError(f"{path / 'run.json'} is damaged: {error}; --overwrite starts anew.") from None
    if not isinstance(manifest, dict) or not manifest.keys() >= MANIFEST_KEYS:
        raise RunFolderError(f"{path / 'run.json'} is damaged: it lacks what a run records; --overwrite starts anew.")
    return manifest


def create(
    path: Path,
    config: RunConfig,
    problems: Iterable[Problem],
    lock: Lock,
    malformed: list[dict[str, Any]],
    revisions: dict[str, str],
) -> RunFolder:
    """Freeze the problems and write the manifest; what an interrupted `create` left behind is replaced.

    Args:
        malformed: Filled while `problems` is read: rows that could not be used (index, column, why).
        revisions: Filled in the same way: the dataset's repositories or addresses -> the commit (or ETag) read.
    """
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    _freeze(path, config, map(_problem_line, problems), created, malformed, revisions, anew=True)
    return load(path, lock)


def load(path: Path, lock: Lock) -> RunFolder:
    """Open an existing run for reading and adding."""
    manifest = read_manifest(path)
    if manifest is None:
        raise RunFolderError(f"{str(path)!r} is no run folder of skythought (it has no run.json).")
    if not (path / "samples.jsonl").exists():
        raise RunFolderError(f"{str(path)!r} is damaged: samples.jsonl is missing; --overwrite starts anew.")
    return RunFolder(path, manifest, lock)


def clear(path: Path) -> None:
    """Delete the run's own files; anything else in the folder stays."""
    for name in OURS:
        (path / name).unlink(missing_ok=True)


def extend(
    path: Path,
    config: RunConfig,
    problems: Iterable[Problem],
    malformed: list[dict[str, Any]],
    revisions: dict[str, str],
) -> None:
    """Give an existing run more problems (a longer slice of the same dataset).

    Raises:
        RunFolderError: The dataset is not the one that the run was made with: a problem changed or is gone.
    """
    manifest = read_manifest(path)
    assert manifest is not None
    with (path / "samples.jsonl").open("rb") as file:
        known = {_line_id(raw): hashlib.sha256(raw).digest() for raw in file}

    def checked(lines: Iterable[bytes]) -> Iterator[bytes]:
        for raw in lines:
            problem_id = _line_id(raw)
            before = known.pop(problem_id, None)
            if before is not None and before != hashlib.sha256(raw).digest():
                raise _dataset_changed(path, problem_id)
            yield raw
        if known:
            raise _dataset_changed(path, next(iter(known)))

    _freeze(path, config, checked(map(_problem_line, problems)), manifest["created"], malformed, revisions)


def _dataset_changed(path: Path, problem_id: str) -> RunFolderError:
    return RunFolderError(
        f"run folder {str(path)!r} cannot be extended: problem {problem_id} of the dataset is not what it was when "
        "the run was made. Pin the revision (--task-args), or start anew in another --result-dir."
    )


def _problem_line(problem: Problem) -> bytes:
    record = asdict(problem)
    if not problem.shots:
        del record["shots"]
    return dumps(record).encode("utf-8", "backslashreplace") + b"\n"


def _line_id(raw: bytes) -> str:
    """The id of a line of `samples.jsonl`, `{"id": "17", ...`, without reading the rest: rows may be megabytes."""
    start = len(b'{"id": ')
    problem_id, _ = _decoder.raw_decode(raw[start : start + 4096].decode("utf-8", "ignore"))
    return str(problem_id)


def _problem_index(path: Path) -> tuple[list[str], array[int]]:
    """Ids of the problems in order, and where the line of each begins."""
    ids: list[str] = []
    offsets = array("q")
    offset = 0
    with path.open("rb") as file:
        for raw in file:
            ids.append(_line_id(raw))
            offsets.append(offset)
            offset += len(raw)
    return ids, offsets


def _no_problems(config: RunConfig, malformed: list[dict[str, Any]]) -> UserError:
    if malformed:
        first = malformed[0]
        what = f"none of its rows can be used; row {first['index']}, column {first['column']!r}: {first['why']}"
    else:
        what = f"no problem is left after its filters and --start {config.start} --end {config.end}; widen them"
    return UserError(f"task {config.task.name!r}: {what}.")


def _freeze(
    path: Path,
    config: RunConfig,
    lines: Iterable[bytes],
    created: str,
    malformed: list[dict[str, Any]],
    revisions: dict[str, str],
    *,
    anew: bool = False,
) -> None:
    """Write `samples.jsonl`, then `run.json`, each atomically.

    The dataset's fingerprint is the hash of exactly what is asked and compared with. `anew` deletes what was there
    before, once the dataset has been read.
    """
    hasher = hashlib.sha256()
    count = 0
    temporary = path / "samples.jsonl.tmp"
    try:
        with temporary.open("wb") as file:
            for raw in lines:
                hasher.update(raw)
                file.write(raw)
                count += 1
        if not count:
            raise _no_problems(config, malformed)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if anew:
        clear(path)
    temporary.replace(path / "samples.jsonl")
    manifest = {
        "created": created,
        "fingerprint": config.fingerprint,
        "problems": count,
        "dataset_fingerprint": hasher.hexdigest(),
        "dataset_revisions": revisions,
        "malformed_rows": malformed,
        "versions": versions(),
        "config": config.record(),
    }
    write_json(path / "run.json", manifest)
