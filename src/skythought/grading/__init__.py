"""From a response to its final verdict: the one way (`grade`), for tables of answers (`rows`), for rewards.

    score_response("math", r"so it is \\boxed{\\frac{1}{2}}", "0.5").correct
    score_rows(frame, "math", response="output", target="answer")
    GRPOTrainer(reward_funcs=[reward("gsm8k")], ...)

Each answer is scored in a worker process that is killed at its deadline. docs/scoring.md has examples.
"""

from skythought.grading.rewards import Reward, compute_score, compute_scores, reward
from skythought.grading.rows import RowScorer, get_scorer, score_response, score_rows

__all__ = [
    "Reward",
    "RowScorer",
    "compute_score",
    "compute_scores",
    "get_scorer",
    "reward",
    "score_response",
    "score_rows",
]
