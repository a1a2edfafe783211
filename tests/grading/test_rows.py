"""Judging without a run: strings, rows of every kind of table, from threads and other processes, by name."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from skythought.errors import UserError
from skythought.grading import RowScorer, get_scorer, score_response, score_rows
from skythought.grading.rows import COLUMNS

ROWS = [
    {"response": "<think>7?</think>It is \\boxed{8}.", "gold": "8"},
    {"response": "So \\boxed{9}", "gold": "8"},
    {"response": "Hard to say.", "gold": "8"},
    {"response": "<think>8, so \\boxed{8}", "gold": "8"},
    {"response": None, "gold": "8"},
]
VERDICTS = ["correct", "wrong", "unparsed", "unparsed", "unparsed"]


def test_strings() -> None:
    assert score_response("math", "It is \\boxed{0.5}", "1/2").correct
    assert score_response("gsm8k", "The final answer is 42.", "6 * 7 = <<6*7=42>>42\n#### 42").correct
    assert score_response("gsm8k", "The final answer is 42.", "42").correct
    assert score_response("multiple_choice", "The answer is (B).", "B", ["red", "blue"]).answer == "B"
    assert score_response("math", "8, so \\boxed{8}", "8", opened=True).verdict == "unparsed"
    wanted = {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{"num_words": None}]}
    assert score_response("ifeval", "None here.", wanted).correct
    assert score_response("ifeval", "One, two.", wanted, mode="loose").correct is False


def test_names_and_arguments_are_checked() -> None:
    assert get_scorer("aime24") == get_scorer("math", kind="integer")
    assert get_scorer("ifeval", mode="loose") == get_scorer("instructions", mode="loose")
    with pytest.raises(UserError, match="unknown scorer or task 'gsm8'. Did you mean 'gsm8k'"):
        score_response("gsm8", "1", "1")
    with pytest.raises(UserError, match="unknown key 'knd'"):
        get_scorer("math", knd="integer")


def test_rows_of_dictionaries() -> None:
    judged = score_rows(ROWS, "math", target="gold")
    assert [row["verdict"] for row in judged] == VERDICTS
    assert [row["correct"] for row in judged] == [True, False, False, False, False]
    assert [row["fraction"] for row in judged] == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert judged[0].keys() == {*ROWS[0], *COLUMNS}
    assert judged[0]["extracted"] == "8"
    assert "thinking never ended" in judged[3]["reason"]
    assert score_rows([], "math") == []


def test_rows_as_the_tasks_dataset_has_them() -> None:
    gsm8k = [{"question": "6 * 7?", "answer": "It is 42.\n#### 42", "response": "\\boxed{42}"}]
    assert score_rows(gsm8k, "gsm8k")[0]["correct"]
    assert score_rows(gsm8k, "gsm8k")[0]["answer"] == "It is 42.\n#### 42"
    arc = [{"choices": {"text": ["ice", "fire"], "label": ["1", "2"]}, "answerKey": "2", "response": "It is fire."}]
    assert score_rows(arc, "arc_c")[0]["extracted"] == "B"
    with pytest.raises(UserError, match="unknown column 'answer'"):
        score_rows([{"question": "6 * 7?", "response": "42"}], "gsm8k")
    empty = score_rows([{"question": "6 * 7?", "answer": "no number", "response": "42"}], "gsm8k")
    assert (empty[0]["correct"], empty[0]["verdict"], empty[0]["fraction"]) == (None, "failed", None)


def test_columns_are_named() -> None:
    rows = [{"output": "The answer is blue.", "label": "B", "options": ["red", "blue"], "why_ended": "stop"}]
    judged = score_rows(rows, "choice", response="output", target="label", choices="options")
    assert judged[0]["correct"]
    cut = [{"output": "I think", "label": "B", "why_ended": "length"}]
    judged = score_rows(cut, "choice", response="output", target="label", finish_reason="why_ended")
    assert judged[0]["verdict"] == "truncated"
    with pytest.raises(UserError, match="unknown column 'lable'. Did you mean 'label'"):
        score_rows(rows, "choice", response="output", target="lable")


def test_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS, index=[5, 6, 7, 8, 9])
    judged = score_rows(frame, "math", target="gold")
    assert list(judged["verdict"]) == VERDICTS
    assert list(judged.index) == [5, 6, 7, 8, 9]
    assert list(frame.columns) == ["response", "gold"]


def test_datasets() -> None:
    datasets = pytest.importorskip("datasets")
    table = datasets.Dataset.from_list(ROWS)
    assert score_rows(table, "math", target="gold")["verdict"] == VERDICTS
    judge = RowScorer("math", target="gold")
    assert table.map(judge)["verdict"] == VERDICTS
    assert table.map(judge, batched=True, batch_size=2)["correct"][:2] == [True, False]


def test_batches_of_arrays() -> None:
    """What Ray Data hands to a function of `map_batches` by default."""
    numpy = pytest.importorskip("numpy")
    judge = RowScorer("choice", target="gold", choices="options")
    options = numpy.empty(2, dtype=object)
    options[:] = [numpy.array(["red", "blue"]), numpy.array(["red", "blue"])]
    batch = {"response": numpy.array(["\\boxed{B}", "red"]), "gold": numpy.array([1, 1]), "options": options}
    assert judge(batch)["correct"] == [True, False]


def test_arrow_tables_keep_their_columns() -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"response": ["\\boxed{B}", "red"], "gold": [1, 1], "options": [["red", "blue"]] * 2})
    judge = RowScorer("choice", target="gold", choices="options")
    judged = judge(judge(table))
    assert judged["correct"].to_pylist() == [True, False]
    assert judged.schema.field("options").type == table.schema.field("options").type
    assert judged.column_names == [*table.column_names, *COLUMNS]


SLOW = """
from dataclasses import dataclass
from typing import ClassVar
from skythought.scorers.base import Scorer
from skythought.types import Score

@dataclass(frozen=True)
class Slow(Scorer):
    timeout_s: ClassVar[float] = 1.0

    def score(self, problem, answer):
        while answer == "hostile":
            pass
        return Score(answer == problem.target, "compared", answer)
"""


def test_a_hostile_answer_costs_its_time_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    rows = [{"response": text, "target": "a"} for text in ("a", "hostile", "a", "b")]
    judged = score_rows(rows, f"{tmp_path}/slow.py:Slow")
    assert [row["verdict"] for row in judged] == ["correct", "wrong", "correct", "wrong"]
    assert "ran over its limit of 1 s" in judged[1]["reason"]


def test_threads_share_one_pool() -> None:
    def judge(number: int) -> list[bool]:
        rows = [{"response": f"\\boxed{{{number}}}", "target": str(number + wrong)} for wrong in (0, 1)]
        return [row["correct"] for row in score_rows(rows, "math")]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(judge, range(32))) == [[True, False]] * 32


def in_process(answers: Any) -> None:
    answers.put(score_rows(ROWS, "math", target="gold")[0]["correct"])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes(method: str) -> None:
    """Also a fork of a process whose pool runs already."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    score_response("math", "1", "1")
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    process = context.Process(target=in_process, args=(answers,))
    process.start()
    assert answers.get(timeout=120) is True
    process.join(60)
    assert process.exitcode == 0


def test_numbers_that_pandas_leaves_out_are_no_answers() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([{"question": "2 + 2?", "answer": text, "response": "4"} for text in ("#### 4", None)])
    assert list(score_rows(frame.fillna(float("nan")), "gsm8k")["verdict"]) == ["correct", "failed"]
