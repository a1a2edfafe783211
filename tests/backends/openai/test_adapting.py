"""What the openai backend makes of a refusal that meets all."""

import asyncio

import pytest
from asking import answers, ask, backend_for, one
from faulty_server import FaultyServer, refuses, status, stream, text

from skythought.errors import BackendError


def many(fault, *, count=200, **args):
    """What comes back for many requests that all meet it, and the server."""

    async def run():
        async with FaultyServer() as server:
            server.always = fault
            backend = backend_for(server, **args)
            found = await answers(backend, [ask(str(n), temperature=0.6, top_p=0.9) for n in range(count)])
            server.notices = backend.notices.lines
            return found, server

    return asyncio.run(run())


NO_SEED = "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted'}]"
NO_LIMIT = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
ONE_OF_TWO = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
NO_CHOICE = "Unsupported value: 'temperature' does not support 0.6 with this model. Only the default (1) is supported."
NO_KEY = '[{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}]'


@pytest.mark.parametrize(
    ("field", "wording", "sent"),
    [
        ("max_tokens", NO_LIMIT, None),
        ("seed", "seed is not permitted", {"seed": None}),
        ("seed", NO_SEED, {"seed": None}),
        ("seed", 'Invalid JSON payload received. Unknown name "seed": Cannot find field.', {"seed": None}),
        ("top_p", ONE_OF_TWO, {"top_p": None}),
        ("temperature", NO_CHOICE, {"temperature": None}),
    ],
)
def test_what_is_refused_without_doubt_is_sent_otherwise_for_the_whole_run(field, wording, sent):
    found, server = many(refuses(field, wording))
    assert [response.error for response in found.values()] == [None] * 200
    assert {repr(response.sent) for response in found.values()} == {repr(sent)}
    assert len([line for line in server.notices if f"takes no {field}" in line]) == 1
    assert sum(field in body for body in server.bodies) <= 64  # 16 at first, more where refusals take their time
    assert all("max_tokens" in body or "max_completion_tokens" in body for body in server.bodies)


@pytest.mark.parametrize(
    ("wording", "switch"),
    [
        ("top_k: value not supported", "--sampling-params top_k=null"),
        ("the model `m` does not exist or you do not have access", "is base_url right"),
        ("no such deployment", "--backend-args extra_body"),
    ],
)
def test_refusals_in_the_same_words_end_the_run(wording, switch):
    async def run():
        async with FaultyServer() as server:
            server.always = status(400, wording)
            return server, await answers(backend_for(server), [ask(str(n), top_k=3) for n in range(500)])

    with pytest.raises(BackendError, match="in a row in the same words") as caught:
        asyncio.run(run())
    assert switch in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "switch"),
    [
        (text(NO_KEY, code=400), "OPENAI_API_KEY"),
        (status(400, "Your credit balance is too low to access the Anthropic API."), "no credit left"),
        (text('{"error": {"message": "You exceeded your quota", "type": "insufficient_quota"}}', code=429), "quota"),
        (text('{"error": {"message": "Insufficient Balance", "code": "x"}}', code=429), "no credit left"),
    ],
)
def test_no_credit_and_a_wrong_key_end_the_run_at_once(fault, switch):
    servers = []

    async def run():
        async with FaultyServer() as server:
            servers.append(server)
            server.always = fault
            await answers(backend_for(server), [ask(str(n)) for n in range(500)])

    with pytest.raises(BackendError, match=switch):
        asyncio.run(run())
    assert len(servers[0].bodies) <= 64


def test_refusals_of_single_samples_cost_these_alone():
    async def run():
        async with FaultyServer() as server:
            for n in range(0, 40, 2):
                server.faults[str(n)] = [status(400, f"prompt {n} is not to our taste")]
            return await answers(backend_for(server, batch_size=1), [ask(str(n)) for n in range(40)])

    assert sum(response.error is not None for response in asyncio.run(run()).values()) == 20


def test_a_key_of_one_letter_hides_no_word():
    wording = "max_tokens is too large: 9000. This model supports at most 4096 completion tokens"
    response, server = one(status(400, wording), ask("hi", max_tokens=9000), api_key="x")
    assert (response.content, server.bodies[1]["max_tokens"]) == ("re: hi", 4096)
    response, _ = one(status(400, "no max_tokens"), api_key="m")
    assert response.error == "HTTP 400: no max_tokens"


def test_temperature_and_top_p_may_be_left_unsent():
    _, server = one(None, ask("hi", temperature=None, top_p=None))
    assert {"temperature", "top_p"}.isdisjoint(server.bodies[0])


# Streams


@pytest.mark.parametrize(
    "wording",
    [
        "This model only support stream mode, please enable the stream parameter to access the model.",
        "parameter.enable_thinking must be set to false for non-streaming calls",
        "Requests with max_tokens > 4096 must have stream=true",
    ],
)
def test_a_stream_is_taken_where_the_endpoint_gives_nothing_else(wording):
    async def act(request, body):
        return await (stream(pause=0.05) if body.get("stream") else status(400, wording))(request, body)

    response, server = one(act)
    assert (response.content, response.finish_reason) == ("re: hi", "stop")
    assert (response.prompt_tokens, response.completion_tokens) == (3, 5)
    assert server.bodies[-1]["max_tokens"] == 32768
    assert any("as a stream" in line for line in server.notices)


def test_the_time_to_the_first_token_is_recorded():
    response, server = one(stream(pause=0.1), stream=True)
    assert server.bodies[0]["stream_options"] == {"include_usage": True}
    assert response.content == "re: hi"
    assert 0.09 < response.first_token < response.seconds


def test_a_server_that_knows_no_streams_will_do():
    response, _ = one(None, stream=True)
    assert (response.content, response.first_token) == ("re: hi", None)


@pytest.mark.parametrize("fault", [stream("half", end=False), stream("half", "late", pause=5.0)], ids=["cut", "silent"])
def test_a_stream_that_breaks_off_or_falls_silent_is_asked_again(fault):
    response, server = one(fault, None, stream(), stream=True, silence=0.3)
    assert (response.content, response.error) == ("re: hi", None)
    assert len(server.bodies) == 2
