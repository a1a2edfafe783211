"""The openai backend against a real `vllm serve` with the tiny model, beside vLLM in this process."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from asking import ask
from engines import OneEngine, collect, sums
from scripts import benchmark

if find_spec("vllm") is None:
    pytest.skip("vLLM is not installed", allow_module_level=True)

from skythought.backends.openai.backend import OpenAIBackend
from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.models.library import load_model
from skythought.types import Message, Request, Response, SampleKey

pytestmark = pytest.mark.engine

AT_ONCE = {"chat_template_kwargs": {"enable_thinking": False}}
"""Sent to the server; its template then ends every turn with `WORDS`."""

WORDS = " Answer at once."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny model with a chat template that knows `enable_thinking`."""
    folder = shutil.copytree(load_model("tiny").weights, tmp_path_factory.mktemp("model") / "tiny")
    path = Path(folder) / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    switch = f"{{% if enable_thinking is defined and not enable_thinking %}}{WORDS}{{% endif %}}"
    settings["chat_template"] = settings["chat_template"].replace("<|im_end|>", "' }}" + switch + "{{ '<|im_end|>")
    path.write_text(json.dumps(settings))
    return str(folder)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, model: str) -> Iterator[str]:
    """The address of the server, which calls the model `tiny`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        log = tmp_path_factory.mktemp("served") / "log"
        with benchmark("same_numbers").vllm_serve(model=model, log=log) as url:
            yield url


def backend_for(url: str, *, batch_size: int = 64, config: dict[str, object] | None = None) -> OpenAIBackend:
    model = ModelConfig(model_id="tiny", **(AT_ONCE if config is None else config))
    return OpenAIBackend(model, OpenAIBackend.check_args({"base_url": url}), batch_size=batch_size)


def said(backend: OpenAIBackend, requests: list[Request]) -> dict[SampleKey, Response]:
    async def run() -> dict[SampleKey, Response]:
        async with backend:
            return await collect(backend, requests)

    found = asyncio.run(run())
    assert not [response.error for response in found.values() if response.error]
    assert found.keys() == {request.key for request in requests}
    return found


def with_words(request: Request) -> Request:
    """The request as the server's template reads it, for the model's own template."""
    turns: list[Message] = [
        turn if turn["role"] == "assistant" else {**turn, "content": turn["content"] + WORDS}
        for turn in request.messages
    ]
    return replace(request, messages=tuple(turns))


@pytest.fixture(scope="module")
def requests() -> dict[str, list[Request]]:
    return {
        "greedy": sums(12, temperature=0.0),
        "sampled": sums(6, samples=4, temperature=0.7),
        "system": [ask("What is 31 + 4?", system="Be careful.", temperature=0.0, max_tokens=200)],
        "prefilled": [ask("What is 47 + 85?", prefill="<think>\n", temperature=0.0, max_tokens=200)],
        "stopped": [ask("What is 47 + 85?", temperature=0.0, max_tokens=200, stop=("\n</think>",))],
        "cut": [ask("What is 99 + 25?", temperature=0.0, max_tokens=4)],
    }


@pytest.fixture(scope="module")
def in_process(
    loop: asyncio.Runner, one_engine: OneEngine, requests: dict[str, list[Request]]
) -> dict[str, dict[SampleKey, Response]]:
    """What vLLM says in this process."""
    engine = one_engine.get()
    return {kind: loop.run(collect(engine, map(with_words, asked))) for kind, asked in requests.items()}


@pytest.mark.parametrize("kind", ["greedy", "sampled", "system", "prefilled", "stopped", "cut"])
def test_the_same_as_in_process(served, requests, in_process, kind):
    """Text, finish reason and tokens; a prefill is continued in place and a seed counts on the server too."""
    ours = said(backend_for(served), requests[kind])
    for key, theirs in in_process[kind].items():
        got = ours[key]
        assert (got.content, got.finish_reason) == (theirs.content, theirs.finish_reason)
        assert (got.prompt_tokens, got.completion_tokens) == (theirs.prompt_tokens, theirs.completion_tokens)


def test_samples_differ_and_their_order_does_not_matter(served, requests):
    sampled = requests["sampled"]
    forward = {key: response.content for key, response in said(backend_for(served), sampled).items()}
    backward = said(backend_for(served, batch_size=3), sampled[::-1])
    assert {key: response.content for key, response in backward.items()} == forward
    assert len(set(forward.values())) > len(forward) / 4  # more than one for each problem


def test_template_arguments(served, requests, in_process):
    """They go to the server, which gives them to the template."""
    (key,) = in_process["cut"]
    plain = said(backend_for(served, config={}), requests["cut"])[key]
    assert plain.prompt_tokens < in_process["cut"][key].prompt_tokens


def test_longer_than_the_context(served):
    """The server says what fits; the answer is cut there, and the user is told."""
    backend = backend_for(served)
    (response,) = said(backend, [ask("What is 3 + 4?", max_tokens=32768)]).values()
    assert response.finish_reason == "stop"
    assert backend.context_length == 1024
    assert any("32768" in line for line in backend.notices.lines)


def test_a_wrong_name(served):
    backend = OpenAIBackend(ModelConfig(model_id="tinny"), OpenAIBackend.check_args({"base_url": served}))
    with pytest.raises(UserError, match="has no model 'tinny'. Did you mean 'tiny'"):
        asyncio.run(backend.__aenter__())
