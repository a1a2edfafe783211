"""The nouns that flow through the pipeline: Problem -> Request -> Response -> Score.

Everything is frozen, picklable and made of JSON values. Other modules are verbs on these.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

from annotated_types import Ge, Gt, Le, Lt

from skythought.printable import shortened

__all__ = [
    "CUT_OFF",
    "ENGINE_PARAMETERS",
    "MalformedRow",
    "Message",
    "Problem",
    "Request",
    "Response",
    "SampleKey",
    "SamplingParams",
    "Score",
    "Shard",
    "Verdict",
    "sample_seed",
]

Verdict = Literal["correct", "wrong", "unparsed", "truncated", "failed"]
"""How a sample ends, in five ways that are counted apart.

correct: right. wrong: an answer was found and it is not right. unparsed: the response ended by itself, but holds no
answer. truncated: cut off at the token limit before a right answer. failed: not the model's fault (endpoint, engine or
scorer broke), never counted as wrong.
"""


class Message(TypedDict):
    """One turn of a conversation, in the wording of chat endpoints."""

    role: str
    content: str


class SampleKey(NamedTuple):
    """What a request, response or score belongs to: sample number `sample` (from 0) of one problem."""

    problem_id: str
    sample: int


class Shard(NamedTuple):
    """A part of a task's problems: every `of`th, beginning with the `number`th (from 1)."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has(self, position: int) -> bool:
        """Whether the problem at this place (from 0) of the whole task is one of its own."""
        return position % self.of == self.number - 1


CUT_OFF = ("length", "repetition")
"""Finish reasons of a response that did not end by itself: at the token limit, or by vLLM's `repetition_detection`."""

ENGINE_PARAMETERS: Mapping[str, Any] = {
    "allowed_token_ids": list[int],
    "bad_words": list[str],
    "ignore_eos": bool,
    "include_stop_str_in_output": bool,
    "logit_bias": dict[str, float],
    "min_tokens": Annotated[int, Ge(0), Lt(2**31)],
    "repetition_detection": dict[str, Annotated[int, Ge(0)]],
    "skip_special_tokens": bool,
    "stop_token_ids": list[int],
    "structured_outputs": dict[str, Any],
    "thinking_token_budget": Annotated[int, Ge(-1), Lt(2**31)],
}
"""vLLM's own sampling parameters that are known here by name and type; `vllm serve` reads them from a request's body.
https://docs.vllm.ai/en/latest/api/vllm/sampling_params/"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """How the next token is chosen, the same for every backend. None leaves a parameter to the engine's default."""

    temperature: Annotated[float, Ge(0), Le(100)] | None = 0.0
    top_p: Annotated[float, Gt(0), Le(1)] | None = 1.0
    max_tokens: Annotated[int, Ge(1), Lt(2**31)] = 32768
    top_k: Annotated[int, Ge(-1), Lt(2**31)] | None = None
    min_p: Annotated[float, Ge(0), Le(1)] | None = None
    repetition_penalty: Annotated[float, Gt(0), Le(100)] | None = None
    frequency_penalty: Annotated[float, Ge(-2), Le(2)] | None = None
    presence_penalty: Annotated[float, Ge(-2), Le(2)] | None = None
    stop: tuple[str, ...] | None = None
    reasoning_effort: str | None = None
    engine: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Parameters of the engine's own, such as vLLM's `min_tokens`; passed on as they are."""

    def as_dict(self) -> dict[str, Any]:
        """The parameters that are set, the engine's own among them, as JSON values, for engines and for the record."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "engine"}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in {**values, **self.engine}.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of a dataset, ready to be asked and graded. A line of `samples.jsonl`."""

    id: str
    """Stable name: the row's number in the whole dataset, before any filter or slice."""
    prompt: str
    """The task's text for the user's turn, before the model's own template."""
    target: Any
    """What the scorer compares with: a string, or any JSON value that the scorer of the task understands."""
    choices: tuple[str, ...] = ()
    """Texts of the options of a multiple-choice problem, in the order shown; lettered from A."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """The dataset's own columns. Empty where only scoring matters (see `Scorer.uses_row`)."""
    shots: tuple[tuple[str, str], ...] = ()
    """Solved examples to be shown as turns before it: prompt and answer of each."""


@dataclass(frozen=True)
class MalformedRow:
    """A row that cannot become a problem. It is data, not an exception: the other rows go on."""

    index: int
    """The row's number in the whole dataset, before any filter or slice."""
    column: str | None
    """The column at fault, where it is one column's."""
    why: str

    def __str__(self) -> str:
        column = f", column {self.column!r}" if self.column else ""
        return f"row {self.index}{column}: {self.why}"


@dataclass(frozen=True, slots=True)
class Request:
    """One sample to generate. Every request carries its own seed, so order and batch never matter."""

    key: SampleKey
    messages: tuple[Message, ...]
    """System (if any), user, and, if the model has a prefill, an assistant turn that the model must continue."""
    sampling: SamplingParams
    seed: int
    """In [0, 2**31): what every engine and endpoint accepts."""

    @property
    def prefill(self) -> str:
        """Text of the assistant's turn that the model continues; empty if there is none."""
        last = self.messages[-1]
        return last["content"] if last["role"] == "assistant" else ""

    def response(
        self,
        text: str,
        *,
        reasoning: str | None = None,
        finish_reason: str | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        seconds: float = 0.0,
        first_token: float | None = None,
        thinking_open: bool = False,
        sent: Mapping[str, Any] | None = None,
    ) -> Response:
        """The response to this request, made of what the model wrote after the prefill.

        Where an endpoint returns the thinking apart (`reasoning`), the prefill was the beginning of that.
        """
        return Response(
            key=self.key,
            content=text if reasoning is not None else self.prefill + text,
            reasoning=None if reasoning is None else self.prefill + reasoning,
            finish_reason=finish_reason,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            thinking_open=thinking_open,
            seconds=round(seconds, 3),
            first_token=None if first_token is None else round(first_token, 3),
            sent=sent,
        )

    def failed(
        self,
        why: str,
        *,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        seconds: float = 0.0,
    ) -> Response:
        """The response to a request that failed for a reason that is not the model's; it is asked again on resume."""
        return Response(
            key=self.key,
            error=shortened(why),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            seconds=round(seconds, 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back for one request. A line of `responses.jsonl`; backends make it with `Request.response`."""

    key: SampleKey
    error: str | None = None
    """Why there is no answer, if it is not the model's fault. Such a sample is asked again on resume."""
    content: str = ""
    """The whole turn of the assistant: prefill, thinking (where the engine does not keep it apart), answer."""
    reasoning: str | None = None
    """Thinking that an endpoint returned in a field of its own (`reasoning_content`)."""
    finish_reason: str | None = None
    """"stop" (the model ended), "length" (cut off at the token limit), or what the endpoint said."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """Tokens of this sample alone, thinking included; None if the endpoint does not tell."""
    thinking_open: bool = False
    """True if the engine saw that the prompt itself (the chat template) ended inside a thinking block."""
    seconds: float = 0.0
    """From handing the request to the engine until its last token."""
    first_token: float | None = None
    """The same until its first token, where the answer was streamed."""
    sent: Mapping[str, Any] | None = None
    """Parameters that were sent otherwise than the run has them, because the endpoint refuses them; None as a value:
    left out."""
    finished: float = field(default_factory=lambda: round(time.time(), 3), compare=False)
    """When it came back, in seconds since 1970."""

    @property
    def is_cut_off(self) -> bool:
        """Whether the model did not end by itself."""
        return self.finish_reason in CUT_OFF


@dataclass(frozen=True, slots=True)
class Score:
    """The verdict on one response and why. A line of `scores.jsonl`, behind the key of its sample."""

    correct: bool | None
    """None: no verdict, because something other than the model failed."""
    reason: str
    """For people: what was extracted, what it was compared with, by which rule; or what went wrong."""
    answer: str | None = None
    """What was taken out of the response; None if nothing was found."""
    verdict: Verdict | None = None
    """Scorers leave it out, as a rule; grading derives it. Never None in a journal."""
    fraction: float | None = None
    """Share of parts passed (tests, instructions) where the scorer has parts."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What else the scorer wants kept in the record (steps, rule, ...), as JSON values."""
    key: SampleKey = SampleKey("", 0)
    """The sample that it is about; set by grading."""


def sample_seed(run_seed: int, key: SampleKey) -> int:
    """The seed of one sample: a function of run seed, problem id and sample number alone, in [0, 2**31)."""
    digest = hashlib.sha256(f"{run_seed}\x1f{key.problem_id}\x1f{key.sample}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
