"""What is said to a chat completions endpoint, and what is read from its answers."""

import json

import pytest
from asking import ask

from skythought.backends.openai.completions import Dialect, Limits, NoAnswerError, is_openai, is_reasoning, read
from skythought.config import ModelConfig
from skythought.errors import UserError


def dialect(*, host="localhost", reasoning=False, send_seed=True, prefill="auto", extra_body=None, **model):
    return Dialect(
        model=ModelConfig(model_id="m", **model),
        host=host,
        reasoning=reasoning,
        send_seed=send_seed,
        prefill=prefill,
        extra_body=extra_body or {},
    )


EVERYTHING = {
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 3,
    "min_p": 0.1,
    "repetition_penalty": 1.1,
    "frequency_penalty": 0.2,
    "presence_penalty": 0.3,
    "reasoning_effort": "low",
}


def test_every_parameter_is_sent():
    request = ask("hi", system="be brief", max_tokens=7, stop=("a", "b"), **EVERYTHING)
    extra = {"custom": 1, "chat_template_kwargs": {"b": 2}}
    assert dialect(chat_template_kwargs={"a": 1}, extra_body=extra).body(request) == {
        "model": "m",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}],
        **EVERYTHING,
        "max_tokens": 7,
        "stop": ["a", "b"],
        "seed": request.seed,
        "chat_template_kwargs": {"a": 1, "b": 2},
        "custom": 1,
    }


def test_a_reasoning_model_has_rules_of_its_own():
    request = ask("hi", system="be brief", max_tokens=9, **EVERYTHING)
    assert dialect(reasoning=True, send_seed=False).body(request) == {
        "model": "m",
        "messages": [{"role": "developer", "content": "be brief"}, {"role": "user", "content": "hi"}],
        "reasoning_effort": "low",
        "max_completion_tokens": 9,
    }
    assert request.messages[0]["role"] == "system"


def test_openai_itself_knows_the_new_name_of_the_limit_only():
    body = dialect(host="api.openai.com").body(ask("hi", max_tokens=9))
    assert body["max_completion_tokens"] == 9
    assert "max_tokens" not in body
    assert body["temperature"] == 0.0


@pytest.mark.parametrize("name", ["top_k", "min_p", "repetition_penalty"])
def test_openai_itself_refuses_what_it_does_not_know(name):
    with pytest.raises(UserError, match=f"{name!r} is not known to api.openai.com"):
        dialect(host="api.openai.com").body(ask("hi", **{name: 1}))


def test_openai_itself_takes_no_chat_template_arguments():
    with pytest.raises(UserError, match="no chat template arguments"):
        dialect(host="api.openai.com", chat_template_kwargs={"a": 1}).check_model()


@pytest.mark.parametrize(
    ("way", "sent", "turn"),
    [
        ("auto", {"continue_final_message": True, "add_generation_prompt": False}, {}),
        ("continue_final_message", {"continue_final_message": True, "add_generation_prompt": False}, {}),
        ("prefix", {}, {"prefix": True}),
        ("plain", {}, {}),
    ],
)
def test_a_prefill_is_continued(way, sent, turn):
    body = dialect(prefill=way).body(ask("hi", prefill="Well"))
    assert body["messages"][-1] == {"role": "assistant", "content": "Well", **turn}
    assert {name: body[name] for name in body if name.endswith(("_message", "_prompt"))} == sent


def test_openai_itself_cannot_continue():
    with pytest.raises(UserError, match="cannot continue a turn of the assistant"):
        dialect(host="api.openai.com").body(ask("hi", prefill="Well"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("o1", True),
        ("o3-mini", True),
        ("openai/o4-mini", True),
        ("gpt-5", True),
        ("openai/gpt-5.1-codex", True),
        ("gpt-5-chat-latest", False),
        ("gpt-4o", False),
        ("openai/gpt-oss-20b", False),
        ("olmo-2", False),
        ("/models/o1", False),
    ],
)
def test_reasoning_models_are_known_by_name(name, expected):
    assert is_reasoning(name) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.openai.com", True),
        ("eu.api.openai.com", True),
        ("x.openai.azure.com", True),
        ("notapi.openai.com", False),
    ],
)
def test_openais_own_hosts(host, expected):
    assert is_openai(host) is expected


def completion(finish="stop", **message):
    usage = {"prompt_tokens": 3, "completion_tokens": 5}
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def response(answer, **options):
    return read(json.dumps(answer), ask("hi", prefill="Well"), 1.5, **options)


def test_an_answer_with_its_numbers():
    found = response(completion(content="4"))
    assert (found.content, found.finish_reason, found.reasoning, found.error) == ("Well4", "stop", None, None)
    assert (found.prompt_tokens, found.completion_tokens, found.seconds) == (3, 5, 1.5)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_apart_and_null_content_is_empty(name):
    found = response(completion(content=None, **{name: "hmm"}))
    assert (found.content, found.reasoning) == ("", "Wellhmm")


def test_content_in_parts_is_joined():
    parts = [
        {"type": "thinking", "thinking": []},
        {"type": "text", "text": "4"},
        {"type": "text", "text": "2"},
    ]
    assert response(completion(content=parts)).content == "Well42"


@pytest.mark.parametrize("reason", ["length", "content_filter", None])
def test_finish_reasons_are_kept(reason):
    assert response(completion(reason, content="4")).finish_reason == reason


def test_only_a_declared_echo_is_taken_off():
    assert response(completion(content="Well, 4")).content == "WellWell, 4"
    assert response(completion(content="Well, 4"), echoed=True).content == "Well, 4"
    assert response(completion(content="4"), echoed=True).content == "Well4"


def test_missing_numbers_are_zero():
    found = response({"choices": [{"message": {"content": "4"}}], "usage": {"completion_tokens": None}})
    assert (found.prompt_tokens, found.completion_tokens) == (0, 0)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"choices": []}, "no choices"),
        ({"choices": None, "error": {"message": "provider down"}}, "provider down"),
        ({"choices": ["x"]}, "no chat completion"),
        ([], "no chat completion"),
        (completion("abort", content="half"), "broke the answer off"),
        (completion("error", content=""), "broke the answer off"),
    ],
)
def test_what_is_no_answer(answer, said):
    with pytest.raises(NoAnswerError, match=said):
        response(answer)


@pytest.mark.parametrize(
    ("refusal", "asked", "fits"),
    [
        ("maximum context length is 4096 tokens. However, you requested 32799 tokens (31 in the messages, "
         "32768 in the completion).", 32768, 4065),  # vLLM 0.6
        ("'max_tokens' or 'max_completion_tokens' is too large: 32768. This model's maximum context length is 4096 "
         "tokens and your request has 31 input tokens (32768 > 4096 - 31).", 32768, 4065),  # vLLM 0.9
        ("max_tokens=32768 cannot be greater than max_model_len=2048.", 32768, 2048),  # vLLM 0.32
        ("Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of "
         "5031 tokens: 31 tokens from the input messages and 5000 tokens for the completion.", 5000, 4065),  # SGLang
        ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 31 `inputs` tokens and 5000 `max_new_tokens`",
         5000, 4065),  # TGI
        ("max_tokens is too large: 9000. This model supports at most 4096 completion tokens, whereas you provided "
         "9000.", 9000, 4096),  # OpenAI
        ("max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens", 9000, 8192),  # Anthropic
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 9000, 8192),  # DeepSeek
        ("maximum context length is 2048 tokens. However, your prompt contains at least 2049 input tokens", 9, None),
        ("request (5000 tokens) exceeds the available context size (4096 tokens)", 9, None),  # llama.cpp
        ("no such parameter", 9, None),
    ],
)  # fmt: skip
def test_what_fits_is_read_from_a_refusal(refusal, asked, fits):
    assert Limits.told_by(refusal).most_tokens(asked) == fits
