"""From messages to the tokens of a prompt, by the model's chat template, and from the tokens it writes to text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.types import Message, Request, Response, SamplingParams

__all__ = ["Chat", "Prompt", "before_stop"]

PLAIN = "the model has no chat template: it gets the plain text of the messages."
"""Said by every backend that finds no template."""

SWITCHES = ("enable_thinking", "thinking", "thinking_budget", "reasoning_effort", "reasoning_mode", "reasoning")
"""What chat templates call the argument that says whether, or how long, the model thinks."""

CONTEXT_TOKENS = 8
"""Tokens of the prompt decoded before the text, so that a leading space is neither lost nor invented."""


class Prompt(NamedTuple):
    """A conversation as the model reads it."""

    tokens: list[int]
    limit: int
    """Tokens that may follow it, at least 1."""
    thinking_open: bool
    """It ends inside a thinking block, by the template or by the prefill."""


def before_stop(text: str, sampling: SamplingParams) -> tuple[str, bool]:
    """The text up to the first of the stop strings in it, and whether there is one.

    With `include_stop_str_in_output` the stop string is a part of it.
    """
    places = [(place, stop) for stop in sampling.stop or () if (place := text.find(stop)) >= 0]
    if not places:
        return text, False
    place, stop = min(places)
    return text[: place + len(stop) * bool(sampling.engine.get("include_stop_str_in_output"))], True


class Chat:
    """A model's tokenizer and chat template: makes prompts of conversations, and text of what was written."""

    def __init__(self, tokenizer: Any, model: ModelConfig, ends: Collection[int]) -> None:
        """`ends`: tokens that end a sequence, never part of the text."""
        self._tokenizer = tokenizer
        self._model = model
        self._tags = model.tags
        special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
        tags = {tag for pair in self._tags for tag in pair}
        # Some models make their thinking tags special; without them, thinking looks like the answer.
        kept = {number for number in special if str(tokenizer.added_tokens_decoder[number]) in tags}
        self._hidden = frozenset((special | set(tokenizer.all_special_ids)) - kept | set(ends))
        self._ends = frozenset(ends)

    @property
    def has_template(self) -> bool:
        """Whether the model brought a chat template."""
        return bool(self._tokenizer.chat_template)

    def notices(self) -> list[str]:
        """What the user should know of the template: that there is none, or arguments that it does not read."""
        if not self.has_template:
            return [PLAIN]
        unread = [name for name in self._model.chat_template_kwargs if not self._reads(name)]
        switches = [name for name in SWITCHES if self._reads(name)]
        hint = f" It reads {', '.join(switches)}." if switches else ""
        return [
            f"the model's chat template does not read {name!r} (--chat-template-kwargs): it changes nothing.{hint}"
            for name in unread
        ]

    def prompt(self, request: Request, context: int | None, say: Callable[[str], object]) -> Prompt | Response:
        """The conversation as tokens, ready to be continued; or the response to one that fills the context.

        Args:
            context: Tokens that prompt and response may have together; None if there is no limit.
            say: Called with a line for the user if the context is too short for the tokens that were asked for.

        Raises:
            UserError: The template refuses the conversation (some models know no system turn).
        """
        text = self._render(request) if self.has_template else _concatenate(request.messages)
        tokens = self._tokenizer.encode(text, add_special_tokens=not self.has_template)
        asked = request.sampling.max_tokens
        limit = asked if context is None else min(asked, context - len(tokens))
        if limit < 1:
            why = f"the prompt has {len(tokens)} tokens and the model's context {context}: no room for an answer"
            return request.failed(why, prompt_tokens=len(tokens))
        if limit < asked:
            say(
                f"max_tokens {asked} and a prompt together are beyond the model's context of {context} tokens; "
                "responses end where the context does."
            )
        return Prompt(tokens, limit, self._is_thinking(request, text))

    def _reads(self, name: str) -> bool:
        """Whether the chat template speaks of such an argument."""
        return re.search(rf"\b{re.escape(name)}\b", str(self._tokenizer.chat_template)) is not None

    def _is_thinking(self, request: Request, text: str) -> bool:
        # Only after the user's turn: tags in the question open nothing.
        user = next((m["content"].strip() for m in reversed(request.messages) if m["role"] == "user"), "")
        turn = text[text.rfind(user) + len(user) :]
        return any(turn.rfind(opening) > turn.rfind(closing) for opening, closing in self._tags)

    def text(self, prompt: Sequence[int], tokens: Sequence[int], sampling: SamplingParams) -> str:
        """What `tokens` say after `prompt`, without control tokens; with them if `skip_special_tokens` is false."""
        hidden = self._hidden if sampling.engine.get("skip_special_tokens", True) else self._ends
        before = [token for token in prompt[-CONTEXT_TOKENS:] if token not in self._hidden]
        written = [token for token in tokens if token not in hidden]
        head, whole = self._decode(before), self._decode(before + written)
        return whole[len(head) :] if whole.startswith(head) else self._decode(written)

    def _decode(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False)
        return text

    def _render(self, request: Request) -> str:
        from jinja2 import TemplateError

        messages, arguments = request.messages, self._model.chat_template_kwargs
        if (effort := request.sampling.reasoning_effort) is not None:
            if not self._reads("reasoning_effort"):
                raise UserError(
                    f"model {self._model.model_id!r}: its chat template knows no reasoning_effort; leave it out of the "
                    "sampling parameters."
                )
            arguments = {**arguments, "reasoning_effort": effort}
        prefilled = messages[-1]["role"] == "assistant"
        try:
            rendered: str = self._tokenizer.apply_chat_template(
                [dict(message) for message in messages],
                tokenize=False,
                add_generation_prompt=not prefilled,
                continue_final_message=prefilled,
                **arguments,
            )
        except (TemplateError, ValueError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            name = self._model.model_id
            raise UserError(f"model {name!r}: its chat template refuses the conversation: {reason}") from error
        return rendered


def _concatenate(messages: Sequence[Message]) -> str:
    """The turns as plain text, for a model without a template."""
    return "\n\n".join(message["content"] for message in messages)
