"""From a task's prompt to the conversation that a model sees."""

from __future__ import annotations

from collections.abc import Sequence

from skythought.config import ModelConfig
from skythought.models.library import PLACEHOLDERS
from skythought.types import Message

__all__ = ["conversation"]


def conversation(model: ModelConfig, prompt: str, shots: Sequence[tuple[str, str]] = ()) -> tuple[Message, ...]:
    """System turn (if the model has one), solved examples as turns, user turn, prefilled assistant turn (if any)."""
    messages: list[Message] = []
    if model.system_prompt:
        messages.append({"role": "system", "content": model.system_prompt})
    for question, answer in shots:
        messages.append({"role": "user", "content": _fill(model.user_template, question)})
        messages.append({"role": "assistant", "content": answer})
    messages.append({"role": "user", "content": _fill(model.user_template, prompt)})
    if model.assistant_prefill:
        messages.append({"role": "assistant", "content": model.assistant_prefill})
    return tuple(messages)


def _fill(template: str | None, prompt: str) -> str:
    """Only the placeholder is replaced, so that other braces (`\\boxed{}` after it, JSON) stay as they are."""
    if not template:
        return prompt
    hole = next(hole for hole in PLACEHOLDERS if hole in template)
    return template.replace(hole, prompt, 1)
