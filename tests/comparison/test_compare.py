"""`st.compare`: what is found, in numbers and in words, on runs with known verdicts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from made_runs import made_run, one_sample

import skythought as st


def two(tmp_path: Path, first: list[list[bool]], second: list[list[bool]]) -> tuple[Path, Path]:
    return made_run(tmp_path / "base", first), made_run(tmp_path / "tuned", second)


def test_the_first_words_say_which_is_better_by_how_much(tmp_path: Path) -> None:
    first = one_sample(20, 20)
    second = [[True]] * 19 + [[False]] + [[True]] * 10 + [[False]] * 10
    comparison = st.compare(*two(tmp_path, first, second))
    [pair] = comparison.pairs
    [task] = pair.tasks
    assert (task.task, task.estimate.problems, task.gained, task.lost) == ("sums", 40, 10, 1)
    assert task.estimate.difference == pytest.approx(9 / 40)
    assert task.estimate.p == pytest.approx(2 * (1 + 11) / 2**11)  # McNemar's exact test of 10 wins to 1
    assert task.estimate.conclusion == "better"
    assert pair.overall == task.estimate
    assert re.fullmatch(
        r"tuned is better than base on sums by 22\.5 points \(\d+\.\d to \d+\.\d\), p = 0\.012\.", comparison.sentence
    )
    assert str(comparison) == comparison.sentence


def test_the_winner_may_be_the_baseline(tmp_path: Path) -> None:
    tuned, base = two(tmp_path, one_sample(30, 10), one_sample(20, 20))
    assert st.compare(tuned, base).sentence.startswith("base is better than tuned on sums by 25.0 points (")


def test_what_is_undecided_says_what_would_settle_it(tmp_path: Path) -> None:
    first, second = (
        [[True, False, True, False]] * 30,
        [[True, True, False, True]] * 14 + [[True, False, False, False]] * 16,
    )
    comparison = st.compare(*two(tmp_path, first, second))
    task = comparison.pairs[0].tasks[0]
    assert task.estimate.conclusion == "undecided"
    assert task.settle is not None
    assert task.settle.more_problems > 0
    assert "base and tuned cannot be told apart on sums: base is ahead by 1.7 points (" in comparison.sentence
    assert re.search(r"; [\d,]+ more problems( or [\d,]+ more samples each)? would settle it\.$", comparison.sentence)


def test_a_difference_that_is_shown_to_be_small_is_told_as_such(tmp_path: Path) -> None:
    verdicts = one_sample(1500, 1500)
    comparison = st.compare(*two(tmp_path, verdicts, verdicts))
    assert comparison.pairs[0].overall.conclusion == "equivalent"
    assert comparison.sentence.startswith("base and tuned are shown to be the same on sums to within 1.0 point:")
    assert "p = 1.00" in comparison.sentence
    stricter = st.compare(tmp_path / "base", tmp_path / "tuned", margin=0.01)
    assert stricter.pairs[0].overall.conclusion == "undecided"


def test_not_worse_is_shown_only_where_there_is_enough_to_show_it(tmp_path: Path) -> None:
    few = st.compare(*two(tmp_path / "few", one_sample(15, 15), one_sample(15, 15))).pairs[0].overall
    many = st.compare(*two(tmp_path / "many", one_sample(900, 900), one_sample(900, 900))).pairs[0].overall
    assert (few.p, few.not_worse) == (1.0, False)
    assert (many.p, many.not_worse) == (1.0, True)
    assert few.at_least < -0.01 < many.at_least


def test_several_tasks_are_matched_and_the_sentence_names_the_exception(tmp_path: Path) -> None:
    for name, right in {"base": 100, "tuned": 160}.items():
        made_run(tmp_path / name / "a", one_sample(right, 200 - right), task="maths", model=name)
        made_run(tmp_path / name / "b", one_sample(right, 200 - right), task="physics", model=name)
        made_run(tmp_path / name / "c", one_sample(20 + (name == "tuned"), 20), task="law", model=name)
    made_run(tmp_path / "base" / "d", one_sample(5, 5), task="music", model="base")
    with pytest.raises(st.UserError, match="on law: they do not have the same problems: 40 in both, 1 only in tuned"):
        st.compare(tmp_path / "base", tmp_path / "tuned")
    comparison = st.compare(tmp_path / "base", tmp_path / "tuned", allow="problems")
    [pair] = comparison.pairs
    assert [task.task for task in pair.tasks] == ["maths", "physics", "law"]
    assert pair.only == {"base": ("music",)}
    law = pair.tasks[2]
    assert law.estimate.problems == 40
    assert law.estimate.conclusion == "undecided"
    assert pair.overall.difference == pytest.approx((0.3 + 0.3 + 0.5 - 0.5) / 3, abs=0.01)
    assert comparison.sentence.startswith("tuned is better than base on average over 3 tasks by ")
    assert "; on law they cannot be told apart" in comparison.sentence
    assert all(task.estimate.p_adjusted >= task.estimate.p for task in pair.tasks)
    assert pair.pooled_p < 1e-6


def test_runs_of_two_models_given_one_by_one_go_together(tmp_path: Path) -> None:
    runs = [
        made_run(tmp_path / f"{model}-{task}", one_sample(right, 20), task=task, model=model)
        for model, right in (("base", 20), ("tuned", 20))
        for task in ("maths", "law")
    ]
    comparison = st.compare(*runs)
    assert comparison.names == ("base", "tuned")
    assert [task.task for task in comparison.pairs[0].tasks] == ["maths", "law"]
    lists = st.compare([st.Run(runs[0]), st.Run(runs[1])], [st.Run(runs[2]), st.Run(runs[3])])
    assert lists.record() == comparison.record()
    assert st.compare(tmp_path).sentence == comparison.sentence


def test_of_three_runs_all_pairs_are_compared(tmp_path: Path) -> None:
    runs = [made_run(tmp_path / name, one_sample(n, 60 - n)) for name, n in (("a", 30), ("b", 31), ("c", 45))]
    comparison = st.compare(*runs)
    assert [(pair.first, pair.second) for pair in comparison.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    ps = [pair.overall.p for pair in comparison.pairs]
    assert [pair.overall.p_adjusted for pair in comparison.pairs] == pytest.approx([ps[0], 3 * ps[1], 2 * ps[2]])
    assert comparison.sentence.startswith("c is better on sums than a by 25.0 points (")
    assert "than b by 23.3 points" in comparison.sentence


def test_the_same_run_twice_is_no_difference(tmp_path: Path) -> None:
    run = made_run(tmp_path / "base", one_sample(10, 10))
    comparison = st.compare(run, run)
    assert len(set(comparison.names)) == 2
    assert comparison.pairs[0].overall.p == 1.0
    assert comparison.pairs[0].overall.difference == 0
    assert not comparison.pairs[0].tasks[0].flips
    assert "base (1) and base (2) are one and the same folder" in comparison.pairs[0].tasks[0].notes[0].replace(
        str(tmp_path) + "/", ""
    )


@pytest.mark.parametrize("n", [1, 4])
def test_what_never_differed_takes_as_many_problems_as_rule_a_difference_out(tmp_path: Path, n: int) -> None:
    runs = two(tmp_path, [[True] * n] * 30, [[True] * n] * 30)
    [task] = st.compare(*runs).pairs[0].tasks
    # 0 of M problems differ: a point is ruled out, one-sided, once 0.99^M <= 0.05
    assert task.settle is not None
    assert (task.settle.goal, task.settle.more_problems, task.settle.more_samples) == ("equivalence", 299 - 30, None)
    enough = [[True] * n] * 299
    settled = st.compare(*two(tmp_path / "more", enough, enough))
    assert settled.pairs[0].overall.conclusion == "equivalent"


def test_differences_that_all_go_one_way_still_take_six(tmp_path: Path) -> None:
    [task] = st.compare(*two(tmp_path, one_sample(0, 4), one_sample(4, 0))).pairs[0].tasks
    assert task.settle is not None
    assert (task.settle.more_problems, task.settle.more_samples) == (2, None)
    assert st.compare(*two(tmp_path / "more", one_sample(0, 6), one_sample(6, 0))).pairs[0].overall.p < 0.05


def test_with_one_sample_the_advice_is_by_the_variance_that_was_seen(tmp_path: Path) -> None:
    """Three wins and no loss of 30: 8 standard errors squared of 0.1 - 0.01 (30/29), not of two unpaired runs."""
    [task] = st.compare(*two(tmp_path, one_sample(15, 15), one_sample(18, 12))).pairs[0].tasks
    assert task.settle is not None
    wanted = 2.80158**2 * 0.09 * 30 / 29 / 0.01
    assert task.settle.more_problems == pytest.approx(wanted - 30, abs=1)


def test_more_problems_are_fewer_where_one_run_has_more_samples(tmp_path: Path) -> None:
    first = [[True, False]] * 10 + [[False, True]] * 10
    second = [[True, True]] * 4 + [[False, False]] * 2 + [[True, False]] * 14
    [even] = st.compare(*two(tmp_path, first, second)).pairs[0].tasks
    [uneven] = st.compare(*two(tmp_path / "4", first, [4 * samples for samples in second])).pairs[0].tasks
    assert even.settle is not None
    assert uneven.settle is not None
    assert even.settle.more_problems is not None
    assert uneven.settle.more_problems is not None
    assert uneven.settle.more_problems < even.settle.more_problems


def test_of_runs_that_are_all_alike_none_is_ahead(tmp_path: Path) -> None:
    few = [made_run(tmp_path / name, one_sample(10, 10)) for name in "abc"]
    assert st.compare(*few).sentence == "they cannot be told apart on sums: no run is ahead of another."
    many = [made_run(tmp_path / name, one_sample(500, 500)) for name in "xyz"]
    expected = "all are shown to be the same on sums to within 1.0 point: no run is ahead of another."
    assert st.compare(*many).sentence == expected


def test_greedy_runs_are_not_told_to_ask_again(tmp_path: Path) -> None:
    greedy = {"sampling_params": {"temperature": 0.0}}
    runs = [
        made_run(tmp_path / name, one_sample(n, 40 - n), changes=greedy) for name, n in (("base", 20), ("tuned", 23))
    ]
    comparison = st.compare(*runs)
    settle = comparison.pairs[0].tasks[0].settle
    assert settle is not None
    assert settle.more_samples is None
    assert re.search(r"; [\d,]+ more problems would settle it\.$", comparison.sentence)


def test_each_undecided_task_is_told_what_would_settle_it(tmp_path: Path) -> None:
    for name, right in {"base": 100, "tuned": 160}.items():
        made_run(tmp_path / name / "a", one_sample(right, 200 - right), task="maths", model=name)
        for task in ("law", "music"):
            made_run(tmp_path / name / task, one_sample(15 + 2 * (name == "tuned"), 15), task=task, model=name)
    sentence = st.compare(tmp_path / "base", tmp_path / "tuned", allow="problems").sentence
    for task in ("law", "music"):
        assert re.search(rf"; on {task} they cannot be told apart: [^;]* would settle it", sentence)


def test_a_correction_for_several_tasks_makes_equivalence_no_harder(tmp_path: Path) -> None:
    for name in ("base", "tuned"):
        made_run(tmp_path / name / "law", one_sample(100, 100), task="law", model=name)
        for task in ("maths", "music"):
            made_run(tmp_path / name / task, one_sample(30, 10), task=task, model=name)
    [pair] = st.compare(tmp_path / "base", tmp_path / "tuned").pairs
    settle = {task.task: task.settle for task in pair.tasks}["law"]
    assert settle is not None
    assert settle.more_problems == 99  # as for one task: no problem of 299


def test_the_sentence_does_not_count_tasks_that_not_all_runs_have(tmp_path: Path) -> None:
    tasks = {"base": ("law", "maths", "music"), "tuned": ("law", "maths", "music"), "big": ("law", "maths")}
    for name, right in {"base": 50, "tuned": 70, "big": 95}.items():
        for task in tasks[name]:
            made_run(tmp_path / name / task, one_sample(right, 100 - right), task=task, model=name)
    sentence = st.compare(*(tmp_path / name for name in tasks)).sentence
    assert sentence.startswith("big is better on average over the tasks that each two have than base by 45.0 points (")


def test_unequal_numbers_of_samples_are_compared_by_their_means(tmp_path: Path) -> None:
    runs = two(tmp_path, [[True, False, False]] * 20, [[True, False]] * 20)
    comparison = st.compare(*runs)
    assert comparison.pairs[0].overall.difference == pytest.approx(1 / 6)
    assert any("3 and 2 samples a problem" in note for note in comparison.pairs[0].tasks[0].notes)


def test_samples_without_a_verdict_do_not_count_and_that_is_said(tmp_path: Path) -> None:
    first = [[True, None], *[[True, True]] * 9]
    second = [[True, False], *[[None, None]] * 2, *[[True, True]] * 7]
    task = st.compare(*two(tmp_path, first, second)).pairs[0].tasks[0]
    assert task.estimate.problems == 8
    assert task.estimate.first == 1.0
    assert [run.missing for run in task.runs] == [1, 4]
    text = " | ".join(task.notes)
    assert "base is unfinished: 1 of 20 samples" in text
    assert "8 of 10 problems are compared" in text


def test_flips_are_the_largest_changes_with_both_answers(tmp_path: Path) -> None:
    first, second = (
        [[True, True]] * 3 + [[False, False]] * 3,
        [[True, True]] * 2 + [[False, False]] * 3 + [[False, True]],
    )
    runs = two(tmp_path, first, second)
    task = st.compare(*runs, flips=10).pairs[0].tasks[0]
    assert [flip.problem_id for flip in task.flips] == ["2", "5"]
    lost = task.flips[0]
    assert (lost.first.right, lost.first.scored, lost.second.right) == (2, 2, 0)
    assert (lost.first.ending, lost.second.ending) == ("I say True to 2.", "I say False to 2.")
    assert "What is 2 + 1?" in lost.prompt
    assert len(st.compare(*runs, flips=1).pairs[0].tasks[0].flips) == 1
    assert st.compare(*runs, flips=0).pairs[0].tasks[0].flips == ()


def test_what_could_explain_it_is_listed_without_secrets(tmp_path: Path) -> None:
    runs = [
        made_run(
            tmp_path / name,
            one_sample(5, 5),
            changes={
                "sampling_params": {"temperature": temperature, "n": 1},
                "backend": {"name": "openai", "backend_args": {"api_key": f"sk-{name}", "base_url": "http://x/v1"}},
            },
        )
        for name, temperature in (("base", 0.0), ("tuned", 0.6))
    ]
    comparison = st.compare(*runs)
    found = {one.name: (one.first, one.second) for one in comparison.pairs[0].tasks[0].differences}
    assert found["sampling_params.temperature"] == ("0.0", "0.6")
    assert found["model.name"] == ("base", "tuned")
    assert "sk-" not in comparison.to_json()


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ([{}, {}], ("base", "tuned")),
        (
            [{"model": {"name": "m"}, "sampling_params": {"temperature": t}} for t in (0, 1)],
            ("temperature=0", "temperature=1"),
        ),
        ([{"model": {"name": "m"}}] * 2, ("base", "tuned")),
    ],
)
def test_names_are_what_tells_the_runs_apart(
    tmp_path: Path, changes: list[dict[str, object]], names: tuple[str]
) -> None:
    folders = [tmp_path / "base", tmp_path / "tuned"]
    runs = [made_run(path, one_sample(5, 5), changes=change) for path, change in zip(folders, changes, strict=True)]
    assert st.compare(*runs).names == names
    assert st.compare(*runs, names=["x", "y"]).names == ("x", "y")


def test_a_folder_with_results_alone_has_no_names_but_numbers(tmp_path: Path) -> None:
    runs = two(tmp_path, one_sample(5, 15), one_sample(15, 5))
    for run in runs:
        (run / "summary.json").unlink()
    comparison = st.compare(*runs)
    assert comparison.sentence.startswith("tuned is better than base by 50.0 points (")


def test_a_strange_configuration_is_no_obstacle(tmp_path: Path) -> None:
    changes = {"backend": "vllm", "sampling_params": ["temperature", 0], "model": {"name": "m", "config": "m"}}
    strange = made_run(tmp_path / "base", one_sample(5, 15), changes=changes)
    comparison = st.compare(strange, made_run(tmp_path / "tuned", one_sample(5, 15), model="m"))
    found = {one.name: (one.first, one.second) for one in comparison.pairs[0].tasks[0].differences}
    assert found["backend"] == ("vllm", "not set")


def test_the_record_is_json_and_the_same_every_time(tmp_path: Path) -> None:
    runs = two(tmp_path, one_sample(10, 20), one_sample(20, 10))
    record = st.compare(*runs).record()
    assert json.loads(st.compare(*runs).to_json()) == record
    assert list(record) == ["format", "sentence", "names", "level", "margin", "pairs"]
    assert (record["format"], record["margin"]) == (1, 0.01)
    assert set(record["pairs"][0]) == {"first", "second", "overall", "pooled_p", "tasks", "only"}


def test_a_notebook_gets_escaped_static_tables(tmp_path: Path) -> None:
    run = made_run(tmp_path / "base", one_sample(10, 20), model="<script>alert(1)</script>")
    html = st.compare(run, made_run(tmp_path / "b", one_sample(20, 10)))._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<table>") == html.count("</table>") > 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 0.0}, "margin: points above 0 and up to 100.*given: 0.0"),
        ({"level": 95.0}, "level: a share above 0.5 and below 1"),
        ({"flips": -1}, "flips: 0 or more"),
        ({"allow": "problem"}, "unknown kind of difference for allow='problem'. Did you mean 'problems'"),
        ({"names": ["a"]}, "1 names for 2 runs"),
        ({"names": ["a", "a"]}, "the name 'a' is given twice"),
        ({"marginn": 1.0}, "unknown argument of compare"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, options: dict[str, object], message: str) -> None:
    runs = two(tmp_path, one_sample(5, 5), one_sample(5, 5))
    with pytest.raises(st.UserError, match=message):
        st.compare(*runs, **options)


def test_what_is_no_run_is_one_line(tmp_path: Path) -> None:
    run = made_run(tmp_path / "base", one_sample(5, 5))
    (tmp_path / "empty").mkdir()
    with pytest.raises(st.UserError, match="two runs are wanted"):
        st.compare(run)
    with pytest.raises(st.UserError, match="'.*empty' holds no run"):
        st.compare(run, tmp_path / "empty")
    with pytest.raises(st.UserError, match="a run, its folder, or a list of these is wanted, not int"):
        st.compare(run, 3)
    with pytest.raises(st.UserError, match="'.*nowhere' is no folder"):
        st.compare(run, tmp_path / "nowhere")
