"""Finding, making or continuing the run folder that a plan asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skythought.config import RunConfig, check
from skythought.errors import RunFolderError, UserError
from skythought.plan import Options
from skythought.runs import folder
from skythought.runs.environment import versions
from skythought.runs.folder import RunFolder
from skythought.runs.jsonfile import is_as_derived
from skythought.runs.lock import Lock
from skythought.tasks.problems import RowProblemError, problems
from skythought.types import Problem

__all__ = ["open_run"]


def open_run(config: RunConfig, options: Options, notices: list[str]) -> RunFolder:
    """The open, locked run folder for a configuration; made, continued, extended or replaced as the options say.

    Raises:
        UserError: The run exists and neither --resume nor --overwrite was given, or it was made with other settings;
            the dataset cannot be read. Nothing that exists is touched then.
    """
    path = _path(config, options)
    lock = Lock(path)
    try:
        existing = None if options.overwrite else folder.read_manifest(path)
        if existing is None:
            return _made(path, config, options, lock, notices)
        return _continued(path, config, options, lock, existing, notices)
    except BaseException:
        lock.release()
        raise


def _path(config: RunConfig, options: Options) -> Path:
    if options.resume_from is not None:
        path = Path(options.resume_from).expanduser()
        if not path.is_dir():
            raise UserError(f"--resume-from {str(path)!r}: there is no such folder.")
        return path
    assert options.result_dir is not None
    path = Path(options.result_dir).expanduser() / config.folder_name
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--result-dir {str(options.result_dir)!r} cannot be written: {error.strerror}.") from None
    return path


def _made(path: Path, config: RunConfig, options: Options, lock: Lock, notices: list[str]) -> RunFolder:
    if options.resume_from is not None:
        raise UserError(
            f"--resume-from {str(path)!r}: no run of skythought is in this folder (no run.json). A finished folder of "
            "another tool can be scored (`skythought score`), not continued."
        )
    if (path / "results.json").exists() and not options.overwrite and not is_as_derived(path):
        raise RunFolderError(f"{str(path)!r} holds a results.json that this program did not make; move it away first.")
    if options.resume:
        notices.append("nothing to resume yet: this is a new run")
    malformed: list[dict[str, Any]] = []
    revisions: dict[str, str] = {}
    run = folder.create(path, config, _usable(config, malformed, revisions), lock, malformed, revisions)
    notices.extend(_malformed_notices(malformed))
    return run


def _continued(
    path: Path, config: RunConfig, options: Options, lock: Lock, existing: dict[str, Any], notices: list[str]
) -> RunFolder:
    before: RunConfig = check(RunConfig, existing["config"], str(path / "run.json"))
    if not (options.resume or options.resume_from is not None):
        run = folder.load(path, lock)
        owed, total = sum(1 for _ in run.owed()), len(run.ids) * run.config.n
        run.close_files()
        if owed == total:  # it never got to its first answer, perhaps for want of memory: nothing to protect
            return _made(path, config, options, lock, notices)
        state = "a finished run" if not owed else f"an unfinished run ({total - owed:,} of {total:,} samples done)"
        raise RunFolderError(
            f"{str(path)!r} already holds {state}; --resume continues or extends it, --overwrite starts anew."
        )
    if before.fingerprint != config.fingerprint:
        raise RunFolderError(
            f"{str(path)!r} was made with other settings: {_difference(before, config)}. "
            "Give the same, or another --result-dir."
        )
    if (path / "results.json").exists() and not is_as_derived(path):
        raise RunFolderError(
            f"{str(path / 'results.json')!r} was changed by hand since it was made; continuing would undo that. "
            "Move it away to go on from the journal, or use `skythought score` on it as it is."
        )
    if existing["versions"] != (now := versions()):
        changed = sorted(name for name in now if existing["versions"].get(name) not in (None, now[name]))
        if changed:
            notices.append(f"the run was begun with other versions of {', '.join(changed)}; answers may differ")
    merged = _merged(before, config, notices)
    if (merged.start, merged.end) != (before.start, before.end):
        malformed: list[dict[str, Any]] = []
        revisions = dict(existing.get("dataset_revisions", {}))  # the same commit, also where the task pins none
        folder.extend(path, merged, _usable(merged, malformed, revisions), malformed, revisions)
        notices.extend(_malformed_notices(malformed))
    elif merged != before:
        folder.widen(path, merged)
    return folder.load(path, lock)


def _merged(before: RunConfig, now: RunConfig, notices: list[str]) -> RunConfig:
    """The configuration that covers both: more samples and the longer slice win."""
    n = max(before.n, now.n)
    start = min(before.start, now.start)
    end = -1 if before.end < 0 or now.end < 0 else max(before.end, now.end)
    if (n, start, end) != (now.n, now.start, now.end):
        covered = f"--start {start} --end {end} --n {n}"
        notices.append(f"the run covers {covered}: what it had before and what was asked for now, together")
    return before.model_copy(update={"n": n, "start": start, "end": end, "task": now.task, "model": now.model})


def _difference(before: RunConfig, now: RunConfig) -> str:
    """The first setting that differs and changes answers, named with both values."""
    left, right = before.identity, now.identity
    for room in ("task", "model", "backend", "sampling"):
        for key in sorted({*left[room], *right[room]}):
            if (old := left[room].get(key)) != (new := right[room].get(key)):
                return f"{room} {key} was {old!r} and is {new!r} now"
    if before.as_test != now.as_test:
        return f"as_test was {before.as_test} and is {now.as_test} now"
    return f"seed was {before.seed} and is {now.seed} now"


def _usable(config: RunConfig, malformed: list[dict[str, Any]], revisions: dict[str, str]) -> Iterator[Problem]:
    for item in problems(config.task, config.start, config.end, revisions):
        if isinstance(item, RowProblemError):
            malformed.append({"index": item.index, "column": item.column, "why": item.why})
        else:
            yield item


def _malformed_notices(malformed: list[dict[str, Any]]) -> list[str]:
    shown = [f"row {row['index']} left out: {row['column'] or 'row'}: {row['why']}" for row in malformed[:5]]
    if len(malformed) > len(shown):
        shown.append(f"... and {len(malformed) - len(shown):,} more rows left out (run.json lists them)")
    return shown
