"""Accuracy, pass@k, maj@k and their kin, as published: pure functions over counts of right samples per problem."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from skythought.metrics.tally import Tally

__all__ = [
    "accuracy",
    "accuracy_stderr",
    "bayes_at_n",
    "g_pass_at_k",
    "ks",
    "maj_at_k",
    "mean_at_n",
    "mg_pass_at_k",
    "pass_at_k",
    "pass_at_k_problems",
    "pass_at_k_stderr",
    "pass_at_k_table",
    "pass_hat_k",
]


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


def mean_at_n(tallies: Sequence[Tally]) -> float | None:
    """mean@n (avg@n): mean over problems of the share of right samples, in [0, 1]; None if none was scored.

    Equals `accuracy` where every problem has as many scored samples.
    """
    shares = [tally.right / tally.scored for tally in tallies if tally.scored]
    return math.fsum(shares) / len(shares) if shares else None


def pass_at_k(tally: Tally, k: int) -> float:
    """Chance that at least one of k samples is right, from n samples of which c are right, without bias.

    1 - C(n-c, k) / C(n, k) (Chen et al. 2021, "Evaluating Large Language Models Trained on Code", arXiv:2107.03374).
    Raises ValueError if there are fewer than k scored samples.
    """
    _check_k(tally.scored, k, "pass@")
    return 1.0 - math.comb(tally.scored - tally.right, k) / math.comb(tally.scored, k)


def pass_hat_k(tally: Tally, k: int) -> float:
    """pass^k: chance that all of k samples are right, C(c, k) / C(n, k) (Yao et al. 2024, arXiv:2406.12045).

    Raises ValueError if there are fewer than k scored samples.
    """
    _check_k(tally.scored, k, "pass^")
    return math.comb(tally.right, k) / math.comb(tally.scored, k)


def g_pass_at_k(tally: Tally, k: int, tau: float) -> float:
    """G-Pass@k_tau: chance that at least ceil(tau k) of k samples are right, and at least one.

    sum over j from ceil(tau k) to k of C(c, j) C(n-c, k-j) / C(n, k) (Liu et al. 2024, "Are Your LLMs Capable of Stable
    Reasoning?", arXiv:2412.13147). It is pass@k as tau goes to 0 and pass^k at tau = 1. Raises ValueError if there are
    fewer than k scored samples, or tau is not in [0, 1].
    """
    if not 0 <= tau <= 1:
        raise ValueError(f"tau of G-Pass@k is a share from 0 to 1, not {tau}")
    # 0.55 * 100 is 55.00000000000001: a threshold that is a whole number stays one
    return _at_least(tally, k, max(1, math.ceil(tau * k - 1e-9)))


def mg_pass_at_k(tally: Tally, k: int) -> float:
    """mG-Pass@k: G-Pass@k averaged over tau from 1/2 to 1, in [0, 1].

    (2 / k) sum over i from ceil(k/2) + 1 to k of G-Pass@k_{i/k} (arXiv:2412.13147). Raises ValueError if there are
    fewer than k scored samples.
    """
    _check_k(tally.scored, k, "mG-Pass@")
    return 2 / k * sum(_at_least(tally, k, i) for i in range(math.ceil(k / 2) + 1, k + 1))


def _at_least(tally: Tally, k: int, least: int) -> float:
    """Chance that at least `least` of k samples drawn without replacement are right."""
    _check_k(tally.scored, k, "G-Pass@")
    n, c = tally
    ways = sum(math.comb(c, j) * math.comb(n - c, k - j) for j in range(least, k + 1))
    return ways / math.comb(n, k)


def _check_k(scored: int, k: int, name: str) -> None:
    if k < 1:
        raise ValueError(f"k of {name}k is at least 1, not {k}")
    if scored < k:
        raise ValueError(f"{name}{k} needs {k} samples, not {scored}")


def bayes_at_n(tallies: Sequence[Tally]) -> tuple[float, float] | None:
    """Bayes@N: mean and standard deviation of the posterior of the mean accuracy on *these* problems.

    Every problem's chance has the prior Beta(1, 1): mean of (1+c)/(n+2); variance (1/M^2) sum of
    (1+c)(1+n-c) / ((n+2)^2 (n+3)) (Hariri et al. 2025, "Don't Pass@k: A Bayesian Framework for Large Language Model
    Evaluation", arXiv:2510.04265). A problem without samples keeps its prior. The error says nothing about other
    problems. None without problems.
    """
    if not tallies:
        return None
    mean = math.fsum((1 + c) / (n + 2) for n, c in tallies) / len(tallies)
    variance = math.fsum((1 + c) * (1 + n - c) / ((n + 2) ** 2 * (n + 3)) for n, c in tallies)
    return mean, math.sqrt(variance) / len(tallies)


def maj_at_k(classes: Sequence[tuple[int, bool]], unparsed: int, k: int) -> float:
    """maj@k (cons@k): chance that the most frequent answer of k samples is right, drawn without replacement.

    `classes` are the classes of equivalent answers among a problem's samples: how many samples gave it, and whether it
    is right. `unparsed` samples gave no answer: they take a place among the k but never vote. Among answers that are
    tied for most frequent, the point is shared: right ones / tied ones. If none votes, it is not right.

    Exact for every k, without listing subsets: for each top count t, the chances are the coefficients of the
    product over classes of sum over c <= t of C(size, c) x^c y^[c = t], where x counts the samples and y who is tied.
    (The vote: Wang et al. 2022, "Self-Consistency", arXiv:2203.11171.) Raises ValueError if there are fewer than k
    samples.
    """
    n = unparsed + sum(size for size, _ in classes)
    _check_k(n, k, "maj@")
    most = max((size for size, right in classes if right), default=0)
    share = sum(_right_at_top(classes, unparsed, k, top) for top in range(1, min(k, most) + 1))
    return min(1.0, share / _chance(n, k, k / n))


def _right_at_top(classes: Sequence[tuple[int, bool]], unparsed: int, k: int, top: int) -> float:
    """Chance that k samples are drawn and `top` of them have the most frequent answer, times its right share.

    Here each sample is drawn with chance k / n, as if alone: given that k are, all sets of k are equally likely.
    """
    import numpy as np

    rate = k / (unparsed + sum(size for size, _ in classes))
    # [samples drawn, classes tied]: the chance, and the chance times the right classes among the tied
    chances = np.zeros((k + 1, k // top + 1))
    right_chances = np.zeros_like(chances)
    for drawn in range(min(unparsed, k) + 1):
        chances[drawn, 0] = _chance(unparsed, drawn, rate)
    for size, right in classes:
        before, right_before = chances, right_chances
        chances, right_chances = np.zeros_like(before), np.zeros_like(before)
        for drawn in range(min(size, top) + 1):
            factor, rest = _chance(size, drawn, rate), k + 1 - drawn
            if drawn < top:
                chances[drawn:] += factor * before[:rest]
                right_chances[drawn:] += factor * right_before[:rest]
            else:
                chances[drawn:, 1:] += factor * before[:rest, :-1]
                right_chances[drawn:, 1:] += factor * (right_before + right * before)[:rest, :-1]
    return sum(float(right_chances[k, tied]) / tied for tied in range(1, chances.shape[1]))


def _chance(size: int, drawn: int, rate: float) -> float:
    """Binomial, by logarithms, so that no number of samples is too large."""
    if rate == 1:
        return float(drawn == size)
    ways = math.lgamma(size + 1) - math.lgamma(drawn + 1) - math.lgamma(size - drawn + 1)
    return math.exp(ways + drawn * math.log(rate) + (size - drawn) * math.log1p(-rate))


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
