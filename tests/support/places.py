"""Where things are, seen from any test."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The repository."""
SHARED = ROOT.parent / "shared"
"""Real rows and labelled cases, where somebody has put them; tests that need them are skipped elsewhere."""
