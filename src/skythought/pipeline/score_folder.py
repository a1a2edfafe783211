"""`score`: grading what a run folder holds, again or for the first time.

Two kinds of folder. One of ours is graded from its journals, and its verdicts are journalled, so that a killed `score`
goes on where it was. Any other `results.json` (the reference's, or ours after the user changed it) is graded as it
stands: it is streamed through and replaced atomically at the end.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from skythought.config import COMMON_TAGS, TaskConfig
from skythought.errors import UserError, unknown
from skythought.executors.base import Executor
from skythought.grading.grade import Grader, not_gradable, scoring_header
from skythought.pipeline.clock import Clock
from skythought.pipeline.judge import Judge, ProblemOf, ask_started
from skythought.pipeline.logged import logged
from skythought.pipeline.score import header_of, queue_of, score_answers
from skythought.pipeline.steps import Finished, Notice, Phase, Step
from skythought.pipeline.votes import derive_with_votes, form_notice, votes_on
from skythought.runs import folder
from skythought.runs.classes import Answered
from skythought.runs.folder import RunFolder
from skythought.runs.jsonfile import EntryWriter, is_as_derived, write_json
from skythought.runs.lock import Lock
from skythought.runs.metrics import require_ks
from skythought.runs.records import Manifest, PassBegin
from skythought.runs.results import Result, ResultsForm, read_results, row_of, write_scores
from skythought.runs.totals import Totals
from skythought.runs.view import Run, no_run
from skythought.scorers.base import ModelScorer
from skythought.streams import in_order
from skythought.tasks.problems import MissingColumn, problem_of_row
from skythought.tasks.report_by import grouping
from skythought.types import MalformedRow, Problem, SampleKey, Score

__all__ = ["recorded_task", "score_folder"]

OF_0_2 = ("accuracy_stderr", "pass_at_k_stderr")
"""What skythought 0.2 wrote into a summary where now there are estimates."""

ProblemIn = Callable[[Result], Problem | MalformedRow]


def recorded_task(path: Path) -> TaskConfig:
    """The task that a run was made for, as its folder records it.

    Raises:
        UserError: It records none.
    """
    manifest = Manifest.read(path) if path.is_dir() else None
    if manifest is None and path.is_dir() and not (path / "results.json").exists():
        raise UserError(f"--run-dir {no_run(path)}")
    if manifest is None and path.is_dir():
        raise UserError(f"--task: name the run's task; {str(path)!r} has no run.json that tells it.")
    if manifest is None:
        raise UserError(f"--run-dir {str(path)!r}: there is no such folder.")
    return manifest.config.task


async def score_folder(
    path: Path,
    task: TaskConfig,
    ids: Sequence[str] | None,
    executor: Executor,
    judge: Judge | None = None,
    ks: Sequence[int] = (),
    form: ResultsForm = "auto",
) -> AsyncGenerator[Step, None]:
    """Grade a run folder; at the end its derived files are replaced.

    Args:
        task: Its scorer scores; it must be the task that the run was made for.
        ids: Problems to grade; None = all.
        executor: Where the scorer runs.
        judge: For a scorer that asks a model.
        ks: Of pass@k and its kin in the summary's estimates, if not the usual ones.
        form: Of the samples that are derived from a run's journals; see `derive`.

    Raises:
        UserError: No run in the folder, another task's run, an unknown id, no judge where one is needed, a k above the
            samples of a problem.
    """
    if not path.is_dir():
        raise UserError(f"--run-dir {str(path)!r}: there is no such folder.")
    results = path / "results.json"
    manifest = Manifest.read(path)
    if manifest is None and not results.exists():
        raise UserError(f"--run-dir {no_run(path)}")
    grader = Grader.of(task, manifest.config.model.tags if manifest else _tags(path), judge.model.tags if judge else ())
    if isinstance(grader.scorer, ModelScorer) and judge is None:
        raise UserError(f"scorer {task.scorer_name!r} asks a model: name the judge with --judge-model.")
    if manifest is not None:
        require_ks(ks, manifest.config.n)
    with Lock(path) as lock:
        steps: AsyncGenerator[Step, None] | AsyncGenerator[Score, None]
        as_it_stands = Phase("scoring", f"{task.name}: scoring results.json", path)
        if manifest is None:
            yield Notice("scoring results.json as it stands (the folder was not made by this program)")
            yield as_it_stands
            steps = _score_file(path, task, grader, ids, executor, ks)
        elif results.exists() and not is_as_derived(path):
            yield Notice("results.json was changed since it was made: scoring it as it stands, not the journal")
            yield as_it_stands
            steps = _score_edited(path, task, grader, ids, executor, ks, lock)
        else:
            steps = logged(_score_run(path, task, grader, ids, executor, ks, lock, judge, form), path)
        async with aclosing(steps) as stream:
            async for step in stream:
                yield step
    yield Finished(Run(path))


async def _score_run(
    path: Path,
    task: TaskConfig,
    grader: Grader,
    ids: Sequence[str] | None,
    executor: Executor,
    ks: Sequence[int],
    lock: Lock,
    judge: Judge | None,
    form: ResultsForm,
) -> AsyncGenerator[Step, None]:
    with folder.load(path, lock) as run:
        _require_same_task(run, task)
        problem_of = _problem_of(run, task)
        run.config = run.config.model_copy(update={"task": task})
        keys, clock = list(_keys(run, ids, judge)), Clock(path)
        if judge is not None:
            async with aclosing(ask_started(run, keys, grader, judge, problem_of)) as replies:
                async for step in replies:
                    if isinstance(step, Phase):
                        clock.begin(step.doing)
                    yield step
        clock.begin("scoring")
        yield Phase("scoring", f"{task.name}: scoring", path, len(keys))
        scores = score_answers(run, queue_of(keys), executor, grader, judge=judge, problem_of=problem_of)
        async with aclosing(scores):
            async for score in scores:
                yield score
        if ids is None:
            run.end_scoring()
        if said := form_notice(run, form):
            yield Notice(said)
        yield Phase("scoring", f"{task.name}: writing the results", path)
        await derive_with_votes(run, executor, ks, form, clock)


async def _score_edited(
    path: Path,
    task: TaskConfig,
    grader: Grader,
    ids: Sequence[str] | None,
    executor: Executor,
    ks: Sequence[int],
    lock: Lock,
) -> AsyncGenerator[Score, None]:
    with folder.load(path, lock) as run:
        _require_same_task(run, task)
        async with aclosing(_score_file(path, task, grader, ids, executor, ks, run)) as scores:
            async for score in scores:
                yield score


def _problem_of(run: RunFolder, task: TaskConfig) -> ProblemOf:
    """Problems as frozen in the run; with their targets made anew from their rows if the task says otherwise now."""
    before = run.config.task
    if (before.target, before.choices, before.answer_key) == (task.target, task.choices, task.answer_key):
        return run.problem

    def problem_of(problem_id: str) -> Problem:
        frozen = run.problem(problem_id)
        made = problem_of_row(task, frozen.row, frozen.id, frozen.prompt)
        return made if isinstance(made, Problem) else frozen

    return problem_of


def _keys(run: RunFolder, ids: Sequence[str] | None, judge: Judge | None) -> Iterator[SampleKey]:
    """What is to be scored: the given problems, or all; what a killed `score` left over, if there was one."""
    if ids is not None:
        for problem_id in ids:
            if problem_id not in run:
                raise unknown("problem id", problem_id, run.ids[:20])
            yield from (key for key in run.keys_of(problem_id) if run.is_answered(key))
        return
    header = {**header_of(run.config.task, judge), "rescoring": True}
    if run.scoring is None or run.scoring.header != header or run.scoring_ended:
        run.begin_scoring(PassBegin(header))
    yield from run.unscored()


def _require_same_task(run: RunFolder, task: TaskConfig) -> None:
    made_for = run.config.task.name
    if task.name != made_for:
        raise UserError(f"--task {task.name}: the run was made for task {made_for!r}; give --task {made_for}.")


# -- results.json as it stands --------------------------------------------------------------------------------


async def _score_file(
    path: Path,
    task: TaskConfig,
    grader: Grader,
    ids: Sequence[str] | None,
    executor: Executor,
    ks: Sequence[int],
    frozen: RunFolder | None = None,
) -> AsyncGenerator[Score, None]:
    """Grade `results.json` in its own order, a window of problems at a time.

    Args:
        frozen: The run that the file was derived from before it was changed, if it is one of ours.
    """
    if isinstance(grader.scorer, ModelScorer):
        raise UserError(f"scorer {task.scorer_name!r} asks a model, which only a run with its journals can record.")
    results = path / "results.json"
    missing = set(ids or ())
    totals, groups_of, most = Totals(), grouping(task), 0
    problem_of = _problem_in(task, frozen)
    work = _grading(task, grader, None if ids is None else set(ids), executor, problem_of)
    with EntryWriter(results, derived=False) as writer:
        async with aclosing(in_order(work, _groups(results, grader.scorer.batch), executor.workers + 2)) as groups:
            async for problem_id, entry, _, samples in _each(groups):
                missing.discard(problem_id)
                writer.add(problem_id, entry)
                totals.add_problem(samples, groups_of(row_of(entry)))
                most = max(most, len(samples))
                for sample in samples:
                    if sample.score is not None and (ids is None or problem_id in ids):
                        yield sample.score
        if missing:
            raise UserError(f"--ids: no problem {min(missing)!r} in {str(results)!r}.")
        require_ks(ks, most)
        writer.commit()
    votes = await votes_on(_answered(results, problem_of), task.scorer, executor) if most > 1 else []
    _update_summary(path, totals.additions(most, ks, votes), totals.top_level(most), task)


def _answered(results: Path, problem_of: ProblemIn) -> Iterator[Answered]:
    for result in read_results(results):
        if isinstance(problem := problem_of(result), Problem):
            yield Answered(problem, [sample.score for sample in result.samples])


def _problem_in(task: TaskConfig, frozen: RunFolder | None) -> ProblemIn:
    """The problem of an entry: as frozen, else as the task makes it of the entry's columns."""
    frozen_problem = None if frozen is None else _problem_of(frozen, task)

    def problem_of(result: Result) -> Problem | MalformedRow:
        if frozen is not None and frozen_problem is not None and result.problem_id in frozen:
            return frozen_problem(result.problem_id)
        prompt = result.samples[0].problem.prompt if result.samples else ""
        return problem_of_row(task, row_of(result.entry), result.problem_id, prompt)

    return problem_of


def _grading(
    task: TaskConfig, grader: Grader, ids: set[str] | None, executor: Executor, problem_of: ProblemIn
) -> Callable[[list[Result]], Awaitable[list[Result]]]:
    """What puts new verdicts on a group of entries: on those of `ids`, or on all."""

    async def graded(group: list[Result]) -> list[Result]:
        wanted = [result for result in group if ids is None or result.problem_id in ids]
        asked = [(problem_of(result), result.samples) for result in wanted]
        _require_columns(task, [problem for problem, _ in asked])
        pairs = [(problem, sample.response) for problem, samples in asked for sample in samples]
        gradable = [(problem, response) for problem, response in pairs if isinstance(problem, Problem)]
        scores = {score.key: score for score in await grader.grade(gradable, executor)}
        for problem, response in pairs:
            if isinstance(problem, MalformedRow):
                scores[response.key] = replace(not_gradable(problem), key=response.key)
        return [_with_scores(result, scores) for result in group]

    return graded


def _require_columns(task: TaskConfig, problems: Sequence[Problem | MalformedRow]) -> None:
    """Refuse a file of which no entry has what its answers are scored with: all of them would be "failed"."""
    lacking = [row.column for row in problems if isinstance(row, MissingColumn)]
    if lacking and len(lacking) == len(problems):
        raise UserError(
            f"results.json has no column {lacking[0]!r}, which task {task.name!r} scores with. A run keeps large tests "
            "out of it: score its whole folder (run.json, samples.jsonl, ...), or add the column from the dataset."
        )


async def _each(groups: AsyncGenerator[list[Result], None]) -> AsyncGenerator[Result, None]:
    async for group in groups:
        for result in group:
            yield result


def _with_scores(result: Result, scores: Mapping[SampleKey, Score]) -> Result:
    """The entry with its new verdicts, in place and in its samples."""
    found = {sample.sample: scores[sample.key] for sample in result.samples if sample.key in scores}
    write_scores(result, found)
    samples = [replace(sample, score=found.get(sample.sample, sample.score)) for sample in result.samples]
    return result._replace(samples=samples)


def _groups(path: Path, size: int) -> Iterator[list[Result]]:
    """The entries of `results.json` in groups of some `size` responses."""
    group: list[Result] = []
    count = 0
    for result in read_results(path):
        group.append(result)
        count += len(result.samples)
        if count >= size:
            yield group
            group, count = [], 0
    if group:
        yield group


def _tags(path: Path) -> list[tuple[str, str]]:
    """The model's thinking tags, if the folder's summary tells them, else those in common use."""
    model = _read_summary(path)["configuration"].get("model") or {}
    given = dict(model.get("config") or {}).get("thinking_tags") or COMMON_TAGS
    return [(str(opening), str(closing)) for opening, closing in given]


def _read_summary(path: Path) -> dict[str, Any]:
    """The summary in a folder, as far as it can be read: an empty one if there is none or it is damaged."""
    try:
        summary = json.loads((path / "summary.json").read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except (FileNotFoundError, ValueError):
        return {"configuration": {}}
    known = isinstance(summary, dict) and isinstance(summary.get("configuration"), dict)
    return summary if known else {"configuration": {}}


def _update_summary(path: Path, additions: Mapping[str, Any], top: Mapping[str, Any], task: TaskConfig) -> None:
    """The summary that is there with new numbers, or a new one with what the results alone tell."""
    summary = _read_summary(path)
    configuration = summary["configuration"]
    configuration.setdefault("task", {"name": task.name, "config": task.reference_config()})
    header = scoring_header(task)
    sandbox = {"sandbox": header.pop("sandbox")} if "sandbox" in header else {}
    ours = configuration.setdefault("skythought", {})
    for name in OF_0_2:
        ours.pop(name, None)
    ours.update({**additions, "scored_with": header, **sandbox})
    write_json(path / "summary.json", {**summary, **top})
