"""The arguments of `--backend openai`."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr, field_validator

from skythought.backends.base import UNHASHED, BackendArgs
from skythought.backends.openai.completions import Prefill
from skythought.backends.openai.endpoint import normal_url
from skythought.errors import UserError

__all__ = ["OpenAIArgs"]

OWN_FIELDS = {
    "model": "--model",
    "messages": "the task",
    "max_tokens": "--sampling-params max_tokens=N",
    "max_completion_tokens": "--sampling-params max_tokens=N",
    "n": "--n (every sample is a request of its own)",
    "seed": "--seed",
    "stream": "us: answers are taken whole",
}
"""Fields of a request's body that are set elsewhere, and where."""


class OpenAIArgs(BackendArgs):
    """Arguments of the `openai` backend."""

    base_url: str | None = Field(default=None, json_schema_extra=UNHASHED)
    """Where the endpoint is, up to and including `/v1`; None = OPENAI_BASE_URL, else OpenAI itself."""
    api_key: SecretStr | None = Field(default=None, json_schema_extra=UNHASHED)
    """None = OPENAI_API_KEY; an endpoint other than OpenAI's may do without."""
    organization: str | None = Field(default=None, json_schema_extra=UNHASHED)
    project: str | None = Field(default=None, json_schema_extra=UNHASHED)
    concurrency: int | None = Field(default=None, ge=1, json_schema_extra=UNHASHED)
    """Requests in flight; None = the batch size."""
    timeout: float = Field(default=3600, gt=0, json_schema_extra=UNHASHED)
    """Seconds that one sample may take, retries and the waits between them included."""
    max_retries: int = Field(default=8, ge=0, json_schema_extra=UNHASHED)
    """8 with their backoff take some 40 seconds: a server that is away for less goes unnoticed."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Fields added to the body of every request, over ours."""
    default_headers: dict[str, SecretStr] = Field(default_factory=dict, json_schema_extra=UNHASHED)
    reasoning: bool | None = None
    """OpenAI's rules for reasoning models; None = by the model's name (o1, o3, o4-mini, gpt-5, ...)."""
    send_seed: bool = True
    """Off for endpoints that refuse `seed`."""
    prefill: Prefill = "auto"
    """How the endpoint is told to continue a turn of the assistant. auto, continue_final_message: as vLLM and SGLang
    want it; prefix: `"prefix": true` in the message (DeepSeek, Mistral); plain: nothing but the turn (OpenRouter)."""
    prefill_echoed: bool = False
    """The endpoint repeats the prefill before its answer (Mistral does; vLLM, SGLang and DeepSeek do not)."""

    @field_validator("base_url")
    @classmethod
    def _usable_url(cls, url: str | None) -> str | None:
        return None if url is None else normal_url(url)

    @field_validator("api_key", mode="before")
    @classmethod
    def _key_as_text(cls, key: Any) -> Any:
        # A key of digits alone comes as a number; refusing it would quote it in the message.
        return str(key) if isinstance(key, int | float) else key

    @field_validator("default_headers", mode="before")
    @classmethod
    def _headers_as_text(cls, headers: Any) -> Any:
        if not isinstance(headers, dict):
            return headers
        return {name: str(value) if isinstance(value, int | float) else value for name, value in headers.items()}

    @field_validator("extra_body")
    @classmethod
    def _nothing_of_ours(cls, body: dict[str, Any]) -> dict[str, Any]:
        for name in sorted(body.keys() & OWN_FIELDS.keys()):
            raise UserError(f"--backend-args extra_body: {name!r} is not for it; it is set by {OWN_FIELDS[name]}.")
        return body
