"""Where the time of a run goes: one invocation's entry in `sessions.json`, kept up to date while it works."""

from __future__ import annotations

import time
from pathlib import Path

from skythought.runs.sessions import Doing, Session, read_sessions, write_sessions
from skythought.types import Response

__all__ = ["Clock"]

SAVE_EVERY_S = 10.0
"""What a killed process had done in its last seconds is not recorded."""


class Clock:
    """The time that this process spends on one run, whose folder it has locked: nobody else writes the file."""

    def __init__(self, folder: Path, dataset: float = 0.0) -> None:
        """`dataset`: seconds that were spent on loading it just now."""
        self._folder = folder
        self._began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - dataset))
        self._seconds: dict[str, float] = {"dataset": dataset} if dataset else {}
        self._earlier: list[Session] | None = None
        """Sessions before this one; read when the first thing is to be written."""
        self._doing: Doing | None = None
        self._since = self._saved = 0.0
        self._answers = self._tokens = 0

    def begin(self, doing: Doing) -> None:
        """From now on this is done; what was done before ends."""
        self._count()
        self._doing = doing
        self._save()

    def answered(self, response: Response) -> None:
        """One more sample has its answer."""
        if response.error is None:
            self._answers += 1
            self._tokens += response.completion_tokens or 0
        if time.monotonic() - self._saved >= SAVE_EVERY_S:
            self._count()
            self._save()

    def end(self) -> None:
        """Nothing is done on the run from now on, until something begins."""
        if self._doing is not None:
            self._count()
            self._doing = None
            self._save()

    def _count(self) -> None:
        now = time.monotonic()
        if self._doing is not None:
            self._seconds[self._doing] = self._seconds.get(self._doing, 0.0) + now - self._since
        self._since = now

    def _save(self) -> None:
        if self._earlier is None:
            self._earlier = read_sessions(self._folder)
        seconds = {name: round(value, 2) for name, value in self._seconds.items()}
        session = Session(began=self._began, seconds=seconds, answers=self._answers, completion_tokens=self._tokens)
        write_sessions(self._folder, [*self._earlier, session])
        self._saved = time.monotonic()
