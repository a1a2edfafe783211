"""A benchmark proves itself before it measures a model: its file, its rows, its prompts, and its own right answers.

The right answers are given to the task's scorer as a model would give them; it must find every one of them right.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from skythought.config import TaskConfig
from skythought.errors import UserError, did_you_mean
from skythought.executors.base import Executor
from skythought.executors.local import LocalExecutor
from skythought.grading.grade import Grader
from skythought.scorers.base import ModelScorer
from skythought.streams import in_order
from skythought.tasks.lint import Finding, Source, lint_file, why_empty
from skythought.tasks.problems import lacking_columns, problems, solutions
from skythought.tasks.report_by import grouping, reported
from skythought.types import MalformedRow, Problem, Response, SampleKey, Score

__all__ = ["Finding", "Report", "acheck_task"]

SHOWN_OF_A_KIND = 5
"""Findings of one kind that are told; the others are counted."""
REMEMBERED = 200_000
"""Prompts that are compared with later ones."""
CONTROLS = 16
"""Problems whose scorer is also given answers that should be wrong."""


@dataclass
class Report:
    """What a check found."""

    name: str
    task: TaskConfig | None = None
    findings: list[Finding] = field(default_factory=list)
    shown: list[Problem] = field(default_factory=list)
    """The first problems, as the model will see them."""
    given: list[list[str]] = field(default_factory=list)
    """For each of these, the right answers that the scorer was given."""
    problems: int = 0
    gold_checked: int = 0
    gold_right: int = 0

    @property
    def ok(self) -> bool:
        """Whether there is nothing wrong; warnings do not count."""
        return not any(not finding.warning for finding in self.findings)

    def __str__(self) -> str:
        counts = f"{self.problems:,} problem{'s' * (self.problems != 1)}"
        right = f"{self.gold_right:,} of {self.gold_checked:,} right answers found right"
        return f"{self.name}: {counts}, {right}: {'ok' if self.ok else 'not ok'}"


async def acheck_task(
    name_or_path: str,
    *,
    task_args: Mapping[str, Any] | None = None,
    rows: int | None = None,
    show: int = 2,
    expect_size: bool | None = None,
    executor: Executor | None = None,
) -> Report:
    """Check a task whole.

    Args:
        name_or_path: As for `load_task`.
        task_args: Fields of the task to replace.
        rows: How many problems are read and their answers scored; None = all. Memory does not grow with it.
        show: How many problems are kept to be shown.
        expect_size: Whether the number of problems must be the task's `size`; None = if all rows of its own dataset
            are read.
        executor: Where the scorer runs; None = in worker processes that end with the check.

    Raises:
        UserError: There is no such task. Whatever else is wrong is in the report.
    """
    source, task, found = lint_file(name_or_path, task_args)
    report = Report(task.name if task else source.path.stem, task, list(found))
    if task is None:
        return report
    try:
        grader = Grader.of(task)
    except UserError as error:
        report.findings.append(source.finding(str(error), "scorer"))
        report.findings += _on_columns(source, task, report.findings)
        return report
    if expect_size is None:
        expect_size = rows is None and "dataset_path" not in (task_args or {})
    check = _Check(report, source, task, grader, show)
    async with nullcontext(executor) if executor else LocalExecutor() as place:
        try:
            async with aclosing(check.graded(place, rows)) as batches:
                async for batch in batches:
                    check.count(batch)
            await check.controls(place)
        except UserError as error:
            report.findings.append(_dataset_finding(source, str(error)))
            report.findings += _on_columns(source, task, report.findings)
    check.finish(expect_size)
    return report


Graded = list[tuple[Problem, list[str], list[Score]]]


@dataclass
class _Check:
    """One check under way: what is known of the rows so far, for what can only be said of all of them."""

    report: Report
    source: Source
    task: TaskConfig
    grader: Grader
    show: int
    kinds: Counter[str] = field(default_factory=Counter)
    prompts: dict[bytes, str] = field(default_factory=dict)
    columns: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    targets: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    first: list[Problem] = field(default_factory=list)

    async def graded(self, executor: Executor, rows: int | None) -> AsyncGenerator[Graded, None]:
        """Problems with the right answers that the scorer was given, and its verdicts; a few batches at a time."""

        async def work(batch: list[tuple[Problem, list[str]]]) -> Graded:
            pairs = [(problem, text) for problem, texts in batch for text in texts]
            scores = iter(await self._scores(pairs, executor))
            return [(problem, texts, list(islice(scores, len(texts)))) for problem, texts in batch]

        async with aclosing(in_order(work, self._batches(rows), executor.workers + 1)) as stream:
            async for batch in stream:
                yield batch

    def _batches(self, rows: int | None) -> Iterator[list[tuple[Problem, list[str]]]]:
        found = self._problems(rows)
        while batch := list(islice(found, self.grader.scorer.batch)):
            yield [(problem, self._right_answers(problem)) for problem in batch]

    def _problems(self, rows: int | None) -> Iterator[Problem]:
        for item in problems(self.task, 0, -1 if rows is None else rows, whole_rows=True):
            if isinstance(item, MalformedRow):
                line = self.source.mentioning(item.column) if item.column else None
                self.add("row", f"{item}", line)
            else:
                yield item

    def _right_answers(self, problem: Problem) -> list[str]:
        """What the scorer must find right: the row's own solutions, else what the scorer makes of the target."""
        scorer = self.grader.scorer
        if isinstance(scorer, ModelScorer):  # it finds nothing right or wrong without its judge
            return []
        try:
            given = solutions(self.task, problem)
        except UserError as error:
            self.add("solution", f"problem {problem.id}: {error}", self.source.line("solution"))
            return []
        if self.task.solution is not None:
            return [scorer.as_response(text) for text in given]
        gold = scorer.gold(problem)
        return [] if gold is None else [gold]

    def _check_questions(self, problem: Problem) -> None:
        """Whether the judge, if there is one, can be asked about an answer to this problem."""
        try:
            if isinstance(self.grader.scorer, ModelScorer):
                self.grader.scorer.questions(problem, "an answer")
        except Exception as error:  # noqa: BLE001 -- the boundary: whatever a scorer raises is what is wrong with it
            why = f"problem {problem.id}: the judge cannot be asked: {type(error).__name__}: {error}"
            self.add("question", why, self.source.line("scorer"))

    def count(self, batch: Graded) -> None:
        """Take in some graded problems."""
        for problem, texts, scores in batch:
            self.report.problems += 1
            if len(self.report.shown) < self.show:
                self.report.shown.append(problem)
                self.report.given.append(texts)
            if len(self.first) < CONTROLS:
                self.first.append(problem)
            self._count_prompt(problem)
            self._check_questions(problem)
            self.columns.update(problem.row)
            self.groups.update(grouping(self.task)(problem.row))
            if problem.choices:
                self.targets[str(problem.target)] += 1
            for text, score in zip(texts, scores, strict=True):
                self.report.gold_checked += 1
                self.report.gold_right += score.correct is True
                if score.correct is not True:
                    shown = " ".join(text.split())[:120]
                    why = f"problem {problem.id}: its own right answer is not found right: {shown!r}: {score.reason}"
                    self.add("gold", why, self.source.line("target"))

    def _count_prompt(self, problem: Problem) -> None:
        digest = hashlib.blake2b(repr((problem.shots, problem.prompt)).encode(), digest_size=12).digest()
        same = self.prompts.get(digest)
        if same is not None:
            self.add("twice", f"problem {problem.id} asks the same as problem {same}.", warning=True)
        elif len(self.prompts) < REMEMBERED:
            self.prompts[digest] = problem.id
        prompt = _plain(problem.prompt)
        question = problem.row.get(self.task.question_key or "")
        if isinstance(question, str) and _plain(question) not in prompt:
            self.unseen["question"] += 1
        if problem.choices and not all(_plain(choice) in prompt for choice in problem.choices):
            self.unseen["options"] += 1
        if len(set(problem.choices)) < len(problem.choices):
            self.add("options", f"problem {problem.id}: two of its options are the same.", warning=True)

    async def controls(self, executor: Executor) -> None:
        """A scorer that finds everything right proves nothing: an empty answer, and another problem's."""
        empty = [(problem, "") for problem in self.first]
        swapped = [
            (problem, text)
            for problem, other in zip(self.first, self.first[1:], strict=False)
            if problem.target != other.target
            for text in self._right_answers(other)[:1]
        ]
        for pairs, what in ((empty, "an empty answer"), (swapped, "the right answer of another problem")):
            scores = await self._scores(pairs, executor)
            # Where right answers were checked, this was told; and a scorer that asks a model has no judge here.
            if not self.report.gold_checked and not isinstance(self.grader.scorer, ModelScorer):
                for (problem, _), score in zip(pairs, scores, strict=True):
                    if score.correct is None:
                        why = f"problem {problem.id}: no answer can be scored: {score.reason}"
                        self.add("gold", why, self.source.line("target"))
            if scores and all(score.correct for score in scores):
                self.add(
                    "control", f"scorer {self.task.scorer_name} finds {what} right.", self.source.line("scorer"), True
                )

    async def _scores(self, pairs: list[tuple[Problem, str]], executor: Executor) -> list[Score]:
        """The verdicts on texts, as if a model had written them."""
        samples = [
            (problem, Response(key=SampleKey(problem.id, number), content=text))
            for number, (problem, text) in enumerate(pairs)
        ]
        return await self.grader.grade(samples, executor)

    def add(self, kind: str, text: str, line: int | None = None, warning: bool = False) -> None:
        """Note a finding; many of one kind are counted, not told."""
        self.kinds[kind] += 1
        if self.kinds[kind] <= SHOWN_OF_A_KIND:
            self.report.findings.append(Finding(text, self.source.path.name, line, warning))

    def finish(self, expect_size: bool) -> None:
        """Add what is wrong with the rows as a whole: no rows, a wrong number, prompts that are all the same."""
        for kind, count in self.kinds.items():
            if count > SHOWN_OF_A_KIND:
                of_kind = KINDS[kind]
                warning = kind in ("twice", "options")
                text = f"... {count - SHOWN_OF_A_KIND:,} more {of_kind}."
                self.report.findings.append(Finding(text, self.source.path.name, None, warning))
        count = self.report.problems
        if not count:
            if not self.report.findings:
                self.add("empty", why_empty(self.task), self.source.line("filters"))
            return
        self._finish_prompts(count)
        size = self.task.size
        if expect_size and size is not None and count != size:
            self.add("size", f"size is {size:,}, but there are {count:,} problems.", self.source.line("size"))
        for name in [name for name in reported(self.task) if name not in self.groups]:
            near = did_you_mean(name, self.columns)
            self.add("report", f"report_by: no problem has a value for {name!r}.{near}", self.source.line("report_by"))
        if not self.report.gold_checked:
            why = "has no way to state the right answer: it cannot be checked against itself."
            if isinstance(self.grader.scorer, ModelScorer):
                why = "asks a model: without a judge it cannot be checked, only that its questions can be asked."
            self.add("no gold", f"scorer {self.task.scorer_name} {why}", self.source.line("scorer"), True)
        if count >= 20 and len(self.targets) == 1:
            where = f"the right option is always {next(iter(self.targets))}; `shuffle_choices: true` mixes them."
            self.add("always", where, self.source.line("target"), True)

    def _finish_prompts(self, count: int) -> None:
        line = self.source.line("prompt")
        if count > 1 and len(self.prompts) == 1:
            self.add("prompt", f"all {count:,} problems have the same prompt; does it use the row's columns?", line)
        elif self.unseen["question"] == count:
            self.add("prompt", f"no prompt shows the row's {self.task.question_key!r} (question_key).", line)
        if self.unseen["options"] == count:
            self.add("prompt", "no prompt shows the options (`choices`).", line)


KINDS = {
    "row": "rows that cannot be used",
    "solution": "solutions that cannot be read",
    "gold": "right answers that are not found right",
    "question": "problems that the judge cannot be asked about",
    "twice": "problems that ask the same as an earlier one",
    "options": "problems with an option twice",
}


def _plain(text: str) -> str:
    return " ".join(text.split())


def _on_columns(source: Source, task: TaskConfig, told: list[Finding]) -> list[Finding]:
    """Every column that the task reads and no row has, but for those that were told; or why no row can be read."""
    try:
        lacking = lacking_columns(task)
    except UserError as error:
        finding = _dataset_finding(source, str(error))
        return [] if finding in told else [finding]
    return [
        Finding(
            f"task {task.name}: no row of {task.dataset_path!r} has a column {name!r}.",
            source.path.name,
            source.mentioning(name),
        )
        for name in lacking
        if not any(f"has a column {name!r}" in finding.text for finding in told)
    ]


def _dataset_finding(source: Source, message: str) -> Finding:
    """What is wrong with the rows as a whole, at the line that it comes from."""
    _, has_column, rest = message.partition("has a column '")
    column = rest.partition("'")[0] if has_column else ""
    key = "few_shot" if ": few_shot" in message else "dataset_path"
    return Finding(message, source.path.name, source.mentioning(column) if column else source.line(key))
