"""What is read from the answers of a chat completions endpoint."""

import json

import pytest
from asking import ask

from skythought.backends.openai.answers import read
from skythought.backends.openai.errors import NoAnswerError


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


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("max_tokens", "length"),
        ("model_length", "length"),
        ("FinishReason.MAX_TOKENS", "length"),
        ({"type": "length", "length": 5}, "length"),
        ("STOP", "stop"),
        ("end_turn", "stop"),
        ("eos_token", "stop"),
        ("tool_calls", "tool_calls"),
        (1, "1"),
        (None, None),
    ],
)
def test_finish_reasons_mean_the_same_in_any_spelling(said, kept):
    assert response(completion(said, content="4")).finish_reason == kept


@pytest.mark.parametrize(
    "reason", ["content_filter", "SAFETY", "refusal", "RECITATION", "insufficient_system_resource"]
)
def test_what_the_endpoint_withholds_is_not_the_models_answer(reason):
    with pytest.raises(NoAnswerError, match=reason):
        response(completion(reason, content="half"))


@pytest.mark.parametrize(
    ("reason", "message"),
    [("stop", {"content": None}), ("stop", {}), ("stop", {"content": None, "refusal": "I cannot help with that."})],
)
def test_no_content_at_all_is_no_answer(reason, message):
    with pytest.raises(NoAnswerError):
        response(completion(reason, **message))


def test_unseen_thinking_until_the_limit_is_cut_off():
    found = response(completion("length", content=None))
    assert (found.content, found.finish_reason, found.error) == ("Well", "length", None)


def test_an_empty_answer_is_one():
    assert response(completion(content="")).error is None


@pytest.mark.parametrize(
    "prefix",
    ["\ufeff", ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n", "\n\n  "],
    ids=["bom", "comments", "blank"],
)
def test_trifles_before_an_answer_do_not_matter(prefix):
    body = (prefix + json.dumps(completion(content="4"))).encode()
    assert read(body, ask("hi"), 0.0).content == "4"


@pytest.mark.parametrize(
    ("usage", "known"),
    [
        ({"prompt_tokens": "3", "completion_tokens": 5.0}, (3, 5)),
        ({"prompt_tokens": [3], "completion_tokens": -1}, (None, None)),
        ([3, 5], (None, None)),
        ("much", (None, None)),
        (None, (None, None)),
        ({"prompt_tokens": float("inf"), "completion_tokens": True}, (None, None)),
    ],
)
def test_odd_numbers_of_tokens_cost_no_answer(usage, known):
    found = response({**completion(content="4"), "usage": usage})
    assert (found.content, found.prompt_tokens, found.completion_tokens) == ("Well4", *known)


def test_half_a_surrogate_pair_can_be_written_down():
    found = read(
        b'{"choices": [{"message": {"content": "a\\ud83d b \\ud83d\\ude00"}, "finish_reason": "stop"}]}', ask("hi"), 0.0
    )
    assert found.content.encode().decode() == "a\ufffd b \U0001f600"


def test_only_a_declared_echo_is_taken_off():
    assert response(completion(content="Well, 4")).content == "WellWell, 4"
    assert response(completion(content="Well, 4"), echoed=True).content == "Well, 4"
    assert response(completion(content="4"), echoed=True).content == "Well4"


def test_missing_numbers_are_unknown():
    found = response({"choices": [{"message": {"content": "4"}}], "usage": {"completion_tokens": None}})
    assert (found.prompt_tokens, found.completion_tokens) == (None, None)


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
