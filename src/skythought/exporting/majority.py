"""Which answers are right where there is no gold answer: those that most samples of a problem give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skythought.errors import UserError
from skythought.runs.classes import ProblemClasses
from skythought.runs.sample import Sample

__all__ = ["by_majority", "require_share"]


def require_share(share: float) -> None:
    """Refuse what is no share.

    Raises:
        UserError: It is not above 0, or above 1.
    """
    if not 0 < share <= 1:
        raise UserError(f"--majority {share:g}: a share between 0 and 1, such as 0.6.")


def by_majority(samples: Sequence[Sample], found: ProblemClasses | None, share: float) -> Mapping[int, bool]:
    """Whether each scored sample of a problem is of the majority, by its number; nothing where there is none.

    Args:
        samples: The problem's; one without an answer votes for nothing, and counts.
        found: Which of their answers are the same.
        share: Of the scored samples, at least so many have to give the answer. Two answers that most give alike are no
            majority, whatever the share.
    """
    scored = [sample.sample for sample in samples if sample.error is None and sample.score is not None]
    sizes = [len(one.samples) for one in found.classes] if found is not None else []
    if found is None or not sizes or sizes.count(sizes[0]) > 1 or sizes[0] < share * len(scored):
        return {}
    majority = found.classes[0].samples
    return {number: number in majority for number in scored}
