"""Which responses of a problem are kept, and which of them make a pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from statistics import median

from skythought.errors import UserError, unknown
from skythought.exporting.example import Example, Pair
from skythought.exporting.reading import Source
from skythought.exporting.steps import Step, StepCount

__all__ = ["PAIRINGS", "WAYS", "Chosen", "Paired", "Quota", "subsets_of"]


def _by_problem(examples: Iterator[Example]) -> Iterator[list[Example]]:
    for _, samples in groupby(examples, key=lambda example: example.problem_key):
        yield list(samples)


def _shortest(examples: Sequence[Example]) -> list[Example]:
    return sorted(examples, key=lambda example: example.length)


def _nearest(examples: Sequence[Example]) -> list[Example]:
    middle = median(example.length for example in examples)
    return sorted(examples, key=lambda example: abs(example.length - middle))


WAYS: Mapping[str, Callable[[Sequence[Example]], Sequence[Example]]] = {
    "first": list,
    "shortest": _shortest,
    "nearest": _nearest,
    "all": list,
}
"""Orders in which the responses of a problem are taken. Ties go to the earlier sample."""


def require_some(per_problem: int | None) -> None:
    """Refuse to keep none of a problem.

    Raises:
        UserError: It is below one.
    """
    if per_problem is not None and per_problem < 1:
        raise UserError(f"--per-problem {per_problem}: one at least.")


class Chosen(Step):
    """So many responses of each problem, and of each of the two sides where there are right and wrong ones."""

    def __init__(self, way: str, per_problem: int | None) -> None:
        """Raises UserError for a way that there is not, or for none of a problem."""
        super().__init__()
        require_some(per_problem)
        if way not in WAYS:
            raise unknown("way in --select", way, WAYS)
        self._way = WAYS[way]
        self._most = per_problem if per_problem is not None or way == "all" else 1
        self.name = f"{way}, {'all' if self._most is None else self._most} of a problem"

    def __call__(self, examples: Iterator[Example]) -> Iterator[Example]:
        """Those that are taken, in the order of the samples."""
        for samples in _by_problem(examples):
            taken: set[int] = set()
            for right in (True, False):
                side = [sample for sample in samples if bool(sample.right) is right]
                taken |= {id(sample) for sample in (self._way(side) if side else [])[: self._most]}
            for sample in samples:
                if id(sample) in taken:
                    yield self.keep(sample)
                else:
                    self.drop("others of the problem were taken")


def _near(samples: Sequence[Example]) -> list[Pair]:
    """Every right one with every wrong one, those of the nearest lengths first."""
    right, wrong = ([one for one in samples if one.right is side] for side in (True, False))
    pairs = [Pair(chosen, rejected) for chosen in right for rejected in wrong]
    return sorted(pairs, key=lambda pair: abs(pair.chosen.length - pair.rejected.length))


def _shorter(samples: Sequence[Example]) -> list[Pair]:
    """The shortest right one with the longest right one, the second shortest with the second longest, ..."""
    right = _shortest([one for one in samples if one.right])
    halves = zip(right[: len(right) // 2], reversed(right), strict=False)
    return [Pair(short, long) for short, long in halves if short.length < long.length]


PAIRINGS: Mapping[str, Callable[[Sequence[Example]], list[Pair]]] = {"near": _near, "shorter": _shorter}


class Paired:
    """Pairs of responses to a problem, no response in two of them."""

    def __init__(self, pairing: str, per_problem: int | None) -> None:
        """Raises UserError for a pairing that there is not, or for none of a problem."""
        require_some(per_problem)
        if pairing not in PAIRINGS:
            raise unknown("kind of --pairs", pairing, PAIRINGS)
        self._pairing = PAIRINGS[pairing]
        self._most = 1 if per_problem is None else per_problem
        self.name = "right and wrong of near length" if pairing == "near" else "shortest and longest right"
        self.kept = 0
        self.dropped: Counter[str] = Counter()
        self._chosen_length = self._rejected_length = 0

    def count(self) -> StepCount:
        """What it did, once all examples are through."""
        return StepCount(self.name, self.kept, dict(self.dropped))

    def card(self) -> str:
        """How long the responses of both sides are, as Markdown."""
        pairs = max(1, self.kept // 2)
        chosen, rejected = self._chosen_length / pairs, self._rejected_length / pairs
        return f"Mean length in tokens: {chosen:,.0f} of the chosen responses, {rejected:,.0f} of the rejected ones."

    def __call__(self, examples: Iterator[Example]) -> Iterator[Pair]:
        """The pairs, problem by problem."""
        for samples in _by_problem(examples):
            used: set[int] = set()
            for pair in self._pairing(samples):
                both = {id(pair.chosen), id(pair.rejected)}
                if len(used) < 2 * self._most and used.isdisjoint(both):
                    used |= both
                    self.kept += 2
                    self._chosen_length += pair.chosen.length
                    self._rejected_length += pair.rejected.length
                    yield pair
            self.dropped["in no pair"] += len(samples) - len(used)


class Quota(Step):
    """So many rows of each subset at most: the first ones, in the order of the runs."""

    def __init__(self, most: Mapping[str, int], subsets: Callable[[Example], str]) -> None:
        """
        Args:
            most: By subset; `*` stands for those that are not named, which otherwise have no limit.
            subsets: Which subset an example belongs to.

        Raises:
            UserError: A limit is no whole number.
        """
        for subset, limit in most.items():
            if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
                raise UserError(f"--quota: a whole number is wanted for {subset!r}, not {limit!r}.")
        super().__init__()
        self.name = "quota of its subset"
        self._most, self._subsets = most, subsets
        self._count: Counter[str] = Counter()

    def why_not(self, example: Example) -> str | None:
        """Whether its subset is full."""
        subset = self._subsets(example)
        limit = self._most.get(subset, self._most.get("*"))
        if limit is not None and self._count[subset] >= limit:
            return f"{subset or 'no subset'}: full"
        self._count[subset] += 1
        return None


def subsets_of(sources: Sequence[Source], column: str | None) -> Callable[[Example], str]:
    """What tells the subset of an example: a column of its row, or what its task reports by.

    Args:
        column: Name of either; by default the first thing that the task reports by.
    """
    groups_of = {source.number: source.run.groups_of for source in sources}

    def subset(example: Example) -> str:
        row, groups = example.problem.row, groups_of[example.source]
        if column is not None and column in row:
            return str(row[column])
        found = groups(row) if groups is not None else {}
        values = found.get(column, []) if column is not None else next(iter(found.values()), [])
        return values[0] if values else ""

    return subset
