"""`results.json` and `summary.json`, derived from the journals, in the reference's names and shapes.

Nothing here is the truth: both files can be deleted and derived again. `results.json` holds nothing that a clock or a
batch decides, so a run that was broken and resumed gives the same bytes as an unbroken one; times are in the journal
and in the summary. Our additions to the summary stand in `configuration.skythought`, because the reference refuses
unknown keys at the top.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from skythought import metrics
from skythought.config import RunConfig
from skythought.metrics import Tally
from skythought.runs.folder import RunFolder, Slot
from skythought.runs.jsonfile import EntryWriter, write_json
from skythought.types import Message, Problem, SampleKey, sample_seed

__all__ = ["Totals", "derive"]

MOST_GROUPS = 1000
"""Values of one column that are reported: a column of names of its own for every row is no subject."""


@dataclass
class Totals:
    """What the summary needs, gathered in one pass: a few numbers a problem, never a response."""

    tallies: list[Tally] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    finish_reasons: Counter[str] = field(default_factory=Counter)
    right_uncut: int = 0
    judged_uncut: int = 0
    """Judged samples that were not cut off at the token limit, and how many of them are right."""
    answered: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    groups: dict[str, dict[str, list[Tally]]] = field(default_factory=dict)
    """Tallies of the problems under each value of each column that results are reported by."""

    def add_problem(
        self, entries: list[dict[str, Any]], usages: list[dict[str, int]], groups: Mapping[str, Sequence[str]]
    ) -> None:
        """Count one problem's entries as they stand in `results.json`, also under the values of its `groups`."""
        judged = [entry for entry in entries if isinstance(entry.get("correctness"), bool)]
        tally = Tally(len(judged), sum(bool(entry["correctness"]) for entry in judged))
        self.tallies.append(tally)
        for column, values in groups.items():
            for value in values:
                self.groups.setdefault(column, {}).setdefault(value, []).append(tally)
        uncut = [entry for entry in judged if entry.get("finish_reason") != "length"]
        self.judged_uncut += len(uncut)
        self.right_uncut += sum(bool(entry["correctness"]) for entry in uncut)
        nothing: dict[str, Any] = {}
        for entry, usage in zip_longest(entries, usages[: len(entries)], fillvalue=nothing):
            self.verdicts[entry.get("verdict") or _plain_verdict(entry)] += 1
            if entry.get("error") is not None:
                continue
            self.finish_reasons[entry.get("finish_reason") or "unknown"] += 1
            self.answered += 1
            self.prompt_tokens += usage.get("prompt_tokens") or 0
            self.completion_tokens += usage.get("completion_tokens") or 0

    def top_level(self, n: int) -> dict[str, Any]:
        """The reference's keys of `summary.json` after `configuration`."""
        mean = metrics.accuracy(self.tallies)
        judged = any(tally.judged for tally in self.tallies)
        return {
            "total_completion_tokens": self.completion_tokens,
            "avg_completion_tokens": round(self.completion_tokens / self.answered, 3) if self.answered else 0.0,
            "total_prompt_tokens": self.prompt_tokens,
            "avg_prompt_tokens": round(self.prompt_tokens / self.answered, 3) if self.answered else 0.0,
            "accuracy": None if mean is None else round(mean, 4),
            "pass_at_k": metrics.pass_at_k_table(self.tallies, n) if judged else None,
        }

    def additions(self, n: int) -> dict[str, Any]:
        """What we report beyond the reference."""
        stderr = metrics.accuracy_stderr(self.tallies)
        return {
            "accuracy_stderr": None if stderr is None else round(stderr, 4),
            "pass_at_k_stderr": metrics.pass_at_k_stderr(self.tallies, n),
            "accuracy_without_cut_off": round(self.right_uncut / self.judged_uncut, 4) if self.judged_uncut else None,
            "problems": len(self.tallies),
            "samples_per_problem": n,
            "samples": {"total": sum(self.verdicts.values()), **self.verdicts},
            "finish_reasons": dict(self.finish_reasons),
            "by": self._by(n),
        }

    def _by(self, n: int) -> dict[str, dict[str, dict[str, Any]]]:
        """Results by the values of each column, those with the most problems first; at most `MOST_GROUPS` of them."""
        by = {}
        for column, values in self.groups.items():
            largest = sorted(values.items(), key=lambda entry: -len(entry[1]))[:MOST_GROUPS]
            by[column] = {value: _part(tallies, n) for value, tallies in largest}
        return by


def _part(tallies: list[Tally], n: int) -> dict[str, Any]:
    """The numbers of a part of the problems."""
    mean, stderr = metrics.accuracy(tallies), metrics.accuracy_stderr(tallies)
    part = {
        "problems": len(tallies),
        "samples": sum(tally.judged for tally in tallies),
        "accuracy": None if mean is None else round(mean, 4),
        "accuracy_stderr": None if stderr is None else round(stderr, 4),
    }
    return {**part, "pass_at_k": metrics.pass_at_k_table(tallies, n)} if n > 1 else part


def _plain_verdict(entry: dict[str, Any]) -> str:
    """The verdict of an entry that has none of its own (a file of the reference)."""
    known: dict[Any, str] = {True: "correct", False: "wrong"}
    return known.get(entry.get("correctness"), "unscored")


Ask = Callable[[Problem], Sequence[Message]]
"""From a problem to the conversation that was sent."""

GroupsOf = Callable[[Mapping[str, Any]], Mapping[str, Sequence[str]]]
"""From a row to the values that it is reported under, by column."""


def derive(run: RunFolder, ask: Ask, groups_of: GroupsOf) -> dict[str, Any]:
    """Write `results.json` and `summary.json` from what the journals hold now; returns the summary."""
    totals = Totals()
    with EntryWriter(run.path / "results.json") as writer:
        for problem_id, entry in _entries(run, totals, ask, groups_of):
            writer.add(problem_id, entry)
        writer.commit()
    summary = {"configuration": _configuration(run, totals), **totals.top_level(run.config.n)}
    write_json(run.path / "summary.json", summary)
    return summary


def _entries(run: RunFolder, totals: Totals, ask: Ask, groups_of: GroupsOf) -> Iterator[tuple[str, dict[str, Any]]]:
    for position, problem_id in enumerate(run.ids):
        problem = run.problem(position)
        messages = list(ask(problem))
        entries, usages = [], []
        for sample in range(run.config.n):
            slot = Slot(position, sample)
            response = run.response(slot)
            if response is not None:
                entries.append(_entry(run.config, problem_id, sample, response, run.score(slot)))
                usages.append({key: response.get(key, 0) for key in ("completion_tokens", "prompt_tokens")})
                totals.seconds += response.get("seconds") or 0.0
        totals.add_problem(entries, usages, groups_of(problem.row))
        record = {**problem.row, "_index": problem_id}
        if (key := run.config.task.answer_key) and key not in record:
            record[key] = problem.target
        record.update(prompt=_user_turn(messages), input_conversation=messages)
        yield problem_id, {**record, "responses": entries, "token_usages": usages}


def _entry(
    config: RunConfig, problem_id: str, sample: int, response: dict[str, Any], score: dict[str, Any] | None
) -> dict[str, Any]:
    """One element of `responses`: the reference's three fields, then ours."""
    entry: dict[str, Any] = {"content": response.get("content", ""), "correctness": None, "reason": None}
    if response["error"] is not None:
        entry.update(reason=f"failed: {response['error']}", verdict="failed")
    elif score is not None:
        entry.update(correctness=score["correct"], reason=score["reason"], verdict=score["verdict"])
        entry["answer"] = score["answer"]
        entry.update({key: score[key] for key in ("fraction", "details") if score.get(key) not in (None, {})})
    if response.get("reasoning"):
        entry["reasoning"] = response["reasoning"]
    if response.get("thinking_open"):
        entry["thinking_open"] = True
    entry["finish_reason"] = response.get("finish_reason")
    entry["seed"] = sample_seed(config.seed, SampleKey(problem_id, sample))
    if response["error"] is not None:
        entry["error"] = response["error"]
    return entry


def _user_turn(messages: list[Message]) -> str:
    return next(message["content"] for message in reversed(messages) if message["role"] == "user")


def _configuration(run: RunFolder, totals: Totals) -> dict[str, Any]:
    config = run.config
    ours = {
        **totals.additions(config.n),
        "run": run.path.name,
        "fingerprint": config.fingerprint,
        "seed": config.seed,
        "as_test": config.as_test,
        "created": run.manifest["created"],
        "sample_seconds": round(totals.seconds, 1),
        "dataset_fingerprint": run.manifest["dataset_fingerprint"],
        "dataset_revisions": run.manifest.get("dataset_revisions", {}),
        "scored_with": run.pass_header and {key: run.pass_header[key] for key in run.pass_header if key != "sandbox"},
        "sandbox": (run.pass_header or {}).get("sandbox"),
        "versions": run.manifest["versions"],
        "malformed_rows": run.manifest["malformed_rows"],
    }
    return {
        "task": {
            "name": config.task.name,
            "config": config.task.reference_config(),
            "start": config.start,
            "end": config.end,
        },
        "model": {
            "name": config.model.name,
            "config": config.model.model_dump(mode="json", exclude={"path"}),
        },
        "backend": {"name": config.backend.name, "backend_args": config.backend.args},
        "sampling_params": {**config.sampling.as_dict(), "n": config.n},
        "skythought": ours,
    }
