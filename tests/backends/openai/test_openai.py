"""The openai backend against a faulty server of our own."""

import asyncio
import time
from itertools import count

import pytest
from asking import answers, ask, backend_for, one
from faulty_server import FaultyServer, answer, fields, flood, hang, moved, status, text

from skythought.backends.openai.backend import OpenAIBackend
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError

KEY = "sk-very-secret-1234"


# Arguments


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"base_url": "localhost:8000/v1"}, "did you mean 'http://localhost:8000/v1'"),
        ({"base_url": "me:pw@localhost:8000"}, "did you mean 'http://localhost:8000'"),
        ({"base_url": "http://"}, "is no address"),
        ({"base_url": "http://a:b/v1"}, "is no address"),
        ({"base_ulr": "x"}, "base_url"),
        ({"concurrency": 0}, "concurrency"),
        ({"extra_body": {"n": 4}}, "--n"),
        ({"prefill": "perhaps"}, "prefill"),
    ],
)
def test_wrong_arguments_are_explained(args, said):
    with pytest.raises(UserError) as caught:
        OpenAIBackend.check_args(args)
    assert said in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("tail", ["", "/", "/chat/completions", "/chat/completions/", "/models"])
def test_a_pasted_address_is_taken(tail):
    assert OpenAIBackend.check_args({"base_url": f" http://h/v1{tail}"}).base_url == "http://h/v1"


def test_a_key_may_be_a_number():
    assert OpenAIBackend.check_args({"api_key": 1234}).api_key.get_secret_value() == "1234"


def test_what_only_changes_speed_does_not_change_the_run():
    extras = {name: info.json_schema_extra for name, info in OpenAIBackend.Args.model_fields.items()}
    deciding = {name for name, extra in extras.items() if not extra}
    assert deciding == {"extra_body", "reasoning", "send_seed", "prefill", "prefill_echoed"}


def test_openai_itself_wants_a_key():
    with pytest.raises(UserError, match="OPENAI_API_KEY"):
        asyncio.run(answers(OpenAIBackend(ModelConfig(model_id="gpt-4o"), OpenAIBackend.check_args({})), []))


def test_openai_itself_continues_no_prefill():
    args = OpenAIBackend.check_args({"api_key": KEY})
    backend = OpenAIBackend(ModelConfig(model_id="gpt-4o", assistant_prefill="x"), args)
    with pytest.raises(UserError, match="api.openai.com cannot continue"):
        asyncio.run(answers(backend, []))


# One question


def test_a_request_and_its_answer():
    request = ask("hi", temperature=0.5, max_tokens=7)
    response, server = one(None, request, extra_body={"custom": 1})
    assert server.bodies == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "hi"}],
            "temperature": 0.5,
            "top_p": 1.0,
            "max_tokens": 7,
            "seed": request.seed,
            "custom": 1,
        }
    ]
    assert server.headers[0]["Authorization"] == "Bearer EMPTY"
    assert (response.content, response.finish_reason) == ("re: hi", "stop")
    assert (response.prompt_tokens, response.completion_tokens) == (3, 5)
    assert response.seconds >= 0
    assert response.error is None


def test_a_reasoning_model_is_announced_once():
    _, server = one(None, ask("hi", max_tokens=9), reasoning=True)
    assert server.bodies[0]["max_completion_tokens"] == 9
    assert "temperature" not in server.bodies[0]
    assert len([line for line in server.notices if "reasoning model" in line]) == 1


def test_an_echoed_prefill_is_taken_off():
    response, _ = one(answer(content="Well, 4"), ask("hi", prefill="Well"), prefill="prefix", prefill_echoed=True)
    assert response.content == "Well, 4"


def test_a_server_that_cannot_continue_ends_the_run():
    refusal = text('{"detail": "Unexpected fields in the request: {\'continue_final_message\'}"}', code=422)
    with pytest.raises(UserError, match="cannot continue a turn of the assistant"):
        one(refusal, ask("hi", prefill="Well"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(400, "no such parameter"), "HTTP 400: no such parameter"),
        (text('{"detail": "bad field"}', code=422), "HTTP 422: bad field"),
    ],
)
def test_a_refusal_fails_its_sample_alone(fault, said):
    async def run():
        async with FaultyServer() as server:
            server.faults["bad"] = [fault]
            return await answers(backend_for(server), [ask("bad"), ask("good")]), len(server.bodies)

    found, asked = asyncio.run(run())
    assert said in found["bad"].error
    assert found["good"].error is None
    assert asked == 2


UNUSABLE = {
    "choices": fields(choices=[]),
    "half": text('{"choices": [{"mess'),
    "page": text("<html>welcome</html>", "text/html"),
    "empty": text(""),
    "204": text("", code=204),
    "error": fields(error={"message": "provider down", "code": 502}),
    "words": fields(error="try later"),
    "null": answer(content=None),
    "abort": answer("abort"),
    "resources": answer("insufficient_system_resource"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_answer_that_is_none_gets_another_try(name):
    response, server = one(UNUSABLE[name])
    assert response.content == "re: hi"
    assert len(server.bodies) == 2


def test_an_answer_that_stays_none_fails_its_sample():
    page = text("<html>welcome</html>", "text/html")
    response, server = one(page, None, *[page] * 9, max_retries=1)
    assert "<html>welcome</html>" in response.error
    assert len(server.bodies) == 2


@pytest.mark.parametrize("fault", [answer("content_filter"), answer(content=None, refusal="I will not")])
def test_what_is_withheld_is_not_asked_again(fault):
    response, server = one(fault)
    assert response.error
    assert response.content == ""
    assert len(server.bodies) == 1


def test_an_answer_without_end_is_bounded():
    response, _ = one(flood(80), max_retries=0)
    assert "more than 32 MiB" in response.error


def test_a_very_long_header_is_no_reason_to_fail():
    response, _ = one(answer(headers={"X-Long": "x" * 100_000}))
    assert response.content == "re: hi"


# The address


def test_a_query_of_the_address_stays_behind_the_path():
    async def run():
        async with FaultyServer() as server:
            backend = backend_for(server, base_url=f"{server.url}/?api-version=2024-10-21&key=hush-hush")
            found = await answers(backend, [ask("hi")])
            server.faults["ho"] = [status(400, "no version for key=hush-hush")]
            refused = await answers(backend_for(server, base_url=f"{server.url}?key=hush-hush"), [ask("ho")])
            return found["hi"], refused["ho"].error, server.paths

    found, error, paths = asyncio.run(run())
    assert found.content == "re: hi"
    assert "hush-hush" not in error
    assert paths[:2] == [
        "/v1/models?api-version=2024-10-21&key=hush-hush",
        "/v1/chat/completions?api-version=2024-10-21&key=hush-hush",
    ]


def test_a_redirect_on_the_same_host_is_followed_with_the_whole_request():
    response, server = one(moved("/v1/chat/completions"))
    assert response.content == "re: hi"
    assert server.bodies[0] == server.bodies[1]


@pytest.mark.parametrize("place", ["/v1/chat/completions", "http://localhost:1/v1"])
def test_redirects_that_lead_nowhere_end_the_run(place):
    with pytest.raises(BackendError, match="sends us"):
        one(moved(place), None, *[moved(place)] * 20)


# The pipe


def test_the_pipe_is_full_bounded_and_lazy():
    pulled = []

    def requests():
        for n in range(60):
            pulled.append(n)
            yield ask(str(n))

    async def run():
        async with FaultyServer() as server:
            server.always = answer(after=0.05)
            backend = backend_for(server, concurrency=8)
            done = 0
            async with backend:
                async for _ in backend.generate(requests()):
                    done += 1
                    assert len(pulled) <= done + 2 * 8
            return server.most_in_flight, done

    assert asyncio.run(run()) == (8, 60)


def test_answers_come_as_they_are_done_and_a_slow_one_holds_up_nothing():
    async def run():
        async with FaultyServer() as server:
            server.faults["0"] = [answer(after=0.5)]
            backend = backend_for(server, concurrency=4)
            async with backend:
                return [r.key.problem_id async for r in backend.generate(ask(str(n)) for n in range(40))]

    order = asyncio.run(run())
    assert order[-1] == "0"
    assert sorted(order, key=int) == [str(n) for n in range(40)]


def test_closing_the_stream_cancels_what_is_in_flight():
    async def run():
        async with FaultyServer() as server:
            server.faults["0"] = [answer()]
            server.always = hang()
            async with backend_for(server, concurrency=8) as backend:
                stream = backend.generate(ask(str(n)) for n in count())
                assert (await anext(stream)).key.problem_id == "0"
                await stream.aclose()
                return [task for task in asyncio.all_tasks() if "worker" in repr(task)]

    started = time.monotonic()
    assert asyncio.run(run()) == []
    assert time.monotonic() - started < 60
