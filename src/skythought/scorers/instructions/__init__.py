"""Verifiable instructions: which of those in a prompt a response follows."""

from skythought.scorers.instructions.scorer import InstructionsScorer

__all__ = ["InstructionsScorer"]
