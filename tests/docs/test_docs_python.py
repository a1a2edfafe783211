"""docs/python.md: its examples run as they stand, and it tells every field and function."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from doc_commands import blocks
from places import ROOT

import skythought

PAGE = "docs/python.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")


@pytest.mark.engine
@pytest.mark.timeout(1800)
def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for language, code in blocks(PAGE):
        assert language == "python"
        exec(compile(code, PAGE, "exec"), names)
    assert len(names["run"]) == len(names["cool"]) == 40
    assert names["merged"].summary["configuration"]["skythought"]["problems"] == 10
    assert [len(part) for part in (names["clean"].kept, names["clean"].removed)] == [1, 1]
    assert "Did you mean 'arithmetic'?" in capsys.readouterr().out


def test_every_field_of_a_sample_is_told_and_no_other() -> None:
    table = TEXT.partition("| field |")[2].partition("\n\n")[0]
    told = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == {name for name in dir(skythought.Sample) if not name.startswith("_")}


def test_every_public_function_and_error_is_told() -> None:
    public = {name for name in skythought.__all__ if name not in ("Options", "ExportOptions", "Example", "Exported")}
    assert [name for name in public - {"Comparison"} if f"{name}" not in TEXT] == []
