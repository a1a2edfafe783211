"""`score` on our folders, on folders of the reference, and on results that a user has rewritten."""

import json
from pathlib import Path

import pytest
from echo import ECHO

import skythought as st

ROWS = [
    {"question": "What is 2+3?", "answer": "2+3=<<2+3=5>>5\n#### 5"},
    {"question": "What is 10*120?", "answer": "10*120=1200\n#### 1,200"},
    {"question": "What is 7-9?", "answer": "7-9=-2\n#### -2"},
]
ANSWERS = [
    ["The final answer is 5", "so \\boxed{6}"],
    ["The final answer is 1200.", "The final answer is $1,200"],
    ["<think>\nperhaps -2, \\boxed{-2}", "I cannot say"],
]
CORRECT = [[True, False], [True, True], [False, False]]


@pytest.fixture
def reference_folder(tmp_path):
    """A run as the reference leaves it: results.json by json.dump(indent=4), a summary, nothing else."""
    records = {}
    for index, (row, answers) in enumerate(zip(ROWS, ANSWERS, strict=True)):
        records[str(index)] = {
            **row,
            "_index": str(index),
            "prompt": row["question"],
            "input_conversation": [{"role": "user", "content": row["question"]}],
            "responses": [{"content": answer, "correctness": None, "reason": None} for answer in answers],
            "token_usages": [
                {"completion_tokens": 10, "prompt_tokens": 20},
                {"completion_tokens": 30, "prompt_tokens": 20},
            ],
        }
    summary = {
        "configuration": {"task": {"name": "gsm8k"}, "sampling_params": {"n": 2}},
        "total_completion_tokens": 0,
        "avg_completion_tokens": 0.0,
        "total_prompt_tokens": 0,
        "avg_prompt_tokens": 0.0,
        "accuracy": 0.0,
        "pass_at_k": None,
    }
    folder = tmp_path / "model_gsm8k_abcdef"
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(records, indent=4, ensure_ascii=False), encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps(summary, indent=4), encoding="utf-8")
    return folder


def verdicts(folder):
    records = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return [[entry["correctness"] for entry in record["responses"]] for record in records.values()]


def test_a_folder_of_the_reference_is_scored(reference_folder):
    run = st.score("gsm8k", reference_folder)
    assert verdicts(reference_folder) == CORRECT
    assert run.accuracy == 0.5
    assert run.pass_at_k == {"k=2": 66.667, "k=1": 50.0}
    assert run.summary["total_completion_tokens"] == 120
    assert run.summary["avg_prompt_tokens"] == 20.0
    assert run.summary["configuration"]["sampling_params"] == {"n": 2}
    assert [sample.verdict for sample in run][-2:] == ["unparsed", "unparsed"]


def test_only_the_given_ids_are_scored(reference_folder):
    st.score("gsm8k", reference_folder, ids=[1])
    assert verdicts(reference_folder) == [[None, None], [True, True], [None, None]]


def test_an_unknown_id_changes_nothing(reference_folder):
    before = (reference_folder / "results.json").read_bytes()
    with pytest.raises(st.UserError, match="no problem '77'"):
        st.score("gsm8k", reference_folder, ids=["1", "77"])
    assert (reference_folder / "results.json").read_bytes() == before


def test_broken_results_are_one_line_and_stay_as_they_are(reference_folder):
    path = reference_folder / "results.json"
    path.write_bytes(path.read_bytes()[:-30])
    before = path.read_bytes()
    with pytest.raises(st.RunFolderError, match="not a whole JSON object"):
        st.score("gsm8k", reference_folder)
    assert path.read_bytes() == before
    assert not list(reference_folder.glob("*.tmp"))


def test_results_rewritten_by_the_user_are_scored_as_they_stand(run_copy, caplog):
    path = run_copy / "results.json"
    records = json.loads(path.read_text(encoding="utf-8"))
    for record in records.values():
        for entry in record["responses"]:
            entry["content"] = f"\\boxed{{{record['answer']}}}"
            entry["correctness"] = False
    path.write_text(json.dumps(records, indent=4), encoding="utf-8")
    run = st.score("arithmetic", run_copy)
    assert "results.json was changed since it was made" in caplog.text
    assert run.accuracy == 1.0
    assert {sample.correct for sample in run} == {True}
    again = st.score("arithmetic", run_copy)
    assert again.accuracy == 1.0, "the user's texts are still there"


@pytest.mark.parametrize("change", [lambda text: text.replace("Find", "find"), lambda text: text[:99], lambda text: ""])
def test_continuing_keeps_what_the_user_changed_and_goes_on_from_the_journal(run_copy, caplog, change):
    path = run_copy / "results.json"
    before = path.read_bytes()
    settings = {"model": "echo", "backend": ECHO, "sampling_params": {"temperature": 1.0, "max_tokens": 256}}
    for name in ("results.json.changed", "results.json.changed.1"):
        path.write_text(change(before.decode()), encoding="utf-8")
        changed = path.read_bytes()
        st.evaluate("arithmetic", **settings, n=2, end=8, resume_from=run_copy)
        assert f"moved aside to {name}," in caplog.text
        assert (run_copy / name).read_bytes() == changed
        assert path.read_bytes() == before


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"\xff\n \n")])
def test_what_tells_of_changes_may_be_lost(run_copy, damage):
    before = (run_copy / "results.json").read_bytes()
    damage(run_copy / ".derived")
    settings = {"model": "echo", "backend": ECHO, "sampling_params": {"temperature": 1.0, "max_tokens": 256}}
    st.evaluate("arithmetic", **settings, n=2, end=8, resume_from=run_copy)
    assert (run_copy / "results.json").read_bytes() == before


def test_scoring_again_gives_the_same_file(run_copy):
    before = (run_copy / "results.json").read_bytes()
    st.score("arithmetic", run_copy)
    st.score("arithmetic", run_copy, ids=["3"])
    assert (run_copy / "results.json").read_bytes() == before


def test_a_killed_score_goes_on_where_it_was(run_copy):
    before = (run_copy / "results.json").read_bytes()
    st.score("arithmetic", run_copy)
    journal = (run_copy / "scores.jsonl").read_bytes().splitlines(keepends=True)
    (run_copy / "scores.jsonl").write_bytes(b"".join(journal[:-5]))
    st.score("arithmetic", run_copy)
    after = (run_copy / "scores.jsonl").read_bytes().splitlines()
    assert len(after) == len(journal), "only the five missing ones were scored"
    assert (run_copy / "results.json").read_bytes() == before


def test_a_corrected_task_is_applied_to_the_frozen_rows(run_copy, tmp_path):
    """The user finds that the answers in the column are off by one, and says so in the task."""
    task = tmp_path / "arithmetic.yaml"
    task.write_text(
        "dataset_path: unused.jsonl\nprompt: '{{ question }}'\nanswer_key: answer\ntarget: \"'wrong'\"\nscorer: math\n",
        encoding="utf-8",
    )
    (tmp_path / "unused.jsonl").write_text("", encoding="utf-8")
    run = st.score(str(task), run_copy)
    assert run.accuracy == 0.0


def test_another_tasks_run_is_refused(run_copy):
    with pytest.raises(st.UserError, match=r"the run was made for task 'arithmetic'; give task='arithmetic'"):
        st.score("gsm8k", run_copy)


def test_a_scorer_that_hangs_or_breaks_costs_one_sample(reference_folder, tmp_path):
    scorer = tmp_path / "mine.py"
    scorer.write_text(
        """
import os, time
from dataclasses import dataclass
from typing import ClassVar
from skythought.scorers.base import Scorer
from skythought.types import Score

@dataclass(frozen=True)
class Mine(Scorer):
    timeout_s: ClassVar[float] = 3.0
    def score(self, problem, answer):
        if problem.id == "0":
            while True:
                pass
        if problem.id == "1":
            raise RuntimeError("a bug")
        if answer.startswith("I cannot"):
            os._exit(1)
        return Score(True, "fine", answer)
""",
        encoding="utf-8",
    )
    task = tmp_path / "gsm8k.yaml"
    task.write_text(
        "dataset_path: unused.jsonl\nprompt: '{{ question }}'\ntarget: answer\nscorer: mine.py:Mine\n", encoding="utf-8"
    )
    (tmp_path / "unused.jsonl").write_text("", encoding="utf-8")
    run = st.score(str(task), reference_folder)
    found = [(sample.problem_id, sample.verdict) for sample in run]
    assert found == [
        ("0", "wrong"),
        ("0", "wrong"),
        ("1", "failed"),
        ("1", "failed"),
        ("2", "unparsed"),
        ("2", "failed"),
    ]
    reasons = {sample.reason for sample in run}
    assert any("ran over its limit of 3 s" in reason for reason in reasons)
    assert any("RuntimeError: a bug" in reason for reason in reasons)
    assert any("its process died" in reason for reason in reasons)


def test_numbers_that_are_no_numbers_are_survived(reference_folder):
    """The reference writes bare NaN, which no strict parser takes."""
    path = reference_folder / "results.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"_index"', '"score": NaN, "_index"'), encoding="utf-8")
    (reference_folder / "summary.json").write_text('{"configuration": {"x": NaN}}', encoding="utf-8")
    assert st.score("gsm8k", reference_folder).accuracy == 0.5


def test_thinking_that_the_prompt_opened_stays_open_in_rewritten_results(run_copy):
    """The chat template opened the thinking, the response never closed it: no answer, from either file."""
    journal = [json.loads(line) for line in (run_copy / "responses.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in journal:
        line.update(thinking_open=True, content="perhaps \\boxed{32}")
        del line["crc"]
    text = "".join(json.dumps(line) + "\n" for line in journal)
    (run_copy / "responses.jsonl").write_text(text, encoding="utf-8")
    assert st.score("arithmetic", run_copy).accuracy == 0.0
    path = run_copy / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=4), encoding="utf-8")
    assert {sample.verdict for sample in st.score("arithmetic", run_copy)} == {"unparsed"}


SCORER = """
from dataclasses import dataclass
from skythought.scorers.base import Scorer
from skythought.types import Score

@dataclass(frozen=True)
class Mine(Scorer):
    def score(self, problem, answer):
        {body}
"""


def own_task(tmp_path, body, name="arithmetic"):
    (tmp_path / "mine.py").write_text(SCORER.format(body=body), encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text('{"question": "1+1", "answer": "2"}\n', encoding="utf-8")
    task = tmp_path / f"{name}.yaml"
    task.write_text(
        "dataset_path: rows.jsonl\nprompt: '{{ question }}'\nanswer_key: answer\ntarget: answer\n"
        "scorer: mine.py:Mine\n",
        encoding="utf-8",
    )
    return str(task)


@pytest.mark.parametrize(
    "body", ["return True", "return None", "return Score('yes', 'r')", "return Score(True, 'r', details={'s': {1}})"]
)
def test_a_scorer_that_returns_nonsense_fails_the_sample_not_the_run(run_copy, tmp_path, body):
    run = st.score(own_task(tmp_path, body), run_copy)
    assert {sample.verdict for sample in run} == {"failed"}


def test_a_mended_scorer_judges_all_anew(run_copy, tmp_path):
    broken = "\n        ".join(["if problem.id == '3': raise ValueError", "return Score(True, 'old', answer)"])
    st.score(own_task(tmp_path, broken), run_copy)
    run = st.score(own_task(tmp_path, "return Score(True, 'new', answer)"), run_copy)
    assert {sample.reason for sample in run} == {"new"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def (", "SyntaxError"),
        ("Mine = 3", "must be a class that derives from"),
        ("class Mine: pass", "must be a class that derives from"),
    ],
)
def test_a_broken_scorer_file_is_one_line(run_copy, tmp_path, text, says):
    task = own_task(tmp_path, "return None")
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    with pytest.raises(st.UserError, match=says):
        st.score(task, run_copy)


@pytest.mark.parametrize("text", ["{}", "[]", "not json"])
def test_a_damaged_manifest_is_one_line(run_copy, text):
    (run_copy / "run.json").write_text(text, encoding="utf-8")
    (run_copy / ".run.json").unlink()
    with pytest.raises(st.RunFolderError, match="is damaged"):
        st.score("arithmetic", run_copy)
