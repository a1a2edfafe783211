"""Do intervals cover, and tests err, as often as they promise? Prints the tables of docs/statistics.md.

    python benchmarks/statistics_coverage.py [--repeats 1000] [--only accuracy,again,difference,tests,stopping]

Each figure is the worst over populations of problems that are known, so the truth is too: samples of a problem
correlate by 0 (all equally hard), 0.3, 0.7 or 1 (always right or never); difficulty correlates by 0.9 between two runs.
A simulated 95% of 1,000 repeats is off by 0.7 points, and the worst of 20 such lies some 1.3 points below; one sample
per problem is repeated ten times as often.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy import special, stats

from skythought.metrics import Tally
from skythought.metrics.intervals import accuracy_interval
from skythought.metrics.paired import difference_interval, sign_flip_test
from skythought.metrics.sequential import MeanSequence, discordant_e_value

SIZES = [(n, problems) for n in (1, 4, 16) for problems in (30, 100, 500)]
RATES = (0.02, 0.1, 0.5, 0.8, 0.98)
PAIRS = ((0.02, 0.05), (0.1, 0.1), (0.5, 0.6), (0.8, 0.8), (0.98, 0.95))
ALIKE = (0.0, 0.3, 0.7, 1.0)
RESAMPLES = 400
Values = np.ndarray[Any, Any]


def chances(ranks: Values, rate: float, alike: float) -> Values:
    """How likely each problem is right, from the ranks of difficulty in [0, 1]: Beta, or its extremes."""
    if alike == 0:
        return np.full(ranks.shape, rate)
    if alike == 1:
        return (ranks < rate).astype(float)
    scale = (1 - alike) / alike
    grid = np.linspace(0, 1, 4001)
    return np.interp(ranks, grid, special.betaincinv(rate * scale, (1 - rate) * scale, grid))


def normal(values: Values) -> tuple[Values, Values]:
    """Mean plus or minus 1.96 standard errors over problems."""
    half = 1.96 * values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    return values.mean(axis=1) - half, values.mean(axis=1) + half


def bootstrap(values: Values, random: np.random.Generator) -> tuple[Values, Values]:
    """Percentiles of means over problems drawn with replacement."""
    problems = values.shape[1]
    drawn = random.multinomial(problems, [1 / problems] * problems, RESAMPLES) / problems
    low, high = np.quantile(values @ drawn.T, (0.025, 0.975), axis=1)
    return low, high


def covered(limits: tuple[Values, Values], truth: float | Values) -> float:
    return float(((limits[0] <= truth + 1e-12) & (truth - 1e-12 <= limits[1])).mean())


def ours(rights: Values, n: int, interval: Callable[[list[Tally]], Any]) -> tuple[Values, Values]:
    known: dict[bytes, tuple[float, float]] = {}
    limits = []
    for row in np.sort(rights, axis=1):
        key = row.tobytes()
        if key not in known:
            found = interval([Tally(n, int(right)) for right in row])
            known[key] = found.low, found.high
        limits.append(known[key])
    low, high = np.array(limits).T
    return low, high


def width(limits: tuple[Values, Values]) -> float:
    return float((limits[1] - limits[0]).mean())


def accuracy(repeats: int) -> Iterator[str]:
    yield "| samples | problems | ours | normal approximation | percentile bootstrap | width, ours / normal at 50% |"
    yield "|--:|--:|--:|--:|--:|--:|"
    random = np.random.default_rng(1)
    for n, problems in SIZES:
        times = repeats * (10 if n == 1 else 1)  # few outcomes: each interval is made once
        cells, ratio = [], 0.0
        for rate in RATES:
            for alike in ALIKE if n > 1 else (1.0,):
                rights = random.binomial(n, chances(random.random((times, problems)), rate, alike))
                mine, plain = ours(rights, n, accuracy_interval), normal(rights / n)
                cells.append([covered(limits, rate) for limits in (mine, plain, bootstrap(rights / n, random))])
                if rate == 0.5 and alike in (0.7, 1.0):
                    ratio = ratio or width(mine) / width(plain)
        yield row(n, problems, *np.min(cells, axis=0), ratio=ratio)


def again(repeats: int) -> Iterator[str]:
    """The same problems asked again, by the same chances."""
    yield "| samples | problems | ours | normal approximation, within problems | width, ours / normal at 50% |"
    yield "|--:|--:|--:|--:|--:|"
    random = np.random.default_rng(2)
    for n, problems in SIZES:
        times = repeats * (10 if n == 1 else 1)  # few outcomes: each interval is made once
        cells, ratio = [], 0.0
        for rate in RATES:
            for alike in (0.0, 0.3, 0.7):
                fixed = chances(random.random(problems), rate, alike)
                rights = random.binomial(n, np.broadcast_to(fixed, (times, problems)))
                mine = ours(rights, n, lambda tallies: accuracy_interval(tallies, over="samples"))
                noise = (rights * (n - rights) / max(n - 1, 1)).sum(axis=1)
                mean = rights.mean(axis=1) / n
                half = 1.96 * np.sqrt(noise) / (n * problems) if n > 1 else 1.96 * np.sqrt(mean * (1 - mean) / problems)
                plain = mean - half, mean + half
                cells.append([covered(limits, fixed.mean()) for limits in (mine, plain)])
                if rate == 0.5 and alike == 0.3:
                    ratio = width(mine) / width(plain)
        yield row(n, problems, *np.min(cells, axis=0), ratio=ratio)


def difference(repeats: int) -> Iterator[str]:
    yield "| samples | problems | ours | normal approximation | percentile bootstrap | unpaired z: width / ours |"
    yield "|--:|--:|--:|--:|--:|--:|"
    random = np.random.default_rng(3)
    for n, problems in SIZES:
        times = repeats * (10 if n == 1 else 1)  # few outcomes: each interval is made once
        cells, ratio = [], 0.0
        for rates in PAIRS:
            for alike in ALIKE[1:] if n > 1 else (1.0,):
                first = random.standard_normal((times, problems))
                second = 0.9 * first + np.sqrt(1 - 0.81) * random.standard_normal(first.shape)
                a, b = (
                    random.binomial(n, chances(special.ndtr(ranks), rate, alike))
                    for ranks, rate in zip((first, second), rates, strict=True)
                )
                mine = gains(a, b, n)
                both = (mine, normal((b - a) / n), bootstrap((b - a) / n, random))
                cells.append([covered(limits, rates[1] - rates[0]) for limits in both])
                if rates[0] == 0.5 and alike in (0.7, 1.0):
                    apart = 2 * 1.96 * np.sqrt((a / n).var(axis=1) + (b / n).var(axis=1)) / np.sqrt(problems)
                    ratio = ratio or float(apart.mean()) / width(mine)
        yield row(n, problems, *np.min(cells, axis=0), ratio=ratio)


def gains(a: Values, b: Values, n: int) -> tuple[Values, Values]:
    """Limits of the differences; they depend on nothing but each problem's gain."""
    return ours(
        b - a,
        n,
        lambda tallies: difference_interval(
            [Tally(n, max(0, -gain)) for _, gain in tallies], [Tally(n, max(0, gain)) for _, gain in tallies]
        ),
    )


def tests(repeats: int) -> Iterator[str]:
    """False positives at 0.05; one sample per problem is counted out, sixteen are simulated."""
    yield "| contested problems | ours, n = 1 | normal approximation | ours, n = 16 | normal approximation, n = 16 |"
    yield "|--:|--:|--:|--:|--:|"
    random = np.random.default_rng(4)
    for count in (4, 6, 9, 12, 15, 30, 100):
        weights = stats.binom.pmf(range(count + 1), count, 0.5)
        exact = sum(w for i, w in enumerate(weights) if sign_flip_test([1] * i + [-1] * (count - i)) <= 0.05)
        rough = sum(w for i, w in enumerate(weights) if abs(2 * i - count) / wald(i, count) > 1.96)
        a, b = random.binomial(16, np.stack([random.random((repeats, count))] * 2))
        mine = np.mean([sign_flip_test([int(gain) for gain in line]) <= 0.05 for line in b - a])
        low, high = normal((b - a) / 16)
        yield f"| {count} | {exact:.1%} | {rough:.1%} | {mine:.1%} | {1 - covered((low, high), 0.0):.1%} |"


def wald(wins: int, count: int) -> float:
    """Standard error of wins minus losses among contested problems, as `lm-eval` and others estimate it."""
    return float(np.sqrt(max(count - (2 * wins - count) ** 2 / count, 1e-12)))


def stopping(repeats: int) -> Iterator[str]:
    """500 problems of which two runs differ on 30%, asked one by one; then accuracies to a width."""
    yield "| true difference | found by ours | problems asked | found by McNemar at every look | problems asked |"
    yield "|--:|--:|--:|--:|--:|"
    random = np.random.default_rng(5)
    exact = [[sign_flip_test([1] * w + [-1] * (n - w)) <= 0.05 for w in range(n + 1)] for n in range(300)]
    evidence = [[discordant_e_value(w, n - w) >= 20 for w in range(n + 1)] for n in range(300)]
    for gap in (0.0, 0.05, 0.1, 0.15, 0.2):
        found: list[list[int]] = [[], []]
        for _ in range(repeats):
            ways = random.choice([1, -1, 0], 500, p=[(0.3 + gap) / 2, (0.3 - gap) / 2, 0.7])
            wins, contested = (ways > 0).cumsum(), (ways != 0).cumsum()
            for stops, at in zip((evidence, exact), found, strict=True):
                first = (i + 1 for i in range(500) if stops[contested[i]][wins[i]])
                at.append(next(first, 0))
        cells = [f"{np.mean(np.array(at) > 0):.1%} | {np.mean([i or 500 for i in at]) / 500:.0%}" for at in found]
        yield f"| {gap:.2f} | {' | '.join(cells)} |"
    yield ""
    yield "| accuracy of 500 problems | left out at any look | problems for ±0.05 | for ±0.03 | for ±0.02 |"
    yield "|---|--:|--:|--:|--:|"
    for name, values in (
        ("0.70, 1 sample", np.repeat([1.0, 0.0], [350, 150])),
        ("0.95, 1 sample", np.repeat([1.0, 0.0], [475, 25])),
        ("0.60, 16 samples", random.binomial(16, random.beta(0.6, 0.4, 500)) / 16),
    ):
        missed, asked = 0, []
        for _ in range(max(20, repeats // 3)):
            missed_now, when = look(random.permutation(values))
            missed += missed_now
            asked.append(when)
        cells = " | ".join(f"{share:.0%}" for share in np.mean(asked, axis=0) / 500)
        yield f"| {name} | {missed / len(asked):.1%} | {cells} |"


def look(values: Values) -> tuple[bool, list[int]]:
    sequence = MeanSequence(len(values))
    missed, when = False, [len(values)] * 3
    for count, value in enumerate(values, start=1):
        sequence.add(float(value))
        at = sequence.interval
        missed |= not at.low - 1e-9 <= values.mean() <= at.high + 1e-9
        for place, target in enumerate((0.05, 0.03, 0.02)):
            if at.half_width <= target:
                when[place] = min(when[place], count)
    return missed, when


def row(n: int, problems: int, *shares: float, ratio: float) -> str:
    return f"| {n} | {problems} | " + " | ".join(f"{share:.1%}" for share in shares) + f" | {ratio:.2f} |"


TABLES = {"accuracy": accuracy, "again": again, "difference": difference, "tests": tests, "stopping": stopping}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--only", default=",".join(TABLES))
    args = parser.parse_args()
    for name in args.only.split(","):
        print(f"\n{name}\n", flush=True)
        for line in TABLES[name](args.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
