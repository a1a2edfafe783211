"""Runs that choose what they ask by the verdicts that have come in."""

import json
import shutil
import subprocess
import sys

import pytest
from sure import PLAIN, SURE

import skythought as st

N = 8
PROBLEMS = 60


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    rows = [{"question": f"Say {1000 + number}", "answer": str(1000 + number)} for number in range(PROBLEMS)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "say.yaml").write_text(
        "dataset_path: rows.jsonl\nprompt: '{{ question }}'\ntarget: answer\nscorer: math\n", encoding="utf-8"
    )
    return str(folder / "say.yaml")


def evaluate(task, folder, backend=SURE, make=st.evaluate, **options):
    settings = {"n": N, "sampling_params": {"temperature": 1.0}, **options}
    return make(task, model="sure", backend=backend, result_dir=folder, **settings)


@pytest.fixture(scope="module")
def whole(task, tmp_path_factory):
    """A plain run: all samples."""
    return evaluate(task, tmp_path_factory.mktemp("whole"))


def verdicts(run):
    """Whether each sample is right, by problem and in the order of their numbers."""
    found = {}
    for sample in run:
        found.setdefault(sample.problem_id, []).append(sample.correct)
    return found


def until(right, wanted):
    """The samples that are asked of a problem whose plain run came out so."""
    for number in range(1, len(right) + 1):
        if sum(right[:number]) == wanted:
            return right[:number]
    return right


def results(run):
    return (run.path / "results.json").read_bytes()


def resumed(task, run, **options):
    return evaluate(task, run.path.parent, resume=True, **options)


# -- until so many are right ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", [SURE, PLAIN])
@pytest.mark.parametrize("wanted", [1, 2])
@pytest.mark.parametrize("batch_size", [1, 7, 200])
def test_each_problem_is_asked_until_it_is_right(task, whole, tmp_path, backend, wanted, batch_size):
    if backend == PLAIN and batch_size == 7:
        pytest.skip("it knows no batches")
    run = evaluate(task, tmp_path, backend, until_correct=wanted, batch_size=batch_size)
    assert verdicts(run) == {key: until(right, wanted) for key, right in verdicts(whole).items()}
    asking = run.statistics["asking"]
    assert asking["solved"] == sum(sum(right) >= wanted for right in verdicts(whole).values())
    assert asking["solved"] + asking["unsolved"] == PROBLEMS
    assert asking["asked"] + asking["left"] == PROBLEMS * N
    assert any("saved" in line for line in asking["lines"])


def test_generate_grades_where_it_has_to(task, whole, tmp_path):
    run = evaluate(task, tmp_path, make=st.generate, until_correct=1)
    assert verdicts(run) == {key: until(right, 1) for key, right in verdicts(whole).items()}


def test_resumed_without_the_option_it_is_the_plain_run(task, whole, tmp_path):
    run = evaluate(task, tmp_path, until_correct=1)
    assert run.path.name == whole.path.name
    rest = resumed(task, run)
    assert results(rest) == results(whole)
    assert (rest.accuracy, rest.pass_at_k) == (whole.accuracy, whole.pass_at_k)


def test_a_finished_run_starts_no_engine(task, tmp_path):
    run = evaluate(task, tmp_path, until_correct=1)
    log = tmp_path / "log"
    again = resumed(task, run, until_correct=1, backend_args={"log": str(log)})
    assert not log.exists()
    assert results(again) == results(run)
    more = resumed(task, run, until_correct=2)
    straight = evaluate(task, tmp_path / "straight", until_correct=2)
    assert results(more) == results(straight)


def test_more_samples_for_those_that_were_never_right(task, tmp_path):
    evaluate(task, tmp_path, until_correct=1, n=2)
    more = evaluate(task, tmp_path, until_correct=1, n=6, resume=True)
    straight = evaluate(task, tmp_path / "straight", until_correct=1, n=6)
    assert results(more) == results(straight)


def test_estimates_are_near_those_of_the_plain_run(task, whole, tmp_path):
    """Plain accuracy over the samples that were asked would be far lower."""
    run = evaluate(task, tmp_path, until_correct=1)
    samples = [right for problem in verdicts(run).values() for right in problem]
    assert sum(samples) / len(samples) < whole.accuracy - 0.08
    low, high = run.statistics["estimates"]["accuracy"]["interval"]
    assert low < whole.accuracy < high
    assert set(run.statistics["estimates"]) == {"accuracy", "pass@8", "pass@4", "pass@2"}
    assert run.metrics()["pass@4"].value == pytest.approx(run.pass_at_k["k=4"] / 100, abs=1e-5)
    assert run.metrics(3)["pass@3"].interval is not None
    assert "asked until right" in run.metrics().notes[0]
    assert run.pass_at_k[f"k={N}"] == whole.pass_at_k[f"k={N}"]
    assert run.pass_at_k["k=1"] == pytest.approx(100 * run.accuracy, abs=0.01)
    assert run.statistics["accuracy_without_cut_off"] is None


def test_many_problems_are_asked_side_by_side(task, tmp_path):
    log = tmp_path / "log"
    evaluate(task, tmp_path, until_correct=1, batch_size=16, backend_args={"log": str(log)})
    asked = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert max(under_way for *_, under_way in asked) == 16
    assert sum(under_way for *_, under_way in asked) / len(asked) > 5
    started = list(dict.fromkeys(key for key, *_ in asked))
    assert started == sorted(started, key=int)


def test_a_failed_sample_ends_its_problems_turn_and_is_asked_again(task, tmp_path):
    run = evaluate(task, tmp_path, until_correct=1, backend_args={"fail": "3"})
    assert verdicts(run)["3"] == [None]
    assert run.statistics["asking"]["unfinished"] == 1
    again = resumed(task, run, until_correct=1)
    straight = evaluate(task, tmp_path / "straight", until_correct=1)
    assert results(again) == results(straight)
    assert again.statistics["asking"]["unfinished"] == 0


def command(task, folder, options, **backend_args):
    """The same run by the command line, with --resume; its exit code and what it said."""
    arguments = [f"--{key.replace('_', '-')}={value}" for key, value in {"n": N, "batch_size": 8, **options}.items()]
    given = ["--backend", SURE, "--backend-args", json.dumps(backend_args), "--sampling-params", "temperature=1"]
    words = ["evaluate", "--task", task, "--model", "sure", *given, *arguments, "--resume", "--result-dir", str(folder)]
    return subprocess.run([sys.executable, "-m", "skythought", *words], capture_output=True, text=True)


@pytest.mark.parametrize(
    "options",
    [{"until_correct": 2}, {"until": 0.1}, {"max_total_tokens": 20_000}],
    ids=lambda options: next(iter(options)),
)
def test_killed_and_resumed_to_the_same_bytes(task, whole, tmp_path, options):
    broken = tmp_path / "broken"
    for kill_at in (5, 20, 50):
        ended = command(task, broken, options, kill_at=kill_at)
        assert ended.returncode == -9, ended.stderr
    [folder] = broken.iterdir()
    again = evaluate(task, broken, resume=True, batch_size=8, **options)
    assert again.statistics["asking"]["ended"]
    if "until_correct" in options:  # which samples there are does not depend on how far asking ran ahead
        straight = evaluate(task, tmp_path / "straight", **options)
        assert results(again) == results(straight)
    rest = resumed(task, again)
    assert rest.path == folder
    assert results(rest) == results(whole)


def test_interrupted_in_order_and_resumed(task, tmp_path):
    ended = command(task, tmp_path, {"until_correct": 1}, stop_at=30)
    assert ended.returncode == 130, ended.stderr
    assert "unfinished: " in ended.stdout
    assert "are unfinished: " in ended.stdout
    [folder] = tmp_path.iterdir()
    assert st.Run(folder).statistics["asking"]["ended"] is None
    again = evaluate(task, tmp_path, resume=True, until_correct=1)
    straight = evaluate(task, tmp_path / "straight", until_correct=1)
    assert results(again) == results(straight)


# -- until it is clear ----------------------------------------------------------------------------------------------


def test_accuracy_to_a_width(task, whole, tmp_path):
    run = evaluate(task, tmp_path, until="±10%", n=1, batch_size=4)
    asking = run.statistics["asking"]
    first = [right[0] for right in verdicts(whole).values()]
    truth = sum(first) / PROBLEMS
    assert asking["reason"] == "accuracy is known to ±10 points"
    assert asking["found"]["accuracy_low"] <= truth <= asking["found"]["accuracy_high"]
    assert asking["found"]["accuracy_high"] - asking["found"]["accuracy_low"] <= 0.2
    assert asking["order"] == "random"
    assert 0 < asking["left"] < PROBLEMS
    again = evaluate(task, tmp_path, until="±10%", n=1, resume=True)
    assert again.statistics["asking"]["asked"] == 0
    assert results(again) == results(run)
    assert f"{asking['left']} of {PROBLEMS} samples" in again.statistics["asking"]["lines"][-1]


def test_a_run_that_was_asked_in_full_since_has_nothing_left(task, tmp_path):
    evaluate(task, tmp_path, until="±10%", n=1, batch_size=4)
    asking = evaluate(task, tmp_path, n=1, resume=True).statistics["asking"]
    assert (asking["left"], asking["lines"]) == (0, [])
    assert asking["reason"] == "accuracy is known to ±10 points"


def test_a_width_that_takes_everything_stops_nothing(task, tmp_path):
    run = evaluate(task, tmp_path, until=0.0001, n=1)
    asking = run.statistics["asking"]
    assert asking["left"] == 0
    accuracy = run.summary["accuracy"]
    assert asking["lines"] == [f"accuracy over all {PROBLEMS} problems is {accuracy:.1%}: they were all asked"]


def test_the_order_is_the_seeds_and_what_was_asked_is_its_beginning(task, tmp_path):
    def order(seed, batch_size, width=0.15):
        log = tmp_path / f"{seed}-{batch_size}-{width}"
        evaluate(
            task,
            tmp_path / log.name[:3],
            seed=seed,
            until=width,
            n=1,
            batch_size=batch_size,
            overwrite=True,
            backend_args={"log": str(log)},
        )
        return [json.loads(line)[0] for line in log.read_text(encoding="utf-8").splitlines()]

    few, many = order(1, 1), order(1, 4, 0.05)
    assert few == many[: len(few)]
    assert few != sorted(few, key=int)
    assert order(2, 1)[:8] != few[:8]


def test_versus_stops_when_it_is_clear(task, whole, tmp_path):
    run = evaluate(task, tmp_path, n=1, versus=whole.path, batch_size=4, backend_args={"strong": True})
    asking = run.statistics["asking"]
    assert asking["reason"] == f"this run is better than {whole.path.name}"
    assert asking["found"]["won"] > asking["found"]["lost"]
    assert asking["found"]["e_value"] >= 20 * 0.2  # it was 20 when asking stopped; what was under way is counted too
    assert asking["left"] < PROBLEMS  # and near the end that may be all
    worse = evaluate(task, tmp_path / "worse", n=1, versus=run.path, batch_size=4)
    assert worse.statistics["asking"]["reason"] in (f"this run is worse than {run.path.name}", None)


def test_versus_itself_is_never_clear(task, whole, tmp_path):
    run = evaluate(task, tmp_path, n=2, versus=whole.path)
    asking = run.statistics["asking"]
    assert (asking["reason"], asking["left"], asking["found"]["won"], asking["found"]["lost"]) == (None, 0, 0, 0)
    assert "it is not clear which is better" in asking["lines"][0]


def test_a_run_until_correct_is_compared_with_none(task, whole, tmp_path):
    run = evaluate(task, tmp_path, until_correct=1)
    with pytest.raises(st.UserError, match="asked its problems until they were right"):
        st.compare(run, whole)
    with pytest.raises(st.UserError, match="versus='.*' asked its problems until they were right"):
        evaluate(task, tmp_path / "versus", n=1, versus=run.path)
    assert st.compare(resumed(task, run), whole).pairs[0].overall.difference == 0


def test_a_run_stopped_by_versus_is_compared_with_a_warning(task, whole, tmp_path):
    run = evaluate(task, tmp_path, n=1, versus=whole.path, batch_size=4, backend_args={"strong": True})
    [pair] = st.compare(whole, run).pairs
    warned = any("was stopped by --versus" in note for note in pair.tasks[0].notes)
    assert warned is (run.statistics["asking"]["left"] > 0)


# -- by difficulty --------------------------------------------------------------------------------------------------


def test_problems_of_medium_difficulty(task, whole, tmp_path):
    rates = {key: sum(right) / N for key, right in verdicts(whole).items()}
    run = evaluate(task, tmp_path, difficulty=whole.path, pass_rate="0.25:75%", backend_args={"strong": True})
    assert set(verdicts(run)) == {key for key, rate in rates.items() if 0.25 <= rate <= 0.75}
    assert "have a pass rate of 0.25 to 0.75" in run.statistics["asking"]["lines"][0]
    default = evaluate(task, tmp_path / "default", difficulty=whole.path, n=1, seed=7)
    assert set(verdicts(default)) == {key for key, rate in rates.items() if 0.1 <= rate <= 0.9}
    both = evaluate(task, tmp_path / "both", difficulty=whole.path, until_correct=1, seed=8)
    assert set(verdicts(both)) == set(verdicts(default))
    assert both.statistics["asking"]["asked"] < len(verdicts(both)) * N


# -- budgets --------------------------------------------------------------------------------------------------------


@pytest.fixture
def presets(tmp_path):
    file = tmp_path / "models.yaml"
    file.write_text("models: {sure: {price: {input: 1, output: 2}}}\n", encoding="utf-8")
    return file


def test_a_budget_in_tokens_ends_the_run_in_order(task, whole, tmp_path):
    run = evaluate(task, tmp_path, max_total_tokens=10_000, batch_size=8)
    asking = run.statistics["asking"]
    assert asking["reason"] == "--max-total-tokens 10,000 are used"
    assert asking["found"]["tokens"] == 100 * asking["asked"] == 10_000
    assert asking["left"] == run.statistics["samples_pending"] == PROBLEMS * N - 100
    assert any(line.startswith(f"{asking['left']} of {PROBLEMS * N} samples") for line in asking["lines"])
    again = resumed(task, run, max_total_tokens=10_000)
    assert again.statistics["asking"]["asked"] == 0
    more = resumed(task, run, max_total_tokens=12_050)
    assert more.statistics["asking"]["found"]["tokens"] == 12_000
    assert results(resumed(task, run)) == results(whole)


def test_a_budget_in_money(task, whole, tmp_path, presets):
    cost = 100 * (10 * 1 + 90 * 2) / 1e6
    run = evaluate(task, tmp_path, max_cost=cost + 1e-5, model_config=presets, batch_size=8)
    asking = run.statistics["asking"]
    assert (asking["asked"], asking["found"]["cost"]) == (100, pytest.approx(cost))
    assert run.path.name == whole.path.name


def test_a_budget_in_hours_and_for_generate(task, tmp_path):
    run = evaluate(task, tmp_path, max_hours=1e-9, make=st.generate)
    assert run.statistics["asking"]["reason"] == "--max-hours 1e-09 are over"
    assert run.statistics["asking"]["asked"] == 0
    tokens = evaluate(task, tmp_path, max_total_tokens=2_000, make=st.generate, batch_size=3, resume=True)
    assert tokens.statistics["asking"]["asked"] == 20


def test_one_budget_for_several_tasks(task, tmp_path):
    other = shutil.copy(task, task.replace("say.yaml", "other.yaml"))
    first, second = evaluate([task, other], tmp_path, max_total_tokens=60_000, batch_size=8)
    assert first.statistics["samples_pending"] == 0
    assert second.statistics["asking"]["asked"] == 600 - PROBLEMS * N


def test_an_estimate_comes_with_the_first_answers(task, tmp_path, presets, caplog):
    evaluate(task, tmp_path, model_config=presets)
    [said] = [record.message for record in caplog.records if "estimate" in record.message]
    assert f"{PROBLEMS * N} samples take 48,000 tokens" in said
    assert "a cost of 0.09" in said


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"until": 0.02, "until_correct": 1}, "until and until_correct exclude each other"),
        ({"until": "much"}, "until is how far off accuracy may be, such as 0.02 or 2%, not 'much'"),
        ({"until": 0.7}, "until is how far off"),
        ({"until_correct": 9}, "until_correct must be from 1 to n, which is 8, not 9"),
        ({"until_correct": 0}, "until_correct must be from 1"),
        ({"pass_rate": "0.1:0.9"}, "pass_rate belongs to difficulty"),
        ({"difficulty": "nowhere"}, "holds no run"),
        ({"difficulty": "nowhere", "pass_rate": "0.9:0.1"}, "pass_rate is the lowest and the highest share"),
        ({"difficulty": "nowhere", "pass_rate": "0.5"}, "pass_rate is the lowest and the highest share"),
        ({"max_total_tokens": 0}, "max_total_tokens must be more than 0, not 0"),
        ({"max_hours": -1.0}, "max_hours must be more than 0"),
        ({"max_cost": 1.0}, "max_cost: what sure costs is not known; give its preset `price"),
    ],
)
def test_what_makes_no_sense_is_one_line(task, tmp_path, options, words):
    with pytest.raises(st.UserError) as caught:
        evaluate(task, tmp_path, **options)
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_run_of_other_problems_is_no_measure(task, whole, finished_run, tmp_path):
    with pytest.raises(st.UserError, match="versus=.* is of other problems: problem 0 has another prompt there"):
        evaluate(task, tmp_path, versus=finished_run)
    with pytest.raises(st.UserError, match="problems have a pass rate of 0.999 to 0.9995 in .*: nothing to ask"):
        evaluate(task, tmp_path, difficulty=whole.path, pass_rate="0.999:0.9995", resume=True)
