"""Sampling parameters of the engines' own: who takes which, what is recorded, and what is told of a mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skythought.backends.openai.backend import OpenAIBackend
from skythought.backends.openai.completions import Dialect
from skythought.backends.vllm import source
from skythought.backends.vllm.backend import VLLMBackend
from skythought.config import ModelConfig, RunConfig, check, sampling_params
from skythought.errors import UserError
from skythought.pipeline.arguments import key_values
from skythought.pipeline.options import Options
from skythought.pipeline.plan import Plan, make_plan
from skythought.types import ENGINE_PARAMETERS, Request, SampleKey

Planned = Callable[..., Plan]
URL = {"base_url": "http://localhost:1/v1"}


@pytest.fixture
def planned(tmp_path: Path) -> Planned:
    def plan(given: str, backend: str = "openai", **args: Any) -> Plan:
        options = Options(
            task=("arithmetic",),
            model="tiny" if backend != "openai" else "m",
            backend=backend,
            backend_args=args or (URL if backend == "openai" else {}),
            sampling_params=key_values(given, "--sampling-params"),
            result_dir=tmp_path,
        )
        return make_plan(options, grade=True)

    return plan


def test_they_are_sent_recorded_and_part_of_what_a_run_is(planned: Planned) -> None:
    given = (
        'min_tokens=5,stop_token_ids=7,bad_words=no,repetition_detection={"max_pattern_size":8,"min_count":4},'
        "thinking_token_budget=2000,ignore_eos=true,temperature=0.5,logit_bias={'7': -1}"
    )
    (config,) = planned(given).configs
    (plain,) = planned("temperature=0.5").configs
    own = {
        "min_tokens": 5,
        "stop_token_ids": [7],
        "bad_words": ["no"],
        "repetition_detection": {"max_pattern_size": 8, "min_count": 4},
        "thinking_token_budget": 2000,
        "ignore_eos": True,
        "logit_bias": {"7": -1.0},
    }
    assert config.sampling.engine == own
    assert config.fingerprint != plain.fingerprint
    record = json.loads(json.dumps(config.record()))
    assert record["sampling"].items() >= own.items()
    assert "engine" not in record["sampling"]
    assert check(RunConfig, record, "run.json") == config
    dialect = Dialect(
        model=config.model, host="localhost", reasoning=False, send_seed=True, prefill="auto", extra_body={}
    )
    request = Request(SampleKey("1", 0), ({"role": "user", "content": "?"},), config.sampling, 3)
    assert dialect.body(request).items() >= own.items()


def test_without_them_a_run_is_what_it_was(planned: Planned) -> None:
    (config,) = planned("temperature=0.5").configs
    assert config.identity["sampling"] == {"temperature": 0.5, "top_p": 1.0, "max_tokens": 32768}


@pytest.mark.parametrize(
    ("given", "backend", "says"),
    [
        ("min_tokns=3", "openai", "unknown key 'min_tokns'. Did you mean 'min_tokens'?"),
        ("max_new_tokens=3", "openai", "Did you mean 'max_tokens'?"),
        ("repetition_detecton={}", "openai", "Did you mean 'repetition_detection'?"),
        ("min_tokens=many", "openai", "min_tokens: Input should be a valid integer.*'many'"),
        ("min_tokens=-1", "openai", "min_tokens: Input should be greater than or equal to 0"),
        ("min_tokens=10,max_tokens=9", "openai", r"min_tokens is 10, more than max_tokens \(9\)"),
        ("stop_token_ids=end", "openai", "stop_token_ids.*valid integer"),
        ("ignore_eos=perhaps", "openai", "ignore_eos: Input should be a valid boolean"),
        ("repetition_detection=4", "openai", "repetition_detection: Input should be a valid dictionary"),
    ],
)
def test_mistakes(planned: Planned, given: str, backend: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        planned(given, backend)
    assert "\n" not in str(caught.value)


def test_what_transformers_has_not_is_refused_by_name(planned: Planned) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(UserError, match="'bad_words' is not supported by backend 'transformers'. Supported: i"):
        planned("bad_words=no", "transformers")
    assert planned("min_tokens=4", "transformers").configs[0].sampling.engine == {"min_tokens": 4}


def test_vllm_takes_what_the_installed_one_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "skythought.backends.vllm.answering.engine_sampling_names",
        lambda: frozenset({"temperature", "top_p", "max_tokens", "min_tokens", "brand_new", "n", "seed", "detokenize"}),
    )
    names = VLLMBackend.sampling_names()
    assert names == {"temperature", "top_p", "max_tokens", "min_tokens", "brand_new", "reasoning_effort"}
    assert sampling_params({"brand_new": [1]}, names=names).engine == {"brand_new": [1]}
    monkeypatch.setattr("skythought.backends.vllm.answering.engine_sampling_names", lambda: None)
    assert VLLMBackend.sampling_names() >= {*ENGINE_PARAMETERS, "top_k", "reasoning_effort"}


def test_the_installed_vllm_has_those_that_are_known_here() -> None:
    names = source.engine_sampling_names()
    if names is None:
        pytest.skip("vLLM is not installed")
    assert names >= {"temperature", "min_tokens", "stop_token_ids", "bad_words"}
    assert "RequestOutputKind" not in names


def test_a_thinking_budget_needs_the_tags_and_says_so_before_anything_loads(planned: Planned) -> None:
    pytest.importorskip("transformers")
    if source.engine_sampling_names() is None:
        pytest.skip("vLLM is not installed")
    with pytest.raises(UserError, match="thinking_token_budget: .*reasoning_parser=qwen3"):
        planned("thinking_token_budget=100", "vllm")
    tags = {"reasoning_start_str": "<think>", "reasoning_end_str": "</think>"}
    assert planned("thinking_token_budget=100", "vllm", reasoning_config=tags).configs


def test_openai_itself_knows_none_but_the_protocols() -> None:
    model = ModelConfig(model_id="gpt-4o-mini")
    dialect = Dialect(
        model=model, host="api.openai.com", reasoning=False, send_seed=True, prefill="auto", extra_body={}
    )

    def body(given: dict[str, Any]) -> dict[str, Any]:
        sampling = sampling_params(given, names=OpenAIBackend.sampling_names())
        return dialect.body(Request(SampleKey("1", 0), ({"role": "user", "content": "?"},), sampling, 3))

    assert body({"logit_bias": {"7": 1}})["logit_bias"] == {"7": 1.0}
    with pytest.raises(UserError, match=r"'min_tokens' is not known to api.openai.com"):
        body({"min_tokens": 3})
