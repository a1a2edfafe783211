"""Model names -> `ModelConfig`: a model's preset, with what the user says on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skythought.config import ModelConfig, check
from skythought.errors import UserError, did_you_mean, unknown
from skythought.models.presets import Preset, catalogue

__all__ = ["PLACEHOLDERS", "load_model", "model_names", "system_prompt_names"]

PLACEHOLDERS = ("{}", "{prompt}", "{input}")
"""What a user template may call the task's prompt; the last two are the reference's older spellings."""


def model_names(model_config: str | Path | None = None) -> list[str]:
    """Names of all presets."""
    return list(catalogue(model_config).models)


def system_prompt_names(model_config: str | Path | None = None) -> list[str]:
    """What `--system-prompt-name` accepts."""
    return list(catalogue(model_config).system_prompts)


def load_model(
    model: str,
    *,
    system_prompt_name: str | None = None,
    system_prompt: str | None = None,
    user_template: str | None = None,
    assistant_prefill: str | None = None,
    chat_template_kwargs: dict[str, Any] | None = None,
    model_config: str | Path | None = None,
) -> ModelConfig:
    """The configuration of a model: its preset, if it has one, with the given settings over it.

    Args:
        model: A preset's name, a hub id, a local path, or what an endpoint calls the model.
        system_prompt_name: A named system prompt of the library; not together with `system_prompt`.
        system_prompt: The text itself. An empty text switches the preset's off.
        user_template: Text with `{}` where the task's prompt goes. An empty text switches the preset's off.
        assistant_prefill: Start of the model's turn. An empty text switches the preset's off.
        chat_template_kwargs: Arguments of the model's chat template, instead of the preset's.
        model_config: A file of presets that go before the user's own and the library's.

    Raises:
        UserError: Both system prompt options, an unknown name, a path that does not exist, a template without `{}`, a
            mistake in a file of presets.
    """
    if not model:
        raise UserError("--model: the name is empty; give a hub id, a path, or a name from `skythought models`.")
    if system_prompt_name is not None and system_prompt is not None:
        raise UserError("--system-prompt and --system-prompt-name exclude each other; give one of them.")
    presets = catalogue(model_config)
    preset = presets.models.get(model, Preset())
    where = f"{presets.files[model]}: models.{model}" if model in presets.files else ""
    if system_prompt is None and (name := system_prompt_name or preset.system_prompt_name) is not None:
        if name not in presets.system_prompts:
            named_by = "" if system_prompt_name else f" in {where}"
            raise unknown(f"system prompt name{named_by}", name, presets.system_prompts)
        system_prompt = presets.system_prompts[name]
    values: dict[str, Any] = {
        "system_prompt": preset.system_prompt if system_prompt is None else system_prompt,
        "user_template": preset.user_template if user_template is None else user_template,
        "assistant_prefill": preset.assistant_prefill if assistant_prefill is None else assistant_prefill,
    }
    values = {key: text or None for key, text in values.items()}
    if (template := values["user_template"]) and not any(hole in template for hole in PLACEHOLDERS):
        option = f"{where}.user_template:" if user_template is None else "--user-template"
        raise UserError(f"{option} {template!r} has no {{}} where the task's prompt should go.")
    arguments = preset.chat_template_kwargs if chat_template_kwargs is None else chat_template_kwargs
    thinks = all(arguments.get(switch) is not False for switch in ("enable_thinking", "thinking"))
    values |= {
        "thinking_tags": preset.thinking_tags or None,
        "chat_template_kwargs": arguments,
        "sampling_params": preset.sampling_params if thinks else preset.sampling_params_without_thinking,
        "path": preset.path,
        "model_id": preset.model_id or model,
    }
    if preset.path is None and values["model_id"].startswith(("/", "./", "../", "~")):
        _require_folder(values["model_id"])
    nickname = model if preset.model_id else model.rstrip("/").rsplit("/", maxsplit=1)[-1]
    values["name"] = preset.name or nickname
    return check(ModelConfig, {**values, "price": preset.price}, f"model {model!r}")


def _require_folder(model: str) -> None:
    path = Path(model).expanduser()
    if not path.exists():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, siblings)
        raise UserError(f"--model {model!r}: there is no such file or folder.{hint}")
