"""Secrets are neither written down nor shown, and no worker process sees them."""

import json
import os
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest
from echo import ECHO

import skythought as st
from skythought.config import RunConfig
from skythought.errors import SkythoughtError, UserError
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan
from skythought.redaction import is_secretive, redacted, scrubbed, scrubbed_environment

SECRET = "hunter2sesame"
ADDRESSES = [
    f"https://me:{SECRET}@host/rows.jsonl",
    f"https://{SECRET}@host/rows.jsonl",
    f"https://host/rows.jsonl?token={SECRET}",
    f"https://host/rows.jsonl?raw=1&access_token={SECRET}",
    f"https://host/rows.jsonl?X-Amz-Signature={SECRET}&X-Amz-Credential={SECRET}",
    f"https://host/rows.jsonl?sv=1&sig={SECRET}",
    f"https://host/rows.jsonl?X-Goog-Signature={SECRET}",
    f"https://host/rows.jsonl#access_token={SECRET}",
    f"s3://key:{SECRET}@bucket/rows.parquet",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_loses_its_secrets_and_nothing_else(address):
    assert SECRET not in redacted(f"cannot read {address!r}.")
    assert "/rows." in redacted(address)


@pytest.mark.parametrize(
    "text",
    [
        "https://host/x.jsonl?download=true&rev=a%20b",
        "hf://datasets/openai/gsm8k@main/main/test.parquet",
        "hf-internal-testing/tiny-random-gpt2",
        "Basic mathematics: see https://host/page#part",
        "task-specific-sk-tokens-of-the-model",
        "me@host: 3 of 4",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "Authorization", "x-api-key", "auth", "HF_TOKEN", "client_secret"]
)
def test_telling_names(name):
    assert is_secretive(name)


@pytest.mark.parametrize(
    "name", ["max_tokens", "stop_token_ids", "tokenizer", "pattern", "author", "signal", "keyed_by"]
)
def test_names_that_tell_nothing(name):
    assert not is_secretive(name)


def test_secrets_are_left_out_at_any_depth():
    value = {
        "a": [{"auth": {"bearer": SECRET}}, ["Authorization", SECRET], {"url": f"http://u:{SECRET}@h/"}],
        "b": {"headers": {"X": SECRET}, "kept": "sk-" + "a1" * 12, "more": "Bearer " + "x1" * 12},
    }
    text = json.dumps(scrubbed(value))
    assert SECRET not in text
    assert "a1a1" not in text
    assert "x1x1" not in text


@pytest.mark.parametrize("address", ADDRESSES[:4])
def test_no_secret_of_a_dataset_is_recorded(address, tmp_path):
    (tmp_path / "t.yaml").write_text(
        textwrap.dedent(f"""
        dataset_path: {json.dumps(address)}
        prompt: "{{{{ q }}}}"
        target: a
        scorer: {{text: {{}}}}
        few_shot: {{count: 1, answer: "{{{{ a }}}}", dataset_path: {json.dumps(address)}}}
        """),
        encoding="utf-8",
    )
    args = {"extra": 1}
    plan = make_plan(
        Options(task=(str(tmp_path / "t.yaml"),), model="m", backend=ECHO, result_dir=tmp_path), grade=True
    )
    [config] = plan.configs
    assert isinstance(config, RunConfig)
    assert args
    assert SECRET not in json.dumps(config.record())
    assert SECRET not in json.dumps(config.task.reference_config())
    assert config.task.dataset_path == address, "the address itself is used whole"


def test_nested_secrets_of_a_backend_are_not_recorded(tmp_path):
    body = {"provider": {"auth": SECRET, "options": [{"api_key": SECRET}], "order": ["a"]}}
    options = Options(
        task=("gsm8k",),
        model="m",
        backend="openai",
        backend_args={"base_url": f"http://u:{SECRET}@h/v1", "extra_body": body},
        result_dir=tmp_path,
    )
    [config] = make_plan(options, grade=True).configs
    text = json.dumps(config.record())
    assert SECRET not in text
    assert '"order": ["a"]' in text


def test_an_unreadable_dataset_is_named_without_its_secrets(tmp_path):
    task = {"dataset_path": f"http://me:{SECRET}@127.0.0.1:9/rows.jsonl?token={SECRET}"}
    with pytest.raises(SkythoughtError) as failed:
        st.evaluate("arithmetic", model="m", backend=ECHO, task_args=task, result_dir=tmp_path)
    assert "127.0.0.1:9/rows.jsonl" in str(failed.value)
    assert SECRET not in str(failed.value)


def test_a_wrong_value_is_not_repeated_where_it_may_be_a_secret(tmp_path):
    for args in ({"api_key": [SECRET]}, {"base_url": [f"http://u:{SECRET}@h"]}, {"extra_body": f"auth={SECRET}"}):
        with pytest.raises(UserError) as failed:
            make_plan(
                Options(task=("gsm8k",), model="m", backend="openai", backend_args=args, result_dir=tmp_path),
                grade=True,
            )
        assert SECRET not in str(failed.value)


def test_an_environment_without_keys():
    given = {
        "OPENAI_API_KEY": "k",
        "HF_TOKEN": "t",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_ACCESS_KEY_ID": "i",
        "HTTPS_PROXY": "http://me:pass@proxy:1",
        "DATABASE_URL": "postgres://me:pass@h/db",
        "MY_TOKEN": "wanted",
        "PATH": "/bin",
        "TOKENIZERS_PARALLELISM": "false",
        "SKYTHOUGHT_KEEP_ENV": "MY_TOKEN, OTHER",
    }
    assert set(scrubbed_environment(given)) == {"PATH", "TOKENIZERS_PARALLELISM", "MY_TOKEN", "SKYTHOUGHT_KEEP_ENV"}


SCORER = """
import os, subprocess, sys, time
from dataclasses import dataclass
from skythought.scorers.base import Scorer
from skythought.types import Score

print("IMPORTED", file=sys.stderr) if "forkserver" in sys.argv[0] else None


@dataclass(frozen=True)
class Mine(Scorer):
    def score(self, problem, answer):
        print("SHOUTED"), print("SHOUTED", file=sys.stderr), os.write(2, b"SHOUTED")
        what = problem.target
        if what == "environment":
            return Score(True, " ".join(sorted(os.environ)))
        if what == "raise":
            raise ValueError("x" * 50_000_000)
        if what == "reason":
            return Score(True, "y" * 50_000_000)
        if what == "kind":
            return Score(True, 5)
        if what == "daemon":
            code = "import time, sys; open(sys.argv[1], 'w').write(str(__import__('os').getpid())); time.sleep(60)"
            program = [sys.executable, "-c", code, answer.strip()]
            # Twice removed: its parent ends at once, and it has a session of its own.
            start = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
            subprocess.run([sys.executable, "-c", start, *program], check=True)
            while not os.path.exists(answer.strip()):
                time.sleep(0.01)
            return Score(True, "left behind")
        return Score(True, "")
"""


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(SCORER, encoding="utf-8")
    return f"{tmp_path / 'mine.py'}:Mine"


def test_a_scorer_sees_no_keys_and_prints_nowhere(mine, monkeypatch, capfd):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setenv("HF_TOKEN", "hf_1")
    st.evaluate  # noqa: B018
    from skythought.executors import background

    monkeypatch.setattr(background, "_current", None)
    score = st.score_response(mine, "answer", "environment")
    assert "PATH" in score.reason.split()
    assert not {"OPENAI_API_KEY", "HF_TOKEN"} & set(score.reason.split())
    out, err = capfd.readouterr()
    assert "SHOUTED" not in out + err


@pytest.mark.parametrize("what", ["raise", "reason"])
def test_reasons_and_exceptions_are_kept_short(mine, what):
    score = st.score_response(mine, "answer", what)
    assert 100 < len(score.reason) <= 2000
    assert "50,000,0" in score.reason


def test_a_reason_that_is_no_text_is_the_scorers_failure(mine):
    score = st.score_response(mine, "answer", "kind")
    assert score.verdict == "failed"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell whose child a process is")
def test_what_a_scorer_leaves_running_ends_with_its_worker(mine, tmp_path):
    row = {"q": "1", "a": "daemon"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    pid_file = tmp_path / "pid"
    entry = {**row, "prompt": "1", "responses": [{"content": str(pid_file)}]}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "results.json").write_text(json.dumps({"0": entry}), encoding="utf-8")
    (tmp_path / "t.yaml").write_text(
        f'dataset_path: rows.jsonl\nprompt: "{{{{ q }}}}"\ntarget: a\nscorer: {json.dumps(mine)}\n', encoding="utf-8"
    )
    run = st.score(str(tmp_path / "t.yaml"), tmp_path / "run")
    assert run.accuracy == 1.0
    pid = int(pid_file.read_text(encoding="utf-8"))
    try:
        ended = time.monotonic() + 5
        while Path(f"/proc/{pid}").exists() and time.monotonic() < ended:
            time.sleep(0.05)
        assert not Path(f"/proc/{pid}").exists()
    finally:
        if Path(f"/proc/{pid}").exists():
            os.kill(pid, signal.SIGKILL)
