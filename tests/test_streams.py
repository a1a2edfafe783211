import asyncio
from contextlib import aclosing

import pytest

from skythought.streams import Notices, concurrently, in_order, interleave


async def collect(stream):
    return [item async for item in stream]


def test_concurrently_yields_in_order_of_completion_and_bounds_what_runs(wait):
    running = 0
    most = 0

    async def work(gate):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        return gate

    async def main():
        gates = [asyncio.Event() for _ in range(4)]
        stream = concurrently(work, gates, 2)
        gates[1].set()
        first = await anext(stream)
        assert first is gates[1]
        for gate in gates:
            gate.set()
        rest = await collect(stream)
        assert {id(gate) for gate in rest} == {id(gates[i]) for i in (0, 2, 3)}
        assert most == 2

    wait(main())


def test_concurrently_pulls_lazily(wait):
    pulled = 0

    def source():
        nonlocal pulled
        while True:
            pulled += 1
            yield pulled

    async def work(item):
        return item

    async def main():
        async with aclosing(concurrently(work, source(), 3)) as stream:
            for _ in range(5):
                await anext(stream)
        assert pulled < 20

    wait(main())


@pytest.mark.parametrize("stream", [concurrently, in_order])
def test_an_error_in_the_work_ends_the_stream(wait, stream):
    async def work(item):
        if item == 2:
            raise ValueError("two")
        return item

    with pytest.raises(ValueError, match="two"):
        wait(collect(stream(work, range(5), 2)))


def test_in_order_keeps_the_order_whatever_finishes_first(wait):
    async def main():
        gates = [asyncio.Event() for _ in range(6)]

        async def work(number):
            await gates[number].wait()
            if number:
                gates[number - 1].set()
            return number

        gates[2].set()  # the last of each window finishes first
        gates[5].set()
        return await collect(in_order(work, range(6), 3))

    assert wait(main()) == [0, 1, 2, 3, 4, 5]


def test_interleave_never_lets_a_slow_stream_stall_another(wait):
    async def main():
        gate = asyncio.Event()

        async def slow():
            await gate.wait()
            yield "slow"

        async def fast():
            for number in range(20):
                yield number
            gate.set()

        return await collect(interleave(slow(), fast()))

    assert wait(main()) == [*range(20), "slow"]


def test_interleave_closes_the_others_when_one_fails(wait):
    closed = []

    async def endless():
        try:
            while True:
                yield 1
                await asyncio.sleep(0)
        finally:
            closed.append(True)

    async def failing():
        yield 0
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        wait(collect(interleave(endless(), failing())))
    assert closed == [True]


@pytest.mark.parametrize("lines", [1, 20])
def test_what_is_said_in_the_last_moment_is_not_lost(wait, lines):
    notices = Notices()

    async def last_words():
        for number in range(lines):
            notices.say(f"{number}")
        return
        yield

    async def main():
        heard = await collect(interleave(last_words(), beside=notices.stream()))
        return [*heard, *notices.unread()]

    assert wait(main()) == [f"{number}" for number in range(lines)]
