"""Accuracy, pass@k and their standard errors: pure functions over counts of right samples per problem."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = [
    "Tally",
    "accuracy",
    "accuracy_stderr",
    "ks",
    "pass_at_k",
    "pass_at_k_problems",
    "pass_at_k_stderr",
    "pass_at_k_table",
]


class Tally(NamedTuple):
    """Scored samples of one problem, and how many of them are right. Failed samples are not counted."""

    scored: int
    right: int


def accuracy(tallies: Iterable[Tally]) -> float | None:
    """Mean over all scored samples, in [0, 1]; None if none was scored."""
    scored = right = 0
    for tally in tallies:
        scored += tally.scored
        right += tally.right
    return right / scored if scored else None


def accuracy_stderr(tallies: Sequence[Tally]) -> float | None:
    """Standard error of `accuracy`, clustered by problem.

    Samples of one problem are not independent, so their deviations are added up before squaring:
    sqrt(sum over problems of (sum over its samples of (s - mean))^2) / number of samples
    (Miller 2024, "Adding Error Bars to Evals", arXiv:2411.00640, section 2.2). None for fewer than two problems.
    """
    mean = accuracy(tallies)
    clusters = [tally for tally in tallies if tally.scored]
    if mean is None or len(clusters) < 2:
        return None
    squares = sum((tally.right - mean * tally.scored) ** 2 for tally in clusters)
    return math.sqrt(squares) / sum(tally.scored for tally in clusters)


def pass_at_k(tally: Tally, k: int) -> float:
    """Chance that at least one of k samples is right, from n samples of which c are right, without bias.

    1 - C(n-c, k) / C(n, k) (Chen et al. 2021, "Evaluating Large Language Models Trained on Code", arXiv:2107.03374).
    Raises ValueError if there are fewer than k scored samples.
    """
    n, c = tally
    if n < k:
        raise ValueError(f"pass@{k} needs {k} samples, not {n}")
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def ks(n: int) -> list[int]:
    """The k reported for n samples a problem: n, and the powers of two below it, downwards."""
    powers = [2**i for i in range(max(n - 1, 0).bit_length() - 1, -1, -1)]
    return [n, *powers] if n not in powers else powers


def _chances(tallies: Sequence[Tally], k: int) -> list[float]:
    return [pass_at_k(tally, k) for tally in tallies if tally.scored >= k]


def pass_at_k_table(tallies: Sequence[Tally], n: int) -> dict[str, float] | None:
    """Mean pass@k over problems in percent, as the reference writes it: `{"k=4": 66.667, "k=2": ..., "k=1": ...}`.

    None for n = 1. A problem with failed samples counts only for the k that it still has enough samples for; a k that
    no problem reaches is left out.
    """
    if n < 2:
        return None
    columns = {f"k={k}": _chances(tallies, k) for k in ks(n)}
    return {key: round(100 * sum(values) / len(values), 3) for key, values in columns.items() if values}


def pass_at_k_problems(tallies: Sequence[Tally], n: int) -> dict[str, int] | None:
    """How many problems each entry of `pass_at_k_table` is over: those with at least k scored samples."""
    if n < 2:
        return None
    counts = {f"k={k}": len(_chances(tallies, k)) for k in ks(n)}
    return {key: count for key, count in counts.items() if count}


def pass_at_k_stderr(tallies: Sequence[Tally], n: int) -> dict[str, float] | None:
    """Standard error over problems of each entry of `pass_at_k_table`, in percent; None for n = 1."""
    if n < 2:
        return None
    errors: dict[str, float] = {}
    for k in ks(n):
        values = _chances(tallies, k)
        if len(values) > 1:
            mean = sum(values) / len(values)
            variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
            errors[f"k={k}"] = round(100 * math.sqrt(variance / len(values)), 3)
    return errors
