"""Ways to many engines on a Ray cluster, side by side in one run: the table of docs/ray.md.

    python benchmarks/ray_designs.py [--requests 400] [--rounds 3] [--sides vllm,actors,serve,stage] [--former CHECKOUT]

    vllm     the backend of that name: the same engine in this process, for comparison
    actors   the `ray` backend: actors in placement groups, each with vLLM's AsyncLLM
    serve    deployments of `ray.serve.llm`, called through handles (needs `ray[serve]`)
    stage    the `ray` backend before it: Ray Data's stage for vLLM; needs a checkout from when it was so

One replica each, with the bundled model in float32 and the heavy-tailed requests of `ray_vs_vllm.py`. Every side is a
process with a Ray of its own; all stand at the same time and take turns. Checked: all answers are the same. Reported,
as medians: samples a second, and milliseconds of CPU a sample of the head and of all processes below it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple, Self

from ray_vs_vllm import ENGINE, cpu_seconds, make_requests
from skythought.backends.base import Backend
from skythought.backends.ray.backend import RayBackend
from skythought.backends.vllm.backend import VLLMBackend
from skythought.models.library import load_model

ONE = {"address": "local", "num_replicas": 1, "tensor_parallel_size": 1}
IN_FLIGHT = 512


class Round(NamedTuple):
    """What a side did in one round."""

    seconds: float
    head: float
    """CPU seconds of the process that drives the run."""
    below: float
    """Of all that it started."""
    answers: str
    """A hash of all of them."""


def serve() -> Backend[Any]:
    """A backend over Ray Serve's deployments; only what is measured."""
    from skythought.backends.chat import Chat, Prompt
    from skythought.backends.vllm.answering import Completion, TokenBackend
    from skythought.backends.vllm.args import VLLMArgs
    from skythought.backends.vllm.engine import engine_sampling, needed_on_cpu
    from skythought.types import Request

    class ServeBackend(TokenBackend[VLLMArgs]):
        handle: Any = None

        async def __aenter__(self) -> Self:
            import ray
            from ray import serve
            from ray.serve.llm import LLMConfig, build_llm_deployment
            from vllm.tokenizers import get_tokenizer

            source = self.model.weights or self.model.model_id
            ray.init(address="local", include_dashboard=False, log_to_driver=False)
            config = LLMConfig(
                model_loading_config={"model_id": "tiny", "model_source": source},
                engine_kwargs={**needed_on_cpu(ENGINE), **ENGINE, "disable_log_stats": True},
                deployment_config={"num_replicas": 1, "max_ongoing_requests": 1024},
                placement_group_config={"bundles": [{"CPU": 1}]},
                log_engine_metrics=False,
            )
            await asyncio.to_thread(serve.start, proxy_location="Disabled")  # calls go through handles
            application = build_llm_deployment(config)
            running = await asyncio.to_thread(serve.run, application, route_prefix=None)
            self.handle = running.options(stream=True)
            self.context_length = ENGINE["max_model_len"]
            tokenizer = get_tokenizer(source)
            self.chat = Chat(tokenizer, self.model, {tokenizer.eos_token_id})
            return self

        async def complete(self, prompt: Prompt, request: Request) -> Completion:
            from ray.serve.llm.openai_api_models import CompletionRequest

            sampling = engine_sampling(request, prompt.limit)
            del sampling["detokenize"]
            asked = CompletionRequest(model="tiny", prompt=prompt.tokens, return_token_ids=True, **sampling)
            async for said in self.handle.completions.remote(asked):
                (choice,) = said.choices
                return Completion(choice.token_ids, choice.finish_reason)
            raise RuntimeError("no answer")

    return ServeBackend(load_model("tiny"), VLLMBackend.check_args({}), batch_size=IN_FLIGHT)


def make(side: str) -> Backend[Any]:
    if side == "serve":
        return serve()
    if side == "vllm":
        return VLLMBackend(load_model("tiny"), VLLMBackend.check_args(ENGINE), batch_size=IN_FLIGHT)
    return RayBackend(load_model("tiny"), RayBackend.check_args({**ENGINE, **ONE}), batch_size=IN_FLIGHT)


async def one_side(side: str, count: int, out: Any) -> None:
    """In a process of its own: a line when it stands, and one a round, each begun by a line from the parent."""
    requests = make_requests(count)
    async with make(side) as backend:
        print("ready", file=out, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            texts: dict[str, str] = {}
            head, all_of_it, began = time.process_time(), cpu_seconds(), time.perf_counter()
            async for response in backend.generate(requests):
                assert response.error is None, response.error
                texts[str(response.key)] = response.content
            seconds, head = time.perf_counter() - began, time.process_time() - head
            said = hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()
            print(json.dumps(Round(seconds, head, cpu_seconds() - all_of_it - head, said)), file=out, flush=True)


def start(side: str, given: argparse.Namespace) -> subprocess.Popen[str]:
    path = os.environ.get("PYTHONPATH", "")
    if side == "stage":
        path = f"{Path(given.former) / 'src'}{os.pathsep}{path}"
    command = [sys.executable, __file__, "--side", side, "--requests", str(given.requests)]
    return subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def compare(given: argparse.Namespace) -> None:
    sides = {side: start(side, given) for side in given.sides.split(",") if side != "stage" or given.former}
    found: dict[str, list[Round]] = {side: [] for side in sides}
    for side, process in sides.items():
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", f"{side} did not start"
    for number in range(given.rounds + 1):
        for side in sorted(sides, reverse=number % 2 == 0):
            process = sides[side]
            assert process.stdin is not None
            assert process.stdout is not None
            print("go", file=process.stdin, flush=True)
            measured = Round(*json.loads(process.stdout.readline()))
            if number:  # the first one warms up
                found[side].append(measured)
    print("| | samples/s | CPU a sample: head | below | answers |\n|---|---|---|---|---|")
    first = next(iter(found.values()))[0].answers
    for side, rounds in found.items():
        seconds, head, below = (statistics.median(measured[i] for measured in rounds) for i in range(3))
        same = "the same" if all(measured.answers == first for measured in rounds) else "others"
        per = 1000 / given.requests
        print(f"| {side} | {given.requests / seconds:.0f} | {head * per:.1f} ms | {below * per:.1f} ms | {same} |")
    for process in sides.values():
        process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", default="vllm,actors,serve,stage")
    parser.add_argument("--former", help="a checkout of this repository from before the actors, for the side `stage`")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side is None:
        compare(given)
        return
    out = os.fdopen(os.dup(1), "w")
    with redirect_stdout(sys.stderr):
        asyncio.run(one_side(given.side, given.requests, out))


if __name__ == "__main__":
    main()
