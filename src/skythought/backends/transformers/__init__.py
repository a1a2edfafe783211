"""Hugging Face transformers in this process."""

from skythought.backends.transformers.backend import TransformersBackend

__all__ = ["TransformersBackend"]
