"""`results.json` and `summary.json`, derived from the journals, in the reference's names and shapes.

Nothing here is the truth: both files can be deleted and derived again. `results.json` holds nothing that a clock or a
batch decides, so a run that was broken and resumed gives the same bytes as an unbroken one; times are in the journal
and in the summary. Our additions to the summary stand in `configuration.skythought`, because the reference refuses
unknown keys at the top.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple, get_args

from skythought.errors import RunFolderError
from skythought.models.conversation import conversation
from skythought.runs.asked import read_asked, rest
from skythought.runs.classes import Answered, Votes
from skythought.runs.folder import RunFolder
from skythought.runs.jsonfile import EntryWriter, read_entries, write_json
from skythought.runs.parquet import PARQUET, ParquetWriter, remove_parquet
from skythought.runs.sample import Sample
from skythought.runs.sessions import read_sessions, time_of
from skythought.runs.stopped import Stopped, stopped
from skythought.runs.totals import Totals
from skythought.tasks.report_by import grouping
from skythought.types import Message, Problem, Response, SampleKey, Score, Verdict, sample_seed

__all__ = [
    "JSON_BYTES",
    "Entry",
    "Result",
    "ResultsForm",
    "answered_in",
    "derive",
    "read_results",
    "remarks_in",
    "results_form",
    "row_of",
    "sample_in",
    "samples_in",
    "summary_of",
    "write_scores",
]

OWN_KEYS = ("prompt", "input_conversation", "responses", "token_usages", "_index", "_columns")
"""What an entry of results.json holds beside the dataset's columns. A column of such a name stands in `_columns`."""

ResultsForm = Literal["auto", "json", "parquet", "none"]
JSON_BYTES = 4 << 30
"""With more than this of responses nobody can open `results.json` any more."""

Entry = dict[str, Any]
"""One problem in results.json: the dataset's columns, then ours."""


# -- from the journals ----------------------------------------------------------------------------------------


def samples_in(
    run: RunFolder, ids: Collection[str] | None = None
) -> Iterator[tuple[Problem, tuple[Message, ...], list[Sample]]]:
    """Each problem of a run (or those of `ids`), the conversation that was sent, and its samples.

    Only samples that have a response so far, failed ones included.
    """
    for problem_id in run.ids if ids is None else (one for one in run.ids if one in ids):
        problem = run.problem(problem_id)
        messages = conversation(run.config.model, problem.prompt, problem.shots)
        samples = (_sample_in(run, key, problem, messages) for key in run.keys_of(problem_id))
        yield problem, messages, [sample for sample in samples if sample is not None]


def sample_in(run: RunFolder, key: SampleKey) -> Sample | None:
    """One sample of a run; None if it has no response so far."""
    problem = run.problem(key.problem_id)
    return _sample_in(run, key, problem, conversation(run.config.model, problem.prompt, problem.shots))


def _sample_in(run: RunFolder, key: SampleKey, problem: Problem, messages: tuple[Message, ...]) -> Sample | None:
    response = run.response(key)
    if response is None:
        return None
    score = None if response.error is not None else run.score(key)
    return Sample(problem, messages, response, score, sample_seed(run.config.seed, key), tuple(run.config.model.tags))


def answered_in(run: RunFolder) -> Iterator[Answered]:
    """Each problem of a run with the verdicts on its samples; their responses are not read."""
    for problem_id in run.ids:
        scores = [run.score(key) if run.is_answered(key) else None for key in run.keys_of(problem_id)]
        yield Answered(run.problem(problem_id), scores)


def results_form(run: RunFolder, asked: ResultsForm = "auto") -> ResultsForm:
    """In which form the samples of a run are derived, where "auto" is asked for: JSON, as long as that serves anybody.

    Parquet where the run has it already, or has more than `JSON_BYTES` of responses.
    """
    if asked != "auto":
        return asked
    has_parquet = (run.path / PARQUET).exists() and not (run.path / "results.json").exists()
    return "parquet" if has_parquet or run.response_bytes > JSON_BYTES else "json"


def derive(
    run: RunFolder, ks: Sequence[int] = (), votes: Sequence[Votes] = (), form: ResultsForm = "auto"
) -> dict[str, Any]:
    """Write `summary.json` and the run's samples in the given form from what the journals hold now.

    Samples derived in another form before are deleted: they would be out of date. Returns the summary.

    Args:
        ks: Of pass@k and its kin in the summary's estimates, if not the usual ones.
        votes: On each problem, for maj@k.
        form: "json" writes `results.json`, "parquet" the folder `results.parquet`, "none" neither.
    """
    form = results_form(run, form)
    totals, groups_of = Totals(stopped=stopped(run)), grouping(run.config.task)
    with ExitStack() as stack:
        entries = stack.enter_context(EntryWriter(run.path / "results.json")) if form == "json" else None
        shards = stack.enter_context(ParquetWriter(run.path)) if form == "parquet" else None
        for problem, messages, samples in samples_in(run):
            totals.add_problem(samples, groups_of(problem.row))
            if entries is not None:
                entries.add(problem.id, _entry(problem, messages, samples, run.config.task.answer_key))
            if shards is not None:
                shards.add(problem, messages, samples)
        for writer in (entries, shards):
            if writer is not None:
                writer.commit()
    if form != "json":
        (run.path / "results.json").unlink(missing_ok=True)
    if form != "parquet":
        remove_parquet(run.path)
    summary = _summary(run, totals, ks, votes)
    write_json(run.path / "summary.json", summary)
    return summary


def remarks_in(summary: Mapping[str, Any]) -> list[str]:
    """What is worth a word about a run's answers as a whole (all are empty, ...), a line each."""
    remarks: list[str] = summary["configuration"]["skythought"]["remarks"]
    return remarks


def summary_of(run: RunFolder) -> dict[str, Any]:
    """The summary of what the journals hold now, as `derive` would write it."""
    totals, groups_of = Totals(stopped=stopped(run)), grouping(run.config.task)
    for problem, _, samples in samples_in(run):
        totals.add_problem(samples, groups_of(problem.row))
    return _summary(run, totals)


def _entry(problem: Problem, messages: Sequence[Message], samples: Sequence[Sample], answer_key: str | None) -> Entry:
    entry: Entry = {name: value for name, value in problem.row.items() if name not in OWN_KEYS}
    entry["_index"] = problem.id
    if answer_key and answer_key not in problem.row:
        entry[answer_key] = problem.target
    user_turn = next(turn["content"] for turn in reversed(messages) if turn["role"] == "user")
    entry.update(prompt=user_turn, input_conversation=messages)
    if hidden := {name: value for name, value in problem.row.items() if name in OWN_KEYS}:
        entry["_columns"] = hidden
    usages = [
        {"completion_tokens": sample.completion_tokens, "prompt_tokens": sample.prompt_tokens} for sample in samples
    ]
    return {**entry, "responses": [_response_entry(sample) for sample in samples], "token_usages": usages}


def _response_entry(sample: Sample) -> dict[str, Any]:
    """One element of `responses`: the reference's three fields, then ours."""
    entry: dict[str, Any] = {
        "content": sample.content,
        "correctness": sample.correct,
        "reason": sample.reason,
    }
    if sample.verdict is not None:
        entry["verdict"] = sample.verdict
    if sample.score is not None:
        entry["answer"] = sample.answer
        if sample.fraction is not None:
            entry["fraction"] = sample.fraction
        if sample.details:
            entry["details"] = sample.details
    if sample.reasoning:
        entry["reasoning"] = sample.reasoning
    if sample.response.thinking_open:
        entry["thinking_open"] = True
    entry["finish_reason"] = sample.finish_reason
    entry["seed"] = sample.seed
    if sample.error is not None:
        entry["error"] = sample.error
    return entry


def _summary(run: RunFolder, totals: Totals, ks: Sequence[int] = (), votes: Sequence[Votes] = ()) -> dict[str, Any]:
    additions, top = totals.additions(run.config.n, ks, votes), totals.top_level(run.config.n)
    if totals.stopped is not None:
        totals.stopped.put_right(top, additions, ks)
    additions["asking"] = _asking(run, totals.stopped)
    return {"configuration": _configuration(run, totals, additions), **top}


def _asking(run: RunFolder, stopping: Stopped | None) -> dict[str, Any] | None:
    """How the samples were chosen, the last time that not all were to be asked; None if there was none.

    What is left is told as it is now: the run may have been resumed since, and asked in full.
    """
    entries = read_asked(run.path)
    if not entries:
        return None
    last = entries[-1]
    left = sum(1 for _ in run.pending())
    record = asdict(last)
    if last.ended is not None:
        record["left"] = left
        record["lines"] = [*last.lines, rest(left, run.samples)] if left else [*last.lines] if not last.left else []
    if stopping is not None:
        record |= stopping.record()
        record["lines"] = [*record["lines"], stopping.line()]
    return record


# -- from results.json, whoever made it -----------------------------------------------------------------------


class Result(NamedTuple):
    """One entry of a `results.json`, as it stands and as samples."""

    problem_id: str
    entry: Entry
    responses: list[dict[str, Any]]
    """The parts of the entry that hold a response each, in order."""
    samples: list[Sample]


def read_results(path: Path) -> Iterator[Result]:
    """The entries of a `results.json`, holding one in memory.

    The reference's files of before February 2025 are read as well: keys are questions, responses stand by temperature
    (`{"0.7": {...}}`, `{"0.7": [{...}, ...]}`), and the conversation may be missing.

    Raises:
        RunFolderError: The file is no whole JSON object, or a value in it is of a kind that cannot be right.
    """
    for key, entry in read_entries(path):
        try:
            if not isinstance(entry, dict):
                raise _WrongKindError("it is no object")
            responses = _flat(entry, "responses")
            yield Result(key, entry, responses, _samples_of(key, entry, responses))
        except _WrongKindError as error:
            raise RunFolderError(f"{path}: entry {key!r}: {error}.") from None


def row_of(entry: Entry) -> dict[str, Any]:
    """The dataset's columns in an entry."""
    hidden = entry.get("_columns")
    columns = {name: value for name, value in entry.items() if name not in OWN_KEYS}
    return {**columns, **hidden} if isinstance(hidden, dict) else columns


def write_scores(result: Result, scores: Mapping[int, Score]) -> None:
    """Put verdicts into an entry, by the number of the response; what else is recorded of it stays."""
    for number, score in scores.items():
        response = result.responses[number]
        response.update(correctness=score.correct, reason=score.reason, verdict=score.verdict, answer=score.answer)
        for name, value in (("fraction", score.fraction), ("details", dict(score.details))):
            response.pop(name, None)
            if value:
                response[name] = value


class _WrongKindError(ValueError):
    """What is wrong with a value of an entry; never leaves this module."""


def _flat(entry: Entry, name: str) -> list[dict[str, Any]]:
    """The objects under a name: of a list (texts in it become objects), or of each temperature."""
    given = entry.get(name)
    if isinstance(given, dict):
        parts = [item if isinstance(item, list) else [item] for item in given.values()]
        found = [item for part in parts for item in part]
    elif isinstance(given, list):
        found = entry[name] = [{"content": item} if isinstance(item, str) else item for item in given]
    else:
        raise _WrongKindError(f"`{name}` is no list, but {_kind(given)}")
    if not all(isinstance(item, dict) for item in found):
        raise _WrongKindError(f"`{name}` must hold objects, not {_kind(next(i for i in found if type(i) is not dict))}")
    return found


def _samples_of(key: str, entry: Entry, responses: list[dict[str, Any]]) -> list[Sample]:
    turns = entry.get("input_conversation") or [{"role": "user", "content": str(entry.get("prompt", ""))}]
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise _WrongKindError("`input_conversation` is no list of turns with `role` and `content`")
    messages = tuple(Message(role=str(turn.get("role", "")), content=_text(turn, "content") or "") for turn in turns)
    prompt = next((turn["content"] for turn in reversed(messages) if turn["role"] == "user"), "")
    problem = Problem(key, prompt, None, row=row_of(entry))
    usages = _flat(entry, "token_usages")[: len(responses)] if entry.get("token_usages") else []
    nothing: dict[str, Any] = {}
    samples = []
    for number, (response, usage) in enumerate(zip_longest(responses, usages, fillvalue=nothing)):
        sample_key = SampleKey(key, number)
        error, reason = response.get("error"), response.get("finish_reason")
        made = Response(
            key=sample_key,
            error=None if error is None else str(error),
            # What the reference's script for rewriting adds is what it grades.
            content=_text(response, "processed_content") or _text(response, "content") or "",
            reasoning=_text(response, "reasoning"),
            finish_reason=None if reason is None else str(reason),
            prompt_tokens=_count(usage, "prompt_tokens"),
            completion_tokens=_count(usage, "completion_tokens"),
            thinking_open=bool(response.get("thinking_open")),
        )
        seed = response.get("seed")
        score = _score_in(sample_key, response)
        samples.append(Sample(problem, messages, made, score, seed if isinstance(seed, int) else None))
    return samples


def _text(part: Mapping[str, Any], name: str) -> str | None:
    """A text; of a list of parts, as chat endpoints write them, the texts in it."""
    value = part.get(name)
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return "".join(item["text"] for item in value if isinstance(item.get("text"), str))
    if value is None or isinstance(value, str):
        return value
    raise _WrongKindError(f"`{name}` is no text, but {_kind(value)}")


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return int(value) if isinstance(value, int | float) and 0 <= value < 1e15 else None


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number"}
    return "missing" if value is None else kinds.get(type(value), "a number")


def _score_in(key: SampleKey, response: Mapping[str, Any]) -> Score | None:
    """The verdict in an element of `responses`; the reference writes none but `correctness`."""
    correct = response.get("correctness")
    correct = correct if isinstance(correct, bool) else None
    plain: dict[bool | None, Verdict] = {True: "correct", False: "wrong"}
    given = response.get("verdict")
    verdict = given if given in get_args(Verdict) else plain.get(correct)
    if verdict is None or response.get("error") is not None:
        return None
    details, answer, fraction = (response.get(name) for name in ("details", "answer", "fraction"))
    return Score(
        correct=correct,
        reason=str(response.get("reason") or ""),
        answer=answer if isinstance(answer, str) else None,
        verdict=verdict,
        fraction=fraction if isinstance(fraction, int | float) else None,
        details=details if isinstance(details, dict) else {},
        key=key,
    )


# -- the summary ----------------------------------------------------------------------------------------------


def _configuration(run: RunFolder, totals: Totals, additions: Mapping[str, Any]) -> dict[str, Any]:
    config = run.config
    header = run.scoring.header if run.scoring is not None else {}
    ours = {
        **additions,
        "run": run.path.name,
        "fingerprint": config.fingerprint,
        "seed": config.seed,
        "as_test": config.as_test,
        "reproducible": config.reproducible,
        "created": run.manifest.created,
        "time": time_of(read_sessions(run.path)),
        "sample_seconds": round(totals.seconds, 1),
        "sample_tokens_per_second": totals.tokens_per_second,
        "first_token_seconds": round(median(totals.first_tokens), 3) if totals.first_tokens else None,
        "dataset_fingerprint": run.manifest.dataset_fingerprint,
        "dataset_revisions": dict(run.manifest.dataset_revisions),
        "scored_with": {name: value for name, value in header.items() if name != "sandbox"} or None,
        "sandbox": header.get("sandbox"),
        "versions": dict(run.manifest.versions),
        "malformed_rows": [asdict(row) for row in run.manifest.malformed_rows],
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
