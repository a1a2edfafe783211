"""--config, --dry-run, several models and SKYTHOUGHT_ variables, as typed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from echo import ECHO

SETTINGS = f"""\
task: arithmetic
backend: {ECHO}
sampling_params: {{temperature: 1.0, max_tokens: 64}}
n: 2
end: 4
"""
TASKS = ("t0", "t1", "t2")
TYPED = ("--task", "arithmetic", "--backend", ECHO, "--sampling-params", "temperature=1.0,max_tokens=64")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


def runs_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if (path / "run.json").exists())


def test_the_command_line_goes_before_the_file_and_the_file_before_variables(cli, config, tmp_path):
    variables = {"SKYTHOUGHT_MODEL": "echo", "SKYTHOUGHT_END": "2", "SKYTHOUGHT_RESULT_DIR": "runs"}
    done = cli("evaluate", "--config", "run.yaml", "--n", 1, **variables)
    assert done.returncode == 0, done.stderr
    assert "problems x samples │ 4 x 1" in done.stdout
    [name] = runs_in(tmp_path / "runs")
    assert name.startswith("echo_arithmetic_")
    dry = cli("evaluate", "--dry-run", *TYPED, "--resume", **variables, SKYTHOUGHT_N="3")
    assert "2 problems x 3 = 6 samples; answered before: 2; to ask: 4" in dry.stdout


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"SKYTHOUGHT_N": "two"}, "SKYTHOUGHT_N: a whole number is wanted, not 'two'"),
        ({"SKYTHOUGHT_RESUME": "maybe"}, "SKYTHOUGHT_RESUME: true or false is wanted, not 'maybe'"),
        ({"SKYTHOUGHT_SAMPLING_PARAMS": "hot"}, "SKYTHOUGHT_SAMPLING_PARAMS: 'hot' is not of the form key=value"),
        ({"SKYTHOUGHT_MODLE": "x"}, "the variable SKYTHOUGHT_MODLE is not known, and not used. Did you mean 'SK"),
    ],
)
def test_a_wrong_variable_is_told(variables, words, cli):
    done = cli("evaluate", "--task", "arithmetic", **variables)
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize("given", [("--model", "a,b"), ("--model", "a", "--model", "b")])
def test_several_models_are_one_table(given, cli, tmp_path):
    done = cli("evaluate", *given, *TYPED, "--end", 3)
    assert done.returncode == 0, done.stderr
    header, first, second = done.stdout.splitlines()[1:4]
    assert (header.split(), first.split()[0], second.split()[0]) == (["model", "arithmetic"], "a", "b")
    assert "% (" in first
    assert "% (" in second
    assert [line.split("_")[0] for line in done.stdout.splitlines()[4:]] == ["results: a", "results: b"]
    again = cli("evaluate", *given, *TYPED, "--end", 3)
    assert (again.returncode, "--resume" in again.stderr) == (2, True)
    resumed = cli("evaluate", *given, *TYPED, "--end", 3, "--resume")
    assert (resumed.returncode, resumed.stdout) == (0, done.stdout)
    assert "starting" not in resumed.stderr


def test_the_table_fits_the_terminal(cli, tmp_path):
    for name in TASKS:
        (tmp_path / f"{name}.yaml").write_text("like: arithmetic\n")
    given = ("--model", "a,b", "--task", "t0.yaml,t1.yaml,t2.yaml", *TYPED[2:], "--end", 1)
    wide = cli("evaluate", *given).stdout.splitlines()
    assert [line.split()[0] for line in wide[1:5]] == ["task", "t0", "t1", "t2"]
    narrow = cli("evaluate", *given, "--resume", COLUMNS="40").stdout.splitlines()
    assert [line.split()[:2] for line in narrow[1:8]] == [["task", "model"], *([t, m] for t in TASKS for m in "ab")]
    assert max(map(len, narrow[1:8])) <= 40


def test_what_is_finished_is_shown_although_another_run_is_not(cli, tmp_path):
    (tmp_path / "run.yaml").write_text(SETTINGS + "model:\n- model: a\n  backend_args: {die_after: 3}\n- b\n")
    done = cli("evaluate", "--config", "run.yaml")
    assert done.returncode == 1
    assert "b_arithmetic" in done.stdout
    assert "1 of 2 runs are not finished; --resume goes on" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("option", ["--n", "--sampling-params", "--seed", "--backend"])
def test_an_option_of_one_value_that_is_given_twice_is_refused(option, cli):
    done = cli("evaluate", "--model", "a", *TYPED[:2], option, 1, option, 2)
    assert (done.returncode, f"{option} is given twice" in done.stderr) == (2, True)


def test_a_dry_run_tells_all_and_writes_nothing(cli, config, tmp_path):
    before = sorted(path.name for path in tmp_path.iterdir())
    done = cli("evaluate", "--config", "run.yaml", "--model", "a,b", "--system-prompt", "Be brief.", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert done.stdout.count("4 problems x 2 = 8 samples; answered before: 0; to ask: 8") == 2
    assert "a new folder" in done.stdout
    shown = done.stdout.replace("  | ", "")
    assert "[system]\nBe brief.\n[user]\nFind the sum of 12 and 20.\n" in shown
    assert done.stdout.splitlines()[-1].startswith("dry run: 2 runs with 2 engine starts, 16 samples to ask")


def test_a_dry_run_shows_the_prompt_as_the_model_reads_it(cli, tmp_path):
    pytest.importorskip("transformers")
    given = ("--model", "tiny", "--backend", "transformers", "--task", "arithmetic", "--end", 5)
    done = cli("evaluate", *given, "--sampling-params", "max_tokens=100", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "  | <|im_start|>user\n  | Find the sum of 12 and 20." in done.stdout
    assert "within the context of 4,096" in done.stdout
    beyond = cli("evaluate", *given, "--sampling-params", "max_tokens=4090", "--dry-run")
    assert "beyond the context of 4,096" in beyond.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_estimates_what_it_costs(cli, config, tmp_path):
    (tmp_path / "models.yaml").write_text("models:\n  a:\n    price: {input: 1000000, output: 2000000}\n")
    given = ("--config", "run.yaml", "--model", "a", "--model-config", "models.yaml")
    done = cli("evaluate", *given, "--n", 1, "--end", 1, "--dry-run")
    [line] = [line for line in done.stdout.splitlines() if line.startswith("  cost")]
    prompt = "Find the sum of 12 and 20.\n\nReason step by step, and put your final answer within \\boxed{}."
    tokens = -(-len(prompt) // 4)
    assert f"at most {tokens + 2 * 64:,.2f}" in line


def test_score_takes_its_options_from_the_file(cli, run_copy, tmp_path):
    (tmp_path / "score.yaml").write_text("model: unused\ntask: arithmetic\nk: [2]\nsandbox: strict\n")
    done = cli("score", "--config", "score.yaml", "--run-dir", run_copy)
    assert done.returncode == 0, done.stderr
    assert "G-Pass@2" in done.stdout
    shutil.rmtree(run_copy)
    gone = cli("score", "--config", "score.yaml", SKYTHOUGHT_RUN_DIR=str(run_copy))
    assert gone.returncode == 2
    assert str(run_copy.name) in gone.stderr
