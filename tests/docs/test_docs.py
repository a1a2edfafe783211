"""What the documentation shows is true: examples load, tables name every key."""

import re
from textwrap import dedent

import pytest
from places import ROOT

from skythought.backends.openai.args import OpenAIArgs
from skythought.backends.ray.args import RayArgs
from skythought.backends.transformers.args import TransformersArgs
from skythought.config import FewShot, TaskConfig
from skythought.models.presets import Preset, catalogue
from skythought.tasks.load import LIBRARY, load_task

DOCS = ROOT / "docs"


def example(page, first_line):
    """The indented block of a page that begins with a line."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip().startswith(first_line))
    block = []
    for line in lines[start:]:
        if line.strip() and not line.startswith("    "):
            break
        block.append(line)
    return dedent("\n".join(block)) + "\n"


def test_the_example_of_a_task_loads(tmp_path):
    text = example("tasks.md", "# trivia.yaml").partition("skythought tasks check")[0]
    (tmp_path / "trivia.yaml").write_text(text, encoding="utf-8")
    task = load_task(str(tmp_path / "trivia.yaml"))
    assert (task.scorer_name, task.few_shot.dataset_split, task.report_by) == ("choice", "dev", ["category"])


def test_the_example_of_presets_loads(tmp_path):
    for name in ("careful.txt", "math.txt"):
        (tmp_path / "prompts").mkdir(exist_ok=True)
        (tmp_path / "prompts" / name).write_text("Think.", encoding="utf-8")
    file = tmp_path / "models.yaml"
    file.write_text(example("models.md", "# ~/.config/skythought/models.yaml"), encoding="utf-8")
    presets = catalogue(file)
    assert presets.models["my-org/math-8b"].system_prompt == "Think."
    assert presets.models["my-sft"].sampling_params == presets.models["Qwen/Qwen3-8B"].sampling_params


def test_the_example_of_a_scorer_works(tmp_path):
    text = example("tasks.md", "from dataclasses import dataclass")
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text('{"q": "Capital of France?", "a": "Paris"}\n', encoding="utf-8")
    (tmp_path / "t.yaml").write_text(
        "dataset_path: rows.jsonl\nprompt: '{{ q }}'\ntarget: a\nscorer: mine.py:Exact\n", encoding="utf-8"
    )
    import skythought

    report = skythought.check_task(str(tmp_path / "t.yaml"))
    assert (report.ok, report.findings, report.gold_right) == (True, [], 1)


@pytest.mark.parametrize(
    ("page", "model"),
    [
        ("tasks.md", TaskConfig),
        ("tasks.md", FewShot),
        ("models.md", Preset),
        ("backends.md", TransformersArgs),
        ("backends.md", OpenAIArgs),
        ("ray.md", RayArgs),
    ],
)
def test_every_key_is_told(page, model):
    text = (DOCS / page).read_text(encoding="utf-8")
    assert [name for name in model.model_fields if f"`{name}`" not in text] == []


def test_every_bundled_task_is_told():
    words = set(re.findall(r"\w+", (DOCS / "tasks.md").read_text(encoding="utf-8").partition("## Without the hub")[0]))
    assert [path.stem for path in LIBRARY.glob("*.yaml") if path.stem not in words] == []


@pytest.mark.parametrize(
    "page", [*sorted(DOCS.glob("*.md")), *sorted(DOCS.parent.glob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
