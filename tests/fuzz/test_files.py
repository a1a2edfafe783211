"""Damaged and hostile files of every kind: read right, or refused in one line; no crash, and no good file is harmed.

Inputs come from fixed seeds; all of it together takes some seconds.
"""

import io
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow
import pytest
from echo import ECHO
from hypothesis import given, settings
from hypothesis import strategies as some
from pyarrow import parquet

import skythought as st
from skythought.config import TaskConfig
from skythought.display.console import PlainConsole
from skythought.display.tables import breakdowns, result_table
from skythought.errors import SkythoughtError, UserError
from skythought.runs.folder import load
from skythought.tasks.data.readers import read
from skythought.tasks.data.rows import rows
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems
from skythought.types import MalformedRow

FIXED = settings(max_examples=60, derandomize=True, deadline=None, database=None)
JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def refusal(function):
    """What the error says that a function raises on purpose; None if it raises none."""
    try:
        function()
    except SkythoughtError as error:
        return str(error)
    return None


def columns():
    """A table with columns of every kind that datasets have."""
    n = 40
    return pyarrow.table(
        {
            "q": [f"question {i} √" for i in range(n)],
            "n": list(range(n)),
            "l": [[str(i)] * (i % 3) for i in range(n)],
            "s": [{"a": i, "b": "x" * i} for i in range(n)],
            "d": pyarrow.array(["a", "b"] * (n // 2)).dictionary_encode(),
            "t": pyarrow.array([1] * n, pyarrow.timestamp("s")),
        }
    )


def encoded(kind):
    out, table = io.BytesIO(), columns()
    if kind == "parquet":
        parquet.write_table(table, out, row_group_size=16)
    else:
        new = pyarrow.ipc.new_stream if kind == "stream" else pyarrow.ipc.new_file
        with new(out, table.schema) as writer:
            writer.write_table(table, max_chunksize=16)
    return out.getvalue()


def damaged(data, seed):
    chance, changed = random.Random(seed), bytearray(data)
    for _ in range(chance.choice([1, 1, 3])):
        changed[chance.randrange(len(changed))] = chance.choice([0, 255, 127, 128, chance.randrange(256)])
    return bytes(changed[: chance.randrange(len(changed))] if chance.random() < 0.1 else changed)


def read_damaged_columns(kind, folder):
    """In a process of its own, which a crash would end."""
    data, path = encoded(kind), Path(folder) / f"x.{'parquet' if kind == 'parquet' else 'arrow'}"
    for seed in range(250):
        path.write_bytes(damaged(data, seed))
        said = refusal(lambda: list(read(path, path.name)))
        assert said is None or (path.name in said and "\n" not in said)


@pytest.mark.parametrize("kind", ["stream", "file", "parquet"])
def test_a_changed_byte_in_a_file_of_columns_crashes_nothing(kind, tmp_path):
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); sys.path.insert(0, sys.argv[2])"
    code += f"; import test_files; test_files.read_damaged_columns({kind!r}, sys.argv[1])"
    support = Path(__file__).parents[1] / "support"
    done = subprocess.run([sys.executable, "-c", code, tmp_path, support], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_good_file_of_columns_is_read_as_ever(tmp_path):
    for kind in ("stream", "file", "parquet"):
        path = tmp_path / f"x.{'parquet' if kind == 'parquet' else 'arrow'}"
        path.write_bytes(encoded(kind))
        assert list(read(path, path.name)) == columns().to_pylist()


@pytest.mark.parametrize(
    "values",
    [
        pyarrow.array([1, 2**62, 3], pyarrow.timestamp("s")),  # a date beyond all calendars
        pyarrow.Array.from_buffers(  # a number with a scale that none has
            pyarrow.decimal128(30, 1 - 2**31), 3, [pyarrow.py_buffer(b"\x02"), pyarrow.py_buffer(bytes(48))]
        ),
    ],
    ids=["date", "decimal"],
)
def test_a_value_that_python_does_not_have_costs_its_row(values, tmp_path):
    table = pyarrow.table({"q": ["a", "b", "c"], "t": values})
    with pyarrow.ipc.new_stream(tmp_path / "x.arrow", table.schema) as writer:
        writer.write_table(table)
    found = list(read(tmp_path / "x.arrow", "x.arrow"))
    assert [type(row) for row in found] == [dict, str, dict]
    assert "row 1 of x.arrow, column 't'" in found[1]


TEXTS = {
    "x.jsonl": b'{"q": "1", "a": "2"}\n{"q": "3", "a": "4"}\n{"q": "5", "a": "6"}\n',
    "x.json": b'[{"q": "1", "a": "2"}, {"q": "3", "a": "4"}, {"q": "5", "a": "6"}]',
    "x.csv": b'q,a\n1,2\n3,4\n"5",6\n',
}


@pytest.mark.parametrize("name", TEXTS)
def test_damaged_texts_are_rows_or_reasons_or_one_error(name, tmp_path):
    (tmp_path / "t.yaml").write_text(
        f"dataset_path: {name}\nprompt: '{{{{ q }}}}'\ntarget: a\nscorer: math\n", encoding="utf-8"
    )
    for seed in range(120):
        (tmp_path / name).write_bytes(damaged(TEXTS[name], seed))
        made = []
        said = refusal(lambda made=made: made.extend(problems(load_task(str(tmp_path / "t.yaml")))))
        assert said is None or len(said) < 2000
        assert all(isinstance(problem, MalformedRow) or isinstance(problem.prompt, str) for problem in made)


@FIXED
@given(some.lists(JSON, max_size=4))
def test_rows_of_any_json_are_problems_or_reasons(values):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "x.jsonl"
        place.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
        task = TaskConfig(dataset_path=str(place), prompt="{{ q }}", target="a", scorer="math", name="t")
        assert all(isinstance(row, dict | MalformedRow) for _, row in rows(task))
        refusal(lambda: list(problems(task)))


@pytest.mark.parametrize("target", ["../out/x.jsonl", "{out}/x.jsonl", "../out/*.jsonl", "file://{out}/x.jsonl"])
def test_a_readme_cannot_name_files_outside_of_its_dataset(target, tmp_path):
    for folder in ("data", "out"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jsonl").write_text('{"q": "secret"}\n', encoding="utf-8")
    path = target.format(out=tmp_path / "out")
    readme = f"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: {path}\n---\n"
    (tmp_path / "data" / "README.md").write_text(readme, encoding="utf-8")
    with pytest.raises(UserError, match="outside of it"):
        list(rows(TaskConfig(dataset_path=str(tmp_path / "data"), scorer="math")))


def test_links_of_the_hubs_cache_work(tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "abc").write_text('{"q": "1"}\n', encoding="utf-8")
    folder = tmp_path / "snapshots" / "commit"
    folder.mkdir(parents=True)
    (folder / "x.jsonl").symlink_to("../../blobs/abc")
    readme = "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: x.jsonl\n---\n"
    (folder / "README.md").write_text(readme, encoding="utf-8")
    assert [row for _, row in rows(TaskConfig(dataset_path=str(folder), scorer="math"))] == [{"q": "1"}]


def test_a_folder_that_is_no_datasets_is_not_searched_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("skythought.tasks.data.sources.MOST_FILES", 50)
    for number in range(60):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(UserError, match="over 50 files"):
        list(rows(TaskConfig(dataset_path=str(tmp_path), scorer="math")))


# -- run folders ----------------------------------------------------------------------------------------------


def unchecked(path):
    """The records of a journal as skythought 0.2.0 wrote them: without checksums."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for record in records:
        record.pop("crc", None)
        record.pop("of", None)
    return records


def write_lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


@pytest.mark.parametrize("name", ["responses.jsonl", "scores.jsonl"])
def test_journal_lines_of_wrong_kinds_count_as_damaged(name, run_copy):
    odd = [5, "text", [1], {"a": 1}, None, True, float("nan"), -1.5]
    good = unchecked(run_copy / name)
    for seed in range(40):
        chance = random.Random(seed)
        records = json.loads(json.dumps(good))
        place = chance.choice([number for number, record in enumerate(records) if "id" in record])
        field = chance.choice(list(records[place]))
        records[place][field] = chance.choice(odd)
        write_lines(run_copy / name, records)
        with load(run_copy, None) as run:
            for key in run.pending():
                assert run.response(key) is None
            for key in (key for problem_id in run.ids for key in run.keys_of(problem_id)):
                assert run.response(key) is None or isinstance(run.response(key).content, str)
                assert run.score(key) is None or isinstance(run.score(key).reason, str)
        assert st.Run(run_copy).statistics["problems"] == 8


def test_a_line_of_another_shape_is_counted(run_copy):
    good = unchecked(run_copy / "responses.jsonl")
    write_lines(run_copy / "responses.jsonl", [{"content": "x"}, {**good[0], "content": 5}, *good[1:]])
    with load(run_copy, None) as run:
        assert run.damaged == ["line 1 of responses.jsonl", "line 2 of responses.jsonl"]
        assert len(list(run.pending())) == 1


def require_sound(run):
    """Whatever a run says is of the right kind."""
    for sample in run:
        assert isinstance(sample.content, str)
    assert run.accuracy is None or 0 <= run.accuracy <= 1
    assert isinstance(run.statistics, dict)
    shown = io.StringIO()
    PlainConsole(file=shown).print(result_table(run), *breakdowns(run))
    assert "\x1b" not in shown.getvalue()


def damaged_json(text, seed):
    """A JSON text with one value of it replaced, or some of its bytes."""
    chance, value = random.Random(seed), json.loads(text)
    if seed % 3 == 0:
        return damaged(text.encode(), seed)
    place = value
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = chance.choice(keys)
        if isinstance(place[key], dict | list) and place[key] and chance.random() < 0.8:
            place = place[key]
            continue
        place[key] = chance.choice([None, 5, -1, 1e308, "x\x1b", [], {}, [[1]], {"a": None}, True, "9" * 50])
        return json.dumps(value).encode()


@pytest.mark.parametrize("name", ["run.json", "results.json", "samples.jsonl", "summary.json"])
def test_damaged_files_of_a_run_are_read_right_or_refused_in_one_line(name, run_copy, tmp_path):
    text = (run_copy / name).read_text(encoding="utf-8")
    journal = (run_copy / "responses.jsonl").read_bytes()
    for seed in range(40):
        folder = Path(shutil.copytree(run_copy, tmp_path / f"copy{seed}"))
        if name == "run.json":
            (folder / ".run.json").unlink()
        if name == "results.json":
            (folder / "run.json").unlink()  # as a run of the reference's
            (folder / ".run.json").unlink()
        data = damaged(text.encode(), seed) if name == "samples.jsonl" else damaged_json(text, seed)
        (folder / name).write_bytes(data)
        said = refusal(lambda folder=folder: require_sound(st.Run(folder)))
        assert said is None or len(said) < 3000
        assert (folder / "responses.jsonl").read_bytes() == journal, "a good file is not touched by reading"
        assert (folder / name).read_bytes() == data
        shutil.rmtree(folder)


def test_resuming_over_a_damaged_manifest_keeps_all_answers(run_copy):
    manifest = json.loads((run_copy / "run.json").read_text(encoding="utf-8"))
    answers = (run_copy / "responses.jsonl").read_bytes()
    (run_copy / ".run.json").unlink()
    again = {"sampling_params": {"temperature": 1.0, "max_tokens": 256}, "resume_from": run_copy}
    for change in ({"config": 5}, {"versions": [1]}, {"problems": "many"}, {"malformed_rows": [5]}):
        (run_copy / "run.json").write_text(json.dumps({**manifest, **change}), encoding="utf-8")
        said = refusal(lambda: st.evaluate("arithmetic", model="echo", backend=ECHO, n=2, end=8, **again))
        assert said is None or "run.json" in said
        assert (run_copy / "responses.jsonl").read_bytes().startswith(answers)
