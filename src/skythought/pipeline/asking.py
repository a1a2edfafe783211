"""What a run asks next, by what has come in: problems again until they are right, all of them until something is clear,
or until a budget is spent.

There is one rule of order. A problem's samples are asked by their numbers, and the problems one after another. Rules
only end the asking, or hold it back; they never choose another sample. So whatever ends a run early, the samples that
it has are those of a plain run, with the same seeds, and `--resume` without the option asks the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from skythought.models.conversation import conversation
from skythought.runs.folder import RunFolder
from skythought.streams import Feed, Stop
from skythought.types import Request, Response, SampleKey, Score, sample_seed

__all__ = ["Asking", "Rule", "request_for"]


def request_for(run: RunFolder, key: SampleKey) -> Request:
    """What is asked for one sample of a run."""
    config, problem = run.config, run.problem(key.problem_id)
    messages = conversation(config.model, problem.prompt, problem.shots)
    return Request(key, messages, config.sampling, sample_seed(config.seed, key))


class Rule(Protocol):
    """Why a run asks nothing more."""

    def answered(self, response: Response) -> None:
        """A response came in, perhaps a failed one."""

    def scored(self, score: Score) -> None:
        """A verdict came in; also told of those in the journal, before anything is asked."""

    def may_ask(self, in_flight: int, ungraded: int) -> bool:
        """Whether one more sample may be asked while so many are asked, and so many more wait for their verdict."""

    @property
    def reason(self) -> str | None:
        """Why nothing more is asked; None: no reason. Once there is one it stays."""

    def record(self) -> Mapping[str, Any]:
        """What became known, as JSON values."""

    def lines(self) -> Sequence[str]:
        """The same for people, when asking has ended."""


class Asking:
    """The samples of an open run that are still to be asked, as a stream of requests that heeds what comes in."""

    def __init__(
        self,
        run: RunFolder,
        ids: Sequence[str],
        *,
        rules: Sequence[Rule] = (),
        until_correct: int | None = None,
        graded: bool = True,
        stop: Stop | None = None,
    ) -> None:
        """Every answer of the run that is to be scored must have its verdict already.

        Args:
            ids: The problems, in the order in which they are asked.
            until_correct: A problem's next sample is asked once the verdict on the one before is there, and none after
                so many right ones; None: all are asked, side by side.
            graded: Whether a verdict will come for each answer.
        """
        self._run = run
        self._rules = rules
        self._wanted = until_correct
        self._graded = graded
        self._stop = stop
        self._new = self._sequential(ids) if until_correct else self._all(ids)
        self._next: deque[SampleKey] = deque()
        """Further samples of problems that are begun; they go first, so that few problems are open at a time."""
        self._open: dict[str, tuple[int, int]] = {}
        """Problems asked in sequence: the sample under way, and how many before it are right."""
        self._in_flight = self._ungraded = 0
        self.asked = 0
        """Samples asked by this."""
        self.requests: Feed[Request] = Feed(self._take, lambda: not self._in_flight + self._ungraded)

    @property
    def reason(self) -> str | None:
        """Why nothing more was asked, though there are samples left; None: no rule ended it."""
        return next((rule.reason for rule in self._rules if rule.reason is not None), None)

    def answered(self, response: Response) -> None:
        """A response is in the journal. One that failed ends its problem's turn: it is asked again on resume."""
        for rule in self._rules:
            rule.answered(response)
        if response.error is not None:
            self._open.pop(response.key.problem_id, None)
        elif self._graded:
            self._ungraded += 1
        self._in_flight -= 1
        self.requests.wake()

    def scored(self, score: Score) -> None:
        """A verdict is in the journal."""
        for rule in self._rules:
            rule.scored(score)
        self._ungraded -= 1
        if score.key.problem_id in self._open:
            following = self._after(score.key.problem_id)
            self._next.extend([following] if following else [])
        self.requests.wake()

    def _take(self) -> Request | None:
        if self.reason is not None or (self._stop is not None and self._stop.is_requested):
            return None
        if not all(rule.may_ask(self._in_flight, self._ungraded) for rule in self._rules):
            return None
        key = self._next.popleft() if self._next else next(self._new, None)
        if key is None:
            return None
        self._in_flight += 1
        self.asked += 1
        return request_for(self._run, key)

    def _all(self, ids: Sequence[str]) -> Iterator[SampleKey]:
        return (key for one in ids for key in self._run.keys_of(one) if not self._run.is_answered(key))

    def _sequential(self, ids: Sequence[str]) -> Iterator[SampleKey]:
        """The first sample that each problem lacks, if it lacks any."""
        for problem_id in ids:
            self._open[problem_id] = (0, 0)
            if (key := self._after(problem_id)) is not None:
                yield key

    def _after(self, problem_id: str) -> SampleKey | None:
        """The next sample of an open problem; None, and it is closed, if it needs no more."""
        first, right = self._open[problem_id]
        for number in range(first, self._run.config.n):
            key = SampleKey(problem_id, number)
            if not self._run.is_answered(key):
                self._open[problem_id] = (number, right)
                return key
            score = self._run.score(key)
            right += score is not None and bool(score.correct)
            if right == self._wanted:
                break
        del self._open[problem_id]
        return None
