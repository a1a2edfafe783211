"""`plan`: what a run could show, told before it is made."""

import json
import math

import pytest
from sure import SURE

import skythought as st


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    rows = [{"question": f"Say {1000 + number}", "answer": str(1000 + number)} for number in range(40)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "say.yaml").write_text(
        "dataset_path: rows.jsonl\nprompt: '{{ question }}'\ntarget: answer\nscorer: math\n", encoding="utf-8"
    )
    return str(folder / "say.yaml")


@pytest.fixture(scope="module")
def runs(task, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    presets = folder / "models.yaml"
    presets.write_text("models: {sure: {price: {input: 1, output: 2}}}\n", encoding="utf-8")
    settings = {"backend": SURE, "n": 8, "sampling_params": {"temperature": 1.0}, "model_config": presets}
    return [
        st.evaluate(task, model="sure", result_dir=folder, backend_args={"strong": strong}, **settings).path
        for strong in (False, True)
    ]


def test_without_a_run_the_assumption_is_said():
    plan = st.plan("aime24", 16)
    assert (plan.problems, plan.samples, plan.tokens) == (30, 480, None)
    assert plan.detectable > plan.with_twice_the_samples > plan.with_endless_samples > plan.with_twice_the_problems
    assert plan.with_twice_the_problems == pytest.approx(plan.detectable / math.sqrt(2))
    assert plan.samples_needed is None
    text = "\n".join(plan.lines())
    assert "no number of samples of these 30 would find it" in text
    assert "assumed: half of the answers right" in text


def test_what_is_needed_is_enough(task):
    plan = st.plan(task, 2, difference=0.2)
    assert plan.problems == 40
    assert st.plan(task, 2, problems=plan.problems_needed).detectable <= 0.2
    assert st.plan(task, 2, problems=plan.problems_needed - 1).detectable > 0.2
    enough = st.plan(task, difference=0.25).samples_needed
    assert st.plan(task, enough).detectable <= 0.25


def test_an_earlier_run_tells_variance_tokens_and_cost(task, runs):
    plan = st.plan(task, 4, runs=runs[0])
    assert (plan.problems, plan.tokens, plan.cost) == (40, 160 * 100, pytest.approx(160 * 190 / 1e6))
    assert runs[0].name in plan.assumed
    assert plan.lines()[-1].startswith("takes: 16,000 tokens")
    # Chances of 0.05 to 0.95 in steps of 0.1: their variance is 0.0825, and the mean of p (1 - p) is 0.1675.
    truth = 2.8016 * math.sqrt((2 * 0.0825 * 0.5 + 2 * 0.1675 / 4) / 40)
    assert plan.detectable == pytest.approx(truth, rel=0.1)


def test_two_runs_tell_how_differences_vary(task, runs):
    one, both = st.plan(task, 8, runs=runs[0]), st.plan(task, 8, runs=runs)
    assert "between" in both.assumed
    assert both.detectable != one.detectable


def test_the_command_says_it(cli, task, runs):
    done = cli("plan", "--task", task, "--n", 4, "--from", runs[0], "--difference", 0.1)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == st.plan(task, 4, runs=runs[0], difference=0.1).lines()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, "n must be more than 0"),
        ({"difference": 3.0}, "difference must be a share such as 0.03"),
        ({"problems": 0}, "problems must be more than 0"),
        ({"runs": "nowhere"}, "holds no run"),
    ],
)
def test_what_makes_no_sense_is_one_line(options, words):
    with pytest.raises(st.UserError, match=words):
        st.plan("aime24", **options)


def test_runs_that_tell_nothing_are_refused(task, runs, finished_run, tmp_path):
    with pytest.raises(st.UserError, match="is a run of arithmetic, not of say"):
        st.plan(task, runs=finished_run)
    with pytest.raises(st.UserError, match="one run, or two over the same problems, not 3"):
        st.plan(task, runs=[*runs, runs[0]])
    settings = {"model": "sure", "backend": SURE, "n": 8, "sampling_params": {"temperature": 1.0}}
    stopped = st.evaluate(task, **settings, result_dir=tmp_path, until_correct=1)
    with pytest.raises(st.UserError, match="asked its problems until they were right"):
        st.plan(task, runs=stopped.path)
    unscored = st.generate(task, **settings, result_dir=tmp_path / "unscored")
    with pytest.raises(st.UserError, match="has no verdicts; score it first"):
        st.plan(task, runs=unscored.path)
