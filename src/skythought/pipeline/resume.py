"""Finding, making or continuing the run folder that a plan asks for."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from skythought.config import RunConfig
from skythought.errors import RunFolderError, UserError
from skythought.pipeline.options import Options
from skythought.runs import folder
from skythought.runs.create import adopt, create, discard, extend, restore, widen
from skythought.runs.environment import versions
from skythought.runs.folder import RunFolder
from skythought.runs.jsonfile import is_as_derived
from skythought.runs.lock import Lock
from skythought.runs.records import COPY, DamagedManifestError, Manifest
from skythought.tasks.problems import Problems, problems

__all__ = ["OpenedRun", "difference", "open_run", "place_of"]

MOST_ROWS_TOLD = 5


class OpenedRun(NamedTuple):
    """A run folder, open and locked, and what the user should know of it."""

    run: RunFolder
    notices: list[str]
    is_new: bool = False
    """Whether it was made just now."""


def open_run(config: RunConfig, options: Options) -> OpenedRun:
    """The run folder for a configuration: made, continued, extended or replaced as the options say.

    Raises:
        UserError: The run exists and neither --resume nor --overwrite was given, or it was made with other settings;
            the dataset cannot be read. Nothing that exists is touched then.
    """
    path = _path(config, options)
    had, existing = any(path.iterdir()), None
    lock = Lock(path)
    try:
        existing = None if options.overwrite else _manifest(path, options)
        if existing is not None:
            run, notices, _ = _continued(path, config, options, lock, existing)
        elif not options.overwrite and _has_answers(path):
            run, notices, _ = _adopted(path, config, options, lock)
        else:
            run, notices, _ = _made(path, config, options, lock)
    except BaseException:
        lock.release()
        if existing is None and not had:
            discard(path)
        raise
    return OpenedRun(run, [*([lock.notice] if lock.notice else []), *notices, *_on_damage(run)], not had)


def place_of(config: RunConfig, options: Options) -> Path:
    """The folder of a run, be it there or not."""
    if options.resume_from is not None:
        return Path(options.resume_from).expanduser()
    assert options.result_dir is not None
    return Path(options.result_dir).expanduser() / config.folder_name


def _path(config: RunConfig, options: Options) -> Path:
    path = place_of(config, options)
    if options.resume_from is not None:
        if not path.is_dir():
            raise UserError(f"--resume-from {str(path)!r}: there is no such folder.")
        return path
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--result-dir {str(options.result_dir)!r} cannot be written: {error.strerror}.") from None
    return path


def _manifest(path: Path, options: Options) -> Manifest | None:
    """The folder's manifest; none if it is damaged beyond repair, and to be made anew."""
    try:
        return Manifest.read(path)
    except DamagedManifestError:
        if not (_is_resumed(options) and _has_answers(path)):
            raise
        _move_aside(path / "run.json", ".damaged")
        return None


def _is_resumed(options: Options) -> bool:
    return options.resume or options.resume_from is not None


def _has_answers(path: Path) -> bool:
    """Whether there is a journal with anything in it."""
    journal = path / "responses.jsonl"
    return journal.exists() and journal.stat().st_size > 0


def _adopted(path: Path, config: RunConfig, options: Options, lock: Lock) -> OpenedRun:
    """A folder with answers, but without a manifest: what was paid for is kept, if it is of this run."""
    if not _is_resumed(options):
        raise RunFolderError(
            f"{str(path)!r} holds answers of a run whose run.json is missing; --resume makes it anew and keeps them, "
            "--overwrite deletes them."
        )
    if not path.name.endswith(config.ending):
        raise RunFolderError(
            f"{str(path)!r}: its run.json is missing, and its name is not that of a run with these settings "
            f"({config.folder_name}): give those that it was made with."
        )
    run = adopt(path, config, _problems(config, {}), lock)
    run.config = config
    kept = run.samples - sum(1 for _ in run.pending())
    return OpenedRun(run, [f"run.json was missing: it is made anew, and {kept:,} answers of the journal are kept"])


def _made(path: Path, config: RunConfig, options: Options, lock: Lock) -> OpenedRun:
    if options.resume_from is not None:
        raise UserError(
            f"--resume-from {str(path)!r}: no run of skythought is in this folder (no run.json). A finished folder of "
            "another tool can be scored (`skythought score`), not continued."
        )
    if (path / "results.json").exists() and not options.overwrite and not is_as_derived(path):
        raise RunFolderError(f"{str(path)!r} holds a results.json that this program did not make; move it away first.")
    run = create(path, config, _problems(config, {}), lock)
    run.config = config
    notices = ["nothing to resume yet: this is a new run"] if options.resume else []
    return OpenedRun(run, notices + _on_malformed_rows(run.manifest))


def _continued(path: Path, config: RunConfig, options: Options, lock: Lock, existing: Manifest) -> OpenedRun:
    before = existing.config
    if not _is_resumed(options):
        _require_nothing_to_protect(path, lock)
        return _made(path, config, options, lock)
    if before.fingerprint != config.fingerprint:
        raise RunFolderError(
            f"{str(path)!r} was made with other settings: {difference(before, config)}. "
            "Give the same, or another --result-dir."
        )
    if before.shard != config.shard:
        part = f"shard {before.shard}" if before.shard else "all of the problems"
        now = f"--shard {config.shard}" if config.shard else "no --shard"
        raise RunFolderError(f"{str(path)!r} was made for {part}, and now there is {now}: give the same.")
    notices = [*_on_versions(existing), *_mended(path, existing)]
    merged = _merged(before, config)
    if (merged.n, merged.start, merged.end) != (config.n, config.start, config.end):
        covered = f"--start {merged.start} --end {merged.end} --n {merged.n}"
        notices.append(f"the run covers {covered}: what it had before and what was asked for now, together")
    extended = (merged.start, merged.end) != (before.start, before.end)
    if extended:  # from the same commit, also where the task pins none
        extend(path, merged, _problems(merged, existing.dataset_revisions))
    elif merged != before:
        widen(path, merged)
    run = folder.load(path, lock)
    run.config = merged  # with what run.json leaves out: secrets among a scorer's arguments
    return OpenedRun(run, notices + (_on_malformed_rows(run.manifest) if extended else []))


def _require_nothing_to_protect(path: Path, lock: Lock) -> None:
    """A run that never got to its first answer, perhaps for want of memory, may be made anew unasked; no other.

    Raises:
        RunFolderError: There are answers.
    """
    run = folder.load(path, lock)
    pending = sum(1 for _ in run.pending())
    run.close_files()
    if pending < run.samples or run.damaged:
        done = f"an unfinished run ({run.samples - pending:,} of {run.samples:,} samples done)"
        raise RunFolderError(
            f"{str(path)!r} already holds {done if pending else 'a finished run'}; --resume continues or extends it, "
            "--overwrite starts anew."
        )


def _mended(path: Path, existing: Manifest) -> list[str]:
    """Put back what the folder has lost, moving aside what stands there; what was done."""
    notices = []
    if existing.lost:
        notices.append(f"run.json {existing.lost}: it is put back from its copy")
        if (path / "run.json").exists():
            _move_aside(path / "run.json", ".damaged")
    if existing.lost or not (path / COPY).exists():
        existing.write(path)
    if not folder.has_its_problems(path, existing):
        restore(path, existing, _problems(existing.config, existing.dataset_revisions))
        notices.append("samples.jsonl was cut, changed or lost: it is put back from the dataset")
    if (path / "results.json").exists() and not is_as_derived(path):
        aside = _move_aside(path / "results.json", ".changed")
        notices.append(f"results.json was changed since it was made: it is moved aside to {aside.name}, and made anew")
    return notices


def _move_aside(path: Path, ending: str) -> Path:
    """Give a file a longer name, with a number where there is one of that name already; the new path."""
    names = itertools.chain([""], (f".{number}" for number in itertools.count(1)))
    free = next(aside for more in names if not os.path.lexists(aside := path.with_name(path.name + ending + more)))
    return path.replace(free)


def _merged(before: RunConfig, now: RunConfig) -> RunConfig:
    """The configuration that covers both: more samples and the longer slice win."""
    n = max(before.n, now.n)
    start = min(before.start, now.start)
    end = -1 if before.end < 0 or now.end < 0 else max(before.end, now.end)
    return before.model_copy(update={"n": n, "start": start, "end": end, "task": now.task, "model": now.model})


def difference(before: RunConfig, now: RunConfig) -> str:
    """The first setting that differs and changes answers, named with both values."""
    left, right = before.identity, now.identity
    for room in ("task", "model", "backend", "sampling"):
        for key in sorted({*left[room], *right[room]}):
            if (old := left[room].get(key)) != (new := right[room].get(key)):
                return f"{room} {key} was {old!r} and is {new!r} now"
    if before.as_test != now.as_test:
        return f"as_test was {before.as_test} and is {now.as_test} now"
    return f"seed was {before.seed} and is {now.seed} now"


def _problems(config: RunConfig, revisions: Mapping[str, str]) -> Problems:
    return problems(config.task, config.start, config.end, shard=config.shard, revisions=revisions)


def _on_damage(run: RunFolder) -> list[str]:
    if not run.damaged:
        return []
    told = ", ".join(run.damaged[:MOST_ROWS_TOLD]) + (", ..." if len(run.damaged) > MOST_ROWS_TOLD else "")
    return [f"{len(run.damaged):,} damaged lines ({told}) count for nothing: what they held is asked or scored again"]


def _on_versions(existing: Manifest) -> list[str]:
    now = versions()
    changed = sorted(name for name in now if existing.versions.get(name) not in (None, now[name]))
    return [f"the run was begun with other versions of {', '.join(changed)}; answers may differ"] if changed else []


def _on_malformed_rows(manifest: Manifest) -> list[str]:
    rows = manifest.malformed_rows
    told = [f"row {row.index} left out: {row.column or 'row'}: {row.why}" for row in rows[:MOST_ROWS_TOLD]]
    if len(rows) > len(told):
        told.append(f"... and {len(rows) - len(told):,} more rows left out (run.json lists them)")
    return told
