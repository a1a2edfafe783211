"""The arguments of `--backend ray`: its own, those of a configuration file, and those of vLLM's engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from skythought.backends.base import UNHASHED
from skythought.backends.vllm.args import OPTION, VLLMArgs
from skythought.config import check
from skythought.errors import UserError
from skythought.yamlfile import read_yaml

__all__ = ["RayArgs", "with_config_file"]

PACKAGED = Path(__file__).with_name("config.yaml")


class RayArgs(VLLMArgs):
    """Arguments of the `ray` backend beside those of vLLM's engine. All say where it runs and how fast."""

    num_replicas: int = Field(default=2, ge=1, json_schema_extra=UNHASHED)
    """Engines, each with GPUs of its own."""
    batch_size: int = Field(default=128, ge=1, json_schema_extra=UNHASHED)
    """Requests that go to a replica in one piece, at most."""
    loading: float = Field(default=7200, gt=0, json_schema_extra=UNHASHED)
    """Seconds that an engine may load until it counts as hung."""
    accelerator_type: str | None = Field(default=None, json_schema_extra=UNHASHED)
    """A kind of GPU, by Ray's name for it."""
    address: str | None = Field(default=None, json_schema_extra=UNHASHED)
    """Of a running cluster: host:port, "auto", or "local" for a new one on this machine."""
    config: str | None = Field(default=None, json_schema_extra=UNHASHED)
    """A YAML file to start from; what it says is recorded as if it had been given one by one."""
    runtime_env: dict[str, Any] = Field(default_factory=dict, json_schema_extra=UNHASHED)
    """Ray's runtime environment of the replicas."""

    def recorded(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return with_config_file(given)

    def engine_values(self) -> dict[str, Any]:
        """The engine's arguments, those of the packaged configuration where nothing was said."""
        defaults = {name: value for name, value in _read(PACKAGED).items() if name not in RayArgs.model_fields}
        return defaults | super().engine_values()


def with_config_file(values: Mapping[str, Any]) -> dict[str, Any]:
    """`--backend-args` over the content of the file that `config` names.

    Raises:
        UserError: The file is not there, or not of the form of the packaged `config.yaml`.
    """
    path = values.get("config")
    return {**(_read(Path(str(path)).expanduser()) if path is not None else {}), **values}


def _read(path: Path) -> dict[str, Any]:
    """A configuration file as arguments. Keys are those of the packaged one."""
    try:
        content = read_yaml(path) or {}
    except UserError as error:
        raise UserError(f"{OPTION} config: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{OPTION} config: {path}: must hold keys and values, as the packaged config.yaml does.")
    file = check(_File, content, f"{OPTION} config: {path}")
    named = {"accelerator_type": file.accelerator_type, "runtime_env": file.runtime_env}
    return {**(file.engine_kwargs or {}), **(file.env_config or {}), **{key: one for key, one in named.items() if one}}


class _File(BaseModel):
    llm_engine: Literal["vllm"] = "vllm"
    accelerator_type: str | None = None
    engine_kwargs: dict[str, Any] | None = None
    runtime_env: dict[str, Any] | None = None
    env_config: dict[str, Any] | None = None
