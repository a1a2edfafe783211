"""The tasks of docs/code.md, run as they stand: their own solutions are right, and a wrong field is named."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from places import ROOT

import skythought

PAGE = (ROOT / "docs" / "code.md").read_text(encoding="utf-8")
TASKS = re.findall(r"^```yaml\n# (\w+)\.yaml\n(.*?)^```\n+```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def written(folder: Path, name: str, text: str, rows: str) -> str:
    (folder / f"{name}.jsonl").write_text(rows, encoding="utf-8")
    file = folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_there_is_an_example_of_each_kind() -> None:
    assert [re.findall(r'"kind": "(\w+)"', text) for _, text, _ in TASKS] == [["stdin"], ["call"], ["check"]]


@pytest.mark.parametrize(("name", "text", "rows"), TASKS, ids=[name for name, _, _ in TASKS])
def test_the_example_proves_itself(name: str, text: str, rows: str, tmp_path: Path) -> None:
    report = skythought.check_task(written(tmp_path, name, text, rows))
    assert [str(finding) for finding in report.findings] == []
    assert report.gold_right == report.gold_checked == 1


@pytest.mark.parametrize("solved", [True, False], ids=["with a solution", "without one"])
@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ('"tests": tests', '"test": tests', "unknown field 'test'. Did you mean 'tests'?"),
        ('"kind": "stdin"', '"kind": "std"', "`kind` is one of stdin, call, check, not 'std'"),
        ('"kind": "stdin"', '"kind": "call"', "`function` is missing"),
        ('"tests": tests', '"tests": tests, "names": []', "`names` is for kind check"),
    ],
)
def test_a_wrong_field_is_named(right: str, wrong: str, words: str, solved: bool, tmp_path: Path) -> None:
    name, text, rows = TASKS[0]
    text = text.replace(right, wrong)
    if not solved:
        text = re.sub(r"^solution:.*\n", "", text, flags=re.MULTILINE)
    report = skythought.check_task(written(tmp_path, name, text, rows))
    assert not report.ok
    assert any(words in finding.text for finding in report.findings), report.findings


@pytest.mark.parametrize("solved", [True, False], ids=["with a solution", "without one"])
def test_a_wrong_test_is_named(solved: bool, tmp_path: Path) -> None:
    name, text, rows = TASKS[0]
    row = json.loads(rows)
    row["tests"][1] = {"input": "3", "expected": "9"}
    if not solved:
        text = re.sub(r"^solution:.*\n", "", text, flags=re.MULTILINE)
    report = skythought.check_task(written(tmp_path, name, text, json.dumps(row)))
    assert any("`tests`, entry 2: a test has no 'output'" in finding.text for finding in report.findings), (
        report.findings
    )
