"""Where presets are written down. Light on purpose: the shell's completion reads it."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["LIBRARY", "user_file"]

LIBRARY = Path(__file__).parent / "library.yaml"


def user_file() -> Path:
    """The user's own file: `models.yaml` in `$XDG_CONFIG_HOME/skythought`, or in `~/.config/skythought`."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "skythought" / "models.yaml"
