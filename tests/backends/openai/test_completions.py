"""What is said to a chat completions endpoint, and what is read from its answers."""

import pytest
from asking import ask

from skythought.backends.openai.completions import Dialect, is_openai, is_reasoning
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
