"""Programs: taken out of the response, run in the sandbox, scored by what they put out."""

from skythought.scorers.code.scorer import CodeScorer

__all__ = ["CodeScorer"]
