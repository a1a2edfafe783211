"""A run's samples as Parquet: `results.parquet/`, a folder of shards that pandas, `datasets`, DuckDB and Ray Data read.

One row a sample, in the order of `results.json`; the same columns whatever the task, so that runs can be read together.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from skythought.errors import DiskError
from skythought.runs.journal import dumps
from skythought.runs.sample import Sample
from skythought.types import Message, Problem

if TYPE_CHECKING:
    import pyarrow

__all__ = ["PARQUET", "ParquetWriter", "remove_parquet"]

PARQUET = "results.parquet"

GROUP_BYTES = 16 << 20
"""Text in a row group, about: what the writer holds in memory."""
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
        """Write the samples of one problem."""
        for sample in samples:
            row = _row(problem, messages, sample)
            self._rows.append(row)
            self._held += sum(len(value) for value in row.values() if isinstance(value, str))
            if self._held >= self._group_bytes:
                self._flush()

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
        """Write what is held as a row group, in a shard that has room for it."""
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
            if self._in_shard >= self._shard_bytes:
                self._close_shard()
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
        "target": _utf8(target if isinstance(target, str | None) else dumps(target)),
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
