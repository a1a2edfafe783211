"""`marks.jsonl`: what people noted about single samples of a run. They become test cases of scorers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from skythought.printable import shortened
from skythought.runs.journal import dumps
from skythought.runs.jsonfile import replace_text
from skythought.types import SampleKey

__all__ = ["MARKS", "Mark", "read_marks", "save_mark"]

MARKS = "marks.jsonl"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a person says about one sample."""

    id: str
    """Of the problem."""
    sample: int
    verdict: str | None
    """What it was when it was marked."""
    doubt: bool = True
    """Whether the verdict is doubted."""
    note: str = ""
    time: str = field(default_factory=_now)
    """As `2026-01-31T09:30:00Z`."""

    @property
    def key(self) -> SampleKey:
        """The sample."""
        return SampleKey(self.id, self.sample)


def read_marks(folder: Path) -> dict[SampleKey, Mark]:
    """The marks of a run, in the order in which they were made; lines that are none are passed over."""
    marks: dict[SampleKey, Mark] = {}
    try:
        lines = (folder / MARKS).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return marks
    for line in lines:
        with suppress(ValueError, TypeError, RecursionError):
            mark = _mark(json.loads(line))
            marks[mark.key] = mark
    return marks


def save_mark(folder: Path, mark: Mark) -> None:
    """Put a mark in the place of an earlier one on the same sample. One without doubt and note takes it away.

    Raises:
        DiskError: The file cannot be written; the earlier one is kept.
    """
    marks = read_marks(folder)
    marks.pop(mark.key, None)
    if mark.doubt or mark.note.strip():
        marks[mark.key] = mark
    _write(folder / MARKS, marks.values())


def _mark(record: Mapping[str, Any]) -> Mark:
    """Raises TypeError or ValueError if it is none."""
    values = {entry.name: record[entry.name] for entry in fields(Mark) if entry.name in record}
    mark = Mark(**values)
    texts = (mark.id, mark.note, mark.time, mark.verdict or "")
    if not all(isinstance(text, str) for text in texts) or type(mark.sample) is not int or type(mark.doubt) is not bool:
        raise TypeError("a value is of another kind")
    return Mark(**{**values, "note": shortened(mark.note)})


def _write(path: Path, marks: Iterable[Mark]) -> None:
    replace_text(path, "".join(f"{dumps(asdict(mark))}\n" for mark in marks))
