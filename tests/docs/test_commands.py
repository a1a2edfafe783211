"""Every command that the documentation shows is one that `skythought` takes, down to its last option.

Those that ask a model are taken as far as their plan, in which everything is checked before an engine starts. All
others are run, on runs that are made where the command expects them. Tests of single pages run whole examples, models
included.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
from doc_commands import PAGES, ShownCommand, files, listed_commands, shown_commands
from echo import ECHO
from places import ROOT

import skythought
from skythought.cli.app import app
from skythought.errors import UserError
from skythought.runs.marks import Mark

MODEL = "tiny"
"""Stands for every model: what is checked is the command, not whether a hub has the weights."""
ASKED = "--task arithmetic --model tiny --run-dir runs/run --result-dir runs --sampling-params temperature=1"
"""What stands for the `...` of a command, as far as the command takes it."""
PLACEHOLDERS = {"NAME": "arithmetic", "NAME_OR_YAML...": "arithmetic", "RUN_DIR...": "RUN_DIR", "DIR": "there"}
"""What stands for a word in capitals that is no run folder."""
FILES = {
    "my.yaml": "dataset_path: r.jsonl\nprompt: '{{ q }}'\ntarget: a\nscorer: model_graded\n",
    "run.yaml": "task: arithmetic\nmodel: tiny\nbackend: transformers\n",
}
"""Files that a page speaks of without showing them."""
RUNS = ("run_dir", "runs", "shards", "versus", "difficulty", "folder", "config")
"""Parameters that name runs."""
NOT_DONE = {
    "progress.watch": None,  # what asks a model, or grades
    "report.view_runs": None,  # waits for Ctrl-C
    "exporting.export_and_tell": None,  # may want a hub
    "confinement.show_sandbox": 0,
    "validation.check_all": True,  # wants the task's rows
}
"""The functions of the command line behind what a command is checked for no further, and what they return."""
GATE_FAILED = 3


def found(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the first words name, and the rest."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def filled(shown: ShownCommand) -> list[str]:
    """The command's words as a reader would type them, for a model that is at hand."""
    words = [os.path.expandvars(PLACEHOLDERS.get(word, word)) for word in shown.words]
    for number, word in enumerate(words[:-1]):
        if word in ("--model", "--judge-model"):
            words[number + 1] = MODEL
    command, _ = found(words)
    taken = {name for parameter in command.params for name in parameter.opts}
    extra = ASKED.split()
    for option, value in zip(extra[::2], extra[1::2], strict=True):
        if shown.is_shortened and option in taken and option not in words:
            words += [option, value]
    return words


@pytest.fixture(scope="module")
def large_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with problems and samples of all numbers that the pages speak of, one of them marked."""
    options = {"model": "echo", "backend": ECHO, "n": 16, "end": 20, "sampling_params": {"temperature": 1.0}}
    run = skythought.evaluate("arithmetic", **options, result_dir=tmp_path_factory.mktemp("large"))
    mark = asdict(Mark(id="1", sample=0, verdict="wrong"))
    (run.path / "marks.jsonl").write_text(json.dumps(mark) + "\n", encoding="utf-8")
    return run.path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, in which no command asks a model or waits for anybody."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    for function, answer in NOT_DONE.items():
        monkeypatch.setattr(f"skythought.cli.{function}", lambda *_, answer=answer, **__: answer)
    return tmp_path


@pytest.mark.parametrize("shown", shown_commands(), ids=str)
def test_it_is_a_command(shown: ShownCommand, folder: Path, large_run: Path) -> None:
    for name, text in {**FILES, **files(shown.page)}.items():
        (folder / name).write_text(text, encoding="utf-8")
    words = filled(shown)
    for engine in ("vllm", "ray"):
        if engine in words and find_spec(engine) is None:
            pytest.skip(f"{engine} is not installed: its arguments cannot be checked")
    command, rest = found(words)
    context = command.make_context(command.name, list(rest))
    for name in RUNS:
        given = context.params.get(name) or []
        for run in [given] if isinstance(given, str) else given:
            if not Path(run).exists():
                shutil.copytree(large_run, run)
    code = 0
    try:
        command.invoke(context)
    except typer.Exit as ended:
        code = ended.exit_code
    except UserError as error:  # the command is sound, and the run that stands for the page's has none of these
        if "holds no such sample" not in str(error):
            raise
    assert code in (0, GATE_FAILED), shown.text


def commands(command: Any, words: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with the words that call it."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{words} {name}".strip())
    yield words, command


COMMANDS = dict(commands(typer.main.get_command(app)))
OPTIONS = {name for command in COMMANDS.values() for option in command.params for name in option.opts} | {
    name for command in COMMANDS.values() for option in command.params for name in option.secondary_opts
}
OF_OTHERS = re.findall(
    r"\S+",
    """
    --dtype --enforce-eager --generation-config --max-num-batched-tokens --no-enable-chunked-prefill
    --no-enable-prefix-caching --repo-type --local-dir --address --head --num-cpus --list --input_key --repeats
    --samples --simulate --strict --help --gres --time --requeue --array
    --model_name_or_path --dataset_name --output_dir
    """,
)
"""Options of other programs: vLLM's server, Ray, SLURM, trainers, the hub's client, our benchmarks."""


def test_the_command_lines_page_lists_every_command() -> None:
    listed = [words for words in listed_commands() if words in COMMANDS]
    assert listed == listed_commands()
    assert set(COMMANDS) - {"", "tasks show"} == set(listed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_that_a_page_names_is_one(page: Path) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*\w(?![\w-])", page.read_text(encoding="utf-8")))
    assert named - OPTIONS - set(OF_OTHERS) == set()


def test_every_option_is_told() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    plain = {name for name in OPTIONS if re.fullmatch(r"--(?!no-|install-|show-|version)[a-z][\w-]*", name)}
    assert [name for name in sorted(plain) if name not in re.findall(r"--\w[\w-]*", text)] == []


def test_the_command_lines_page_tells_defaults_as_they_are() -> None:
    rows = re.findall(r"^\| (`--.*)$", (ROOT / "docs" / "cli.md").read_text(encoding="utf-8"), re.MULTILINE)
    table: dict[str, str] = {}  # an option of several commands may have several rows
    for row in rows:
        for name in re.findall(r"`(--[\w-]+)`", row.partition("|")[0]):
            table[name] = table.get(name, "") + row
    wrong = []
    for command in COMMANDS.values():
        for option in command.params:
            default, row = option.default, table.get(option.opts[0], "")
            if row and isinstance(default, int | float | str) and not isinstance(default, bool) and default != "":
                shown = f"{default:g}" if isinstance(default, float) else str(default)
                wrong += [f"{option.opts[0]}: {shown}"] if shown not in row else []
    assert wrong == []
