"""Programs: taken out of the response, run in the sandbox, judged by what they put out."""

from skythought.scorers.code.scorer import CodeScorer

__all__ = ["CodeScorer"]
