"""Code tasks from end to end: a run folder scored, what is recorded of it, and the level of the sandbox."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripted import SCRIPTED

import skythought
from skythought.errors import UserError
from skythought.runs.view import Run
from skythought.scorers.code.scorer import CodeScorer

TESTS = json.dumps([{"input": f"{n} {n}\n", "output": f"{2 * n}\n", "testtype": "stdin"} for n in range(5)])
ROWS = [
    {
        "question_title": "Sum",
        "question_content": f"Print the sum of two integers ({number}).",
        "platform": "none",
        "question_id": str(number),
        "contest_id": "0",
        "contest_date": "2024-01-01T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": '[{"input": "1 2\\n", "output": "3\\n", "testtype": "stdin"}]',
        "private_test_cases": base64.b64encode(zlib.compress(pickle.dumps(TESTS))).decode(),
        "metadata": "{}",
    }
    for number in range(3)
]
RIGHT = "```python\nprint(sum(map(int, input().split())))\n```"
RESPONSES = [RIGHT, "```python\nprint(3)\n```", "I do not know.", "```python\nwhile True: pass\n```"]


def make_run(tmp_path: Path, responses: list[str], ask: Callable[..., Run] = skythought.generate) -> Path:
    """A run that was generated and not scored; with `ask=skythought.evaluate`, scored with a small limit of time."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    run = ask(
        "livecodebench",
        model="none",
        backend=SCRIPTED,
        backend_args={"responses": responses},
        task_args={"dataset_path": str(rows), "scorer": {"code": {"test_s": 0.25}}},
        sampling_params={"temperature": 1.0},
        n=len(responses),
        result_dir=tmp_path,
    )
    return run.path


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    results = json.loads((path / "results.json").read_text())
    return results, json.loads((path / "summary.json").read_text())


def test_a_run_is_scored(tmp_path: Path) -> None:
    path = make_run(tmp_path, RESPONSES, skythought.evaluate)
    results, summary = read(path)
    assert summary["accuracy"] == 0.25
    for record in results.values():
        verdicts = [entry["verdict"] for entry in record["responses"]]
        assert verdicts == ["correct", "wrong", "unparsed", "wrong"]
        assert [entry.get("fraction") for entry in record["responses"]] == [1.0, pytest.approx(1 / 6), None, 0.0]
        assert "test 2 of 6: wrong answer" in record["responses"][1]["reason"]
        assert "time limit" in record["responses"][3]["reason"]


def test_tests_are_kept_once_and_not_in_the_results(tmp_path: Path) -> None:
    path = make_run(tmp_path, [RIGHT])
    skythought.score("livecodebench", path)
    packed = ROWS[0]["private_test_cases"]
    assert (path / "samples.jsonl").read_text().count(packed) == len(ROWS)
    assert packed not in (path / "results.json").read_text()
    results, _ = read(path)
    assert results["0"]["question_id"] == "0"
    assert "tests" not in results["0"]


def test_the_summary_tells_what_protected(tmp_path: Path) -> None:
    path = make_run(tmp_path, [RIGHT])
    skythought.score("livecodebench", path)
    _, summary = read(path)
    sandbox = summary["configuration"]["skythought"]["sandbox"]
    assert sandbox["level"] == "auto"
    assert sandbox["layers"]


def test_scoring_again_gives_the_same_bytes(tmp_path: Path) -> None:
    path = make_run(tmp_path, RESPONSES[:3])
    skythought.score("livecodebench", path)
    first = (path / "results.json").read_bytes()
    skythought.score("livecodebench", path)
    assert (path / "results.json").read_bytes() == first


def test_results_of_the_reference_are_scored(tmp_path: Path) -> None:
    record = {
        "problem_id": 7,
        "question": "Print the sum of two integers.",
        "input_output": '{"inputs": ["1 2\\n"], "outputs": ["3\\n"]}',
        "difficulty": "introductory",
        "starter_code": "",
        "solutions": "",
        "input_conversation": [{"role": "user", "content": "Print the sum of two integers."}],
        "responses": [{"content": text, "correctness": None, "reason": None} for text in RESPONSES[:3]],
        "token_usages": [],
    }
    (tmp_path / "results.json").write_text(json.dumps({"0": record}))
    (tmp_path / "summary.json").write_text('{"configuration": {}}')
    skythought.score("apps", tmp_path)
    results, summary = read(tmp_path)
    assert [entry["correctness"] for entry in results["0"]["responses"]] == [True, True, False]
    assert summary["configuration"]["skythought"]["sandbox"]["layers"]


def test_strict_refuses_or_says_that_it_isolates(tmp_path: Path) -> None:
    path = make_run(tmp_path, [RIGHT])
    if not all(CodeScorer().conditions()["sandbox"]["isolated"].values()):
        with pytest.raises(UserError, match="strict"):
            skythought.score("livecodebench", path, sandbox="strict")
        assert not (path / "results.json").exists()
        return
    skythought.score("livecodebench", path, sandbox="strict")
    _, summary = read(path)
    sandbox = summary["configuration"]["skythought"]["sandbox"]
    assert sandbox["level"] == "strict"
    assert sandbox["isolated"] == {"files": True, "network": True}
    assert summary["accuracy"] == 1.0


def test_the_level_is_checked_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"unknown level for sandbox='strickt'. Did you mean 'strict'"):
        skythought.evaluate("humaneval", model="m", backend="openai", result_dir=tmp_path, sandbox="strickt")
    assert not list(tmp_path.iterdir())
