"""Gate files: what must be shown, limits, and the mistakes that people make in YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_runs import made_run, one_sample

import skythought as st
from skythought.comparison.gate import check_policy, read_policy


def checked(tmp_path: Path, policy: str, comparison: st.Comparison) -> dict[str, bool]:
    file = tmp_path / "gate.yaml"
    file.write_text(policy, encoding="utf-8")
    return {check.what: check.passed for check in check_policy(comparison, read_policy(file))}


def one_task(tmp_path: Path, first: tuple[int, int], second: tuple[int, int], **options: Any) -> st.Comparison:
    runs = made_run(tmp_path / "base", one_sample(*first)), made_run(tmp_path / "tuned", one_sample(*second), **options)
    return st.compare(*runs)


@pytest.mark.parametrize(
    ("first", "second", "passed"),
    [
        ((15, 15), (15, 15), False),  # nothing was lost, but 30 problems show nothing
        ((900, 900), (900, 900), True),
        ((900, 900), (800, 1000), False),
        ((900, 900), (1000, 800), True),
    ],
)
def test_that_no_more_is_lost_must_be_shown(
    tmp_path: Path, first: tuple[int, int], second: tuple[int, int], passed: bool
) -> None:
    comparison = one_task(tmp_path, first, second)
    [(what, found)] = checked(tmp_path, "every_task: {no_loss_over: 1}", comparison).items()
    assert found is passed
    assert what.startswith("sums: ")
    assert what.endswith("a loss over 1 is ruled out" if passed else " is not ruled out, and 1 at most is allowed")


def test_what_must_win_must_be_shown_to_win(tmp_path: Path) -> None:
    slightly = one_task(tmp_path / "1", (15, 15), (17, 13))
    clearly = one_task(tmp_path / "2", (15, 15), (27, 3))
    for policy in ("must_win: [sums]", "tasks: {sums: {must_win: true}}", "every_task: {must_win: true}"):
        assert list(checked(tmp_path, policy, slightly).values()) == [False]
        assert list(checked(tmp_path, policy, clearly).values()) == [True]


def test_a_task_of_its_own_limits_goes_before_every_task(tmp_path: Path) -> None:
    comparison = one_task(tmp_path, (15, 15), (15, 15))
    policy = "every_task: {no_loss_over: 1}\ntasks: {sums: {no_loss_over: 50}}"
    assert list(checked(tmp_path, policy, comparison).values()) == [True]


def test_limits_on_answers(tmp_path: Path) -> None:
    base = made_run(tmp_path / "base", one_sample(5, 5), response={"finish_reason": "stop", "answer": "1"})
    cut = made_run(tmp_path / "cut", one_sample(5, 5), response={"finish_reason": "length", "answer": "1"})
    for limit, passed in {
        "cut_off: 100": True,
        "cut_off: 99": False,
        "cut_off_more: 10": False,
        "unparsed: 0": True,
    }.items():
        found = checked(tmp_path, f"every_task: {{{limit}}}", st.compare(base, cut))
        assert list(found.values()) == [passed], limit
    [(what, passed)] = checked(tmp_path, "every_task: {longer: 5}", st.compare(base, cut)).items()
    assert (what, passed) == ("sums: answers are 0.0% longer; at most 5% is allowed", True)


def test_what_is_not_recorded_does_not_pass(tmp_path: Path) -> None:
    comparison = one_task(tmp_path, (5, 5), (5, 5))
    [(what, passed)] = checked(tmp_path, "every_task: {unparsed: 50}", comparison).items()
    assert not passed
    assert "it is not recorded" in what


def test_an_unfinished_run_passes_only_where_that_is_allowed(tmp_path: Path) -> None:
    first = made_run(tmp_path / "base", [[True]] * 10)
    second = made_run(tmp_path / "tuned", [[True]] * 8 + [[None]] * 2)
    comparison = st.compare(first, second)
    policy = "every_task: {no_loss_over: 90}"
    found = checked(tmp_path, policy, comparison)
    assert [what for what, passed in found.items() if not passed] == [
        "sums: 2 of 10 samples of tuned have no verdict (unfinished, or failed); at most 0% is allowed"
    ]
    assert all(checked(tmp_path, "every_task: {no_loss_over: 90, missing: 20}", comparison).values())


def test_a_limit_on_missing_samples_alone_is_a_check_for_each_run(tmp_path: Path) -> None:
    comparison = st.compare(made_run(tmp_path / "base", [[True]] * 10), made_run(tmp_path / "tuned", [[True]] * 10))
    found = checked(tmp_path, "every_task: {missing: 5}", comparison)
    assert list(found.values()) == [True, True]
    assert "0 of 10 samples of tuned have no verdict" in list(found)[1]


def test_a_gate_without_a_check_does_not_pass(tmp_path: Path) -> None:
    comparison = one_task(tmp_path, (15, 15), (15, 15))
    with pytest.raises(st.UserError, match="asks nothing of the tasks that are compared"):
        checked(tmp_path, "every_task: {no_loss_over: 1}\ntasks: {sums: {no_loss_over: null}}", comparison)


def test_a_missing_task_fails_and_an_unknown_one_is_a_mistake(tmp_path: Path) -> None:
    for name, tasks in {"base": ("maths", "law"), "tuned": ("maths",)}.items():
        for task in tasks:
            made_run(tmp_path / name / task, one_sample(5, 5), task=task, model=name)
    comparison = st.compare(tmp_path / "base", tmp_path / "tuned")
    found = checked(tmp_path, "every_task: {no_loss_over: 90}", comparison)
    assert found["law: tuned has no run of it"] is False
    with pytest.raises(st.UserError, match="unknown task in the gate file 'math'. Did you mean 'maths'"):
        checked(tmp_path, "must_win: [math]", comparison)


def test_the_mean_of_tasks_has_limits_of_its_own(tmp_path: Path) -> None:
    for name, right in {"base": 20, "tuned": 36}.items():
        for task in ("maths", "law"):
            made_run(tmp_path / name / task, one_sample(right, 40 - right), task=task, model=name)
    comparison = st.compare(tmp_path / "base", tmp_path / "tuned")
    [(what, passed)] = checked(tmp_path, "mean: {must_win: true}", comparison).items()
    assert passed
    assert what.startswith("mean of tasks: must win: +40.0 points")


def test_each_run_is_checked_against_the_first(tmp_path: Path) -> None:
    runs = [made_run(tmp_path / name, one_sample(n, 60 - n)) for name, n in (("a", 30), ("b", 55), ("c", 30))]
    found = checked(tmp_path, "must_win: [sums]", st.compare(*runs))
    assert {what.partition(":")[0]: passed for what, passed in found.items()} == {"b": True, "c": False}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a gate file holds keys and values"),
        ("- a\n", "a gate file holds keys and values"),
        ("every_task: {}\n", "it asks nothing"),
        ("every_tasks: {no_loss_over: 1}\n", "unknown key 'every_tasks'. Did you mean 'every_task'"),
        ("every_task: {no_los_over: 1}\n", "every_task: unknown key 'no_los_over'. Did you mean 'no_loss_over'"),
        ("tasks: {sums: {must_wim: true}}\n", "tasks.sums: unknown key 'must_wim'. Did you mean 'must_win'"),
        ("every_task: {no_loss_over: -1}\n", "no_loss_over: .*greater than or equal to 0.*given: -1"),
        ("every_task: {no_loss_over: 1 point}\n", "no_loss_over: .*number.*given: '1 point'"),
        ("every_task: 1\n", "every_task: "),
        ("every_task: {no_loss_over: 1}\nevery_task: {no_loss_over: 9}\n", "line 2: .*'every_task' is given twice"),
        ("must_win: sums\n", "must_win: .*list.*given: 'sums'"),
        ("every_task: {no_loss_over: 1\n", "gate.yaml, line 2: not valid YAML"),
    ],
)
def test_mistakes_are_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(st.UserError, match=message) as caught:
        read_policy(file)
    assert "\n" not in str(caught.value)
    assert "gate.yaml" in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(st.UserError, match="nowhere.yaml: cannot be read: No such file"):
        read_policy(tmp_path / "nowhere.yaml")
