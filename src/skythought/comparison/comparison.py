"""The result of a comparison: plain data, as JSON, and as tables for a notebook."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from skythought.comparison.formats import as_html
from skythought.comparison.records import PairComparison
from skythought.comparison.tables import tables

__all__ = ["FORMAT", "Comparison"]

FORMAT = 1
"""Version of the JSON. Fields are added without a new one; it changes when a field goes or means something else."""


@dataclass(frozen=True)
class Comparison:
    """All pairs of what was compared. The first name is the baseline."""

    sentence: str
    """What a person would say."""
    names: tuple[str, ...]
    level: float
    """Of intervals and tests: 0.95."""
    margin: float
    """Of equivalence and non-inferiority, as a share: 0.01 is one point."""
    pairs: tuple[PairComparison, ...]
    """Each two of the names, in their order; of two names, the one pair."""

    def record(self) -> dict[str, Any]:
        """All of it as JSON values, `format` first."""
        record: dict[str, Any] = json.loads(json.dumps({"format": FORMAT, **asdict(self)}, allow_nan=False))
        return record

    def to_json(self) -> str:
        """All of it as JSON text, indented."""
        return json.dumps(self.record(), ensure_ascii=False, indent=2) + "\n"

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        """Small static tables, for a notebook."""
        return as_html(self.sentence, tables(self.names, self.pairs, self.level, self.margin))
