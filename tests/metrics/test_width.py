"""A sequence whose bets are made for a half-width holds at every look, and is sooner there than one without."""

from random import Random

import pytest

from skythought.metrics.sequential import MeanSequence


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("several", [False, True], ids=["verdicts", "means of several samples"])
def test_it_holds_at_every_look(rate, several):
    draw, left, runs, total = Random(7), 0, 120, 40
    for _ in range(runs):
        values = [
            sum(draw.random() < rate for _ in range(4)) / 4 if several else draw.random() < rate for _ in range(total)
        ]
        truth, sequence = sum(values) / total, MeanSequence(total, width=0.1)
        for value in values:
            sequence.add(float(value))
            if not sequence.interval.low - 1e-9 <= truth <= sequence.interval.high + 1e-9:
                left += 1
                break
    assert left <= 0.05 * runs + 5  # at most 5%, and two standard errors


def test_it_is_there_sooner():
    draw = Random(8)
    values = [float(draw.random() < 0.6) for _ in range(500)]

    def looks(sequence):
        for number, value in enumerate(values, 1):
            sequence.add(value)
            if sequence.interval.half_width <= 0.06:
                return number
        return len(values)

    assert looks(MeanSequence(500, width=0.06)) < looks(MeanSequence(500))
