"""`model_graded` in whole runs: an engine that answers by rule is model and judge, and writes down what it is asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rule_backend import NAME as RULES

import skythought as st
from skythought.errors import BackendError, UserError
from skythought.grading.rewards import reward
from skythought.grading.rows import score_rows
from skythought.scorers.registry import make_scorer
from skythought.types import Problem, Score

TASK = "dataset_path: rows.jsonl\nquestion_key: q\nprompt: '{{ q }}'\ntarget: a\nscorer: model_graded\n"
ROWS = [
    {"q": "Say four", "a": "four", "hint": "a number"},
    {"q": "Say five", "a": "six", "hint": "a number"},
    {"q": "Be vague", "a": "clear", "hint": "a word"},
    {"q": "Say ten", "a": "ten", "hint": "a number"},
]
TAGS = "<reference>\n{{ target }}\n</reference>\n<answer>\n{{ answer }}\n</answer>"
JUDGED: dict[str, Any] = {"model": "any", "backend": RULES, "batch_size": 1}
UNCLEAR = "the judge's reply is none of CORRECT, INCORRECT: 'Hard to tell.'"

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the task down, with these arguments of the scorer; its path."""

    def write_task(**args: Any) -> str:
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
        file = tmp_path / "say.yaml"
        text = TASK.replace("model_graded", json.dumps({"model_graded": args}))
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write_task


def asked(log: Path) -> Counter[str]:
    """How often the engine was asked what: `judge 0` is a question to the judge about problem 0."""
    return Counter(log.read_text().splitlines()) if log.exists() else Counter()


def each(**counts: int) -> Counter[str]:
    """Each problem so often, by whom."""
    return Counter({f"{who} {number}": count for who, count in counts.items() for number in range(len(ROWS))})


def verdicts(run: st.Run) -> list[str | None]:
    return [sample.verdict for sample in run]


def test_a_model_is_its_own_judge(write: Write, tmp_path: Path) -> None:
    args = {"log": str(tmp_path / "log")}
    run = st.evaluate(write(), **JUDGED, backend_args=args, result_dir=tmp_path)
    assert verdicts(run) == ["correct", "wrong", "failed", "correct"]
    first, _, vague, _ = run
    assert (first.reason, first.answer) == ("the judge says CORRECT", "four")
    assert first.details["reply"] == "They say ['four', 'four'].\n**CORRECT**"
    assert vague.reason == UNCLEAR
    assert run.accuracy == pytest.approx(2 / 3, abs=1e-4)
    assert asked(tmp_path / "log") == each(model=1, judge=1)
    replies = [json.loads(line) for line in (run.path / "replies.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(reply["id"], reply["question"], reply["completion_tokens"]) for reply in replies] == [
        (str(number), 0, 9) for number in range(4)
    ]


def test_an_unclear_reply_is_not_asked_again_until_the_judge_changes(write: Write, tmp_path: Path) -> None:
    args = {"log": str(tmp_path / "log")}
    st.evaluate(write(), **JUDGED, backend_args=args, result_dir=tmp_path)
    run = st.evaluate(write(), **JUDGED, backend_args=args, result_dir=tmp_path, resume=True)
    assert verdicts(run) == ["correct", "wrong", "failed", "correct"]
    assert asked(tmp_path / "log") == each(model=1, judge=1)
    warmer = {"judge_sampling_params": {"temperature": 0.5}}
    st.evaluate(write(), **JUDGED, **warmer, backend_args=args, result_dir=tmp_path, resume=True)
    assert asked(tmp_path / "log") == each(model=1, judge=2)


def test_another_judge_and_generate_then_score(write: Write, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    judge = {"judge_model": "strict", "judge_backend": RULES, "judge_backend_args": {"log": str(other)}}
    run = st.evaluate(write(), **JUDGED, **judge, backend_args={"log": str(own)}, result_dir=tmp_path / "a")
    assert (asked(own), asked(other)) == (each(model=1), each(judge=1))
    made = st.generate(write(), **JUDGED, result_dir=tmp_path / "b")
    with pytest.raises(UserError, match="^the task's scorer asks a model: name it with judge_model.$"):
        st.score(write(), made.path)
    scored = st.score(write(), made.path, **judge)
    assert verdicts(scored) == verdicts(run)
    assert asked(other) == each(judge=2)
    again = st.score(write(), made.path, **judge)
    assert asked(other) == each(judge=2), "the same judge was asked the same again"
    assert [(sample.verdict, sample.reason) for sample in again] == [(sample.verdict, sample.reason) for sample in run]


def test_a_changed_prompt_is_asked_anew(write: Write, tmp_path: Path) -> None:
    args = {"log": str(tmp_path / "log")}
    run = st.evaluate(write(), **JUDGED, backend_args=args, result_dir=tmp_path)
    task = write(prompt=f"{{{{ row.hint }}}}: same?\n{TAGS}")
    again = st.evaluate(task, **JUDGED, backend_args=args, result_dir=tmp_path, resume=True)
    assert again.path == run.path
    assert asked(tmp_path / "log") == each(model=1, judge=2)
    assert verdicts(again) == ["correct", "wrong", "failed", "correct"]


def test_a_corrected_target_is_asked_anew(write: Write, tmp_path: Path) -> None:
    args = {"log": str(tmp_path / "log")}
    run = st.generate(write(), **JUDGED, result_dir=tmp_path)
    judge = {"judge_model": "any", "judge_backend": RULES, "judge_backend_args": args}
    task = Path(write())
    task.write_text(TASK.replace("target: a", "target: q.split()[-1]"), encoding="utf-8")
    assert verdicts(st.score(str(task), run.path, **judge)) == ["correct", "correct", "failed", "correct"]


def test_an_engine_that_dies_while_judging_loses_no_reply(write: Write, tmp_path: Path) -> None:
    args = {"log": str(tmp_path / "log")}
    with pytest.raises(BackendError, match="the engine died"):
        st.evaluate(write(), **JUDGED, backend_args={**args, "die_at": 6}, result_dir=tmp_path)
    assert sum(asked(tmp_path / "log").values()) == 6
    run = st.evaluate(write(), **JUDGED, backend_args=args, result_dir=tmp_path, resume=True)
    assert asked(tmp_path / "log") == each(model=1, judge=1)
    assert verdicts(run) == ["correct", "wrong", "failed", "correct"]


def test_a_request_to_the_judge_that_failed_is_asked_again(write: Write, tmp_path: Path) -> None:
    args = {"log": str(tmp_path / "log")}
    run = st.evaluate(write(), **JUDGED, backend_args={**args, "fail_at": 4}, result_dir=tmp_path)
    assert verdicts(run) == ["failed", "wrong", "failed", "correct"]
    assert next(iter(run)).reason == "the judge failed: ValueError: no reply"
    again = st.evaluate(write(), **JUDGED, backend_args=args, result_dir=tmp_path, resume=True)
    assert verdicts(again) == ["correct", "wrong", "failed", "correct"]
    assert asked(tmp_path / "log") == each(model=1, judge=1)


def test_the_judges_sampling_is_checked_before_anything_starts(write: Write, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sampling parameter 'top_k' is not supported"):
        st.evaluate(write(), **JUDGED, judge_sampling_params={"top_k": 5}, result_dir=tmp_path)


def test_a_run_that_is_killed_while_judging_pays_nothing_twice(cli: Any, write: Write, tmp_path: Path) -> None:
    def command(**args: Any) -> list[str]:
        given = ",".join(f"{name}={value}" for name, value in {"log": tmp_path / "log", **args}.items())
        options = f"--task {write()} --model any --batch-size 1 --backend {RULES} --backend-args {given}"
        return ["evaluate", *options.split()]

    killed = cli(*command(kill_at=6))
    assert killed.returncode == -9
    done = cli(*command(), "--resume")
    assert done.returncode == 0, done.stderr
    assert "1 samples failed" in done.stdout
    assert asked(tmp_path / "log") == each(model=1, judge=1)


def test_an_empty_answer_is_unparsed_and_nobody_is_asked(tmp_path: Path) -> None:
    scorer = make_scorer("model_graded", {})
    problem = Problem("0", "Say nothing", "nothing")
    assert list(scorer.questions(problem, " \n")) == []  # type: ignore[attr-defined]
    assert scorer.score(problem, " \n").answer is None


PROBLEM = Problem("0", "What is 2 + 2?", "4", ("3", "4"), {"unit": "apples"})


def said(reply: str, **args: Any) -> Score:
    scorer: Any = make_scorer("model_graded", args)
    return scorer.score(PROBLEM, "four", [reply])


@pytest.mark.parametrize(
    ("reply", "correct"),
    [
        ("CORRECT", True),
        ("The two say the same.\n\n**Correct.**\n", True),
        ("Verdict: INCORRECT", False),
        ("It looks INCORRECT at first.\nCORRECT", True),
        ("CORRECT, CORRECT", True),
        ("CORRECT\nI hope this helps!", None),
        ("The answer is not CORRECT.", None),
        ("It isn't quite correct", None),
        ("CORRECT or INCORRECT", None),
        ("semi-correct", None),
        ("CORRECTLY", None),
        ("", None),
    ],
)
def test_the_last_line_decides(reply: str, correct: bool | None) -> None:
    assert said(reply).correct is correct


def test_replies_of_ones_own() -> None:
    words = {"YES": True, "PARTLY CORRECT": False, "CORRECT": True}
    assert said("yes", replies=words).correct is True
    assert said("Partly correct", replies=words).correct is False
    assert said("Yes, correct", replies=words).correct is True


def test_a_pattern_finds_the_reply_anywhere() -> None:
    args = {"replies": {"A": True, "B": False}, "pattern": r"grade: *(\w)"}
    assert said("Grade: a\nA pleasure.", **args).correct is True
    assert said("GRADE: B, for A is another", **args).correct is False
    assert said("Grade: A\nNo. Grade: B", **args).correct is None
    assert said("Grade: C", **args).reason == "the judge's reply is none of A, B: 'Grade: C'"


def test_the_record_keeps_the_end_of_a_long_reply() -> None:
    details = said("so " * 10_000 + "\nCORRECT").details
    assert len(details["reply"]) == 2_000
    assert details["reply"].endswith("\nCORRECT")


def test_the_default_prompt_names_the_allowed_replies() -> None:
    scorer: Any = make_scorer("model_graded", {"replies": {"YES": True, "NO": False}})
    [question] = scorer.questions(PROBLEM, "{{ target }}")
    assert question.endswith("YES if it says the same, NO if it does not.")
    for part in ("\nWhat is 2 + 2?\n", "\n4\n", "\n{{ target }}\n"):
        assert part in question


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"prompt": "{{ answer"}, "prompt, line 1: unexpected end of template"),
        ({"prompt": "{{ answer | backwards }}"}, "prompt, line 1: No filter named 'backwards'"),
        ({"prompt": "{{ answr }}"}, "unknown name in the prompt of scorer model_graded 'answr'. Did you mean 'answer'"),
        ({"prompt": "Well?"}, "it must show the judge the {{ answer }}"),
        ({"replies": {}}, "give at least one word that means right"),
        ({"replies": {"A": True}}, "give at least one word that means right"),
        ({"replies": {"A": True, "a": False}}, "a word is empty or stands twice: A, a"),
        ({"replies": {True: True, False: False}}, "YAML wants 'YES' and 'NO' in quotes"),
        ({"replies": {"A": True, "B": "perhaps"}}, "replies.B: Input should be a valid boolean"),
        ({"pattern": "grade: C"}, "must have one group"),
        ({"pattern": "("}, "pattern '\\('"),
        ({"patern": "(.)"}, "Did you mean 'pattern'"),
    ],
)
def test_mistakes_are_told_before_anything_is_asked(args: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        make_scorer("model_graded", args)


def test_a_prompt_runs_no_code_of_its_own() -> None:
    for prompt in ("{{ answer.__class__.__mro__ }}", "{{ answer }}{{ row.update(x=1) }}"):
        scorer: Any = make_scorer("model_graded", {"prompt": prompt})
        with pytest.raises(Exception, match="unsafe|undefined|not safely callable"):
            scorer.questions(PROBLEM, "four")


def test_a_column_that_is_not_there_fails_the_sample_and_is_told_by_the_check(write: Write, tmp_path: Path) -> None:
    task = write(prompt=f"{{{{ row.hnit }}}}\n{TAGS}")
    run = st.evaluate(task, **JUDGED, backend_args={"log": str(tmp_path / "log")}, result_dir=tmp_path)
    assert set(verdicts(run)) == {"failed"}
    assert "has no attribute 'hnit'" in (next(iter(run)).reason or "")
    report = st.check_task(task)
    assert not report.ok
    assert "problem 0: the judge cannot be asked: UndefinedError" in str(report.findings[0])


def test_a_task_cannot_prove_itself_without_a_judge_and_says_so(write: Write) -> None:
    task = Path(write())
    for text in (TASK, TASK + "solution: a\n"):
        task.write_text(text, encoding="utf-8")
        report = st.check_task(str(task))
        assert report.ok
        [finding] = report.findings
        assert str(finding).startswith("say.yaml:5: warning: scorer model_graded asks a model: without a judge it")


def test_rows_and_rewards_have_no_judge(write: Write) -> None:
    for name in ("model_graded", write()):
        for made in (lambda name=name: score_rows(ROWS, name, response="q"), lambda name=name: reward(name)):
            with pytest.raises(UserError, match=r"asks a model, which rows alone cannot: .*judge_model\.$"):
                made()


@pytest.mark.engine
def test_the_tiny_model_judges_itself(tmp_path: Path) -> None:
    """It can do nothing but sums, so it is asked the problem again: whoever boxes something says "right"."""
    scorer = {"prompt": "{{ question }}{{ answer[:0] }}", "replies": {"boxed": True, "nothing": False}}
    run = st.evaluate(
        "arithmetic",
        model="tiny",
        backend="transformers",
        sampling_params={"max_tokens": 256},
        task_args={"scorer": {"model_graded": {**scorer, "pattern": r"\\(boxed)"}}},
        end=2,
        result_dir=tmp_path,
    )
    assert verdicts(run) == ["correct"] * 2
    replies = [json.loads(line) for line in (run.path / "replies.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(replies) == 2
    assert all(reply["completion_tokens"] > 0 for reply in replies)
