"""The reference's `model_configs.yaml` is a file of presets: all that it says loads unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from skythought.models.library import load_model, system_prompt_names

TEXT = """
system_prompts:
  steps: &steps "Go step by step."
  long: &long
    path: long.txt
user_templates: null
models:
  openai/o9-mini:
    name: o9-mini
    system_prompt: null
    user_template: "Question: {input}\\nAnswer: "
  my-org/steps:
    system_prompt: *steps
  my-org/long:
    system_prompt: *long
    assistant_prefill: "<think>\\n"
  my-org/framed:
    user_template: {path: frame.txt}
  my-org/bare:
  NovaSky-AI/Sky-T1-32B-Preview:
    system_prompt: null
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "long.txt").write_text("At length.", encoding="utf-8")
    (tmp_path / "frame.txt").write_text("Q: {}", encoding="utf-8")
    (tmp_path / "model_configs.yaml").write_text(TEXT, encoding="utf-8")
    return tmp_path / "model_configs.yaml"


def test_each_entry(file: Path) -> None:
    told = {name: load_model(name, model_config=file) for name in ("openai/o9-mini", "my-org/steps", "my-org/long")}
    assert told["openai/o9-mini"].name == "o9-mini"
    assert told["openai/o9-mini"].user_template == "Question: {input}\nAnswer: "
    assert told["my-org/steps"].system_prompt == "Go step by step."
    assert (told["my-org/long"].system_prompt, told["my-org/long"].assistant_prefill) == ("At length.", "<think>\n")
    assert load_model("my-org/framed", model_config=file).user_template == "Q: {}"
    assert load_model("my-org/bare", model_config=file).system_prompt is None
    assert load_model("NovaSky-AI/Sky-T1-32B-Preview", model_config=file).system_prompt is None


def test_its_system_prompts_have_names(file: Path) -> None:
    assert {"steps", "long"} <= set(system_prompt_names(file))
    assert load_model("x/y", system_prompt_name="long", model_config=file).system_prompt == "At length."


@pytest.mark.parametrize("empty", ["system_prompts:", "models:", "user_templates: {o1: &o1 'Q: {input}'}", ""])
def test_empty_parts_are_none(tmp_path: Path, empty: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(empty, encoding="utf-8")
    assert load_model("x/y", model_config=file).system_prompt is None
