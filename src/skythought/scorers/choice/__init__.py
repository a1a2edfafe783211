"""Multiple choice: whether a response gives the right option."""

from skythought.scorers.choice.scorer import ChoiceScorer

__all__ = ["ChoiceScorer"]
