"""Files of presets: the packaged `library.yaml`, the user's own, and one named on the command line, the last one first.

All three have the same keys; docs/models.md tells them with examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from skythought.config import Declared, Price, check, check_sampling
from skythought.errors import UserError, unknown
from skythought.models.files import LIBRARY, user_file
from skythought.yamlfile import read_yaml

__all__ = ["Catalogue", "Preset", "catalogue"]


class TextFile(Declared):
    """A text in a file of its own."""

    path: str
    """Relative to the file that names it."""


class Preset(Declared):
    """How one model wants to be addressed. What is left out stays as it is without a preset; an empty text, list or
    mapping switches off what a file further down says.
    """

    like: str | None = None
    """Another preset, whose settings hold where this one says nothing."""
    model_id: str | None = None
    """The hub id, path or endpoint's name of the model, if the preset's own name is a nickname."""
    name: str | None = None
    """Short name for tables."""
    source: str = ""
    """Where these settings come from: the model card."""
    system_prompt: str | TextFile | None = None
    system_prompt_name: str | None = None
    """One of `system_prompts`."""
    user_template: str | TextFile | None = None
    assistant_prefill: str | None = None
    thinking_tags: list[tuple[str, str]] | None = None
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)
    sampling_params: dict[str, Any] = Field(default_factory=dict)
    """Used where the user gives none."""
    sampling_params_without_thinking: dict[str, Any] = Field(default_factory=dict)
    """The same, where the chat template is told `enable_thinking: false`."""
    price: Price | None = None
    """What an endpoint asks for a million tokens of input and output, for `--max-cost`."""
    path: str | None = None
    """Where the weights are on this machine; relative to the file."""


class PresetFile(Declared):
    """The keys of a file of presets. The reference's `model_configs.yaml` is one; what is empty there is left out."""

    system_prompts: dict[str, str | TextFile | None] | None = None
    user_templates: Any = None
    """The reference's place for texts that its entries repeat by alias (`*name`); nothing reads it by name."""
    models: dict[str, Any] | None = None


@dataclass(frozen=True)
class Catalogue:
    """All presets that hold for a run."""

    models: Mapping[str, Preset]
    system_prompts: Mapping[str, str]
    files: Mapping[str, Path]
    """The file that had the last word on each model."""


def catalogue(model_config: str | Path | None = None) -> Catalogue:
    """The presets of the library, with the user's file over them, and the given file over both, key by key.

    Raises:
        UserError: A file cannot be read or holds a mistake; file and key are named.
    """
    files = [LIBRARY]
    if (own := user_file()).is_file():
        files.append(own)
    if model_config is not None:
        path = Path(model_config).expanduser()
        if not path.is_file():
            raise UserError(f"--model-config {str(model_config)!r}: there is no such file.")
        files.append(path)
    values: dict[str, dict[str, Any]] = {}
    prompts: dict[str, str] = {}
    last: dict[str, Path] = {}
    for file in files:
        models, named = _packaged() if file == LIBRARY else _read(file)
        prompts.update(named)
        for name, preset in models.items():
            values[name] = {**values.get(name, {}), **preset}
            last[name] = file
    return Catalogue({name: Preset(**_like(name, values, last)) for name in values}, prompts, last)


def _like(name: str, values: Mapping[str, dict[str, Any]], files: Mapping[str, Path]) -> dict[str, Any]:
    """A preset with what it takes over from others."""
    chain = [name]
    while (other := values[chain[-1]].get("like")) is not None:
        if other not in values:
            raise unknown(f"preset in {files[chain[-1]]}: models.{chain[-1]}.like", other, values)
        if other in chain:
            raise UserError(f"{files[name]}: models.{name}.like: goes round in a circle ({' -> '.join(chain)}).")
        chain.append(other)
    merged: dict[str, Any] = {}
    for link in reversed(chain):
        merged |= values[link]
    return merged


@cache
def _packaged() -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    return _read(LIBRARY)


def _read(file: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The presets of one file, only with the keys that it gives, all its paths and texts resolved."""
    values = read_yaml(file) or {}
    if not isinstance(values, dict):
        raise UserError(f"{file}: a mapping with the keys models and system_prompts, not {type(values).__name__}.")
    content = check(PresetFile, values, str(file))
    named = {name: text for name, text in (content.system_prompts or {}).items() if text is not None}
    prompts = {name: _text(text, file, f"system_prompts.{name}") for name, text in named.items()}
    models = content.models or {}
    return {str(name): _preset(file, str(name), {} if given is None else given) for name, given in models.items()}, (
        prompts
    )


def _preset(file: Path, name: str, given: Any) -> dict[str, Any]:
    where = f"{file}: models.{name}"
    if not isinstance(given, dict):
        raise UserError(f"{where}: a mapping of keys to values, not {type(given).__name__}.")
    preset = check(Preset, given, where)
    if preset.system_prompt is not None and preset.system_prompt_name is not None:
        raise UserError(f"{where}: system_prompt and system_prompt_name exclude each other; give one of them.")
    for key in ("sampling_params", "sampling_params_without_thinking"):
        check_sampling(getattr(preset, key), f"{where}.{key}")
    values = {key: getattr(preset, key) for key in given}
    if preset.system_prompt is not None:
        values["system_prompt"] = _text(preset.system_prompt, file, f"models.{name}.system_prompt")
    if "system_prompt" in given and preset.system_prompt_name is None:
        values["system_prompt_name"] = None
    elif preset.system_prompt_name is not None:
        values["system_prompt"] = None
    if isinstance(preset.user_template, TextFile):
        values["user_template"] = _text(preset.user_template, file, f"models.{name}.user_template")
    if preset.path:
        values["path"] = str(_beside(file, preset.path))
    if preset.model_id and preset.model_id.startswith((".", "~", "/")):
        values["model_id"] = str(_beside(file, preset.model_id))
    return values


def _text(text: str | TextFile, file: Path, key: str) -> str:
    if isinstance(text, str):
        return text
    path = _beside(file, text.path)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: {key}.path: {str(path)!r} cannot be read: {error}.") from None


def _beside(file: Path, path: str) -> Path:
    return file.parent / Path(path).expanduser()
