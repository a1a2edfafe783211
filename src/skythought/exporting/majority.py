"""Which answers are right where there is no gold answer: those that most samples of a problem give."""

from __future__ import annotations

from collections.abc import Mapping

from skythought.errors import UserError
from skythought.runs.view import Run

__all__ = ["majorities", "require_share"]


def require_share(share: float) -> None:
    """Refuse what is no share.

    Raises:
        UserError: It is not above 0, or above 1.
    """
    if not 0 < share <= 1:
        raise UserError(f"--majority {share:g}: a share between 0 and 1, such as 0.6.")


def majorities(run: Run, share: float) -> dict[str, Mapping[int, bool]]:
    """For each problem that has a majority, whether each scored sample is of it, by the sample's number.

    Answers are the same by the scorer's own equivalence; samples without an answer vote for nothing, and count.

    Args:
        share: Of a problem's scored samples, at least so many have to give the answer; two answers that most give
            alike are no majority, whatever the share.

    Raises:
        UserError: The scorer cannot tell which answers are the same.
    """
    found: dict[str, Mapping[int, bool]] = {}
    for problem in run.answer_classes():
        sizes = [len(one.samples) for one in problem.classes]
        asked = sum(sizes) + len(problem.unparsed)
        is_first = bool(sizes) and sizes.count(sizes[0]) == 1
        if is_first and sizes[0] >= share * asked:
            voted = {number: place == 0 for place, one in enumerate(problem.classes) for number in one.samples}
            found[problem.problem_id] = voted | dict.fromkeys(problem.unparsed, False)
    return found
