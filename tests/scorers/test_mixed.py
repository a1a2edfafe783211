"""Several kinds of answer in one task: each is scored as it would be alone, with its own scorer's limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scripted import SCRIPTED

import skythought
from skythought.config import TaskConfig
from skythought.errors import UserError
from skythought.grading import RowScorer
from skythought.scorers import Scorer, score_text
from skythought.scorers.code.scorer import CodeScorer
from skythought.scorers.registry import make_scorer, sandboxed
from skythought.types import Problem, Score

KINDS = {"exactMatch": {"math": {"kind": "expression"}}, "multipleChoice": "choice"}
ECHO = {"kind": "stdin", "tests": [{"inputs": ["1"], "outputs": ["1"]}]}
SLEEPER = """
import time
from dataclasses import dataclass
from typing import ClassVar
from skythought.scorers import ModelScorer, Scorer
from skythought.types import Score

@dataclass(frozen=True)
class Sleeper(Scorer):
    takes_s: float
    timeout_s: ClassVar[float] = 0.2
    batch: ClassVar[int] = 3

    def score(self, problem, answer):
        end = time.process_time() + self.takes_s
        while time.process_time() < end:
            pass
        return Score(True, "slept", answer)

    def unanswered(self, problem, why):
        return Score(False, why, details={"metrics": {"rest": 0.0}})

    def conditions(self):
        return {"bed": "hard"}

class Patient(Sleeper):
    timeout_s: ClassVar[float] = 20.0

class Reader(Patient):
    uses_row: ClassVar[bool] = True

    def score(self, problem, answer):
        return Score(problem.row["secret"] == answer, "read", answer)

class Blind(Patient):
    def score(self, problem, answer):
        return Score(not problem.row, "saw nothing", answer)

@dataclass(frozen=True)
class Asker(ModelScorer):
    def questions(self, problem, answer):
        return ["Is it right?"]

    def score(self, problem, answer, replies=()):
        return Score(None, "nobody was asked")
"""


def mixed(kind: str, answer: Any) -> dict[str, Any]:
    return {"kind": kind, "answer": answer}


@pytest.fixture
def sleepers(tmp_path: Path) -> Path:
    """A file of scorers."""
    path = tmp_path / "sleepers.py"
    path.write_text(SLEEPER)
    return path


def scores(kinds: dict[str, Any], rows: list[dict[str, Any]]) -> list[Score]:
    return RowScorer("mixed", args={"kinds": kinds}).scores(rows)


def test_each_problem_is_scored_by_its_kind() -> None:
    scorer = make_scorer("mixed", {"kinds": KINDS})
    assert score_text(scorer, r"\boxed{0.5}", mixed("exactMatch", r"\frac{1}{2}")).correct
    assert score_text(scorer, "It must be (D), since A fails.", mixed("multipleChoice", "D")).correct
    wrong = score_text(scorer, r"\boxed{C}", mixed("multipleChoice", "D"))
    assert (wrong.correct, wrong.answer, wrong.details["kind"]) == (False, "C", "multipleChoice")
    for kind, answer in (("exactMatch", "x^2"), ("multipleChoice", "E")):
        problem = Problem("0", "", mixed(kind, answer))
        gold = scorer.gold(problem)
        assert gold is not None
        assert scorer.score(problem, gold).correct


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"a": "maths"}, "unknown scorer 'maths'"),
        ({}, "at least one"),
        ({"a": {"math": {"kin": "x"}}}, "kin"),
    ],
)
def test_arguments_are_checked_before_anything_runs(kinds: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_scorer("mixed", {"kinds": kinds})


def test_a_scorer_that_asks_a_model_cannot_be_mixed(sleepers: Path) -> None:
    with pytest.raises(UserError, match="kind 'b': a scorer that asks a model"):
        make_scorer("mixed", {"kinds": {"a": "math", "b": f"{sleepers}:Asker"}})


def test_a_kind_that_is_not_known_is_named() -> None:
    scorer = make_scorer("mixed", {"kinds": KINDS})
    with pytest.raises(UserError, match=r"unknown kind of answer 'exactmatch'. Did you mean 'exactMatch'"):
        score_text(scorer, "1", mixed("exactmatch", "1"))
    with pytest.raises(UserError, match="a target must read"):
        score_text(scorer, "1", "1")


def test_each_answer_has_its_own_kinds_time(sleepers: Path) -> None:
    kinds = {name: {f"{sleepers}:{name.title()}": {"takes_s": 0.5}} for name in ("sleeper", "patient")}
    rows = [{"target": mixed(kind, ""), "response": "x"} for kind in kinds]
    assert [score.verdict for score in scores(kinds, rows)] == ["wrong", "correct"]
    alone = RowScorer(f"{sleepers}:Patient", args={"takes_s": 0.5})
    assert alone.scores([{"target": "", "response": "x"}])[0].verdict == "correct"


def test_a_slow_program_has_the_same_verdict_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scorer, "timeout_s", 0.2)  # as a kind that keeps the default has it; workers have their own
    response = "```python\nimport time\ntime.sleep(0.5)\nprint(input())\n```"
    args = {"code": {"test_s": 0.5, "sample_s": 5.0}}
    alone = RowScorer("code", args=args["code"]).scores([{"target": ECHO, "response": response}])[0]
    within = scores({"a": args, "b": "text"}, [{"target": mixed("a", ECHO), "response": response}])[0]
    assert (alone.verdict, alone.reason) == ("correct", "passed the one test")
    assert (within.verdict, within.reason) == (alone.verdict, alone.reason)


def test_each_kind_is_given_what_it_needs_of_a_problem(sleepers: Path) -> None:
    kinds = {name: {f"{sleepers}:{name.title()}": {"takes_s": 0.0}} for name in ("reader", "blind")}
    rows = [{"target": mixed(kind, ""), "response": "x", "secret": "x"} for kind in kinds]
    assert [score.verdict for score in scores(kinds, rows)] == ["correct", "correct"]


def test_an_endless_thought_is_scored_by_its_kind(sleepers: Path) -> None:
    kinds = {"a": {f"{sleepers}:Sleeper": {"takes_s": 0.0}}, "b": "text"}
    rows = [{"target": mixed(kind, "x"), "response": "<think>hm"} for kind in kinds]
    assert [score.details for score in scores(kinds, rows)] == [{"metrics": {"rest": 0.0}}, {}]


def test_a_batch_is_the_smallest_of_the_kinds(sleepers: Path) -> None:
    sleeper = {f"{sleepers}:Sleeper": {"takes_s": 0.0}}
    assert make_scorer("mixed", {"kinds": {"a": "text", "b": sleeper}}).batch == 3
    assert make_scorer("mixed", {"kinds": {"a": "code", "b": sleeper, "c": "math"}}).batch == CodeScorer.batch == 1


def test_the_level_of_the_sandbox_reaches_the_kinds() -> None:
    kinds = {"a": {"code": {"test_s": 1.0}}, "b": "code", "c": "text", "d": {"mixed": {"kinds": {"e": "code"}}}}
    task = TaskConfig(dataset_path="", scorer={"mixed": {"kinds": kinds}})
    assert sandboxed(task, "auto") == task
    text = TaskConfig(dataset_path="", scorer={"mixed": {"kinds": {"c": "text"}}})
    assert sandboxed(text, "strict") == text, "a task without programs is the same run at any level"
    if not all(CodeScorer().conditions()["sandbox"]["isolated"].values()):
        with pytest.raises(UserError, match="strict"):
            sandboxed(task, "strict")
        return
    assert sandboxed(task, "strict").scorer_args["kinds"] == {
        "a": {"code": {"test_s": 1.0, "sandbox": "strict"}},
        "b": {"code": {"sandbox": "strict"}},
        "c": "text",
        "d": {"mixed": {"kinds": {"e": {"code": {"sandbox": "strict"}}}}},
    }


def test_what_the_kinds_depend_on_is_recorded(sleepers: Path, tmp_path: Path) -> None:
    rows = [{"q": "Which?", "kind": "a", "gold": "x"}, {"q": "Print it.", "kind": "b", "gold": ECHO}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    kinds = {"a": {f"{sleepers}:Patient": {"takes_s": 0.0}}, "b": {"code": {"test_s": 1.0}}}
    (tmp_path / "both.yaml").write_text(
        json.dumps(
            {
                "dataset_path": "rows.jsonl",
                "prompt": "{{ q }}",
                "target": "{'kind': kind, 'answer': gold}",
                "scorer": {"mixed": {"kinds": kinds}},
            }
        )
    )
    run = skythought.evaluate(
        str(tmp_path / "both.yaml"),
        model="none",
        backend=SCRIPTED,
        backend_args={"responses": ["```python\nprint(input())\n```"]},
        result_dir=tmp_path,
    )
    assert [sample.verdict for sample in run] == ["correct", "correct"]
    summary = json.loads((run.path / "summary.json").read_text())
    assert summary["configuration"]["skythought"]["sandbox"]["level"] == "auto"
    assert '"bed"' in (run.path / "scores.jsonl").read_text()
