"""Multiple choice: which option a response picks."""

from skythought.scorers.choice.scorer import ChoiceScorer

__all__ = ["ChoiceScorer"]
