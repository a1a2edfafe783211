"""Rows into files of bounded size, JSONL or Parquet, in bounded memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from skythought.errors import UserError, unknown
from skythought.exporting.exporter import Row

if TYPE_CHECKING:
    from pyarrow import Schema, Table

__all__ = ["KINDS_OF_FILES", "size_of", "write_shards"]

KINDS_OF_FILES = ("jsonl", "parquet")
ROWS = 500
"""Rows that are turned into Parquet at a time."""
UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def size_of(text: str) -> int:
    """Bytes, of a size such as 500MB or 2GB.

    Raises:
        UserError: It is none, or none above zero.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]B)?", text.strip().upper())
    size = int(float(match[1]) * UNITS[match[2] or ""]) if match else 0
    if size < 1:
        raise UserError(f"--shard-size: a size such as 500MB or 2GB is wanted, not {text!r}.")
    return size


def write_shards(rows: Iterable[Row], folder: Path, kind: str, size: int) -> tuple[list[str], int]:
    """Write rows to `train-00000-of-00002.jsonl` and so on; one empty file if there are none.

    Args:
        kind: jsonl or parquet. Shards of Parquet all have the same columns, of the same types.
        size: Bytes of JSON after which a file is full; a row is never cut.

    Returns:
        The files' names and the number of rows.

    Raises:
        UserError: There is no such kind of file.
    """
    if kind not in KINDS_OF_FILES:
        raise unknown("kind of files", kind, KINDS_OF_FILES)
    spools, count = _spooled(rows, folder, size)
    if kind == "parquet":
        _to_parquet(spools)
    names = []
    for number, spool in enumerate(spools):
        name = f"train-{number:05d}-of-{len(spools):05d}.{kind}"
        spool.rename(folder / name)
        names.append(name)
    return names, count


def _spooled(rows: Iterable[Row], folder: Path, size: int) -> tuple[list[Path], int]:
    """The rows as lines of JSON, in files that are called by their numbers: how many there will be is not known yet."""
    spools = [folder / "0"]
    file, written, count = spools[0].open("wb"), 0, 0
    try:
        for row in rows:
            line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
            if written and written + len(line) > size:
                file.close()
                spools.append(folder / str(len(spools)))
                file, written = spools[-1].open("wb"), 0
            file.write(line)
            written += len(line)
            count += 1
    finally:
        file.close()
    return spools, count


def _to_parquet(spools: list[Path]) -> None:
    """Replace each file of JSON lines by one of Parquet.

    Types are those of all rows together, so they are read twice: a column that is empty in one shard and full in
    another has one type in both.
    """
    import pyarrow
    from pyarrow import parquet

    schema = pyarrow.schema([])
    for spool in spools:
        for part in _tables(spool, None):
            schema = pyarrow.unify_schemas([schema, part.schema], promote_options="permissive")
    for spool in spools:
        made = spool.with_suffix(".parquet")
        with parquet.ParquetWriter(made, schema, compression="zstd") as writer:
            for part in _tables(spool, schema):
                writer.write_table(part)
        made.replace(spool)


def _tables(spool: Path, schema: Schema | None) -> Iterator[Table]:
    import pyarrow

    with spool.open("rb") as file:
        while lines := list(islice(file, ROWS)):
            yield pyarrow.Table.from_pylist([json.loads(line) for line in lines], schema=schema)
