"""Any endpoint that speaks OpenAI's chat completions."""

from skythought.backends.openai.backend import OpenAIBackend

__all__ = ["OpenAIBackend"]
