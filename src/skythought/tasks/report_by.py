"""By what a task's results are reported: the values of its `report_by` for a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import TemplateSyntaxError

from skythought.config import TaskConfig
from skythought.tasks.templates import FAULTS, expression

__all__ = ["GroupsOf", "grouping", "reported"]

SUBSET = "subset"
"""The column in which rows of joined subsets tell where they come from."""

GroupsOf = Callable[[Mapping[str, Any]], dict[str, list[str]]]
"""From a row to the values under which it counts, by the name of each entry of `report_by`."""


def reported(task: TaskConfig) -> dict[str, str]:
    """What results are reported by, expressions by name: `report_by`, and the subset where several are joined."""
    joined = isinstance(task.dataset_subset, list) and len(task.dataset_subset) > 1
    given = task.report_by if isinstance(task.report_by, dict) else {text: text for text in task.report_by}
    return {**({SUBSET: SUBSET} if joined else {}), **given}


def grouping(task: TaskConfig) -> GroupsOf:
    """The function that tells under which values a row counts. A column that a row lacks, or that is null, is left out.

    A list counts under each of its entries, once.
    """
    sources = reported(task)

    def groups_of(row: Mapping[str, Any]) -> dict[str, list[str]]:
        found = {}
        for name, source in sources.items():
            values = _values(source, row)
            if values:
                found[name] = values
        return found

    return groups_of


def _values(source: str, row: Mapping[str, Any]) -> list[str]:
    """A column of exactly this name, whatever it is made of (`High-level domain`), else an expression."""
    try:
        value = row[source] if source in row else expression(source)({**row, "row": row})
    except TemplateSyntaxError:
        return []  # a column's name that is no expression, and not in this row
    except FAULTS:
        return []
    values = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(_named(entry) for entry in values if entry is not None and entry != ""))


def _named(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value)
