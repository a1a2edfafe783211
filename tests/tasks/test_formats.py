"""Formats: found by name, entry point and file, from a YAML and from --task-args, as docs/tasks.md tells it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from places import ROOT

import skythought as st
from skythought import catalog
from skythought.catalog import find_part, part_names
from skythought.errors import UserError
from skythought.tasks.formats.base import Format
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems
from skythought.types import MalformedRow, Problem

UPPER = """
from skythought.tasks.formats.base import Format, Row

class Upper(Format):
    functions = {"loud": lambda text: text + "!"}

    def plain(self, row: Row) -> Row:
        if not row["q"]:
            raise ValueError("q is empty")
        return {**row, "question": row["q"].upper()}

class NoFormat:
    pass
"""
TASK = "dataset_path: rows.jsonl\nprompt: '{{ loud(question) }}'\ntarget: a\nscorer: math\n"
ROWS: list[dict[str, Any]] = [{"q": "one?", "a": "1"}, {"q": "", "a": "2"}, {"a": "3"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "upper.py").write_text(UPPER)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return tmp_path


def task_with(folder: Path, format: str | None) -> str:
    (folder / "my.yaml").write_text(TASK + (f"format: {format}\n" if format else ""))
    return str(folder / "my.yaml")


def shown(*args: Any) -> list[str]:
    return [item.prompt if isinstance(item, Problem) else str(item) for item in problems(load_task(*args))]


AS_SHOWN = ["ONE?!", "row 1: q is empty", "row 2, column 'q': not in this row"]


def test_our_own_are_found_by_name() -> None:
    for name in part_names("format"):
        assert issubclass(find_part("format", name, Format), Format)  # type: ignore[type-abstract]
    assert part_names("format") == ["apps", "livecodebench", "mbpp"]


def test_a_file_beside_the_yaml(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert shown(task_with(folder, "upper.py:Upper")) == AS_SHOWN
    assert shown(task_with(folder, f"{folder}/upper.py:Upper")) == AS_SHOWN


def test_a_file_from_the_command_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    task = load_task(task_with(folder, None), {"format": "upper.py:Upper"})
    assert task.format == f"{folder / 'upper.py'}:Upper"
    assert shown(task_with(folder, None), {"format": "upper.py:Upper"}) == AS_SHOWN


def test_a_file_that_was_changed_is_read_again(folder: Path) -> None:
    assert shown(task_with(folder, "upper.py:Upper"))[0] == "ONE?!"
    (folder / "upper.py").write_text(UPPER.replace("upper()", "title()"))
    assert shown(task_with(folder, "upper.py:Upper"))[0] == "One?!"


def test_an_entry_point(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        def load(self) -> Any:
            return find_part("format", f"{folder}/upper.py:Upper", Format)  # type: ignore[type-abstract]

    monkeypatch.setattr(catalog, "entries", lambda group: {"theirs": Point()} if group == "formats" else {})
    assert shown(task_with(folder, "theirs")) == AS_SHOWN


@pytest.mark.parametrize(
    ("format", "says"),
    [
        ("appps", "unknown format 'appps'. Did you mean 'apps'"),
        ("none.py:Upper", "format 'none.py:Upper': there is no file 'none.py'"),
        ("upper.py:Uper", "unknown class in .*'Uper'. Did you mean 'Upper'"),
        ("upper.py:NoFormat", "must be a class that derives from skythought.tasks.formats.base.Format"),
    ],
)
def test_mistakes_are_one_line(folder: Path, format: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as error:
        load_task(task_with(folder, format))
    assert "\n" not in str(error.value)


def test_a_column_that_all_rows_lack_is_named(folder: Path) -> None:
    (folder / "rows.jsonl").write_text('{"qq": "one?", "a": "1"}\n')
    with pytest.raises(UserError, match=r"no row of .* has a column 'q'\. Did you mean 'qq'"):
        shown(task_with(folder, "upper.py:Upper"))


def test_a_run_is_the_same_wherever_its_format_lies(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    from skythought.pipeline.options import Options
    from skythought.pipeline.plan import make_plan

    def fingerprint(place: Path) -> str:
        args = {"base_url": "http://127.0.0.1:9/v1"}
        task = task_with(place, "upper.py:Upper")
        options = Options(task=(task,), model="m", backend="openai", backend_args=args, result_dir=place)
        return make_plan(options, grade=True).configs[0].fingerprint

    other = tmp_path_factory.mktemp("other")
    for file in ("upper.py", "rows.jsonl"):
        (other / file).write_bytes((folder / file).read_bytes())
    assert fingerprint(folder) == fingerprint(other)


def test_the_example_of_the_page(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    section = page.split("### With a format of your own\n")[1].split("\n### ")[0]
    code = "".join(line[4:] or "\n" for line in section.splitlines(keepends=True) if line[:4].isspace())
    names_and_texts = re.split(r"^# (\S+\.\w+)\n", code, flags=re.MULTILINE)[1:]
    files = dict(zip(names_and_texts[::2], map(str.strip, names_and_texts[1::2]), strict=True))
    assert set(files) == {"quiz.yaml", "rows.py", "quiz.jsonl"}
    assert 10 <= len("".join(files.values()).splitlines()) <= 30
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    first, second, third = problems(load_task(str(tmp_path / "quiz.yaml")))
    assert isinstance(first, Problem)
    assert isinstance(second, Problem)
    assert isinstance(third, MalformedRow)
    assert (first.prompt, first.target) == ("What is 6 * 7? (easy)", "42")
    assert (second.prompt, second.target) == ("What is 100 - 1? (hard)", "99")
    assert third.why == "no ' => ' in it"
    report = st.check_task(str(tmp_path / "quiz.yaml"))
    assert (report.gold_right, [str(finding) for finding in report.findings]) == (
        2,
        ["quiz.yaml: error: row 2: no ' => ' in it"],
    )
