"""What an earlier run says of the problems of this one: the verdicts on its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from skythought.errors import UserError
from skythought.runs.folder import RunFolder
from skythought.runs.view import Run

__all__ = ["Earlier", "PassRates", "read_earlier"]


class PassRates(NamedTuple):
    """Shares of right answers, both ends included."""

    low: float
    high: float

    @classmethod
    def of(cls, text: str) -> PassRates:
        """As `--pass-rate` takes them: `0.1:0.9`, `10%:90%`, `:0.5`.

        Raises:
            UserError: It is something else.
        """
        low, colon, high = text.partition(":")
        try:
            rates = cls(_share(low, 0.0), _share(high, 1.0))
        except ValueError:
            rates = cls(1.0, 0.0)
        if not colon or not 0 <= rates.low <= rates.high <= 1:
            raise UserError(f"--pass-rate is the lowest and the highest share, such as 0.1:0.9, not {text!r}.")
        return rates

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


class Earlier(NamedTuple):
    """An earlier run, as far as it is about problems of this one."""

    name: str
    verdicts: Mapping[str, Sequence[bool]]
    """Whether each sample is right, in the order of their numbers, by problem; those without a verdict are left out."""

    def within(self, rates: PassRates, ids: Sequence[str]) -> list[str]:
        """Problems whose share of right answers lies in the window."""
        shares = {key: sum(right) / len(right) for key, right in self.verdicts.items() if right}
        return [key for key in ids if key in shares and rates.low <= shares[key] <= rates.high]


def read_earlier(path: str | Path, run: RunFolder, option: str) -> Earlier:
    """The verdicts of the run in a folder on the problems of an open run.

    Raises:
        UserError: There is none; a problem of the same id is another one there; it has no verdict on any of ours; or,
            for --versus, it asked until answers were right, so that its shares of right ones are no plain run's.
    """
    earlier = Run(path)
    if earlier.path.resolve() == run.path.resolve():
        raise UserError(f"{option} {str(path)!r} is the run itself; name another one.")
    if option == "--versus" and "estimates" in (earlier.statistics.get("asking") or {}):
        raise UserError(
            f"--versus {str(path)!r} asked its problems until they were right; take a run with all samples."
        )
    verdicts: dict[str, list[bool]] = {}
    for sample in earlier:
        key = sample.problem_id
        if key not in run:
            continue
        if key not in verdicts:
            ours = run.problem(key)
            # Of a folder of another program, only what was sent is known: a template around it may differ.
            if sample.problem.target is not None and sample.problem.prompt != ours.prompt:
                raise UserError(f"{option} {str(path)!r} is of other problems: problem {key} has another prompt there.")
            verdicts[key] = []
        if sample.correct is not None:
            verdicts[key].append(sample.correct)
    if not any(verdicts.values()):
        raise UserError(f"{option} {str(path)!r} has no verdict on any of this run's problems (is it scored?).")
    return Earlier(earlier.path.name, verdicts)


def _share(text: str, default: float) -> float:
    text = text.strip()
    return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1) if text else default
