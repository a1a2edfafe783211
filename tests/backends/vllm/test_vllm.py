"""vLLM's real engine with the tiny model. One engine serves the tests of this file; the last one of them kills it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("vllm") is None:
    pytest.skip("vLLM is not installed", allow_module_level=True)

from skythought.backends.transformers.backend import TransformersBackend
from skythought.backends.vllm.backend import VLLMBackend
from skythought.backends.vllm.processes import root_cause
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError
from skythought.models.library import load_model
from skythought.types import Message, Request, Response, SampleKey, SamplingParams, sample_seed

ARGS = {"dtype": "float32", "enforce_eager": True, "max_model_len": 1024}
GREEDY = SamplingParams(max_tokens=200)
SAMPLED = SamplingParams(temperature=0.7, max_tokens=200)


@pytest.fixture(scope="module", autouse=True)
def small_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Little memory for the engines of this file, and a folder for their logs."""
    logs = tmp_path_factory.mktemp("logs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        patch.setenv("TMPDIR", str(logs))
        patch.setattr(tempfile, "tempdir", str(logs))
        yield logs


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """The engine lives in one event loop."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def engine(loop: asyncio.Runner) -> Iterator[VLLMBackend]:
    backend = make_backend()
    loop.run(backend.__aenter__())
    yield backend
    loop.run(backend.__aexit__(None, None, None))


def make_backend(model: ModelConfig | None = None, **args: object) -> VLLMBackend:
    return VLLMBackend(model or load_model("tiny"), VLLMBackend.check_args({**ARGS, **args}))


def request(question: str, sample: int = 0, sampling: SamplingParams = GREEDY, **turns: str) -> Request:
    """`turns`: a `system` turn before the question, an `assistant` turn after it."""
    messages: list[Message] = [{"role": "user", "content": question}]
    if "system" in turns:
        messages.insert(0, {"role": "system", "content": turns["system"]})
    if "assistant" in turns:
        messages.append({"role": "assistant", "content": turns["assistant"]})
    key = SampleKey(question, sample)
    return Request(key, tuple(messages), sampling, sample_seed(41, key))


def sums(sampling: SamplingParams, problems: int, samples: int = 1) -> list[Request]:
    return [
        request(f"What is {17 * i % 89 + 10} + {31 * i % 83 + 10}?", sample, sampling)
        for i in range(problems)
        for sample in range(samples)
    ]


async def collect(backend: VLLMBackend | TransformersBackend, requests: Iterable[Request]) -> dict[SampleKey, Response]:
    found = [response async for response in backend.generate(requests)]
    assert len({response.key for response in found}) == len(found)
    return {response.key: response for response in found}


def texts(responses: dict[SampleKey, Response]) -> dict[SampleKey, str]:
    assert not [response.error for response in responses.values() if response.error]
    return {key: response.content for key, response in responses.items()}


def engine_processes(pid: int) -> list[int]:
    """Engine core and workers below a process, those that wait to be buried left out."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 3) for line in listing.stdout.splitlines()]
    found, below = [], {pid}
    for own, parent, state, command in sorted(rows, key=lambda row: int(row[0])):
        if int(parent) in below:
            below.add(int(own))
            if "VLLM" in command and "Z" not in state:
                found.append(int(own))
    return found


class TestArguments:
    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"tensor_paralel_size": 2}, "'tensor_paralel_size'. Did you mean 'tensor_parallel_size'?"),
            ({"tensor-parallel-size": 2}, "Did you mean 'tensor_parallel_size'?"),
            ({"dtype": "flaot32"}, "dtype: Input should be 'auto'.*'float32' .given: 'flaot32'"),
            ({"max_model_len": "long"}, "max_model_len: Input should be a valid integer.*'long'"),
            ({"enforce_eager": "perhaps"}, "enforce_eager: Input should be a valid boolean"),
            ({"model": "other"}, "'model' cannot be given: it is set by --model"),
        ],
    )
    def test_mistakes(self, given, says):
        with pytest.raises(UserError, match=says) as caught:
            VLLMBackend.check_args(given)
        assert "\n" not in str(caught.value)

    def test_every_engine_argument_passes_as_given(self):
        given = {
            "tensor_parallel_size": 2,
            "gpu_memory_utilization": 0.5,
            "revision": "main",
            "hf_overrides": {"rope_theta": 1.0},
            "speculative_config": {"method": "ngram"},
            "hf_token": "hf_secret",
        }
        args = VLLMBackend.check_args(given)
        assert args.engine_values() == given
        assert "hf_secret" not in repr(args)

    def test_nothing_heavy_is_imported(self):
        code = (
            "import sys; from skythought.backends.vllm import VLLMBackend as B; B.check_args({'dtype': 'auto'});"
            "print({'torch', 'vllm', 'transformers'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "set()"

    def test_record(self, tmp_path):
        """All is recorded but secrets; what only changes speed does not make another run."""
        from skythought.pipeline.plan import Options, make_plan

        given = {"max_model_len": 512, "gpu_memory_utilization": 0.5, "hf_token": "hf_secret"}
        options = Options(task=("arithmetic",), model="tiny", backend="vllm", backend_args=given, result_dir=tmp_path)
        recorded = make_plan(options, grade=False).configs[0].backend
        assert recorded.args == {"max_model_len": 512, "gpu_memory_utilization": 0.5}
        assert recorded.identity == {"max_model_len": 512}

    def test_the_default_where_it_is_installed(self, tmp_path):
        from skythought.pipeline.plan import Options, make_plan

        plan = make_plan(Options(task=("arithmetic",), model="tiny", result_dir=tmp_path), grade=True)
        assert plan.configs[0].backend.name == "vllm"
        assert plan.configs[0].batch_size == 512
        assert any(line.startswith("backend: vllm (the default") for line in plan.notices)


class TestAnswers:
    def test_greedy_equals_transformers(self, loop, engine):
        requests = [*sums(GREEDY, 24), request("What is 3 + 4?", system="You are careful.", assistant="<think>\n3")]
        args = TransformersBackend.check_args({"dtype": "float32", "max_model_len": 1024})
        other = TransformersBackend(load_model("tiny"), args)

        async def both() -> tuple[dict[SampleKey, Response], dict[SampleKey, Response]]:
            async with other:
                return await collect(engine, requests), await collect(other, requests)

        ours, theirs = loop.run(both())
        for key in theirs:
            assert replace(ours[key], seconds=0) == replace(theirs[key], seconds=0)
        assert {response.finish_reason for response in ours.values()} == {"stop"}

    @pytest.mark.parametrize("sampling", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
    def test_requests_in_flight_do_not_matter(self, loop, engine, sampling, monkeypatch):
        requests = sums(sampling, 12, samples=4)
        many = texts(loop.run(collect(engine, requests)))
        monkeypatch.setattr(engine, "batch_size", 1)
        assert texts(loop.run(collect(engine, reversed(requests)))) == many
        if sampling is SAMPLED:
            assert len(set(many.values())) > len(requests) / 4  # more than one for each problem

    def test_prompts_beyond_one_step(self, loop, engine):
        """Sampled prompts that do not fit into one step together: vLLM's default kills itself over this on a CPU."""
        requests = [request(f"{'word ' * 150}{i}", sampling=replace(SAMPLED, max_tokens=2)) for i in range(64)]
        responses = loop.run(collect(engine, requests))
        assert sum(response.prompt_tokens for response in responses.values()) > 8192
        assert len(texts(responses)) == 64

    def test_window(self, loop, engine, monkeypatch):
        """Requests are pulled as there is room, and come back as they finish."""
        monkeypatch.setattr(engine, "batch_size", 4)
        pulled = 0

        def source() -> Iterator[Request]:
            nonlocal pulled
            for i, question in enumerate(sums(replace(GREEDY, temperature=1.0), 40)):
                pulled += 1
                yield replace(question, sampling=replace(GREEDY, temperature=2.0, max_tokens=400 if i == 0 else 4))

        async def run() -> list[str]:
            order, most = [], 0
            async for response in engine.generate(source()):
                order.append(response.key.problem_id)
                most = max(most, pulled - len(order))
            assert most <= 2 * 4 + 1
            return order

        order = loop.run(run())
        assert len(order) == 40
        assert order.index("What is 10 + 10?") > 8

    def test_prefill_is_continued(self, loop, engine):
        question = "What is 47 + 85?"
        whole, rest = (
            next(iter(loop.run(collect(engine, [request(question, **turns)])).values()))
            for turns in ({}, {"assistant": "<think>\n"})
        )
        assert whole.content.startswith("<think>\n")
        assert rest.content == whole.content
        assert (whole.thinking_open, rest.thinking_open) == (False, True)

    def test_stop_strings(self, loop, engine):
        whole = request("What is 47 + 85?")
        cut = replace(whole, sampling=replace(GREEDY, stop=("\n</think>",)))
        long = loop.run(collect(engine, [whole]))[whole.key]
        short = loop.run(collect(engine, [cut]))[whole.key]
        assert short.content == long.content.partition("\n</think>")[0]
        assert short.finish_reason == "stop"
        assert short.completion_tokens < long.completion_tokens

    def test_limits(self, loop, engine):
        fits = request("What is 47 + 85?", sampling=SamplingParams(max_tokens=5))
        clamped = request("What is 4 + 85?", sampling=SamplingParams(max_tokens=32768))
        too_long = request("7 " * 2000)
        responses = loop.run(collect(engine, [fits, clamped, too_long]))
        assert (responses[fits.key].finish_reason, responses[fits.key].completion_tokens) == ("length", 5)
        assert responses[clamped.key].finish_reason == "stop"
        assert [line for line in engine.notices.lines if "32768" in line] == [
            "max_tokens 32768 is beyond the model's context of 1024 tokens; responses end where the context does."
        ]
        tokens = responses[too_long.key].prompt_tokens
        assert responses[too_long.key].error == (
            f"the prompt has {tokens} tokens and the model's context 1024: no room for an answer"
        )

    def test_refused_sampling(self, loop, engine):
        with pytest.raises(UserError, match="vLLM refuses the sampling parameters: temperature"):
            loop.run(collect(engine, sums(SamplingParams(temperature=9.0), 2)))

    def test_closing_takes_requests_back(self, loop, engine):
        async def first_only() -> None:
            slow = SamplingParams(temperature=2.0, max_tokens=900)
            quick = request("What is 1 + 1?", sampling=SamplingParams(max_tokens=1))
            async with aclosing(engine.generate([quick, *sums(slow, 20)])) as responses:
                await anext(responses)
            assert not engine._engine.output_processor.has_unfinished_requests()

        loop.run(first_only())
        assert len(texts(loop.run(collect(engine, sums(GREEDY, 2))))) == 2


class TestStart:
    def test_no_such_model(self, loop, tmp_path):
        with pytest.raises(UserError, match="there is no folder"):
            loop.run(make_backend(ModelConfig(model_id=str(tmp_path / "no"))).__aenter__())

    def test_model_that_vllm_does_not_know(self, loop, tmp_path):
        (tmp_path / "config.json").write_text('{"architectures": ["NopeForCausalLM"], "model_type": "nope"}')
        with pytest.raises(UserError, match="vLLM cannot run .*nope") as caught:
            loop.run(make_backend(ModelConfig(model_id=str(tmp_path))).__aenter__())
        assert "\n" not in str(caught.value)

    def test_engine_that_does_not_come_up(self, loop, capfd, monkeypatch):
        monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE")
        before = engine_processes(os.getpid())
        with pytest.raises(BackendError, match="vLLM cannot start 'tiny': .*memory") as caught:
            loop.run(make_backend(kv_cache_memory_bytes=1).__aenter__())
        said = str(caught.value)
        assert "\n" not in said
        assert "See root cause above" not in said
        log = Path(said.partition("Its log: ")[2].removesuffix("."))
        assert "Traceback" in log.read_text()
        assert capfd.readouterr() == ("", "")
        assert engine_processes(os.getpid()) == before

    def test_cancelled(self, loop):
        async def impatient() -> None:
            async with asyncio.timeout(6):
                await make_backend().__aenter__()

        before = engine_processes(os.getpid())
        with pytest.raises(TimeoutError):
            loop.run(impatient())
        assert engine_processes(os.getpid()) == before


SCRIPT = """
import sys, skythought
run = skythought.evaluate(
    "arithmetic", model="tiny", backend="vllm", sampling_params={"temperature": 1.0}, n=4, end=20,
    backend_args={"dtype": "float32", "enforce_eager": True, "max_model_len": 1024},
    batch_size=int(sys.argv[2]), result_dir=sys.argv[1], resume=len(sys.argv) > 3,
)
"""
"""As people write it: without a guard for `__main__`."""


def test_killed_script_resumes_to_the_same_results(tmp_path, small_cache):
    logs = logs_in(small_cache)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    def run(folder: str, in_flight: int, *resume: str) -> subprocess.Popen[str]:
        command = [sys.executable, script, tmp_path / folder, in_flight, *resume]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def journal() -> list[str]:
        return [line for path in tmp_path.glob("broken/*/responses.jsonl") for line in path.read_text().splitlines()]

    whole = run("whole", 64)
    output = whole.communicate(timeout=200)
    assert whole.returncode == 0, output
    noise = [line for line in output[1].splitlines() if "starting vllm" not in line and "max_tokens" not in line]
    assert (output[0], noise) == ("", [])

    broken = run("broken", 2)
    while len(journal()) < 15:
        assert broken.poll() is None
        time.sleep(0.02)
    processes = engine_processes(broken.pid)
    assert processes
    broken.kill()
    broken.communicate()
    assert 15 <= len(journal()) < 80
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in processes):
        assert time.monotonic() < deadline, "the engine outlives the one that started it"
        time.sleep(0.1)

    assert run("broken", 16, "--resume").wait(timeout=200) == 0
    results = [path.read_text() for path in sorted(tmp_path.glob("*/*/results.json"))]
    assert len(results) == 2
    assert logs_in(small_cache) == logs
    assert json.loads(results[0]) == json.loads(results[1])


def logs_in(folder: Path) -> set[Path]:
    return set(folder.glob("skythought-vllm-*"))  # vLLM has its own things beside them, and leaves some


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_ctrl_c(tmp_path, small_cache):
    """The whole foreground group gets the signal; the engine is not in it, and ends in good order."""
    command = (
        f"{sys.executable} -m skythought evaluate --task arithmetic --model tiny --backend vllm --batch-size 2 "
        f"--backend-args dtype=float32,enforce_eager=true,max_model_len=1024 --result-dir {tmp_path} "
        "--sampling-params temperature=1 --n 16"
    )
    process = subprocess.Popen(
        command.split(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not any(path.stat().st_size for path in tmp_path.glob("*/responses.jsonl")):
        assert process.poll() is None
        time.sleep(0.02)
    processes, logs = engine_processes(process.pid), logs_in(small_cache)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "died" not in said
    assert not any(is_running(pid) for pid in processes)
    assert len(logs - logs_in(small_cache)) == 1
    assert len((next(tmp_path.glob("*/responses.jsonl"))).read_text().splitlines()) < 6400


def test_killed_worker_ends_the_run_and_resume_goes_on(tmp_path, small_cache):
    """A worker of the engine is killed, as the system does for want of memory: one line, nothing finished is lost."""
    command = (
        f"{sys.executable} -m skythought evaluate --task arithmetic --model tiny --backend vllm --end 20 --n 4 "
        f"--backend-args dtype=float32,enforce_eager=true,max_model_len=1024 --result-dir {tmp_path} "
        "--sampling-params temperature=1 --batch-size"
    )

    def journal() -> list[str]:
        return [line for path in tmp_path.glob("*/responses.jsonl") for line in path.read_text().splitlines()]

    process = subprocess.Popen([*command.split(), "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while len(journal()) < 5:
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(engine_processes(process.pid)[-1], signal.SIGKILL)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    (line,) = [line for line in said.splitlines() if line.startswith("skythought: ")]
    assert "vLLM's engine died: " in line
    assert "--resume goes on" in line
    assert "Traceback" not in said
    kept = journal()
    assert 5 <= len(kept) < 80
    assert not any(json.loads(text)["error"] for text in kept)

    done = subprocess.run([*command.split(), "64", "--resume"], capture_output=True, text=True, timeout=200, check=True)
    assert "Traceback" not in done.stderr
    assert journal()[: len(kept)] == kept
    assert len(journal()) == 80


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("INFO fine\n", None),
        (
            "Traceback (most recent call last):\n  File x\ntorch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB\n"
            "Traceback (most recent call last):\n  File y\n\nRuntimeError: Worker failed with 'CUDA out of memory'"
            ", please check the stack trace above for the root cause\n"
            "Traceback (most recent call last):\n  File z\nzmq.error.ZMQError: closed\n",
            "torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB",
        ),
        (
            "Traceback (most recent call last):\n  File x\nValueError: bad rope\n\nDuring handling:\n\n"
            "Traceback (most recent call last):\nRuntimeError: Engine core initialization failed. See root cause.",
            "bad rope",
        ),
        (
            "ERROR Worker proc VllmWorker-1 died unexpectedly (exit code: -11), shutting down executor.\n"
            "Traceback (most recent call last):\n  File x\nRuntimeError: cancelled\n",
            "Worker proc VllmWorker-1 died unexpectedly (exit code: -11)",
        ),
    ],
)
def test_root_cause(log, cause):
    assert root_cause(log) == cause


class TestDeath:
    """Last, as it ends the engine of this file."""

    def test_killed_engine_ends_the_run(self, loop, engine, capfd):
        (core, *_) = engine_processes(os.getpid())

        async def run() -> int:
            answered = 0
            requests = sums(SamplingParams(temperature=2.0, max_tokens=300), 200)
            with pytest.raises(BackendError, match="vLLM's engine died: .*killed .*--resume goes on") as caught:
                async for _ in engine.generate(requests):
                    answered += 1
                    if answered == 5:
                        os.kill(core, signal.SIGKILL)
            assert "\n" not in str(caught.value)
            return answered

        assert 5 <= loop.run(asyncio.wait_for(run(), 60)) < 200
        assert capfd.readouterr() == ("", "")
        with pytest.raises(BackendError, match="vLLM's engine died"):
            loop.run(collect(engine, sums(GREEDY, 2)))
