"""`marks.jsonl`: what people noted about samples."""

from __future__ import annotations

import json

import pytest

import skythought as st
from skythought.runs.marks import MARKS, Mark, read_marks, save_mark


def test_a_later_mark_takes_the_place_of_an_earlier_one(tmp_path):
    save_mark(tmp_path, Mark(id="1", sample=0, verdict="wrong", note="first"))
    save_mark(tmp_path, Mark(id="2", sample=0, verdict="correct", note='with "quotes"\nand lines'))
    save_mark(tmp_path, Mark(id="1", sample=0, verdict="wrong", note="second", doubt=False))
    marks = read_marks(tmp_path)
    assert [mark.note for mark in marks.values()] == ['with "quotes"\nand lines', "second"]
    assert [*marks] == [("2", 0), ("1", 0)]
    lines = (tmp_path / MARKS).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["2", "1"]


def test_a_mark_that_says_nothing_takes_it_away(tmp_path):
    save_mark(tmp_path, Mark(id="1", sample=0, verdict="wrong"))
    save_mark(tmp_path, Mark(id="1", sample=0, verdict="wrong", doubt=False, note=" "))
    assert read_marks(tmp_path) == {}


def test_lines_that_are_no_marks_are_passed_over(tmp_path):
    good = json.dumps({"id": "1", "sample": 2, "verdict": None, "doubt": True, "note": "n", "time": "t", "new": 1})
    bad = ["{", "[]", '"x"', '{"id": 3, "sample": 0, "verdict": null}', '{"id": "3"}', "", "\x00"]
    (tmp_path / MARKS).write_text("\n".join([bad[0], good, *bad[1:]]), encoding="utf-8")
    assert [*read_marks(tmp_path)] == [("1", 2)]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "marks.jsonl.tmp").mkdir()
    with pytest.raises(st.SkythoughtError, match="cannot write"):
        save_mark(tmp_path, Mark(id="1", sample=0, verdict="wrong"))


def test_a_run_that_is_made_anew_has_none(run_copy):
    from echo import ECHO

    save_mark(run_copy, Mark(id="1", sample=0, verdict="wrong"))
    assert [*st.Run(run_copy).marks] == [("1", 0)]
    run = st.evaluate(
        "arithmetic", model="echo", backend=ECHO, n=2, end=8, result_dir=run_copy.parent, overwrite=True,
        sampling_params={"temperature": 1.0, "max_tokens": 256},
    )  # fmt: skip
    assert run.path == run_copy
    assert run.marks == {}
