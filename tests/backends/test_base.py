"""A backend of one's own: what `ConcurrentBackend` adds to its one method, and how it is found by its name."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from asking import ask

import skythought
from skythought.backends.base import Backend, BackendArgs, ConcurrentBackend
from skythought.catalog import find_part
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError
from skythought.types import Request, Response

FILE = '''
from pathlib import Path
from pydantic import Field, SecretStr
from skythought.backends.base import UNHASHED, BackendArgs, ConcurrentBackend
from skythought.errors import BackendError
from skythought.types import Request, Response


class FragileArgs(BackendArgs):
    loud: bool = False
    fails: int = Field(default=0, json_schema_extra=UNHASHED)
    key: SecretStr = SecretStr("")
    log: str = Field(default="", json_schema_extra=UNHASHED)


class Fragile(ConcurrentBackend[FragileArgs]):
    """Fails for the first problems; writes down that it was loaded and freed."""

    async def __aenter__(self):
        self.say("loaded")
        Path(self.args.log).write_text("loaded")
        return self

    async def __aexit__(self, *_):
        Path(self.args.log).write_text("freed")

    async def answer(self, request: Request) -> Response:
        self.say("asked")
        if int(request.key.problem_id) < self.args.fails:
            raise LookupError("no idea")
        return request.response("\\\\boxed{1}", finish_reason="stop")
'''


class EchoArgs(BackendArgs):
    times: int = 1


class Echo(ConcurrentBackend[EchoArgs]):
    """Says the question, later ones sooner; does what a question of a telling name wants."""

    running = most_running = 0

    async def answer(self, request: Request) -> Response:
        question = request.messages[0]["content"]
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(0.05 if question == "slow" else 0)
        finally:
            self.running -= 1
        if question == "gone":
            raise BackendError("the engine is gone")
        if question == "refused":
            return request.failed("not in the mood")
        return request.response(question[: 10 // (question != "zero")] * self.args.times)


def echo(batch_size: int = 4, **args: object) -> Echo:
    return Echo(ModelConfig(model_id="m"), Echo.check_args(args), batch_size=batch_size)


def answers(backend: Echo, *questions: str) -> list[Response]:
    async def run() -> list[Response]:
        async with backend:
            return [response async for response in backend.generate(map(ask, questions))]

    return asyncio.run(run())


def test_the_arguments_are_the_class_in_the_brackets():
    class Louder(Echo):
        pass

    for backend in (Echo, Louder):
        assert backend.check_args({"times": "2"}) == EchoArgs(times=2)
        with pytest.raises(UserError, match="unknown key 'tims'. Did you mean 'times'"):
            backend.check_args({"tims": 2})
    assert Backend.Args is BackendArgs


def test_answers_come_in_order_of_completion():
    found = answers(echo(times=2), "slow", "a", "b")
    assert [response.content for response in found] == ["aa", "bb", "slowslow"]


def test_an_error_costs_its_sample_alone():
    found = {response.key.problem_id: response for response in answers(echo(), "zero", "refused", "a")}
    assert found["zero"].error == "ZeroDivisionError: integer division or modulo by zero"
    assert found["refused"].error == "not in the mood"
    assert found["a"].error is None


def test_an_error_of_the_engine_ends_the_run():
    with pytest.raises(BackendError, match="the engine is gone"):
        answers(echo(), "a", "gone", "b")


def test_requests_are_pulled_lazily_and_never_more_at_once_than_the_batch_size():
    backend, pulled = echo(batch_size=3), count()

    async def run() -> int:
        stream = backend.generate(ask(f"{next(pulled)}") for _ in count())
        for _ in range(20):
            await anext(stream)
        await stream.aclose()
        return next(pulled)

    assert asyncio.run(run()) <= 20 + 2 * 3
    assert backend.most_running == 3
    assert backend.running == 0


def test_a_run_loads_frees_tells_and_asks_again_what_failed(tmp_path, caplog):
    (tmp_path / "fragile.py").write_text(FILE, encoding="utf-8")
    log = tmp_path / "log"
    settings = {"model": "any", "backend": f"{tmp_path}/fragile.py:Fragile", "end": 4, "result_dir": tmp_path / "runs"}
    run = skythought.evaluate("arithmetic", **settings, backend_args={"fails": 3, "key": "sesame", "log": str(log)})
    assert log.read_text() == "freed"
    assert [record.message for record in caplog.records].count("loaded") == 1
    assert [record.message for record in caplog.records].count("asked") == 1
    assert [sample.verdict for sample in run] == ["failed"] * 3 + ["wrong"]
    assert {sample.error for sample in run if sample.error} == {"LookupError: no idea"}
    assert "sesame" not in (run.path / "run.json").read_text(encoding="utf-8")

    # What changes no answer does not make another run; what failed is asked again, what was answered is not.
    again = skythought.evaluate("arithmetic", **settings, backend_args={"log": str(log)}, resume=True)
    assert again.path == run.path
    assert [sample.verdict for sample in again] == ["wrong"] * 4
    assert len((run.path / "responses.jsonl").read_text(encoding="utf-8").splitlines()) == 4 + 3
    other = skythought.evaluate("arithmetic", **settings, backend_args={"loud": True, "log": str(log)}, resume=True)
    assert other.path != run.path


@pytest.fixture
def own_file(tmp_path):
    """A backend's file, in a folder whose name has capital letters, and a task beside that folder."""
    (tmp_path / "Mine").mkdir()
    (tmp_path / "Mine" / "Engines.py").write_text(FILE, encoding="utf-8")
    (tmp_path / "words.jsonl").write_text('{"word": "four"}\n', encoding="utf-8")
    (tmp_path / "words.yaml").write_text(
        "dataset_path: words.jsonl\nprompt: '{{ word }}'\ntarget: word\nscorer: text\n"
    )
    return tmp_path / "Mine" / "Engines.py"


def test_a_file_of_ones_own_is_found_from_the_command_line_and_from_python(cli, own_file, tmp_path):
    asked = ("evaluate", "--task", "words.yaml", "--model", "any", "--backend", "Mine/Engines.py:Fragile")
    done = cli(*asked, "--backend-args", f"log={tmp_path}/log", "--result-dir", "there")
    assert done.returncode == 0, done.stderr
    assert "loaded" in done.stderr
    [there] = (tmp_path / "there").iterdir()
    here = skythought.evaluate(
        str(tmp_path / "words.yaml"),
        model="any",
        backend=f"{own_file}:Fragile",
        backend_args={"log": str(tmp_path / "log")},
        result_dir=tmp_path / "here",
    )
    assert (here.path / "results.json").read_bytes() == (there / "results.json").read_bytes()
    assert here.summary["configuration"]["backend"]["name"] == f"{own_file}:Fragile"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("{file}:fragile", "unknown class in .*Engines.py 'fragile'. Did you mean 'Fragile'?"),
        ("{file}:FragileArgs", "must be a class that derives from skythought.backends.base.Backend"),
        ("{file}x.py:Fragile", "there is no file .*Engines.pyx.py"),
        ("weights", "unknown backend 'weights'.*Known: openai, ray, transformers, vllm"),
    ],
)
def test_what_is_no_backend(own_file, name, says):
    with pytest.raises(UserError, match=says) as caught:
        find_part("backend", name.format(file=own_file), Backend)
    assert "\n" not in str(caught.value)
