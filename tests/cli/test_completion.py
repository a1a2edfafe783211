"""What the shell is given to complete, asked for as a shell asks: by variables of the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def completed(cli: Any) -> Any:
    """The words that bash is offered for the last one of a command line."""

    def ask(line: str) -> list[str]:
        words = line.split(" ")
        asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_SKYTHOUGHT_COMPLETE": "complete_bash"}
        done = cli(**asked)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return ask


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("skythought evaluate --task aime2", {"aime24", "aime25", "aime26"}),
        ("skythought evaluate --task gsm8k,math", {"gsm8k,math", "gsm8k,math500"}),
        ("skythought generate --model tin", {"tiny"}),
        ("skythought evaluate --judge-model Qwen/Qwen3-8", {"Qwen/Qwen3-8B"}),
        ("skythought evaluate --backend tr", {"transformers"}),
        ("skythought evaluate --system-prompt-name s", {"skythought"}),
        ("skythought evaluate --task-args scorer=ma", {"scorer=math"}),
        ("skythought score --executor r", {"ray"}),
        ("skythought export --format sh", {"sharegpt"}),
        ("skythought tasks che", {"check"}),
        ("skythought tasks gsm", {"gsm8k"}),
        ("skythought tasks check gsm", {"gsm8k"}),
        ("skythought models NovaSky-AI/Sky-T1-32B-F", {"NovaSky-AI/Sky-T1-32B-Flash"}),
        ("skythought evaluate --sampling-p", {"--sampling-params"}),
        ("skythought evaluate --task no-such-task", set()),
    ],
)
def test_names(completed: Any, line: str, offered: set[str]) -> None:
    assert offered <= set(completed(line))
    assert offered or not completed(line)


def test_run_folders(completed: Any, tmp_path: Path) -> None:
    for name in ("runs/tiny_gsm8k_1/run.json", "runs/theirs/results.json", "runs/more/deep/run.json", "rubbish.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}", encoding="utf-8")
    assert completed("skythought show ru") == ["runs/"]
    assert completed("skythought report runs/") == ["runs/more/", "runs/theirs", "runs/tiny_gsm8k_1"]
    assert completed("skythought evaluate --resume-from runs/ti") == ["runs/tiny_gsm8k_1"]
    assert completed("skythought score --run-dir runs/tiny") == ["runs/tiny_gsm8k_1"]
    assert completed("skythought compare runs/theirs runs/more/") == ["runs/more/deep"]
    assert completed("skythought show nowhere/") == []


def test_presets_of_the_users_own_and_a_broken_file(cli: Any, tmp_path: Path) -> None:
    own = tmp_path / "skythought" / "models.yaml"
    own.parent.mkdir()
    asked = {"COMP_WORDS": "skythought models mine", "COMP_CWORD": "2", "_SKYTHOUGHT_COMPLETE": "complete_bash"}
    for text, offered in (("models: {mine-7b: {like: tiny}}", "mine-7b"), ("models: [", ""), ("models: {1: {}}", "")):
        own.write_text(text, encoding="utf-8")
        done = cli(**asked, XDG_CONFIG_HOME=str(tmp_path))
        assert (done.stdout.strip(), done.stderr) == (offered, "")


def test_each_shell_has_a_script(cli: Any) -> None:
    for shell in ("bash", "zsh", "fish"):
        done = cli(_SKYTHOUGHT_COMPLETE=f"source_{shell}")
        assert "_SKYTHOUGHT_COMPLETE" in done.stdout, shell


def test_nothing_heavy_is_imported() -> None:
    code = """
import sys
from skythought.cli import completion
for complete in completion.COMPLETERS.values():
    complete("")
print([name for name in ("pydantic", "jinja2", "datasets", "torch", "rich", "aiohttp") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
