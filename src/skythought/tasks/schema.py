"""The JSON Schema of task files: what editors complete and check while a task is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skythought.catalog import part_names
from skythought.config import TaskFile

__all__ = ["FILE", "schema", "schema_text"]

FILE = Path(__file__).parent / "task.schema.json"
"""The copy that ships with the package."""


def schema() -> dict[str, Any]:
    """The schema, made of `TaskFile`; descriptions are those of its fields."""
    made = TaskFile.model_json_schema()
    made.pop("description", None)
    title = "A task (benchmark) of skythought"
    made["properties"]["scorer"]["examples"] = part_names("scorer")
    made["properties"]["format"]["examples"] = part_names("format")
    made["anyOf"] = [{"required": [key]} for key in (*made.pop("required"), "like")]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_untitled(made)}


def schema_text() -> str:
    """The schema as the text of a file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _untitled(value: Any) -> Any:
    """Without the titles that repeat each key."""
    if isinstance(value, dict):
        return {key: _untitled(item) for key, item in value.items() if not (key == "title" and isinstance(item, str))}
    return [_untitled(item) for item in value] if isinstance(value, list) else value
