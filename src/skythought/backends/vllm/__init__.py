"""vLLM in this process."""

from skythought.backends.vllm.backend import VLLMBackend

__all__ = ["VLLMBackend"]
