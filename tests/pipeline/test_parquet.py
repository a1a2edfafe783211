"""A run's samples as Parquet shards, in the eyes of the libraries that read them without us."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from echo import ECHO

import skythought as st
from skythought.errors import UserError
from skythought.runs import results
from skythought.runs.parquet import ParquetWriter
from skythought.runs.results import samples_in

SETTINGS: dict[str, Any] = {
    "model": "echo",
    "backend": ECHO,
    "sampling_params": {"temperature": 1.0, "max_tokens": 256},
    "end": 5,
    "n": 2,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> st.Run:
    folder = tmp_path_factory.mktemp("parquet")
    return st.evaluate("arithmetic", **SETTINGS, result_dir=folder, results="parquet", system_prompt="Add.")


def told(run: st.Run) -> list[tuple[Any, ...]]:
    return [(s.problem_id, s.sample, s.content, s.verdict, s.seed, s.completion_tokens) for s in run]


COLUMNS = ["problem_id", "sample", "content", "verdict", "seed", "completion_tokens"]


def test_shards_instead_of_json_hold_the_same_samples(run: st.Run) -> None:
    assert not (run.path / "results.json").exists()
    table = pyarrow.parquet.read_table(run.path / "results.parquet")
    assert [tuple(row.values()) for row in table.select(COLUMNS).to_pylist()] == told(run)
    first = table.slice(0, 1).to_pylist()[0]
    sample = next(iter(run))
    assert first["messages"] == list(sample.messages)
    assert [turn["role"] for turn in first["messages"]] == ["system", "user"]
    assert json.loads(first["row"]) == sample.row
    assert first["target"] == sample.problem.target
    assert run.accuracy == run.summary["accuracy"]


def test_datasets_reads_them(run: st.Run, tmp_path: Path) -> None:
    import datasets

    loaded = datasets.load_dataset(str(run.path / "results.parquet"), split="train", cache_dir=str(tmp_path))
    assert [tuple(row[name] for name in COLUMNS) for row in loaded] == told(run)


def test_duckdb_reads_them(run: st.Run) -> None:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    query = f"select problem_id, count(*) from '{run.path}/results.parquet/*.parquet' where correct group by 1"
    right: dict[str, int] = {}
    for sample in run:
        if sample.correct:
            right[sample.problem_id] = right.get(sample.problem_id, 0) + 1
    assert dict(duckdb.sql(query).fetchall()) == right


def test_ray_data_reads_and_scores_them(run: st.Run) -> None:
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        rows = ray.data.read_parquet(str(run.path / "results.parquet"))
        columns = {"response": "content", "target": "target", "finish_reason": "finish_reason"}
        graded = st.score_rows(rows.drop_columns(["correct", "verdict"]), "math", **columns).take_all()
    finally:
        ray.shutdown()
    found = {(row["problem_id"], row["sample"]): row["verdict"] for row in graded}
    assert found == {(sample.problem_id, sample.sample): sample.verdict for sample in run}


def test_large_runs_are_parquet_unasked_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(results, "JSON_BYTES", 1000)
    run = st.evaluate("arithmetic", **SETTINGS, result_dir=tmp_path)
    assert (run.path / "results.parquet").is_dir()
    assert not (run.path / "results.json").exists()
    assert "the results are Parquet" in caplog.text
    monkeypatch.undo()
    st.score("arithmetic", run.path)  # stays as it is
    assert not (run.path / "results.json").exists()


@pytest.mark.parametrize(("form", "left"), [("json", ["results.json"]), ("parquet", ["results.parquet"]), ("none", [])])
def test_one_form_at_a_time(tmp_path: Path, form: Any, left: list[str]) -> None:
    run = st.evaluate("arithmetic", **SETTINGS, result_dir=tmp_path, results="json")
    st.score("arithmetic", run.path, results="parquet")
    again = st.score("arithmetic", run.path, results=form)
    assert sorted(entry.name for entry in run.path.iterdir() if entry.name.startswith("results")) == left
    assert told(again) == told(run)
    whole = st.evaluate("arithmetic", **SETTINGS, result_dir=tmp_path, overwrite=True)
    assert told(whole) == told(run)
    assert not (run.path / "results.parquet").exists()


def test_an_unknown_form_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'parket'"):
        st.score("arithmetic", tmp_path, results="parket")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="results"):
        st.evaluate("arithmetic", **SETTINGS, result_dir=tmp_path, results="parket")
    assert list(tmp_path.iterdir()) == []


def test_many_shards_and_half_written_ones(run: st.Run, tmp_path: Path) -> None:
    from skythought.runs.folder import load

    with load(run.path, None) as opened:
        problems = list(samples_in(opened))

    def write(shard_bytes: int, *, fail: bool = False) -> None:
        with ParquetWriter(tmp_path, group_bytes=100, shard_bytes=shard_bytes) as writer:
            for problem, messages, samples in problems:
                writer.add(problem, messages, samples)
            if fail:
                raise ValueError("stop")
            writer.commit()

    write(500)
    shards = sorted((tmp_path / "results.parquet").iterdir())
    assert len(shards) > 2
    table = pyarrow.parquet.read_table(tmp_path / "results.parquet")
    assert [tuple(row.values()) for row in table.select(COLUMNS).to_pylist()] == told(run)
    before = [shard.read_bytes() for shard in shards]
    with pytest.raises(ValueError, match="stop"):
        write(10**9, fail=True)
    assert [shard.read_bytes() for shard in shards] == before
    write(500)
    assert [shard.read_bytes() for shard in sorted((tmp_path / "results.parquet").iterdir())] == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.parquet"]


def test_a_run_of_which_only_parquet_was_kept_can_be_read_but_not_continued(run: st.Run, tmp_path: Path) -> None:
    import shutil

    kept = Path(shutil.copytree(run.path, tmp_path / run.path.name))
    for name in ("responses.jsonl", "scores.jsonl", "summary.json"):
        (kept / name).unlink()
    again = st.Run(kept)
    assert told(again) == told(run)
    for before, after in zip(run, again, strict=True):
        assert (after.messages, after.score, after.parts) == (before.messages, before.score, before.parts)
        assert (after.problem.target, after.row) == (before.problem.target, before.row)
    assert again.accuracy == run.accuracy
    with pytest.raises(UserError, match="its journals are gone"):
        st.evaluate("arithmetic", **SETTINGS, system_prompt="Add.", result_dir=tmp_path, resume=True)
    with pytest.raises(UserError, match="its journals are gone"):
        st.score("arithmetic", kept)
    assert (kept / "results.parquet").is_dir()
    shard = next((kept / "results.parquet").iterdir())
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(UserError, match="no shard of a run's samples"):
        list(st.Run(kept))
