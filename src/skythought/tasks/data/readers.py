"""Rows out of one data file, lazily, whether it lies on this machine or is a stream from the net.

Nothing is re-typed: dates stay text, large integers stay exact. A line that cannot be used comes as the reason why, a
text, and the others go on.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from skythought.errors import UserError, did_you_mean
from skythought.printable import shortened

__all__ = ["KINDS", "Row", "Source", "kind_of", "read"]

Row = dict[str, Any]
Source = Path | BinaryIO
"""A local file, or an open stream; parquet and arrow streams must be able to seek."""

BUFFER = 2 * 2**20
"""Bytes asked for at a time of each column of a parquet file."""
BATCH_BYTES = 16 * 2**20
"""Roughly how much of a parquet file's rows is unpacked at once."""
BATCH_ROWS = 256

Reader = Callable[[Source, str, Sequence[str] | None], Iterator[Row | str]]


def kind_of(name: str) -> str | None:
    """The kind of a file by the end of its name (one of `KINDS`), compressed or not; None if it is not known."""
    suffix = Path(name.removesuffix(".gz")).suffix
    return suffix if suffix in KINDS and not (name.endswith(".gz") and suffix in (".parquet", ".arrow")) else None


def read(source: Source, name: str, columns: Sequence[str] | None = None) -> Iterator[Row | str]:
    """All rows of a file in its order.

    Args:
        source: Where to read. A stream is closed at the end, also if the caller stops early.
        name: What the file is called; its end tells the kind, and messages show it.
        columns: Only these columns. What is left out of a parquet file is never read.

    Yields:
        A row, or why a line is none.

    Raises:
        UserError: The file as a whole cannot be read, or a column that was asked for is in none of its rows.
    """
    kind = kind_of(name)
    if kind is None:
        raise UserError(f"dataset {name!r}: unknown kind of file {Path(name).suffix!r}. Known: {', '.join(KINDS)}.")
    with ExitStack() as stack:
        if not isinstance(source, Path):
            stack.enter_context(source)
        if name.endswith(".gz"):
            source = cast(BinaryIO, stack.enter_context(gzip.open(source, "rb")))
        yield from KINDS[kind](source, name, columns)


def _opened(source: Source, stack: ExitStack) -> BinaryIO:
    return stack.enter_context(source.open("rb")) if isinstance(source, Path) else source


def _json_lines(source: Source, name: str, columns: Sequence[str] | None) -> Iterator[Row | str]:
    """One object a line; blank lines are no rows."""
    with ExitStack() as stack:
        yield from _rows_of_lines(_opened(source, stack), name, columns)


def _rows_of_lines(lines: BinaryIO, name: str, columns: Sequence[str] | None) -> Iterator[Row | str]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:  # also integers of absurd length, and text that is not UTF-8
            yield f"line {number} of {_base(name)} is not valid JSON: {error}"
            continue
        if isinstance(value, dict):
            yield _picked(value, columns)
        else:
            yield f"line {number} of {_base(name)} is not an object but {_kind(value)}"


def _json_file(source: Source, name: str, columns: Sequence[str] | None) -> Iterator[Row | str]:
    """A list of objects, or (as the hub's `.json` files often are) one object a line."""
    with ExitStack() as stack:
        opened = io.BufferedReader(_opened(source, stack))  # type: ignore[type-var]
        is_list = opened.peek(4096)[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
        if not is_list:
            yield from _rows_of_lines(cast(BinaryIO, opened), name, columns)
            return
        try:
            values = json.loads(opened.read())
        except (ValueError, RecursionError) as error:
            raise UserError(f"dataset {name!r} is not valid JSON: {error}.") from None
    for number, value in enumerate(values):
        good = isinstance(value, dict)
        yield _picked(value, columns) if good else f"item {number} of {_base(name)} is {_kind(value)}, not an object"


def _csv_file(source: Source, name: str, columns: Sequence[str] | None) -> Iterator[Row | str]:
    """All values stay text. The first line holds the names of the columns."""
    csv.field_size_limit(2**31 - 1)  # the default refuses long texts
    with ExitStack() as stack:
        text = io.TextIOWrapper(_opened(source, stack), encoding="utf-8-sig", newline="")
        reader = csv.DictReader(text, delimiter="\t" if ".tsv" in name[-7:] else ",")
        try:
            _require_columns(columns, reader.fieldnames or (), name)
            for row in reader:
                full = None not in row and None not in row.values()
                why = f"line {reader.line_num} of {_base(name)} has too many or too few fields"
                yield _picked(row, columns) if full else why
        except (csv.Error, UnicodeDecodeError) as error:
            raise UserError(f"dataset {name!r}, after line {reader.line_num}: {error}.") from None


def _parquet_file(source: Source, name: str, columns: Sequence[str] | None) -> Iterator[Row | str]:
    """Read a column at a time, a piece at a time: of a remote file only what is used crosses the net."""
    from pyarrow.parquet import ParquetFile

    chosen = None if columns is None else list(columns)
    first = 0
    with _named_faults(name, "a parquet file"), ParquetFile(source, buffer_size=BUFFER, pre_buffer=False) as file:
        _require_columns(columns, file.schema_arrow.names, name)
        for number in range(file.num_row_groups):
            rows = _rows_a_batch(file.metadata.row_group(number))
            for batch in file.iter_batches(batch_size=rows, row_groups=[number], columns=chosen, use_threads=False):
                yield from _rows_of_batch(batch, name, first)
                first += batch.num_rows


@contextmanager
def _named_faults(name: str, what: str) -> Iterator[None]:
    """What Arrow says of a damaged file as one line. OSError is left alone where it is the system's or the net's."""
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, MemoryError, OverflowError, UnicodeDecodeError) as error:
        raise UserError(f"dataset {name!r} is damaged, or not {what}: {_said(error)}.") from None
    except OSError as error:
        if error.errno is not None or type(error) is not OSError:
            raise
        raise UserError(f"dataset {name!r} is damaged: {_said(error)}.") from None


def _said(error: BaseException) -> str:
    return shortened(" ".join(str(error).split()), 300).rstrip(".")


def _rows_of_batch(batch: Any, name: str, first: int) -> Iterator[Row | str]:
    """The rows of a batch of columns, which is checked whole before anything in it is touched.

    A changed byte may let a text begin outside of the file's memory, and touching that would end this process.

    Args:
        first: Number of the batch's first row in the file.
    """
    for column, values in zip(batch.schema.names, batch.columns, strict=True):
        try:
            values.validate(full=True)
        except ValueError as error:
            place = f"column {column!r}, rows {first:,} to {first + batch.num_rows - 1:,}"
            raise UserError(f"dataset {name!r}, {place}: damaged: {_said(error)}.") from None
    rows: list[Row | str]
    try:
        rows = batch.to_pylist()
    except (ValueError, ArithmeticError):  # a date beyond all calendars, say: only its row is lost
        rows = [_row_or_why(batch, number, name, first) for number in range(batch.num_rows)]
    yield from rows


def _row_or_why(batch: Any, number: int, name: str, first: int) -> Row | str:
    row = {}
    for column, values in zip(batch.schema.names, batch.columns, strict=True):
        try:
            row[column] = values[number].as_py()
        except (ValueError, ArithmeticError) as error:
            return f"row {first + number} of {_base(name)}, column {column!r}: {error}"
    return row


def _rows_a_batch(group: Any) -> int:
    """Fewer where rows are large: those of LiveCodeBench have megabytes each.

    By the size of all columns, wanted or not: asking for a single column's ends the process where a byte of its
    statistics is wrong.
    """
    return int(min(BATCH_ROWS, max(1, BATCH_BYTES * group.num_rows // max(group.total_byte_size, 1))))


def _arrow_file(source: Source, name: str, columns: Sequence[str] | None) -> Iterator[Row | str]:
    """Stream format, as `datasets` writes it, or file format."""
    import pyarrow

    first = 0
    with _named_faults(name, "an arrow file"), ExitStack() as stack:
        if isinstance(source, Path):
            # Not mapped into memory: a file that is cut off while it is read would end this process.
            opened = stack.enter_context(pyarrow.OSFile(str(source)))
        else:
            opened = stack.enter_context(pyarrow.PythonFile(source, mode="r"))
        try:
            batches = iter(pyarrow.ipc.open_stream(opened))
        except pyarrow.ArrowInvalid:
            opened.seek(0)
            file = pyarrow.ipc.open_file(opened)
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
        for batch in batches:
            _require_columns(columns, batch.schema.names, name)
            yield from _rows_of_batch(batch if columns is None else batch.select(list(columns)), name, first)
            first += batch.num_rows


KINDS: dict[str, Reader] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_file,
    ".csv": _csv_file,
    ".tsv": _csv_file,
    ".parquet": _parquet_file,
    ".arrow": _arrow_file,
}
"""Suffix of a file -> its reader."""


def _require_columns(wanted: Sequence[str] | None, present: Sequence[str], name: str) -> None:
    for column in wanted or ():
        if column not in present:
            near = did_you_mean(column, present)
            raise UserError(
                f"dataset {name!r} has no column {column!r}, which the task reads (dataset_kwargs: columns).{near} "
                f"Its columns: {', '.join(present)}."
            )


def _picked(row: Row, columns: Sequence[str] | None) -> Row:
    return row if columns is None else {name: row[name] for name in columns if name in row}


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", type(None): "null"}.get(type(value), type(value).__name__)
