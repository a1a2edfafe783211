"""What the reference's task files and its own handlers said before February 2025, in the words of today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skythought.errors import unknown
from skythought.tasks.upstream.code import CODE_HANDLERS

__all__ = ["OLDER_KEYS", "chosen_template", "renewed"]

NEVER_USED = ("fewshot_config", "num_fewshot")
"""Keys that its files could have and nothing read."""
OLDER_KEYS = (*NEVER_USED, "dataset_source", "difficulty")
CHOICE = "template"
"""The parameter that names one of several templates."""


def renewed(values: Mapping[str, Any]) -> dict[str, Any]:
    """A file of the reference with today's keys; any other file as it is.

    `dataset_source` is `dataset_subset`; `difficulty` stands in `preprocess_config`, where an empty value filters
    nothing. A file with several wordings of its prompt (`regular_template`, `sky_template`) gets the parameter
    `template` that names one, the first by default: `--task-args template=sky_template`. Such a file for AIME asked the
    problems of 2024 only, whatever else the dataset holds.
    """
    if not values.get("handler"):
        return dict(values)
    found = {key: value for key, value in values.items() if key not in NEVER_USED}
    if "dataset_source" in found:
        subset = found.pop("dataset_source")
        found.setdefault("dataset_subset", None if subset == "default" else subset)
    rows = found.get("preprocess_config") or {}
    if isinstance(rows, Mapping):
        rows = {"difficulty": found.pop("difficulty", None), **rows}
        found["preprocess_config"] = {key: value for key, value in rows.items() if value is not None}
    templates = found.get("templating_parameters") or {}
    if found["handler"] in CODE_HANDLERS or not isinstance(templates, Mapping):
        return found
    names = [name for name in templates if name.endswith(f"_{CHOICE}")]
    if CHOICE in templates or not names:
        return found
    declared = found.get("parameters") or {}
    if isinstance(declared, Mapping):
        found["parameters"] = {CHOICE: names[0], **declared}
    if found["handler"] == "aime" and isinstance(found["preprocess_config"], dict):
        found["preprocess_config"].setdefault("url", "2024")
    return found


def chosen_template(values: Mapping[str, Any], where: str) -> Any:
    """The one template of a file, or the one of several that its parameter names; None if there is none.

    Raises:
        UserError: The parameter names none of them.
    """
    templates = values.get("templating_parameters") or {}
    name = (values.get("parameters") or {}).get(CHOICE)
    if CHOICE in templates or name is None:
        return templates.get(CHOICE)
    if name not in templates:
        raise unknown(f"template in {where}", str(name), templates)
    return templates[name]
