"""Asking a judge, the model by whose replies a scorer scores: many questions at once, each reply journalled.

What was asked once is not asked, and not paid for, again: a reply counts as long as judge and question are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from skythought.backends.base import Backend
from skythought.config import BackendConfig, ModelConfig
from skythought.grading.grade import Grader
from skythought.models.conversation import conversation
from skythought.pipeline.engine import Engine, heeding, loading
from skythought.pipeline.steps import Phase, Step
from skythought.runs.folder import RunFolder
from skythought.runs.records import Reply
from skythought.types import Message, Problem, Request, Response, SampleKey, SamplingParams, sample_seed

__all__ = ["Judge", "ProblemOf", "ask", "ask_started", "is_told", "judging", "replies_for"]

ProblemOf = Callable[[str], Problem]
"""From a problem's id to the problem."""


@dataclass(frozen=True)
class Judge:
    """The model that is asked, and how."""

    model: ModelConfig
    backend: BackendConfig
    """For the record."""
    sampling: SamplingParams
    engine: Engine

    @cached_property
    def record(self) -> dict[str, Any]:
        """What its replies depend on, for the record. Every question's hash has it in it: made once."""
        return {
            "model": self.model.identity,
            "backend": {"name": self.backend.name, "args": self.backend.identity},
            "sampling": self.sampling.as_dict(),
        }

    def conversation(self, question: str) -> tuple[Message, ...]:
        """A question as it is sent."""
        return conversation(self.model, question)

    def asked(self, messages: Sequence[Message]) -> str:
        """The hash under which a reply to this conversation is found again."""
        return hashlib.sha256(json.dumps([self.record, messages], sort_keys=True).encode()).hexdigest()[:32]

    def replies(self, run: RunFolder, grader: Grader, problem: Problem, response: Response) -> list[Response]:
        """The journalled replies to all questions about a response; a failed one where there is none."""
        try:
            questions = grader.questions(problem, response)
        except Exception as error:  # noqa: BLE001 -- the boundary: a scorer's bug costs one answer
            return [Response(key=response.key, error=f"it was not asked: {type(error).__name__}: {error}")]
        found = []
        for number, question in enumerate(questions):
            reply = self.known_reply(run, response.key, number, self.asked(self.conversation(question)))
            found.append(reply.response if reply else Response(key=response.key, error="it was not asked"))
        return found

    @staticmethod
    def known_reply(run: RunFolder, key: SampleKey, number: int, asked: str) -> Reply | None:
        """The journalled reply to just this question, a failed one included, or None."""
        reply = run.reply(key, number)
        return reply if reply is not None and reply.asked == asked else None


async def ask(
    run: RunFolder,
    keys: Iterable[SampleKey],
    grader: Grader,
    judge: Judge,
    backend: Backend[Any],
    problem_of: ProblemOf | None = None,
) -> AsyncGenerator[Reply, None]:
    """Ask the judge what the scorer wants to know about these samples and was not told yet.

    Args:
        keys: Answered samples.
        backend: Runs the judge's model; entered.
        problem_of: The problem of an id, if not the one frozen in the run (a corrected target).
    """
    run.open_replies()
    sent: dict[SampleKey, tuple[SampleKey, int, str]] = {}
    async with aclosing(backend.generate(_requests(run, keys, grader, judge, problem_of, sent))) as responses:
        async for response in responses:
            key, number, asked = sent.pop(response.key)
            reply = Reply(key, number, asked, replace(response, key=key))
            run.add_reply(reply)
            yield reply


async def ask_started(
    run: RunFolder, keys: Sequence[SampleKey], grader: Grader, judge: Judge, problem_of: ProblemOf | None = None
) -> AsyncGenerator[Step, None]:
    """`ask`, with the judge's engine started if there is anything to ask, and freed at the end."""
    if is_told(run, keys, grader, judge, problem_of):
        return
    backend = judge.engine.make()
    async with AsyncExitStack() as stack:
        yield Phase("engine", f"starting {judge.backend.name} with {judge.model.model_id}, the judge", run.path)
        async with aclosing(loading(backend, stack)) as steps:
            async for step in steps:
                yield step
        yield judging(run)
        async with aclosing(heeding(backend, ask(run, keys, grader, judge, backend, problem_of))) as steps:
            async for step in steps:
                yield step


def judging(run: RunFolder) -> Phase:
    """The phase in which the judge is asked."""
    return Phase("judging", f"{run.config.task.name}: asking the judge", run.path)


def _requests(
    run: RunFolder,
    keys: Iterable[SampleKey],
    grader: Grader,
    judge: Judge,
    problem_of: ProblemOf | None,
    sent: dict[SampleKey, tuple[SampleKey, int, str]],
) -> Iterator[Request]:
    """The questions without a reply, lazily; `sent` remembers what each request is about."""
    read = problem_of or run.problem
    for key in keys:
        response = run.response(key)
        assert response is not None
        try:
            questions = grader.questions(read(key.problem_id), response)
        except Exception:  # noqa: BLE001 -- the boundary: a scorer's bug costs one answer, and its score says so
            continue
        for number, question in enumerate(questions):
            messages = judge.conversation(question)
            asked = judge.asked(messages)
            reply = judge.known_reply(run, key, number, asked)
            if reply is not None and reply.response.error is None:
                continue
            name = SampleKey(f"{key.problem_id}\x1f{number}", key.sample)
            sent[name] = (key, number, asked)
            yield Request(name, messages, judge.sampling, sample_seed(run.config.seed, name))


def is_told(
    run: RunFolder, keys: Iterable[SampleKey], grader: Grader, judge: Judge, problem_of: ProblemOf | None = None
) -> bool:
    """Whether the journal has a reply to everything that the scorer wants to know about these samples."""
    run.open_replies()
    return next(_requests(run, keys, grader, judge, problem_of, {}), None) is None


def replies_for(
    run: RunFolder, grader: Grader, judge: Judge, samples: Iterable[tuple[Problem, Response]]
) -> Mapping[SampleKey, Sequence[Response]]:
    """The judge's replies about several samples."""
    return {response.key: judge.replies(run, grader, problem, response) for problem, response in samples}
