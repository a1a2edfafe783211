"""An append-only file of JSON lines, one per finished unit: the truth of a run.

Each line ends with a checksum of itself, so that a line which a disk, an editor or a crash damaged is known and costs
its unit alone. A line is written with one system call, so a killed process leaves at most one torn line at the end;
opening the journal for writing cuts it off. Lines reach the kernel at once (they survive `kill -9`) and the disk within
a second (a power cut may lose that).
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from skythought.errors import DiskError
from skythought.types import SampleKey

__all__ = ["Damaged", "Journal", "Line", "Written", "dumps"]

SYNC_S = 1.0
"""How often what was appended is brought to the disk, and how often the file is looked for where it should be."""

READ_BYTES = 1 << 20

Record = Mapping[str, Any]

_HEAD = re.compile(rb'\{"id": ("(?:[^"\\]|\\.)*"), "sample": (\d+)(?:, "of": "([0-9a-f]{8})")?, "error": (null|")')
_TAIL = b', "crc": "%08x"}\n'
_TAIL_BYTES = len(_TAIL % 0)

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


class Written(NamedTuple):
    """A line that was appended."""

    offset: int
    checksum: int


class Line(NamedTuple):
    """Where a journal line is and which sample it is about."""

    offset: int
    key: SampleKey
    failed: bool
    checksum: int
    """CRC-32 of the line, which names its content."""
    of: int | None
    """Checksum of the line of another journal that it was written for."""


class Damaged(NamedTuple):
    """A line that is not what was written."""

    number: int
    """From 1, as editors count."""


class Journal:
    """Appends records that carry `id`, `sample` and `error` first, and finds them again by offset."""

    def __init__(self, path: Path, *, writable: bool = True, is_sound: Callable[[Record], bool] | None = None) -> None:
        """A journal, with what it holds.

        Args:
            path: The file.
            writable: Otherwise nothing is mended or made; a journal that is not there is an empty one.
            is_sound: Whether the values of a line without a checksum are of the right kinds.
        """
        self.path = path
        self._is_sound = is_sound
        self._append = -1
        if writable:
            self._mend()
            self._append = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
            self._size = os.fstat(self._append).st_size
            self._looked = time.monotonic()
            self._syncing = _Syncing(self._append)
        self._reader = (path if path.exists() else Path(os.devnull)).open("rb")
        self._scanned = 0
        """Where the first line begins that `scan` and `grown` did not give yet."""
        self._is_sealed = False
        """Whether a line had a checksum: then all that come after it have one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Flush to disk and close; safe to call twice."""
        if self._append >= 0:
            self._syncing.end()
            with suppress(OSError):  # a disk that is gone; what was written was told as written to the kernel
                os.fsync(self._append)
            os.close(self._append)
            self._append = -1
        self._reader.close()

    def append(self, record: Mapping[str, Any]) -> Written:
        """Write one record down.

        Raises:
            DiskError: The disk is full, read-only or gone, or the file is. What was written before is kept.
        """
        # A lone surrogate (half an emoji cut off by a token limit) is no valid UTF-8; it is kept as an escape.
        body = dumps(record)[:-1].encode("utf-8", "backslashreplace")
        checksum = zlib.crc32(body)
        data = body + _TAIL % checksum
        self._look()
        try:
            written = os.write(self._append, data)
            while written < len(data):  # a full disk (the next write says so), or more than 2 GiB
                written += os.write(self._append, memoryview(data)[written:])
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._append, self._size)
            raise DiskError.of(error, self.path) from None
        offset = self._size
        self._size += len(data)
        self._syncing.is_due = True
        return Written(offset, checksum)

    def read(self, offset: int) -> dict[str, Any]:
        """The record at an offset."""
        self._reader.seek(offset)
        record: dict[str, Any] = json.loads(self._reader.readline())
        record.pop("crc", None)
        return record

    def scan(self) -> Iterator[Line | Damaged | dict[str, Any]]:
        """All lines in order: `Line`s for records about a sample, the parsed record for any other.

        Lines of skythought 0.2.0 have no checksum: they are whole if they are JSON. None comes behind a line with one.
        """
        offset = 0
        self._is_sealed = False
        with (self.path if self.path.exists() else Path(os.devnull)).open("rb", buffering=READ_BYTES) as file:
            for number, raw in enumerate(file, 1):
                yield self._line(raw, offset) or Damaged(number)
                offset += len(raw)
                self._scanned = offset if raw.endswith(b"\n") else self._scanned

    def grown(self) -> Iterator[Line | Damaged | dict[str, Any]]:
        """The lines that another process has appended since; one that is not whole yet is given when it is."""
        if not self.path.exists():
            return
        if str(self._reader.name) == os.devnull:  # it was not there when this was opened
            self._reader.close()
            self._reader = self.path.open("rb")
        with self.path.open("rb") as file:
            file.seek(self._scanned)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                offset, self._scanned = self._scanned, self._scanned + len(raw)
                yield self._line(raw, offset) or Damaged(0)

    def _line(self, raw: bytes, offset: int) -> Line | dict[str, Any] | None:
        """What a line holds; None if it is damaged."""
        checksum = zlib.crc32(raw[:-_TAIL_BYTES])
        record = None
        if raw[-_TAIL_BYTES:] == _TAIL % checksum:
            self._is_sealed = True
        else:
            record = None if self._is_sealed else _parsed(raw)
            if record is None or "crc" in record or (self._is_sound is not None and not self._is_sound(record)):
                return None
            checksum = zlib.crc32(raw[:-1])
        if head := _HEAD.match(raw):
            quoted, sample, of, error = head.groups()
            problem_id = json.loads(quoted) if b"\\" in quoted else quoted[1:-1].decode("utf-8", "surrogatepass")
            key = SampleKey(problem_id, int(sample))
            return Line(offset, key, error != b"null", checksum, None if of is None else int(of, 16))
        if record is None and (record := _parsed(raw)) is not None:
            record.pop("crc", None)
        return record

    def _look(self) -> None:
        """Now and then, see that the file is still where it should be: writing to a deleted one gives no error."""
        now = time.monotonic()
        if now - self._looked < SYNC_S:
            return
        self._looked = now
        try:
            is_there = os.path.samestat(self.path.stat(), os.fstat(self._append))
        except OSError:
            is_there = False
        if not is_there:
            raise DiskError(f"{self.path} is gone: it was deleted or moved while the run was going on.")

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


class _Syncing:
    """Brings a file to the disk every second, in a thread of its own: a slow disk must not hold up the event loop."""

    def __init__(self, descriptor: int) -> None:
        self.is_due = False
        self._descriptor = descriptor
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="skythought journal", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._ended.wait(SYNC_S):
            if self.is_due:
                self.is_due = False
                with suppress(OSError):  # the next write says what is wrong
                    os.fsync(self._descriptor)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(raw) if raw.endswith(b"}\n") else None
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
