"""What a comparison keeps of a run: some numbers and fingerprints for each problem, never a text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from skythought.metrics import Tally
from skythought.runs.sample import Sample
from skythought.runs.view import Run
from skythought.types import Problem

__all__ = ["Asked", "GroupsOf", "Outcomes", "ReadRun", "read"]

GroupsOf = Callable[[Mapping[str, Any]], dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Fingerprints of what was asked about a problem, to tell whether two runs asked the same."""

    texts: tuple[bytes, ...]
    """Of the task's prompt and of the user's turn as it was sent: another program records only the latter."""
    shots: bytes | None
    """Of the solved examples that were sent as turns; None: nothing was sent yet."""
    target: bytes | None
    """None: not recorded."""
    row: Mapping[str, bytes]
    """Of each of the dataset's columns."""

    def is_same_prompt(self, other: Asked) -> bool:
        """Whether both runs asked the same text after the same examples."""
        return self.has_same_text(other) and (None in (self.shots, other.shots) or self.shots == other.shots)

    def has_same_text(self, other: Asked) -> bool:
        """Whether both runs asked the same text."""
        return not set(self.texts).isdisjoint(other.texts)

    def is_same_problem(self, other: Asked) -> bool:
        """Whether both are about one problem: the same text, or the same row of the dataset in other words.

        Another program may record fewer columns: those of one run must be among those of the other.
        """
        if self.has_same_text(other):
            return True
        shared = self.row.keys() & other.row.keys()
        return (
            bool(shared)
            and len(shared) == min(len(self.row), len(other.row))
            and all(self.row[name] == other.row[name] for name in shared)
        )


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a run has of one problem, in numbers."""

    problem_id: str
    asked: Asked
    tally: Tally
    """Scored samples, and how many of them are right."""
    failed: int
    """Samples that failed for reasons that are not the model's; they count nowhere else."""
    unscored: int
    answered: int
    cut_off: int
    """Answers that were cut off at the token limit, right or not."""
    unparsed: int
    """Scored samples in which no answer was found."""
    counted: int
    """Answers whose tokens are known."""
    tokens: int
    """Completion tokens of those together."""
    groups: tuple[tuple[str, str], ...]
    """Column and value of what the task reports by."""


@dataclass(frozen=True)
class ReadRun:
    """A run as far as a comparison needs it."""

    run: Run
    task: str
    """The task's name; empty where none is recorded."""
    model: str
    """The model's name; empty where none is recorded."""
    problems: Mapping[str, Outcomes] = field(repr=False)
    """By id, in the run's order; also those that have no sample yet."""
    samples_per_problem: int
    knows_cut_off: bool
    """Whether it is recorded why answers ended."""
    knows_unparsed: bool
    """Whether it is recorded in which no answer was found."""

    @property
    def expected(self) -> int:
        """Samples that the run has when it is finished."""
        return self.samples_per_problem * len(self.problems)

    @property
    def missing(self) -> int:
        """Samples without a verdict: not asked yet, failed, or not scored yet."""
        return self.expected - sum(one.tally.scored for one in self.problems.values())


def read(run: Run, groups_of: GroupsOf | None) -> ReadRun:
    """Read a run once, from the first sample to the last, one problem in memory.

    Args:
        groups_of: Under which values a row counts, where the run itself does not know.

    Raises:
        RunFolderError: The folder is damaged.
    """
    groups = run.groups_of or groups_of or (lambda _: {})
    problems: dict[str, Outcomes] = {}
    samples_of_one, ended, verdicts = 0, False, False
    for problem, samples in run.problems():
        problems[problem.id] = _outcomes(problem, samples, groups)
        samples_of_one = max(samples_of_one, len(samples))
        ended = ended or any(sample.finish_reason is not None for sample in samples)
        verdicts = verdicts or any(sample.answer is not None or sample.verdict == "unparsed" for sample in samples)
    configuration = run.summary["configuration"]
    n = run.statistics.get("samples_per_problem") or samples_of_one
    return ReadRun(
        run=run,
        task=str(configuration.get("task", {}).get("name", "")),
        model=str(configuration.get("model", {}).get("name", "")),
        problems=problems,
        samples_per_problem=max(n, samples_of_one),
        knows_cut_off=ended,
        knows_unparsed=verdicts,
    )


def _outcomes(problem: Problem, samples: list[Sample], groups_of: GroupsOf) -> Outcomes:
    scored = [sample for sample in samples if sample.correct is not None]
    answered = [sample for sample in samples if sample.error is None]
    tokens = [sample.completion_tokens for sample in answered if sample.completion_tokens is not None]
    failed = sum(sample.verdict == "failed" for sample in samples)
    return Outcomes(
        problem_id=problem.id,
        asked=_asked(problem, samples[0] if samples else None),
        tally=Tally(len(scored), sum(bool(sample.correct) for sample in scored)),
        failed=failed,
        unscored=len(samples) - len(scored) - failed,
        answered=len(answered),
        cut_off=sum(sample.response.is_cut_off or sample.verdict == "truncated" for sample in answered),
        unparsed=sum(sample.verdict == "unparsed" for sample in scored),
        counted=len(tokens),
        tokens=sum(tokens),
        groups=tuple(
            (intern(name), intern(value)) for name, values in groups_of(problem.row).items() for value in values
        ),
    )


def _asked(problem: Problem, sample: Sample | None) -> Asked:
    texts = {problem.prompt} if sample is None else {problem.prompt, sample.prompt}
    turns = () if sample is None else sample.messages
    users = [number for number, turn in enumerate(turns) if turn["role"] == "user"]
    shots = [turn["content"] for turn in turns[: users[-1]] if turn["role"] != "system"] if users else []
    return Asked(
        texts=tuple(_fingerprint(text) for text in texts if text),
        shots=None if sample is None else _fingerprint(shots),
        target=None if problem.target is None else _fingerprint(problem.target),
        row={intern(name): _fingerprint(value) for name, value in problem.row.items()},
    )


def _fingerprint(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
