"""`skythought runs` and `skythought show`: what there is, and samples to read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from echo import ECHO
from made_runs import made_run

import skythought as st
from skythought.cli import app
from skythought.runs.marks import Mark, save_mark

SETTINGS = {"model": "echo", "backend": ECHO, "sampling_params": {"temperature": 1.0, "max_tokens": 256}}


def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["skythought", *arguments])
    with pytest.raises(SystemExit) as ended:
        app.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture
def run(tmp_path: Path) -> st.Run:
    return st.evaluate("arithmetic", **SETTINGS, n=2, end=5, result_dir=tmp_path / "a" / "b")


def test_runs_tell_themselves_apart(run, tmp_path, monkeypatch, capsys):
    st.evaluate("arithmetic", **SETTINGS, n=3, end=4, seed=7, result_dir=tmp_path / "c")
    broken = tmp_path / "c" / "broken"
    broken.mkdir()
    (broken / "results.json").write_text("{", encoding="utf-8")
    capsys.readouterr()
    code, out, err = say(monkeypatch, capsys, "runs", str(tmp_path))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    (five,) = [line for line in lines if "5 x 2" in line]
    (four,) = [line for line in lines if "4 x 3" in line]
    assert all(word in five for word in ("arithmetic", "echo", "temperature=1.0", "100%", f"{run.accuracy:.1%}"))
    assert str(run.path.relative_to(tmp_path)) in five
    assert "c/echo_arithmetic" in four
    assert any("cannot be read" in line and "c/broken" in line for line in lines)


def test_a_run_that_is_not_through_says_how_far_it_is(tmp_path, monkeypatch, capsys):
    with pytest.raises(st.BackendError):
        st.evaluate(
            "arithmetic", **SETTINGS, backend_args={"die_after": 5}, n=2, end=5, batch_size=1, result_dir=tmp_path
        )
    _, out, _ = say(monkeypatch, capsys, "runs", str(tmp_path))
    assert "50%" in out


def test_no_runs_and_no_folder(tmp_path, monkeypatch, capsys):
    assert "no runs in" in say(monkeypatch, capsys, "runs", str(tmp_path))[1]
    code, _, err = say(monkeypatch, capsys, "runs", str(tmp_path / "nothing"))
    assert (code, "there is no folder" in err) == (2, True)


def test_a_sample_is_shown_whole(run, monkeypatch, capsys):
    (sample,) = [sample for sample in run if (sample.problem_id, sample.sample) == ("2", 1)]
    code, out, _ = say(monkeypatch, capsys, "show", str(run.path), "--id", "2", "--sample", "1")
    assert code == 0
    assert out.count("problem ") == 1
    assert f"problem 2, sample 1: {sample.verdict}" in out
    for text in (sample.prompt.splitlines()[0], f"Seed {sample.seed}", f"read: {sample.answer}", sample.reason):
        assert text in out
    assert f"gold: {sample.problem.target}" in out


def test_only_the_wrong_ones(run, monkeypatch, capsys):
    wrong = sum(sample.verdict == "wrong" for sample in run)
    _, out, _ = say(monkeypatch, capsys, "show", str(run.path), "--wrong", "--most", "100")
    assert 0 < wrong == out.count(": wrong ")
    _, out, _ = say(monkeypatch, capsys, "show", str(run.path), "--verdict", "wrong,correct", "--most", "3")
    assert "3 samples are shown" in out


def test_long_thinking_is_shortened_unless_all_is_asked_for(tmp_path, monkeypatch, capsys):
    task = tmp_path / "long.yaml"
    task.write_text("dataset_path: rows.jsonl\nprompt: '{{ q }}'\ntarget: a\nscorer: math\n", encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text('{"q": "1 + 2", "a": "3"}\n', encoding="utf-8")
    backend = tmp_path / "long.py"
    backend.write_text(
        "from skythought.backends.base import BackendArgs, ConcurrentBackend\n"
        "class Long(ConcurrentBackend[BackendArgs]):\n"
        "    async def answer(self, request):\n"
        "        return request.response('<think>' + 'hm ' * 999 + 'aha</think>3', finish_reason='stop')\n",
        encoding="utf-8",
    )
    run = st.evaluate(str(task), model="m", backend=f"{backend}:Long", result_dir=tmp_path / "runs")
    folded = say(monkeypatch, capsys, "show", str(run.path))[1]
    whole = say(monkeypatch, capsys, "show", str(run.path), "--whole")[1]
    assert folded.count("hm") < 300 < whole.count("hm") == 999
    assert "aha" in folded
    assert "<think>" not in whole


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--verdict", "wrng"), "'wrng' is none. Did you mean 'wrong'?"),
        (("--id", "99"), "holds no such sample"),
        (("--most", "0"), "--most"),
    ],
)
def test_mistakes(run, monkeypatch, capsys, arguments, says):
    code, _, err = say(monkeypatch, capsys, "show", str(run.path), *arguments)
    assert code == 2
    assert says in err


def test_runs_tell_how_far_off_their_accuracy_may_be(run, tmp_path, monkeypatch, capsys):
    _, out, _ = say(monkeypatch, capsys, "runs", str(tmp_path))
    low, high = run.statistics["estimates"]["accuracy"]["interval"]
    assert f"{run.accuracy:.1%} ({100 * low:.1f} to {high:.1%})" in out


def test_marked_samples_are_shown_and_become_test_cases(run, monkeypatch, capsys):
    save_mark(run.path, Mark(id="2", sample=1, verdict="wrong", note="read the wrong number"))
    save_mark(run.path, Mark(id="4", sample=0, verdict="wrong", doubt=False, note="a good one"))
    _, out, _ = say(monkeypatch, capsys, "show", str(run.path), "--marked")
    assert out.count("problem ") == 2
    assert "marked: doubtful: read the wrong number" in out
    assert "marked: a good one" in out
    _, out, _ = say(monkeypatch, capsys, "show", str(run.path), "--marked", "--format", "jsonl")
    cases = [json.loads(line) for line in out.splitlines()]
    (sample,) = [sample for sample in run if sample.key == ("2", 1)]
    assert [(case["id"], case["sample"], case["doubt"]) for case in cases] == [("2", 1, True), ("4", 0, False)]
    assert cases[0].items() >= {
        "task": "arithmetic", "scorer": "math", "target": sample.problem.target, "answer": sample.answer,
        "response": sample.content, "verdict": sample.verdict, "note": "read the wrong number",
    }.items()  # fmt: skip
    # what is exported can be scored again as it is
    scored = st.score_rows(cases, cases[0]["scorer"], response="response", target="target")
    assert [row["verdict"] for row in scored] == [case["verdict"] for case in cases]


def test_all_samples_can_be_had_as_jsonl(run, monkeypatch, capsys):
    _, out, _ = say(monkeypatch, capsys, "show", str(run.path), "--format", "jsonl")
    assert len(out.splitlines()) == 10
    code, _, err = say(monkeypatch, capsys, "show", str(run.path), "--format", "json")
    assert (code, "unknown format 'json'. Did you mean 'jsonl'?" in err) == (2, True)
    assert say(monkeypatch, capsys, "show", str(run.path), "--marked")[0] == 2


def test_signs_are_told(tmp_path, monkeypatch, capsys):
    path = made_run(tmp_path / "loop", [[False]])
    text = (path / "results.json").read_text(encoding="utf-8")
    loop = json.dumps("so " * 200)
    text = text.replace('"content": "I say False to 0."', f'"content": {loop}, "finish_reason": "length"')
    (path / "results.json").write_text(text, encoding="utf-8")
    assert "sign: it was cut off while it repeated itself" in say(monkeypatch, capsys, "show", str(path))[1]
