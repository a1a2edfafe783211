"""Statistics of an evaluation, as pure functions over counts of right samples per problem.

Each module is one question: `estimates` (what is the number), `intervals` (how far off may it be), `paired` (are two
runs different), `multiple` (over several tasks or subsets), `power` (what could be seen), `sequential` (may it stop
now).
docs/statistics.md says why each method was taken, and shows by simulation that it keeps its promise.
"""

from __future__ import annotations

from skythought.metrics.estimates import (
    accuracy,
    accuracy_stderr,
    bayes_at_n,
    g_pass_at_k,
    ks,
    maj_at_k,
    mean_at_n,
    mg_pass_at_k,
    pass_at_k,
    pass_at_k_problems,
    pass_at_k_table,
    pass_hat_k,
)
from skythought.metrics.tally import Tally

__all__ = [
    "Tally",
    "accuracy",
    "accuracy_stderr",
    "bayes_at_n",
    "g_pass_at_k",
    "ks",
    "maj_at_k",
    "mean_at_n",
    "mg_pass_at_k",
    "pass_at_k",
    "pass_at_k_problems",
    "pass_at_k_table",
    "pass_hat_k",
]
