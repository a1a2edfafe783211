"""Whole runs against an endpoint that is not as it should be."""

import asyncio
import json
import logging

import pytest
from faulty_server import FaultyServer, answer, fields, status

import skythought
from skythought.errors import BackendError, UserError


def evaluated(tmp_path, *, rows=30, always=None, faults=None, **options):
    """A run of so many additions against a faulty server, and the server."""
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps({"q": f"What is {n}+1?", "a": str(n + 1)}) + "\n" for n in range(rows)))
    task = tmp_path / "sums.yaml"
    task.write_text(f"dataset_path: {data}\ndataset_split: train\nprompt: '{{{{ q }}}}'\ntarget: a\nscorer: math\n")

    async def run():
        async with FaultyServer() as server:
            server.always = always
            server.faults.update(faults or {})
            args = {"base_url": server.url, "max_retries": 0}
            try:
                done = await skythought.aevaluate(
                    str(task), model="m", backend="openai", backend_args=args, result_dir=tmp_path, **options
                )
            except BackendError as error:
                done = error
            return done, server

    return asyncio.run(run())


@pytest.mark.parametrize(("limit", "asked"), [(5, 6), ("5", 6), ("20%", 7), (0.2, 7)])
def test_too_many_failures_end_the_run(tmp_path, limit, asked):
    error, server = evaluated(tmp_path, always=status(500, "kaputt"), max_failures=limit, batch_size=1)
    assert isinstance(error, BackendError)
    assert f"{asked} of {asked} samples failed" in str(error)
    assert "HTTP 500: kaputt" in str(error)
    assert len(server.bodies) <= asked + 2


def test_a_hopeless_run_ends_by_itself(tmp_path):
    error, server = evaluated(tmp_path, rows=400, always=status(500, "kaputt"), batch_size=8)
    assert "100 of 100 samples failed" in str(error)
    assert len(server.bodies) < 130


def test_a_few_failures_are_no_reason(tmp_path):
    faults = {f"What is {n}+1?": [status(500)] if n % 3 == 0 else [] for n in range(30)}
    done, _ = evaluated(tmp_path, faults=faults, max_failures="50%")
    assert done.statistics["samples"]["failed"] == 10


@pytest.mark.parametrize("limit", ["many", -1, "120%"])
def test_other_limits_are_refused(tmp_path, limit):
    with pytest.raises(UserError, match="max_failures must be a number of samples, or a share"):
        evaluated(tmp_path, max_failures=limit)


@pytest.mark.parametrize(
    ("content", "said"), [("", "all 30 answers are empty"), ("42", "all 30 answers are the same ('42')")]
)
def test_answers_that_are_all_alike_are_worth_a_word(tmp_path, caplog, content, said):
    with caplog.at_level(logging.INFO, "skythought"):
        done, _ = evaluated(tmp_path, always=answer(content=content))
    assert any(said in line for line in done.statistics["remarks"])
    assert any(said in record.getMessage() for record in caplog.records)


def test_unknown_usage_is_counted_apart(tmp_path):
    plain = fields(choices=[{"message": {"content": "2"}, "finish_reason": "stop"}])
    done, _ = evaluated(tmp_path, rows=4, faults={"What is 1+1?": [plain], "What is 2+1?": [plain]})
    assert done.statistics["samples_without_usage"] == 2
    assert done.summary["avg_completion_tokens"] == 5.0
    assert done.summary["total_completion_tokens"] == 10
    assert [sample.completion_tokens for sample in done] == [5, None, None, 5]


def test_withheld_answers_are_failed_and_in_no_accuracy(tmp_path):
    right = {f"What is {n}+1?": [answer(content=f"\\boxed{{{n + 1}}}")] for n in range(4)}
    withheld = {"What is 1+1?": [answer("content_filter", content="2")]}
    done, _ = evaluated(tmp_path, rows=4, faults=right | withheld)
    assert done.accuracy == 1.0
    assert done.statistics["samples"] == {"total": 4, "correct": 3, "failed": 1}


def test_what_was_not_sent_is_in_the_record(tmp_path):
    async def no_seed(request, body):
        return await (status(400, "seed is not permitted") if "seed" in body else answer())(request, body)

    done, _ = evaluated(tmp_path, rows=6, always=no_seed)
    assert done.statistics["sent_otherwise"] == {"seed": 6}
    assert {repr(sample.response.sent) for sample in done} == {"{'seed': None}"}


def test_no_secret_of_the_endpoint_is_recorded(tmp_path):
    data = tmp_path / "rows.jsonl"
    data.write_text('{"q": "What is 1+1?", "a": "2"}\n')
    task = tmp_path / "sums.yaml"
    task.write_text(f"dataset_path: {data}\ndataset_split: train\nprompt: '{{{{ q }}}}'\ntarget: a\nscorer: math\n")

    async def run():
        async with FaultyServer() as server:
            args = {
                "base_url": f"{server.url.replace('//', '//me:hush-1@')}?code=hush-2",
                "extra_body": {"provider": {"api_key": "hush-3", "auth": {"Authorization": "hush-4"}}, "mark": "kept"},
            }
            run = await skythought.aevaluate(
                str(task), model="m", backend="openai", backend_args=args, result_dir=tmp_path
            )
            return run, server.bodies[0]

    run, body = asyncio.run(run())
    assert body["provider"]["api_key"] == "hush-3"
    written = "".join(path.read_text() for path in run.path.iterdir() if path.is_file())
    assert "hush" not in written
    assert "kept" in written
