"""A run's samples as Parquet: `results.parquet/`, a folder of shards that pandas, `datasets`, DuckDB and Ray Data read.

One row a sample, in the order of `results.json`; the same columns whatever the task, so that runs can be read together.
They hold all that a `Sample` tells but times, so that a run whose journals are gone can still be read from them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from skythought.errors import DiskError, RunFolderError
from skythought.runs.journal import dumps
from skythought.runs.sample import Sample
from skythought.types import Message, Problem, Response, SampleKey, Score

if TYPE_CHECKING:
    import pyarrow

__all__ = ["PARQUET", "ParquetWriter", "read_parquet", "remove_parquet", "stands_alone"]

PARQUET = "results.parquet"

GROUP_BYTES = 16 << 20
"""Text in a row group, about: what the writer holds in memory."""
READ_ROWS = 256
SHARD_BYTES = 512 << 20
"""Text in a shard, about, before it is compressed."""


class ParquetWriter:
    """Writes `results.parquet/` beside itself and puts it in its place when committed; otherwise nothing changes."""

    def __init__(self, folder: Path, *, group_bytes: int = GROUP_BYTES, shard_bytes: int = SHARD_BYTES) -> None:
        """`folder`: the run's."""
        self._path = folder / PARQUET
        self._temporary = folder / (PARQUET + ".tmp")
        self._group_bytes, self._shard_bytes = group_bytes, shard_bytes
        self._rows: list[dict[str, Any]] = []
        self._held = self._in_shard = self._shards = 0
        self._file: pyarrow.parquet.ParquetWriter | None = None

    def __enter__(self) -> Self:
        try:
            _remove(self._temporary)
            self._temporary.mkdir()
        except OSError as error:
            raise DiskError.of(error, self._temporary) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a full disk: the temporary folder goes, whatever could not be written of it
            self._close_shard()
        with suppress(OSError):
            _remove(self._temporary)

    def add(self, problem: Problem, messages: Sequence[Message], samples: Sequence[Sample]) -> None:
        """Write the samples of one problem; they come into one shard."""
        for sample in samples:
            row = _row(problem, messages, sample)
            self._rows.append(row)
            self._held += sum(len(value) for value in row.values() if isinstance(value, str))
            if self._held >= self._group_bytes:
                self._flush()
        if self._in_shard + self._held >= self._shard_bytes:
            self._flush()
            self._close_shard()

    def commit(self) -> None:
        """Put the folder in its place; what was there before is gone then."""
        if self._rows or not self._shards:
            self._flush()
        before = self._path.with_name(PARQUET + ".old")
        try:
            self._close_shard()
            _remove(before)
            if self._path.exists():
                self._path.replace(before)
            self._temporary.replace(self._path)
            _remove(before)
        except OSError as error:
            raise DiskError.of(error, self._path) from None

    def _flush(self) -> None:
        """Write what is held as a row group."""
        import pyarrow
        import pyarrow.parquet

        try:
            if self._file is None:
                path = self._temporary / f"{self._shards:05}.parquet"
                self._file = pyarrow.parquet.ParquetWriter(path, _schema(), compression="zstd")
                self._shards += 1
            self._file.write_table(pyarrow.Table.from_pylist(self._rows, schema=_schema()))
            self._in_shard += self._held
            self._rows, self._held = [], 0
        except OSError as error:
            raise DiskError.of(error, self._path) from None

    def _close_shard(self) -> None:
        file, self._file, self._in_shard = self._file, None, 0
        if file is not None:
            file.close()
            with open(self._temporary / f"{self._shards - 1:05}.parquet", "rb") as written:
                os.fsync(written.fileno())


def remove_parquet(folder: Path) -> None:
    """Delete the shards of a run, if there are any."""
    _remove(folder / PARQUET)


def stands_alone(folder: Path) -> bool:
    """Whether a run's samples are in the shards only: its journals were taken away."""
    return (folder / PARQUET).is_dir() and not (folder / "responses.jsonl").exists()


def read_parquet(folder: Path, tags: Sequence[tuple[str, str]]) -> Iterator[tuple[Problem, list[Sample]]]:
    """Each problem with its samples, holding a few in memory.

    Args:
        folder: The run's.
        tags: Of its model, around thinking.

    Raises:
        RunFolderError: A shard is damaged, or not one of ours.
    """
    import pyarrow
    import pyarrow.parquet

    for path in sorted((folder / PARQUET).glob("*.parquet")):
        try:
            with pyarrow.parquet.ParquetFile(path) as file:
                rows = (row for batch in file.iter_batches(READ_ROWS) for row in batch.to_pylist())
                for _, group in groupby(rows, key=itemgetter("problem_id")):
                    yield _samples(list(group), tuple(tags))
        except (OSError, pyarrow.ArrowException, ValueError, KeyError, TypeError) as error:
            raise RunFolderError(f"{path}: no shard of a run's samples: {type(error).__name__}: {error}.") from None


def _samples(rows: Sequence[Mapping[str, Any]], tags: tuple[tuple[str, str], ...]) -> tuple[Problem, list[Sample]]:
    """The rows of one problem."""
    first = rows[0]
    problem = Problem(
        id=first["problem_id"],
        prompt=first["prompt"],
        target=json.loads(first["target"]) if first["target_is_json"] else first["target"],
        choices=tuple(first["choices"]),
        row=json.loads(first["row"]),
    )
    messages = tuple(Message(role=turn["role"], content=turn["content"]) for turn in first["messages"])
    samples = []
    for row in rows:
        key = SampleKey(problem.id, row["sample"])
        names = ("error", "content", "reasoning", "finish_reason", "prompt_tokens", "completion_tokens")
        response = Response(key=key, thinking_open=row["thinking_open"], **{name: row[name] for name in names})
        samples.append(Sample(problem, messages, response, _score(key, row), row["seed"], tags))
    return problem, samples


def _score(key: SampleKey, row: Mapping[str, Any]) -> Score | None:
    if row["verdict"] is None or row["error"] is not None:
        return None
    names = ("correct", "reason", "answer", "verdict", "fraction")
    return Score(**{name: row[name] for name in names}, details=json.loads(row["details"] or "{}"), key=key)


def _remove(path: Path) -> None:
    """Delete a folder; a link is deleted and not followed."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _schema() -> pyarrow.Schema:
    import pyarrow as pa

    text = pa.string()
    return pa.schema(
        [
            ("problem_id", text),
            ("sample", pa.int32()),
            ("prompt", text),
            ("messages", pa.list_(pa.struct([("role", text), ("content", text)]))),
            ("content", text),
            ("reasoning", text),
            ("target", text),
            ("target_is_json", pa.bool_()),
            ("choices", pa.list_(text)),
            ("verdict", text),
            ("correct", pa.bool_()),
            ("answer", text),
            ("reason", text),
            ("fraction", pa.float64()),
            ("details", text),
            ("finish_reason", text),
            ("thinking_open", pa.bool_()),
            ("seed", pa.int64()),
            ("prompt_tokens", pa.int64()),
            ("completion_tokens", pa.int64()),
            ("error", text),
            ("row", text),
        ]
    )


def _row(problem: Problem, messages: Sequence[Message], sample: Sample) -> dict[str, Any]:
    response = sample.response
    target = problem.target
    return {
        "problem_id": problem.id,
        "sample": sample.sample,
        "prompt": _utf8(sample.prompt),
        "messages": [{"role": turn["role"], "content": _utf8(turn["content"])} for turn in messages],
        "content": _utf8(response.content),
        "reasoning": _utf8(response.reasoning),
        "target": _utf8(target if isinstance(target, str) else dumps(target)),
        "target_is_json": not isinstance(target, str),
        "choices": [_utf8(choice) for choice in problem.choices],
        "verdict": sample.verdict,
        "correct": sample.correct,
        "answer": _utf8(sample.answer),
        "reason": _utf8(sample.reason),
        "fraction": None if sample.fraction is None else float(sample.fraction),
        "details": _utf8(dumps(sample.details)) if sample.details else None,
        "finish_reason": response.finish_reason,
        "thinking_open": response.thinking_open,
        "seed": sample.seed,
        "prompt_tokens": response.prompt_tokens,
        "completion_tokens": response.completion_tokens,
        "error": _utf8(response.error),
        "row": _utf8(dumps(problem.row)),
    }


def _utf8(text: str | None) -> str | None:
    """The text, a lone surrogate in it (half an emoji cut off by a token limit) replaced: Parquet cannot hold one."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
