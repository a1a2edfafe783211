"""Samples as the page needs them: a few short columns of each in the index, and all of its text in a block."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from skythought.models.thinking import Split
from skythought.reporting.command import Commands
from skythought.runs.flags import flags_of, golds
from skythought.runs.sample import Sample
from skythought.tasks.report_by import GroupsOf

__all__ = ["Columns", "Place", "sample_text"]

ANSWER = 200
"""Characters of an extracted or gold answer in the index."""
FIRST = 120
CELL = 20_000
"""Characters of one column of the dataset's row: tests of a program may be megabytes."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run's samples come from, as far as their columns need it."""

    run: int
    """The number of the run on the page."""
    commands: Commands | None
    """None for a folder of another program."""
    groups_of: GroupsOf | None

    def subset(self, row: Mapping[str, Any]) -> str:
        """The values that a row is reported by, with a comma and a blank between them: what the page filters by."""
        groups = self.groups_of(row) if self.groups_of is not None else {}
        return ", ".join(" ".join(value.split()) for values in groups.values() for value in values)


@dataclass
class Columns:
    """An entry a sample in each; the names are those of the index."""

    run: list[int] = field(default_factory=list)
    id: list[str] = field(default_factory=list)
    sample: list[int] = field(default_factory=list)
    verdict: list[str | None] = field(default_factory=list)
    subset: list[str] = field(default_factory=list)
    tokens_in: list[int | None] = field(default_factory=list)
    tokens_out: list[int | None] = field(default_factory=list)
    answer: list[str | None] = field(default_factory=list)
    gold: list[str | None] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    """The first line of the answer."""
    flags: list[int] = field(default_factory=list)
    """`runs.flags.Flags` of each."""

    def __len__(self) -> int:
        return len(self.id)

    def put(self, at: int, place: Place, sample: Sample, parts: Split) -> None:
        """Write a sample's entries; `at` is its number, or the next one, and `parts` are those of the sample."""
        answer = parts.answer
        values = {
            "run": place.run,
            "id": sample.problem_id,
            "sample": sample.sample,
            "verdict": sample.verdict,
            "subset": place.subset(sample.row),
            "tokens_in": sample.prompt_tokens,
            "tokens_out": sample.completion_tokens,
            "answer": None if sample.answer is None else _short(sample.answer, ANSWER),
            "gold": _short(_gold(sample), ANSWER) if sample.problem.target is not None else None,
            "first": _first_line(answer if answer is not None else sample.error or ""),
            "flags": int(flags_of(sample, parts)),
        }
        for name, value in values.items():
            getattr(self, name)[at : at + 1] = [value]

    def since(self, number: int, block: int) -> dict[str, list[Any]]:
        """The columns of the index from a sample on, with the block and place in it of each (`block` to a block)."""
        names = {"tokens_in": "in", "tokens_out": "out"}
        found = {names.get(entry.name, entry.name): getattr(self, entry.name)[number:] for entry in fields(self)}
        numbers = range(number, len(self))
        found["block"], found["place"] = [at // block for at in numbers], [at % block for at in numbers]
        return found


def sample_text(place: Place, position: int, sample: Sample, parts: Split) -> Json:
    """All that there is to read about a sample, as JSON values.

    Args:
        position: Of its problem in the run, for the command that asks it again.
        parts: Those of the sample: to tell thinking from answer takes as long as everything else.
    """
    thinking, answer = parts
    details = dict(sample.details)
    if sample.fraction is not None:
        details.setdefault("fraction", sample.fraction)
    return {
        "messages": list(sample.messages),
        "thinking": thinking,
        "answer": answer or "",
        "read": sample.answer,
        "gold": _cut(_gold(sample)) if sample.problem.target is not None else None,
        "reason": sample.reason or "",
        "details": details,
        "seed": sample.seed,
        "finish_reason": sample.finish_reason,
        "prompt_tokens": sample.prompt_tokens,
        "completion_tokens": sample.completion_tokens,
        "seconds": sample.response.seconds or None,
        "error": sample.error,
        "row": {name: _cell(value) for name, value in sample.row.items()},
        "again": None if place.commands is None else place.commands.again(position, sample.sample),
    }


def _gold(sample: Sample) -> str:
    target = sample.problem.target
    return " or ".join(golds(target)) or json.dumps(target, ensure_ascii=False, default=str)


def _cell(value: Any) -> Any:
    if isinstance(value, str | int | float | bool | None):
        return _cut(value) if isinstance(value, str) else value
    text = json.dumps(value, ensure_ascii=False, default=str)
    return value if len(text) <= CELL else _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= CELL else f"{text[:CELL]} ... ({len(text):,} characters)"


def _first_line(text: str) -> str:
    line = next((line for line in text[: 10 * FIRST].splitlines() if line.strip()), "")
    return _short(line, FIRST)


def _short(text: str, most: int) -> str:
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most and len(text) <= 4 * most else f"{line[: most - 1]}…"
