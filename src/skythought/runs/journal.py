"""An append-only file of JSON lines, one per finished unit: the truth of a run.

A line is written with one system call, so a killed process leaves at most one torn line at the end; opening the
journal for writing cuts it off, and the unit is owed again. Lines reach the kernel at once (they survive `kill -9`)
and the disk when the journal is closed (a power cut may lose the last seconds).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from skythought.errors import RunFolderError
from skythought.types import SampleKey

__all__ = ["Journal", "Line", "dumps"]

_HEAD = re.compile(rb'\{"id": ("(?:[^"\\]|\\.)*"), "sample": (\d+), "error": (null|")')


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_encode_ascii = json.JSONEncoder(allow_nan=False).encode


def dumps(value: Any) -> str:
    """Compact-enough JSON on one line; text stays readable, NaN and infinities (no JSON) are refused."""
    # Python's encoder for pure ASCII is twice as fast; where it escapes nothing, both write the same.
    if isinstance(value, dict) and all(text.isascii() for text in value.values() if isinstance(text, str)):
        line = _encode_ascii(value)
        if "\\u" not in line:
            return line
    return _encode(value)


class Line(NamedTuple):
    """Where a journal line is and which sample it is about."""

    offset: int
    key: SampleKey
    failed: bool


class Journal:
    """Appends records that carry `id`, `sample` and `error` first, and finds them again by offset."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        """`writable`: otherwise nothing is mended or made; a journal that is not there is an empty one."""
        self.path = path
        self._append = -1
        if writable:
            self._mend()
            self._append = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
            self._size = os.fstat(self._append).st_size
        self._reader = (path if path.exists() else Path(os.devnull)).open("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Flush to disk and close; safe to call twice."""
        if self._append >= 0:
            os.fsync(self._append)
            os.close(self._append)
            self._append = -1
        self._reader.close()

    def append(self, record: Mapping[str, Any]) -> int:
        """Write one record down; its offset.

        Raises:
            RunFolderError: The disk is full or gone. What was written before is kept.
        """
        # A lone surrogate (half an emoji cut off by a token limit) is no valid UTF-8; it is kept as an escape.
        data = dumps(record).encode("utf-8", "backslashreplace") + b"\n"
        try:
            written = os.write(self._append, data)
            while written < len(data):  # a full disk (the next write says so), or more than 2 GiB
                written += os.write(self._append, memoryview(data)[written:])
        except OSError as error:
            raise RunFolderError(f"cannot write to {self.path}: {error.strerror or error}.") from None
        offset = self._size
        self._size += len(data)
        return offset

    def read(self, offset: int) -> dict[str, Any]:
        """The record at an offset."""
        self._reader.seek(offset)
        record: dict[str, Any] = json.loads(self._reader.readline())
        return record

    def scan(self) -> Iterator[Line | dict[str, Any]]:
        """All lines in order: `Line`s for records about a sample, the parsed record for any other.

        A line that is not JSON (a damaged disk) is passed over: its sample is owed again.
        """
        offset = 0
        with (self.path if self.path.exists() else Path(os.devnull)).open("rb") as file:
            for raw in file:
                head = _HEAD.match(raw)
                if head and raw.endswith(b"}\n"):
                    yield Line(offset, SampleKey(json.loads(head[1]), int(head[2])), head[3] != b"null")
                elif (record := _parsed(raw)) is not None:
                    yield record
                offset += len(raw)

    def _mend(self) -> None:
        """Cut off a torn last line."""
        if not self.path.exists():
            return
        with self.path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            keep = size
            while keep > 0:
                start = max(0, keep - 65536)
                file.seek(start)
                newline = file.read(keep - start).rfind(b"\n")
                if newline >= 0:
                    keep = start + newline + 1
                    break
                keep = start
            if keep < size:
                file.truncate(keep)


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(raw)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
