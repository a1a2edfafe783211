"""The shape of `summary.json` as far as it is read: a file that somebody changed is known before it is believed."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Le, Len
from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["is_summary"]

Share = Annotated[float, Ge(0), Le(1)]
Count = Annotated[int, Ge(0)]
Percents = dict[str, float]
Limits = Annotated[list[Share], Len(2, 2)]


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class _Estimate(_Shape):
    value: Share
    interval: Limits | None = None
    asked_again: Limits | None = None
    problems: Count


class _Part(_Shape):
    problems: Count
    accuracy: Share | None
    interval: Limits | None = None
    p_adjusted: Share | None = None
    pass_at_k: Percents | None = None


class _Statistics(_Shape):
    estimates: dict[str, _Estimate] = {}
    pass_at_k_problems: dict[str, Count] | None = None
    problems: Count = 0
    samples_per_problem: Count = 1
    samples_pending: Count = 0
    samples: dict[str, Count] = {}
    by: dict[str, dict[str, _Part]] = {}
    metrics: dict[str, float] = {}


class _Named(_Shape):
    name: str = ""


class _Configuration(_Shape):
    task: _Named = _Named()
    model: _Named = _Named()
    skythought: _Statistics = _Statistics()


class _Summary(_Shape):
    configuration: _Configuration
    accuracy: Share | None
    pass_at_k: Percents | None
    avg_completion_tokens: float | None = None
    avg_prompt_tokens: float | None = None


def is_summary(value: Any) -> bool:
    """Whether a value can be a summary, of ours or the reference's."""
    try:
        _Summary.model_validate(value)
    except ValidationError:
        return False
    return True
