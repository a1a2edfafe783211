"""Whole runs, through the Python API and a backend without a model."""

import json
import shutil

import pytest
from echo import ECHO

import skythought as st
from skythought.runs.journal import Journal
from skythought.runs.jsonfile import read_entries

SETTINGS = {"model": "echo", "backend": ECHO, "sampling_params": {"temperature": 1.0, "max_tokens": 256}}


def results(path):
    return dict(read_entries(path / "results.json"))


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_results_have_the_references_shape(finished_run):
    records = results(finished_run)
    assert list(records) == [str(n) for n in range(8)]
    for key, record in records.items():
        assert record["_index"] == key
        assert record["prompt"].endswith("put your final answer within \\boxed{}.")
        assert record["input_conversation"] == [{"role": "user", "content": record["prompt"]}]
        assert record["question"]
        assert record["answer"]
        assert len(record["responses"]) == len(record["token_usages"]) == 2
        for entry, usage in zip(record["responses"], record["token_usages"], strict=True):
            assert isinstance(entry["content"], str)
            assert entry["correctness"] in (True, False)
            assert entry["reason"]
            assert entry["finish_reason"] in ("stop", "length")
            assert usage["completion_tokens"] > 0
            assert usage["prompt_tokens"] > 0


def test_summary_has_the_references_keys_and_right_sums(finished_run):
    summary = json.loads((finished_run / "summary.json").read_text(encoding="utf-8"))
    assert list(summary) == [
        "configuration",
        "total_completion_tokens",
        "avg_completion_tokens",
        "total_prompt_tokens",
        "avg_prompt_tokens",
        "accuracy",
        "pass_at_k",
    ]
    records = results(finished_run)
    usages = [usage for record in records.values() for usage in record["token_usages"]]
    assert summary["total_completion_tokens"] == sum(usage["completion_tokens"] for usage in usages)
    assert summary["avg_prompt_tokens"] == round(sum(usage["prompt_tokens"] for usage in usages) / 16, 3)
    right = [[entry["correctness"] for entry in record["responses"]] for record in records.values()]
    assert summary["accuracy"] == round(sum(map(sum, right)) / 16, 4)
    assert summary["pass_at_k"]["k=2"] == round(100 * sum(map(any, right)) / 8, 3)
    configuration = summary["configuration"]
    assert configuration["sampling_params"] == {"temperature": 1.0, "top_p": 1.0, "max_tokens": 256, "n": 2}
    assert configuration["task"]["name"] == "arithmetic"
    assert set(configuration["task"]["config"]) == {
        "handler",
        "dataset_path",
        "dataset_subset",
        "dataset_split",
        "dataset_kwargs",
        "question_key",
        "answer_key",
        "templating_parameters",
        "preprocess_config",
    }
    ours = configuration["skythought"]
    assert ours["seed"] == 41
    assert ours["samples"]["total"] == 16
    assert ours["versions"]["transformers"]
    assert ours["dataset_fingerprint"]


def test_run_object_reads_what_was_written(finished_run):
    run = st.Run(finished_run)
    samples = list(run)
    assert len(samples) == 16
    assert run.accuracy == pytest.approx(sum(sample.correct for sample in samples) / 16, abs=1e-4)
    frame = run.to_pandas()
    assert list(frame["problem_id"]) == [sample.problem_id for sample in samples]
    assert frame["correct"].mean() == pytest.approx(run.accuracy, abs=1e-4)


def test_samples_differ_and_each_has_its_own_seed(finished_run):
    entries = [entry for record in results(finished_run).values() for entry in record["responses"]]
    assert len({entry["seed"] for entry in entries}) == len(entries)
    assert len({entry["content"] for entry in entries}) > 8


def test_a_finished_run_is_not_touched_unasked(run_copy):
    before = {file.name: file.read_bytes() for file in run_copy.iterdir()}
    with pytest.raises(st.RunFolderError, match=r"already holds a finished run; resume=True continues or extends"):
        st.evaluate("arithmetic", **SETTINGS, n=2, end=8, result_dir=run_copy.parent)
    after = {file.name: file.read_bytes() for file in run_copy.iterdir()}
    assert {**after, ".lock": b""} == {**before, ".lock": b""}


def test_raising_n_and_end_extends_and_equals_a_run_made_at_once(run_copy, tmp_path):
    extended = st.evaluate("arithmetic", **SETTINGS, n=3, end=10, result_dir=run_copy.parent, resume=True)
    assert extended.path == run_copy
    asked = [(line["id"], line["sample"]) for line in lines(run_copy / "responses.jsonl")]
    assert len(asked) == len(set(asked)) == 30
    whole = st.evaluate("arithmetic", **SETTINGS, n=3, end=10, result_dir=tmp_path / "whole")
    assert (whole.path / "results.json").read_bytes() == (run_copy / "results.json").read_bytes()
    assert whole.path.name == run_copy.name


@pytest.mark.parametrize("kept", [0, 1, 7, 15])
def test_an_interrupted_run_is_finished_with_the_same_bytes(run_copy, kept):
    """As `kill -9` leaves it: some lines in the journal, the last one torn, no derived files."""
    whole = (run_copy / "results.json").read_bytes()
    for name in ("responses.jsonl", "scores.jsonl"):
        raw = (run_copy / name).read_bytes().splitlines(keepends=True)
        (run_copy / name).write_bytes(b"".join(raw[:kept]) + raw[kept][:20])
    for name in ("results.json", "summary.json", ".derived"):
        (run_copy / name).unlink()
    st.evaluate("arithmetic", **SETTINGS, n=2, end=8, result_dir=run_copy.parent, resume=True)
    assert (run_copy / "results.json").read_bytes() == whole
    asked = [(line["id"], line["sample"]) for line in lines(run_copy / "responses.jsonl")]
    assert len(asked) == len(set(asked)) == 16


def test_failed_samples_are_asked_again(run_copy):
    whole = (run_copy / "results.json").read_bytes()
    journal = lines(run_copy / "responses.jsonl")
    journal[3] = {"id": journal[3]["id"], "sample": journal[3]["sample"], "error": "endpoint gone"}
    (run_copy / "responses.jsonl").unlink()
    with Journal(run_copy / "responses.jsonl") as responses:
        for line in journal:
            responses.append({key: value for key, value in line.items() if key != "crc"})
    scores = lines(run_copy / "scores.jsonl")
    kept = [s for s in scores if (s.get("id"), s.get("sample")) != (journal[3]["id"], journal[3]["sample"])]
    (run_copy / "scores.jsonl").write_text("".join(json.dumps(s) + "\n" for s in kept), encoding="utf-8")

    scored = st.score("arithmetic", run_copy)
    counts = scored.statistics["samples"]
    assert counts["failed"] == 1
    assert scored.accuracy == pytest.approx(counts["correct"] / 15, abs=1e-4)
    st.evaluate("arithmetic", **SETTINGS, n=2, end=8, result_dir=run_copy.parent, resume=True)
    assert (run_copy / "results.json").read_bytes() == whole


def test_generate_then_score_equals_evaluate(run_copy, tmp_path):
    made = st.generate("arithmetic", **SETTINGS, n=2, end=8, result_dir=tmp_path / "generated")
    assert made.accuracy is None
    assert all(sample.correct is None and sample.content for sample in made)
    scored = st.score("arithmetic", made.path)
    assert (made.path / "results.json").read_bytes() == (run_copy / "results.json").read_bytes()
    assert scored.accuracy == st.Run(run_copy).accuracy


def test_score_knows_the_task_of_a_run(run_copy):
    scored = st.score(None, run_copy)
    assert [s.verdict for s in scored] == [s.verdict for s in st.score("arithmetic", run_copy)]


def test_a_start_that_fails_leaves_no_empty_folder(tmp_path):
    """The engine does not come up, or the dataset cannot be read; what was there before stays."""
    backend = tmp_path / "broken.py"
    backend.write_text(
        "from skythought.errors import BackendError\n"
        "from skythought.backends.base import BackendArgs, ConcurrentBackend\n"
        "class Broken(ConcurrentBackend[BackendArgs]):\n"
        "    async def __aenter__(self):\n"
        "        raise BackendError('no')\n"
        "    async def answer(self, request): ...\n",
        encoding="utf-8",
    )
    runs = tmp_path / "runs"
    settings = {"model": "m", "backend": f"{backend}:Broken", "end": 3, "result_dir": runs}
    with pytest.raises(st.BackendError):
        st.evaluate("arithmetic", **settings)
    assert list(runs.iterdir()) == []
    with pytest.raises(st.UserError):
        st.evaluate("arithmetic", **settings, task_args={"dataset_path": str(tmp_path / "nothing.jsonl")})
    assert list(runs.iterdir()) == []


def test_another_seed_is_another_run(tmp_path, finished_run):
    other = st.evaluate("arithmetic", **SETTINGS, n=2, end=8, seed=42, result_dir=tmp_path)
    assert other.path.name != finished_run.name
    assert [s.content for s in other] != [s.content for s in st.Run(finished_run)]


def test_resuming_with_other_settings_is_refused(run_copy):
    settings = {**SETTINGS, "sampling_params": {"temperature": 0.5}}
    with pytest.raises(st.RunFolderError, match=r"sampling max_tokens was 256 and is 32768 now"):
        st.evaluate("arithmetic", **settings, n=2, end=8, resume_from=run_copy)


def test_a_dataset_that_changed_is_noticed_on_extending(tmp_path):
    rows = [{"question": f"What is {n}+1?", "answer": str(n + 1)} for n in range(4)]
    data = tmp_path / "rows.jsonl"

    def write():
        data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    settings = {**SETTINGS, "sampling_params": {"max_tokens": 3}, "task_args": {"dataset_path": str(data)}}
    write()
    run = st.evaluate("arithmetic", **settings, end=2, result_dir=tmp_path)
    rows[1]["question"] = "Something else"
    write()
    with pytest.raises(st.RunFolderError, match="problem 1 of the dataset is not what it was"):
        st.evaluate("arithmetic", **settings, end=4, result_dir=tmp_path, resume=True)
    assert len(results(run.path)) == 2


def test_a_dataset_that_lost_a_problem_is_noticed_on_extending(tmp_path):
    data = tmp_path / "rows.jsonl"
    rows = [json.dumps({"question": f"What is {n}+1?", "answer": str(n + 1)}) + "\n" for n in range(3)]
    data.write_text("".join(rows), encoding="utf-8")
    settings = {**SETTINGS, "task_args": {"dataset_path": str(data)}}
    run = st.evaluate("arithmetic", **settings, end=2, result_dir=tmp_path)
    before = (run.path / "samples.jsonl").read_bytes()
    data.write_text(rows[0], encoding="utf-8")
    with pytest.raises(st.RunFolderError, match="problem 1 of the dataset is not what it was"):
        st.evaluate("arithmetic", **settings, end=3, result_dir=tmp_path, resume=True)
    assert (run.path / "samples.jsonl").read_bytes() == before


def test_prefill_and_system_prompt_are_sent_and_kept(tmp_path):
    run = st.evaluate(
        "arithmetic",
        **SETTINGS,
        end=2,
        system_prompt="You are a careful assistant.",
        assistant_prefill="<think>\n",
        result_dir=tmp_path,
    )
    for record in results(run.path).values():
        roles = [message["role"] for message in record["input_conversation"]]
        assert roles == ["system", "user", "assistant"]
        assert record["prompt"] == record["input_conversation"][1]["content"]
        content = record["responses"][0]["content"]
        assert content.startswith("<think>\n")
        assert content.count("<think>") == 1


def test_several_tasks_share_one_engine_and_come_back_in_order(tmp_path):
    task = tmp_path / "sums.yaml"
    task.write_text(
        "dataset_path: sums.jsonl\nprompt: 'Add: {{ question }}'\ntarget: answer\nscorer: math\n", encoding="utf-8"
    )
    (tmp_path / "sums.jsonl").write_text('{"question": "1+1", "answer": "2"}\n', encoding="utf-8")
    runs = st.evaluate(["arithmetic", str(task)], **SETTINGS, end=1, result_dir=tmp_path)
    assert [run.summary["configuration"]["task"]["name"] for run in runs] == ["arithmetic", "sums"]
    assert next(iter(runs[1])).prompt == "Add: 1+1"


def test_malformed_rows_are_named_and_do_not_end_the_run(tmp_path):
    data = tmp_path / "rows.jsonl"
    data.write_text('{"question": "1+1?", "answer": "2"}\nnot json\n{"question": "2+2?"}\n', encoding="utf-8")
    run = st.evaluate("arithmetic", **SETTINGS, task_args={"dataset_path": str(data)}, result_dir=tmp_path)
    assert list(results(run.path)) == ["0"]
    bad = run.statistics["malformed_rows"]
    assert [row["index"] for row in bad] == [1, 2]
    assert bad[1]["column"] == "answer"


def test_cut_off_responses_are_counted_apart(tmp_path):
    settings = {**SETTINGS, "sampling_params": {"max_tokens": 3}}
    run = st.evaluate("arithmetic", **settings, end=3, result_dir=tmp_path)
    assert run.statistics["samples"] == {"total": 3, "truncated": 3}
    assert run.statistics["finish_reasons"] == {"length": 3}


def test_two_processes_on_one_folder_the_second_is_refused(run_copy):
    from skythought.runs.lock import Lock

    lock = Lock(run_copy)
    with pytest.raises(st.RunFolderError, match=r"is in use by process \d+"):
        st.score("arithmetic", run_copy)
    lock.release()
    st.score("arithmetic", run_copy)


def test_overwrite_deletes_only_what_is_the_runs(run_copy):
    (run_copy / "notes.txt").write_text("mine", encoding="utf-8")
    shutil.copy(run_copy / "results.json", run_copy / "keep.json")
    settings = {**SETTINGS}
    run = st.evaluate("arithmetic", **settings, n=2, end=8, result_dir=run_copy.parent, overwrite=True)
    assert run.path == run_copy
    assert (run_copy / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert (run_copy / "keep.json").read_bytes() == (run_copy / "results.json").read_bytes()


def test_greedy_with_several_samples_gives_one_and_says_so(tmp_path, caplog):
    settings = {**SETTINGS, "sampling_params": {"max_tokens": 64}}
    run = st.evaluate("arithmetic", **settings, n=4, end=1, result_dir=tmp_path)
    assert len(list(run)) == 1
    assert "n is 1, not 4" in caplog.text


def test_works_inside_a_running_event_loop(tmp_path, wait):
    settings = {**SETTINGS, "sampling_params": {"max_tokens": 3}}

    async def notebook():
        plain = st.evaluate("arithmetic", **settings, end=1, result_dir=tmp_path / "plain")
        awaited = await st.aevaluate("arithmetic", **settings, end=1, result_dir=tmp_path / "awaited")
        return plain, awaited

    plain, awaited = wait(notebook())
    assert [s.content for s in plain] == [s.content for s in awaited]


def test_resuming_with_another_scorer_never_mixes_two(run_copy, tmp_path):
    lines_before = lines(run_copy / "scores.jsonl")
    kept = "".join(json.dumps(line) + "\n" for line in lines_before[:9])
    (run_copy / "scores.jsonl").write_text(kept, encoding="utf-8")
    settings = {**SETTINGS, "task_args": {"scorer": {"math": {"kind": "integer"}}}}
    run = st.evaluate("arithmetic", **settings, n=2, end=8, resume_from=run_copy)
    assert run.statistics["scored_with"]["scorer"] == {"math": {"kind": "integer"}}
    journal = lines(run_copy / "scores.jsonl")
    assert len(journal) == 9 + 1 + 16, "all were scored again, after the line of the new pass"


def test_overwriting_waits_until_the_dataset_can_be_read(tmp_path):
    data = tmp_path / "rows.jsonl"
    data.write_text('{"question": "1+1?", "answer": "2"}\n', encoding="utf-8")
    settings = {**SETTINGS, "sampling_params": {"max_tokens": 3}, "task_args": {"dataset_path": str(data)}}
    run = st.evaluate("arithmetic", **settings, result_dir=tmp_path)
    data.write_text("", encoding="utf-8")
    with pytest.raises(st.UserError, match="no problem is left"):
        st.evaluate("arithmetic", **settings, result_dir=tmp_path, overwrite=True)
    assert list(results(run.path)) == ["0"]


def test_when_no_row_can_be_used_the_first_is_named(tmp_path):
    data = tmp_path / "rows.jsonl"
    data.write_text('{"question": "half \\ud83d", "answer": "2"}\n', encoding="utf-8")
    with pytest.raises(st.UserError, match=r"none of its rows can be used; row 0.*lone surrogate"):
        st.evaluate("arithmetic", **SETTINGS, task_args={"dataset_path": str(data)}, result_dir=tmp_path)


def test_no_secret_of_a_dataset_or_url_is_recorded(tmp_path):
    from skythought.config import scrubbed

    given = {"token": "hf_x", "data_files": {"test": "https://me:pw@host/a.jsonl?key=k&v=1"}, "revision": "main"}
    assert scrubbed(given) == {"data_files": {"test": "https://host/a.jsonl?v=1"}, "revision": "main"}


def test_one_task_twice_is_refused(tmp_path):
    with pytest.raises(st.UserError, match="'arithmetic' is given twice"):
        st.evaluate(["arithmetic", "arithmetic"], **SETTINGS, result_dir=tmp_path)


@pytest.mark.parametrize("name", ["backend_args", "sampling_params", "task_args", "chat_template_kwargs"])
def test_text_where_a_dictionary_is_wanted_is_named(name, tmp_path):
    with pytest.raises(st.UserError, match=f"{name} is a dictionary"):
        st.evaluate("arithmetic", model="echo", backend=ECHO, result_dir=tmp_path, **{name: "a=1"})
