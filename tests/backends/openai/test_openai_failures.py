"""What the openai backend makes of an endpoint that fails."""

import asyncio
import socket
import time

import pytest
from asking import answers, ask, backend_for, one
from faulty_server import FaultyServer, context, drop, fields, hang, status, text

from skythought.backends.openai.backend import OpenAIBackend
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError

KEY = "sk-very-secret-1234"


# Retries


@pytest.mark.parametrize("code", [408, 409, 429, 500, 502, 503])
def test_a_passing_failure_is_asked_again(code):
    response, server = one(status(code), None, status(code))
    assert response.content == "re: hi"
    assert len(server.bodies) == 3
    assert len({body["seed"] for body in server.bodies}) == 1


def test_retry_after_is_obeyed():
    started = time.monotonic()
    response, _ = one(status(429, Retry_After="1.2"), max_retries=1)
    assert response.error is None
    assert 1.2 <= time.monotonic() - started < 60


def test_without_retry_after_there_is_a_backoff():
    started = time.monotonic()
    response, _ = one(text("oops", code=500, kind="text/plain"), max_retries=1)
    assert response.error is None
    assert time.monotonic() - started < 60


def test_a_storm_of_rate_limits_only_slows_down():
    response, server = one(None, None, *[status(429)] * 7, max_retries=1)
    assert response.content == "re: hi"
    assert len(server.bodies) == 8
    assert len([line for line in server.notices if "is overloaded" in line]) == 1


def test_a_retry_after_that_the_package_does_not_wait_for_is_waited_for():
    response, server = one(status(503, Retry_After="3600"), timeout=0.3)
    assert response.error == "no answer within 0.3 s"
    assert len(server.bodies) == 1


@pytest.mark.parametrize("midway", [False, True])
def test_a_broken_connection_is_asked_again(midway):
    response, server = one(drop(midway=midway), max_retries=1)
    assert response.content == "re: hi"
    assert len(server.bodies) == 2


def test_what_fails_for_good_is_a_failed_sample():
    response, server = one(status(500, "kaputt"), None, *[status(500, "kaputt")] * 2)
    assert (response.error, response.content) == ("HTTP 500: kaputt", "")
    assert len(server.bodies) == 3


def test_an_answer_that_never_comes_fails_in_time():
    response, _ = one(hang(), timeout=0.3)
    assert response.error == "no answer within 0.3 s"
    assert 0.3 <= response.seconds < 3


# Lengths


WORDING = (
    "This model's maximum context length is {length} tokens. However, you requested {total} tokens "
    "({prompt} in the messages, {asked} in the completion)."
)


def test_too_high_a_limit_is_lowered_to_what_fits():
    response, server = one(None, ask("hi", max_tokens=5000), *[context(4096, 31, WORDING)] * 2)
    assert response.finish_reason == "length"
    assert [body["max_tokens"] for body in server.bodies] == [5000, 4065]
    assert len([line for line in server.notices if "max_tokens is 5000" in line]) == 1


def test_a_known_context_bounds_the_first_question():
    async def run():
        async with FaultyServer({"id": "m", "max_model_len": 2048}) as server:
            backend = backend_for(server)
            await answers(backend, [ask("hi"), ask("ho")])
            return [body["max_tokens"] for body in server.bodies], backend.context_length, backend.notices.lines

    limits, length, notices = asyncio.run(run())
    assert (limits, length) == ([2048, 2048], 2048)
    assert notices == ["max_tokens is 32768, but the endpoint allows 2048: longer answers are cut off."]


def test_a_limit_of_the_endpoint_is_remembered():
    refusal = status(400, "max_tokens is too large: 9000. This model supports at most 4096 completion tokens")

    async def run():
        async with FaultyServer() as server:
            server.faults["hi"] = [refusal]
            await answers(backend_for(server, batch_size=1), [ask("hi", max_tokens=9000), ask("ho", max_tokens=9000)])
            return [body["max_tokens"] for body in server.bodies]

    assert asyncio.run(run()) == [9000, 4096, 4096]


def test_too_long_a_prompt_fails_its_sample():
    refusal = "maximum context length is 2048 tokens. However, your prompt contains at least 2049 input tokens"
    response, server = one(status(400, refusal))
    assert "2049 input tokens" in response.error
    assert len(server.bodies) == 1


# The start, and the end of an endpoint


def test_a_server_that_is_not_there_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    args = OpenAIBackend.check_args({"base_url": f"http://me:hush@127.0.0.1:{port}/v1", "max_retries": 0})
    with pytest.raises(BackendError) as caught:
        asyncio.run(answers(OpenAIBackend(ModelConfig(model_id="m"), args), []))
    said = str(caught.value)
    assert said.startswith(f"no answer from http://127.0.0.1:{port}/v1: Connection refused.")
    assert "hush" not in said
    assert caught.value.__suppress_context__


def at_start(fault=None, chat=None, *, models=("m",), model="m", **args):
    """The notices after starting against such a server."""

    async def run():
        async with FaultyServer(*models) as server:
            server.models_fault, server.always = fault, chat
            backend = backend_for(server, model=model, **args)
            await answers(backend, [])
            return backend.notices.lines

    return asyncio.run(run())


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_is_one_line_without_the_key(code):
    with pytest.raises(UserError) as caught:
        at_start(status(code, f"bad key {KEY}"), api_key=KEY)
    assert f"HTTP {code}: bad key ***" in str(caught.value)
    assert "OPENAI_API_KEY" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("fault", [status(404), status(405), status(500), text("<html>"), fields(data=[])])
def test_a_server_without_a_list_of_models_will_do(fault):
    assert at_start(fault) == []


def test_a_key_that_may_not_list_will_do():
    assert at_start(status(403, "Missing scopes: api.model.read")) == []


def test_a_wrong_model_gets_the_nearest_name():
    with pytest.raises(UserError, match="has no model 'Qwen3-8b'. Did you mean 'Qwen/Qwen3-8B'?"):
        at_start(None, status(404), models=("Qwen/Qwen3-8B", "other"), model="Qwen3-8b")


def test_an_unlisted_model_that_answers_will_do():
    (notice,) = at_start(models=("a.gguf",))
    assert "does not list 'm' (it lists a.gguf), but answers to it" in notice


def test_a_wrong_path_is_said_at_the_start():
    with pytest.raises(UserError, match="most end in /v1"):
        at_start(status(404), status(404))


@pytest.mark.parametrize("code", [401, 402, 404])
def test_what_would_meet_every_request_ends_the_run(code):
    async def run():
        async with FaultyServer() as server:
            server.always = status(code, f"no {KEY}")
            await answers(backend_for(server, api_key=KEY), [ask(str(n)) for n in range(500)])

    with pytest.raises(BackendError, match=f"HTTP {code}") as caught:
        asyncio.run(run())
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("fault", [drop(), status(503), status(403)], ids=["dropped", "503", "403"])
def test_an_endpoint_that_is_gone_ends_the_run(fault):
    async def run():
        async with FaultyServer() as server:
            backend = backend_for(server, batch_size=2, max_retries=0)
            server.faults = {str(n): [] if n < 3 else [fault] for n in range(500)}
            requests = (ask(str(n)) for n in range(500))
            got = []

            async def collect():
                async with backend:
                    async for response in backend.generate(requests):
                        got.append(response)

            with pytest.raises(BackendError, match="is gone: 5 requests in a row") as caught:
                await collect()
            return got, str(caught.value), next(requests).key.problem_id

    got, said, following = asyncio.run(run())
    assert [response.error for response in got[:3]] == [None] * 3
    assert "--resume" in said
    assert int(following) < 20


def test_a_few_lost_requests_are_failed_samples():
    async def run():
        async with FaultyServer() as server:
            for n in range(0, 20, 2):
                server.faults[str(n)] = [drop()]
            backend = backend_for(server, batch_size=1, max_retries=0)
            return await answers(backend, [ask(str(n)) for n in range(20)])

    found = asyncio.run(run())
    assert {key for key, response in found.items() if response.error} == {str(n) for n in range(0, 20, 2)}


def test_a_used_up_quota_ends_the_run():
    body = '{"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}'
    with pytest.raises(BackendError, match="quota is used up"):
        one(text(body, code=429), None, *[text(body, code=429)] * 2)


def test_secrets_are_in_headers_and_nowhere_else():
    async def run():
        async with FaultyServer() as server:
            server.faults["hi"] = [status(400, f"token hush, pass%21word, pass!word, Basic bWU6cGFzcyF3b3Jk and {KEY}")]
            url = server.url.replace("//", "//me:pass%21word@")
            backend = backend_for(server, base_url=url, api_key=KEY, default_headers={"X-Token": "hush"})
            found = await answers(backend, [ask("hi")])
            return found["hi"].error, server.headers[0], repr(backend.args)

    error, headers, shown = asyncio.run(run())
    assert error == "HTTP 400: token ***, ***, ***, Basic *** and ***"
    assert headers["X-Token"] == "hush"
    assert headers["Authorization"] == "Basic bWU6cGFzcyF3b3Jk"
    assert KEY not in shown
    assert "hush" not in shown
