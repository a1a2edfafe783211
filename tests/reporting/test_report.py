"""`skythought report`: one file with everything in it, whatever the responses hold."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from echo import ECHO
from made_runs import made_run
from pages import Page

import skythought as st
from skythought.cli import app
from skythought.pipeline.plan import make_plan
from skythought.runs.folder import require
from skythought.runs.marks import Mark, save_mark

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!-- <script> ]]> &lt;b&gt; &#x3c;img src=x onerror=alert(1)>",
    "\u202egnp.exe \u2066 \x00 \x1b[31m \ud83d half an emoji",
    "$" + "{" * 10_000 + "$",
    "a" * 200_000,
    r"$\def\a{\a\a}\a$ \href{javascript:alert(1)}{x}",
]


@pytest.fixture
def hostile(tmp_path: Path) -> st.Run:
    """Names, columns, answers and reasons that would rather be something else."""
    path = made_run(
        tmp_path / "hostile",
        [[index % 2 == 0] for index in range(len(HOSTILE))],
        task="</title><script>x</script>",
        model="<img src=x onerror=alert(1)>",
        prompts=HOSTILE,
    )
    results = json.loads((path / "results.json").read_text(encoding="utf-8"))
    for entry, text in zip(results.values(), HOSTILE, strict=True):
        entry["responses"][0] |= {"content": text, "answer": text, "reason": text, "details": {text[:50]: text}}
    (path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return st.Run(path)


def test_a_report_has_everything_about_the_samples(finished_run, tmp_path):
    run = st.Run(finished_run)
    written = st.report(run, output=tmp_path / "r.html")
    page = Page(written.path)
    index, samples = page.index, list(run)
    columns = index["samples"]
    assert (written.samples, written.size) == (16, (tmp_path / "r.html").stat().st_size)
    assert {len(column) for column in columns.values()} == {16}
    assert list(zip(columns["id"], columns["sample"], strict=True)) == [sample.key for sample in samples]
    for number, (sample, text) in enumerate(zip(samples, page.texts, strict=True)):
        parts = sample.parts
        assert columns["verdict"][number] == sample.verdict
        assert (columns["in"][number], columns["out"][number]) == (sample.prompt_tokens, sample.completion_tokens)
        assert (columns["answer"][number], columns["gold"][number]) == (sample.answer, sample.problem.target)
        assert columns["first"][number] == parts.answer.splitlines()[0]
        assert columns["subset"][number] == f"{sample.row['family']}, {sample.row['level']}"
        assert (text["messages"], text["thinking"], text["answer"]) == (
            [*sample.messages],
            parts.thinking,
            parts.answer,
        )
        assert (text["read"], text["reason"], text["seed"]) == (sample.answer, sample.reason, sample.seed)
        assert text["row"] == sample.row


def test_figures_are_those_of_the_summary(finished_run, tmp_path):
    run = st.Run(finished_run)
    page = Page(st.report(run, output=tmp_path / "r.html").path)
    (told,) = page.index["runs"]
    accuracy = run.metrics()["accuracy"]
    (shown,) = [figure for figure in told["figures"] if figure["name"] == "accuracy"]
    assert (shown["value"], shown["unit"]) == (pytest.approx(accuracy.value, abs=1e-6), "share")
    assert (shown["low"], shown["high"]) == pytest.approx(accuracy.interval[:2], abs=1e-6)
    assert [chance["k"] for chance in told["pass_at_k"]] == [1, 2]
    assert told["pass_at_k"][1]["value"] == pytest.approx(run.metrics()["pass@2"].value, abs=1e-6)
    assert set(told["subsets"]) == {"family", "level"}
    assert {"total": 16, **told["verdicts"]} == run.statistics["samples"]
    assert ["seed", "41"] in told["facts"]
    # the same stand in the page as text, for whoever runs no script
    assert f"{accuracy.value:.1%}" in page.static
    assert "by family" in page.static
    assert "svg" in page.tags
    assert "script" not in page.tags


def test_the_commands_make_the_same_run(finished_run, tmp_path, monkeypatch):
    run = st.Run(finished_run)
    page = Page(st.report(run, output=tmp_path / "r.html").path)
    config = require(run.path).config
    commands = [page.index["runs"][0]["command"], page.texts[7]["again"]]
    plans = []
    monkeypatch.setattr("skythought.pipeline.suite.make_plan", lambda options, **_: plans.append(options) or 1 / 0)
    for command in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(ZeroDivisionError):
            app.main()
    whole, single = (make_plan(options, grade=True).configs[0] for options in plans)
    assert (whole.fingerprint, whole.n, whole.end) == (config.fingerprint, 2, 8)
    assert (single.fingerprint, single.n, single.start, single.end) == (config.fingerprint, 2, 3, 4)


def test_no_text_gets_out_of_its_element(hostile, tmp_path):
    path = st.report(hostile, output=tmp_path / "r.html").path
    page, source = Page(path), path.read_text(encoding="utf-8")
    assert [text["answer"] for text in page.texts[:2]] == HOSTILE[:2]
    assert page.texts[2]["answer"] == HOSTILE[2]
    assert set(page.scripts) == {"index", "block-0", ""}
    assert set(page.tags) <= {"section", "h1", "p", "table", "caption", "tr", "th", "td", "svg", "rect", "title",
                              "noscript", "code"}  # fmt: skip
    assert "alert(1)" not in source.replace(page.scripts[""], "").replace("&lt;img src=x onerror=alert(1)&gt;", "")
    assert "\u202e" not in page.static


def test_nothing_runs_but_the_bundle_and_nothing_is_fetched(finished_run, tmp_path):
    page = Page(st.report(finished_run, output=tmp_path / "r.html").path)
    rules = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";"))
    digest = base64.b64encode(hashlib.sha256(page.scripts[""].encode()).digest()).decode()
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert "connect-src" not in rules


def test_the_signs_stand_in_the_index(tmp_path):
    loop = "Let me see. " + "Wait, no, that is not it. " * 40
    path = made_run(tmp_path / "signs", [[False], [False], [False]])
    results = json.loads((path / "results.json").read_text(encoding="utf-8"))
    results["0"]["responses"][0] |= {"content": loop, "finish_reason": "length"}
    results["1"]["responses"][0] |= {"content": f"<think>\n{loop}", "finish_reason": "length"}
    (path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    index = Page(st.report(path).path).index
    assert index["samples"]["flags"] == [1, 5, 0]
    assert {"name": "looping", "value": 2}.items() <= next(
        figure for figure in index["runs"][0]["figures"] if figure["name"] == "looping"
    ).items()


def test_several_runs_are_compared_first(tmp_path):
    first = made_run(tmp_path / "base", [[True], [False], [False], [False]] * 5)
    second = made_run(tmp_path / "tuned", [[True], [True], [True], [False]] * 5)
    written = st.report(first, second)
    page = Page(written.path)
    comparison = st.compare(first, second, flips=100)
    assert written.path == tmp_path / "base_and_1_more.html"
    assert page.index["comparison"] == comparison.record()
    assert page.static.index(comparison.sentence) < page.static.index("figures")
    assert page.index["samples"]["run"] == [0] * 20 + [1] * 20


def test_a_folder_of_runs_stands_for_its_runs(tmp_path):
    made_run(tmp_path / "results" / "base", [[True], [False]] * 5)
    made_run(tmp_path / "results" / "tuned", [[True], [True]] * 5)
    page = Page(st.report(tmp_path / "results", output=tmp_path / "both.html").path)
    assert page.index["comparison"]["names"] == ["base", "tuned"]
    assert page.index["samples"]["run"] == [0] * 10 + [1] * 10


def test_runs_that_cannot_be_compared_stand_side_by_side(tmp_path, monkeypatch, capsys):
    first = made_run(tmp_path / "a", [[True], [False]])
    second = made_run(tmp_path / "b", [[True], [False]], prompts=["something", "else"])
    monkeypatch.setattr(sys, "argv", ["skythought", "report", str(first), str(second), "-o", str(tmp_path / "r.html")])
    with pytest.raises(SystemExit) as ended:
        app.main()
    out, err = capsys.readouterr()
    assert not ended.value.code
    assert re.match(rf"{re.escape(str(tmp_path))}/r\.html: [\d.]+ [KM]B, 4 samples", out)
    assert "not compared: cannot compare" in err
    page = Page(tmp_path / "r.html")
    assert page.index["comparison"] is None
    assert "cannot compare" in page.static
    assert len(page.index["runs"]) == 2


def test_a_run_that_is_not_through(tmp_path):
    with pytest.raises(st.BackendError):
        st.evaluate(
            "arithmetic", model="echo", backend=ECHO, backend_args={"die_after": 5}, n=2, end=5, batch_size=1,
            sampling_params={"temperature": 1.0}, result_dir=tmp_path,
        )  # fmt: skip
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    page = Page(st.report(folder).path)
    assert page.index["runs"][0]["pending"] == 5
    assert len(page.index["samples"]["id"]) == 5


def test_marks_are_in_it(run_copy):
    save_mark(run_copy, Mark(id="3", sample=1, verdict="wrong", note="the gold answer is <b>wrong</b>"))
    (mark,) = Page(st.report(run_copy).path).index["marks"]
    assert (mark["run"], mark["id"], mark["sample"], mark["note"]) == (0, "3", 1, "the gold answer is <b>wrong</b>")


def test_the_same_run_gives_the_same_bytes(finished_run, tmp_path):
    pages = [st.report(finished_run, output=tmp_path / name).path.read_bytes() for name in ("a.html", "b.html")]
    assert pages[0] == pages[1]


def test_only_a_page_is_replaced(run_copy, tmp_path):
    other = tmp_path / "notes.html"
    other.write_text("mine", encoding="utf-8")
    with pytest.raises(st.UserError, match="is there and is no report"):
        st.report(run_copy, output=other)
    assert other.read_text(encoding="utf-8") == "mine"
    with pytest.raises(st.UserError, match="is a folder"):
        st.report(run_copy, output=tmp_path)
    with pytest.raises(st.UserError, match="there is no folder"):
        st.report(run_copy, output=tmp_path / "no" / "r.html")
    first = st.report(run_copy).path
    assert first == run_copy.with_name(f"{run_copy.name}.html")
    assert st.report(run_copy).path == first
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([run_copy.name, first.name, "notes.html"])


def test_a_report_that_cannot_be_made_leaves_the_earlier_one(run_copy):
    path = st.report(run_copy).path
    before = path.read_bytes()
    (run_copy / "run.json").unlink()
    (run_copy / "results.json").write_text('{"0": {"responses": [', encoding="utf-8")
    with pytest.raises(st.UserError):
        st.report(run_copy)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if one.is_file()] == [path.name]
