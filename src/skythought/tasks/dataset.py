"""Rows of a dataset, lazily, as JSON values. The only user of `datasets`.

Local files are read without it: nothing is re-typed (dates stay text, large integers stay exact) and a bad line is
known by its number.
"""

from __future__ import annotations

import csv
import datetime
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skythought.config import TaskConfig
from skythought.errors import UserError

__all__ = ["Row", "RowProblemError", "local_path", "rows"]

Row = dict[str, Any]
LIBRARY = Path(__file__).parent / "library"
BUILDERS = {"json": "json", "jsonl": "json", "csv": "csv", "parquet": "parquet", "arrow": "arrow"}
"""Suffix of a file -> loader of `datasets` for such files."""


@dataclass(frozen=True, slots=True)
class RowProblemError:
    """A row that cannot become a problem. It is data, not an exception: the other rows go on."""

    index: int
    """The row's number in the whole dataset, before any filter or slice."""
    column: str | None
    """The column at fault, where it is one column's."""
    why: str

    def __str__(self) -> str:
        column = f", column {self.column!r}" if self.column else ""
        return f"row {self.index}{column}: {self.why}"


def rows(task: TaskConfig) -> Iterator[tuple[int, Row | RowProblemError]]:
    """All rows of a task's dataset with their numbers, which run on over joined subsets.

    Raises:
        UserError: The dataset cannot be found, reached or read as a whole.
    """
    path = local_path(task.dataset_path)
    found = _local_rows(task, path) if path else _hub_rows(task)
    for index, row in enumerate(found):
        if isinstance(row, str):
            yield index, RowProblemError(index, None, row)
        else:
            yield index, {str(name): jsonable(value) for name, value in row.items()}


def local_path(dataset_path: str) -> Path | None:
    """The file or folder meant by a dataset's path, or None if it is a name on the hub, an address or a loader.

    Raises:
        UserError: It can only be a local path, and nothing is there.
    """
    if "://" in dataset_path or dataset_path in BUILDERS.values():
        return None
    path = Path(dataset_path).expanduser()
    for candidate in (LIBRARY / path, path):
        if candidate.exists():
            return candidate
    if dataset_path.startswith((".", "/", "~")) or path.suffix[1:] in BUILDERS:
        raise UserError(f"dataset {dataset_path!r}: there is no such file or folder.")
    return None


def _local_rows(task: TaskConfig, path: Path) -> Iterator[Row | str]:
    arguments = [name for name in task.dataset_kwargs if name != "trust_remote_code"]
    if arguments:
        raise UserError(f"dataset_kwargs {arguments[0]!r} does not apply to the local dataset {str(path)!r}.")
    for file in [path] if path.is_file() else _files_of_folder(task, path):
        reader = READERS.get(file.suffix)
        if reader is None:
            kinds = ", ".join(READERS)
            raise UserError(f"dataset {str(file)!r}: unknown kind of file {file.suffix!r}. Known: {kinds}.")
        try:
            yield from reader(file)
        except OSError as error:
            raise UserError(f"dataset {str(file)!r} cannot be read: {error.strerror or error}.") from None


def _files_of_folder(task: TaskConfig, folder: Path) -> list[Path]:
    """Data files in a folder in reading order; subset and split choose among them by name where they can."""
    files = sorted(f for f in folder.rglob("*") if f.suffix in READERS and f.is_file() and _is_data(f))
    subsets = [task.dataset_subset] if isinstance(task.dataset_subset, str) else task.dataset_subset or []
    if subsets:
        named = [f for subset in subsets for f in files if subset in _words(f, folder)]
        files = named or files
    if task.dataset_split:
        named = [f for f in files if any(word.startswith(task.dataset_split) for word in _words(f, folder))]
        files = named or files
    if not files:
        raise UserError(f"dataset {str(folder)!r}: no data files in this folder ({', '.join(READERS)}).")
    return files


def _is_data(file: Path) -> bool:
    return file.name not in ("dataset_info.json", "state.json", "dataset_dict.json") and not (
        file.name.startswith((".", "cache-")) or any(part.startswith(".") for part in file.parts[-3:])
    )


def _words(file: Path, folder: Path) -> list[str]:
    return [*file.relative_to(folder).parts[:-1], file.stem]


def _json_lines(file: Path) -> Iterator[Row | str]:
    """One object a line; blank lines are no rows. The bad ones come as the reason why."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:  # also integers of absurd length, and text that is not UTF-8
                yield f"line {number} of {file.name} is not valid JSON: {error}"
                continue
            is_row = isinstance(value, dict)
            yield value if is_row else f"line {number} of {file.name} is not an object but {_kind(value)}"


def _json_file(file: Path) -> Iterator[Row | str]:
    """A list of objects, or (as the hub's `.json` files often are) one object a line."""
    with file.open("rb") as opened:
        is_list = opened.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    if not is_list:
        yield from _json_lines(file)
        return
    try:
        values = json.loads(file.read_bytes())
    except ValueError as error:
        raise UserError(f"dataset {str(file)!r} is not valid JSON: {error}.") from None
    for number, value in enumerate(values):
        yield value if isinstance(value, dict) else f"item {number} of {file.name} is {_kind(value)}, not an object"


def _csv_file(file: Path) -> Iterator[Row | str]:
    """All values stay text. The first line holds the names of the columns."""
    csv.field_size_limit(2**31 - 1)  # the default refuses long texts
    with file.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text)
        try:
            for row in reader:
                full = None not in row and None not in row.values()
                yield row if full else f"line {reader.line_num} of {file.name} has too many or too few fields"
        except (csv.Error, UnicodeDecodeError) as error:
            raise UserError(f"dataset {str(file)!r}, after line {reader.line_num}: {error}.") from None


def _parquet_file(file: Path) -> Iterator[Row | str]:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        for batch in ParquetFile(file).iter_batches(batch_size=256):
            yield from batch.to_pylist()
    except ArrowInvalid as error:
        raise UserError(f"dataset {str(file)!r} is not a parquet file: {error}.") from None


def _arrow_file(file: Path) -> Iterator[Row | str]:
    """Stream format, as `datasets` writes it, or file format."""
    import pyarrow

    with pyarrow.memory_map(str(file)) as source:
        try:
            batches = iter(pyarrow.ipc.open_stream(source))
        except pyarrow.ArrowInvalid:
            try:
                opened = pyarrow.ipc.open_file(source)
            except pyarrow.ArrowInvalid as error:
                raise UserError(f"dataset {str(file)!r} is not an arrow file: {error}.") from None
            batches = (opened.get_batch(number) for number in range(opened.num_record_batches))
        for batch in batches:
            yield from batch.to_pylist()


READERS: dict[str, Callable[[Path], Iterator[Row | str]]] = {
    ".jsonl": _json_lines,
    ".json": _json_file,
    ".csv": _csv_file,
    ".parquet": _parquet_file,
    ".arrow": _arrow_file,
}


def _hub_rows(task: TaskConfig) -> Iterator[Row | str]:
    """Rows through `datasets`: from the hub, its cache, or an address."""
    subset = task.dataset_subset
    if not isinstance(subset, list):
        yield from _load(task, subset)
        return
    for name in subset:  # of joined subsets, each row tells its own
        yield from ({"subset": name, **row} for row in _load(task, name))


def _load(task: TaskConfig, subset: str | None) -> Any:
    """One subset as a `datasets.Dataset`."""
    import datasets

    # Scripts are not run any more; tasks of the reference still ask for it.
    arguments = {name: value for name, value in task.dataset_kwargs.items() if name != "trust_remote_code"}
    path, split = task.dataset_path, task.dataset_split
    if "://" in path:
        kind = BUILDERS.get(path.split("?")[0].rpartition(".")[2], "json")
        path, arguments = kind, {"data_files": {split or "train": path}, **arguments}
    try:
        loaded = datasets.load_dataset(path, subset, split=split, **arguments)
    except Exception as error:  # hub, network, cache, loader: many libraries' errors meet here
        raise _explained(task, error) from error
    if isinstance(loaded, datasets.DatasetDict):
        if len(loaded) != 1:
            raise UserError(f"dataset {task.dataset_path!r}: set dataset_split to one of {', '.join(loaded)}.")
        loaded = next(iter(loaded.values()))
    for column, feature in loaded.features.items():
        if hasattr(feature, "decode"):  # pictures and sounds: never decoded, and dropped by `jsonable`
            loaded = loaded.cast_column(column, type(feature)(decode=False))
    return loaded


def _explained(task: TaskConfig, error: Exception) -> UserError:
    """What to do about a dataset that cannot be loaded, in one line."""
    path = task.dataset_path
    page = f"https://huggingface.co/datasets/{path}"
    why = " ".join(str(error).split())
    if "gated" in why:
        return UserError(
            f"dataset {path!r} is gated: accept its terms at {page}, then `hf auth login` or set HF_TOKEN."
        )
    if "scripts are no longer supported" in why:
        return UserError(f"dataset {path!r} needs a loading script, which `datasets` no longer runs: {why}")
    if isinstance(error, ValueError) and ("BuilderConfig" in why or "split" in why.lower()):
        return UserError(f"dataset {path!r}: {why[:500]}")
    advice = (
        "Check the name and the network; without network use the cache (HF_HUB_OFFLINE=1), a mirror "
        "(HF_ENDPOINT=https://...) or a local file (--task-args dataset_path=FILE)"
    )
    return UserError(f"dataset {path!r} cannot be loaded ({type(error).__name__}: {why[:300]}). {advice}.")


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


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", type(None): "null"}.get(type(value), type(value).__name__)
