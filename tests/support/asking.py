"""Requests in one line, and what a backend answers to them."""

import asyncio

from faulty_server import FaultyServer, question

from skythought.backends.openai.backend import OpenAIBackend
from skythought.config import ModelConfig
from skythought.types import Request, SampleKey, SamplingParams, sample_seed


def ask(prompt, *, sample=0, system=None, prefill=None, **sampling):
    turns = {"system": system, "user": prompt, "assistant": prefill}
    messages = tuple({"role": role, "content": said} for role, said in turns.items() if said is not None)
    key = SampleKey(prompt, sample)
    return Request(key, messages, SamplingParams(**sampling), sample_seed(41, key))


def backend_for(server, *, model="m", batch_size=64, config=None, **args):
    values = {"base_url": server.url, "max_retries": 2, **args}
    settings = ModelConfig(model_id=model, **(config or {}))
    return OpenAIBackend(settings, OpenAIBackend.check_args(values), batch_size=batch_size)


async def answers(backend, requests):
    async with backend:
        return {response.key.problem_id: response async for response in backend.generate(requests)}


def one(fault=None, request=None, *faults, **args):
    """What comes back for one request to a server with these faults, and the server."""

    async def run():
        async with FaultyServer() as server:
            first = request or ask("hi")
            server.faults[question({"messages": first.messages})] = [f for f in (fault, *faults) if f]
            backend = backend_for(server, **args)
            found = await answers(backend, [first])
            server.notices = backend.notices.lines
            return next(iter(found.values())), server

    return asyncio.run(run())
