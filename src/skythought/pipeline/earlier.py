"""What an earlier run says of the problems of this one: the verdicts on its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from skythought.errors import UserError
from skythought.runs.folder import RunFolder
from skythought.runs.pass_rates import PassRates
from skythought.runs.view import Run

__all__ = ["Earlier", "read_earlier"]


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
