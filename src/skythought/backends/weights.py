"""Where an engine finds the weights of a model, and what a library's error says of them, on one line."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from skythought.config import ModelConfig
from skythought.errors import UserError

__all__ = ["one_line", "require_context", "weights_source"]

TRUE = {"1", "ON", "YES", "TRUE"}
"""What the hub's library takes for true in its variables."""

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
        _require_reachable(weights, files)
        return weights
    if path.is_dir() and not any((path / name).is_file() for name in files):
        raise UserError(f"model {model.model_id!r}: the folder {weights!r} holds no config.json, so no model.")
    return str(path)


def _require_reachable(weights: str, files: Sequence[str]) -> None:
    """Refuse an id of the hub that cannot be loaded because the hub may not be asked."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() not in TRUE or not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", weights):
        return
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE) / f"models--{weights.replace('/', '--')}" / "snapshots"
    if not any((snapshot / name).exists() for snapshot in folder.glob("*") for name in files):
        raise UserError(
            f"--model {weights!r}: no such folder, it is not in the cache ({HF_HUB_CACHE}), and HF_HUB_OFFLINE is set. "
            f"With a network: `hf download {weights}`; or give the folder of a local copy."
        )


def require_context(model: ModelConfig, wanted: object) -> None:
    """Refuse more tokens than a model that lies on this machine has positions for; vLLM would, half a minute later.

    Raises:
        UserError: It has fewer, and nothing stretches them (scaled rotary embeddings, or vLLM's own variable).
    """
    path = Path(model.weights).expanduser() / "config.json"
    if not isinstance(wanted, int) or os.environ.get("VLLM_ALLOW_LONG_MAX_MODEL_LEN") or not path.is_file():
        return
    try:
        config = json.loads(path.read_bytes())
    except ValueError:  # the engine has better words for it
        return
    positions = config.get("max_position_embeddings") if isinstance(config, dict) else None
    if (
        isinstance(positions, int)
        and wanted > positions
        and "factor" not in str(config.get("rope_scaling") or config.get("rope_parameters"))
    ):
        raise UserError(
            f"--backend-args max_model_len={wanted}: model {model.model_id!r} has only {positions:,} positions; give "
            "no more than these, or leave it out."
        )
