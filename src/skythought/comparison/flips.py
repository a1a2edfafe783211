"""The problems that changed most between two runs, with what both answered: their texts are read after the counting."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from skythought.comparison.reading import Outcomes
from skythought.comparison.records import Answers, Flip
from skythought.printable import shortened
from skythought.runs.sample import Sample
from skythought.runs.view import Run
from skythought.types import Problem

__all__ = ["flips", "largest"]

MOST_ANSWERS = 4
"""Different answers that are listed of each run."""
MOST_CHARACTERS = 600

Pair = tuple[Outcomes, Outcomes]


def largest(pairs: Iterable[Pair], count: int) -> list[Pair]:
    """The pairs that changed, the largest change first: losses of the second run before gains of the same size."""
    changed = [(gain, pair) for pair in pairs if (gain := _gain(pair))]
    changed.sort(key=lambda entry: (-abs(entry[0]), entry[0]))
    return [pair for _, pair in changed[:count]]


def _gain(pair: Pair) -> float:
    one, other = (part.tally for part in pair)
    return (other.right * one.scored - one.right * other.scored) / (one.scored * other.scored)


def flips(pairs: Sequence[Pair], first: Run, second: Run) -> tuple[Flip, ...]:
    """What both runs answered to these problems; only their samples are held in memory."""
    ours = _read(first, {one.problem_id for one, _ in pairs})
    theirs = _read(second, {other.problem_id for _, other in pairs})
    found = []
    for one, other in pairs:
        if one.problem_id not in ours or other.problem_id not in theirs:
            continue  # the folder was changed meanwhile
        problem, samples = ours[one.problem_id]
        _, others = theirs[other.problem_id]
        gained = _gain((one, other)) > 0
        found.append(
            Flip(
                problem_id=one.problem_id,
                prompt=shortened(samples[0].prompt if samples else problem.prompt, MOST_CHARACTERS),
                target=_text(problem.target if problem.target is not None else theirs[other.problem_id][0].target),
                first=_answers(samples, right=not gained),
                second=_answers(others, right=gained),
            )
        )
    return tuple(found)


def _read(run: Run, ids: set[str]) -> dict[str, tuple[Problem, list[Sample]]]:
    return {problem.id: (problem, samples) for problem, samples in run.problems(ids)}


def _answers(samples: Sequence[Sample], *, right: bool) -> Answers:
    """What a run answered; `right`: which kind of sample is shown whole, where there is one."""
    scored = [sample for sample in samples if sample.correct is not None]
    shown = next((sample for sample in scored if sample.correct is right), scored[0] if scored else None)
    counts = Counter(None if sample.answer is None else shortened(sample.answer, 200) for sample in scored)
    return Answers(
        right=sum(bool(sample.correct) for sample in scored),
        scored=len(scored),
        answers=tuple(counts.most_common(MOST_ANSWERS)),
        verdict=shown.verdict if shown else None,
        reason=shortened(shown.reason, MOST_CHARACTERS) if shown and shown.reason else None,
        ending=shown.content[-MOST_CHARACTERS:] if shown else "",
    )


def _text(target: Any) -> str | None:
    if target is None:
        return None
    return shortened(target if isinstance(target, str) else json.dumps(target, ensure_ascii=False), MOST_CHARACTERS)
