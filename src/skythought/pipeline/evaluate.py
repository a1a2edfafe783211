"""Carrying a plan out: one engine start, its runs one after another; `evaluate` generates and scores at once.

A response is journalled the moment it arrives, and scored while others are still being generated. Where a scorer asks a
model, all runs are generated first; then the judge is asked, by the same engine or one of its own; then all is scored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

from skythought.backends.base import ConcurrentBackend
from skythought.errors import SkythoughtError
from skythought.executors.base import Executor
from skythought.executors.local import LocalExecutor
from skythought.grading.grade import Grader
from skythought.pipeline.asking import Asking
from skythought.pipeline.budget import with_estimate
from skythought.pipeline.conditions import Conditioned
from skythought.pipeline.engine import heeding, loading
from skythought.pipeline.failures import Failures
from skythought.pipeline.generate import Queue, generate
from skythought.pipeline.judge import Judge, ask, ask_started, is_told
from skythought.pipeline.plan import Plan
from skythought.pipeline.resume import open_run
from skythought.pipeline.score import begin_scoring_if_needed, header_of, queue_of, score_answers
from skythought.pipeline.steps import Finished, Notice, Opened, Step
from skythought.pipeline.votes import derive_with_votes, form_notice
from skythought.runs.create import discard
from skythought.runs.folder import RunFolder
from skythought.runs.metrics import whole_numbers
from skythought.runs.results import derive, remarks_in
from skythought.runs.view import Run
from skythought.scorers.base import ModelScorer
from skythought.streams import Stop, chain

__all__ = ["execute"]


async def execute(plan: Plan, stop: Stop | None = None) -> AsyncGenerator[Step, None]:
    """Carry a plan out.

    Every run folder is opened before the engine starts, so that what can be wrong shows in seconds.

    Args:
        stop: Once it is requested, nothing more is asked, what is in flight has a while to end, and the runs' files are
            derived from what is there.
    """
    stop = stop or Stop()
    async with AsyncExitStack() as stack:
        runs = []
        new: list[Path] = []
        notices = list(plan.notices)
        stack.push(lambda kind, *_: _drop(new) if kind and issubclass(kind, SkythoughtError) else None)
        for config in plan.configs:
            run, said, is_new = open_run(config, plan.options)
            runs.append(stack.enter_context(run))
            notices += said
            if is_new:
                new.append(run.path)
        for text in notices:
            yield Notice(text)
        executor = await stack.enter_async_context(LocalExecutor())
        work = _Work(plan, executor, await stack.enter_async_context(AsyncExitStack()), stop)
        async with aclosing(chain(*map(work.on, runs), work.with_judge())) as steps:
            async for step in steps:
                yield step


def _drop(folders: list[Path]) -> None:
    """A start that failed leaves no folder behind in which there is nothing."""
    for path in folders:
        discard(path)


class _Work:
    """A plan's engine, and the runs that are still to be scored with the help of a judge."""

    def __init__(self, plan: Plan, executor: Executor, engine: AsyncExitStack, stop: Stop) -> None:
        self._plan = plan
        self._executor = executor
        self._engine = engine
        """Frees the backend."""
        self._stop = stop
        self._backend = plan.engine.make()
        self._started = self._loaded = False
        self._to_judge: list[tuple[RunFolder, Grader]] = []

    async def on(self, run: RunFolder) -> AsyncGenerator[Step, None]:
        """All work on one run, but for what needs the judge."""
        if self._stop.is_requested:
            return
        pending = sum(1 for _ in run.pending())
        wanted = self._plan.options.until_correct
        yield Opened(run.config, run.path, run.samples, run.samples - pending, wanted)
        grader = self._grader(run) if self._plan.grade else None
        conditioned = None
        if pending and self._plan.conditions is not None:
            async for step in self._catch_up(run, grader):
                yield step
            conditioned = self._plan.conditions.on(run, graded=_is_graded_at_once(grader), stop=self._stop)
            for text in conditioned.notices:
                yield Notice(text)
            pending = pending if await conditioned.begin() else 0
        async with aclosing(self._work_on(run, grader, pending, conditioned)) as steps:
            async for step in steps:
                yield step
        if conditioned is not None and not self._stop.is_requested and (reason := conditioned.end()) is not None:
            yield Notice(reason)
        if grader is not None and isinstance(grader.scorer, ModelScorer):
            self._to_judge.append((run, grader))
        else:
            async for step in self._finish(run):
                yield step

    async def _work_on(
        self, run: RunFolder, grader: Grader | None, pending: int, conditioned: Conditioned | None
    ) -> AsyncGenerator[Step, None]:
        """Ask and grade what is pending, with the engine loaded if anything is."""
        if pending and grader is not None and not self._started:
            # The scorer's imports cost seconds that the engine needs to load anyway.
            self._engine.callback(asyncio.create_task(grader.warm_up(self._executor)).cancel)
        if pending:
            async for step in self._start():
                yield step
        if self._loaded or not pending:
            async with aclosing(self._steps(run, grader, pending, conditioned)) as steps:
                async for step in steps:
                    yield step

    async def with_judge(self) -> AsyncGenerator[Step, None]:
        """Ask the judge about the runs that need it, and score them."""
        judge = self._plan.judge
        if judge is None or self._stop.is_requested:
            return
        shared = judge.engine == self._plan.engine
        if not shared:
            await self._engine.aclose()  # two engines seldom have room beside one another
        for run, grader in self._to_judge:
            begin_scoring_if_needed(run, header_of(run.config.task, judge))
            keys = list(run.unscored())
            asking = self._ask(run, keys, grader, judge) if shared else ask_started(run, keys, grader, judge)
            scoring = _scoring(run, queue_of(keys), self._executor, grader, judge)
            async with aclosing(chain(asking, scoring)) as steps:
                async for step in steps:
                    yield step
            async for step in self._finish(run):
                yield step

    async def _finish(self, run: RunFolder) -> AsyncGenerator[Step, None]:
        """Derive the run's files; votes are counted only if nobody wants it to end."""
        ks, form = whole_numbers(self._plan.options.k), self._plan.options.results
        if said := form_notice(run, form):
            yield Notice(said)
        if self._stop.is_requested:
            await self._engine.aclose()  # it would only take the cores from what is still to be done
            summary = derive(run, ks, form=form)
        else:
            summary = await derive_with_votes(run, self._executor, ks, form)
        for remark in remarks_in(summary):
            yield Notice(remark)
        yield Finished(Run(run.path))

    def _grader(self, run: RunFolder) -> Grader:
        judge = self._plan.judge
        return Grader.of(run.config.task, run.config.model.tags, judge.model.tags if judge else ())

    async def _start(self) -> AsyncGenerator[Step, None]:
        """Load the engine, once."""
        if self._started:
            return
        self._started = True
        yield Notice(f"starting {self._plan.configs[0].backend.name} with {self._plan.engine.model.model_id}")
        async with aclosing(loading(self._backend, self._engine, self._stop)) as steps:
            async for step in steps:
                yield step
        self._loaded = not self._stop.is_requested

    async def _catch_up(self, run: RunFolder, grader: Grader | None) -> AsyncGenerator[Step, None]:
        """Grade what was answered before, so that what is asked next can be chosen by it."""
        if not _is_graded_at_once(grader):
            return
        assert grader is not None
        begin_scoring_if_needed(run, header_of(run.config.task, None))
        async with aclosing(_scoring(run, queue_of(run.unscored()), self._executor, grader)) as steps:
            async for step in steps:
                yield step

    def _steps(
        self, run: RunFolder, grader: Grader | None, pending: int, conditioned: Conditioned | None
    ) -> AsyncGenerator[Step, None]:
        asking = conditioned.asking if conditioned is not None else None
        failures = Failures(self._plan.options.max_failures, pending)
        if grader is None or not _is_graded_at_once(grader):
            generating = generate(run, self._backend, stop=self._stop, failures=failures, asking=asking)
            return self._heeding(self._estimated(generating, pending, asking)) if pending else _nothing()
        begin_scoring_if_needed(run, header_of(run.config.task, None))
        if not pending:
            return _scoring(run, queue_of(run.unscored()), self._executor, grader)
        answered = queue_of(run.unscored(), ended=False)
        generating = generate(run, self._backend, answered, self._stop, failures, asking)
        scoring = _scoring(run, answered, self._executor, grader, asking=asking)
        return self._heeding(self._estimated(generating, pending, asking), scoring)

    def _estimated(
        self, generating: AsyncGenerator[Step, None], pending: int, asking: Asking | None
    ) -> AsyncGenerator[Step, None]:
        backend, price = self._backend, self._plan.engine.model.price
        in_flight = backend.in_flight if isinstance(backend, ConcurrentBackend) else backend.batch_size
        return with_estimate(generating, pending, in_flight, price, at_most=asking is not None)

    def _heeding(self, *streams: AsyncGenerator[Step, None]) -> AsyncGenerator[Step, None]:
        return heeding(self._backend, *streams, stop=self._stop)

    async def _ask(self, run: RunFolder, keys: list[Any], grader: Grader, judge: Judge) -> AsyncGenerator[Step, None]:
        """Ask a judge that is the model itself."""
        if is_told(run, keys, grader, judge):
            return
        asking = self._heeding(ask(run, keys, grader, judge, self._backend))
        async with aclosing(chain(self._start(), asking)) as steps:
            async for step in steps:
                yield step


def _is_graded_at_once(grader: Grader | None) -> bool:
    """Whether answers are graded while others are being asked: not where nothing is, nor where a judge is asked."""
    return grader is not None and not isinstance(grader.scorer, ModelScorer)


async def _scoring(
    run: RunFolder,
    answered: Queue,
    executor: Executor,
    grader: Grader,
    judge: Judge | None = None,
    asking: Asking | None = None,
) -> AsyncGenerator[Step, None]:
    async with aclosing(score_answers(run, answered, executor, grader, judge=judge)) as scores:
        async for score in scores:
            if asking is not None:
                asking.scored(score)
            yield score


async def _nothing() -> AsyncGenerator[Step, None]:
    return
    yield
