"""What stopping early saves, and that its numbers hold: simulated runs of known truth through the rules themselves.

    python benchmarks/stopping.py [RUNS]

docs/stopping.md and docs/generating.md quote the tables.
"""

from __future__ import annotations

import sys
from random import Random
from statistics import mean

from skythought.metrics.stopped import pass_at_k_stopped, tries_of
from skythought.pipeline.clear import Better, Known
from skythought.pipeline.earlier import Earlier
from skythought.types import SampleKey, Score

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 300


def scores(rule: Known | Better, verdicts: list[bool]) -> int:
    """Tell a rule one verdict after another until it stops; how many problems that took."""
    for number, right in enumerate(verdicts):
        rule.scored(Score(right, "", key=SampleKey(str(number), 0)))
        if rule.reason is not None:
            return number + 1
    return len(verdicts)


def known(problems: int, rate: float, width: float) -> None:
    """`--until`: problems asked, and how often the interval held the accuracy of the whole run when it stopped."""
    draw, asked, held = Random(1), [], 0
    for _ in range(RUNS):
        verdicts = [draw.random() < rate for _ in range(problems)]
        rule = Known([str(number) for number in range(problems)], 1, width)
        asked.append(scores(rule, verdicts))
        found = rule.record()
        held += found["accuracy_low"] - 1e-4 <= sum(verdicts) / problems <= found["accuracy_high"] + 1e-4
    print(f"{problems:9,} | {rate:8.0%} | ±{width:5.0%} | {mean(asked) / problems:6.0%} | {held / RUNS:6.1%}")


def better(problems: int, difference: float) -> None:
    """`--versus`: problems asked, and how often a difference was found; three in ten problems contested."""
    draw, asked, found = Random(2), [], 0
    ids = [str(number) for number in range(problems)]
    for _ in range(RUNS):
        mine, theirs = [], {}
        for key in ids:
            place = draw.random()
            won, lost = place < (0.3 + difference) / 2, (0.3 + difference) / 2 <= place < 0.3
            mine.append(won or (not lost and draw.random() < 0.5))
            theirs[key] = [not won and (lost or mine[-1])]
        rule = Better(ids, 1, Earlier("other", theirs))
        asked.append(scores(rule, mine))
        found += rule.reason is not None
    print(f"{problems:9,} | {difference:10.0%} | {found / RUNS:6.1%} | {mean(asked) / problems:6.0%}")


def until_correct(wanted: int, budget: int) -> None:
    """`--until-correct`: samples asked, and the mean estimates; 500 problems with chances spread evenly over (0, 1)."""
    draw, asked, at_1, at_all, plain = Random(3), [], [], [], []
    chances = [(number + 0.5) / 500 for number in range(500)]
    for _ in range(RUNS):
        ended = []
        for chance in chances:
            tries = tries_of((draw.random() < chance for _ in range(budget)), wanted, budget)
            assert tries is not None
            ended.append(tries)
        samples = sum(tries.tries for tries in ended)
        asked.append(samples / 500 / budget)
        at_1.append(mean(pass_at_k_stopped(tries, 1) or 0.0 for tries in ended))
        at_all.append(mean(pass_at_k_stopped(tries, budget) or 0.0 for tries in ended))
        plain.append(sum(tries.right for tries in ended) / samples)
    truth = mean(1 - (1 - chance) ** budget for chance in chances)
    everything = f"{mean(at_all):6.1%} ({truth:.1%})"
    print(
        f"{wanted:6} | {budget:6} | {mean(asked):6.0%} | {mean(at_1):6.1%} (50.0%) | {everything} | {mean(plain):6.1%}"
    )


if __name__ == "__main__":
    print("problems  | accuracy | until  | asked  | interval held")
    for problems, rate, width in ((500, 0.6, 0.05), (500, 0.6, 0.02), (500, 0.95, 0.02), (5000, 0.6, 0.02)):
        known(problems, rate, width)
    print("\nproblems  | difference | found  | asked")
    for difference in (0.0, 0.05, 0.1, 0.15):
        better(500, difference)
    print("\nwanted | budget | asked  | pass@1 (truth)  | pass@budget (truth) | right of all samples")
    for wanted, budget in ((1, 16), (2, 16), (4, 16), (1, 64)):
        until_correct(wanted, budget)
