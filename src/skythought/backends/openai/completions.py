"""What is said to a chat completions endpoint, and what it says back. No network here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from skythought.backends.openai.endpoint import error_text
from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.types import Message, Request, Response

__all__ = [
    "SAMPLING",
    "SERVER_DECIDES",
    "Dialect",
    "Limits",
    "ModelList",
    "NoAnswerError",
    "Prefill",
    "is_openai",
    "is_reasoning",
    "read",
]

Prefill = Literal["auto", "continue_final_message", "prefix", "plain"]

CHOOSING = frozenset({"temperature", "top_p", "frequency_penalty", "presence_penalty"})
"""Parameters of the protocol that OpenAI's reasoning models refuse."""

BEYOND = frozenset({"top_k", "min_p", "repetition_penalty"})
"""Parameters that vLLM, SGLang and others take beyond the protocol."""

SAMPLING = CHOOSING | BEYOND | {"max_tokens", "stop", "reasoning_effort"}
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

BROKEN_OFF = frozenset({"abort", "error"})
"""Finish reasons for an answer that the server gave up (vLLM when it stops, OpenRouter when its provider fails)."""


class NoAnswerError(Exception):
    """The endpoint said "200 OK", but there is no answer in it; the text says what there is."""


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

    @property
    def limit(self) -> str:
        """The field for `max_tokens`. The newer name is OpenAI's; compatible servers all know the old one."""
        return "max_completion_tokens" if self.reasoning or is_openai(self.host) else "max_tokens"

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


class _Said(BaseModel):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    """What newer vLLM and OpenRouter call `reasoning_content`."""


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(BaseModel):
    """The part of a chat completion that we keep; lenient, as every server has fields of its own."""

    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class ListedModel(BaseModel):
    """One entry of `GET /models`."""

    id: str
    max_model_len: int | None = None
    """Tokens of prompt and answer together, as vLLM and SGLang tell."""


class ModelList(BaseModel):
    """The answer to `GET /models`."""

    data: list[ListedModel] = Field(default_factory=list)


def read(answer: str, request: Request, seconds: float, *, echoed: bool = False) -> Response:
    """The response in the text of a chat completion.

    Args:
        answer: JSON text.
        seconds: How long it took.
        echoed: The endpoint repeats the prefill before what it wrote.

    Raises:
        NoAnswerError: Not a chat completion, no choice in it, or one that the server broke off.
    """
    try:
        completion = _Completion.model_validate_json(answer)
    except ValidationError:
        raise NoAnswerError(f"the endpoint sent no chat completion, but: {answer[:1000]}") from None
    if not completion.choices:
        why = f": {error_text(completion.error)}" if completion.error else ""
        raise NoAnswerError(f"the endpoint sent no choices{why}")
    choice = completion.choices[0]
    if choice.finish_reason in BROKEN_OFF:
        raise NoAnswerError(f"the endpoint broke the answer off (finish_reason {choice.finish_reason!r})")
    said = choice.message
    text = _text(said.content)
    usage = completion.usage or _Usage()
    return request.response(
        text.removeprefix(request.prefill) if echoed else text,
        reasoning=_text(said.reasoning_content) or _text(said.reasoning) or None,
        finish_reason=choice.finish_reason,
        prompt_tokens=usage.prompt_tokens or 0,
        completion_tokens=usage.completion_tokens or 0,
        seconds=seconds,
    )


def _text(content: Any) -> str:
    """A text as it is; of a list of parts (some endpoints), the parts that are text; nothing for null."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


class Limits(NamedTuple):
    """What a refusal tells about lengths, in tokens; None for what it does not tell."""

    context: int | None
    """Prompt and answer together."""
    prompt: int | None
    """This request's."""
    output: int | None
    """Any answer's."""

    @classmethod
    def told_by(cls, refusal: str) -> Limits:
        """Read from the wording of vLLM (several versions), SGLang, TGI, OpenAI, Anthropic or DeepSeek.

        >>> Limits.told_by("This model's maximum context length is 4096 tokens. However, you requested 32799 tokens "
        ...                "(31 in the messages, 32768 in the completion).")
        Limits(context=4096, prompt=31, output=None)
        """
        return cls(*(_first_number(pattern, refusal) for pattern in (_CONTEXT, _PROMPT, _OUTPUT)))

    def most_tokens(self, asked: int) -> int | None:
        """The most tokens that such a request may ask for, if that is fewer than `asked` and some at all."""
        bounds = [bound for bound in (self.context, self.output) if bound is not None]
        if self.context is not None and self.prompt is not None:
            bounds.append(self.context - self.prompt)
        fits = min(bounds, default=asked)
        return fits if 0 < fits < asked else None


_CONTEXT = re.compile(r"maximum context length (?:is|of) (\d+)|max_model_len=(\d+)|must be <= (\d+)")
_PROMPT = re.compile(
    r"(\d+) (?:tokens )?in the messages|(\d+) input tokens|(\d+) tokens from the input|Given: (\d+) `inputs`"
)
_OUTPUT = re.compile(r"at most (\d+) completion tokens|> (\d+), which is the maximum|max_tokens is \[1, ?(\d+)\]")


def _first_number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(next(group for group in found.groups() if group)) if found else None
