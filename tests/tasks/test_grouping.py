"""What results are reported by."""

from __future__ import annotations

from typing import Any

import pytest

from skythought.config import TaskConfig
from skythought.tasks.report_by import grouping

ROW: dict[str, Any] = {
    "subject": "algebra",
    "level": 4.0,
    "Main field": "physics",
    "tags": ["a", "b", "a", None],
    "domain": ["Mathematics -> Algebra -> Equations"],
    "empty": None,
}


@pytest.mark.parametrize(
    ("report_by", "groups"),
    [
        (["subject", "level"], {"subject": ["algebra"], "level": ["4"]}),
        (["Main field"], {"Main field": ["physics"]}),
        (["tags"], {"tags": ["a", "b"]}),
        (["level > 3"], {"level > 3": ["True"]}),
        ({"field": "domain[0].split(' -> ')[1]"}, {"field": ["Algebra"]}),
        (["empty", "absent", "No such column", "subject / 2"], {}),
    ],
)
def test_values_of_a_row(report_by: Any, groups: dict[str, list[str]]) -> None:
    task = TaskConfig(dataset_path="x", report_by=report_by)
    assert grouping(task)(ROW) == groups


def test_joined_subsets_are_reported_by_themselves() -> None:
    task = TaskConfig(dataset_path="x", dataset_subset=["I", "II"], report_by=["level"])
    assert grouping(task)({"subset": "II", "level": 1}) == {"subset": ["II"], "level": ["1"]}
    assert grouping(task.model_copy(update={"dataset_subset": "I"}))({"subset": "II"}) == {}
