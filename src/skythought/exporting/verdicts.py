"""Steps that look at one response: its verdict, how it ended, what it is worth as an example."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from skythought.errors import unknown
from skythought.exporting.example import Example
from skythought.exporting.exporter import Kind
from skythought.exporting.steps import Step
from skythought.runs.looping import is_looping
from skythought.runs.pass_rates import PassRates

__all__ = ["FAULTS", "Asked", "Faultless", "InWindow", "Judged", "require_faults"]


class Judged(Step):
    """Right responses; for preferences, right and wrong ones."""

    def __init__(self, kind: Kind, *, by_majority: bool = False) -> None:
        super().__init__()
        self._by_majority = by_majority
        self._wrong_too = kind in ("dpo", "kto")
        self.name = "right or wrong" if self._wrong_too else "right"

    def why_not(self, example: Example) -> str | None:
        """Its verdict, unless that is wanted."""
        if example.right or (example.right is not None and self._wrong_too):
            return None
        sample = example.sample
        if example.has_gold or sample.error is not None or sample.score is None:
            return sample.verdict or "not scored"
        if sample.answer is None:
            return "unparsed"
        if not self._by_majority:
            return "without a gold answer (see --majority)"
        return "without a majority" if example.right is None else "not of the majority"


class Asked(Step):
    """Each problem once, whatever the model made of it, if there is a gold answer to reward by."""

    name = "one of each problem"

    def __call__(self, examples: Iterator[Example]) -> Iterator[Example]:
        """The first sample of each problem."""
        before = None
        for example in examples:
            this = example.problem_key
            if example.problem.target is None:
                self.drop("no gold answer")
            elif this == before:
                self.drop("another sample of the problem")
            else:
                yield self.keep(example)
            before = this


class InWindow(Step):
    """Problems of a pass rate."""

    def __init__(self, rates: PassRates) -> None:
        super().__init__()
        self._rates = rates
        self.name = f"pass rate {rates}"

    def why_not(self, example: Example) -> str | None:
        """On which side of the window its problem is."""
        rate = example.pass_rate
        if rate is None:
            return "pass rate not known"
        if rate < self._rates.low:
            return "too hard"
        return "too easy" if rate > self._rates.high else None


def _is_unparsed(example: Example) -> bool:
    """Whether no answer was found; where there is no gold answer, the verdict does not tell."""
    sample = example.sample
    return sample.verdict == "unparsed" or (not example.has_gold and sample.answer is None)


def _thinks_on(example: Example) -> bool:
    return example.is_thinking_open


FAULTS: Mapping[str, Callable[[Example], bool]] = {
    "unparsed": _is_unparsed,
    "truncated": lambda example: example.sample.response.is_cut_off or example.sample.verdict == "truncated",
    "looping": lambda example: is_looping(example.thinking) or is_looping(example.answer),
    "open-thinking": _thinks_on,
}
"""What makes a response a bad example, whatever its verdict; looked for in this order."""


def require_faults(names: Collection[str]) -> list[str]:
    """The faults of these names; "none" stands for none.

    Raises:
        UserError: There is no such fault.
    """
    for name in names:
        if name not in (*FAULTS, "none"):
            raise unknown("fault in --drop", name, [*FAULTS, "none"])
    return [name for name in FAULTS if name in names]


class Faultless(Step):
    """Responses without any of these faults."""

    name = "without faults"

    def __init__(self, faults: Collection[str]) -> None:
        super().__init__()
        self._faults = [(name, FAULTS[name]) for name in faults]

    def why_not(self, example: Example) -> str | None:
        """The first fault that it has."""
        return next((name for name, has in self._faults if has(example)), None)
