"""Files of options (`config`): what they say is what the same options say; faults have their line."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
from echo import ECHO

import skythought as st
from skythought.pipeline.configfile import read_config
from skythought.pipeline.options import Options

OPTIONS = {
    "model": "echo",
    "backend": ECHO,
    "sampling_params": {"temperature": 1.0, "max_tokens": 64},
    "n": 2,
    "end": 3,
}
FILE = f"""\
model: echo
task: arithmetic
backend: {ECHO}
sampling_params: {{temperature: 1.0, max_tokens: 64}}
n: 2
end: 3
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str, name: str = "run.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def config_of(run: st.Run) -> dict:
    return json.loads((run.path / "run.json").read_text(encoding="utf-8"))["config"]


def test_a_file_gives_the_run_that_its_options_give(write, tmp_path):
    by_file = st.evaluate(config=write(FILE), result_dir=tmp_path / "a")
    by_options = st.evaluate("arithmetic", **OPTIONS, result_dir=tmp_path / "b")
    assert by_file.path.name == by_options.path.name
    assert (by_file.path / "results.json").read_bytes() == (by_options.path / "results.json").read_bytes()


def test_what_is_given_goes_before_the_file_and_mappings_are_merged(write, tmp_path):
    run = st.evaluate(
        config=write(FILE), model="other", n=1, sampling_params={"temperature": 0.5}, result_dir=tmp_path / "a"
    )
    config = config_of(run)
    assert (config["model"]["model_id"], config["n"], config["end"]) == ("other", 1, 3)
    assert (config["sampling"]["temperature"], config["sampling"]["max_tokens"]) == (0.5, 64)


def test_one_of_two_options_that_exclude_each_other_goes_before_the_files(write, tmp_path):
    path = write(FILE + "system_prompt: Be brief.\n")
    run = st.evaluate(config=path, system_prompt_name="skythought", result_dir=tmp_path)
    assert config_of(run)["model"]["system_prompt"] not in (None, "Be brief.")


def test_another_backend_takes_no_arguments_of_the_last(write, tmp_path):
    path = write(FILE.replace(f"backend: {ECHO}", "backend: vllm\nbackend_args: {tensor_parallel_size: 2}"))
    run = st.evaluate(config=path, backend=ECHO, backend_args={"wrong": True}, result_dir=tmp_path)
    assert config_of(run)["backend"]["args"] == {"wrong": True}


def test_every_option_can_stand_in_a_file(write):
    values = {
        **dict.fromkeys(("judge_model", "judge_backend", "system_prompt_name", "user_template", "shard"), "text"),
        **dict.fromkeys(("backend_args", "task_args", "judge_backend_args", "judge_sampling_params"), {"a": 1}),
        **dict.fromkeys(("reproducible", "overwrite", "resume", "as_test"), True),
        **dict.fromkeys(("until", "max_failures", "pass_rate"), "5%"),
        **dict.fromkeys(("model_config", "versus", "difficulty", "resume_from", "result_dir"), "folder"),
        **dict.fromkeys(("n", "seed", "batch_size", "start", "end", "until_correct", "max_total_tokens"), 3),
        "k": [1, 2],
        "model": "m",
        "task": ["t"],
        "backend": "openai",
        "sampling_params": "temperature=0.6,stop=['#']",
        "chat_template_kwargs": {"enable_thinking": False},
        "system_prompt": "Think.",
        "assistant_prefill": "<think>",
        "max_hours": 1.5,
        "max_cost": 2,
        "results": "none",
        "sandbox": "strict",
    }
    assert set(values) == {entry.name for entry in fields(Options)}
    read = read_config(write(json.dumps(values)))
    assert set(read.options) == set(values) - {"model", "task"}
    assert read.options["sampling_params"] == {"temperature": 0.6, "stop": ["#"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("taks: x", "line 1: unknown key 'taks'. Did you mean 'task'?"),
        ("model: m\nsampling-params: {}", "line 2: unknown key 'sampling-params'. Did you mean 'sampling_params'?"),
        ("model: m\n\nn: four", "line 3: n: .*integer"),
        ("n: true", "line 1: n: a number is wanted"),
        ("results: xml", "line 1: results: .*'json', 'parquet'"),
        ("sampling_params: [1]", "line 1: sampling_params is a dictionary"),
        ("sampling_params: hot", "line 1: sampling_params: 'hot' is not of the form key=value"),
        ("model: [a, 7]", "line 1: model: a name, or a mapping"),
        ("model:\n- a\n- backend: openai", "line 3: model: an entry .* has its name under `model`"),
        ("model:\n- model: a\n  taks: b", "line 3: unknown key 'taks'. Did you mean 'task'"),
        ("task:\n- task: a\n  model: b", "line 3: unknown key 'model'"),
        ("model:\n- model: a\n  max_cost: 3", "line 3: max_cost .* belongs at the top"),
        ("system_prompt: '@nowhere.txt'", "line 1: system_prompt .*nowhere.txt"),
        ("- model: m", "is a mapping such as `model: tiny`; it holds a list"),
        ("", "holds nothing"),
        ("model: m\n task: t", "line 2: not valid YAML"),
        ("n: 1\nn: 2", "line 2: .*'n' is given twice"),
        ("n: 1\nbackend_args: {api_key: ${NOWHERE_KEY}}", "line 2: backend_args.api_key: the variable NOWHERE_KEY"),
    ],
)
def test_a_fault_is_told_with_its_line(text, words, write):
    with pytest.raises(st.UserError, match=rf"run\.yaml.*{words}"):
        read_config(write(text))


def test_all_faults_are_told_at_once(write):
    text = "model:\n- model: m\n  taks: t\nn: four\ntask: [7]\nseed: 1.5\n"
    with pytest.raises(st.UserError, match=r"run.yaml, line 3: .*'taks'.* line 4: n: .* line 5: task.* line 6: seed"):
        read_config(write(text))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("start: -1", "line 7: --start must be"),
        ("task_args: {promt: x}", "line 7: .*promt"),
        ("seed: 1\nsampling_params: {temprature: 1}", None),
        ("backend_args: {wrongg: true}", "line 7: --backend-args: unknown key 'wrongg'. Did you mean 'wrong'"),
        ("resume: true\noverwrite: true", "line 7: --resume and --overwrite exclude each other"),
    ],
)
def test_what_the_plan_finds_wrong_is_told_with_the_line_too(line, words, write, tmp_path):
    with pytest.raises(st.UserError, match=words and rf"run\.yaml, {words}"):
        st.evaluate(config=write(FILE + line), result_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_what_is_wrong_by_hand_is_not_said_of_the_file(write, tmp_path):
    with pytest.raises(st.UserError, match=r"^--start must be"):
        st.evaluate(config=write(FILE), start=-1, result_dir=tmp_path / "runs")


def test_the_wrong_one_of_several_is_told_with_its_line(write, tmp_path):
    path = write(FILE.replace("task: arithmetic", "task:\n- arithmetic\n- arithmatic"))
    with pytest.raises(st.UserError, match=r"line 4: unknown task 'arithmatic'"):
        st.evaluate(config=path, result_dir=tmp_path / "runs")


def test_variables(write, monkeypatch):
    monkeypatch.setenv("SAMPLES", "4")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("UNSET", raising=False)
    text = """\
n: ${SAMPLES}
end: ${UNSET:-7}
seed: ${EMPTY:-8}
system_prompt: "${SAMPLES} $${SAMPLES} $SAMPLES \\\\boxed{}"
backend_args: {api_key: ${SAMPLES}, text: "${SAMPLES}", number: ${SAMPLES}}
# ${NOT_ASKED_FOR}
"""
    options = read_config(write(text)).options
    assert (options["n"], options["end"], options["seed"]) == (4, 7, 8)
    assert options["system_prompt"] == "4 ${SAMPLES} $SAMPLES \\boxed{}"
    assert options["backend_args"] == {"api_key": "4", "text": "4", "number": 4}


def test_a_secret_of_a_variable_is_not_recorded(write, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_SERVICE", "0123-hush-4567")
    code = """\
from echo import Echo, EchoArgs

class LockedArgs(EchoArgs):
    api_key: str

class Locked(Echo):
    Args = LockedArgs

    async def answer(self, request):
        assert self.args.api_key == "0123-hush-4567"
        return await super().answer(request)
"""
    backend = write(code, "locked.py")
    text = FILE.replace(ECHO, f"{backend}:Locked") + "backend_args: {api_key: ${MY_SERVICE}}\n"
    run = st.evaluate(config=write(text), result_dir=tmp_path / "runs")
    assert len(list(run)) == 6
    written = b"".join(file.read_bytes() for file in run.path.iterdir() if file.is_file())
    assert b"hush" not in written


def test_a_secret_is_not_recorded_under_any_name(write, tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", str(tmp_path / "hush-4567"))
    run = st.evaluate(config=write(FILE + "backend_args: {log: ${MY_TOKEN}}\n"), result_dir=tmp_path / "runs")
    assert (tmp_path / "hush-4567").read_text().count("\n") == 6
    assert config_of(run)["backend"]["args"] == {"log": "***"}
    assert b"hush" not in b"".join(file.read_bytes() for file in run.path.iterdir() if file.is_file())


def test_files_are_named_from_where_the_file_is(write, tmp_path, monkeypatch):
    write("Think hard.\n", "suite/prompts/careful.txt")
    write('{"q": "1 + 2 and 4", "a": "7"}\n', "suite/rows.jsonl")
    write("dataset_path: rows.jsonl\nprompt: '{{ q }}'\ntarget: a\nscorer: math\n", "suite/sums.yaml")
    text = FILE.replace("arithmetic", "sums.yaml") + "system_prompt: '@prompts/careful.txt'\nresult_dir: runs\n"
    path = write(text, "suite/run.yaml")
    monkeypatch.chdir(tmp_path)
    run = st.evaluate(config="suite/run.yaml")
    assert run.path.parent == Path("suite/runs")
    assert config_of(run)["model"]["system_prompt"] == "Think hard.\n"
    monkeypatch.chdir(path.parent)
    again = st.evaluate(config="run.yaml", result_dir="here")
    assert again.path.name == run.path.name


def test_a_runs_own_record_makes_the_run_again(finished_run, tmp_path):
    run = st.evaluate(config=finished_run, result_dir=tmp_path / "a")
    assert run.path.name == finished_run.name
    assert (run.path / "results.json").read_bytes() == (finished_run / "results.json").read_bytes()
    copy = shutil.copy(finished_run / "run.json", tmp_path / "copied.json")
    more = st.evaluate(config=copy, n=3, result_dir=tmp_path / "b")
    assert (more.path.name, len(list(more))) == (finished_run.name, 24)


def test_a_record_keeps_what_names_stand_for_no_more(write, tmp_path, monkeypatch):
    """A preset and a task that are others today change nothing in a run that is made from its record."""
    rows = '{"q": "1 + 2", "a": "3"}\n{"q": "2 + 5", "a": "7"}\n'
    write(rows, "rows.jsonl")
    task = write("dataset_path: rows.jsonl\nprompt: 'Say {{ q }}'\ntarget: a\nscorer: math\n", "sums.yaml")
    presets = write(
        "models:\n  echo:\n    system_prompt: Think.\n    thinking_tags: [['[a]', '[b]']]\n"
        "    sampling_params: {temperature: 0.7}\n",
        "models.yaml",
    )
    first = st.evaluate(str(task), model="echo", backend=ECHO, model_config=presets, result_dir=tmp_path / "a")
    presets.unlink()
    task.write_text(task.read_text().replace("Say", "Tell me"), encoding="utf-8")
    again = st.evaluate(config=first.path / "run.json", result_dir=tmp_path / "b")
    assert again.path.name == first.path.name
    assert (again.path / "results.json").read_bytes() == (first.path / "results.json").read_bytes()


def test_another_setting_over_a_record_is_told_to_be_another_run(finished_run, tmp_path, caplog):
    run = st.evaluate(config=finished_run, seed=7, result_dir=tmp_path)
    assert run.path.name != finished_run.name
    assert "not the run of" in caplog.text
    assert "seed was 41 and is 7 now" in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nowhere.yaml", None, "there is no such file"),
        ("run.json", "{", "a damaged run.json"),
        (".", None, "a folder without a run.json"),
    ],
)
def test_a_file_that_is_none(name, content, words, tmp_path):
    if content:
        (tmp_path / name).write_text(content)
    with pytest.raises(st.UserError, match=words):
        st.evaluate(config=tmp_path / name)


def test_without_model_or_task(write, tmp_path):
    with pytest.raises(st.UserError, match="'--model'"):
        st.evaluate("arithmetic")
    with pytest.raises(st.UserError, match="'--task'"):
        st.evaluate(config=write("model: tiny"))
