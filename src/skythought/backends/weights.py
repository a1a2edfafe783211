"""Where an engine finds the weights of a model, and what a library's error says of them, on one line."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from skythought.config import ModelConfig
from skythought.errors import UserError

__all__ = ["one_line", "weights_source"]

LONGEST = 300
"""Characters of an error's message; some libraries put pages into one."""


def one_line(error: BaseException) -> str:
    """An error's message on one line of bearable length, or its kind if it has none."""
    return textwrap.shorten(str(error), width=LONGEST, placeholder=" ...") or type(error).__name__


def weights_source(model: ModelConfig, files: Sequence[str]) -> str:
    """Where an engine loads a model from: a local path, checked here for better words than the libraries', or a hub id.

    Args:
        files: Names of which a model's folder has at least one.

    Raises:
        UserError: It can only be a local path, and nothing is there; or a folder that holds no model.
    """
    weights = model.weights
    path = Path(weights).expanduser()
    if not path.exists():
        if weights.startswith(("/", ".", "~")):
            raise UserError(f"model {model.model_id!r}: there is no folder {weights!r}.")
        return weights
    if path.is_dir() and not any((path / name).is_file() for name in files):
        raise UserError(f"model {model.model_id!r}: the folder {weights!r} holds no config.json, so no model.")
    return str(path)
