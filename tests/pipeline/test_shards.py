"""One job in shards, put together: the run that one machine would have made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO

import skythought as st
from skythought.errors import UserError
from skythought.runs.lock import Lock

ROWS = 11


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Sums, of which one row is malformed and some are filtered out."""
    folder = tmp_path_factory.mktemp("task")
    rows: list[dict[str, Any]] = [{"question": f"{n} + {n}", "answer": str(2 * n), "use": n != 3} for n in range(ROWS)]
    rows[5]["question"] = ""
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "sums.yaml").write_text(
        "dataset_path: rows.jsonl\nprompt: '{{ question }}'\nquestion_key: question\nanswer_key: answer\n"
        "target: answer\nfilters: [use]\nscorer: math\n",
        encoding="utf-8",
    )
    return str(folder / "sums.yaml")


def evaluate(task: str, folder: Path, make: Any = st.evaluate, **options: Any) -> st.Run:
    settings = {"n": 2, "sampling_params": {"temperature": 1.0, "max_tokens": 64}, "result_dir": folder, **options}
    run: st.Run = make(task, model="echo", backend=ECHO, **settings)
    return run


@pytest.fixture(scope="module")
def whole(task: str, tmp_path_factory: pytest.TempPathFactory) -> st.Run:
    return evaluate(task, tmp_path_factory.mktemp("whole"))


@pytest.fixture
def shards(task: str, tmp_path: Path) -> list[Path]:
    return [evaluate(task, tmp_path, shard=f"{number}/3").path for number in (1, 2, 3)]


def same(left: st.Run, right: st.Run) -> None:
    """Problems, results and numbers are the same, to the byte; when it was asked and how long it took may differ."""
    for name in ("samples.jsonl", "results.json"):
        assert (left.path / name).read_bytes() == (right.path / name).read_bytes()
    changing = {"created", "sample_seconds", "sample_tokens_per_second", "time"}
    configurations = [
        {name: value for name, value in run.statistics.items() if name not in changing} for run in (left, right)
    ]
    assert configurations[0] == configurations[1]


def journals(run: st.Run) -> list[bytes]:
    return [(run.path / name).read_bytes() for name in ("responses.jsonl", "scores.jsonl")]


def test_shards_merge_to_the_run_of_one_machine(whole: st.Run, shards: list[Path], tmp_path: Path) -> None:
    assert [path.name for path in shards] == [f"{whole.path.name}-{number}of3" for number in (1, 2, 3)]
    ids = [{sample.problem_id for sample in st.Run(path)} for path in shards]
    assert ids == [{"0", "4", "7", "10"}, {"1", "8"}, {"2", "6", "9"}]
    merged = st.merge(*reversed(shards))
    assert merged.path == tmp_path / whole.path.name
    same(merged, whole)
    before = journals(merged)
    again = st.merge(*shards)
    assert journals(again) == before
    same(again, whole)


def test_what_comes_later_is_merged_once(task: str, whole: st.Run, tmp_path: Path) -> None:
    first = evaluate(task, tmp_path, shard="1/2", backend_args={"fail": "2"})
    second = evaluate(task, tmp_path, make=st.generate, shard="2/2")
    merged = st.merge(first.path, second.path)
    assert merged.statistics["samples"]["failed"] == 2
    evaluate(task, tmp_path, shard="1/2", resume=True)
    st.score(task, second.path)
    merged = st.merge(first.path, second.path)
    same(merged, whole)
    before = journals(merged)
    assert journals(st.merge(first.path, second.path)) == before


def test_a_merged_run_grows_with_its_shards_and_by_itself(task: str, whole: st.Run, tmp_path: Path) -> None:
    shards = [evaluate(task, tmp_path, shard=f"{number}/2", n=1, end=4).path for number in (1, 2)]
    st.merge(*shards)
    for number in (1, 2):
        evaluate(task, tmp_path, shard=f"{number}/2", end=-1, resume=True)
    merged = st.merge(*shards)
    same(merged, whole)
    log = tmp_path / "log"
    evaluate(task, tmp_path, n=3, resume=True, backend_args={"log": str(log)})
    assert {line.split()[1] for line in log.read_text(encoding="utf-8").splitlines()} == {"2"}


def test_mistakes(task: str, whole: st.Run, shards: list[Path], tmp_path: Path) -> None:
    for shard in ("0/8", "9/8", "2", "a/b"):
        with pytest.raises(UserError, match=f"^shard='{shard}'"):
            evaluate(task, tmp_path, shard=shard)
    with pytest.raises(UserError, match="^until stops by the numbers of the whole run"):
        evaluate(task, tmp_path, shard="1/2", until=0.1)
    with pytest.raises(UserError, match="missing: 2/3"):
        st.merge(shards[0], shards[2])
    with pytest.raises(UserError, match="is no shard"):
        st.merge(whole.path, *shards)
    with pytest.raises(UserError, match="not shards of one run"):
        st.merge(*shards[:2], evaluate(task, tmp_path, shard="3/3", seed=1).path)
    with pytest.raises(UserError, match="n differs between shards: 2 and 3"):
        st.merge(*shards[:2], evaluate(task, tmp_path / "other", shard="3/3", n=3).path)
    with pytest.raises(UserError, match=r"made for shard 1/3, and now there is shard 2/3"):
        evaluate(task, tmp_path, shard="2/3", result_dir=None, resume_from=shards[0])
    with Lock(shards[1]), pytest.raises(UserError, match="is in use by"):
        st.merge(*shards)
    copied = shutil.copytree(shards[0], tmp_path / "copy")
    with pytest.raises(UserError, match="shard 1/3 is there twice"):
        st.merge(*shards, copied)
    with pytest.raises(UserError, match="name the folders"):
        st.merge()
