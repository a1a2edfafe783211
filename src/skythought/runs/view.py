"""A run to read: its numbers and its samples, finished or not, whoever made it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skythought.calls import checked
from skythought.config import COMMON_TAGS, scorer_parts
from skythought.errors import RunFolderError, UserError
from skythought.executors.background import run_in_background
from skythought.executors.base import Executor
from skythought.runs import folder
from skythought.runs.classes import Answered, ProblemClasses, Votes, answer_classes
from skythought.runs.jsonfile import is_as_derived
from skythought.runs.marks import Mark, read_marks
from skythought.runs.metrics import LEVEL, Metrics, measure, require_ks, tally_of, whole_numbers
from skythought.runs.parquet import read_parquet, stands_alone
from skythought.runs.plots import plot_by, plot_pass_at_k, plot_tokens
from skythought.runs.records import Manifest
from skythought.runs.results import answered_in, read_results, samples_in, summary_of
from skythought.runs.sample import Sample
from skythought.runs.shape import is_summary
from skythought.runs.stopped import ended_in, measure_stopped, wanted_in
from skythought.runs.table import as_html
from skythought.runs.totals import Totals
from skythought.scorers.registry import make_scorer
from skythought.tasks.report_by import GroupsOf, grouping
from skythought.types import Problem, SampleKey

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Run", "no_run"]

COLUMNS = (
    "problem_id",
    "sample",
    "prompt",
    "content",
    "reasoning",
    "correct",
    "reason",
    "verdict",
    "answer",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "seed",
)


class Run:
    """A run folder to read. Iterating streams its samples, problem by problem, holding one problem in memory.

    A run that is unfinished, or still going, gives what is in its journals so far.

    >>> run = Run("runs/tiny_arithmetic_1a2b3c")        # doctest: +SKIP
    >>> run.accuracy, sum(s.correct for s in run)       # doctest: +SKIP
    (0.62, 124)
    """

    @checked
    def __init__(self, path: str | Path) -> None:
        """Raises RunFolderError if the folder holds no run: neither `run.json` nor `results.json`."""
        self.path = Path(path).expanduser()
        if not (self._has("run.json") or self._has("results.json")):
            raise RunFolderError(no_run(self.path))

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The content of `summary.json`; worked out here where it is missing, damaged, or older than the journals.

        Raises:
            RunFolderError: What it would be worked out from is damaged.
        """
        if not self._is_up_to_date():
            return self._worked_out()
        try:
            summary: dict[str, Any] = json.loads((self.path / "summary.json").read_bytes())
        except (ValueError, RecursionError):
            return self._worked_out()
        return summary if is_summary(summary) else self._worked_out()

    @property
    def task(self) -> str:
        """The task's name; empty where another program made the folder and did not say."""
        return self._named("task")

    @property
    def model(self) -> str:
        """The model's name; empty where another program made the folder and did not say."""
        return self._named("model")

    @property
    def accuracy(self) -> float | None:
        """Mean over scored samples, in [0, 1]; None if nothing was scored."""
        value: float | None = self.summary["accuracy"]
        return value

    @property
    def pass_at_k(self) -> dict[str, float] | None:
        """pass@k in percent by `"k=4"`-like keys; None for one sample a problem."""
        value: dict[str, float] | None = self.summary["pass_at_k"]
        return value

    @property
    def statistics(self) -> dict[str, Any]:
        """Our additions to the reference's summary: estimates, verdict counts, versions, ...; may be empty."""
        value: dict[str, Any] = self.summary["configuration"].get("skythought", {})
        return value

    @checked
    def metrics(self, k: int | Sequence[int] = (), *, level: float = LEVEL) -> Metrics:
        """The run's figures as published, each with its interval; no sample is asked again.

        accuracy (which is mean@n, and pass@1), Bayes@N, and for each k of several samples pass@k, pass^k, G-Pass@k_tau,
        mG-Pass@k, and maj@k where the scorer can tell which answers are the same (it runs in worker processes then).

        Args:
            k: One number of samples, or several; by default n and the powers of two below.
            level: How often an interval shall hold the number that it is for.

        Raises:
            UserError: A k above the number of samples a problem, or a level outside of 0 to 1.
        """
        ks = whole_numbers(k)
        scores = [one.scores for one in self._answered()]  # not the problems: their rows may be large
        n = max(map(len, scores), default=1)
        require_ks(ks, n, "k =", f"run {self.path.name!r}")
        if not 0 < level < 1:
            raise UserError(f"level = {level:g}: a share between 0 and 1, such as 0.95.")
        if (wanted := wanted_in(self.path)) is not None and any(None in given for given in scores):
            return measure_stopped(ended_in(scores, wanted, n), n, ks, level=level)
        tallies = [tally_of(given) for given in scores]
        votes, notes = self._votes(n)
        return measure(tallies, n, ks, votes=votes, level=level, notes=notes)

    def answer_classes(self) -> list[ProblemClasses]:
        """Which answers to each problem are the same, by the scorer's own equivalence: what a majority vote counts.

        Answers are compared with one another, so no gold answer is needed, only that they were scored: that takes them
        out of the responses. Comparing runs in worker processes, once; problems whose answers the scorer cannot compare
        (a kind of `mixed` that is code) are left out.

        Raises:
            UserError: The scorer cannot tell which answers are the same, or is not known; or nothing was scored.
        """
        return list(self._classes)

    @cached_property
    def _classes(self) -> tuple[ProblemClasses, ...]:
        scorer = self._scorer()
        name, args = scorer_parts(scorer)
        if not make_scorer(name, args).can_vote:
            raise UserError(f"scorer {name!r} cannot tell which answers are the same: there is no majority of them.")

        async def grouped(executor: Executor) -> tuple[ProblemClasses, ...]:
            async with aclosing(answer_classes(self._answered(), scorer, executor)) as classes:
                return tuple([found async for found in classes])

        found = run_in_background(grouped)
        if not any(one.classes or one.unparsed for one in found):
            raise UserError(
                f"{str(self.path)!r}: nothing was scored, and that takes the answers out: `skythought score`."
            )
        return found

    def _votes(self, n: int) -> tuple[list[Votes], list[str]]:
        """What was voted on each problem; or nothing, and why."""
        if n == 1:
            return [], []
        try:
            return [found.votes for found in self._classes], []
        except UserError as error:
            return [], [f"maj@k is not given: {error}"]

    def _answered(self) -> Iterator[Answered]:
        """Each problem with the verdicts on its samples."""
        if self.is_as_journalled:
            with folder.load(self.path, None) as run:
                yield from answered_in(run)
        else:
            for problem, samples in self._recorded():
                yield Answered(problem, [sample.score for sample in samples])

    def _scorer(self) -> str | Mapping[str, Any]:
        """What the run was scored with.

        Raises:
            UserError: It does not say.
        """
        given = (self.statistics.get("scored_with") or {}).get("scorer")
        if isinstance(given, str | Mapping):
            return given
        if self._has("run.json"):
            return folder.require(self.path).config.task.scorer
        raise UserError(f"{str(self.path)!r} does not say what it was scored with: `skythought score` writes it down.")

    def __repr__(self) -> str:
        interval = (self.statistics.get("estimates") or {}).get("accuracy", {}).get("interval")
        told = f" ({interval[0]:.4f} to {interval[1]:.4f})" if interval else ""
        asked = f"task={self.task!r}, model={self.model!r}, samples={len(self)}"
        return f"Run({str(self.path)!r}, {asked}, accuracy={self.accuracy}{told})"

    def _repr_html_(self) -> str:
        """A small static table, for a notebook."""
        return as_html(self)

    @property
    def marks(self) -> dict[SampleKey, Mark]:
        """What people noted about single samples (`skythought view`, docs/report.md), in the order of their notes."""
        return read_marks(self.path)

    def plot_pass_at_k(self, ax: Any = None) -> Any:
        """pass@k over k with its band. Needs matplotlib, as all plots; returns its axes (`ax`, or new ones)."""
        return plot_pass_at_k(self, ax)

    def plot_by(self, column: str, ax: Any = None) -> Any:
        """Accuracy for each value of a column that the task reports by."""
        return plot_by(self, column, ax)

    def plot_tokens(self, ax: Any = None) -> Any:
        """Lengths of the responses by their verdicts."""
        return plot_tokens(self, ax)

    def __iter__(self) -> Iterator[Sample]:
        for _, samples in self.problems():
            yield from samples

    def problems(self, ids: Collection[str] | None = None) -> Iterator[tuple[Problem, list[Sample]]]:
        """Each problem with its samples so far, also one that has none yet; holding one problem in memory.

        Args:
            ids: Only these; in a folder of ours the others are not read.
        """
        if self.is_as_journalled:
            with folder.load(self.path, None) as run:
                for problem, _, samples in samples_in(run, ids):
                    yield problem, samples
        else:
            for problem, samples in self._recorded():
                if ids is None or problem.id in ids:
                    yield problem, samples

    def _recorded(self) -> Iterator[tuple[Problem, list[Sample]]]:
        """Each problem with its samples where there are no journals, or not only: from the file that tells them."""
        if stands_alone(self.path):
            manifest = Manifest.read(self.path)
            yield from read_parquet(self.path, COMMON_TAGS if manifest is None else manifest.config.model.tags)
            return
        for result in read_results(self.path / "results.json"):
            problem = result.samples[0].problem if result.samples else Problem(result.problem_id, "", None)
            yield problem, result.samples

    @cached_property
    def groups_of(self) -> GroupsOf | None:
        """Under which values of what the task reports by a row counts; None if the task is not known."""
        manifest = Manifest.read(self.path) if self._has("run.json") else None
        return None if manifest is None else grouping(manifest.config.task)

    def to_pandas(self) -> DataFrame:
        """One row a sample; the columns are those of `Sample`, with the dataset's columns in front.

        Needs pandas (`pip install pandas`). All samples are in memory then.
        """
        import pandas

        return pandas.DataFrame(
            [
                {**{f"row.{key}": value for key, value in sample.row.items()}}
                | {name: getattr(sample, name) for name in COLUMNS}
                for sample in self
            ]
        )

    def __len__(self) -> int:
        """How many samples have a response so far, failed ones included: as many as iterating gives."""
        total: int = self.statistics.get("samples", {}).get("total", 0)
        return total

    def __bool__(self) -> bool:
        """A run without samples is a run."""
        return True

    def _named(self, part: str) -> str:
        given = self.summary["configuration"].get(part)
        return str(given.get("name", "")) if isinstance(given, dict) else ""

    def _has(self, name: str) -> bool:
        return (self.path / name).is_file()

    @cached_property
    def is_as_journalled(self) -> bool:
        """Whether the journals tell all.

        Not so in another program's folder, if results.json was changed by hand, or where Parquet is all that was kept.
        """
        if stands_alone(self.path):
            return False
        return self._has("run.json") and (not self._has("results.json") or is_as_derived(self.path))

    def _is_up_to_date(self) -> bool:
        """Whether `summary.json` is there and nothing was journalled after it."""
        if not self._has("summary.json"):
            return False
        written = (self.path / "summary.json").stat().st_mtime_ns
        journals = [self.path / name for name in ("responses.jsonl", "scores.jsonl") if self._has(name)]
        return all(journal.stat().st_mtime_ns <= written for journal in journals)

    def _worked_out(self) -> dict[str, Any]:
        if self.is_as_journalled:
            with folder.load(self.path, None) as run:
                return summary_of(run)
        totals, most = Totals(), 0
        for _, samples in self._recorded():
            totals.add_problem(samples, {})
            most = max(most, len(samples))
        return {"configuration": {"skythought": totals.additions(most)}, **totals.top_level(most)}


def no_run(path: Path) -> str:
    """What to say of a path where no run is; older results of the reference have any name, and one folder for all."""
    if path.is_file():
        return f"{str(path)!r} is a file; a run is a folder. Results are read as results.json in a folder of their own."
    file = next((file.name for file in sorted(path.glob("*.json")) if file.name != "summary.json"), None)
    hint = f" Is it {file}? It is read as results.json in a folder of its own." if file else ""
    return f"{str(path)!r} holds no run: neither run.json nor results.json is there.{hint}"
