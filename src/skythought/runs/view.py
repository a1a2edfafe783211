"""A run to read: its numbers and its samples, whoever made it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skythought.errors import RunFolderError
from skythought.runs.jsonfile import read_entries

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Run", "Sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One response with its verdict, as `results.json` has it."""

    problem_id: str
    sample: int
    prompt: str
    content: str
    """The whole assistant turn: prefill, thinking, answer."""
    correct: bool | None
    """None: not scored, or failed."""
    reason: str | None
    verdict: str | None
    answer: str | None
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    row: Mapping[str, Any] = field(repr=False)
    """The dataset's columns of the problem, as recorded."""
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Everything else in the record of the response (seed, reasoning, fraction, ...)."""


class Run:
    """A run folder to read. Iterating streams its samples, problem by problem, holding one problem in memory.

    >>> run = Run("runs/tiny_arithmetic_1a2b3c")        # doctest: +SKIP
    >>> run.accuracy, sum(s.correct for s in run)       # doctest: +SKIP
    (0.62, 124)
    """

    def __init__(self, path: str | Path) -> None:
        """Raises RunFolderError if the folder has no `summary.json` (not a run, or one that was never finished)."""
        self.path = Path(path).expanduser()
        try:
            text = (self.path / "summary.json").read_text(encoding="utf-8")
            self.summary: dict[str, Any] = json.loads(text)
        except FileNotFoundError:
            raise RunFolderError(
                f"{str(self.path)!r} has no summary.json: not a run, or one that has not finished "
                "(`skythought score` or --resume makes it)."
            ) from None
        except ValueError as error:
            raise RunFolderError(f"{str(self.path / 'summary.json')!r} is damaged: {error}.") from None

    @property
    def accuracy(self) -> float | None:
        """Mean over judged samples, in [0, 1]; None if nothing was judged."""
        value: float | None = self.summary["accuracy"]
        return value

    @property
    def pass_at_k(self) -> dict[str, float] | None:
        """pass@k in percent by `"k=4"`-like keys; None for one sample a problem."""
        value: dict[str, float] | None = self.summary["pass_at_k"]
        return value

    @property
    def statistics(self) -> dict[str, Any]:
        """Our additions to the reference's summary: standard errors, verdict counts, versions, ...; may be empty."""
        value: dict[str, Any] = self.summary["configuration"].get("skythought", {})
        return value

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, accuracy={self.accuracy})"

    def __iter__(self) -> Iterator[Sample]:
        for problem_id, record in read_entries(self.path / "results.json"):
            known = {"responses", "token_usages", "input_conversation", "prompt", "_index"}
            row = {key: value for key, value in record.items() if key not in known}
            usages = record.get("token_usages") or [{}] * len(record["responses"])
            for number, (entry, usage) in enumerate(zip(record["responses"], usages, strict=False)):
                yield _sample(problem_id, number, record.get("prompt", ""), row, entry, usage)

    def to_pandas(self) -> DataFrame:
        """One row a sample; the columns are the fields of `Sample`, with the dataset's columns in front.

        Needs pandas (`pip install pandas`). All samples are in memory then.
        """
        import pandas

        fields = [name for name in Sample.__slots__ if name not in ("row", "details")]
        return pandas.DataFrame(
            [
                {**{f"row.{key}": value for key, value in sample.row.items()}}
                | {name: getattr(sample, name) for name in fields}
                for sample in self
            ]
        )


def _sample(
    problem_id: str, number: int, prompt: str, row: dict[str, Any], entry: dict[str, Any], usage: dict[str, Any]
) -> Sample:
    named = {"content", "correctness", "reason", "verdict", "answer", "finish_reason"}
    return Sample(
        problem_id=problem_id,
        sample=number,
        prompt=prompt,
        content=entry["content"],
        correct=entry.get("correctness"),
        reason=entry.get("reason"),
        verdict=entry.get("verdict"),
        answer=entry.get("answer"),
        finish_reason=entry.get("finish_reason"),
        prompt_tokens=usage.get("prompt_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
        row=row,
        details={key: value for key, value in entry.items() if key not in named},
    )
