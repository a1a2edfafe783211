"""skythought: evaluation and data generation for reasoning language models.

>>> import skythought as st
>>> run = st.evaluate("arithmetic", model="tiny", n=4, sampling_params={"temperature": 1.0})  # doctest: +SKIP
>>> run.accuracy, run.pass_at_k                                                               # doctest: +SKIP
"""

from __future__ import annotations

TYPE_CHECKING = False
"""Type checkers take this name for true; not importing it from `typing` halves what `import skythought` costs."""

if TYPE_CHECKING:
    from typing import Any

    from skythought.api import (
        aevaluate,
        agenerate,
        ascore,
        check_task,
        compare,
        decontaminate,
        evaluate,
        export,
        generate,
        merge,
        plan,
        report,
        score,
    )
    from skythought.comparison.comparison import Comparison
    from skythought.errors import BackendError, RunFolderError, SkythoughtError, UserError
    from skythought.exporting.example import Example
    from skythought.exporting.options import ExportOptions
    from skythought.exporting.run import Exported
    from skythought.grading.rewards import reward
    from skythought.grading.rows import score_response, score_rows
    from skythought.pipeline.options import Options
    from skythought.runs.sample import Sample
    from skythought.runs.view import Run

__all__ = [
    "BackendError",
    "Comparison",
    "Example",
    "ExportOptions",
    "Exported",
    "Options",
    "Run",
    "RunFolderError",
    "Sample",
    "SkythoughtError",
    "UserError",
    "aevaluate",
    "agenerate",
    "ascore",
    "check_task",
    "compare",
    "decontaminate",
    "evaluate",
    "export",
    "generate",
    "merge",
    "plan",
    "report",
    "reward",
    "score",
    "score_response",
    "score_rows",
]

_HOMES = {
    "skythought.api": (
        "aevaluate",
        "agenerate",
        "ascore",
        "check_task",
        "compare",
        "decontaminate",
        "evaluate",
        "export",
        "generate",
        "merge",
        "plan",
        "report",
        "score",
    ),
    "skythought.comparison.comparison": ("Comparison",),
    "skythought.errors": ("BackendError", "RunFolderError", "SkythoughtError", "UserError"),
    "skythought.exporting.example": ("Example",),
    "skythought.exporting.options": ("ExportOptions",),
    "skythought.exporting.run": ("Exported",),
    "skythought.grading.rewards": ("reward",),
    "skythought.grading.rows": ("score_response", "score_rows"),
    "skythought.pipeline.options": ("Options",),
    "skythought.runs.sample": ("Sample",),
    "skythought.runs.view": ("Run",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Public names are imported on first use (PEP 562), so that `import skythought` costs nothing."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
