"""Model names -> `ModelConfig`: the presets of `library.yaml`, with what the user says on top."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from skythought.config import ModelConfig, check
from skythought.errors import UserError, did_you_mean, unknown

__all__ = ["load_model", "model_names", "system_prompt_names"]

FOLDER = Path(__file__).parent


@cache
def _library() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / "library.yaml").read_text(encoding="utf-8"))
    return loaded


def model_names() -> list[str]:
    """Names of all presets."""
    return list(_library()["models"])


def system_prompt_names() -> list[str]:
    """What `--system-prompt-name` accepts."""
    return list(_library()["system_prompts"])


def load_model(
    model: str,
    *,
    system_prompt_name: str | None = None,
    system_prompt: str | None = None,
    user_template: str | None = None,
    assistant_prefill: str | None = None,
    chat_template_kwargs: dict[str, Any] | None = None,
) -> ModelConfig:
    """The configuration of a model: its preset, if it has one, with the given settings over it.

    Args:
        model: A preset's name, a hub id, a local path, or what an endpoint calls the model.
        system_prompt_name: A named system prompt of the library; not together with `system_prompt`.
        system_prompt: The text itself. An empty text switches the preset's off.
        user_template: Text with `{}` where the task's prompt goes. An empty text switches the preset's off.
        assistant_prefill: Start of the model's turn. An empty text switches the preset's off.
        chat_template_kwargs: Arguments of the model's chat template.

    Raises:
        UserError: Both system prompt options, an unknown name, a path that does not exist, a template without `{}`.
    """
    if not model:
        raise UserError("--model: the name is empty; give a hub id, a path, or a name from `skythought models`.")
    if system_prompt_name is not None and system_prompt is not None:
        raise UserError("--system-prompt and --system-prompt-name exclude each other; give one of them.")
    values = dict(_library()["models"].get(model, {}))
    preset_prompt = values.pop("system_prompt_name", None)
    if system_prompt is None and (name := system_prompt_name or preset_prompt) is not None:
        system_prompt = _named_system_prompt(name)
    given = {
        "system_prompt": system_prompt,
        "user_template": user_template,
        "assistant_prefill": assistant_prefill,
        "chat_template_kwargs": chat_template_kwargs,
    }
    values.update({key: value for key, value in given.items() if value is not None})
    for key in ("system_prompt", "user_template", "assistant_prefill"):
        values[key] = values.get(key) or None
    if (template := values["user_template"]) and not any(hole in template for hole in PLACEHOLDERS):
        raise UserError(f"--user-template {template!r} has no {{}} where the task's prompt should go.")
    if "path" in values:
        values["path"] = str(FOLDER / values["path"])
    elif model.startswith(("/", "./", "../", "~")):
        _require_folder(model)
    values["model_id"] = model
    values.setdefault("name", model.rstrip("/").rsplit("/", maxsplit=1)[-1])
    return check(ModelConfig, values, f"model {model!r}")


PLACEHOLDERS = ("{}", "{prompt}", "{input}")
"""What a user template may call the task's prompt; the last two are the reference's older spellings."""


def _named_system_prompt(name: str) -> str:
    prompts = _library()["system_prompts"]
    if name not in prompts:
        raise unknown("system prompt name", name, prompts)
    entry = prompts[name]
    return str(entry) if isinstance(entry, str) else (FOLDER / entry["path"]).read_text(encoding="utf-8")


def _require_folder(model: str) -> None:
    path = Path(model).expanduser()
    if not path.exists():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, siblings)
        raise UserError(f"--model {model!r}: there is no such file or folder.{hint}")
