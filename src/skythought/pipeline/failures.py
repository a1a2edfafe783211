"""How many samples may fail before going on makes no sense (`--max-failures`), and which of several runs did."""

from __future__ import annotations

import math

from skythought.config import RunConfig
from skythought.errors import BackendError, SkythoughtError, UserError
from skythought.pipeline.steps import Notice
from skythought.types import Response

__all__ = ["Ends", "Failures", "check_max_failures"]

HOPELESS = 100
"""So many samples that failed, and not one answer before them, end a run for which nothing else was said."""


class Failures:
    """Counts a run's failed samples while it is carried out."""

    def __init__(self, limit: int | float | str | None, asked: int) -> None:
        """`limit`: as `--max-failures` takes it; `asked`: samples that are going to be asked for, for a share."""
        self._limit = _number(limit, asked)
        self._failed = self._answered = 0

    def count(self, response: Response) -> None:
        """One more response.

        Raises:
            BackendError: That was one failure too many.
        """
        if response.error is None:
            self._answered += 1
            return
        self._failed += 1
        hopeless = self._limit is None and not self._answered and self._failed >= HOPELESS
        if hopeless or (self._limit is not None and self._failed > self._limit):
            asked = self._failed + self._answered
            switch = "--max-failures N lets more fail" if hopeless else f"--max-failures allows {self._limit:,}"
            raise BackendError(
                f"{self._failed:,} of {asked:,} samples failed ({switch}); the last one: {response.error.rstrip('.')}. "
                "What was answered is kept; --resume goes on."
            )


class Ends:
    """Which of several runs could not go on, and why. The others go on."""

    def __init__(self, runs: int) -> None:
        """`runs`: how many there are. The end of a single one is the end of all."""
        self._runs = runs
        self._early: list[tuple[str, SkythoughtError]] = []

    def early(self, config: RunConfig, error: SkythoughtError) -> Notice:
        """A run could not go on, or not even begin; what to say.

        Raises:
            SkythoughtError: The error itself, where there is no other run.
        """
        if self._runs == 1:
            raise error
        name = f"{config.model.name} on {config.task.name}"
        self._early.append((name, error))
        return Notice(f"{name} is not finished: {error}")

    def check(self) -> None:
        """Once all is done.

        Raises:
            BackendError: Some runs are not finished. (UserError: Each of these for the user's fault.)
        """
        if not self._early:
            return
        name, error = self._early[0]
        others = f" ({len(self._early) - 1:,} more: see above)" if len(self._early) > 1 else ""
        kind = UserError if all(isinstance(error, UserError) for _, error in self._early) else BackendError
        raise kind(
            f"{len(self._early):,} of {self._runs:,} runs are not finished; --resume goes on with them. "
            f"{name}: {str(error).rstrip('.')}{others}."
        )


def check_max_failures(limit: int | float | str | None) -> None:
    """Raises UserError if `--max-failures` is neither a number nor a share."""
    _number(limit, 1)


def _number(limit: int | float | str | None, asked: int) -> int | None:
    if limit is None:
        return None
    text = str(limit).strip()
    try:
        if isinstance(limit, bool):
            raise ValueError
        if text.isdecimal():
            return int(text)
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UserError(f"--max-failures must be a number of samples, or a share such as 5% or 0.05, not {text!r}.")
    return math.floor(share * asked)
