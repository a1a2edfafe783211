"""Looking at a run while it goes, and stopping when it is clear: valid at every look, however often one looks.

Both need problems in an order that does not depend on how hard they are: a random one, fixed by the seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from skythought.metrics.intervals import Interval

__all__ = ["MeanSequence", "discordant_e_value"]

GRID = 2000


def discordant_e_value(wins: int, losses: int, prior: float = 1.0) -> float:
    """Evidence against "wins and losses are equally likely", after so many contested problems.

    B(wins + a, losses + a) / B(a, a) * 2^(wins + losses), with `prior` a: the likelihood of a chance spread as
    Beta(a, a) against that of 1/2 (Robbins 1970; Howard et al. 2021, arXiv:1810.08240). Under no difference it ever
    exceeds 1 / alpha, at any look, with chance alpha at most (Ville's inequality), so a run may stop when it does. inf
    where the number does not fit a float. With several samples per problem, a win is a problem of which B has the
    larger share right. Raises ValueError for counts below 0.
    """
    from scipy.special import betaln

    if wins < 0 or losses < 0 or prior <= 0:
        raise ValueError(f"wins and losses are counts and the prior is above 0, not {wins}, {losses}, {prior}")
    log = float(betaln(wins + prior, losses + prior) - betaln(prior, prior)) + (wins + losses) * math.log(2)
    return math.exp(log) if log < 700 else math.inf


@dataclass
class MeanSequence:
    """Interval of the mean of `total` values in [0, 1], as they are drawn without replacement in random order.

    Holds at every look at once, with confidence `level`: against each possible mean (a grid of 2,000) a gambler bets on
    what the next value is, and a mean under which one grew rich by 1 / alpha is ruled out (Waudby-Smith & Ramdas 2024,
    arXiv:2010.09686, section 5). Half of the stake is bet as on values of 0 and 1, which for such values is the mixture
    over all compositions of the rest (the prior-posterior ratio of Waudby-Smith & Ramdas 2020, arXiv:2006.04347); half
    by the variance seen so far (aGRAPA), for means over several samples. Once all values are drawn, it is their mean.
    """

    total: int
    level: float = 0.95
    width: float | None = None
    """A half-width that is wanted: bets are made for it alone then, so that it is reached soonest. Holds with any."""
    count: int = field(default=0, init=False)
    sum: float = field(default=0.0, init=False)
    """Of the values so far."""
    _squares: float = field(default=0.25, init=False)
    _low: float = field(default=0.0, init=False)
    _high: float = field(default=1.0, init=False)
    _means: Any = field(default=None, init=False, repr=False)
    _wealth: Any = field(default=None, init=False, repr=False)
    """Logarithms, of both halves, for each mean."""

    def __post_init__(self) -> None:
        import numpy as np

        if self.total < 1 or not 0 < self.level < 1:
            raise ValueError(f"an interval of at least 1 value, at a level in (0, 1), not {self.total}, {self.level}")
        self._means = np.linspace(0.0, 1.0, GRID + 1)
        self._wealth = np.full((2, GRID + 1), math.log(0.5))

    def add(self, value: float) -> None:
        """Take in the next value. Raises ValueError outside of [0, 1] or once all `total` values are in."""
        import numpy as np

        if not 0 <= value <= 1:
            raise ValueError(f"values lie in [0, 1], not {value}")
        if self.count == self.total:
            raise ValueError(f"all {self.total} values are in")
        # what the mean of the values still to come has to be, for each possible mean of all
        rest = (self.total * self._means - self.sum) / (self.total - self.count)
        possible = (rest > -1e-12) & (rest < 1 + 1e-12)
        rest = np.clip(rest, 1e-9, 1 - 1e-9)
        bets = self._bets(rest)
        self._wealth += np.where(possible, np.log1p(np.where(possible, bets * (value - rest), 0.0)), np.inf)
        self.count += 1
        self.sum += value
        self._squares += (value - (self.sum + 0.5) / (self.count + 1)) ** 2
        self._narrow()

    def _bets(self, rest: Any) -> Any:
        """Two bets on the next value, made before it is seen, against each mean that the rest may have."""
        import numpy as np

        variance = self._squares / (self.count + 1)
        if self.width is not None:
            # Kelly's bets against a mean so far off on either side: the less is left to draw, the farther off it is.
            kelly = self.width * self.total / (self.total - self.count) / variance
            return np.clip([[kelly], [-kelly]], -0.9 / (1 - rest), 0.9 / rest)
        off = (self.sum + 1) / (self.count + 2) - rest
        with_variance = np.clip(off / (variance + off**2), -0.9 / (1 - rest), 0.9 / rest)
        return np.stack([off / (rest * (1 - rest)), with_variance])

    def _narrow(self) -> None:
        import numpy as np

        known, unknown = self.sum / self.total, (self.total - self.count) / self.total
        self._low, self._high = max(self._low, known), min(self._high, known + unknown)
        kept = np.flatnonzero(np.logaddexp(*self._wealth) < -math.log(1 - self.level))
        if len(kept):
            self._low = max(self._low, float(self._means[max(kept[0] - 1, 0)]))
            self._high = min(self._high, float(self._means[min(kept[-1] + 1, GRID)]))

    @property
    def mean(self) -> float | None:
        """Of the values so far; None before the first."""
        return self.sum / self.count if self.count else None

    @property
    def interval(self) -> Interval:
        return Interval(self._low, max(self._low, self._high), self.level, "betting without replacement")
