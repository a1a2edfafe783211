"""`asking.json`: how a run's samples were chosen where not all were to be asked, with an entry for each time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from skythought.runs.jsonfile import write_json

__all__ = ["ASKING", "Asked", "read_asked", "rest", "write_asked"]

ASKING = "asking.json"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How one invocation chose what it asked, and how that ended."""

    began: str
    """As `2026-01-31T09:30:00Z`."""
    options: Mapping[str, Any]
    """Those that chose, as they were given."""
    order: str
    """Of the problems: "task", or "random": by a hash of the run's seed and the problem's id."""
    problems: int
    """How many could be asked."""
    ended: str | None = None
    """None: it was killed, or goes on."""
    reason: str | None = None
    """Why it ended before all were asked; None if no rule ended it."""
    asked: int = 0
    left: int = 0
    """Samples of the whole run without an answer when it ended."""
    found: Mapping[str, Any] = field(default_factory=dict)
    """What became known: an interval, wins and losses, tokens, cost."""
    lines: Sequence[str] = ()
    """The same for people, without what is left: that may be asked later."""

    @property
    def until_correct(self) -> int | None:
        """Right answers after which a problem was asked no more."""
        wanted = self.options.get("until_correct")
        return wanted if isinstance(wanted, int) else None


def read_asked(folder: Path) -> list[Asked]:
    """The entries of a run's `asking.json`, oldest first; none where there is no such file, or it is damaged.

    It decides nothing that is asked: a run goes on without it.
    """
    try:
        record = json.loads((folder / ASKING).read_bytes())
        names = {entry.name for entry in fields(Asked)}
        return [Asked(**{name: value for name, value in entry.items() if name in names}) for entry in record]
    except (FileNotFoundError, ValueError, TypeError, AttributeError, RecursionError):
        return []


def rest(left: int, samples: int) -> str:
    """What is left of a run, and how to ask it, for people."""
    share = f"{left:,} of {samples:,} samples ({left / samples:.0%})"
    return f"{share} were not asked; --resume without these options asks them"


def write_asked(folder: Path, entries: Sequence[Asked]) -> None:
    """Replace the file."""
    write_json(folder / ASKING, [asdict(entry) for entry in entries])
