"""What a summary says of a run, gathered in one pass over its samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skythought.metrics import estimates
from skythought.metrics.intervals import accuracy_interval
from skythought.metrics.subsets import against_the_rest
from skythought.metrics.tally import Tally
from skythought.runs.classes import Votes
from skythought.runs.flags import was_looping
from skythought.runs.metrics import LEVEL, measure
from skythought.runs.remarks import Remarks
from skythought.runs.sample import Sample
from skythought.runs.stopped import Stopped

__all__ = ["Totals"]

MOST_GROUPS = 1000
"""Values of one column that are reported: a column of names of its own for every row is no subject."""


@dataclass
class Totals:
    """What the summary needs, gathered in one pass: a few numbers a problem, never a response."""

    tallies: list[Tally] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    finish_reasons: Counter[str] = field(default_factory=Counter)
    right_uncut: int = 0
    scored_uncut: int = 0
    """Scored samples that were not cut off at the token limit, and how many of them are right."""
    looping: int = 0
    """Answers that were cut off while they repeated themselves."""
    answered: int = 0
    counted: int = 0
    """Answers whose tokens are known."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    counted_seconds: float = 0.0
    """Of answers whose tokens are known."""
    first_tokens: list[float] = field(default_factory=list)
    """Seconds until the first token of each answer that was streamed."""
    remarks: Remarks = field(default_factory=Remarks)
    groups: dict[str, dict[str, list[Tally]]] = field(default_factory=dict)
    """Tallies of the problems under each value of each column that results are reported by."""
    metrics: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Sum and weight of each number that the scorer gives beside its verdict (see `metric_parts`)."""
    stopped: Stopped | None = None
    """For a run in which verdicts ended problems' turns."""

    def add_problem(self, samples: Sequence[Sample], groups: Mapping[str, Sequence[str]]) -> None:
        """Count one problem's samples, also under the values of its `groups`."""
        if self.stopped is not None:
            self.stopped.add_problem(samples, groups)
        scored = [sample for sample in samples if sample.correct is not None]
        tally = Tally(len(scored), sum(bool(sample.correct) for sample in scored))
        self.tallies.append(tally)
        for column, values in groups.items():
            for value in values:
                self.groups.setdefault(column, {}).setdefault(value, []).append(tally)
        uncut = [sample for sample in scored if not sample.response.is_cut_off]
        self.scored_uncut += len(uncut)
        self.right_uncut += sum(bool(sample.correct) for sample in uncut)
        for sample in scored:
            for name, (part, whole) in metric_parts(sample.details).items():
                total, weights = self.metrics.get(name, (0.0, 0.0))
                self.metrics[name] = (total + part, weights + whole)
        for sample in samples:
            self.verdicts[sample.verdict or "unscored"] += 1
            self.seconds += sample.response.seconds
            if sample.error is None:
                self.finish_reasons[sample.finish_reason or "unknown"] += 1
                self.answered += 1
                self.looping += was_looping(sample)
                if sample.completion_tokens is not None:
                    self.counted += 1
                    self.counted_seconds += sample.response.seconds
                if sample.response.first_token is not None:
                    self.first_tokens.append(sample.response.first_token)
                self.prompt_tokens += sample.prompt_tokens or 0
                self.completion_tokens += sample.completion_tokens or 0
                self.remarks.add(sample)

    @property
    def tokens_per_second(self) -> float | None:
        """Of one sample, on the average; None if unknown."""
        return round(self.completion_tokens / self.counted_seconds, 1) if self.counted_seconds else None

    def top_level(self, n: int) -> dict[str, Any]:
        """The reference's keys of `summary.json` after `configuration`."""
        mean = estimates.accuracy(self.tallies)
        scored = any(tally.scored for tally in self.tallies)
        return {
            "total_completion_tokens": self.completion_tokens,
            "avg_completion_tokens": round(self.completion_tokens / self.counted, 3) if self.counted else 0.0,
            "total_prompt_tokens": self.prompt_tokens,
            "avg_prompt_tokens": round(self.prompt_tokens / self.counted, 3) if self.counted else 0.0,
            "accuracy": None if mean is None else round(mean, 4),
            "pass_at_k": estimates.pass_at_k_table(self.tallies, n) if scored else None,
        }

    def additions(self, n: int, ks: Sequence[int] = (), votes: Sequence[Votes] = ()) -> dict[str, Any]:
        """What we report beyond the reference; `ks` and `votes` are for the estimates, see `measure`."""
        return {
            "k": list(ks) or None,
            "estimates": measure(self.tallies, n, ks, votes=votes).record(),
            "confidence": LEVEL,
            "accuracy_without_cut_off": round(self.right_uncut / self.scored_uncut, 4) if self.scored_uncut else None,
            "pass_at_k_problems": estimates.pass_at_k_problems(self.tallies, n),
            "problems": len(self.tallies),
            "samples_per_problem": n,
            "samples_pending": max(0, len(self.tallies) * n - self.answered),
            "samples": {"total": sum(self.verdicts.values()), **self.verdicts},
            "finish_reasons": dict(self.finish_reasons),
            "looping": self.looping,
            "samples_without_usage": self.answered - self.counted,
            "sent_otherwise": dict(self.remarks.sent),
            "remarks": self.remarks.lines(),
            "by": self._by(n),
            "metrics": {name: round(total / weight, 4) for name, (total, weight) in self.metrics.items() if weight},
        }

    def _by(self, n: int) -> dict[str, dict[str, dict[str, Any]]]:
        """Results by the values of each column, those with the most problems first; at most `MOST_GROUPS` of them."""
        by = {}
        for column, values in self.groups.items():
            largest = sorted(values.items(), key=lambda entry: -len(entry[1]))[:MOST_GROUPS]
            ps = against_the_rest(self.tallies, [tallies for _, tallies in largest])
            by[column] = {value: _part(tallies, n, p) for (value, tallies), p in zip(largest, ps, strict=True)}
        return by


def _part(tallies: list[Tally], n: int, p: float | None) -> dict[str, Any]:
    """The numbers of a part of the problems."""
    mean, interval = estimates.accuracy(tallies), accuracy_interval(tallies)
    part = {
        "problems": len(tallies),
        "problems_scored": sum(tally.scored > 0 for tally in tallies),
        "samples": sum(tally.scored for tally in tallies),
        "accuracy": None if mean is None else round(mean, 4),
        "interval": None if interval is None else [round(interval.low, 4), round(interval.high, 4)],
    }
    if p is not None:
        part["p_adjusted"] = float(f"{p:.3g}")
    return {**part, "pass_at_k": estimates.pass_at_k_table(tallies, n)} if n > 1 else part


def metric_parts(details: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """The numbers in a score's `details["metrics"]` as (value, weight).

    A number is averaged over samples; a pair [part, of] is pooled: the sum of parts over the sum of wholes.
    """
    given = details.get("metrics")
    parts: dict[str, tuple[float, float]] = {}
    for name, value in (given if isinstance(given, dict) else {}).items():
        pair = value if isinstance(value, list | tuple) else (value, 1)
        if len(pair) == 2 and all(isinstance(number, int | float) for number in pair):
            parts[name] = (pair[0], pair[1])
    return parts
