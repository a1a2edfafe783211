"""The JSON Schema of task files."""

from __future__ import annotations

import json

import yaml

from skythought.config import FewShot, TaskFile
from skythought.tasks.load import LIBRARY
from skythought.tasks.schema import FILE, schema, schema_text


def test_the_shipped_file_is_what_the_fields_say() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text(), (
        "skythought tasks schema > src/skythought/tasks/task.schema.json"
    )


def test_every_field_is_described() -> None:
    made = schema()
    for properties, model in ((made["properties"], TaskFile), (made["$defs"]["FewShot"]["properties"], FewShot)):
        assert set(properties) == set(model.model_fields)
        assert [name for name, field in properties.items() if not field.get("description")] == []


def test_the_catalogue_is_valid_and_a_wrong_key_is_not() -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8")))
    for file in LIBRARY.glob("*.yaml"):
        assert list(validator.iter_errors(yaml.safe_load(file.read_text(encoding="utf-8")))) == [], file.name
    wrong = {"dataset_path": "x", "promt": "y", "shuffle_choices": "perhaps"}
    assert len(list(validator.iter_errors(wrong))) == 2


def test_the_command_prints_it(cli) -> None:  # type: ignore[no-untyped-def]
    assert json.loads(cli("tasks", "schema").stdout) == schema()
