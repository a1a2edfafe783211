"""The packaged presets: every setting has its source."""

from __future__ import annotations

from skythought.models.files import LIBRARY
from skythought.models.library import load_model
from skythought.models.presets import catalogue


def test_recommended_settings_name_their_source() -> None:
    for name, preset in catalogue().models.items():
        if preset.sampling_params:
            assert preset.source.startswith("https://"), name
            assert 0 < preset.sampling_params["temperature"] <= 1.1, name


def test_the_references_models_are_there_and_greedy() -> None:
    models = catalogue().models
    for name in ("NovaSky-AI/Sky-T1-32B-Preview", "Qwen/QwQ-32B-Preview", "PRIME-RL/Eurus-2-7B-PRIME", "o1-mini"):
        assert models[name].sampling_params == {}
        assert models[name].system_prompt_name or models[name].user_template


def test_no_key_stands_twice() -> None:
    names = [line.split(":")[0] for line in LIBRARY.read_text(encoding="utf-8").splitlines() if line[:3].rstrip() == ""]
    keys = [name for name in names if name.startswith("  ") and not name.startswith(("   ", "  #"))]
    assert len(keys) == len(set(keys))


def test_models_whose_thinking_can_be_switched_off_are_not_greedy_then() -> None:
    off = {"enable_thinking": False}
    for name in ("Qwen/Qwen3-8B", "Qwen/Qwen3.5-35B-A3B", "zai-org/GLM-4.5", "zai-org/GLM-4.6"):
        assert load_model(name, chat_template_kwargs=off).sampling_params["temperature"] > 0, name
