"""Problems of benchmarks in training data: what is found, what goes, and what could not be looked for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from skythought.errors import UserError
from skythought.exporting.benchmarks import Benchmark, read_benchmarks
from skythought.exporting.ngrams import Index, Known, Match
from skythought.exporting.texts import COLUMNS, question_of, whole_of

__all__ = ["Checked", "Decontaminated", "Decontaminator", "Hit", "decontaminate"]

LISTED = 0.3
"""Coverage from which a match is worth a line, whatever is removed."""
ENOUGH, MOST_OF_IT = 12, 0.75
"""Where fewer words than these are repeated, they must be most of the problem: eight words of fifteen are a turn of
phrase. Chosen on benchmarks/decontamination.py."""

UNSHOWN = frozenset({"gpqa_diamond", "gpqa_main", "gpqa_extended", "hle"})
"""Benchmarks whose authors ask that their problems are not shown in plain text."""
NOT_SHOWN = "(not shown: the benchmark's authors ask for that)"

Row = TypeVar("Row", bound=Mapping[str, Any] | str)


@dataclass(frozen=True, slots=True)
class Hit:
    """A benchmark's problem in a training example, with both texts."""

    example: str
    """Which example: its id, or its number."""
    benchmark: str
    problem: str
    """The problem's id in the benchmark: the number of its row."""
    coverage: float
    """Share of the problem's words that the example repeats, in (0, 1]."""
    removed: bool
    """Whether the example was removed for it."""
    why: str
    """`whole`: a short problem, word for word; `n-grams`; or why it is kept: `other numbers`, `below the threshold`."""
    benchmark_text: str
    text: str
    """The example's."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked for of one benchmark."""

    benchmark: str
    problems: int
    """How many were looked for."""
    size: int | None
    """How many it should have, where that is known."""
    unreadable: int
    """Rows that hold no problem, and problems of one or two words."""
    why_not: str | None
    """Why nothing was looked for."""

    def __str__(self) -> str:
        """One line of what is missing; empty where nothing is."""
        if self.why_not:
            return f"{self.benchmark}: not checked: {self.why_not}"
        parts = []
        if self.size and self.problems + self.unreadable < self.size:
            parts.append(f"{self.problems:,} of {self.size:,} problems were at hand")
        if self.unreadable:
            parts.append(f"{self.unreadable:,} could not be looked for (no problem in the row, or too few words)")
        return f"{self.benchmark}: {'; '.join(parts)}" if parts else ""


class Decontaminator:
    """Benchmarks, read once; then examples are looked at one at a time."""

    def __init__(self, benchmarks: Iterable[Benchmark], ngram: int = 8, threshold: float = 0.5) -> None:
        """Read the benchmarks.

        Args:
            benchmarks: As `read_benchmarks` yields them.
            ngram: Words in a row that must be the same; problems with fewer are found as a whole.
            threshold: Share of a problem's words from which an example goes.

        Raises:
            UserError: A number is out of range, or nothing could be read.
        """
        if not 0 < threshold <= 1:
            raise UserError(f"threshold: a share above 0 and up to 1, not {threshold}.")
        read: list[Benchmark] = []

        def texts() -> Iterator[Known]:
            for benchmark in benchmarks:
                read.append(Benchmark(benchmark.name, (), benchmark.size, benchmark.unreadable, benchmark.why_not))
                counts[benchmark.name] = len(benchmark.texts)
                yield from benchmark.texts

        counts: Counter[str] = Counter()
        self.ngram, self.threshold = ngram, threshold
        self._index = Index(texts(), ngram)
        short = Counter(known.group for known in self._index.too_short)
        self.checked = [
            Checked(
                one.name, counts[one.name] - short[one.name], one.size, one.unreadable + short[one.name], one.why_not
            )
            for one in read
        ]
        """Every benchmark that was asked for, also what could not be read."""
        if not self._index.count:
            reasons = "; ".join(str(one) for one in self.checked if one.why_not) or "no problems were given"
            raise UserError(f"decontaminate: there is nothing to check against: {reasons}")

    @property
    def notices(self) -> list[str]:
        """What was not, or not wholly, looked for: one line each."""
        return [line for one in self.checked if (line := str(one))]

    def hits(self, text: str, example: str = "") -> list[Hit]:
        """Every problem for which this text has to go, or, if there is none, the nearest from `LISTED` on."""
        matches = self._index.matches(text, min(LISTED, self.threshold))
        hits = [self._hit(match, text, example) for match in matches]
        return [hit for hit in hits if hit.removed] or hits[:1]

    def _hit(self, match: Match, text: str, example: str) -> Hit:
        enough = match.words >= ENOUGH or match.coverage >= max(MOST_OF_IT, self.threshold)
        is_much = match.is_whole or (match.coverage >= self.threshold and enough)
        removed = is_much and not match.has_other_numbers
        why = "below the threshold" if not is_much else "other numbers" if match.has_other_numbers else "n-grams"
        known = match.known
        is_shown = known.group not in UNSHOWN
        return Hit(
            example=example,
            benchmark=known.group,
            problem=known.id,
            coverage=round(match.coverage, 4),
            removed=removed,
            why="whole" if match.is_whole else why,
            benchmark_text=known.text if is_shown else NOT_SHOWN,
            text=text if is_shown else NOT_SHOWN,
        )


@dataclass(frozen=True)
class Decontaminated(Generic[Row]):
    """Rows without those that hold a benchmark's problem."""

    kept: list[Row] = field(repr=False)
    removed: list[Row] = field(repr=False)
    hits: list[Hit] = field(repr=False)
    """All that was found, with both texts, the kept ones among them; `example` is the number of the row."""
    checked: list[Checked] = field(repr=False)
    """Every benchmark that was asked for, with what could not be looked for and why."""

    @property
    def notices(self) -> list[str]:
        """What was not, or not wholly, looked for: one line each."""
        return [line for one in self.checked if (line := str(one))]

    def write_hits(self, path: str | Path) -> None:
        """All hits as JSON lines."""
        lines = (json.dumps(asdict(hit), ensure_ascii=False) + "\n" for hit in self.hits)
        Path(path).expanduser().write_text("".join(lines), encoding="utf-8")


def decontaminate(
    rows: Iterable[Row],
    against: str | Sequence[str],
    *,
    ngram: int = 8,
    threshold: float = 0.5,
    column: str | None = None,
    answers: bool = False,
    task_args: Mapping[str, Mapping[str, Any]] | None = None,
) -> Decontaminated[Row]:
    """Take the rows out in which a benchmark's problem stands: see `skythought.decontaminate`.

    Raises:
        UserError: No such benchmark or file, or a row in which no problem is found.
    """
    names = [against] if isinstance(against, str) else list(against)
    judge = Decontaminator(read_benchmarks(names, task_args), ngram, threshold)
    kept: list[Row] = []
    removed: list[Row] = []
    hits: list[Hit] = []
    for number, row in enumerate(rows):
        text = (whole_of if answers else question_of)(row, column)
        if text is None:
            which = f"no text in column {column!r}" if column else f"no chat and no column of {', '.join(COLUMNS)}"
            raise UserError(f"decontaminate: row {number} has {which}; give column=NAME.")
        found = judge.hits(text, str(number))
        hits += found
        (removed if any(hit.removed for hit in found) else kept).append(row)
    return Decontaminated(kept, removed, hits, judge.checked)
