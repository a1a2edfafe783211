"""The accounts of what is in flight on a Ray cluster: nothing lost, nothing twice, whatever is tried again."""

import asyncio

from skythought.backends.ray.stage import Mailbox


def result(text="x"):
    return {"tokens": [1], "seconds": 0.1, "error": None, "text": text}


async def news(mailbox):
    """What can be had at once."""
    return (await mailbox.events()) if mailbox._events else []


def test_batches_are_taken_by_number_also_again():
    async def main():
        box = Mailbox()
        waiting = asyncio.create_task(box.take(0))
        await asyncio.sleep(0)
        assert not waiting.done()
        await box.put([1, 2], b"first")
        assert await waiting == b"first"
        await box.put([3], b"second")
        assert [await box.take(number) for number in (0, 1)] == [b"first", b"second"]
        await box.post(1, result())
        assert await box.take(0) == b"first"
        await box.post(2, result())
        assert await box.take(0) == b""
        assert await box.take(1) == b"second"
        await box.close()
        assert await box.take(2) is None
        await box.closed()

    asyncio.run(main())


def test_an_answer_counts_once():
    async def main():
        box = Mailbox()
        await box.put([7], b"batch")
        await box.post(7, result("first"))
        await box.post(7, result("second"))
        await box.post(8, result("never asked"))
        assert [(event[:2], event[2]["text"]) for event in await news(box)] == [(("answer", 7), "first")]
        assert await news(box) == []

    asyncio.run(main())


def test_a_request_belongs_to_one_living_replica():
    async def main():
        box = Mailbox()
        await box.put([1, 2, 3], b"batch")
        assert await box.claim("a", "1", [1, 2, 3]) == [1, 2, 3]
        assert await box.claim("b", "1", [1, 2, 3]) == []
        await box.post(2, result())
        assert await box.claim("a", "1", [1, 2, 3]) == [], "it works on them"
        assert await box.claim("a", "2", [1, 2, 3]) == [1, 3], "the same actor, started again"

    asyncio.run(main())


def test_what_a_lost_node_had_is_offered_again():
    async def main():
        box = Mailbox()
        for replica, node in (("a", "here"), ("b", "there")):
            await box.arrived(replica, node, {})
        await box.put([1, 2], b"first")
        await box.put([3, 4], b"second")
        await box.put([5], b"nobody began this")
        await box.claim("a", "1", [1, 2])
        await box.claim("b", "1", [3, 4])
        await box.post(3, result())
        assert await box.lost(["there"]) == 2
        again = [await box.take(number) for number in (3, 4)]
        assert sorted(again) == [b"nobody began this", b"second"]
        assert await box.claim("a", "1", [3, 4]) == [4]
        assert await box.claim("a", "1", [5]) == [5]
        for number in (4, 5, 1, 2):
            await box.post(number, result())
        assert [event[1] for event in await news(box) if event[0] == "answer"] == [3, 4, 5, 1, 2]
        assert not box._batches
        assert not box._batch_of
        assert not box._claimed

    asyncio.run(main())


def test_dropped_requests_are_not_worked_on():
    async def main():
        box = Mailbox()
        await box.put([1, 2], b"batch")
        await box.drop([1, 9])
        assert await box.claim("a", "1", [1, 2]) == [2]
        await box.post(1, result())
        assert await news(box) == []

    asyncio.run(main())
