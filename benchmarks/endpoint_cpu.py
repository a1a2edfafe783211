"""CPU and wall time of asking an endpoint, ours and bare aiohttp side by side.

    python benchmarks/endpoint_cpu.py [requests] [in flight] [seconds an answer takes] [rounds]

A server in a process of its own answers chat completions after so many seconds, and tells when it got the first
request and gave the last answer: wall time is by its clock. Ours is a whole `skythought.evaluate`, with journal,
scoring and derived files; CPU is this process's and its scoring workers', without the start (a run of one sample is
taken off). Bare aiohttp posts the same bodies and reads the answers as JSON. Rounds alternate; medians are printed.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

ANSWER = "The sum is found by counting on, one after another. " * 20 + "The answer is \\boxed{7}."


def serve(told: Connection, seconds: float) -> None:
    """A chat completions server; sends its port, then, for each message, the span of the work since the last one."""
    from aiohttp import web

    body = json.dumps(
        {
            "id": "x",
            "object": "chat.completion",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 250, "total_tokens": 270},
        }
    ).encode()
    span: list[float] = []

    async def chat(request: web.Request) -> web.Response:
        span[:1] = span[:1] or [time.perf_counter()]
        await request.read()
        await asyncio.sleep(seconds)
        span[1:] = [time.perf_counter()]
        return web.Response(body=body, content_type="application/json")

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "m"}]})

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", chat)
        app.router.add_get("/v1/models", models)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
        told.send(runner.addresses[0][1])
        while await asyncio.to_thread(told.recv):
            told.send(span[1] - span[0] if len(span) == 2 else 0.0)
            span.clear()

    asyncio.run(run())


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def ours(url: str, requests: int, in_flight: int) -> float:
    """A whole run; the CPU seconds that it took."""
    import skythought

    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.jsonl"
        rows.write_text("".join(json.dumps({"q": f"What is {n}+1?", "a": "7"}) + "\n" for n in range(requests)))
        task = Path(folder) / "sums.yaml"
        task.write_text(f"dataset_path: {rows}\ndataset_split: train\nprompt: '{{{{ q }}}}'\ntarget: a\nscorer: math\n")
        before = cpu()
        run = skythought.evaluate(
            str(task),
            model="m",
            backend="openai",
            backend_args={"base_url": url},
            batch_size=in_flight,
            result_dir=folder,
        )
        used = cpu() - before
        assert run.accuracy == 1.0, run
    return used


def bare(url: str, requests: int, in_flight: int) -> float:
    """The same requests by aiohttp alone; the CPU seconds that it took."""
    import aiohttp

    async def run() -> None:
        numbers = iter(range(requests))
        connector = aiohttp.TCPConnector(limit=in_flight)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def worker() -> None:
                for n in numbers:
                    body = {
                        "model": "m",
                        "messages": [{"role": "user", "content": f"What is {n}+1?"}],
                        "temperature": 0.0,
                        "top_p": 1.0,
                        "max_tokens": 32768,
                        "seed": n,
                    }
                    async with session.post(f"{url}/chat/completions", json=body) as response:
                        assert (await response.json())["choices"]

            await asyncio.gather(*(worker() for _ in range(in_flight)))

    before = cpu()
    asyncio.run(run())
    return cpu() - before


def main() -> None:
    """Measure and print."""
    given = [float(argument) for argument in sys.argv[1:]]
    requests, in_flight, seconds, rounds = [*given, *(5000, 256, 0.5, 3)[len(given) :]]
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(there, seconds), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{here.recv()}/v1"

    def span() -> float:
        here.send(True)
        return float(here.recv())

    start = statistics.median(ours(url, 1, 1) for _ in range(3))
    span()
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
    for _ in range(int(rounds)):
        for name, ask in (("bare", bare), ("ours", ours)):
            used = ask(url, int(requests), int(in_flight)) - (start if name == "ours" else 0.0)
            found[name].append((used, span()))
    here.send(False)
    ideal = requests * seconds / in_flight
    print(f"{requests:.0f} requests, {in_flight:.0f} in flight, {seconds:g} s each: {ideal:.2f} s at best")
    for name, pairs in found.items():
        used, wall = (statistics.median(values) for values in zip(*pairs, strict=True))
        print(f"{name}: {1000 * used / requests:.2f} ms CPU a request, {wall:.2f} s on the server's clock")
    ratio = statistics.median(a[1] / b[1] for a, b in zip(found["ours"], found["bare"], strict=True))
    print(f"wall, ours / bare: {ratio:.3f}")


if __name__ == "__main__":
    main()
