"""The numbers of a run whose problems were asked only until enough answers were right: without the bias of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skythought.metrics import ks
from skythought.metrics.stopped import Tries, mean_and_error, pass_at_k_stopped, tries_of
from skythought.runs.asked import read_asked
from skythought.runs.folder import RunFolder
from skythought.runs.sample import Sample

__all__ = ["Stopped", "stopped"]


def stopped(run: RunFolder) -> Stopped | None:
    """To gather a run's problems with; None for a run that is whole, or in which no verdict ended a problem's turn."""
    wanted = next((entry.until_correct for entry in reversed(read_asked(run.path)) if entry.until_correct), None)
    if wanted is None or next(run.pending(), None) is None:
        return None
    return Stopped(wanted, run.config.n)


class Stopped:
    """Gathers how asking ended, problem by problem: three numbers each."""

    def __init__(self, wanted: int, n: int) -> None:
        self._wanted = wanted
        self._n = n
        self._ended: list[Tries] = []
        self._groups: dict[tuple[str, str], list[Tries]] = {}
        self._unfinished = 0
        self._asked = 0

    def add_problem(self, samples: Sequence[Sample], groups: Mapping[str, Sequence[str]]) -> None:
        """Count one problem, also under the values of its `groups`."""
        self._asked += len(samples)
        verdicts = []
        for number, sample in enumerate(samples):
            if sample.sample != number or sample.error is not None or sample.verdict is None:
                break
            verdicts.append(sample.correct)
        tries = tries_of(verdicts, self._wanted, self._n)
        if tries is None:
            self._unfinished += bool(samples)
            return
        self._ended.append(tries)
        for column, values in groups.items():
            for value in values:
                self._groups.setdefault((column, value), []).append(tries)

    def put_right(self, top: dict[str, Any], ours: dict[str, Any]) -> None:
        """Replace the numbers of a summary that this stopping biases: by ones without bias, or none.

        Args:
            top: Its top level. `accuracy` becomes the mean over problems, which it is in a plain run.
            ours: What stands under `configuration.skythought`.
        """
        accuracy, stderr = _part(self._ended)
        table, errors, counts = self._table(self._ended)
        top |= {"accuracy": accuracy, "pass_at_k": table}
        ours |= {"accuracy_stderr": stderr, "pass_at_k_stderr": errors, "pass_at_k_problems": counts}
        # Means over samples, of which there is no estimate without bias.
        ours |= {"accuracy_without_cut_off": None, "metrics": {}}
        for column, parts in ours["by"].items():
            for value, part in parts.items():
                ended = self._groups.get((column, value), [])
                part["accuracy"], part["accuracy_stderr"] = _part(ended)
                part["pass_at_k"] = self._table(ended)[0]

    def record(self) -> dict[str, Any]:
        """For the summary: what was found, and how its numbers are estimated."""
        solved = sum(problem.solved for problem in self._ended)
        return {
            "until_correct": self._wanted,
            "solved": solved,
            "unsolved": len(self._ended) - solved,
            "unfinished": self._unfinished,
            "estimates": "unbiased under this stopping (Girshick, Mosteller & Savage 1946), over problems that ended",
        }

    def line(self) -> str:
        """The same for people."""
        solved = sum(problem.solved for problem in self._ended)
        planned = (len(self._ended) + self._unfinished) * self._n
        saved = 1 - self._asked / planned if planned else 0.0
        right = f"{self._wanted} right answer{'s' if self._wanted > 1 else ''}"
        unfinished = f", {self._unfinished:,} are unfinished" if self._unfinished else ""
        return (
            f"{solved:,} problems have {right}, {len(self._ended) - solved:,} used all {self._n} samples"
            f"{unfinished}: {self._asked:,} of {planned:,} samples asked, {saved:.0%} saved; accuracy and pass@k are "
            "estimated without the bias of this stopping"
        )

    def _table(
        self, ended: Sequence[Tries]
    ) -> tuple[dict[str, float] | None, dict[str, float] | None, dict[str, int] | None]:
        """pass@k in percent, standard errors, and over how many problems each is, as a plain run writes them."""
        if self._n < 2:
            return None, None, None
        table, errors, counts = {}, {}, {}
        for k in ks(self._n):
            values = [value for problem in ended if (value := pass_at_k_stopped(problem, k)) is not None]
            if values:
                mean, error = mean_and_error(values)
                table[f"k={k}"], counts[f"k={k}"] = round(100 * mean, 3), len(values)
                if error is not None:
                    errors[f"k={k}"] = round(100 * error, 3)
        return table, errors, counts


def _part(ended: Sequence[Tries]) -> tuple[float | None, float | None]:
    """Accuracy and its standard error."""
    values = [value for problem in ended if (value := pass_at_k_stopped(problem, 1)) is not None]
    if not values:
        return None, None
    mean, error = mean_and_error(values)
    return round(mean, 4), None if error is None else round(error, 4)
