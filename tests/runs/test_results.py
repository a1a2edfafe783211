"""Reading a results.json that another program, or a person, has made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import skythought as st

USAGES = [None, [], [{"completion_tokens": 4}], {"0.7": [{"completion_tokens": -1}]}, [{}] * 9]
ENTRY: dict[str, Any] = {"question": "1+1?", "answer": "#### 2", "prompt": "1+1?"}


def written(folder: Path, entry: Any) -> Path:
    (folder / "results.json").write_text(json.dumps({"7": entry}), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "responses",
    [
        [{"content": "so 2"}, {"content": "so 3"}],
        ["so 2", "so 3"],
        {"0.7": [{"content": "so 2"}, {"content": "so 3"}]},
        {"0.0": {"content": "so 2"}, "0.7": {"content": "so 3"}},
        [{"content": [{"type": "text", "text": "so 2"}]}, {"content": "so 3", "finish_reason": 7, "seed": "x"}],
    ],
    ids=["today", "texts", "a list by temperature", "one by temperature", "parts"],
)
@pytest.mark.parametrize("usages", USAGES)
def test_layouts_that_are_read(tmp_path: Path, responses: Any, usages: Any) -> None:
    written(tmp_path, {**ENTRY, "responses": responses, "token_usages": usages})
    assert [sample.content for sample in st.Run(tmp_path)] == ["so 2", "so 3"]
    run = st.score("gsm8k", tmp_path)
    assert [sample.correct for sample in run] == [True, False]
    assert run.accuracy == 0.5
    assert st.score("gsm8k", tmp_path).accuracy == 0.5


def test_the_references_first_files(tmp_path: Path) -> None:
    """Before February 2025: keyed by question, responses by temperature, no conversation, answers rewritten."""
    first = {"content": "so 2", "correctness": None, "reason": None}
    rewritten = {"content": "so I do not know", "processed_content": "so 2", "correctness": None, "reason": None}
    entry = {**ENTRY, "responses": {"0.7": [first, rewritten]}, "token_usages": {"0.7": {"completion_tokens": 9}}}
    (tmp_path / "results.json").write_text(json.dumps({"1+1?": entry}), encoding="utf-8")
    run = st.score("gsm8k", tmp_path)
    assert [sample.correct for sample in run] == [True, True]
    assert [sample.problem_id for sample in run] == ["1+1?", "1+1?"]
    (written_back,) = json.loads((tmp_path / "results.json").read_text(encoding="utf-8")).values()
    assert written_back["responses"]["0.7"][1]["content"] == "so I do not know"


def test_results_of_another_name_are_pointed_at(tmp_path: Path) -> None:
    file = tmp_path / "Qwen_math500_test_0_-1.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(st.RunFolderError, match=r"Is it Qwen_math500_test_0_-1.json\? It is read as results.json"):
        st.Run(tmp_path)
    with pytest.raises(st.RunFolderError, match="is a file; a run is a folder"):
        st.Run(file)
    with pytest.raises(st.UserError, match="It is read as results.json in a folder of its own"):
        st.score("gsm8k", tmp_path)


def test_responses_by_temperature_stay_so(tmp_path: Path) -> None:
    written(tmp_path, {**ENTRY, "responses": {"0.7": {"content": "so 2", "correctness": False, "reason": ""}}})
    st.score("gsm8k", tmp_path)
    entry = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["7"]
    assert entry["responses"]["0.7"]["correctness"] is True


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"responses": None}, "`responses` is no list, but missing"),
        ({"responses": 7}, "`responses` is no list, but a number"),
        ({"responses": [[1]]}, "`responses` must hold objects, not a list"),
        ({"responses": [None]}, "`responses` must hold objects"),
        ({"responses": {"0.7": 3}}, "`responses` must hold objects, not a number"),
        ({"responses": [{"content": 5}]}, "`content` is no text, but a number"),
        ({"responses": [{"content": {"a": 1}}]}, "`content` is no text, but an object"),
        ({"responses": [{"content": "x", "reasoning": 1}]}, "`reasoning` is no text"),
        ({"responses": [], "token_usages": 3}, "`token_usages` is no list"),
        ({"responses": [], "input_conversation": "hello"}, "`input_conversation` is no list of turns"),
        ({"responses": [], "input_conversation": [3]}, "`input_conversation` is no list of turns"),
        ({"responses": [], "input_conversation": [{"role": "user", "content": 4}]}, "`content` is no text"),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_replaced(
    tmp_path: Path, changed: dict[str, Any], says: str
) -> None:
    written(tmp_path, {**ENTRY, **changed})
    before = (tmp_path / "results.json").read_bytes()
    with pytest.raises(st.RunFolderError, match=f"results.json: entry '7': {says}"):
        st.score("gsm8k", tmp_path)
    assert (tmp_path / "results.json").read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} <= {"results.json", ".lock"}


def test_odd_fields_of_a_response_do_no_harm(tmp_path: Path) -> None:
    odd = {
        "content": "so 2",
        "verdict": "superb",
        "answer": 5,
        "fraction": "x",
        "details": [1],
        "reason": 3,
        "error": None,
    }
    written(tmp_path, {**ENTRY, "responses": [odd, {**odd, "error": 404}]})
    first, second = st.Run(tmp_path)
    assert (first.verdict, first.answer, first.fraction, first.details) == (None, None, None, {})
    assert (second.verdict, second.error) == ("failed", "404")
    assert [sample.verdict for sample in st.score("gsm8k", tmp_path)] == ["correct", "failed"]
