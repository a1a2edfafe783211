"""Several models and tasks at once: every one with every other, one engine start each, and no run costs another."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from echo import ECHO

import skythought as st
from skythought.pipeline.configfile import read_config
from skythought.pipeline.evaluate import execute
from skythought.pipeline.steps import Finished
from skythought.pipeline.suite import make_suite
from skythought.streams import Stop

SETTINGS = {"backend": ECHO, "sampling_params": {"temperature": 1.0, "max_tokens": 64}, "n": 2, "end": 3}
SUITE = f"""\
backend: {ECHO}
sampling_params: {{temperature: 1.0, max_tokens: 64}}
n: 2
end: 3
model:
- one
- model: two
  backend_args: {{wrong: true}}
- model: one
  system_prompt: Be brief.
  sampling_params: {{temperature: 0.5}}
task:
- arithmetic
- task: arithmetic
  n: 1
  task_args: {{prompt: "{{{{ question }}}}?"}}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return path


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records]


def settings(run: st.Run) -> tuple[object, ...]:
    configuration = run.summary["configuration"]
    numbers = run.statistics
    return run.model, configuration["sampling_params"]["temperature"], numbers["samples_per_problem"]


def test_every_model_does_every_task_each_with_its_own_options(suite, said, tmp_path):
    runs = st.evaluate(config=suite, result_dir=tmp_path / "runs")
    assert [settings(run) for run in runs] == [
        *(("one", 1.0, n) for n in (2, 1)),
        *(("one", 0.5, n) for n in (2, 1)),
        *(("two", 1.0, n) for n in (2, 1)),
    ]
    assert {run.accuracy for run in runs if run.model == "two"} == {0.0}
    assert len({run.path for run in runs}) == 6
    assert [line.rpartition(" ")[2] for line in said() if line.startswith("starting")] == ["one", "two"]


def test_names_given_by_hand_choose_from_the_file_with_its_options(suite, tmp_path):
    [only] = st.evaluate(["arithmetic"], model="two", config=suite, n=1, end=1, result_dir=tmp_path / "runs")[:1]
    assert only.summary["configuration"]["backend"]["backend_args"] == {"wrong": True}
    runs = st.evaluate(model=["three"], config=suite, result_dir=tmp_path / "others")
    assert {run.model for run in runs} == {"three"}


def test_a_list_gives_a_list(tmp_path):
    one = st.evaluate("arithmetic", model="a", **SETTINGS, result_dir=tmp_path)
    assert isinstance(one, st.Run)
    [listed] = st.evaluate("arithmetic", model=["b"], **SETTINGS, result_dir=tmp_path)
    assert listed.model == "b"
    first, second = st.generate("arithmetic", model=["c", "d"], **SETTINGS, result_dir=tmp_path)
    assert (first.model, second.model, first.accuracy) == ("c", "d", None)


def test_a_models_own_tasks(tmp_path):
    (tmp_path / "suite.yaml").write_text(
        f"backend: {ECHO}\nend: 2\nresult_dir: runs\nmodel:\n- model: a\n  task: [{{task: arithmetic, end: 1}}]\n- b\n"
        "task: arithmetic\n"
    )
    runs = st.evaluate(config=tmp_path / "suite.yaml")
    assert [(run.model, len(list(run))) for run in runs] == [("a", 1), ("b", 2)]


def test_the_same_run_twice_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(st.UserError, match="given twice with the same settings"):
        st.evaluate("arithmetic", model=["a", "a"], **SETTINGS, result_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("option", ["resume_from", "versus", "difficulty"])
def test_an_earlier_run_is_of_one_task(option, finished_run, tmp_path):
    (tmp_path / "more.yaml").write_text("like: arithmetic\n")
    suite = tmp_path / "suite.yaml"
    suite.write_text("model: a\ntask:\n- arithmetic\n- task: more.yaml\n  n: 3\n")
    with pytest.raises(st.UserError, match=f"--{option.replace('_', '-')} names .* one .*task"):
        st.evaluate(config=suite, **SETTINGS | {"end": 8}, **{option: finished_run, "result_dir": tmp_path / "runs"})
    assert not (tmp_path / "runs").exists()


def test_one_that_cannot_go_on_costs_no_other_and_resume_does_the_rest(tmp_path, said):
    text = SUITE.replace("- one\n- model: two", "- model: one\n  backend_args: {die_after: 4}\n- model: two", 1)
    (tmp_path / "suite.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(st.BackendError, match=r"1 of 6 runs are not finished.*one on arithmetic.*echo died"):
        st.evaluate(config=tmp_path / "suite.yaml", result_dir=tmp_path / "runs")
    finished = [folder for folder in (tmp_path / "runs").iterdir() if (folder / "summary.json").exists()]
    assert len(finished) == 5
    runs = st.evaluate(config=tmp_path / "suite.yaml", result_dir=tmp_path / "runs", resume=True)
    assert [run.statistics["samples_pending"] for run in runs] == [0] * 6


def test_a_suite_that_is_stopped_goes_on_where_it_was(suite, wait, tmp_path):
    asked = {"result_dir": tmp_path / "runs"}
    plans = make_suite(asked, grade=True, config=read_config(suite)).plans
    stop, finished = Stop(), []

    async def begin() -> None:
        async for step in execute(plans, stop):
            if isinstance(step, Finished):
                finished.append(step.run.path)
                stop.request()

    wait(begin())
    assert len(finished) == 1
    runs = st.evaluate(config=suite, **asked, resume=True)
    assert (len(runs), runs[0].path) == (6, finished[0])
    assert [run.statistics["samples_pending"] for run in runs] == [0] * 6


def test_an_engine_that_cannot_be_loaded_costs_its_own_runs_alone(tmp_path, said):
    code = """\
from echo import Echo
from skythought.errors import UserError

class Broken(Echo):
    async def __aenter__(self):
        if self.model.model_id == "bad":
            raise UserError("model 'bad' is no model.")
        return self
"""
    (tmp_path / "broken.py").write_text(code)
    given = {**SETTINGS, "backend": f"{tmp_path / 'broken.py'}:Broken"}
    tasks = ["arithmetic", str(tmp_path / "more.yaml")]
    (tmp_path / "more.yaml").write_text("like: arithmetic\n")
    with pytest.raises(st.UserError, match=r"2 of 4 runs are not finished.*bad on arithmetic: model 'bad' is no model"):
        st.evaluate(tasks, model=["bad", "good"], **given, result_dir=tmp_path / "runs")
    left = sorted(folder.name for folder in (tmp_path / "runs").iterdir())
    assert len(left) == 2
    assert all(name.startswith("good_") for name in left)
    assert sum(line.startswith("starting") for line in said()) == 2


def test_a_budget_is_of_all_runs_together(tmp_path):
    one = st.evaluate("arithmetic", model="a", **SETTINGS, result_dir=tmp_path / "alone")
    numbers = one.summary
    used = numbers["total_completion_tokens"] + numbers["total_prompt_tokens"]
    given = {**SETTINGS, "max_total_tokens": used + used // 3, "batch_size": 1}
    first, second = st.evaluate("arithmetic", model=["a", "b"], **given, result_dir=tmp_path / "both")
    assert first.statistics["samples_pending"] == 0
    assert 0 < second.statistics["samples_pending"] < 6
