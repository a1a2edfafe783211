"""What a run's files hold, as typed values: this module alone knows how they are written.

    run.json          a `Manifest`
    samples.jsonl     a `Problem` a line
    responses.jsonl   a `Response` a line
    replies.jsonl     a `Reply` a line: what the judge said, where a scorer asks a model
    scores.jsonl      a `Score` a line; between them, where a pass of scoring begins (`PassBegin`) and ends (`PassEnd`)

Lines about a sample begin with its id, its number and what went wrong (null if nothing did), so that a folder can be
indexed without parsing them. docs/runs.md is the description for people.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

from skythought.config import RunConfig, check
from skythought.errors import RunFolderError, UserError
from skythought.runs.jsonfile import write_json
from skythought.types import MalformedRow, Problem, Response, SampleKey, Score, Verdict

__all__ = [
    "COPY",
    "FORMAT",
    "DamagedManifestError",
    "Manifest",
    "PassBegin",
    "PassEnd",
    "Reply",
    "is_reply",
    "is_response",
    "is_score",
    "pass_line",
    "problem_line",
    "read_pass",
    "read_problem",
    "read_reply",
    "read_response",
    "read_score",
    "reply_line",
    "response_line",
    "score_line",
]

FORMAT = 2
"""Version of the folder's format. 1 (of skythought 0.2.0, which wrote no number) has the same lines and is read."""

COPY = ".run.json"
"""A second `run.json`: what a run was made with is not lost with one file."""

SELDOM = ("first_token", "sent")
"""Fields of a response that are written only where there is something in them."""
RESPONSE_FIELDS = tuple(entry.name for entry in fields(Response) if entry.name not in ("key", "error", *SELDOM))
SCORE_FIELDS = tuple(entry.name for entry in fields(Score) if entry.name != "key")

Json = dict[str, Any]


@dataclass(frozen=True)
class PassBegin:
    """From here on in `scores.jsonl`, everything is scored anew."""

    header: Mapping[str, Any]
    """What it is scored with: the scorer and its arguments without secrets, the task's version, what the scorer's
    verdicts depend on here, and the judge, if there is one."""


@dataclass(frozen=True)
class PassEnd:
    """Everything was scored once: what failed then is not left over from a killed process."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a judge said to one of the questions that a scorer asks about a sample."""

    key: SampleKey
    question: int
    """Number of the question, from 0."""
    asked: str
    """Hash of the judge and of the conversation sent to it: a reply to another question is none to this one."""
    response: Response
    """Its `key` is the sample's. An `error` means that there is no reply; it is asked again."""


Kinds = Mapping[str, tuple[type, ...]]

NULL = type(None)
KEY_KINDS: Kinds = {"id": (str,), "sample": (int,), "error": (str, NULL)}
RESPONSE_KINDS: Kinds = {
    **KEY_KINDS,
    "content": (str, NULL),
    "reasoning": (str, NULL),
    "finish_reason": (str, NULL),
    "prompt_tokens": (int, NULL),
    "completion_tokens": (int, NULL),
    "thinking_open": (bool, NULL),
    "seconds": (int, float, NULL),
    "finished": (int, float, NULL),
}
SCORE_KINDS: Kinds = {
    **KEY_KINDS,
    "correct": (bool, NULL),
    "reason": (str, NULL),
    "answer": (str, NULL),
    "verdict": (str,),
    "fraction": (int, float, NULL),
    "details": (dict, NULL),
}
REPLY_KINDS: Kinds = {**RESPONSE_KINDS, "question": (int,), "asked": (str,)}


def is_response(record: Mapping[str, Any]) -> bool:
    """Whether a line's values are of the kinds that a response has; for lines without a checksum."""
    return _has_kinds(record, RESPONSE_KINDS)


def is_reply(record: Mapping[str, Any]) -> bool:
    """The same of a reply."""
    return _has_kinds(record, REPLY_KINDS)


def is_score(record: Mapping[str, Any]) -> bool:
    """The same of a score, or of a mark between scores."""
    if "id" not in record:
        return read_pass(record) is not None
    return _has_kinds(record, SCORE_KINDS) and record["verdict"] in get_args(Verdict)


def _has_kinds(record: Mapping[str, Any], kinds: Kinds) -> bool:
    """Whether every value is of its kind; one that may be null may be left out. A truth value is no number."""
    for name, allowed in kinds.items():
        value = record.get(name)
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return False
    return True


def response_line(response: Response) -> Json:
    """A line of `responses.jsonl`."""
    line = {**_key(response.key, response.error), **{name: getattr(response, name) for name in RESPONSE_FIELDS}}
    return line | {name: value for name in SELDOM if (value := getattr(response, name)) is not None}


def read_response(record: Mapping[str, Any]) -> Response:
    """The response that a line holds."""
    return Response(
        key=_sample(record),
        error=record.get("error"),
        content=record.get("content") or "",
        reasoning=record.get("reasoning"),
        finish_reason=record.get("finish_reason"),
        prompt_tokens=record.get("prompt_tokens"),
        completion_tokens=record.get("completion_tokens"),
        thinking_open=bool(record.get("thinking_open")),
        seconds=record.get("seconds") or 0.0,
        first_token=record.get("first_token"),
        sent=record.get("sent"),
        finished=record.get("finished") or 0.0,
    )


def reply_line(reply: Reply) -> Json:
    """A line of `replies.jsonl`."""
    line = response_line(reply.response)
    first = {name: line.pop(name) for name in ("id", "sample", "error")}
    return {**first, "question": reply.question, "asked": reply.asked, **line}


def read_reply(record: Mapping[str, Any]) -> Reply:
    """The reply that a line holds."""
    return Reply(_sample(record), int(record["question"]), str(record["asked"]), read_response(record))


def score_line(score: Score, of: int) -> Json:
    """A line of `scores.jsonl`.

    Args:
        of: Checksum of the line of `responses.jsonl` that was scored: a verdict is for that response and no other.
    """
    error = score.reason if score.verdict == "failed" else None
    key = {"id": score.key.problem_id, "sample": score.key.sample, "of": f"{of:08x}", "error": error}
    return {**key, **{name: getattr(score, name) for name in SCORE_FIELDS}}


def read_score(record: Mapping[str, Any]) -> Score:
    """The score that a line holds."""
    return Score(
        correct=record.get("correct"),
        reason=record.get("reason") or "",
        answer=record.get("answer"),
        verdict=record.get("verdict"),
        fraction=record.get("fraction"),
        details=record.get("details") or {},
        key=_sample(record),
    )


def pass_line(mark: PassBegin | PassEnd) -> Json:
    """A line between the scores."""
    return {"pass": dict(mark.header)} if isinstance(mark, PassBegin) else {"ended": True}


def read_pass(record: Mapping[str, Any]) -> PassBegin | PassEnd | None:
    """The mark that a line which is about no sample holds; None if it is none."""
    if isinstance(header := record.get("pass"), dict):
        return PassBegin(header)
    return PassEnd() if "ended" in record else None


def problem_line(problem: Problem) -> Json:
    """A line of `samples.jsonl`."""
    return {
        "id": problem.id,
        "prompt": problem.prompt,
        "target": problem.target,
        "choices": problem.choices,
        "row": problem.row,
        **({"shots": problem.shots} if problem.shots else {}),
    }


def read_problem(record: Mapping[str, Any]) -> Problem:
    """The problem that a line holds.

    Raises:
        RunFolderError: It holds none.
    """
    try:
        problem = Problem(
            id=record["id"],
            prompt=record["prompt"],
            target=record["target"],
            choices=tuple(record["choices"]),
            row=record["row"],
            shots=tuple((prompt, answer) for prompt, answer in record.get("shots", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(f"samples.jsonl: a line holds no problem: {type(error).__name__}: {error}.") from None
    texts = (problem.id, problem.prompt, *problem.choices, *(text for shot in problem.shots for text in shot))
    if not all(isinstance(text, str) for text in texts) or not isinstance(problem.row, dict):
        raise RunFolderError(f"samples.jsonl: problem {problem.id!r}: a value is of another kind than it was written.")
    return problem


class DamagedManifestError(RunFolderError):
    """`run.json` cannot be read, and there is no copy of it."""


class ManifestError(Exception):
    """Why a file is no manifest; never leaves this module."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The content of `run.json`: what was asked for and what the folder's problems are, whole."""

    config: RunConfig
    created: str
    """When the run was begun, as `2026-01-31T09:30:00Z`."""
    problems: int
    dataset_fingerprint: str
    """SHA-256 of `samples.jsonl`: of exactly what is asked and compared with."""
    dataset_revisions: Mapping[str, str] = field(default_factory=dict)
    """The dataset's repositories or addresses -> the commits (or ETags) that were read."""
    malformed_rows: tuple[MalformedRow, ...] = ()
    """Rows that could not become problems."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of Python and of the packages that can change an answer or a verdict."""
    lost: str = ""
    """What was wrong with `run.json`, if this was read from its copy."""

    def write(self, folder: Path) -> None:
        """Replace the folder's `run.json`, and its copy."""
        record = {
            "format": FORMAT,
            "created": self.created,
            "fingerprint": self.config.fingerprint,
            "problems": self.problems,
            "dataset_fingerprint": self.dataset_fingerprint,
            "dataset_revisions": dict(self.dataset_revisions),
            "malformed_rows": [asdict(row) for row in self.malformed_rows],
            "versions": dict(self.versions),
            "config": self.config.record(),
        }
        write_json(folder / COPY, record)
        write_json(folder / "run.json", record)

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """The folder's manifest, or its copy where that is missing or damaged; None if it holds no run of ours.

        Raises:
            RunFolderError: It is damaged and there is no copy, or a newer version wrote it.
        """
        path = folder / "run.json"
        why = ""
        try:
            return cls._of(path)
        except FileNotFoundError:
            why = "is missing"
        except ManifestError as error:
            why = f"is damaged ({error})"
        with suppress(FileNotFoundError, ManifestError):
            return replace(cls._of(folder / COPY), lost=why)
        with suppress(FileNotFoundError, ManifestError):
            return cls._of(path, is_exact=False)
        if why == "is missing":
            return None
        raise DamagedManifestError(
            f"{path} {why}, and there is no copy of it. --resume makes it anew and keeps all answers; --overwrite "
            "would delete them."
        )

    @classmethod
    def of_file(cls, path: Path) -> Manifest:
        """A `run.json`, wherever it lies and whatever it is called now; its settings may have been changed by hand.

        Raises:
            RunFolderError: It is damaged, or a newer version wrote it.
        """
        try:
            return cls._of(path, is_exact=False)
        except ManifestError as error:
            raise RunFolderError(f"{path}: a damaged run.json ({error}).") from None

    @classmethod
    def _of(cls, path: Path, is_exact: bool = True) -> Manifest:
        """Read a manifest; an exact one's settings have the fingerprint that stands beside them."""
        try:
            record = json.loads(path.read_bytes(), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"no JSON: {error}") from None
        needed = {"config", "created", "dataset_fingerprint", "malformed_rows", "versions"}
        if not isinstance(record, dict) or not record.keys() >= needed:
            raise ManifestError("it lacks what a run records")
        if not isinstance(version := record.get("format", 1), int) or version > FORMAT:
            raise RunFolderError(
                f"{path}: its format is {version!r}, and this version of skythought reads formats up to {FORMAT}; "
                "a newer one made it: update skythought."
            )
        try:
            config = check(RunConfig, record["config"], str(path))
            if is_exact and config.fingerprint != record.get("fingerprint", config.fingerprint):
                raise ManifestError("its settings are not those of its fingerprint")
            return cls(
                config=config,
                created=str(record["created"]),
                problems=int(record.get("problems", 0)),
                dataset_fingerprint=str(record["dataset_fingerprint"]),
                dataset_revisions=dict(record.get("dataset_revisions", {})),
                malformed_rows=tuple(MalformedRow(**row) for row in record["malformed_rows"]),
                versions=dict(record["versions"]),
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise ManifestError(f"{type(error).__name__}: {error}") from None
        except UserError as error:
            raise ManifestError(str(error)) from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _key(key: SampleKey, error: str | None) -> Json:
    return {"id": key[0], "sample": key[1], "error": error}


def _sample(record: Mapping[str, Any]) -> SampleKey:
    return SampleKey(record["id"], record["sample"])
