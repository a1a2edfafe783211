"""Before a run: what difference could be seen, and would more problems or more samples help."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from skythought.metrics.intervals import normal_quantile
from skythought.metrics.tally import Tally

__all__ = [
    "Split",
    "detectable_difference",
    "equivalence_factor",
    "expected_split",
    "problems_needed",
    "samples_needed",
    "split_of_pair",
    "split_of_run",
]

CORRELATION = 0.5
"""Between two models' chances on a problem, where nothing is known: as Miller found among models of one benchmark."""

GUESSED_NOISE = 0.8
"""The part of the samples' noise in the variance of a difference at one sample each, as `expected_split` has it."""


class Split(NamedTuple):
    """Where the noise of a difference of two runs comes from (Miller 2024, arXiv:2411.00640, section 5)."""

    between: float
    """omega^2: variance over problems of the true difference. More samples do not touch it."""
    within_a: float
    """sigma^2 of run A: mean over problems of p (1 - p), the variance of one sample's verdict."""
    within_b: float

    def variance(self, n_a: int, n_b: int) -> float:
        """Of one problem's difference, with so many samples."""
        return self.between + self.within_a / n_a + self.within_b / n_b


def split_of_pair(a: Sequence[Tally], b: Sequence[Tally]) -> Split | None:
    """The split seen in two runs over the same problems; None with fewer than two problems scored in both.

    omega^2 = Var(d) - mean(a(1-a)/(n_a-1) + b(1-b)/(n_b-1)), not below 0. A run with one sample per problem cannot tell
    its own noise from the problems': two thirds of p(1-p) of its accuracy is taken, as if chances were spread evenly,
    but no more than four fifths of what was seen, which is the noise's part in `expected_split`. So for two such runs
    the variance at one sample is always the one that was seen.
    """
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x.scored and y.scored]
    if len(pairs) < 2:
        return None
    gains = [y.right / y.scored - x.right / x.scored for x, y in pairs]
    mean = math.fsum(gains) / len(gains)
    seen = sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
    within_a, within_b = _within([x for x, _ in pairs]), _within([y for _, y in pairs])
    noise = sum(within_a / x.scored + within_b / y.scored for x, y in pairs) / len(pairs)
    if noise > (most := GUESSED_NOISE * seen) and all(x.scored == y.scored == 1 for x, y in pairs):
        within_a, within_b, noise = within_a * most / noise, within_b * most / noise, most
    return Split(max(0.0, seen - noise), within_a, within_b)


def split_of_run(tallies: Sequence[Tally], correlation: float = CORRELATION) -> Split | None:
    """The split to expect of this run against another one like it, whose chances correlate so; None without samples.

    omega^2 = 2 Var(p_i) (1 - correlation), with Var(p_i) free of sampling noise where n > 1.
    """
    scored = [tally for tally in tallies if tally.scored]
    if not scored:
        return None
    shares = [tally.right / tally.scored for tally in scored]
    mean = math.fsum(shares) / len(shares)
    within = _within(scored)
    # Var(p) + E[p(1-p)] = mean (1 - mean)
    return Split(2 * max(0.0, mean * (1 - mean) - within) * (1 - correlation), within, within)


def expected_split(rate: float = 0.5, correlation: float = CORRELATION) -> Split:
    """The split to expect where only a rate is guessed: chances spread over problems as a Beta with a + b = 2."""
    spread = rate * (1 - rate)
    return Split(2 * spread / 3 * (1 - correlation), spread * 2 / 3, spread * 2 / 3)


def _within(tallies: Sequence[Tally]) -> float:
    """Mean of p (1 - p), without bias from problems with two samples and more; else two thirds of its largest value."""
    several = [c * (n - c) / (n * (n - 1)) for n, c in tallies if n > 1]
    if several:
        return math.fsum(several) / len(several)
    mean = sum(tally.right for tally in tallies) / len(tallies)
    return mean * (1 - mean) * 2 / 3


def detectable_difference(
    split: Split, problems: int, n_a: int, n_b: int, level: float = 0.95, power: float = 0.8
) -> float:
    """The smallest true difference that a two-sided test at 1 - level finds with chance `power`, as a share.

    (z_{alpha/2} + z_beta) sqrt((omega^2 + sigma_a^2/n_a + sigma_b^2/n_b) / problems) (arXiv:2411.00640, section 5).
    """
    return _factor(level, power) * math.sqrt(split.variance(n_a, n_b) / problems)


def problems_needed(
    split: Split,
    difference: float,
    n_a: int,
    n_b: int,
    level: float = 0.95,
    power: float = 0.8,
    factor: float | None = None,
) -> int:
    """How many problems find a true `difference` (a share, not 0) with chance `power`, at so many samples each.

    Args:
        factor: How many standard errors `difference` must be; by default those of the two-sided test.
    """
    return math.ceil((factor or _factor(level, power)) ** 2 * split.variance(n_a, n_b) / difference**2)


def samples_needed(
    split: Split,
    difference: float,
    problems: int,
    level: float = 0.95,
    power: float = 0.8,
    factor: float | None = None,
) -> int | None:
    """How many samples per problem, in both runs, find it on so many problems; None where no number of samples can.

    More samples cannot help once omega^2 / problems alone hides the difference. `factor` as for `problems_needed`.
    """
    room = problems * difference**2 / (factor or _factor(level, power)) ** 2 - split.between
    noise = split.within_a + split.within_b
    if room <= 0:
        return None
    return max(1, math.ceil(noise / room))


def equivalence_factor(difference: float, margin: float, level: float = 0.95, power: float = 0.8) -> float:
    """How many standard errors must lie between a true difference and the margin, for a chance `power` to show it less.

    For two one-sided tests at 1 - level, of which both must succeed: the farther side counts as well, which where there
    is no difference is as near as the other. `difference` is 0 or more, and below the margin.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    z, farther = normal_quantile(level), (margin + difference) / (margin - difference)
    return float(brentq(lambda x: ndtr(x - z) + ndtr(farther * x - z) - 1 - power, 0.0, z + 10.0))


def _factor(level: float, power: float) -> float:
    return normal_quantile(0.5 + level / 2) + normal_quantile(power)
