"""The numbers of a run whose problems were asked only until enough answers were right: without the bias of that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from skythought.metrics.estimates import ks as usual_ks
from skythought.metrics.intervals import gaffke
from skythought.metrics.stopped import Tries, pass_at_k_stopped, tries_of
from skythought.runs.asked import read_asked
from skythought.runs.folder import RunFolder
from skythought.runs.metrics import LEVEL, Metric, Metrics
from skythought.runs.sample import Sample
from skythought.types import Score

__all__ = ["Stopped", "ended_in", "measure_stopped", "stopped", "wanted_in"]


def wanted_in(folder: Path) -> int | None:
    """The right answers after which a run's problems were asked no more, the last time; None if that was never so."""
    return next((entry.until_correct for entry in reversed(read_asked(folder)) if entry.until_correct), None)


def stopped(run: RunFolder) -> Stopped | None:
    """To gather a run's problems with; None for a run that is whole, or in which no verdict ended a problem's turn."""
    wanted = wanted_in(run.path)
    if wanted is None or next(run.pending(), None) is None:
        return None
    return Stopped(wanted, run.config.n)


def measure_stopped(
    ended: Iterable[Tries], n: int, ks: Sequence[int] = (), *, level: float = LEVEL, notes: Sequence[str] = ()
) -> Metrics:
    """Accuracy and pass@k of problems that were asked until enough was right.

    Their kin are not given: pass^k, G-Pass@k, maj@k and Bayes@N, as published, are for a number of samples that no
    verdict decides.
    """
    problems = list(ended)
    told = (*notes, "asked until right: only accuracy and pass@k, which can be told without the bias of that")
    found = []
    for k in dict.fromkeys((1, *(ks or usual_ks(n)))):
        values = [value for problem in problems if (value := pass_at_k_stopped(problem, k)) is not None]
        if values:
            name, also = ("accuracy", ("pass@1",)) if k == 1 else (f"pass@{k}", ())
            interval = gaffke(values, (0, 1), level)
            found.append(Metric(name, sum(values) / len(values), len(values), interval, also=also))
    return Metrics(level, tuple(found), told)


def ended_in(problems: Iterable[Sequence[Score | None]], wanted: int, n: int) -> Iterator[Tries]:
    """How asking ended, from the scores of each problem's samples by their numbers; the unfinished are left out."""
    for scores in problems:
        verdicts = [score.correct for score in takewhile(lambda score: score is not None, scores) if score is not None]
        if (tries := tries_of(verdicts, wanted, n)) is not None:
            yield tries


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

    def put_right(self, top: dict[str, Any], ours: dict[str, Any], ks: Sequence[int] = ()) -> None:
        """Replace the numbers of a summary that this stopping biases: by ones without bias, or none.

        Args:
            top: Its top level. `accuracy` becomes the mean over problems, which it is in a plain run.
            ours: What stands under `configuration.skythought`.
            ks: Of pass@k among the estimates, if not the usual ones.
        """
        usual = measure_stopped(self._ended, self._n)
        top |= self._numbers(usual)
        ours["estimates"] = measure_stopped(self._ended, self._n, ks).record()
        ours["pass_at_k_problems"] = {_key(one): one.problems for one in usual} if self._n > 1 else None
        # Means over samples, of which there is no estimate without bias.
        ours |= {"accuracy_without_cut_off": None, "metrics": {}}
        for column, parts in ours["by"].items():
            for value, part in parts.items():
                found = measure_stopped(self._groups.get((column, value), []), self._n)
                limits = [one.record()["interval"] for one in found if one.name == "accuracy"]
                part |= {**self._numbers(found), "interval": limits[0] if limits else None}
                part.pop("p_adjusted", None)

    def _numbers(self, found: Metrics) -> dict[str, Any]:
        """Accuracy and pass@k as a plain run's summary writes them."""
        accuracy = next((round(one.value, 4) for one in found if one.name == "accuracy"), None)
        table = {_key(one): round(100 * one.value, 3) for one in found}
        ordered = {key: table[key] for k in usual_ks(self._n) if (key := f"k={k}") in table}
        return {"accuracy": accuracy, "pass_at_k": (ordered or None) if self._n > 1 else None}

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


def _key(metric: Metric) -> str:
    return f"k={1 if metric.name == 'accuracy' else metric.name.removeprefix('pass@')}"
