"""`st.export`: what is written without further options, how the thinking is, folders whole or not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from exports import rows_of, said_run

import skythought as st

RIGHT = "<think>\nOne more than {0}.\n</think>\n\nIt is \\boxed{{{1}}}."


def right(number: int) -> str:
    return RIGHT.format(number, number + 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> st.Run:
    """Three problems: right twice, right the second time, never right."""
    wrong = "<think>\nHm.\n</think>\n\n\\boxed{77}"
    responses = [
        [right(0), "Again: " + right(0)],
        [wrong, right(1)],
        [wrong, "<think>\nI do not know.\n</think>\n\nLet us see:"],
    ]
    return said_run(tmp_path_factory.mktemp("run"), responses, system_prompt="Be brief.")


def test_without_options_it_is_the_first_right_response_of_each_problem_whole(run: st.Run, tmp_path: Path) -> None:
    exported = st.export(run, tmp_path / "data")
    assert exported.rows == 2
    assert rows_of(exported) == [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": f"What is {number} + 1?"},
                {"role": "assistant", "content": right(number)},
            ],
            "id": f"{run.path.name}/{number}/{sample}",
        }
        for number, sample in ((0, 0), (1, 1))
    ]
    counts = [(step.name, step.kept, dict(step.dropped)) for step in exported.steps]
    assert counts[:2] == [("asked", 6, {}), ("right", 3, {"wrong": 2, "unparsed": 1})]
    assert counts[-2] == ("no duplicates", 3, {})
    assert counts[-1] == ("first, 1 of a problem", 2, {"others of the problem were taken": 1})


def test_each_step_takes_what_the_one_before_kept(run: st.Run, tmp_path: Path) -> None:
    steps = st.export(run, tmp_path / "data", kind="kto", quota={"*": 3}).steps
    for before, after in zip(steps, steps[1:], strict=False):
        assert before.kept == after.kept + sum(after.dropped.values())


def test_the_same_runs_give_the_same_bytes(run: st.Run, tmp_path: Path) -> None:
    for files in ("jsonl", "parquet"):
        one = st.export(run, tmp_path / "one" / files, files=files)
        two = st.export(run.path, tmp_path / "two" / files, files=files)
        made = [{p.relative_to(e.path): p.read_bytes() for p in e.path.rglob("*") if p.is_file()} for e in (one, two)]
        assert made[0] == made[1]


@pytest.mark.parametrize(
    ("thinking", "turn"),
    [
        ("inline", {"content": right(0)}),
        ("field", {"content": "It is \\boxed{1}.", "reasoning_content": "One more than 0."}),
        ("drop", {"content": "It is \\boxed{1}."}),
    ],
)
def test_thinking_is_inside_the_content_in_a_field_or_left_out(
    run: st.Run, tmp_path: Path, thinking: str, turn: dict[str, str]
) -> None:
    rows = rows_of(st.export(run, tmp_path / "data", thinking=thinking))
    assert rows[0]["messages"][-1] == {"role": "assistant", **turn}


def test_thinking_that_came_otherwise_is_put_in_tags(tmp_path: Path) -> None:
    harmony = "<|channel|>analysis<|message|>Easy.<|end|><|start|>assistant<|channel|>final<|message|>\\boxed{4}"
    responses = [
        [{"text": "\\boxed{1}", "reasoning": "Apart."}],  # as an endpoint returns it
        [{"text": "Opened.\n</think>\n\n\\boxed{2}", "thinking_open": True}],  # the chat template opened it
        ["\\boxed{3}"],  # none
        [harmony],
    ]
    rows = rows_of(st.export(said_run(tmp_path / "run", responses), tmp_path / "data"))
    assert [row["messages"][-1]["content"] for row in rows] == [
        "<think>\nApart.\n</think>\n\n\\boxed{1}",
        "<think>\nOpened.\n</think>\n\n\\boxed{2}",
        "\\boxed{3}",
        "<think>\nEasy.\n</think>\n\n\\boxed{4}",
    ]
    rows = rows_of(st.export(tmp_path / "run", tmp_path / "apart", thinking="field", thinking_field="thinking"))
    assert [row["messages"][-1]["thinking"] for row in rows] == ["Apart.", "Opened.", "", "Easy."]


def test_the_prefill_and_the_turns_of_solved_examples_are_as_they_were_sent(tmp_path: Path) -> None:
    shots = {"dataset_path": "rows.jsonl", "count": 1, "as_turns": True, "answer": "answer"}
    said = [[" Sure: \\boxed{1}"], [" Sure: \\boxed{2}"]]
    run = said_run(tmp_path / "run", said, task={"few_shot": shots}, assistant_prefill="Well,", user_template="Q: {}")
    row = rows_of(st.export(run, tmp_path / "data", kind="completion"))[0]
    assert [turn["role"] for turn in row["prompt"]] == ["user", "assistant", "user"]
    assert row["prompt"][-1]["content"] == "Q: What is 0 + 1?"
    assert row["completion"] == [{"role": "assistant", "content": "Well, Sure: \\boxed{1}"}]


def test_shards_are_of_the_size_and_hold_all_rows(tmp_path: Path) -> None:
    run = said_run(tmp_path / "run", [[right(number)] for number in range(30)])
    whole = rows_of(st.export(run, tmp_path / "whole"))
    exported = st.export(run, tmp_path / "shards", shard_size="1KB")
    assert len(exported.files) > 3
    assert exported.files[0] == f"data/train-00000-of-{len(exported.files):05d}.jsonl"
    assert max((exported.path / name).stat().st_size for name in exported.files) <= 1000
    assert rows_of(exported) == whole


@pytest.mark.parametrize("files", ["jsonl", "parquet"])
def test_datasets_loads_the_folder_by_its_card(tmp_path: Path, files: str) -> None:
    datasets = pytest.importorskip("datasets")
    # Only the last response has thinking: the types of all shards are the same nevertheless.
    said = [[f"\\boxed{{{number + 1}}}"] for number in range(20)] + [[right(20)]]
    run = said_run(tmp_path / "run", said)
    options = {"files": files, "shard_size": "1KB", "thinking": "field", "columns": ["tokens", "target", "seed"]}
    exported = st.export(run, tmp_path / "data", **options)
    loaded = datasets.load_dataset(str(exported.path), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(loaded) == exported.rows == 21
    assert loaded[20]["messages"][-1]["reasoning_content"] == "One more than 20."
    assert (loaded[20]["tokens"], loaded[20]["target"]) == (7, "21")


def test_the_card_tells_where_it_comes_from_and_what_became_of_the_rest(run: st.Run, tmp_path: Path) -> None:
    exported = st.export(run, tmp_path / "data", license="apache-2.0")
    head, text = (exported.path / "README.md").read_text(encoding="utf-8").removeprefix("---\n").split("---\n", 1)
    said = yaml.safe_load(head)
    assert (said["license"], said["size_categories"]) == ("apache-2.0", ["n<1K"])
    assert said["configs"][0]["data_files"] == [{"split": "train", "path": "data/train-*.jsonl"}]
    record = json.loads((exported.path / "export.json").read_text(encoding="utf-8"))
    fingerprint = record["runs"][0]["run fingerprint"]
    manifest = json.loads((run.path / "run.json").read_text(encoding="utf-8"))
    assert fingerprint == manifest["fingerprint"]
    for told in (fingerprint, "teacher", "temperature 1.0", '"Be brief."', "scorer: math", "| asked | 6 |  |"):
        assert told in text
    assert "| right | 3 | 1 unparsed, 2 wrong |" in text
    assert str(tmp_path) not in text


def test_a_folder_is_there_as_a_whole_or_not_at_all(run: st.Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def keep(example):\n    raise KeyError('no')\n", encoding="utf-8")
    with pytest.raises(st.UserError, match=r"filter=.*mine\.py:keep' failed at .*/0/0: KeyError"):
        st.export(run, tmp_path / "out" / "data", filter=f"{tmp_path / 'mine.py'}:keep")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_export_is_replaced_only_if_asked_and_nothing_else_ever_is(run: st.Run, tmp_path: Path) -> None:
    st.export(run, tmp_path / "data", select="all")
    with pytest.raises(st.UserError, match="holds an export; overwrite=True replaces it"):
        st.export(run, tmp_path / "data")
    assert st.export(run, tmp_path / "data", overwrite=True).rows == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(st.UserError, match="is no export"):
        st.export(run, mine, overwrite=True)


def test_a_run_of_another_program_is_read_too(tmp_path: Path) -> None:
    from made_runs import made_run

    made_run(tmp_path / "theirs", [[False, True], [False, False]])
    [row] = rows_of(st.export(tmp_path / "theirs", tmp_path / "data"))
    assert [turn["content"] for turn in row["messages"]] == ["What is 0 + 1?", "I say True to 0."]


def test_several_runs_of_a_task_give_one_response_of_each_problem(tmp_path: Path) -> None:
    said_run(tmp_path / "one", [[right(0)], ["\\boxed{77}"]], model="one")
    said_run(tmp_path / "two", [["\\boxed{77}"], [right(1)], [right(2)]], model="two")
    said_run(tmp_path / "three", [[right(0)], [right(1)]], model="three")
    runs = [
        next(folder for folder in path.iterdir() if folder.is_dir()) for path in (tmp_path / "one", tmp_path / "two")
    ]
    rows = rows_of(st.export([*runs, tmp_path / "three"], tmp_path / "data"))
    assert [(row["id"].split("_")[0], row["id"].split("/")[1]) for row in rows] == [
        ("one", "0"),
        ("two", "1"),
        ("two", "2"),
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "lamafactory"}, "unknown exporter 'lamafactory'. Did you mean 'llamafactory'?"),
        ({"kind": "ppo"}, "unknown kind of the format trl 'ppo'"),
        ({"format": "verl", "kind": "dpo"}, "unknown kind of the format verl 'dpo'"),
        ({"thinking": "inlin"}, "Did you mean 'inline'?"),
        ({"format": "llamafactory", "thinking": "field"}, "unknown thinking of the format llamafactory 'field'"),
        ({"select": "longst"}, "unknown way in select="),
        ({"pairs": "far", "kind": "dpo"}, "unknown kind of pairs="),
        ({"drop": ["loopy"]}, "unknown fault in drop='loopy'. Did you mean 'looping'?"),
        ({"shard_size": "huge"}, "shard_size: a size such as 500MB"),
        ({"pass_rate": "0.9:0.1"}, "pass_rate is the lowest and the highest share"),
        ({"per_problem": 0}, "per_problem=0: one at least"),
        ({"files": "csv"}, "unknown kind of files 'csv'"),
        ({"majority": 1.5}, "majority=1.5: a share"),
        ({"columns": ["levl"]}, "unknown column in columns='levl'"),
        ({"filter": "keep"}, "filter: a function in a file"),
        ({"quota": {"*": -1}}, "quota: a whole number"),
        ({"push_to_hub": "data"}, "push_to_hub: the name of a dataset"),
        ({"formt": "trl"}, "unknown argument of export.* 'formt'. Did you mean 'format'?"),
        ({"pass_rate": "0.01:0.02"}, r"nothing is left. Of 6 samples: .* too easy"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(run: st.Run, tmp_path: Path, options: dict, said: str) -> None:
    with pytest.raises(st.UserError, match=said) as raised:
        st.export(run, tmp_path / "data", **options)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "data").exists()


def test_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(st.UserError, match="holds no run"):
        st.export(tmp_path, tmp_path / "data")
    with pytest.raises(st.UserError, match="is no folder"):
        st.export(tmp_path / "nowhere", tmp_path / "data")
