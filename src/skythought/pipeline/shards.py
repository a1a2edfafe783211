"""One job on several machines: each asks its part of the problems (`--shard 2/8`), and `merge` puts the parts together.

A part is a run like any other, in a folder of its own. The merged folder is the run that one machine would have made:
the same problems, seeds and results. Merging again takes over what has come since, and nothing twice.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from heapq import merge as merged_in_order
from pathlib import Path
from typing import Any

from skythought.config import RunConfig
from skythought.errors import RunFolderError, UserError
from skythought.executors.base import Executor
from skythought.pipeline.options import Options
from skythought.pipeline.score import DECISIVE, begin_scoring_if_needed
from skythought.pipeline.steps import Finished, Notice, Step
from skythought.pipeline.votes import derive_with_votes, form_notice
from skythought.runs import folder
from skythought.runs.asked import Asked, read_asked, write_asked
from skythought.runs.create import create, extend
from skythought.runs.folder import RunFolder
from skythought.runs.jsonfile import is_as_derived
from skythought.runs.lock import Lock
from skythought.runs.records import Manifest
from skythought.runs.results import ResultsForm
from skythought.runs.sessions import read_sessions, write_sessions
from skythought.runs.view import Run
from skythought.types import MalformedRow, Problem, Shard

__all__ = ["checked_shard", "merge_shards"]


def checked_shard(options: Options) -> Shard | None:
    """The part of the problems that `--shard` names.

    Raises:
        UserError: It names none, or an option beside it looks at the verdicts of the whole run.
    """
    if options.shard is None:
        return None
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", options.shard.strip())
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UserError(f"--shard {options.shard!r}: a part of how many, as 2/8; the first of eight is 1/8.")
    for name in ("until", "versus"):
        if getattr(options, name) is not None:
            raise UserError(f"--{name} stops by the numbers of the whole run, and --shard asks a part of it.")
    return Shard(int(match[1]), int(match[2]))


async def merge_shards(
    paths: Sequence[Path], result_dir: Path | None, executor: Executor, form: ResultsForm = "auto"
) -> AsyncGenerator[Step, None]:
    """Put the shards of a run together in one folder; those already there are left as they are.

    Args:
        paths: The folders of all shards, in any order.
        result_dir: Where the run's folder is made; by default beside the first shard.
        executor: Where the scorer tells which answers are the same, for maj@k.
        form: Of the samples that are derived; see `derive`.

    Raises:
        UserError: A shard is missing, is still being worked on, or is of another run.
    """
    manifests = [folder.require(path) for path in dict.fromkeys(path.resolve() for path in paths)]
    config = _config(manifests)
    path = (result_dir or paths[0].resolve().parent) / config.folder_name
    path.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        lock = stack.enter_context(Lock(path))
        shards = []
        for shard in dict.fromkeys(path.resolve() for path in paths):
            stack.enter_context(Lock(shard))
            shards.append(stack.enter_context(folder.load(shard, None)))
        shards.sort(key=_number)
        run = stack.enter_context(_opened(path, config, shards, lock))
        yield Notice(f"merging {len(shards)} shards, {run.samples:,} samples, into {path}")
        for notice in [*_take_responses(run, shards), *_take_replies(run, shards), *_take_scores(run, shards)]:
            yield Notice(notice)
        if asked := _asked(shards):
            write_asked(path, [asked])
        sessions = [(one, str(shard.config.shard)) for shard in shards for one in read_sessions(shard.path)]
        write_sessions(path, [replace(one, shard=number) for one, number in sessions])
        if said := form_notice(run, form):
            yield Notice(said)
        await derive_with_votes(run, executor, form=form)
        yield Finished(Run(path))


def _number(run: RunFolder) -> int:
    assert run.config.shard is not None
    return run.config.shard.number


def _config(manifests: Sequence[Manifest]) -> RunConfig:
    """The configuration of the run that these are the shards of, all of them."""
    first = manifests[0].config
    found: set[int] = set()
    for manifest in manifests:
        config = manifest.config
        if config.shard is None:
            raise UserError(f"merge: {config.folder_name!r} is no shard: it was made without --shard.")
        if config.fingerprint != first.fingerprint or config.shard.of != first.shard.of:  # type: ignore[union-attr]
            raise UserError(f"merge: {config.folder_name!r} and {first.folder_name!r} are not shards of one run.")
        for name in ("n", "start", "end"):
            if getattr(config, name) != getattr(first, name):
                values = f"{getattr(first, name)} and {getattr(config, name)}"
                raise UserError(f"merge: --{name} differs between shards: {values}; --resume them with the same.")
        if manifest.dataset_revisions != manifests[0].dataset_revisions:
            raise UserError("merge: the shards read different revisions of the dataset; pin it with --task-args.")
        if config.shard.number in found:
            raise UserError(f"merge: shard {config.shard} is there twice.")
        found.add(config.shard.number)
    assert first.shard is not None
    if missing := [number for number in range(1, first.shard.of + 1) if number not in found]:
        told = ", ".join(str(Shard(number, first.shard.of)) for number in missing[:10])
        raise UserError(f"merge: not all shards are there; missing: {told}.")
    return first.model_copy(update={"shard": None})


class _Together:
    """The problems of all shards in the dataset's order: what one run would have frozen."""

    def __init__(self, shards: Sequence[RunFolder]) -> None:
        self._shards = shards
        self.revisions: Mapping[str, str] = shards[0].manifest.dataset_revisions
        self.why_none = "no shard has a problem"

    def __iter__(self) -> Iterator[Problem | MalformedRow]:
        malformed = {row for one in self._shards for row in one.manifest.malformed_rows}
        yield from sorted(malformed, key=lambda row: row.index)
        problems = [map(one.problem, one.ids) for one in self._shards]
        yield from merged_in_order(*problems, key=lambda problem: int(problem.id))


def _opened(path: Path, config: RunConfig, shards: Sequence[RunFolder], lock: Lock) -> RunFolder:
    """The merged folder, made or found, with the problems of all shards."""
    existing = Manifest.read(path)
    if (path / "results.json").exists() and not is_as_derived(path):
        raise RunFolderError(f"{str(path / 'results.json')!r} was changed by hand; move it away first.")
    if existing is None:
        create(path, config, _Together(shards), lock).close_files()
        first = min((one.manifest for one in shards), key=lambda manifest: manifest.created)
        replace(folder.require(path), created=first.created, versions=first.versions).write(path)
    elif existing.config.fingerprint != config.fingerprint or existing.config.shard is not None:
        raise RunFolderError(f"{str(path)!r} holds another run: give another --result-dir.")
    else:
        extend(path, config, _Together(shards))
    return folder.load(path, lock)


def _take_responses(run: RunFolder, shards: Sequence[RunFolder]) -> list[str]:
    """Journal the responses that are not there yet, in the order of the problems."""
    different = 0
    for problem_id in run.ids:
        shard = _owner(problem_id, shards)
        for key in run.keys_of(problem_id):
            if run.is_answered(key):
                is_answered = shard.is_answered(key)
                different += is_answered and shard.response_checksum(key) != run.response_checksum(key)
            elif (response := shard.response(key)) is not None and (
                response.error is None or run.response(key) is None
            ):
                run.add_response(response)
    if not different:
        return []
    return [f"{different:,} answers are others than when these shards were merged before: the earlier ones are kept"]


def _take_replies(run: RunFolder, shards: Sequence[RunFolder]) -> list[str]:
    """Journal what a judge said, where one was asked."""
    for shard in shards:
        if (shard.path / "replies.jsonl").exists():
            run.open_replies()
            shard.open_replies()
            for reply in shard.replies():
                if run.reply(reply.key, reply.question) is None:
                    run.add_reply(reply)
    return []


def _take_scores(run: RunFolder, shards: Sequence[RunFolder]) -> list[str]:
    """Journal the verdicts that are not there yet, if one scorer gave all of them."""
    headers = [shard.scoring.header for shard in shards if shard.scoring is not None]
    if not headers:
        return []
    if any(_decisive(header) != _decisive(headers[0]) for header in headers):
        return ["the shards were scored by different scorers, judges or task versions: `skythought score` the run"]
    begin_scoring_if_needed(run, dict(headers[0]))
    for key in run.unscored():
        shard = _owner(key.problem_id, shards)
        if shard.response_checksum(key) == run.response_checksum(key) and (score := shard.score(key)) is not None:
            run.add_score(score)
    return []


def _decisive(header: Mapping[str, Any]) -> list[Any]:
    return [header.get(name) for name in DECISIVE]


def _owner(problem_id: str, shards: Sequence[RunFolder]) -> RunFolder:
    """The shard that asks a problem."""
    return next(shard for shard in shards if problem_id in shard)


def _asked(shards: Sequence[RunFolder]) -> Asked | None:
    """How the shards chose what they asked, as one entry; None if they asked everything."""
    entries = [found[-1] for shard in shards if (found := read_asked(shard.path))]
    if not entries:
        return None
    return replace(
        entries[0],
        began=min(entry.began for entry in entries),
        ended=max((entry.ended for entry in entries if entry.ended), default=None),
        problems=sum(entry.problems for entry in entries),
        asked=sum(entry.asked for entry in entries),
        left=sum(entry.left for entry in entries),
        found={},
        lines=(),
    )
