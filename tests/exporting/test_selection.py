"""What is kept, and what becomes a pair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from exports import rows_of, said_run

import skythought as st


def said(number: int, tokens: int, *, right: bool = True, **fields: Any) -> dict[str, Any]:
    """A response to problem `number` of so many tokens, unlike one of another length."""
    text = f"In {tokens} words: \\boxed{{{number + 1 if right else 77}}}"
    return {"text": text, "completion_tokens": tokens, **fields}


def kept(tmp_path: Path, responses: Sequence[Sequence[Any]], **options: Any) -> list[str]:
    """`problem/sample` of what is exported."""
    run = said_run(tmp_path / "run", responses)
    return [
        row["id"].split("/", 1)[1]
        for row in rows_of(st.export(run, tmp_path / "data", **{"duplicates": "keep", **options}))
    ]


LENGTHS = [[said(0, tokens) for tokens in (50, 20, 90, 40, 60)]]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, ["0/0"]),
        ({"select": "all"}, ["0/0", "0/1", "0/2", "0/3", "0/4"]),
        ({"select": "all", "per_problem": 2}, ["0/0", "0/1"]),
        ({"per_problem": 3}, ["0/0", "0/1", "0/2"]),
        ({"select": "shortest"}, ["0/1"]),
        ({"select": "shortest", "per_problem": 2}, ["0/1", "0/3"]),
        ({"select": "nearest", "per_problem": 3}, ["0/0", "0/3", "0/4"]),
    ],
)
def test_of_the_right_ones(tmp_path: Path, options: dict[str, Any], wanted: list[str]) -> None:
    assert kept(tmp_path, LENGTHS, **options) == wanted


def test_pass_rates(tmp_path: Path) -> None:
    samples = [[said(number, 9, right=place < number) for place in range(4)] for number in range(5)]
    assert kept(tmp_path, samples, pass_rate="0.2:0.8") == ["1/0", "2/0", "3/0"]


def test_bad_examples_are_dropped_although_they_are_right_and_others_take_their_place(tmp_path: Path) -> None:
    loop = "<think>\n" + "So it is one. Let me check that again, to be sure of it. " * 40 + "\n</think>\n\n\\boxed{1}"
    samples = [[said(0, 8, finish_reason="length"), {"text": loop}, said(0, 9)]]
    assert kept(tmp_path, samples) == ["0/2"]
    assert [
        row["id"][-3:] for row in rows_of(st.export(tmp_path / "run", tmp_path / "all", drop="none", select="all"))
    ] == ["0/0", "0/1", "0/2"]
    steps = {step.name: step for step in st.export(tmp_path / "run", tmp_path / "told").steps}
    assert steps["without faults"].dropped == {"looping": 1, "truncated": 1}


def test_pairs_are_of_near_length(tmp_path: Path) -> None:
    samples = [
        [said(0, 100), said(0, 30), said(0, 500, right=False), said(0, 40, right=False)],
        [said(1, 10), said(1, 20), said(1, 30), said(1, 40)],  # none is wrong
    ]
    run = said_run(tmp_path / "run", samples)
    [row] = rows_of(st.export(run, tmp_path / "data", kind="dpo"))
    assert row["id"].endswith("/0/1")
    assert [row[side][0]["content"] for side in ("chosen", "rejected")] == [
        "In 30 words: \\boxed{1}",
        "In 40 words: \\boxed{77}",
    ]
    two = st.export(run, tmp_path / "two", kind="dpo", per_problem=2)
    assert [row["id"][-1] for row in rows_of(two)] == ["1", "0"]


def test_pairs_for_shorter_thinking_are_both_right(tmp_path: Path) -> None:
    samples = [[said(0, 90), said(0, 10), said(0, 50), said(0, 5, right=False)], [said(1, 7)] * 4]
    run = said_run(tmp_path / "run", samples)
    rows = rows_of(st.export(run, tmp_path / "data", kind="dpo", pairs="shorter", columns=["tokens"]))
    assert [(row["id"][-3:], row["tokens"]) for row in rows] == [("0/1", 10)]
    assert rows[0]["rejected"][0]["content"] == "In 90 words: \\boxed{1}"


def test_labels_tell_right_from_wrong_with_as_many_of_both_as_wished(tmp_path: Path) -> None:
    samples = [[said(0, 9), said(0, 9), said(0, 9, right=False), said(0, 9, right=False)], [said(1, 9)] * 4]
    run = said_run(tmp_path / "run", samples)
    rows = rows_of(st.export(run, tmp_path / "data", kind="kto"))
    assert [(row["id"][-3:], row["label"]) for row in rows] == [("0/0", True), ("0/2", False), ("1/0", True)]


ANSWERS = [["4", "4", "4.0", "9"], ["4", "4", "9", "9"], ["1", "2", "3", "?"], ["0.5", "\\frac12", "1/2", "?"]]


@pytest.mark.parametrize(("share", "problems"), [(0.6, ["0", "3"]), (0.75, ["0", "3"]), (0.8, []), (0.2, ["0", "3"])])
def test_where_there_is_no_gold_answer_the_majority_is_right_and_ties_are_none(
    tmp_path: Path, share: float, problems: list[str]
) -> None:
    samples = [
        [text if text == "?" else f"Attempt {place}: \\boxed{{{text}}}" for place, text in enumerate(one)]
        for one in ANSWERS
    ]
    run = said_run(tmp_path / "run", samples, task={"target": None})
    with pytest.raises(st.UserError, match="without a gold answer"):
        st.export(run, tmp_path / "none")
    if not problems:
        with pytest.raises(st.UserError, match="without a majority"):
            st.export(run, tmp_path / "data", majority=share)
        return
    exported = st.export(run, tmp_path / "data", majority=share, select="all", columns="pass_rate")
    assert [row["id"].split("/")[1] for row in rows_of(exported)] == [one for one in problems for _ in range(3)]
    assert {row["pass_rate"] for row in rows_of(exported)} == {0.75}
    pairs = st.export(run, tmp_path / "pairs", majority=share, kind="dpo")
    assert pairs.rows == len(problems) - 1  # the other one's fourth sample has no answer


def test_with_gold_answers_no_majority_counts(tmp_path: Path) -> None:
    assert kept(tmp_path, [[said(0, 9, right=False)] * 3 + [said(0, 9)]], majority=0.5) == ["0/3"]


def test_a_filter_of_ones_own_keeps_drops_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "def brief(example):\n"
        "    if example.problem.id == '2':\n"
        "        return 'second'\n"
        "    return example.length < 30 and len(example.answer) > 3\n"
        "def odd(example):\n"
        "    return 1\n",
        encoding="utf-8",
    )
    run = said_run(tmp_path / "run", [[said(number, 10 * number)] for number in range(5)])
    exported = st.export(run, tmp_path / "data", filter=f"{tmp_path / 'mine.py'}:brief")
    assert [row["id"][-3] for row in rows_of(exported)] == ["0", "1"]
    step = next(step for step in exported.steps if step.name == "filter brief")
    assert step.dropped == {"second": 1, "not wanted": 2}
    with pytest.raises(st.UserError, match="true, false or a text is wanted, not int"):
        st.export(run, tmp_path / "odd", filter=f"{tmp_path / 'mine.py'}:odd")
    with pytest.raises(st.UserError, match=r"unknown function in .*mine.py 'breif'. Did you mean 'brief'"):
        st.export(run, tmp_path / "odd", filter=f"{tmp_path / 'mine.py'}:breif")


def test_quotas_are_by_what_the_task_reports_by_or_a_column(tmp_path: Path) -> None:
    rows = [{"topic": topic, "level": level} for topic in "aabbcc" for level in (1, 2)]
    samples = [[said(number, 9)] for number in range(12)]
    run = said_run(tmp_path / "run", samples, rows=rows, task={"report_by": ["topic"]})

    def topics(**options: Any) -> list[str]:
        exported = st.export(run, tmp_path / "data", overwrite=True, columns=["topic", "level"], **options)
        return [f"{row['topic']}{row['level']}" for row in rows_of(exported)]

    assert topics(quota={"a": 1, "*": 2}) == ["a1", "b1", "b2", "c1", "c2"]
    assert topics(quota={"1": 2}, quota_by="level") == ["a1", "a2", "a1", "a2", "b2", "b2", "c2", "c2"]


def test_columns_are_of_the_sample_and_of_the_dataset(tmp_path: Path) -> None:
    rows = [{"topic": "a", "more": {"b": 1}}, {}]
    run = said_run(tmp_path / "run", [[said(0, 5)], [said(1, 6)]], rows=rows)
    names = ["task", "problem_id", "tokens", "target", "topic", "more"]
    made = rows_of(st.export(run, tmp_path / "data", columns=names))
    assert [made[0][name] for name in names] == ["sums", "0", 5, "1", "a", '{"b": 1}']
    assert [made[1][name] for name in names] == ["sums", "1", 6, "2", None, None]
    with pytest.raises(st.UserError, match="has a column 'messages' of its own"):
        rows = [{"messages": "x"}]
        st.export(said_run(tmp_path / "other", [[said(0, 5)]], rows=rows), tmp_path / "no", columns="messages")
