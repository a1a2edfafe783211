"""Rows of every kind of file, bad lines by number, and what is said when a dataset cannot be had."""

from __future__ import annotations

import datetime
import gzip
import json
import math
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from skythought.config import TaskConfig
from skythought.errors import UserError
from skythought.tasks.data import readers
from skythought.tasks.data.rows import jsonable, rows
from skythought.types import MalformedRow

ROWS: list[dict[str, Any]] = [
    {"question": "1+1?", "answer": "2", "when": "2024-03-05T10:00:00", "big": 10**30, "n": 1},
    {"question": "é\u2028?", "answer": "336^\\circ", "when": "soon", "big": 1, "n": 2},
]


def task(path: Path | str, **fields: Any) -> TaskConfig:
    return TaskConfig(dataset_path=str(path), prompt="{{ question }}", scorer="math", **fields)


def read(path: Path | str, **fields: Any) -> list[Any]:
    return [row for _, row in rows(task(path, **fields))]


def jsonl(path: Path, values: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path


def test_json_lines_are_not_retyped(tmp_path: Path) -> None:
    assert read(jsonl(tmp_path / "a.jsonl", ROWS)) == ROWS


def test_json_list_byte_order_mark_and_lines_under_the_wrong_name(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("\ufeff" + json.dumps(ROWS), encoding="utf-8")
    assert read(path) == ROWS
    assert read(jsonl(tmp_path / "b.json", ROWS)) == ROWS


def test_bad_lines_are_named_and_do_not_end_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n\n{"a": \n[1]\n{"a": "\xff"}\n{"a": ' + b"9" * 5000 + b'}\n{"a": 2}\n')
    found = list(rows(task(path)))
    assert [index for index, _ in found] == [0, 1, 2, 3, 4, 5]
    good = [row for _, row in found if isinstance(row, dict)]
    bad = [row.why for _, row in found if isinstance(row, MalformedRow)]
    assert good == [{"a": 1}, {"a": 2}]
    assert [why[:6] for why in bad] == ["line 3", "line 4", "line 5", "line 6"]
    assert "not an object but a list" in bad[1]


def test_csv_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('question,answer\n"a, b",007\nx\n', encoding="utf-8")
    good, bad = read(path)
    assert good == {"question": "a, b", "answer": "007"}
    assert "line 3" in bad.why


def test_compressed_text_and_tabs(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(jsonl(tmp_path / "a.jsonl", ROWS).read_bytes()))
    assert read(tmp_path / "a.jsonl.gz") == ROWS
    (tmp_path / "b.tsv").write_text("question\tanswer\na, b\t1\n", encoding="utf-8")
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress((tmp_path / "b.tsv").read_bytes()))
    assert read(tmp_path / "b.tsv") == read(tmp_path / "b.tsv.gz") == [{"question": "a, b", "answer": "1"}]


def test_columns_are_chosen_in_every_kind_of_file(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"question": ["q"], "answer": ["a"], "huge": ["h" * 99]})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pyarrow.ipc.new_stream(str(tmp_path / "b.arrow"), table.schema) as sink:
        sink.write_table(table)
    jsonl(tmp_path / "c.jsonl", table.to_pylist())
    (tmp_path / "d.csv").write_text("question,answer,huge\nq,a,h\n", encoding="utf-8")
    for name in ("a.parquet", "b.arrow", "c.jsonl", "d.csv"):
        assert read(tmp_path / name, dataset_kwargs={"columns": ["answer", "question"]}) == [
            {"answer": "a", "question": "q"}
        ]
    for name in ("a.parquet", "b.arrow", "d.csv"):
        with pytest.raises(
            UserError, match=r"no column 'questoin'.* Did you mean 'question'\? Its columns: question, a"
        ):
            read(tmp_path / name, dataset_kwargs={"columns": ["questoin"]})


def test_rows_of_megabytes_are_unpacked_a_few_at_a_time(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    noise = random.Random(1)
    rows = [{"question": str(n), "tests": noise.randbytes(2**20).hex()} for n in range(24)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet", use_dictionary=False)
    with (tmp_path / "a.parquet").open("rb") as file:
        found = list(readers.read(file, "a.parquet"))
    assert found == rows
    group = parquet.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    assert readers._rows_a_batch(group) == 7


def test_parquet_and_arrow_keep_types(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"answer": [27.0, None], "choices": [["a", "b"], []], "day": [datetime.date(2024, 1, 2)] * 2})
    expected = [
        {"answer": 27.0, "choices": ["a", "b"], "day": "2024-01-02"},
        {"answer": None, "choices": [], "day": "2024-01-02"},
    ]
    parquet.write_table(table, tmp_path / "a.parquet")
    for name, writer in (("s.arrow", pyarrow.ipc.new_stream), ("f.arrow", pyarrow.ipc.new_file)):
        with writer(str(tmp_path / name), table.schema) as sink:
            sink.write_table(table)
    assert read(tmp_path / "a.parquet") == expected
    assert read(tmp_path / "s.arrow") == expected
    assert read(tmp_path / "f.arrow") == expected


def test_folder_chooses_by_subset_and_split(tmp_path: Path) -> None:
    for subset in ("one", "two"):
        for split in ("train", "test"):
            jsonl(tmp_path / subset / f"{split}-00000.jsonl", [{"from": f"{subset} {split}"}])
    (tmp_path / ".cache").mkdir()
    jsonl(tmp_path / ".cache" / "test.jsonl", [{"from": "cache"}])
    assert read(tmp_path, dataset_subset=["two", "one"], dataset_split="test") == [
        {"subset": "two", "from": "two test"},
        {"subset": "one", "from": "one test"},
    ]
    assert len(read(tmp_path)) == 4


def test_library_data_is_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, first = next(iter(rows(task("arithmetic.jsonl"))))
    assert {"id", "question", "answer"} <= set(first if isinstance(first, dict) else ())


@pytest.mark.parametrize("path", ["./nothing.jsonl", "nothing.parquet", "/nowhere/at/all"])
def test_missing_local_files(path: str) -> None:
    with pytest.raises(UserError, match="there is no such file or folder"):
        list(rows(task(path)))


def test_local_files_take_no_loader_arguments(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", ROWS)
    assert read(path, dataset_kwargs={"trust_remote_code": True}) == ROWS
    with pytest.raises(UserError, match="'revision' does not apply"):
        read(path, dataset_kwargs={"revision": "x"})


def test_unknown_kind_of_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"unknown kind of file '\.xlsx'"):
        read(path)


class Numpy:
    """Stands for an array or a scalar of numpy."""

    def tolist(self) -> Any:
        return [1, math.nan]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (10**30, 10**30),
        (datetime.datetime(2024, 3, 5, 10, tzinfo=datetime.UTC), "2024-03-05T10:00:00+00:00"),
        ({"a": (1, {2})}, {"a": [1, [2]]}),
        (b"abc", "<3 bytes dropped>"),
        ({"bytes": b"abc", "path": None}, {"bytes": "<3 bytes dropped>", "path": None}),
        (Numpy(), [1, None]),
        (Decimal(1), "<Decimal dropped>"),
    ],
)
def test_values_become_json(value: Any, expected: Any) -> None:
    assert jsonable(value) == expected


def test_loader_of_datasets_with_files_and_subsets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    path = jsonl(tmp_path / "a.jsonl", [{"question": "q", "when": "2024-03-05T10:00:00"}])
    arguments = {"data_files": {"test": str(path)}, "trust_remote_code": True, "cache_dir": str(tmp_path / "cache")}
    found = read("json", dataset_split="test", dataset_kwargs=arguments, dataset_subset=["default", "default"])
    assert found == [{"subset": "default", "question": "q", "when": "2024-03-05T10:00:00"}] * 2
