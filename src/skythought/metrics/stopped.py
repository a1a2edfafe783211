"""pass@k from problems that were asked only until enough answers were right.

Asked so, easy problems have few samples and hard ones many, and the share of right answers among all samples is far too
low. But for each problem there is exactly one estimate without bias.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Tries", "pass_at_k_stopped", "tries_of"]


class Tries(NamedTuple):
    """A problem that was asked until `wanted` answers were right, or its budget was used."""

    tries: int
    right: int
    """`wanted`, or fewer where the budget ended it."""
    wanted: int

    @property
    def solved(self) -> bool:
        """Whether it ended because enough were right."""
        return self.right == self.wanted


def tries_of(verdicts: Iterable[bool | None], wanted: int, budget: int) -> Tries | None:
    """How asking a problem ended, from the verdicts on its samples by their numbers; None: it has not ended.

    Samples after the last that was wanted (of a run that asked more before) do not count, for they tell about easy
    problems only. A sample without a verdict is no try, but uses the budget.
    """
    tries = right = used = 0
    for verdict in verdicts:
        used += 1
        tries += verdict is not None
        right += bool(verdict)
        if right == wanted:
            return Tries(tries, right, wanted)
    return Tries(tries, right, wanted) if used >= budget and tries else None


def pass_at_k_stopped(problem: Tries, k: int) -> float | None:
    """Chance that at least one of k samples is right, without bias under this stopping.

    Of all orders in which the tries can have come out, the share that begins with k wrong ones (Girshick, Mosteller &
    Savage 1946, "Unbiased Estimates for Certain Binomial Sampling Problems"; the only unbiased one, for the tries are
    all that is known). For K wanted, the last of N tries being the K-th right one: 1 - C(N-1-k, K-1) / C(N-1, K-1),
    which is (K-1) / (N-1) for k = 1 (Haldane 1945), and for K = 1 whether one of the first k was right. For a budget
    that ran out: 1 - C(n-c, k) / C(n, k), as in a plain run.

    None for a k that the budget that ran out does not reach.
    """
    tries, right, wanted = problem
    if problem.solved:
        failing = math.comb(tries - 1 - k, wanted - 1) if tries - 1 >= k else 0
        return 1.0 - failing / math.comb(tries - 1, wanted - 1)
    return None if tries < k else 1.0 - math.comb(tries - right, k) / math.comb(tries, k)
