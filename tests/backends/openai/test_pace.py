"""Requests in flight follow what the endpoint bears; an endpoint that is away is waited for."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from asking import answers, ask, backend_for
from faulty_server import FaultyServer, answer, drop, status

from skythought.errors import BackendError


def test_a_server_that_bears_few_is_asked_little_more_than_once_a_sample():
    async def run():
        async with FaultyServer() as server:
            server.bears, server.always = 8, answer(after=0.03)
            started = time.monotonic()
            found = await answers(backend_for(server, batch_size=64), [ask(str(n)) for n in range(300)])
            return found, len(server.bodies), time.monotonic() - started

    found, asked, seconds = asyncio.run(run())
    assert all(response.error is None for response in found.values())
    assert asked < 1.25 * 300
    assert seconds < 3 * (300 / 8 * 0.03) + 1


def test_requests_in_flight_rise_again_when_the_server_bears_more():
    async def run():
        async with FaultyServer() as server:
            server.bears, server.always = 2, answer(after=0.01)
            backend = backend_for(server, batch_size=32)
            done = 0
            async with backend:
                async for _ in backend.generate(ask(str(n)) for n in range(1500)):
                    done += 1
                    if done == 100:
                        server.bears, server.most_in_flight = None, 0
            return server.most_in_flight

    assert asyncio.run(run()) >= 16


def test_a_rate_limit_is_said_in_the_endpoints_words_while_it_lasts():
    async def run():
        async with FaultyServer() as server:
            server.faults["hi"] = [status(429, "Daily quota of 50 requests reached", Retry_After="1.5")]
            backend = backend_for(server)
            async with backend:
                waiting = asyncio.ensure_future(anext(backend.generate([ask("hi")])))
                await asyncio.sleep(0.5)
                return list(backend.notices.lines), waiting.done(), (await waiting).content

    said, was_done, content = asyncio.run(run())
    assert any("Daily quota of 50 requests reached" in line for line in said)
    assert (was_done, content) == (False, "re: hi")


def outage(fault, *, seconds, count=30, **args):
    """An endpoint that is away for some seconds, from the tenth answer on."""

    async def run():
        async with FaultyServer() as server:
            server.always = answer(after=0.01)
            backend = backend_for(server, batch_size=8, **args)
            found = []
            async with backend:
                async for response in backend.generate(ask(str(n)) for n in range(count)):
                    found.append(response)
                    if len(found) == 10:
                        server.always = fault
                        asyncio.get_running_loop().call_later(seconds, setattr, server, "always", None)
            return found, backend.notices.lines

    return asyncio.run(run())


@pytest.mark.parametrize("fault", [drop(), status(502), status(503)], ids=["dropped", "502", "503"])
def test_an_endpoint_that_is_away_for_a_while_costs_no_sample(fault):
    found, said = outage(fault, seconds=2.0, max_retries=3)
    assert len(found) == 30
    assert [response.error for response in found] == [None] * 30
    assert any("is away" in line for line in said)
    assert any("answers again, after" in line for line in said)


def test_an_endpoint_that_stays_away_ends_the_run():
    with pytest.raises(BackendError, match="is gone: no answer for . s .HTTP 502: no.*--resume goes on"):
        outage(status(502), seconds=60, max_retries=0, patience=1.0)


def test_a_server_that_is_started_again_at_the_same_port_is_found():
    async def run():
        async with FaultyServer() as server:
            port = int(server.url.split(":")[2].split("/")[0])
            backend = backend_for(server, batch_size=4, max_retries=0)
            async with backend:
                await server.close()
                asyncio.get_running_loop().call_later(1.5, lambda: asyncio.ensure_future(server.start(port)))
                return [r.error async for r in backend.generate(ask(str(n)) for n in range(20))]

    assert asyncio.run(run()) == [None] * 20


def test_a_sample_that_breaks_its_connection_each_time_fails_alone():
    async def run():
        async with FaultyServer() as server:
            server.faults["bad"] = [drop()] * 99
            return await answers(backend_for(server, batch_size=2, max_retries=1), [ask("bad"), ask("good")])

    found = asyncio.run(run())
    assert (found["bad"].error is None, found["good"].error) == (False, None)


FEW_FILES = """
import asyncio, resource, sys
sys.path.insert(0, {support!r})
from asking import answers, ask, backend_for

class Server:
    url = {url!r}

resource.setrlimit(resource.RLIMIT_NOFILE, (60, {hard}))
found = asyncio.run(answers(backend_for(Server, batch_size=300), [ask(str(n)) for n in range(300)]))
print({{response.error for response in found.values()}})
"""


@pytest.mark.parametrize(("hard", "said"), [(100, "too many open files: 300 requests"), (2000, "{None}")])
def test_file_handles_are_as_many_as_may_be(hard, said):
    async def run():
        async with FaultyServer() as server:
            server.always = answer(after=1.0)
            support = str(Path(__file__).parents[2] / "support")
            code = FEW_FILES.format(support=support, url=server.url, hard=hard)
            pipe = subprocess.PIPE
            child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=pipe, stderr=pipe)
            return b"".join(await child.communicate()).decode()

    assert said in asyncio.run(run())


def test_an_endpoint_that_limits_the_rate_for_ever_ends_the_run():
    async def run():
        async with FaultyServer() as server:
            server.always = status(429, "Daily quota of 50 requests reached")
            backend = backend_for(server, batch_size=8, timeout=1.0)
            return await answers(backend, [ask(str(n)) for n in range(50)])

    with pytest.raises(BackendError, match="no answer for . s .HTTP 429: Daily quota of 50 requests reached"):
        asyncio.run(run())


def test_a_rate_limit_after_a_long_rest_is_only_waited_for():
    async def run():
        async with FaultyServer() as server:
            server.faults["1"] = [status(429)]
            async with backend_for(server, timeout=1.0) as backend:
                await backend.answer(ask("0"))
                await asyncio.sleep(1.2)
                return await backend.answer(ask("1"))

    assert asyncio.run(run()).error is None
