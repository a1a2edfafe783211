"""The two streams, generate and score, over an open run; `evaluate` is both at once.

A response is journalled the moment it arrives, and scored while others are still being generated. The streams meet in a
queue of slots (places in the run, not texts), so generation never waits for a slow scorer and memory stays flat: the
scorer reads the text back from the journal.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from typing import Any

from skythought.backends.base import Backend
from skythought.config import RunConfig, TaskConfig
from skythought.executors.base import Executor, Outcome
from skythought.models.conversation import conversation
from skythought.models.thinking import split_thinking
from skythought.runs.folder import RunFolder, Slot
from skythought.runs.results import derive
from skythought.scorers._judge import judge, make_scorer, prepare, settled
from skythought.scorers.base import Scorer
from skythought.streams import concurrently, interleave
from skythought.tasks.groups import grouping
from skythought.types import Message, Problem, Request, Response, SampleKey, Score, sample_seed

__all__ = [
    "NEVER_ENDED",
    "Answered",
    "Event",
    "Judged",
    "Queue",
    "evaluate",
    "finish",
    "generate",
    "judge_pairs",
    "judge_slots",
    "judge_unscored",
    "pass_header",
    "slim",
    "warm_up",
]


@dataclass(frozen=True, slots=True)
class Answered:
    """A response is in the journal."""

    key: SampleKey
    failed: bool
    why: str
    completion_tokens: int
    finish_reason: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict is in the journal."""

    key: SampleKey
    score: Score


NEVER_ENDED = "no answer: the thinking never ended"
"""Why a response whose thinking never ended is not right."""

Event = Answered | Judged
Queue = asyncio.Queue[Slot | None]


async def evaluate(run: RunFolder, backend: Backend, executor: Executor) -> AsyncGenerator[Event, None]:
    """Generate what is owed and judge what is unjudged, both at once; journals everything it yields."""
    _begin_pass_if_needed(run)
    waiting: Queue = asyncio.Queue()
    for slot in run.unscored():
        waiting.put_nowait(slot)
    streams: list[AsyncGenerator[Event, None]] = [generate(run, backend, waiting), judge_slots(run, waiting, executor)]
    async with aclosing(interleave(*streams)) as events:
        async for event in events:
            yield event


async def generate(run: RunFolder, backend: Backend, waiting: Queue | None = None) -> AsyncGenerator[Answered, None]:
    """Ask for every sample that is owed; each answer is journalled before it is yielded.

    Args:
        waiting: Gets the slot of each answer, for `judge_slots`, and None at the end.
    """
    requests = (_request(run, slot) for slot in run.owed())
    async with aclosing(backend.generate(requests)) as responses:
        async for response in responses:
            position = run.position(response.key.problem_id)
            assert position is not None
            slot = Slot(position, response.key.sample)
            run.add_response(slot, _response_record(run.config, response))
            if waiting is not None and response.error is None:
                waiting.put_nowait(slot)
            yield _answered(response)
    if waiting is not None:
        waiting.put_nowait(None)


async def judge_slots(
    run: RunFolder,
    waiting: Queue,
    executor: Executor,
    problem_at: Callable[[int], Problem] | None = None,
) -> AsyncGenerator[Judged, None]:
    """Judge the answers at the slots that come out of `waiting`, until it gives None; verdicts are journalled.

    Args:
        problem_at: The problem at a position, if not the one frozen in the run (a corrected target).
    """
    task = run.config.task
    scorer = make_scorer(task.scorer_name, task.scorer_args)

    async def work(slots: list[Slot]) -> list[tuple[Slot, Score]]:
        return await _judge_batch(run, slots, scorer, executor, problem_at or run.problem)

    async with aclosing(concurrently(work, _batches(waiting, scorer.batch), executor.workers + 1)) as batches:
        async for judged in batches:
            for slot, score in judged:
                failed = score.verdict == "failed"
                run.add_score(slot, {"error": score.reason if failed else None, **asdict(score)})
                yield Judged(SampleKey(run.ids[slot.position], slot.sample), score)


def pass_header(config: RunConfig) -> dict[str, Any]:
    """What a pass of scoring is made with, for the record."""
    scorer = make_scorer(config.task.scorer_name, config.task.scorer_args)
    return {"scorer": config.task.scorer, "task_version": config.task.version, **scorer.conditions()}


def _begin_pass_if_needed(run: RunFolder) -> None:
    """Verdicts of another scorer than the task names now do not count beside its own: all is judged anew then."""
    header = pass_header(run.config)
    decisive = ("scorer", "task_version")  # not the layers of a sandbox: a run may go on on another machine
    if run.pass_header is None or any(run.pass_header.get(name) != header[name] for name in decisive):
        run.begin_pass(header)


def finish(run: RunFolder) -> dict[str, Any]:
    """Derive `results.json` and `summary.json` from the journals; the summary."""

    def ask(problem: Problem) -> tuple[Message, ...]:
        return conversation(run.config.model, problem.prompt, problem.shots)

    return derive(run, ask, grouping(run.config.task))


def _request(run: RunFolder, slot: Slot) -> Request:
    problem = run.problem(slot.position)
    key = SampleKey(problem.id, slot.sample)
    messages = conversation(run.config.model, problem.prompt, problem.shots)
    return Request(key, messages, run.config.sampling, sample_seed(run.config.seed, key))


def _answered(response: Response) -> Answered:
    return Answered(
        response.key,
        response.error is not None,
        response.error or "",
        response.completion_tokens,
        response.finish_reason,
    )


def _response_record(config: RunConfig, response: Response) -> dict[str, Any]:
    """A line of `responses.jsonl`. The content is the whole assistant turn, the prefill included.

    Where the endpoint keeps the thinking apart, the prefill was its beginning.
    """
    prefill = config.model.assistant_prefill or ""
    content, reasoning = prefill + response.text, response.reasoning
    if response.error is not None:
        content = ""
    elif reasoning is not None:
        content, reasoning = response.text, prefill + reasoning
    return {
        "error": response.error,
        "content": content,
        "reasoning": reasoning,
        "finish_reason": response.finish_reason,
        "prompt_tokens": response.prompt_tokens,
        "completion_tokens": response.completion_tokens,
        "thinking_open": response.thinking_open,
        "seconds": round(response.seconds, 3),
        "finished": round(time.time(), 3),
    }


async def _batches(waiting: Queue, size: int) -> AsyncGenerator[list[Slot], None]:
    """Slots in small groups: what is there at once goes together, nothing waits for a group to fill."""
    ended = False
    while not ended:
        batch: list[Slot] = []
        item = await waiting.get()
        while item is not None:
            batch.append(item)
            if len(batch) == size or waiting.empty():
                break
            item = waiting.get_nowait()
        ended = item is None
        if batch:
            yield batch


async def _judge_batch(
    run: RunFolder,
    slots: Sequence[Slot],
    scorer: Scorer,
    executor: Executor,
    problem_at: Callable[[int], Problem],
) -> list[tuple[Slot, Score]]:
    """Verdicts for several slots, in order."""
    settled_scores: dict[Slot, Score] = {}
    pairs: dict[Slot, tuple[Problem, str]] = {}
    finish_reasons: dict[Slot, str | None] = {}
    for slot in slots:
        response = run.response(slot)
        assert response is not None
        finish_reasons[slot] = response.get("finish_reason")
        answer = _answer_of(run.config, response)
        if answer is None:
            score = scorer.unanswered(problem_at(slot.position), NEVER_ENDED)
            settled_scores[slot] = settled(score, finish_reasons[slot])
        else:
            pairs[slot] = (slim(problem_at(slot.position), scorer), answer)
    scores = await judge_pairs(list(pairs.values()), scorer, run.config.task, executor)
    for slot, score in zip(pairs, scores, strict=True):
        settled_scores[slot] = settled(score, finish_reasons[slot])
    return [(slot, settled_scores[slot]) for slot in slots]


def _answer_of(config: RunConfig, response: dict[str, Any]) -> str | None:
    """What is judged: the response without its thinking; None if the thinking never ended."""
    return split_thinking(
        response["content"],
        tags=config.model.tags,
        opened=bool(response.get("thinking_open")),
        reasoning=response.get("reasoning"),
    ).answer


async def judge_pairs(
    pairs: list[tuple[Problem, str]], scorer: Scorer, task: TaskConfig, executor: Executor
) -> list[Score]:
    """Scores of answers, in batches; one that overruns or kills its worker costs the others nothing."""
    if not pairs:
        return []
    if len(pairs) > scorer.batch:
        batches = [pairs[start : start + scorer.batch] for start in range(0, len(pairs), scorer.batch)]
        judged = await asyncio.gather(*(judge_pairs(batch, scorer, task, executor) for batch in batches))
        return [score for batch in judged for score in batch]
    named = (task.scorer_name, json.dumps(task.scorer_args))
    items = [(*named, *pair) for pair in pairs]
    outcomes = await executor.call_each(judge, items, timeout_s=scorer.timeout_s, prepare=(prepare, named))
    return [_failure(outcome) if outcome.value is None else outcome.value for outcome in outcomes]


async def warm_up(task: TaskConfig, executor: Executor) -> None:
    """Start a worker with what the task's scorer needs, so that the first answers do not wait for it."""
    named = (task.scorer_name, json.dumps(task.scorer_args))
    await executor.call(
        prepare, *named, timeout_s=make_scorer(task.scorer_name, task.scorer_args).timeout_s, prepare=(prepare, named)
    )


def _failure(outcome: Outcome[Score]) -> Score:
    """What it means for a sample that its scoring did not end well.

    A limit that the answer broke is the answer's fault (an answer that cannot be compared in that time is not the
    one that was asked for): wrong. A process that died or a scorer with a bug says nothing about the answer: failed.
    """
    if outcome.fate in ("overran", "exhausted"):
        return Score(False, f"not shown to be right: scoring {outcome.why}", answer="", verdict="wrong")
    return Score(None, f"the scorer failed: {outcome.why}")


def slim(problem: Problem, scorer: Scorer) -> Problem:
    """The problem without what the scorer does not need: rows may be megabytes, and go through a pipe."""
    return problem if scorer.uses_row else replace(problem, row={}, prompt="", shots=())


async def judge_unscored(run: RunFolder, executor: Executor) -> AsyncGenerator[Judged, None]:
    """Judge what was answered but not judged when the run was interrupted (or only generated)."""
    _begin_pass_if_needed(run)
    waiting: Queue = asyncio.Queue()
    for slot in run.unscored():
        waiting.put_nowait(slot)
    waiting.put_nowait(None)
    async for event in judge_slots(run, waiting, executor):
        yield event
