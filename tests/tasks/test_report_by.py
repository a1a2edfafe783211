"""Results by subject, level, source: in the summary of a run, of a folder of the reference's, and as tables."""

import io
import json

import pytest
from echo import ECHO
from rich.console import Console

import skythought as st
from skythought.display.tables import breakdowns
from skythought.runs.jsonfile import read_entries
from skythought.runs.view import Run


def test_a_run_of_a_task_that_reports_by_columns(finished_run):
    by = Run(finished_run).statistics["by"]
    assert list(by) == ["family", "level"]
    expected = {}
    for _, record in read_entries(finished_run / "results.json"):
        expected.setdefault(str(record["level"]), []).extend(entry["correctness"] for entry in record["responses"])
    assert set(by["level"]) == set(expected)
    for level, part in by["level"].items():
        assert part["problems"] * 2 == part["samples"] == len(expected[level])
        assert part["accuracy"] == pytest.approx(sum(expected[level]) / len(expected[level]), abs=1e-4)
        assert set(part["pass_at_k"]) == {"k=2", "k=1"}


def foreign_folder(tmp_path, rows):
    records = {
        str(index): {
            "problem": "What?",
            "answer": "5",
            **row,
            "prompt": "What?",
            "responses": [{"content": f"\\boxed{{{answer}}}", "correctness": None, "reason": None}],
        }
        for index, (row, answer) in enumerate(rows)
    }
    folder = tmp_path / "model_math500_abcdef"
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(records), encoding="utf-8")
    return folder


def test_a_folder_of_the_reference_is_reported_by_the_columns_it_has(tmp_path):
    rows = [({"subject": "Algebra", "level": 1}, 5), ({"subject": "Geometry", "level": 1}, 6), ({"level": 2}, 5)]
    run = st.score("math500", foreign_folder(tmp_path, rows))
    right = {
        "problems": 1,
        "problems_scored": 1,
        "samples": 1,
        "accuracy": 1.0,
        "interval": [0.025, 1.0],
        "p_adjusted": 1.0,
    }
    wrong = {
        "problems": 1,
        "problems_scored": 1,
        "samples": 1,
        "accuracy": 0.0,
        "interval": [0.0, 0.975],
        "p_adjusted": 0.667,
    }
    half = {
        "problems": 2,
        "problems_scored": 2,
        "samples": 2,
        "accuracy": 0.5,
        "interval": [0.0126, 0.9874],
        "p_adjusted": 1.0,
    }
    assert run.statistics["by"] == {
        "subject": {"Algebra": right, "Geometry": wrong},
        "level": {"1": half, "2": right},
    }


def test_what_is_no_longer_reported_leaves_the_summary(tmp_path):
    folder = foreign_folder(tmp_path, [({"level": 1}, 5)])
    assert st.score("math500", folder).statistics["by"]
    mine = tmp_path / "math500.yaml"
    mine.write_text("dataset_path: x.jsonl\nprompt: '{{ problem }}'\ntarget: answer\nscorer: math\n", encoding="utf-8")
    (tmp_path / "x.jsonl").write_text("", encoding="utf-8")
    assert st.score(str(mine), folder).statistics["by"] == {}


def printed(run):
    console = Console(file=io.StringIO(), width=100)
    for table in breakdowns(run):
        console.print(table)
    return console.file.getvalue()


def test_a_group_that_was_not_asked_in_full_tells_how_many_problems_count(tmp_path):
    run = st.evaluate(
        "arithmetic",
        model="m",
        backend=ECHO,
        end=60,
        result_dir=tmp_path,
        max_total_tokens=500,
        batch_size=4,
    )
    part = run.statistics["by"]["level"]["1"]
    assert 0 < part["problems_scored"] == part["samples"] < part["problems"]
    assert f" {part['problems_scored']} of {part['problems']}" in printed(run)


def test_tables_show_the_largest_groups_in_their_order(tmp_path):
    rows = [({"level": level, "subject": f"[red]s{number:02}[/]"}, 5) for number, level in enumerate([10, 9] * 8)]
    rows += [({"level": 9, "subject": "[red]s00[/]"}, 6)]
    text = printed(st.score("math500", foreign_folder(tmp_path, rows)))
    assert [line.split() for line in text[text.index("level") :].splitlines()] == [
        ["level", "accuracy", "problems"],
        ["9", "88.9%", "(51.7", "to", "99.7%)", "9"],
        ["10", "100.0%", "(63.1", "to", "100.0%)", "8"],
    ]
    assert "[red]s00[/]" in text, "a value is shown as it is"
    assert "the 12 largest; 4 more in summary.json" in text


def test_a_subject_that_differs_is_told_with_how_many_were_compared(tmp_path):
    rows = [({"subject": subject}, answer) for subject, answer in [("easy", 5), ("hard", 6), ("other", 5)] * 20]
    run = st.score("math500", foreign_folder(tmp_path, rows))
    parts = run.statistics["by"]["subject"]
    assert parts["hard"]["p_adjusted"] < 1e-6
    lines = printed(run).splitlines()
    assert [line for line in lines if "hard" in line and line.rstrip().endswith("for 3 compared")]


def test_nothing_judged_nothing_shown(tmp_path):
    rows = [({"level": 1}, 5)]
    run = st.score("math500", foreign_folder(tmp_path, rows))
    run.summary["accuracy"] = None
    assert printed(run) == ""


SETTINGS = {"backend": ECHO, "n": 2, "end": 8}


def test_a_finished_run_is_reported_by_something_else_without_asking_again(run_copy):
    asked = (run_copy / "responses.jsonl").read_bytes()
    sampling = {"temperature": 1.0, "max_tokens": 256}
    other = {"report_by": {"long": "question | length > 30"}}
    run = st.evaluate(
        "arithmetic", model="echo", sampling_params=sampling, task_args=other, resume_from=run_copy, **SETTINGS
    )
    assert sum(part["problems"] for part in run.statistics["by"]["long"].values()) == 8
    assert list(run.statistics["by"]) == ["long"]
    assert (run_copy / "responses.jsonl").read_bytes() == asked


def test_a_preset_continues_the_run_that_was_typed_and_a_changed_one_is_named(run_copy, tmp_path):
    presets = tmp_path / "presets.yaml"
    options = {"model": "echo", "model_config": presets, "resume_from": run_copy, **SETTINGS}
    presets.write_text("models: {echo: {sampling_params: {temperature: 1.0, max_tokens: 256}}}\n", encoding="utf-8")
    assert st.evaluate("arithmetic", **options).path == run_copy
    presets.write_text("models: {echo: {sampling_params: {temperature: 0.5, max_tokens: 256}}}\n", encoding="utf-8")
    with pytest.raises(st.RunFolderError, match=r"sampling temperature was 1\.0 and is 0\.5 now"):
        st.evaluate("arithmetic", **options)
