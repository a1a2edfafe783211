"""docs/extending.md: every example is written down and every command is run, in an empty folder."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from doc_commands import run_script
from places import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEEDS = {"A dataset format": "skythought.tasks.formats.base"}
"""Modules without which an example cannot work."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of the whole page and the task's rows, and a command `skythought`."""
    for language, text in BLOCK.findall(PAGE):
        if language != "sh":
            name = text.partition("\n")[0].removeprefix("# ")
            assert re.fullmatch(r"\w+\.(py|yaml)", name), f"an example must begin with its file's name, not {name!r}"
            (tmp_path / name).write_text(text, encoding="utf-8")
    run_script(BLOCK.findall(SECTIONS["A task"])[0][1], tmp_path)
    return tmp_path


@pytest.mark.parametrize("section", SECTIONS)
def test_the_example_works_as_it_stands(section: str, folder: Path) -> None:
    if section in NEEDS and find_spec(NEEDS[section]) is None:
        pytest.skip(f"{NEEDS[section]} is missing")
    scripts = [text for language, text in BLOCK.findall(SECTIONS[section]) if language == "sh"]
    printed = "".join(run_script(script, folder) for script in scripts)
    expected = re.findall(r"^#> (.*)$", "".join(scripts), re.MULTILINE)
    assert expected
    position = 0
    for line in expected:  # in this order
        assert line in printed[position:], printed
        position = printed.index(line, position) + len(line)


def test_every_part_of_the_table_has_a_section() -> None:
    anchors = re.findall(r"\]\(#([\w-]+)\)", PAGE)
    assert sorted(anchors) == sorted(
        name.lower().replace(" ", "-") for name in SECTIONS if name != "The same from Python"
    )


def test_examples_are_short() -> None:
    lengths = {text.partition("\n")[0]: text.count("\n") for _, text in BLOCK.findall(PAGE)}
    assert {name: length for name, length in lengths.items() if length > 32} == {}
