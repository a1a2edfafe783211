"""The command line as a person meets it: a process of its own."""

import json

import pytest

TASK = "dataset_path: rows.jsonl\nprompt: '{{ question }}'\ntarget: answer\nscorer: math\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("evaluate --tsk gsm8k --model m", "No such option: --tsk"),
        ("evalute", "No such command 'evalute'"),
        ("evaluate --task gsm8kk --model m", "unknown task 'gsm8kk'. Did you mean 'gsm8k'?"),
        ("evaluate --task gsm8k,MATH50 --model m", "unknown task 'MATH50'. Did you mean 'math500'?"),
        (
            "evaluate --task gsm8k --model m --backend transformer",
            "unknown backend 'transformer'. Did you mean 'transformers'?",
        ),
        ("evaluate --task gsm8k --model tny --backend transformers", "a hub id has an owner. Did you mean 'tiny'?"),
        ("evaluate --task gsm8k --model qwen3-8b --backend transformers", "Did you mean 'Qwen/Qwen3-8B'?"),
        ("evaluate --task gsm8k --model ./folder --backend transformers", "holds no config.json, so no model"),
        ("evaluate --task gsm8k --model ./nothing", "--model './nothing': there is no such file or folder."),
        (
            "evaluate --task gsm8k --model m --backend transformers --backend-args dtyp=auto",
            "unknown key 'dtyp'. Did you mean 'dtype'?",
        ),
        (
            "evaluate --task gsm8k --model m --sampling-params temprature=1",
            "unknown key 'temprature'. Did you mean 'temperature'?",
        ),
        ("evaluate --task gsm8k --model m --sampling-params top_p=2", "top_p: Input should be less than or equal to 1"),
        (
            "evaluate --task gsm8k --model m --task-args dataset_pth=x",
            "unknown key 'dataset_pth'. Did you mean 'dataset_path'?",
        ),
        ("evaluate --task gsm8k --model m --n 0", "--n must be a whole number of at least 1"),
        ("evaluate --task gsm8k --model m --n x", "'--n': a whole number is wanted."),
        ("evaluate --task gsm8k --model m --sampling-params stop=5", "stop: Input should be a list (given: 5)."),
        ("evaluate --task gsm8k --model m --resume --overwrite", "--resume and --overwrite exclude each other"),
        ("evaluate --task wrong.yaml --model m", "unknown key 'datset_path'. Did you mean 'dataset_path'?"),
        ("generate --task gsm8k --model m", "Give --result-dir DIR, or --resume-from DIR"),
        ("score --run-dir nowhere", "--run-dir 'nowhere': there is no such folder."),
        ("score --run-dir folder", "--run-dir 'folder' holds no run: neither run.json nor results.json is there"),
        ("evaluate --task gsm8k --model m --verbos", "No such option: --verbos. Did you mean --verbose?"),
        ("evaluate --task gsm8k --model m --batch_size 3", "No such option: --batch_size. Did you mean --batch-size?"),
        ("evaluate --task gsm8k --model m --temperature 1", "here it is --sampling-params temperature=VALUE."),
        ("evaluate --task gsm8k --model m --max-new-tokens 1", "here it is --sampling-params max_tokens=N."),
        ("evaluate --task gsm8k --model m --limit 5", "No such option: --limit; here it is --end N."),
        ("show x --limit 5", "No such option: --limit; here it is --most."),
        ("compare x --limit 5", "No such option: --limit. --help lists those that there are."),
        ("evaluate --task gsm8k --model m --tp 2", "here it is --backend-args tensor_parallel_size=N"),
        ("evaluate --task gsm8k --model m --num_samples 2", "here it is --n N."),
        ("evaluate --task gsm8k --model m --output_path x", "here it is --result-dir."),
        ("evaluate --task gsm8k --model m --log_samples", "every sample is kept in the run folder"),
        ("evaluate --task gsm8k --model m --max-hours x", "Invalid value for '--max-hours': a number is wanted."),
        ("evaluate --task rows.jsonl --model m", "that is a file of data."),
        ("evaluate --task ./rows.jsonl --model m", "--task-args dataset_path=./rows.jsonl"),
        ("evaluate --task nosuch --model m", "unknown task 'nosuch'. `skythought tasks` lists all "),
        ("evaluate --task gsm8k --model a/b --backend transformers", "it is not in the cache"),
        ("evaluate --task gsm8k --model tiny --start 5 --end 2", "no problem is left between them"),
        ("evaluate --task gsm8k --model tiny --quiet --verbose", "--quiet and --verbose exclude each other."),
        (
            "evaluate --task arithmetic --model tiny --backend openai --task-args dataset_path=empty.jsonl",
            "no problem is left, for its dataset",
        ),
        ("evaluate --task gsm8k --model m --system-prompt @nowhere.txt", "--system-prompt @nowhere.txt: the file"),
        ("score --task gsm8k --run-dir nowhere", "--run-dir 'nowhere': there is no such folder."),
        (
            "evaluate --task gsm8k --model m --backend openai --sampling-params temperature=1 --n 2 --k 1,3",
            "--k 3: that",
        ),
        ("score --task gsm8k --run-dir . --k 1,x", "--k 1,x: whole numbers are wanted, such as --k 1,5,10."),
        ("metrics nowhere", "'nowhere' holds no run"),
        ("metrics nowhere --format jsn", "Did you mean 'json'?"),
        ("tasks gsm8kk", "Did you mean 'gsm8k'?"),
        ("tasks show gsm8kk", "Did you mean 'gsm8k'?"),
        ("tasks chek gsm8k", "unknown command of `skythought tasks` 'chek'. Did you mean 'check'?"),
        ("tasks check", "name the tasks, or give --all for the whole catalogue"),
        ("tasks check gsm8kk", "unknown task 'gsm8kk'. Did you mean 'gsm8k'?"),
        ("tasks check gsm8k --rows 0", "Invalid value for '--rows'"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(cli, tmp_path, arguments, says):
    (tmp_path / "wrong.yaml").write_text("datset_path: x\n", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    done = cli(*arguments.split())
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert says in done.stderr
    assert done.stderr.count("\n") == 1, "one line"


@pytest.mark.engine
def test_evaluate_prints_a_table_and_leaves_a_folder(cli, tmp_path):
    (tmp_path / "sums.yaml").write_text(TASK, encoding="utf-8")
    rows = [{"question": f"What is {n} + 5?", "answer": str(n + 5)} for n in range(3)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = cli(
        *("evaluate", "--task", "sums.yaml", "--model", "tiny", "--backend", "transformers"),
        *("--sampling-params", "temperature=1,max_tokens=64", "--n", 2, "--assistant-prefill", r"<think>\n"),
    )
    assert done.returncode == 0, done.stderr
    for part in ("sums · tiny", "accuracy", "pass@2", "tokens a sample", "results: tiny_sums_"):
        assert part in done.stdout
    [folder] = tmp_path.glob("tiny_sums_*")
    records = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert [len(record["responses"]) for record in records.values()] == [2, 2, 2]
    assert records["0"]["responses"][0]["content"].startswith("<think>\n")


@pytest.mark.engine
def test_as_test_is_a_small_run_and_recorded_as_such(cli, tmp_path):
    rows = [{"question": f"{n}+1", "answer": str(n + 1)} for n in range(12)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "sums.yaml").write_text(TASK, encoding="utf-8")
    done = cli(
        *("evaluate", "--task", "sums.yaml", "--model", "tiny", "--backend", "transformers", "--as-test"),
        *("--sampling-params", "max_tokens=16"),
    )
    assert done.returncode == 0, done.stderr
    [folder] = tmp_path.glob("tiny_sums_*")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["configuration"]["skythought"]["problems"] == 10
    assert summary["configuration"]["skythought"]["as_test"] is True
    assert summary["configuration"]["sampling_params"]["max_tokens"] == 16


def test_listings(cli):
    tasks = cli("tasks")
    assert "gsm8k" in tasks.stdout
    assert "aime24" in tasks.stdout
    shown = cli("tasks", "aime").stdout
    assert "Return your final response within \\boxed{}." in shown
    assert "scorer" in shown
    models = cli("models", COLUMNS="60").stdout
    assert "Qwen/QwQ-32B-Preview" in models
    assert "temperature=0.6, top_p=0.95, top_k=20, min_p=0" in models, "a pipe is not cut at the terminal's edge"
    assert "a similar name: Qwen/QwQ-32B" in cli("models", "Qwen/QwQ-32").stdout
    assert "release='release_v2'" in cli("tasks", "livecodebench").stdout
    assert "systematic long thinking process" in cli("models", "NovaSky-AI/Sky-T1-32B-Preview").stdout


def test_score_does_not_speak_of_an_option_that_it_lacks(cli, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\nfrom skythought.scorers.base import Scorer\n\n"
        "@dataclass(frozen=True)\nclass Mine(Scorer):\n"
        "    def score(self, problem, answer):\n        raise ValueError\n",
        encoding="utf-8",
    )
    (tmp_path / "sums.yaml").write_text(TASK.replace("math", "mine.py:Mine"), encoding="utf-8")
    record = {"question": "1+1", "answer": "2", "prompt": "1+1", "responses": [{"content": "2"}]}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "results.json").write_text(json.dumps({"0": record}), encoding="utf-8")
    done = cli("score", "--task", "sums.yaml", "--run-dir", "run")
    assert done.returncode == 1
    assert "all 1 samples failed" in done.stderr
    assert "--resume" not in done.stdout + done.stderr


def test_an_error_does_not_list_every_preset(cli, tmp_path):
    (tmp_path / "models.yaml").write_text("models: {mine: {like: tniy}}\n", encoding="utf-8")
    said = cli("models", "mine", "--model-config", "models.yaml").stderr
    assert "Did you mean 'tiny'? Known: " in said
    assert "more." in said
    assert said.count("Qwen/") < 40


def test_no_secret_is_written_anywhere(cli, tmp_path):
    """The endpoint does not exist; what matters is what is left behind."""
    (tmp_path / "sums.yaml").write_text(TASK, encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text('{"question": "1+1", "answer": "2"}\n', encoding="utf-8")
    arguments = "base_url=http://me:hunter2@127.0.0.1:9/v1,api_key=sk-verysecret,max_retries=0"
    done = cli(
        *("evaluate", "--task", "sums.yaml", "--model", "m", "--backend", "openai", "--backend-args", arguments),
        OPENAI_API_KEY="sk-alsosecret",
    )
    assert done.returncode in (1, 2)
    left = (
        done.stdout + done.stderr + "".join(f.read_text(encoding="utf-8") for f in tmp_path.rglob("*") if f.is_file())
    )
    for secret in ("verysecret", "alsosecret", "hunter2"):
        assert secret not in left
