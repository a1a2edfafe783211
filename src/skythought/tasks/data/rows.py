"""Rows of a dataset, lazily, as JSON values, numbered as in the whole dataset.

`sources` says which files hold them, `hub` brings a file, `readers` reads it, `errors` explains what went wrong.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from skythought.config import TaskConfig
from skythought.errors import SkythoughtError, UserError
from skythought.tasks.data.errors import explained
from skythought.tasks.data.hub import Hub
from skythought.tasks.data.readers import Row, read
from skythought.tasks.data.sources import DataFile, data_files, named
from skythought.types import MalformedRow

__all__ = ["Row", "Rows", "jsonable", "rows"]


def rows(task: TaskConfig, *, some: bool = False, revisions: Mapping[str, str] | None = None) -> Rows:
    """All rows of a task's dataset.

    Args:
        task: Names the dataset. `dataset_kwargs: {streaming: ...}` overrules `some`.
        some: The caller will stop early: a large file is then streamed, not put into the cache whole.
        revisions: By repository, the commit to read where the task pins none.
    """
    stream = bool(task.dataset_kwargs.get("streaming", some))
    return Rows(task, Hub(revisions or {}, task.dataset_kwargs.get("token")), stream)


@dataclass
class Rows:
    """A dataset's rows on their way."""

    task: TaskConfig
    hub: Hub
    stream: bool
    read: int = 0
    """How many rows have come."""

    def __iter__(self) -> Iterator[tuple[int, Row | MalformedRow]]:
        """Each row with its number, which runs on over joined subsets and splits.

        Raises:
            UserError: The dataset cannot be found, reached or read as a whole.
        """
        try:
            for index, row in enumerate(_rows(self.task, self.hub, self.stream)):
                self.read = index + 1
                if isinstance(row, str):
                    yield index, MalformedRow(index, None, row)
                else:
                    yield index, {str(name): jsonable(value) for name, value in row.items()}
        except SkythoughtError:
            raise
        except Exception as error:  # hub, network, cache, loader: many libraries' errors meet here
            raise explained(self.task.dataset_path, error) from error

    @property
    def revisions(self) -> Mapping[str, str]:
        """Repository or address -> the commit (or ETag) that is read; known once a row has come."""
        return self.hub.revisions


def _rows(task: TaskConfig, hub: Hub, stream: bool) -> Iterator[Row | str]:
    files = data_files(task, hub)
    if files is None:
        yield from _rows_by_datasets(task)
        return
    for file in files:
        yield from _rows_of_file(file, task, hub, stream)


def _rows_of_file(file: DataFile, task: TaskConfig, hub: Hub, stream: bool) -> Iterator[Row | str]:
    for row in read(hub.fetch(file.address, stream=stream), named(file.address), task.dataset_kwargs.get("columns")):
        yield row if isinstance(row, str) or not file.marks else {**file.marks, **row}


def _rows_by_datasets(task: TaskConfig) -> Iterator[Row]:
    """Rows that only `datasets` can read: other kinds of files, a slice in the split, further arguments."""
    subsets = task.dataset_subset if isinstance(task.dataset_subset, list) else [task.dataset_subset]
    for subset in subsets:
        mark = {"subset": subset} if len(subsets) > 1 else {}
        for row in _loaded(task, subset):
            yield {**mark, **row}


def _loaded(task: TaskConfig, subset: str | None) -> Any:
    import datasets

    # Scripts are not run any more; tasks of the reference still ask for it.
    arguments = {name: value for name, value in task.dataset_kwargs.items() if name != "trust_remote_code"}
    loaded = datasets.load_dataset(task.dataset_path, subset, split=task.dataset_split, **arguments)
    if isinstance(loaded, dict):
        if len(loaded) != 1:
            raise UserError(f"dataset {task.dataset_path!r}: set dataset_split to one of {', '.join(loaded)}.")
        loaded = next(iter(loaded.values()))
    for column, feature in (loaded.features or {}).items():
        if hasattr(feature, "decode"):  # pictures and sounds: never decoded, and dropped by `jsonable`
            loaded = loaded.cast_column(column, type(feature)(decode=False))
    return loaded


def jsonable(value: Any) -> Any:
    """`value` as JSON values: dates as ISO text, arrays as lists, NaN as None; pictures and bytes leave a marker."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): jsonable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes dropped>"
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        return jsonable(value.tolist())
    return f"<{type(value).__name__} dropped>"
