"""Large JSON objects on disk, `{"key": {...}, ...}`, read and written one entry at a time.

`results.json` is one such object, often of gigabytes. The reader takes any layout: ours, `json.dump(indent=4)`, bare
NaN (which the reference writes and strict parsers refuse). That tolerance, and the speed of the C scanner, is why this
is not a streaming parser from a library.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from skythought.errors import DiskError, RunFolderError
from skythought.runs.journal import dumps

__all__ = ["DERIVED", "EntryWriter", "is_as_derived", "open_temporary", "read_entries", "replace_text", "write_json"]

CHUNK = 1 << 20
DERIVED = ".derived"
"""File beside `results.json` that tells what was written there: a line each of its SHA-256, size and time of change."""


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


_decoder = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite)
"""NaN, which the reference writes, and numbers beyond all bounds are no values."""


def read_entries(path: Path) -> Iterator[tuple[str, Any]]:
    """Key and value of each entry of the object in a file, holding one entry in memory.

    Raises:
        RunFolderError: The file is not one whole JSON object, or has a key twice; names the character at fault.
    """
    seen: set[str] = set()
    with path.open(encoding="utf-8", newline="") as file:
        window = _Window(file.read, path)
        window.expect("{")
        while window.peek() != "}":
            key = str(window.value())
            if key in seen:
                raise window.broken(f"the key {key!r} stands there twice")
            seen.add(key)
            window.expect(":")
            yield key, window.value()
            if window.peek() != "}":
                window.expect(",")
        window.expect("}")
        window.expect_end()


class _Window:
    """The part of a text that is being parsed; it grows until the value at its start is whole."""

    def __init__(self, read: Any, path: Path) -> None:
        self._read = read
        self._path = path
        self._text = ""
        self._at = 0
        self._dropped = 0

    def _more(self, size: int) -> bool:
        try:
            chunk = self._read(size)
        except UnicodeDecodeError as error:
            raise self.broken(f"not UTF-8: {error.reason}") from None
        self._dropped += self._at
        self._text = self._text[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def peek(self) -> str:
        """The next character that is no blank."""
        if found := self._next():
            return found
        raise self.broken("the file ends too early")

    def expect_end(self) -> None:
        if found := self._next():
            raise self.broken(f"something follows the object: {found!r}")

    def _next(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n\ufeff":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(CHUNK):
                return ""

    def expect(self, char: str) -> None:
        if self.peek() != char:
            raise self.broken(f"expected {char!r}, found {self.peek()!r}")
        self._at += 1

    def value(self) -> Any:
        """The object, array or string that starts here (their ends are unmistakable, unlike a number's)."""
        if self.peek() not in '{["':
            raise self.broken("expected a string, object or array")
        size = CHUNK
        while True:
            try:
                value, self._at = _decoder.raw_decode(self._text, self._at)
                return value
            except RecursionError:
                raise self.broken("it is nested too deep") from None
            except ValueError as error:
                # Doubling keeps the work of parsing a huge entry again and again linear in its size.
                if not self._more(size):
                    raise self.broken(str(error)) from None
                size *= 2

    def broken(self, why: str) -> RunFolderError:
        return RunFolderError(f"{self._path}: not a whole JSON object: {why} (character {self._dropped + self._at}).")


class EntryWriter:
    """Writes an object of entries beside a file and puts it in the file's place when committed.

    Each field of an entry stands on its own line, each element of its `responses` too: readable in a pager, and an
    order of magnitude cheaper than `json.dump(indent=4)`. Leaving the block without `commit` changes nothing.
    """

    def __init__(self, path: Path, *, derived: bool = True) -> None:
        """`derived`: from the journals, so that a later change by hand is noticed."""
        self._path = path
        self._temporary = path.with_name(path.name + ".tmp")
        self._hasher = hashlib.sha256() if derived else None
        self._separator = "{\n"

    def __enter__(self) -> Self:
        self._file = open_temporary(self._temporary)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        except OSError as full:
            if error is None:
                raise DiskError.of(full, self._path) from None
        finally:
            with suppress(OSError):  # the disk is gone, and with it the file
                self._temporary.unlink(missing_ok=True)

    def add(self, key: str, entry: dict[str, Any]) -> None:
        """Write one entry."""
        self._put(f"{self._separator}    {dumps(key)}: ")
        for text in _laid_out(entry):
            self._put(text)
        self._separator = ",\n"

    def commit(self) -> None:
        """Replace the file."""
        self._put("{}\n" if self._separator == "{\n" else "\n}\n")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            if self._hasher is not None:
                # Before the rename, and beside the digest of the file that is there now: whatever moment the process is
                # killed at, the file that is found was derived and not changed by hand.
                _remember(self._path.parent, self._hasher.hexdigest(), os.fstat(self._file.fileno()))
            self._temporary.replace(self._path)
        except OSError as error:
            raise DiskError.of(error, self._path) from None

    def _put(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        if self._hasher is not None:
            self._hasher.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise DiskError.of(error, self._path) from None


def _laid_out(entry: dict[str, Any]) -> Iterator[str]:
    """The text of an entry in pieces, for joining them copies megabytes."""
    before = "{\n"
    for name, value in entry.items():
        yield f"{before}        {dumps(name)}: "
        before = ",\n"
        if name == "responses" and value and isinstance(value, list):
            opening = "["
            for item in value:
                yield f"{opening}\n            "
                yield dumps(item)
                opening = ","
            yield "\n        ]"
        else:
            yield dumps(value)
    yield "\n    }" if entry else "{\n\n    }"


def write_json(path: Path, value: Any) -> None:
    """Replace the file by a small JSON value, indented, atomically."""
    replace_text(path, json.dumps(value, ensure_ascii=False, allow_nan=False, indent=4) + "\n")


def replace_text(path: Path, text: str) -> None:
    """Replace a small file, atomically; it is on the disk when this returns.

    Raises:
        DiskError: It cannot be written; what was there before stays.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open_temporary(temporary) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise DiskError.of(error, path) from None


def open_temporary(path: Path) -> BinaryIO:
    """A new file at `path`, opened for writing. What is there is removed first, and a link there is not followed.

    Raises:
        DiskError: It cannot be made.
    """
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise DiskError.of(error, path) from None
    return open(descriptor, "wb", buffering=CHUNK)


def is_as_derived(folder: Path) -> bool:
    """Whether `results.json` is what was derived last, not changed by hand (or by another tool) since.

    It is read only where its size or time of change is another than when it was written, as in a copied folder.
    """
    path = folder / "results.json"
    remembered = _remembered(folder)
    if _stamp(path.stat()) in [stamp for _, *stamp in remembered]:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() in [digest for digest, *_ in remembered]


def _stamp(status: os.stat_result) -> list[str]:
    return [str(status.st_size), str(status.st_mtime_ns)]


def _remember(folder: Path, digest: str, status: os.stat_result) -> None:
    # Appended, never rewritten: a process killed here leaves the earlier digests whole.
    with (folder / DERIVED).open("a", encoding="ascii") as file:
        file.write(" ".join([digest, *_stamp(status)]) + "\n")


def _remembered(folder: Path) -> list[list[str]]:
    """All that was ever derived here: a digest, size and time each; of earlier versions the digest alone."""
    path = folder / DERIVED
    if not path.exists():
        return []
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    return [line.split() for line in lines if line.strip()]
