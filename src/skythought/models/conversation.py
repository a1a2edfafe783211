"""From a task's prompt to the conversation that a model sees."""

from __future__ import annotations

from skythought.config import ModelConfig
from skythought.models.library import PLACEHOLDERS
from skythought.types import Message

__all__ = ["conversation"]


def conversation(model: ModelConfig, prompt: str) -> tuple[Message, ...]:
    """System turn (if the model has one), user turn, and the prefilled assistant turn (if there is one)."""
    messages: list[Message] = []
    if model.system_prompt:
        messages.append({"role": "system", "content": model.system_prompt})
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
