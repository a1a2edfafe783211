"""The figures of a run: as published, one estimate with one interval."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

import skythought as st
from skythought.metrics import Tally
from skythought.runs.classes import Votes
from skythought.runs.metrics import measure

scorio = pytest.importorskip("scorio.eval", reason="scorio is the oracle")

ANSWERS = {
    # each problem's gold answer, and what the model answered: 6 samples
    "a": ("0.5", [r"\frac12", "1/2", "0.5", "2", "3", None]),
    "b": ("7", ["8", "8.0", "16/2", "7", "9", "7"]),
    "c": ("12", ["12"] * 6),
    "d": ("1", [None] * 6),
    "e": ("x^2-1", ["(x-1)(x+1)", "x^2+1", "1+x^2", "x^2-1", "x", None]),
}
RIGHT = {"a": 3, "b": 2, "c": 6, "d": 0, "e": 2}
K = (1, 2, 3, 5, 6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the reference makes it, scored with math."""
    path = tmp_path_factory.mktemp("foreign") / "model_sums_abcdef"
    path.mkdir()
    texts = {key: ["I cannot say." if a is None else f"It is \\boxed{{{a}}}." for a in given] for key, (_, given) in
             ANSWERS.items()}  # fmt: skip
    entries = {
        key: {
            "answer": ANSWERS[key][0],
            "prompt": "?",
            "responses": [{"content": text, "correctness": None, "reason": ""} for text in texts[key]],
        }
        for key in ANSWERS
    }
    (path / "results.json").write_text(json.dumps(entries), encoding="utf-8")
    task = path.parent / "sums.yaml"
    task.write_text("dataset_path: x.jsonl\nprompt: '{{ prompt }}'\ntarget: answer\nscorer: math\n", encoding="utf-8")
    (path.parent / "x.jsonl").write_text("", encoding="utf-8")
    st.score(str(task), path)
    return path


@pytest.fixture(scope="module")
def run(folder: Path) -> st.Run:
    return st.Run(folder)


def outcomes() -> Any:
    import numpy as np

    return np.array([[1] * right + [0] * (6 - right) for right in RIGHT.values()])


@pytest.mark.parametrize("k", K)
def test_every_metric_equals_scorios(run: st.Run, k: int) -> None:
    found, oracle = run.metrics(k), outcomes()
    assert found["accuracy"] is found["mean@6"] is found["pass@1"]
    assert found["accuracy"].value == pytest.approx(oracle.mean())
    assert found["Bayes@6"].value == pytest.approx(scorio.bayes(oracle)[0])
    if k > 1:
        assert found[f"pass@{k}"].value == pytest.approx(scorio.pass_at_k(oracle, k))
        assert found[f"pass^{k}"].value == pytest.approx(scorio.pass_hat_k(oracle, k))
        assert found[f"mG-Pass@{k}"].value == pytest.approx(scorio.mg_pass_at_k(oracle, k))
        for tau in (0.5, 0.75):
            assert found[f"G-Pass@{k}_{tau}"].value == pytest.approx(scorio.g_pass_at_k_tau(oracle, k, tau))


@pytest.mark.parametrize("k", K[1:])
def test_maj_is_over_what_is_the_same_to_the_scorer(run: st.Run, k: int) -> None:
    """Against a count over all subsets, with the classes told by hand."""
    classes = {"a": "HHH23-", "b": "88879" + "7", "c": "CCCCCC", "d": "------", "e": "RWWRx-"}
    right = {"a": "H", "b": "7", "c": "C", "d": "?", "e": "R"}
    shares = []
    for key, votes in classes.items():
        total = subsets = 0.0
        for chosen in itertools.combinations(votes, k):
            counts = {vote: chosen.count(vote) for vote in chosen if vote != "-"}
            top = [vote for vote, count in counts.items() if count == max(counts.values())]
            total += (right[key] in top) / max(len(top), 1)
            subsets += 1
        shares.append(total / subsets)
    assert run.metrics(k)[f"maj@{k}"].value == pytest.approx(sum(shares) / len(shares))


def test_the_classes_can_be_read(run: st.Run) -> None:
    found = {one.problem_id: one for one in run.answer_classes()}
    assert [(c.samples, c.correct) for c in found["b"].classes] == [((0, 1, 2), False), ((3, 5), True), ((4,), False)]
    assert found["a"].classes[0].correct
    assert found["a"].unparsed == (5,)
    assert found["d"].classes == ()


def test_the_summary_has_what_the_metrics_are(run: st.Run) -> None:
    estimates = run.statistics["estimates"]
    assert {name: one["value"] for name, one in estimates.items()} == {
        metric.name: round(metric.value, 6) for metric in run.metrics()
    }
    accuracy = run.metrics()["accuracy"]
    assert accuracy.interval is not None
    assert estimates["accuracy"]["interval"] == [round(accuracy.interval.low, 6), round(accuracy.interval.high, 6)]
    assert estimates["accuracy"]["also"] == ["mean@6", "pass@1"]
    assert f"({accuracy.interval.low:.4f} to {accuracy.interval.high:.4f})" in repr(run)


def test_one_number_has_one_error(run: st.Run) -> None:
    text = json.dumps(run.summary)
    assert "stderr" not in text
    assert list(run.pass_at_k or {}) == ["k=6", "k=4", "k=2", "k=1"]
    assert [name for name in run.statistics["estimates"] if name.endswith("@1")] == []


@pytest.mark.parametrize(("right", "low", "high"), [(0, 0.0, 0.1157), (30, 0.8843, 1.0)])
def test_intervals_at_the_ends(right: int, low: float, high: float) -> None:
    tallies = [Tally(1, int(number < right)) for number in range(30)]
    interval = measure(tallies, 1)["accuracy"].interval
    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)
    for metric in measure([Tally(8, 8 * (right > 0))] * 30, 8, votes=[Votes(((8, right > 0),), 0)] * 30):
        both = [one for one in (metric.interval, metric.asked_again) if one is not None]
        assert both
        assert all(one.low < one.high for one in both)


def test_both_kinds_of_error_are_told_apart() -> None:
    """Problems that are always or never right: asked again they come out the same, others may not."""
    accuracy = measure([Tally(16, 16), Tally(16, 0)] * 15, 16)["accuracy"]
    assert accuracy.interval is not None
    assert accuracy.asked_again is not None
    assert accuracy.asked_again.half_width < accuracy.interval.half_width / 3
    assert measure([Tally(1, 1), Tally(1, 0)], 1)["accuracy"].asked_again is None


def test_another_level_is_another_width(run: st.Run) -> None:
    wide, narrow = (run.metrics(3, level=level)["pass@3"].interval for level in (0.99, 0.8))
    assert wide is not None
    assert narrow is not None
    assert wide.low < narrow.low < narrow.high < wide.high


def test_failed_samples_leave_a_problem_only_the_k_it_can_answer() -> None:
    found = measure([Tally(4, 4), Tally(2, 1), Tally(0, 0)], 4)
    assert (found["pass@4"].problems, found["pass@2"].problems, found["accuracy"].problems) == (1, 2, 2)
    assert found["accuracy"].value == pytest.approx(5 / 6)
    assert measure([Tally(0, 0)], 4).metrics == ()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"k": 7}, r"k = 7: that takes 7 samples a problem, and run '[^']+' has 6"),
        ({"k": [2, 0]}, r"k = 0: a number of samples, 1 or more"),
        ({"k": "5"}, r"metrics\(\): k"),
        ({"level": 95.0}, r"level = 95: a share between 0 and 1"),
    ],
)
def test_what_cannot_be_is_one_line(run: st.Run, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(st.UserError, match=says):
        run.metrics(**arguments)


def test_an_unknown_metric_is_told_with_the_nearest(run: st.Run) -> None:
    with pytest.raises(st.UserError, match=r"pass@2"):
        run.metrics(2)["pas@2"]


def test_a_scorer_that_cannot_tell_gives_no_vote_and_says_so(run_copy: Path) -> None:
    manifest = json.loads((run_copy / "run.json").read_text(encoding="utf-8"))
    manifest["config"]["task"]["scorer"] = "instructions"
    (run_copy / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    summary = json.loads((run_copy / "summary.json").read_text(encoding="utf-8"))
    summary["configuration"]["skythought"]["scored_with"]["scorer"] = "instructions"
    (run_copy / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    found = st.Run(run_copy).metrics()
    assert not any(metric.name.startswith("maj@") for metric in found)
    [note] = found.notes
    assert note.startswith("maj@k is not given: scorer 'instructions' cannot tell which answers are the same")
    with pytest.raises(st.UserError, match="no majority"):
        st.Run(run_copy).answer_classes()


def test_reading_changes_nothing_in_the_folder(run_copy: Path) -> None:
    before = {file.name: file.read_bytes() for file in run_copy.iterdir()}
    assert st.Run(run_copy).metrics(2)["maj@2"].problems == 8
    assert {file.name: file.read_bytes() for file in run_copy.iterdir()} == before


def test_another_programs_summary_of_before_is_read(run_copy: Path) -> None:
    """One of skythought 0.2: errors under other names, no estimates."""
    path = run_copy / "summary.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    ours = summary["configuration"]["skythought"]
    del ours["estimates"], ours["confidence"]
    ours |= {"accuracy_stderr": 0.1, "pass_at_k_stderr": {"k=2": 3.0}}
    path.write_text(json.dumps(summary), encoding="utf-8")
    run = st.Run(run_copy)
    assert run.statistics["accuracy_stderr"] == 0.1
    assert repr(run).endswith(f"accuracy={run.accuracy})")
    assert run.metrics()["accuracy"].problems == 8


def test_a_run_that_was_not_scored_has_no_classes(tmp_path: Path) -> None:
    from echo import ECHO

    sampling = {"temperature": 1.0, "max_tokens": 256}
    run = st.generate(
        "arithmetic", model="echo", backend=ECHO, sampling_params=sampling, n=2, end=2, result_dir=tmp_path
    )
    with pytest.raises(st.UserError, match="nothing was scored"):
        run.answer_classes()
    assert run.metrics().metrics == ()
