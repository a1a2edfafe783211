"""Carrying plans out: one start for each engine, its runs one after another; `evaluate` generates and scores at once.

A response is journalled the moment it arrives, and scored while others are still being generated. Where a scorer asks a
model, all runs are generated first; then the judge is asked, by the same engine or one of its own; then all is scored.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from skythought.backends.base import ConcurrentBackend
from skythought.errors import BackendError, SkythoughtError, UserError
from skythought.executors.base import Executor
from skythought.executors.local import LocalExecutor
from skythought.grading.grade import Grader
from skythought.pipeline.asking import Asking
from skythought.pipeline.budget import with_estimate
from skythought.pipeline.clock import Clock
from skythought.pipeline.conditions import Conditioned
from skythought.pipeline.engine import SharedEngine, heeding
from skythought.pipeline.failures import Ends, Failures
from skythought.pipeline.generate import Queue, generate
from skythought.pipeline.judge import Judge, ask, ask_started, is_told, judging
from skythought.pipeline.logged import logged
from skythought.pipeline.plan import Plan
from skythought.pipeline.resume import open_run
from skythought.pipeline.score import begin_scoring_if_needed, header_of, queue_of, score_answers
from skythought.pipeline.steps import Doing, Finished, Notice, Opened, Phase, Step
from skythought.pipeline.votes import derive_with_votes, form_notice
from skythought.runs.create import discard
from skythought.runs.folder import RunFolder
from skythought.runs.log import ENGINE_LOG
from skythought.runs.metrics import whole_numbers
from skythought.runs.results import derive, remarks_in
from skythought.runs.view import Run
from skythought.scorers.base import ModelScorer
from skythought.streams import Stop, chain
from skythought.types import Response

__all__ = ["by_engine", "execute"]

FILES_A_RUN, FILES_BESIDE = 8, 512
"""Files that are open at once: of a run, and of engines, workers and libraries."""


def execute(plans: Plan | Sequence[Plan], stop: Stop | None = None) -> AsyncGenerator[Step, None]:
    """Carry plans out, with one start for each engine, and tell it in the `run.log` of each run.

    Every run folder is opened before the first engine starts, so that what can be wrong shows in seconds. Where there
    are several runs, one that cannot go on is told, and ends no other.

    Args:
        plans: What is to be done; what is done by the same engine is done together.
        stop: Once it is requested, nothing more is asked, what is in flight has a while to end, and the runs' files are
            derived from what is there.

    Raises:
        UserError, BackendError: A run could not go on; of several, once the others are done.
    """
    return logged(_execute((plans,) if isinstance(plans, Plan) else tuple(plans), stop or Stop()))


async def _execute(plans: Sequence[Plan], stop: Stop) -> AsyncGenerator[Step, None]:
    async with AsyncExitStack() as stack:
        new: list[Path] = []
        stack.push(lambda kind, *_: _drop(new) if kind and issubclass(kind, SkythoughtError) else None)
        _let_open(sum(len(plan.configs) for plan in plans))
        notices = [text for plan in plans for text in plan.notices]
        runs: list[list[RunFolder]] = []
        clocks: dict[RunFolder, Clock] = {}
        for plan in plans:
            runs.append([])
            for config in plan.configs:
                yield Phase("dataset", f"loading the dataset of {config.task.name}")
                began = time.monotonic()
                run, said, is_new = open_run(config, plan.options)
                clocks[run] = Clock(run.path, time.monotonic() - began)
                runs[-1].append(stack.enter_context(run))
                notices += said
                if is_new:
                    new.append(run.path)
        for text in dict.fromkeys(notices):
            yield Notice(text)
        executor = await stack.enter_async_context(LocalExecutor())
        number, of = 0, sum(map(len, runs))
        ends = Ends(of)
        for group in by_engine(plans):
            async with SharedEngine(plans[group[0]].engine, plans[group[0]].configs[0].backend.name, stop) as engine:
                works = [_Work(plans[at], runs[at], executor, engine, stop, clocks) for at in group]
                async with aclosing(_carried_out(works, engine, ends)) as steps:
                    async for step in steps:
                        if isinstance(step, Opened):
                            number += 1
                            step = replace(step, number=number, of=of)
                        yield step
        ends.check()


def _let_open(runs: int) -> None:
    """Let this process have the files of so many runs open; mostly it starts with leave for 1,024.

    Raises:
        UserError: The system allows fewer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_A_RUN * runs + FILES_BESIDE
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise UserError(f"{runs:,} runs need {wanted:,} open files, and {hard:,} are allowed: do fewer at once.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def by_engine(plans: Sequence[Plan]) -> list[list[int]]:
    """The numbers of plans that one engine can do, group by group."""
    groups: list[list[int]] = []
    for at, plan in enumerate(plans):
        fitting = next((group for group in groups if plans[group[0]].engine.serves(plan.engine)), None)
        if fitting is None:
            groups.append([at])
        else:
            fitting.append(at)
    return groups


async def _carried_out(works: Sequence[_Work], engine: SharedEngine, ends: Ends) -> AsyncGenerator[Step, None]:
    """All work of one engine: on each run, then what needs judges, first those that are the model itself."""
    for work in works:
        for run in work.runs:
            try:
                async with aclosing(work.on(run)) as steps:
                    async for step in steps:
                        yield step
            except (UserError, BackendError) as error:
                work.leave(run)
                yield ends.early(run.config, error)
                await engine.free()
    for work in sorted(works, key=lambda work: not work.judges_itself):
        try:
            async with aclosing(work.with_judge()) as steps:
                async for step in steps:
                    yield step
        except (UserError, BackendError) as error:
            for run in work.unjudged:
                work.leave(run)
                yield ends.early(run.config, error)
            await engine.free()


def _drop(folders: list[Path]) -> None:
    """A start that failed leaves no folder behind in which there is nothing."""
    for path in folders:
        discard(path)


class _Work:
    """A plan's runs, the engine that asks for them, and those that are still to be scored with the help of a judge."""

    def __init__(
        self,
        plan: Plan,
        runs: Sequence[RunFolder],
        executor: Executor,
        engine: SharedEngine,
        stop: Stop,
        clocks: Mapping[RunFolder, Clock],
    ) -> None:
        self.runs = runs
        self._clocks = clocks
        self._plan = plan
        self._executor = executor
        self._engine = engine
        self._stop = stop
        self._to_judge: list[tuple[RunFolder, Grader]] = []

    @property
    def judges_itself(self) -> bool:
        """Whether the judge, if there is one, is the model itself, by the same engine."""
        return self._plan.judge is None or self._plan.judge.engine == self._plan.engine

    @property
    def unjudged(self) -> list[RunFolder]:
        """The runs that wait for the judge."""
        return [run for run, _ in self._to_judge]

    def leave(self, run: RunFolder) -> None:
        """Nothing is done on the run for now; its clock stops."""
        self._clocks[run].end()

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
                if isinstance(step, Response):
                    self._clocks[run].answered(step)
                yield step
        if conditioned is not None and not self._stop.is_requested and (reason := conditioned.end()) is not None:
            yield Notice(reason)
        if grader is not None and isinstance(grader.scorer, ModelScorer):
            self.leave(run)
            self._to_judge.append((run, grader))
        else:
            async for step in self._finish(run):
                yield step

    async def _work_on(
        self, run: RunFolder, grader: Grader | None, pending: int, conditioned: Conditioned | None
    ) -> AsyncGenerator[Step, None]:
        """Ask and grade what is pending, with the engine loaded if anything is."""
        if pending and grader is not None and not self._engine.is_started:
            # The scorer's imports cost seconds that the engine needs to load anyway.
            self._engine.stack.callback(asyncio.create_task(grader.warm_up(self._executor)).cancel)
        if pending:
            async for step in self._start(run):
                yield step
        if self._engine.is_loaded or not pending:
            if pending:
                yield self._begin(run, "generating", run.config.task.name)
            elif _is_graded_at_once(grader):
                yield self._begin_scoring(run)
            async with aclosing(self._steps(run, grader, pending, conditioned)) as steps:
                async for step in steps:
                    yield step

    def _begin(self, run: RunFolder, doing: Doing, text: str, total: int | None = None) -> Phase:
        """The phase that begins now, with the run's clock set to it."""
        self._clocks[run].begin(doing)
        return Phase(doing, text, run.path, total)

    def _begin_scoring(self, run: RunFolder) -> Phase:
        return self._begin(run, "scoring", f"{run.config.task.name}: scoring", sum(1 for _ in run.unscored()))

    async def _start(self, run: RunFolder) -> AsyncGenerator[Step, None]:
        """Load the engine, unless it is; that counts as work on this run, which waits for it."""
        if not self._engine.is_started:
            self._clocks[run].begin("engine")
            self._engine.backend.engine_log = run.path / ENGINE_LOG
        async with aclosing(self._engine.start()) as steps:
            async for step in steps:
                yield step

    async def with_judge(self) -> AsyncGenerator[Step, None]:
        """Ask the judge about the runs that need it, and score them."""
        judge = self._plan.judge
        if judge is None or self._stop.is_requested:
            return
        shared = self.judges_itself
        if not shared:
            await self._engine.free()  # two engines seldom have room beside one another
        while self._to_judge:
            run, grader = self._to_judge[0]
            begin_scoring_if_needed(run, header_of(run.config.task, judge))
            keys = list(run.unscored())
            asking = self._ask(run, keys, grader, judge) if shared else ask_started(run, keys, grader, judge)
            async with aclosing(asking) as steps:
                async for step in steps:
                    if isinstance(step, Phase):
                        self._clocks[run].begin(step.doing)
                    yield step
            yield self._begin_scoring(run)
            async with aclosing(_scoring(run, queue_of(keys), self._executor, grader, judge)) as steps:
                async for step in steps:
                    yield step
            async for step in self._finish(run):
                yield step
            self._to_judge.pop(0)

    async def _finish(self, run: RunFolder) -> AsyncGenerator[Step, None]:
        """Derive the run's files; votes are counted only if nobody wants it to end."""
        ks, form = whole_numbers(self._plan.options.k), self._plan.options.results
        if said := form_notice(run, form):
            yield Notice(said)
        clock = self._clocks[run]
        if self._stop.is_requested:
            await self._engine.free()  # it would only take the cores from what is still to be done
            clock.end()
            summary = derive(run, ks, form=form)
        else:
            yield Phase("scoring", f"{run.config.task.name}: writing the results", run.path)
            summary = await derive_with_votes(run, self._executor, ks, form, clock)
        for remark in remarks_in(summary):
            yield Notice(remark)
        yield Finished(Run(run.path))

    def _grader(self, run: RunFolder) -> Grader:
        judge = self._plan.judge
        return Grader.of(run.config.task, run.config.model.tags, judge.model.tags if judge else ())

    async def _catch_up(self, run: RunFolder, grader: Grader | None) -> AsyncGenerator[Step, None]:
        """Grade what was answered before, so that what is asked next can be chosen by it."""
        if not _is_graded_at_once(grader):
            return
        assert grader is not None
        begin_scoring_if_needed(run, header_of(run.config.task, None))
        yield self._begin_scoring(run)
        async with aclosing(_scoring(run, queue_of(run.unscored()), self._executor, grader)) as steps:
            async for step in steps:
                yield step

    def _steps(
        self, run: RunFolder, grader: Grader | None, pending: int, conditioned: Conditioned | None
    ) -> AsyncGenerator[Step, None]:
        asking = conditioned.asking if conditioned is not None else None
        failures = Failures(self._plan.options.max_failures, pending)
        if grader is None or not _is_graded_at_once(grader):
            generating = generate(run, self._engine.backend, stop=self._stop, failures=failures, asking=asking)
            return self._heeding(self._estimated(generating, pending, asking)) if pending else _nothing()
        begin_scoring_if_needed(run, header_of(run.config.task, None))
        if not pending:
            return _scoring(run, queue_of(run.unscored()), self._executor, grader)
        answered = queue_of(run.unscored(), ended=False)
        generating = generate(run, self._engine.backend, answered, self._stop, failures, asking)
        scoring = _scoring(run, answered, self._executor, grader, asking=asking)
        return self._heeding(chain(self._estimated(generating, pending, asking), self._scoring_left(run)), scoring)

    async def _scoring_left(self, run: RunFolder) -> AsyncGenerator[Step, None]:
        """Tell that everything is answered, and what is left to be scored."""
        yield self._begin_scoring(run)

    def _estimated(
        self, generating: AsyncGenerator[Step, None], pending: int, asking: Asking | None
    ) -> AsyncGenerator[Step, None]:
        backend, price = self._engine.backend, self._plan.engine.model.price
        in_flight = backend.in_flight if isinstance(backend, ConcurrentBackend) else backend.batch_size
        return with_estimate(generating, pending, in_flight, price, at_most=asking is not None)

    def _heeding(self, *streams: AsyncGenerator[Step, None]) -> AsyncGenerator[Step, None]:
        return heeding(self._engine.backend, *streams, stop=self._stop)

    async def _ask(self, run: RunFolder, keys: list[Any], grader: Grader, judge: Judge) -> AsyncGenerator[Step, None]:
        """Ask a judge that is the model itself."""
        if is_told(run, keys, grader, judge):
            return
        async for step in self._start(run):
            yield step
        yield judging(run)
        async with aclosing(self._heeding(ask(run, keys, grader, judge, self._engine.backend))) as steps:
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
