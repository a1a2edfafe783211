"""`score`: judging what a run folder holds, again or for the first time.

Two kinds of folder. One of ours is judged from its journals, and its verdicts are journalled, so that a killed `score`
goes on where it was. Any other `results.json` (the reference's, or ours after the user changed it) is judged as it
stands: it is streamed through and replaced atomically at the end.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from skythought import pipeline
from skythought.config import COMMON_TAGS, TaskConfig
from skythought.errors import RunFolderError, UserError, unknown
from skythought.executors.base import Executor
from skythought.models.thinking import split_thinking
from skythought.pipeline import Judged
from skythought.runs import folder
from skythought.runs.folder import RunFolder, Slot
from skythought.runs.jsonfile import EntryWriter, is_as_derived, read_entries, write_json
from skythought.runs.lock import Lock
from skythought.runs.results import Totals
from skythought.scorers._judge import make_scorer, settled
from skythought.scorers.base import Scorer
from skythought.streams import in_order
from skythought.tasks.groups import grouping
from skythought.tasks.problems import RowProblemError, problem_from_record
from skythought.types import Problem, SampleKey, Score

__all__ = ["rescore"]


async def rescore(
    path: Path, task: TaskConfig, ids: Sequence[str] | None, executor: Executor, notices: list[str]
) -> AsyncGenerator[Judged, None]:
    """Judge a run folder; at the end its derived files are replaced.

    Args:
        task: Its scorer judges; it must be the task that the run was made for.
        ids: Problems to judge; None = all.
        notices: Gets a line if the folder is judged as it stands.

    Raises:
        UserError: No run in the folder, another task's run, an unknown id.
    """
    if not path.is_dir():
        raise UserError(f"--run-dir {str(path)!r}: there is no such folder.")
    results = path / "results.json"
    manifest = folder.read_manifest(path)
    if manifest is None and not results.exists():
        raise UserError(f"--run-dir {str(path)!r} holds no run: neither run.json nor results.json is there.")
    make_scorer(task.scorer_name, task.scorer_args)
    lock = Lock(path)
    try:
        if manifest is None:
            notices.append("scoring results.json as it stands (the folder was not made by this program)")
            stream = _rescore_file(path, task, ids, executor)
        elif results.exists() and not is_as_derived(path):
            notices.append("results.json was changed since it was made: scoring it as it stands, not the journal")
            stream = _rescore_edited(path, task, ids, executor, lock)
        else:
            stream = _rescore_run(path, task, ids, executor, lock)
        async with aclosing(stream):
            async for event in stream:
                yield event
    finally:
        lock.release()


async def _rescore_run(
    path: Path, task: TaskConfig, ids: Sequence[str] | None, executor: Executor, lock: Lock
) -> AsyncGenerator[Judged, None]:
    with folder.load(path, lock) as run:
        _require_same_task(run, task)
        problem_at = _problem_at(run, task)
        run.config = run.config.model_copy(update={"task": task})
        waiting: pipeline.Queue = asyncio.Queue()
        for slot in _slots(run, ids):
            waiting.put_nowait(slot)
        waiting.put_nowait(None)
        async for event in pipeline.judge_slots(run, waiting, executor, problem_at):
            yield event
        if ids is None:
            run.end_pass()
        pipeline.finish(run)


async def _rescore_edited(
    path: Path, task: TaskConfig, ids: Sequence[str] | None, executor: Executor, lock: Lock
) -> AsyncGenerator[Judged, None]:
    with folder.load(path, lock) as run:
        _require_same_task(run, task)
        async for event in _rescore_file(path, task, ids, executor, run):
            yield event


def _problem_at(run: RunFolder, task: TaskConfig) -> Callable[[int], Problem]:
    """Problems as frozen in the run; with their targets made anew from their rows if the task says otherwise now."""
    before = run.config.task
    if (before.target, before.choices, before.answer_key) == (task.target, task.choices, task.answer_key):
        return run.problem

    def problem_at(position: int) -> Problem:
        frozen = run.problem(position)
        record = {**frozen.row, "prompt": frozen.prompt}
        made = problem_from_record(task, record, frozen.id)
        return made if isinstance(made, Problem) else frozen

    return problem_at


def _slots(run: RunFolder, ids: Sequence[str] | None) -> Iterator[Slot]:
    """What is to be judged: the given problems, or all; what a killed `score` left over, if there was one."""
    if ids is not None:
        for problem_id in ids:
            position = run.position(problem_id)
            if position is None:
                raise unknown("problem id", problem_id, run.ids[:20])
            yield from (slot for slot in run.slots_of(position) if run.answered(slot))
        return
    header = {**pipeline.pass_header(run.config), "rescoring": True}
    if run.pass_header != header or run.pass_ended:
        run.begin_pass(header)
    yield from run.unscored()


def _require_same_task(run: RunFolder, task: TaskConfig) -> None:
    made_for = run.config.task.name
    if task.name != made_for:
        raise UserError(f"--task {task.name}: the run was made for task {made_for!r}; give --task {made_for}.")


async def _rescore_file(
    path: Path,
    task: TaskConfig,
    ids: Sequence[str] | None,
    executor: Executor,
    frozen: RunFolder | None = None,
) -> AsyncGenerator[Judged, None]:
    """Judge `results.json` in its own order, a window of problems at a time.

    Args:
        frozen: The run that the file was derived from before it was changed, if it is one of ours.
    """

    problem_at = None if frozen is None else _problem_at(frozen, task)

    def problem_of(key: str, record: dict[str, Any]) -> Problem | RowProblemError:
        position = None if frozen is None else frozen.position(key)
        if problem_at is None or position is None:
            return problem_from_record(task, record, key)
        return problem_at(position)

    scorer = make_scorer(task.scorer_name, task.scorer_args)
    wanted = None if ids is None else set(ids)
    tags = [
        (str(opening), str(closing)) for opening, closing in _model_config(path).get("thinking_tags") or COMMON_TAGS
    ]
    totals, groups_of = Totals(), grouping(task)
    samples = 0

    async def judge(group: list[_Record]) -> list[_Record]:
        owed = [record for record in group if wanted is None or record.key in wanted]
        for record in owed:
            record.take_apart(problem_of(record.key, record.entry), tags, scorer)
        pairs = [pair for record in owed for pair in record.pairs.values()]
        scores = iter(await pipeline.judge_pairs(pairs, scorer, task, executor))
        for record in owed:
            record.write(scores)
        return group

    with EntryWriter(path / "results.json", derived=False) as writer:
        groups = _groups(path, scorer.batch)
        async for record in _flat(in_order(judge, groups, executor.workers + 2)):
            writer.add(record.key, record.entry)
            usages = record.entry.get("token_usages") or [{}] * len(record.responses)
            totals.add_problem(record.responses, usages, groups_of(record.entry))
            samples = max(samples, len(record.responses))
            if wanted is not None:
                wanted.discard(record.key)
            for number, score in enumerate(record.scores):
                yield Judged(SampleKey(record.key, number), score)
        if wanted:
            raise UserError(f"--ids: no problem {min(wanted)!r} in {str(path / 'results.json')!r}.")
        writer.commit()
    _update_summary(path, totals, samples, task, scorer.conditions())


class _Record:
    """One entry of a foreign `results.json` on its way: its answers to judge, then its verdicts."""

    def __init__(self, key: str, entry: dict[str, Any]) -> None:
        self.key = key
        self.entry = entry
        self.responses: list[dict[str, Any]] = entry["responses"]
        self.pairs: dict[int, tuple[Problem, str]] = {}
        """What is to be judged, by the number of the response."""
        self.scores: list[Score] = []
        self._settled: dict[int, Score] = {}

    def take_apart(self, problem: Problem | RowProblemError, tags: Sequence[tuple[str, str]], scorer: Scorer) -> None:
        """Find the answers; what needs no judging is settled here."""
        slim = None if isinstance(problem, RowProblemError) else pipeline.slim(problem, scorer)
        for number, entry in enumerate(self.responses):
            answer = split_thinking(
                entry.get("content") or "",
                tags=tags,
                opened=bool(entry.get("thinking_open")),
                reasoning=entry.get("reasoning"),
            ).answer
            if isinstance(problem, RowProblemError):
                self._settled[number] = Score(None, f"column {problem.column!r}: {problem.why}")
            elif entry.get("error") is not None:
                self._settled[number] = Score(None, f"failed: {entry['error']}")
            elif answer is None:
                self._settled[number] = Score(False, pipeline.NEVER_ENDED)
            elif slim is not None:
                self.pairs[number] = (slim, answer)

    def write(self, scores: Iterator[Score]) -> None:
        """Write the verdicts into the entry: the settled ones, the others from `scores`, in order."""
        for number, entry in enumerate(self.responses):
            score = self._settled[number] if number in self._settled else next(scores)
            score = settled(score, entry.get("finish_reason"))
            entry.update(correctness=score.correct, reason=score.reason, verdict=score.verdict, answer=score.answer)
            self.scores.append(score)


def _groups(path: Path, size: int) -> Iterator[list[_Record]]:
    """The entries of `results.json` in groups of some `size` responses."""
    group: list[_Record] = []
    count = 0
    for key, record in read_entries(path / "results.json"):
        if not isinstance(record, dict) or not isinstance(record.get("responses"), list):
            raise RunFolderError(f"{path / 'results.json'}: entry {key!r} has no list of responses.")
        group.append(_Record(key, record))
        count += len(record["responses"])
        if count >= size:
            yield group
            group, count = [], 0
    if group:
        yield group


async def _flat(groups: AsyncGenerator[list[_Record], None]) -> AsyncGenerator[_Record, None]:
    async with aclosing(groups):
        async for group in groups:
            for record in group:
                yield record


def _model_config(path: Path) -> dict[str, Any]:
    config = _read_summary(path)["configuration"].get("model") or {}
    return dict(config.get("config") or {})


def _read_summary(path: Path) -> dict[str, Any]:
    """The summary in a folder, as far as it can be read: an empty one if there is none or it is damaged."""
    try:
        summary = json.loads((path / "summary.json").read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (FileNotFoundError, ValueError):
        return {"configuration": {}}
    known = isinstance(summary, dict) and isinstance(summary.get("configuration"), dict)
    return summary if known else {"configuration": {}}


def _update_summary(path: Path, totals: Totals, samples: int, task: TaskConfig, conditions: Mapping[str, Any]) -> None:
    """The summary that is there with new numbers, or a new one with what the results alone tell."""
    summary = _read_summary(path)
    configuration = summary["configuration"]
    configuration.setdefault("task", {"name": task.name, "config": task.reference_config()})
    configuration.setdefault("skythought", {}).update({**totals.additions(samples), **conditions})
    write_json(path / "summary.json", {**summary, **totals.top_level(samples)})
