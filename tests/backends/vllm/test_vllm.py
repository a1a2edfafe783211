"""vLLM's real engine with the tiny model, in this process: its answers, its start and its death."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("vllm") is None:
    pytest.skip("vLLM is not installed", allow_module_level=True)

from asking import ask
from engines import VLLM_ARGS, OneEngine, collect, engine_processes, no_engines_but, small_engines, sums, texts

from skythought.backends.transformers.backend import TransformersBackend
from skythought.backends.vllm.backend import VLLMBackend
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError
from skythought.models.library import load_model
from skythought.types import Request, Response, SampleKey

pytestmark = pytest.mark.engine

LOOPS = {"max_pattern_size": 20, "min_count": 4}


@pytest.fixture
def engine(one_engine: OneEngine) -> VLLMBackend:
    return one_engine.get()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[None]:
    """For engines of a test's own."""
    with small_engines(tmp_path):
        yield


def make_backend(model: ModelConfig | None = None, **args: object) -> VLLMBackend:
    return VLLMBackend(model or load_model("tiny"), VLLMBackend.check_args({**VLLM_ARGS, **args}))


class TestAnswers:
    def test_greedy_equals_transformers(self, loop, engine):
        requests = [*sums(24), ask("What is 3 + 4?", system="You are careful.", prefill="<think>\n3", max_tokens=200)]
        args = TransformersBackend.check_args({"dtype": "float32", "max_model_len": 1024})
        other = TransformersBackend(load_model("tiny"), args)

        async def both() -> tuple[dict[SampleKey, Response], dict[SampleKey, Response]]:
            async with other:
                return await collect(engine, requests), await collect(other, requests)

        ours, theirs = loop.run(both())
        assert ours == theirs
        assert {response.finish_reason for response in ours.values()} == {"stop"}

    def test_prompts_beyond_one_step(self, loop, engine):
        """Sampled prompts that do not fit into one step together: vLLM's default kills itself over this on a CPU."""
        requests = [ask(f"{'word ' * 150}{i}", temperature=0.7, max_tokens=2) for i in range(64)]
        responses = loop.run(collect(engine, requests))
        assert sum(response.prompt_tokens for response in responses.values()) > 8192
        assert len(texts(responses)) == 64

    def test_requests_are_pulled_as_others_end(self, loop, engine, monkeypatch):
        """And come back as they finish."""
        monkeypatch.setattr(engine, "batch_size", 4)
        pulled = 0

        def source() -> Iterator[Request]:
            nonlocal pulled
            for i, request in enumerate(sums(40)):
                pulled += 1
                sampling = replace(request.sampling, temperature=2.0, max_tokens=400 if i == 0 else 4)
                yield replace(request, sampling=sampling)

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
        whole, rest = (
            next(iter(loop.run(collect(engine, [ask("What is 47 + 85?", max_tokens=200, **turns)])).values()))
            for turns in ({}, {"prefill": "<think>\n"})
        )
        assert whole.content.startswith("<think>\n")
        assert rest.content == whole.content
        assert rest.completion_tokens < whole.completion_tokens
        assert (whole.thinking_open, rest.thinking_open) == (False, True)

    def test_stop_strings(self, loop, engine):
        whole = ask("What is 47 + 85?", max_tokens=200)
        cut = ask("What is 47 + 85?", max_tokens=200, stop=("\n</think>",))
        long = loop.run(collect(engine, [whole]))[whole.key]
        short = loop.run(collect(engine, [cut]))[whole.key]
        assert short.content == long.content.partition("\n</think>")[0]
        assert short.finish_reason == "stop"
        assert short.completion_tokens < long.completion_tokens

    def test_parameters_of_vllms_own(self, loop, engine):
        own = {
            "min_tokens": ({"min_tokens": 90}, 120),
            "ignore_eos": ({"ignore_eos": True}, 90),
            "repetition_detection": ({"ignore_eos": True, "repetition_detection": LOOPS}, 900),
            "logit_bias": ({"logit_bias": {"2": -100.0}, "bad_words": ["\\boxed"]}, 90),
        }
        requests = [ask(name, max_tokens=most, engine=given) for name, (given, most) in own.items()]
        kept = ask("What is 47 + 85?", max_tokens=200, stop=("</think>",), engine={"include_stop_str_in_output": True})
        found = {key.problem_id: said for key, said in loop.run(collect(engine, [*requests, kept])).items()}
        assert found["min_tokens"].completion_tokens >= 90
        assert (found["ignore_eos"].completion_tokens, found["ignore_eos"].finish_reason) == (90, "length")
        assert (found["logit_bias"].completion_tokens, found["logit_bias"].finish_reason) == (90, "length")
        assert found["repetition_detection"].finish_reason in ("length", "repetition")
        assert found["What is 47 + 85?"].content.endswith("</think>")

    def test_a_parameter_that_vllm_refuses(self, loop, engine):
        with pytest.raises(UserError, match="vLLM refuses the sampling parameter repetition_detection: .*min_count"):
            loop.run(collect(engine, [ask("1 + 1?", engine={"repetition_detection": {"max_pattern_size": 9}})]))
        with pytest.raises(UserError, match="vLLM refuses the sampling parameters: .*allowed_token_ids"):
            loop.run(collect(engine, [ask("1 + 1?", engine={"allowed_token_ids": [10**7]})]))
        with pytest.raises(UserError, match="vLLM refuses the sampling parameters: thinking_token_budget"):
            loop.run(collect(engine, [ask("1 + 1?", engine={"thinking_token_budget": 9})]))

    def test_limits(self, loop, engine):
        fits = ask("What is 47 + 85?", max_tokens=5)
        clamped = ask("What is 4 + 85?", max_tokens=32768)
        too_long = ask("7 " * 2000, max_tokens=200)
        responses = loop.run(collect(engine, [fits, clamped, too_long]))
        assert (responses[fits.key].finish_reason, responses[fits.key].completion_tokens) == ("length", 5)
        assert responses[clamped.key].finish_reason == "stop"
        assert [line for line in engine.notices.lines if "32768" in line] == [
            "max_tokens 32768 and a prompt together are beyond the model's context of 1024 tokens; "
            "responses end where the context does."
        ]
        tokens = responses[too_long.key].prompt_tokens
        assert responses[too_long.key].error == (
            f"the prompt has {tokens} tokens and the model's context 1024: no room for an answer"
        )

    def test_refused_sampling(self, loop, engine):
        with pytest.raises(UserError, match="vLLM refuses the sampling parameters: temperature"):
            loop.run(collect(engine, sums(2, temperature=9.0)))

    def test_closing_takes_requests_back(self, loop, engine):
        async def first_only() -> None:
            quick = ask("What is 1 + 1?", max_tokens=1)
            async with aclosing(engine.generate([quick, *sums(20, temperature=2.0, max_tokens=900)])) as responses:
                await anext(responses)
            assert not engine._engine.output_processor.has_unfinished_requests()

        loop.run(first_only())
        assert len(texts(loop.run(collect(engine, sums(2))))) == 2


class TestStart:
    def test_no_such_model(self, loop, tmp_path):
        with pytest.raises(UserError, match="there is no folder"):
            loop.run(make_backend(ModelConfig(model_id=str(tmp_path / "no"))).__aenter__())

    def test_model_that_vllm_does_not_know(self, loop, tmp_path):
        (tmp_path / "config.json").write_text('{"architectures": ["NopeForCausalLM"], "model_type": "nope"}')
        with pytest.raises(UserError, match="vLLM cannot run .*nope") as caught:
            loop.run(make_backend(ModelConfig(model_id=str(tmp_path))).__aenter__())
        assert "\n" not in str(caught.value)

    def test_engine_that_does_not_come_up(self, loop, small, capfd, monkeypatch):
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
        assert no_engines_but(before)

    def test_cancelled(self, loop, small):
        """While its processes load, which is when an impatient user does it."""
        before = engine_processes(os.getpid())

        async def impatient() -> None:
            starting = asyncio.create_task(make_backend().__aenter__())
            while set(engine_processes(os.getpid())) <= set(before):
                assert not starting.done()
                await asyncio.sleep(0.2)
            starting.cancel()
            await starting

        with pytest.raises(asyncio.CancelledError):
            loop.run(impatient())
        assert no_engines_but(before)


class TestDeath:
    def test_killed_engine_ends_the_run(self, loop, dying_engine, capfd):
        (core, *_) = engine_processes(os.getpid())

        async def run() -> int:
            answered = 0
            with pytest.raises(BackendError, match="vLLM's engine died: .*killed .*--resume goes on") as caught:
                async for _ in dying_engine.generate(sums(200, temperature=2.0, max_tokens=300)):
                    answered += 1
                    if answered == 5:
                        os.kill(core, signal.SIGKILL)
            assert "\n" not in str(caught.value)
            return answered

        assert 5 <= loop.run(asyncio.wait_for(run(), 300)) < 200
        assert capfd.readouterr() == ("", "")
        with pytest.raises(BackendError, match="vLLM's engine died"):
            loop.run(collect(dying_engine, sums(2)))

    def test_engine_that_hangs(self, loop, small, capfd):
        """It is stopped in the middle of its work: noticed, ended, said in one line."""
        backend = make_backend(silence=15)

        async def run() -> int:
            answered = 0
            before = engine_processes(os.getpid())
            async with backend:
                core = next(pid for pid in engine_processes(os.getpid()) if pid not in before)
                with pytest.raises(BackendError, match="hangs: it has written no token for 15 s.*--resume goes on"):
                    async for response in backend.generate(sums(200, temperature=2.0, max_tokens=300)):
                        assert response.error is None
                        answered += 1
                        if answered == 5:
                            os.kill(core, signal.SIGSTOP)
            assert no_engines_but(before)
            return answered

        assert 5 <= loop.run(run()) < 200
        assert capfd.readouterr() == ("", "")
