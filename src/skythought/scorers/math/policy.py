"""What counts as the same where authors disagree. docs/mathematics.md has the reason for each default."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Policy"]


@dataclass(frozen=True)
class Policy:
    """Which differences do not matter.

    Args:
        rounding: A decimal may be an exact value rounded: 0.333 for 1/3, never 0.33.
        percent: A percent sign may be left out: 28 for 28%. Worked out, 0.28, is right in any case.
        ordered: Parts without brackets or in braces must come in the order of the gold answer.
        units: A known unit of the gold answer must be there: 5 is not 5 cm.
        tolerance: By how much a number may be off, where the dataset says so.
    """

    rounding: bool = True
    percent: bool = True
    ordered: bool = False
    units: bool = False
    tolerance: Fraction | None = None
