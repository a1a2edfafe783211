"""docs/tutorial.md: every command is run, in its order, with the bundled model, and prints what the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_commands import blocks, files, run_script

PAGE = "docs/tutorial.md"


def stable(text: str) -> Iterator[str]:
    """Lines without what may differ from one machine to another: numbers, widths, what a model was asked and said."""
    for line in text.splitlines():
        plain = re.sub(r"^(read|gold|why): .*|^  .*", r"\1", line)
        plain = re.sub(r"\d[\d.,]*", "0", re.sub(r"[│─┌┐└┘├┤┬┴┼ ]+", " ", plain)).strip()
        if plain:
            yield re.sub(r"[+-](?=0)|(?<=p )[<=] ", "", plain)


def test_a_changed_word_is_told_and_a_changed_number_is_not() -> None:
    assert list(stable("│ accuracy │ 48.1% (37.0 to 59.2%) │")) == list(stable("│ accuracy   │ 50% (38 to 61.3%) │"))
    assert list(stable("accuracy 48.1%")) != list(stable("precision 48.1%"))


@pytest.mark.engine
@pytest.mark.timeout(3600)
def test_the_commands_print_what_is_shown(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    for name, text in files(PAGE).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    printed: list[str] = []
    for language, text in blocks(PAGE):
        if language == "sh":
            printed = list(stable(run_script(text, tmp_path)))
        elif language == "python":
            (tmp_path / "example.py").write_text(text, encoding="utf-8")
            assert run_script("python example.py", tmp_path)
        elif language == "text":
            lines = iter(printed)  # each shown line is found behind the one before it
            missing = [line for line in stable(text) if line != "..." and line not in lines]
            assert missing == [], printed
    assert (tmp_path / "data" / "README.md").is_file()
