"""`sessions.json`: how long each invocation worked on a run, and at what; the summary's `time` is made of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from skythought.runs.jsonfile import write_json

__all__ = ["SESSIONS", "Doing", "Session", "read_sessions", "time_of", "write_sessions"]

SESSIONS = "sessions.json"

Doing = Literal["dataset", "engine", "generating", "judging", "scoring"]
"""What time is spent on: loading the dataset; loading the engine; generating (answers are scored meanwhile); asking a
judge; scoring what is left when everything is answered, and comparing answers for maj@k."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """What one invocation did on a run. A killed one counts up to its last few seconds."""

    began: str
    """As `2026-01-31T09:30:00Z`."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall-clock time by what was done (`Doing`); no second is counted twice."""
    answers: int = 0
    """Samples answered."""
    completion_tokens: int = 0
    """Of these answers, as far as the backend told."""
    shard: str | None = None
    """Of a merged run: the part that this was work on."""


def read_sessions(folder: Path) -> list[Session]:
    """The sessions of a run, oldest first; none where there is no such file, or it is damaged. It decides nothing."""
    try:
        record = json.loads((folder / SESSIONS).read_bytes())
        names = {entry.name for entry in fields(Session)}
        found = [Session(**{name: value for name, value in entry.items() if name in names}) for entry in record]
        return [one for one in found if all(isinstance(value, int | float) for value in one.seconds.values())]
    except (FileNotFoundError, ValueError, TypeError, AttributeError, RecursionError):
        return []


def write_sessions(folder: Path, sessions: Sequence[Session]) -> None:
    """Replace the file."""
    write_json(folder / SESSIONS, [asdict(one) for one in sessions])


def time_of(sessions: Sequence[Session]) -> dict[str, Any] | None:
    """What all sessions took together, for the summary; None where nothing is known.

    `wall_seconds` is the sum of `seconds`, which are by what was done. `tokens_per_second` is of generating: the
    completion tokens of all samples that were answered side by side.
    """
    seconds: Counter[str] = Counter()
    for one in sessions:
        seconds.update(one.seconds)
    if not seconds:
        return None
    tokens, generating = sum(one.completion_tokens for one in sessions), seconds["generating"]
    return {
        "wall_seconds": round(sum(seconds.values()), 1),
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "sessions": len(sessions),
        "tokens_per_second": round(tokens / generating, 1) if tokens and generating else None,
    }
