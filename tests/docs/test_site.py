"""The site: it builds without a warning, and has a page for each task and the reference, made from the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from places import ROOT

from skythought.backends.openai.args import OpenAIArgs
from skythought.config import TaskConfig
from skythought.pipeline.options import Options
from skythought.tasks.load import load_task, task_names
from skythought.types import SamplingParams

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning of the builder's (a link that leads nowhere, a page in no menu) fails."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def text_of(page: Path) -> str:
    """The page's text without markup."""
    return unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_every_task_has_a_page_that_shows_its_prompt_and_revision(site: Path) -> None:
    index = text_of(site / "tasks" / "index.html")
    for name in task_names():
        page = text_of(site / "tasks" / f"{name}.html")
        task = load_task(name)
        assert name in index
        assert f"skythought evaluate --task {name} --model" in page
        assert task.description in page
        revision = task.dataset_kwargs.get("revision", "")
        assert revision in page


def test_a_tasks_page_shows_a_prompt_as_it_is_sent(site: Path) -> None:
    page = text_of(site / "tasks" / "gsm8k.html")
    assert (
        "Problem: Mira bakes 4 trays of 12 rolls and sells 30. How many rolls are left?\nYour response should" in page
    )
    assert "1,319" in page
    assert "licence" in page


def test_the_reference_has_every_option_and_argument(site: Path) -> None:
    commands = text_of(site / "reference" / "commands.html")
    assert [name for name in Options.__dataclass_fields__ if f"--{name.replace('_', '-')}" not in commands] == []
    arguments = text_of(site / "reference" / "arguments.html")
    for model in (OpenAIArgs, TaskConfig):
        assert [name for name in model.model_fields if name not in arguments] == []
    assert [name for name in SamplingParams.__dataclass_fields__ if name not in arguments] == []


def test_the_reference_of_python_has_every_name(site: Path) -> None:
    import skythought

    page = text_of(site / "reference" / "python.html")
    assert [name for name in skythought.__all__ if name not in page] == []
    assert "Tokens of the response, thinking included; None if unknown." in page  # a field of Sample


def test_no_page_fetches_anything(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?(https?:[^\" >]+)", page.read_text("utf-8"))
        assert [address for address in loaded if "generator" not in address] == [], page
