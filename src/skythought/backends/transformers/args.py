"""The arguments of `--backend transformers`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from skythought.backends.base import UNHASHED, BackendArgs

__all__ = ["TransformersArgs"]


class TransformersArgs(BackendArgs):
    """Arguments of the `transformers` backend."""

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: float32 on CPU, elsewhere what the weights were saved in."""
    device: str | None = None
    """As torch names it ("cuda:1"); None = the first there is of cuda, mps, cpu."""
    revision: str | None = None
    """Branch, tag or commit on the hub."""
    trust_remote_code: bool = False
    attn_implementation: str | None = None
    """"eager", "sdpa", "flash_attention_2", ...; None = the library's choice."""
    max_model_len: int | None = Field(default=None, ge=2)
    """Tokens of prompt and response together; None = what the model's configuration says."""
    deterministic: bool = False
    """Torch's deterministic algorithms where it has them, and no TF32; slower. Holds while the backend is open."""
    threads: int | None = Field(default=None, ge=1, json_schema_extra=UNHASHED)
    """CPU threads for one operation; None = torch's choice."""
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Passed to `from_pretrained` as they are: `device_map`, `quantization_config`, `cache_dir`, ..."""
