"""The counts of right samples that all statistics start from."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Tally"]


class Tally(NamedTuple):
    """Scored samples of one problem, and how many of them are right. Failed samples are not counted."""

    scored: int
    right: int
