"""vLLM engines on a Ray cluster."""

from skythought.backends.ray.backend import RayBackend

__all__ = ["RayBackend"]
