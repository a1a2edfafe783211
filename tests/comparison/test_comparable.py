"""What is refused, what is compared all the same where it is asked for, and what is said about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO
from made_runs import made_run, one_sample

import skythought as st

TASK = """\
dataset_path: {rows}
prompt: "{prompt}"
target: {target}
scorer: {scorer}
report_by: [kind]
"""


def echo_run(tmp_path: Path, name: str, *, rows: int = 12, **changes: Any) -> Path:
    """A run without a model, of a task of sums; `changes` are of the task's file or of the run."""
    folder = tmp_path / name
    folder.mkdir()
    first = changes.pop("first", 0)
    lines = [
        {"a": n, "b": 2, "sum": n + 2, "other": n + 3, "kind": "even" if n % 2 == 0 else "odd"}
        for n in range(first, first + rows)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    filled = {"rows": "rows.jsonl", "prompt": "Add {{ a }} and {{ b }}.", "target": "sum", "scorer": "math"}
    filled |= {key: changes.pop(key) for key in list(changes) if key in filled}
    task = folder / "sums.yaml"
    task.write_text(TASK.format(**filled), encoding="utf-8")
    options: dict[str, Any] = {"model": "echo", "backend": ECHO, "sampling_params": {"temperature": 1.0}, "n": 2}
    try:
        return st.evaluate(str(task), **{**options, **changes}, result_dir=folder).path
    except st.BackendError:
        return next(folder.glob("echo_*"))


def test_runs_of_one_task_compare_with_another_seed(tmp_path: Path) -> None:
    comparison = st.compare(echo_run(tmp_path, "a"), echo_run(tmp_path, "b", seed=7))
    [task] = comparison.pairs[0].tasks
    assert task.estimate.problems == 12
    assert [one.name for one in task.differences] == ["seed"]
    assert task.notes == ()
    assert {(subset.column, subset.value, subset.problems) for subset in task.subsets} == {
        ("kind", "even", 6),
        ("kind", "odd", 6),
    }
    assert all(subset.p_adjusted >= subset.p for subset in task.subsets)
    assert task.length is not None


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"rows": 8}, "problems", r"the same problems: 8 in both, 4 only in seed=1;?"),
        ({"end": 8}, "problems", r"8 in both, 4 only in seed=1"),
        ({"prompt": "Sum {{ a }} and {{ b }}."}, "prompts", r"the prompts of 12 of 12 problems differ \(first: '0'\)"),
        ({"target": "other"}, "targets", r"the targets of 12 of 12 problems differ"),
        ({"scorer": "{math: {kind: integer}}"}, "scorer", r"scorer math in seed=1, .*integer.* in seed=2"),
    ],
)
def test_what_is_not_comparable_is_refused_unless_asked(
    tmp_path: Path, changes: dict[str, Any], kind: str, message: str
) -> None:
    runs = echo_run(tmp_path, "a", seed=1), echo_run(tmp_path, "b", seed=2, **changes)
    with pytest.raises(st.UserError, match=message) as refused:
        st.compare(*runs)
    assert f"allow='{kind}': " in str(refused.value)
    assert "\n" not in str(refused.value)
    task = st.compare(*runs, allow=kind).pairs[0].tasks[0]
    assert task.estimate.problems == (8 if kind == "problems" else 12)
    assert any(note.endswith("(allowed)") for note in task.notes)


def test_a_scorer_written_in_another_way_is_the_same(tmp_path: Path) -> None:
    runs = echo_run(tmp_path, "a"), echo_run(tmp_path, "b", scorer="{math: {}}", seed=1)
    assert st.compare(*runs).pairs[0].tasks[0].notes == ()


def test_all_that_differs_is_told_at_once(tmp_path: Path) -> None:
    runs = echo_run(tmp_path, "a"), echo_run(tmp_path, "b", rows=8, target="other", seed=1)
    with pytest.raises(st.UserError, match="problems.*; the targets of 8 of 8.*allow=.problems,targets"):
        st.compare(*runs)
    with pytest.raises(st.UserError, match="cannot compare .*: the targets of 8.*allow=.problems,targets"):
        st.compare(*runs, allow=["problems"])
    assert st.compare(*runs, allow="problems, targets").pairs[0].overall.problems == 8


def test_other_problems_altogether_have_nothing_in_common(tmp_path: Path) -> None:
    runs = echo_run(tmp_path, "a"), echo_run(tmp_path, "b", first=100, seed=1)
    with pytest.raises(st.UserError, match="0 in both, 12 only in seed=41, 12 only in seed=1"):
        st.compare(*runs)
    with pytest.raises(st.UserError, match="they have no problem in common"):
        st.compare(*runs, allow="problems,prompts,targets,scorer")


def test_a_problem_under_another_number_is_recognised_by_its_text(tmp_path: Path) -> None:
    runs = echo_run(tmp_path, "a"), echo_run(tmp_path, "b", first=4, rows=8, seed=1)
    task = st.compare(*runs, allow="problems").pairs[0].tasks[0]
    assert task.estimate.problems == 8
    assert any("8 problems have another id in seed=1" in note for note in task.notes)


def test_other_settings_of_the_model_are_no_reason_to_refuse(tmp_path: Path) -> None:
    runs = echo_run(tmp_path, "a"), echo_run(tmp_path, "b", system_prompt="Think.", user_template="Q: {}")
    task = st.compare(*runs).pairs[0].tasks[0]
    assert task.notes == ()
    assert {"model.system_prompt", "model.user_template"} <= {one.name for one in task.differences}


def test_verdicts_of_another_version_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = echo_run(tmp_path, "a")
    with monkeypatch.context() as patched:
        patched.setattr("skythought.pipeline.score.versions", lambda: {"skythought": "0.1.0"})
        second = echo_run(tmp_path, "b", seed=1)
    with pytest.raises(
        st.UserError, match=r"other scorers: skythought \d.* in seed=41, 0\.1\.0 in seed=1.*skythought score"
    ):
        st.compare(first, second)
    st.score(str(tmp_path / "b" / "sums.yaml"), second)
    assert st.compare(first, second).pairs[0].tasks[0].notes == ()


def test_an_unfinished_run_is_compared_on_what_is_there(tmp_path: Path) -> None:
    whole = echo_run(tmp_path, "a")
    part = echo_run(tmp_path, "b", backend_args={"die_after": 9}, batch_size=1)
    with pytest.raises(st.UserError, match=r"no problem is scored in both yet|skythought score"):
        generated = tmp_path / "c"
        st.compare(
            whole, st.generate(str(tmp_path / "a" / "sums.yaml"), model="echo", backend=ECHO, result_dir=generated)
        )
    st.score(str(tmp_path / "b" / "sums.yaml"), part)
    task = st.compare(whole, part, names=["whole", "part"]).pairs[0].tasks[0]
    assert task.estimate.problems == 5
    assert [run.missing for run in task.runs] == [0, 15]
    assert any("part is unfinished: 15 of 24 samples" in note for note in task.notes)
    assert any("5 of 12 problems are compared" in note for note in task.notes)


def test_failed_samples_are_not_counted_and_that_is_said(tmp_path: Path) -> None:
    runs = echo_run(tmp_path, "a"), echo_run(tmp_path, "b", backend_args={"fail": "3"})
    task = st.compare(*runs, names=["sound", "failing"]).pairs[0].tasks[0]
    assert task.estimate.problems == 11
    assert task.runs[1].failed == 2
    assert "2 of 24 samples of failing failed, and are not counted" in task.notes


def test_answers_that_were_cut_off_are_counted_apart(tmp_path: Path) -> None:
    cut = {"sampling_params": {"temperature": 1.0, "max_tokens": 3}}
    task = st.compare(echo_run(tmp_path, "a"), echo_run(tmp_path, "b", **cut)).pairs[0].tasks[0]
    rates = {rate.name: (rate.first, rate.second) for rate in task.rates}
    assert rates["cut off"] == (0.0, 1.0)
    assert task.length is not None
    assert task.length.second == 3


def test_a_folder_of_the_reference_is_compared_with_one_of_ours(tmp_path: Path) -> None:
    ours = echo_run(tmp_path, "a", rows=10)
    prompts = [f"Add {n} and 2." for n in range(10)]
    theirs = made_run(tmp_path / "theirs", one_sample(6, 4), prompts=prompts)
    task = st.compare(ours, theirs).pairs[0].tasks[0]
    assert task.estimate.problems == 10
    assert {subset.value for subset in task.subsets} == {"even", "odd"}
    assert "theirs does not record what scored it" in task.notes
    assert {rate.name: rate.second for rate in task.rates} == {"cut off": None, "unparsed": None}


def test_two_folders_of_the_reference_with_other_problems_are_refused(tmp_path: Path) -> None:
    first = made_run(tmp_path / "a", one_sample(6, 4))
    second = made_run(tmp_path / "b", one_sample(6, 4), prompts=[f"Another question {n}" for n in range(10)])
    with pytest.raises(st.UserError, match="0 in both, 10 only in a, 10 only in b"):
        st.compare(first, second)


def test_a_damaged_folder_is_one_line(tmp_path: Path) -> None:
    first, second = made_run(tmp_path / "a", one_sample(6, 4)), made_run(tmp_path / "b", one_sample(6, 4))
    (second / "results.json").write_text('{"0": {"responses": 7}}', encoding="utf-8")
    with pytest.raises(st.RunFolderError, match="results.json: entry '0': `responses` is no list"):
        st.compare(first, second)


def test_two_runs_of_other_tasks_are_refused_with_both_names(tmp_path: Path) -> None:
    first = made_run(tmp_path / "base", [[True]] * 4, task="law")
    second = made_run(tmp_path / "tuned", [[True]] * 4, task="maths", prompts=["a", "b", "c", "d"])
    with pytest.raises(st.UserError, match=r"cannot compare base with tuned on law, which is maths there: "):
        st.compare(first, second)
