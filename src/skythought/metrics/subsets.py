"""Whether the problems of a subset are harder or easier than the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from skythought.metrics.multiple import benjamini_hochberg
from skythought.metrics.tally import Tally

__all__ = ["against_the_rest"]

DRAWS = 9_999
MOST_VALUES = 40_000_000
"""Of all draws together: a second or two."""
SEED = 0


class _Part(NamedTuple):
    """How many problems a subset has, and the sum of their shares of right samples."""

    size: int
    total: float


def against_the_rest(tallies: Sequence[Tally], subsets: Sequence[Sequence[Tally]]) -> list[float | None]:
    """For each subset the p-value of "its problems are as hard as the others", adjusted for there being many.

    A permutation test of the mean over problems: how often would as many problems, drawn at random from all,
    have a mean as far from that of all? With one sample a problem it is exact (Fisher's test); else from draws with a
    fixed seed, 9,999 of them where there are not many problems. Adjusted by Benjamini and Hochberg's method, so that of
    the subsets called different at 0.05 no more than that share is so by chance.

    Args:
        tallies: Of all problems.
        subsets: Of the problems of each; a problem may be in several.

    Returns:
        None for a subset that is everything, or that has no scored problem.
    """
    values = _shares(tallies)
    parts = [_Part(len(shares), sum(shares)) for shares in map(_shares, subsets)]
    tested = [number for number, part in enumerate(parts) if 0 < part.size < len(values)]
    wanted = [parts[number] for number in tested]
    plain = set(values) <= {0.0, 1.0}
    found = benjamini_hochberg(_exact(values, wanted) if plain else _by_draws(values, wanted)) if tested else []
    adjusted: list[float | None] = [None] * len(subsets)
    for number, p in zip(tested, found, strict=True):
        adjusted[number] = p
    return adjusted


def _shares(tallies: Sequence[Tally]) -> list[float]:
    return [tally.right / tally.scored for tally in tallies if tally.scored]


def _exact(values: Sequence[float], parts: Sequence[_Part]) -> list[float]:
    """Where every problem is right or wrong as a whole."""
    from scipy.stats import fisher_exact

    right, count = round(sum(values)), len(values)
    found = []
    for size, total in parts:
        inside = round(total)
        table = [[inside, size - inside], [right - inside, count - size - right + inside]]
        found.append(float(fisher_exact(table)[1]))
    return found


def _by_draws(values: Sequence[float], parts: Sequence[_Part]) -> list[float]:
    import numpy as np

    shares = np.asarray(values)
    sizes = np.array([part.size for part in parts])
    means = np.array([part.total for part in parts]) / sizes
    far = np.abs(means - shares.mean()) * (1 - 1e-9)
    random = np.random.default_rng(SEED)
    draws = int(min(DRAWS, max(MOST_VALUES // len(shares), 999)))
    beyond = np.zeros(len(parts))
    for _ in range(draws):
        # one order of the problems gives a draw of every size
        drawn = np.cumsum(random.permutation(shares))[sizes - 1] / sizes
        beyond += np.abs(drawn - shares.mean()) >= far
    return [float(p) for p in (beyond + 1) / (draws + 1)]
