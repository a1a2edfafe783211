"""What is said to a chat completions endpoint: how it wants one model to be asked. No network here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.types import ENGINE_PARAMETERS, Message, Request

__all__ = [
    "SAMPLING",
    "SERVER_DECIDES",
    "Dialect",
    "ListedModel",
    "ModelList",
    "Prefill",
    "is_openai",
    "is_reasoning",
]

Prefill = Literal["auto", "continue_final_message", "prefix", "plain"]

CHOOSING = frozenset({"temperature", "top_p", "frequency_penalty", "presence_penalty"})
"""Parameters of the protocol that OpenAI's reasoning models refuse."""

BEYOND = frozenset({"top_k", "min_p", "repetition_penalty", *ENGINE_PARAMETERS}) - {"logit_bias"}
"""Parameters that vLLM, SGLang and others take beyond the protocol."""

SAMPLING = CHOOSING | BEYOND | {"max_tokens", "stop", "reasoning_effort", "logit_bias"}
"""All that can be sent."""

SERVER_DECIDES = (
    "--reproducible: every request carries its seed; precision and batches are the server's. vLLM has these switches: "
    "VLLM_BATCH_INVARIANT=1 (on GPUs) vllm serve MODEL --dtype float32 --enforce-eager --no-enable-prefix-caching "
    "--generation-config vllm",
    "--reproducible: servers other than vLLM may treat a seed as a wish, and change their model or engine unasked.",
)
"""What `--reproducible` cannot do for an endpoint."""

REASONING_NAME = re.compile(r"(?:[^/]+/)?(?:o[1-9]|gpt-5(?!.*chat))(?:[-.:].*)?")
"""o1, o3-mini, openai/o4-mini, gpt-5, gpt-5.1-codex, ...; not gpt-5-chat, which does not reason."""


def is_openai(host: str) -> bool:
    """Whether OpenAI's own rules hold there: its API, regional ones included, and Azure's."""
    return f".{host}".endswith((".api.openai.com", ".openai.azure.com"))


def is_reasoning(model_id: str) -> bool:
    """Whether the name is one of OpenAI's reasoning models, with or without a `provider/` in front."""
    return REASONING_NAME.fullmatch(model_id.lower()) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one endpoint wants one model to be asked."""

    model: ModelConfig
    host: str
    reasoning: bool
    """OpenAI's rules for reasoning models: no sampling parameters, a developer turn, `max_completion_tokens`."""
    send_seed: bool
    prefill: Prefill
    extra_body: Mapping[str, Any]
    stream: bool = False
    """Answers are taken in pieces."""
    other_limit: bool = False
    """The endpoint wants the other name of the field for `max_tokens`."""
    left_out: frozenset[str] = frozenset()
    """Parameters that the endpoint was found to refuse."""

    @property
    def limit(self) -> str:
        """The field for `max_tokens`. The newer name is OpenAI's; nearly all compatible servers know the old one."""
        newer = self.reasoning or is_openai(self.host)
        return "max_completion_tokens" if newer != self.other_limit else "max_tokens"

    def without(self, name: str) -> Self:
        """The same, with a parameter left out that the endpoint refuses; its limit under the other name."""
        if name == self.limit:
            return replace(self, other_limit=not self.other_limit)
        return replace(self, left_out=self.left_out | {name})

    def streaming(self) -> Self:
        """The same, with answers in pieces."""
        return replace(self, stream=True)

    @property
    def changes(self) -> dict[str, None]:
        """For the record: parameters of the run that were not sent."""
        return dict.fromkeys(sorted(self.left_out))

    def check_model(self) -> None:
        """Refuse what the model's configuration asks for and the endpoint cannot do.

        Raises:
            UserError: A prefill or chat template arguments for OpenAI's own endpoints.
        """
        if self.model.assistant_prefill:
            self._check_prefill()
        if self.model.chat_template_kwargs and is_openai(self.host):
            raise UserError(f"{self.host} takes no chat template arguments: leave --chat-template-kwargs out.")

    def body(self, request: Request) -> dict[str, Any]:
        """The JSON body that asks for one sample; the request itself stays as it is.

        Raises:
            UserError: The endpoint cannot do what the request asks for.
        """
        given = request.sampling.as_dict()
        unknown = sorted(BEYOND & given.keys())
        if unknown and is_openai(self.host):
            raise UserError(f"sampling parameter {unknown[0]!r} is not known to {self.host}: leave it out.")
        if self.reasoning:
            given = {name: value for name, value in given.items() if name not in CHOOSING | BEYOND}
        given[self.limit] = given.pop("max_tokens")
        body = {"model": self.model.model_id, "messages": self._messages(request), **given}
        if self.send_seed:
            body["seed"] = request.seed
        if request.prefill:
            self._check_prefill()
            if self.prefill in ("auto", "continue_final_message"):
                body |= {"continue_final_message": True, "add_generation_prompt": False}
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        body = {name: value for name, value in body.items() if name not in self.left_out}
        template = {**self.model.chat_template_kwargs, **self.extra_body.get("chat_template_kwargs", {})}
        return body | dict(self.extra_body) | ({"chat_template_kwargs": template} if template else {})

    def _check_prefill(self) -> None:
        if self.prefill == "auto" and is_openai(self.host):
            raise UserError(
                f"{self.host} cannot continue a turn of the assistant: run without --assistant-prefill "
                "(an empty text switches a preset's off)."
            )

    def _messages(self, request: Request) -> list[dict[str, Any]]:
        roles = {"system": "developer"} if self.reasoning else {}
        messages: list[dict[str, Any]] = [_renamed(message, roles) for message in request.messages]
        if request.prefill and self.prefill == "prefix":
            messages[-1]["prefix"] = True
        return messages


def _renamed(message: Message, roles: Mapping[str, str]) -> dict[str, Any]:
    return {**message, "role": roles.get(message["role"], message["role"])}


class ListedModel(BaseModel):
    """One entry of `GET /models`."""

    id: str
    max_model_len: int | None = None
    """Tokens of prompt and answer together, as vLLM and SGLang tell."""


class ModelList(BaseModel):
    """The answer to `GET /models`."""

    data: list[ListedModel] = Field(default_factory=list)
