"""Runs as examples, problem by problem, with at most one problem's samples in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from pathlib import Path
from typing import Any

from skythought.config import scorer_parts
from skythought.errors import UserError
from skythought.exporting.example import Example
from skythought.exporting.majority import by_majority
from skythought.runs.classes import ProblemClasses
from skythought.runs.listing import runs_in
from skythought.runs.records import Manifest
from skythought.runs.sample import Sample
from skythought.runs.view import Run

__all__ = ["Given", "Source", "examples_of", "sources_of"]

Given = str | Path | Run


@dataclass(frozen=True)
class Source:
    """A run that is exported, with what is recorded of it."""

    number: int
    run: Run
    manifest: Manifest | None
    """None: another program made the folder."""

    @property
    def configuration(self) -> Mapping[str, Any]:
        """What the summary has of task, model, backend and sampling."""
        value: Mapping[str, Any] = self.run.summary["configuration"]
        return value

    def section(self, name: str) -> Mapping[str, Any]:
        """A part of the configuration; empty where nothing, or something else, is recorded."""
        part = self.configuration.get(name)
        return part if isinstance(part, Mapping) else {}

    @cached_property
    def name(self) -> str:
        """Of its folder."""
        return self.run.path.resolve().name

    @cached_property
    def task(self) -> str:
        """The task's name; empty where it is not recorded."""
        if self.manifest is not None:
            return self.manifest.config.task.name
        return str(self.section("task").get("name", ""))

    @cached_property
    def scorer(self) -> str:
        """Name of the scorer that gave the verdicts; empty where it is not recorded."""
        given = (self.run.statistics.get("scored_with") or {}).get("scorer")
        if given is None and self.manifest is not None:
            given = self.manifest.config.task.scorer
        return scorer_parts(given)[0] if isinstance(given, str | Mapping) else ""

    @property
    def model(self) -> str:
        """The model's id; empty where it is not recorded."""
        if self.manifest is not None:
            return self.manifest.config.model.model_id
        config = self.section("model").get("config")
        found = config.get("model_id") if isinstance(config, Mapping) else None
        return str(found or self.section("model").get("name", ""))

    @property
    def dataset(self) -> str:
        """Where the problems are from; empty where it is not recorded."""
        config = self.section("task").get("config")
        return str(config.get("dataset_path", "")) if isinstance(config, Mapping) else ""

    def facts(self) -> dict[str, Any]:
        """What is known of it, for people: nothing that tells when or where it was made, and no secrets."""
        scored = self.run.statistics.get("scored_with") or {}
        known: dict[str, Any] = {
            "task": self.task,
            "dataset": self.dataset,
            "model": self.model,
            "backend": self.section("backend").get("name"),
            "sampling": _listed(self.section("sampling_params")),
            "scorer": scorer if isinstance(scorer := scored.get("scorer", self.scorer), str) else json.dumps(scorer),
            "verdicts by": _listed({name: value for name, value in scored.items() if name != "scorer"}),
        }
        if self.manifest is not None:
            config = self.manifest.config
            known |= {
                "samples a problem": config.n,
                "seed": config.seed,
                "prompt": _quoted(config.task.prompt),
                "system prompt": _quoted(config.model.system_prompt),
                "text around the prompt": _quoted(config.model.user_template),
                "prefill": _quoted(config.model.assistant_prefill),
                "run fingerprint": config.fingerprint,
                "dataset fingerprint": self.manifest.dataset_fingerprint,
                "dataset revisions": _listed(self.manifest.dataset_revisions),
                "versions": _listed(self.manifest.versions),
            }
        return known

    def record(self) -> dict[str, Any]:
        """The same as JSON values, with the configuration whole."""
        config = self.manifest.config.record() if self.manifest is not None else dict(self.configuration)
        return {"name": self.name, **self.facts(), "configuration": config}


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _quoted(text: str | None) -> str | None:
    return None if text is None else json.dumps(text, ensure_ascii=False)


def sources_of(runs: Sequence[Given]) -> list[Source]:
    """The runs that are given: run folders, or folders that hold runs.

    Raises:
        UserError: None is given, one is given twice, or a folder holds none.
    """
    found: list[Run] = []
    for given in runs:
        found += [given] if isinstance(given, Run) else runs_in(Path(given).expanduser(), "export")
    if not found:
        raise UserError("export: no run is given; name a run's folder.")
    paths = [run.path.resolve() for run in found]
    for number, path in enumerate(paths):
        if path in paths[:number]:
            raise UserError(f"export: the run {str(found[number].path)!r} is given twice.")
    manifests = [Manifest.read(run.path) if (run.path / "run.json").is_file() else None for run in found]
    return [Source(number, run, manifests[number]) for number, run in enumerate(found)]


def examples_of(sources: Sequence[Source], majority: float | None = None) -> Iterator[Example]:
    """All samples of the runs, also those that failed or were not scored; of several runs of a task, by problem.

    Args:
        majority: Where there is no gold answer, the share of a problem's samples that makes an answer right.
    """
    by_task: dict[str, list[Source]] = {}
    for source in sources:
        # Problems of one task are in one order, by their number in the dataset, in the folders that we made.
        name = source.task if source.manifest is not None else f"\0{source.number}"
        by_task.setdefault(name, []).append(source)
    for together in by_task.values():
        problems = [_problems(source, majority) for source in together]
        merged = problems[0] if len(problems) == 1 else merge(*problems, key=_place)
        for examples in merged:
            yield from examples


def _place(examples: Sequence[Example]) -> int:
    problem_id = examples[0].problem.id
    return int(problem_id) if problem_id.isdecimal() else 0


def _problems(source: Source, majority: float | None) -> Iterator[list[Example]]:
    """The samples of each problem that has any."""
    classes: Mapping[str, ProblemClasses] | None = None
    for problem, samples in source.run.problems():
        verdicts = [sample.correct for sample in samples if sample.correct is not None]
        # Another program's folder does not tell the gold answer; that there are verdicts shows that it had one.
        has_gold = problem.target is not None or (source.manifest is None and bool(verdicts))
        if has_gold:
            right = {sample.sample: sample.correct for sample in samples}
        else:
            if (
                classes is None and majority is not None
            ):  # takes a while, and is not needed where all have a gold answer
                classes = {found.problem_id: found for found in source.run.answer_classes()}
            right = dict(by_majority(samples, (classes or {}).get(problem.id), majority or 1))
            verdicts = [answer for answer in right.values() if answer is not None]
        pass_rate = sum(verdicts) / len(verdicts) if verdicts else None
        if samples:
            yield [_example(source, sample, has_gold, right.get(sample.sample), pass_rate) for sample in samples]


def _example(source: Source, sample: Sample, has_gold: bool, right: bool | None, pass_rate: float | None) -> Example:
    thinking, answer = sample.parts
    turns = sample.messages
    return Example(
        sample=sample,
        task=source.task,
        scorer=source.scorer,
        run=source.name,
        source=source.number,
        messages=turns[:-1] if turns and turns[-1]["role"] == "assistant" else turns,
        thinking=thinking,
        answer=answer or "",
        has_gold=has_gold,
        right=right,
        pass_rate=pass_rate,
    )
