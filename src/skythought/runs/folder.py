"""A run folder: its problems, its journals, and what is still pending.

run.json          what was asked for, whole (written last when a run is made: its existence means the run exists)
samples.jsonl     the problems, frozen: scoring again needs neither dataset nor network
responses.jsonl   one line per answered request   (journal)
replies.jsonl     one line per reply of a judge   (journal; only where the scorer asks a model)
scores.jsonl      one line per verdict            (journal)
results.json or results.parquet/, summary.json   derived from the above; see results.py

`records` tells what a line holds.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skythought.config import RunConfig
from skythought.errors import RunFolderError
from skythought.runs import records
from skythought.runs.journal import Damaged, Journal, Line, Written
from skythought.runs.lock import Lock
from skythought.runs.parquet import PARQUET, stands_alone
from skythought.runs.records import Manifest, PassBegin, PassEnd, Reply
from skythought.types import Problem, Response, SampleKey, Score

__all__ = ["ProblemsChangedError", "RunFolder", "has_its_problems", "line_id", "load", "require"]

REMEMBERED = 256
REMEMBERED_BYTES = 16 << 20
"""So many problems that were read last are kept parsed, as far as their lines are no longer than this together: the
samples of one problem come close together, and a line of test cases may be megabytes: a tenth of a second to parse."""

PUT_BACK = "Put it back, or continue the run with --resume, which reads the problems from the dataset again."
NOTHING = -1
Record = dict[str, Any]
_decoder = json.JSONDecoder()


class Index:
    """For each sample the offset and checksum of its latest line in a journal; twelve bytes a sample."""

    def __init__(self, samples: int) -> None:
        self._offsets = array("q", [NOTHING]) * samples
        self._checksums = array("I", [0]) * samples

    def put(self, number: int, line: Line | Written, *, failed: bool = False) -> None:
        """Remember the latest line; failed ones are kept apart (as negative numbers), for they are pending again."""
        self._offsets[number] = -2 - line.offset if failed else line.offset
        self._checksums[number] = line.checksum

    def checksum(self, number: int) -> int:
        """Of the latest line."""
        return self._checksums[number]

    def done(self, number: int) -> bool:
        """Whether there is a line that did not fail."""
        return self._offsets[number] >= 0

    def latest(self, number: int) -> int | None:
        """Offset of the sample's latest line, a failed one if there is no other; None if there is none at all."""
        offset = self._offsets[number]
        if offset >= 0:
            return offset
        return -2 - offset if offset < NOTHING else None

    def clear(self) -> None:
        """Forget everything."""
        self._offsets = array("q", [NOTHING]) * len(self._offsets)


class ProblemsChangedError(RunFolderError):
    """The frozen problems are not those that the run was made with."""


class RunFolder:
    """An open, locked run. Use as a context manager; all records go through it."""

    def __init__(self, path: Path, manifest: Manifest, lock: Lock | None) -> None:
        """`lock`: None = only to be read; nothing is mended or made, so another process may be writing."""
        self.path = path
        self.manifest = manifest
        self.config: RunConfig = manifest.config
        self._problems = _Problems(path / "samples.jsonl")
        if self._problems.fingerprint != manifest.dataset_fingerprint:
            raise ProblemsChangedError(
                f"{str(path / 'samples.jsonl')!r} is not what the run was made with: it was cut or changed. {PUT_BACK}"
            )
        self.ids = self._problems.ids
        self.damaged: list[str] = []
        """Journal lines that are not what was written: file and number. Their samples are pending again."""
        self._lock = lock
        writable = lock is not None
        self._responses = Journal(path / "responses.jsonl", writable=writable, is_sound=records.is_response)
        self._scores = Journal(path / "scores.jsonl", writable=writable, is_sound=records.is_score)
        self._replies: Journal | None = None
        self._answered = Index(len(self.ids) * self.config.n)
        self._scored = Index(len(self.ids) * self.config.n)
        self._replied: dict[tuple[SampleKey, int], int] = {}
        self._early: list[Line] = []
        """Verdicts that another process wrote down just before the answers were read that they are on."""
        self.scoring: PassBegin | None = None
        """What the latest pass of scoring in the journal was made with."""
        self.scoring_ended = False
        """Whether a pass of `score` got to its end; one that did not goes on where it was."""
        self._read_journals()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Flush the journals and let other processes in."""
        self.close_files()
        if self._lock is not None:
            self._lock.release()

    def close_files(self) -> None:
        """Flush the journals, keeping the folder locked."""
        for file in (self._responses, self._scores, self._replies, self._problems):
            if file is not None:
                file.close()

    # -- problems and samples ---------------------------------------------------------------------------------

    def problem(self, problem_id: str) -> Problem:
        """A problem of the run, whose id is one of `ids`."""
        return self._problems.read(problem_id)

    def __contains__(self, problem_id: str) -> bool:
        """Whether the run holds a problem of this id."""
        return problem_id in self._problems.positions

    @property
    def samples(self) -> int:
        """How many samples the whole run has."""
        return len(self.ids) * self.config.n

    def keys(self) -> Iterator[SampleKey]:
        """All samples of the run, problem by problem, so that engines can share a prompt's work."""
        return (key for problem_id in self.ids for key in self.keys_of(problem_id))

    def keys_of(self, problem_id: str) -> Iterator[SampleKey]:
        """The samples of one problem."""
        return (SampleKey(problem_id, sample) for sample in range(self.config.n))

    # -- responses --------------------------------------------------------------------------------------------

    def pending(self) -> Iterator[SampleKey]:
        """Samples without an answer, failed ones included; lazily, so ask before generating starts."""
        return (key for number, key in enumerate(self.keys()) if not self._answered.done(number))

    def answered(self) -> Iterator[SampleKey]:
        """Samples with an answer, failed ones not counted."""
        return (key for number, key in enumerate(self.keys()) if self._answered.done(number))

    def is_answered(self, key: SampleKey) -> bool:
        """Whether there is an answer, failed ones not counted."""
        return self._answered.done(self._number(key))

    def response_checksum(self, key: SampleKey) -> int:
        """CRC-32 of the latest line about a sample in the journal of responses; 0 if there is none."""
        return self._answered.checksum(self._number(key))

    def add_response(self, response: Response) -> None:
        """Journal one response."""
        line = self._responses.append(records.response_line(response))
        self._answered.put(self._number(response.key), line, failed=response.error is not None)

    def response(self, key: SampleKey) -> Response | None:
        """The journalled response of a sample, a failed one if there is no other, or None."""
        offset = self._answered.latest(self._number(key))
        return None if offset is None else records.read_response(self._responses.read(offset))

    @property
    def response_bytes(self) -> int:
        """Size of the journal of responses."""
        path = self.path / "responses.jsonl"
        return path.stat().st_size if path.exists() else 0

    # -- replies of a judge -----------------------------------------------------------------------------------

    def open_replies(self) -> None:
        """Make ready to read and write `replies.jsonl`; safe to call twice."""
        if self._replies is None:
            path, writable = self.path / "replies.jsonl", self._lock is not None
            self._replies = Journal(path, writable=writable, is_sound=records.is_reply)
            for line in self._replies.scan():
                if isinstance(line, Line) and self._known(line.key) is not None:
                    reply = records.read_reply(self._replies.read(line.offset))
                    self._replied[reply.key, reply.question] = line.offset

    def add_reply(self, reply: Reply) -> None:
        """Journal one reply."""
        assert self._replies is not None
        self._replied[reply.key, reply.question] = self._replies.append(records.reply_line(reply)).offset

    def reply(self, key: SampleKey, question: int) -> Reply | None:
        """The latest reply to a question about a sample, a failed one included, or None."""
        offset = self._replied.get((key, question))
        if offset is None or self._replies is None:
            return None
        return records.read_reply(self._replies.read(offset))

    def replies(self) -> Iterator[Reply]:
        """The latest reply to each question; after `open_replies`."""
        for key, question in self._replied:
            if (reply := self.reply(key, question)) is not None:
                yield reply

    # -- scores -----------------------------------------------------------------------------------------------

    def unscored(self) -> Iterator[SampleKey]:
        """Answered samples without a verdict."""
        answered, scored = self._answered, self._scored
        return (key for number, key in enumerate(self.keys()) if answered.done(number) and not scored.done(number))

    def begin_scoring(self, begin: PassBegin) -> None:
        """Start scoring everything anew: verdicts before this line no longer count."""
        self._scores.append(records.pass_line(begin))
        self._scored.clear()
        self.scoring, self.scoring_ended = begin, False

    def end_scoring(self) -> None:
        """Journal that everything was scored once."""
        self._scores.append(records.pass_line(PassEnd()))
        self.scoring_ended = True

    def add_score(self, score: Score) -> None:
        """Journal one verdict. A failed one (the scorer broke) is pending again."""
        number = self._number(score.key)
        line = self._scores.append(records.score_line(score, self._answered.checksum(number)))
        self._scored.put(number, line, failed=score.verdict == "failed")

    def score(self, key: SampleKey) -> Score | None:
        """The latest verdict on a sample, a failed one if there is no other, or None."""
        offset = self._scored.latest(self._number(key))
        return None if offset is None else records.read_score(self._scores.read(offset))

    # -- another process's work -------------------------------------------------------------------------------

    def read_on(self) -> list[SampleKey]:
        """Take in what another process has journalled since; the samples that it is about, in that order.

        Where scoring began anew, these are all that are answered.
        """
        before, early = self.scoring, self._early
        self._early = []
        lines = [(self._put_response, line) for line in self._responses.grown()]
        lines += [(self._put_score, line) for line in (*early, *self._scores.grown())]
        keys = [key for put, line in lines if (key := put(line, "a line")) is not None]
        return list(self.answered()) if self.scoring is not before else list(dict.fromkeys(keys))

    # -- inner ------------------------------------------------------------------------------------------------

    def _number(self, key: SampleKey) -> int:
        return self._problems.positions[key.problem_id] * self.config.n + key.sample

    def _known(self, key: SampleKey) -> int | None:
        position = self._problems.positions.get(key.problem_id)
        n = self.config.n
        return position * n + key.sample if position is not None and key.sample < n else None

    def _read_journals(self) -> None:
        for count, line in enumerate(self._responses.scan(), 1):
            self._put_response(line, f"line {count}")
        for count, line in enumerate(self._scores.scan(), 1):
            self._put_score(line, f"line {count}")

    def _put_response(self, line: Line | Damaged | Record, place: str) -> SampleKey | None:
        """Index a line; the sample that it is about."""
        if not isinstance(line, Line):
            self.damaged.append(f"{place} of responses.jsonl")
        elif (number := self._known(line.key)) is not None:
            self._answered.put(number, line, failed=line.failed)
            return line.key
        return None

    def _put_score(self, line: Line | Damaged | Record, place: str) -> SampleKey | None:
        if isinstance(line, Line):
            number = self._known(line.key)
            if number is not None and line.of in (None, self._answered.checksum(number)):
                self._scored.put(number, line, failed=line.failed)
                return line.key
            if number is not None and not self._answered.done(number):
                self._early.append(line)
        elif isinstance(line, Damaged):
            self.damaged.append(f"{place} of scores.jsonl")
        elif isinstance(mark := records.read_pass(line), PassBegin):
            self.scoring, self.scoring_ended = mark, False
            self._scored.clear()
        elif mark is not None:
            self.scoring_ended = True
        else:
            self.damaged.append(f"{place} of scores.jsonl")
        return None


class _Problems:
    """The lines of `samples.jsonl`, found by id."""

    def __init__(self, path: Path) -> None:
        self.ids: list[str] = []
        self._offsets = array("q")
        offset, hasher = 0, hashlib.sha256()
        with path.open("rb") as file:
            for raw in file:
                hasher.update(raw)
                self.ids.append(line_id(raw))
                self._offsets.append(offset)
                offset += len(raw)
        self.fingerprint = hasher.hexdigest()
        self.positions = {problem_id: position for position, problem_id in enumerate(self.ids)}
        self._file = path.open("rb")
        self._recent: OrderedDict[str, tuple[Problem, int]] = OrderedDict()
        """Problems read last, each with the length of its line."""
        self._held = 0

    def read(self, problem_id: str) -> Problem:
        found = self._recent.get(problem_id)
        if found is not None:
            self._recent.move_to_end(problem_id)
            return found[0]
        self._file.seek(self._offsets[self.positions[problem_id]])
        line = self._file.readline()
        problem = records.read_problem(json.loads(line))
        self._recent[problem_id] = (problem, len(line))
        self._held += len(line)
        while len(self._recent) > 1 and (self._held > REMEMBERED_BYTES or len(self._recent) > REMEMBERED):
            _, (_, size) = self._recent.popitem(last=False)
            self._held -= size
        return problem

    def close(self) -> None:
        self._file.close()


def require(path: Path) -> Manifest:
    """The manifest of a folder that must hold a run of ours.

    Raises:
        RunFolderError: It holds none, or a damaged one.
    """
    manifest = Manifest.read(path)
    if manifest is None:
        raise RunFolderError(f"{str(path)!r} is no run folder of skythought (it has no run.json).")
    if not (path / "samples.jsonl").exists():
        raise ProblemsChangedError(f"{str(path / 'samples.jsonl')!r} is missing. {PUT_BACK}")
    return manifest


def has_its_problems(path: Path, manifest: Manifest) -> bool:
    """Whether `samples.jsonl` is what the run was made with."""
    try:
        with (path / "samples.jsonl").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == manifest.dataset_fingerprint
    except FileNotFoundError:
        return False


def load(path: Path, lock: Lock | None) -> RunFolder:
    """Open an existing run, for reading and adding, or (without a lock) for reading alone.

    Raises:
        RunFolderError: It holds none, or a damaged one.
    """
    manifest = require(path)
    if lock is not None and stands_alone(path):
        raise RunFolderError(
            f"{str(path)!r}: its journals are gone, and its samples are in {PARQUET} only: it can be read, exported "
            "and compared, but neither continued nor scored. Put responses.jsonl and scores.jsonl back."
        )
    return RunFolder(path, manifest, lock)


def line_id(raw: bytes) -> str:
    """The id of a line of `samples.jsonl`, `{"id": "17", ...`, without reading the rest: rows may be megabytes."""
    start = len(b'{"id": ')
    try:
        problem_id, _ = _decoder.raw_decode(raw[start : start + 4096].decode("utf-8", "ignore"))
    except ValueError:  # a damaged line, which the file's fingerprint tells
        return ""
    return str(problem_id)
