"""A small chat completions server on loopback that does what a test wants to go wrong.

async with FaultyServer() as server:
    server.faults["hello"] = [status(429), status(500)]   # then it answers
    ... ask server.url ...
    server.bodies                                          # what it was asked
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from aiohttp import web

Fault = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]
SOON = {"Retry-After": "0.01"}


class FaultyServer:
    """Answers "re: QUESTION" unless told otherwise, and counts."""

    def __init__(self, *models: dict[str, Any] | str) -> None:
        self.models = [model if isinstance(model, dict) else {"id": model} for model in models or ("m",)]
        self.models_fault: Fault | None = None
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        """By question: what happens to the first requests that ask it."""
        self.always: Fault | None = None
        """What happens to every request."""
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.paths: list[str] = []
        """With their queries, of all requests."""
        self.bears: int | None = None
        """More requests at a time are refused with 429."""
        self.in_flight = 0
        self.most_in_flight = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.start(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self, port: int, certificate: ssl.SSLContext | None = None) -> None:
        """Begin to listen, at any free port for 0; with a certificate over TLS."""
        app = web.Application()
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=certificate)
        await site.start()
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def close(self) -> None:
        """Stop; connections end."""
        await self._runner.cleanup()

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path_qs)
        if self.models_fault:
            return await self.models_fault(request, {})
        return web.json_response({"object": "list", "data": self.models})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path_qs)
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(request.headers)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.bears is not None and self.in_flight > self.bears:
                return await status(429, f"at most {self.bears} requests at a time")(request, body)
            waiting = self.faults[question(body)]
            act = waiting.pop(0) if waiting else self.always or answer()
            return await act(request, body)
        finally:
            self.in_flight -= 1


def question(body: dict[str, Any]) -> str:
    """The user's turn."""
    return next(str(message["content"]) for message in body["messages"] if message["role"] == "user")


def answer(finish: Any = "stop", after: float = 0.0, headers: Mapping[str, str] | None = None, **message: Any) -> Fault:
    """A good completion, after some seconds."""

    async def act(_: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(after)
        said = {"role": "assistant", "content": f"re: {question(body)}", **message}
        return web.json_response(
            {
                "object": "chat.completion",
                "choices": [{"index": 0, "message": said, "finish_reason": finish}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
            },
            headers=headers,
        )

    return act


def status(code: int, message: str = "no", **headers: str) -> Fault:
    """An error in OpenAI's shape; asked again soon, if `Retry_After` says nothing else."""

    async def act(*_: object) -> web.StreamResponse:
        sent = SOON | {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": message, "code": None}}, status=code, headers=sent)

    return act


def text(content: str, kind: str = "application/json", code: int = 200) -> Fault:
    """Exactly this text."""

    async def act(*_: object) -> web.StreamResponse:
        return web.Response(text=content, content_type=kind, status=code, headers=SOON)

    return act


def fields(**values: Any) -> Fault:
    """A JSON object with exactly these fields."""
    return text(json.dumps(values))


def flood(mebibytes: int) -> Fault:
    """An answer of so many MiB, without a length."""

    async def act(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _number in range(mebibytes):
            await response.write(b" " * 2**20)
        return response

    return act


def moved(place: str, code: int = 307) -> Fault:
    """A redirect."""

    async def act(*_: object) -> web.StreamResponse:
        return web.Response(status=code, headers={"Location": place})

    return act


def stream(*pieces: str, finish: Any = "stop", pause: float = 0.0, end: bool = True) -> Fault:
    """A completion in pieces, after a comment; `end=False` breaks it off."""

    async def act(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": keep-alive\n\n")
        for piece in pieces or ("re: ", question(body)):
            await asyncio.sleep(pause)
            event = {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        if end:
            last = {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}
            usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}
            for event in (last, usage):
                await response.write(f"data: {json.dumps(event)}\n\n".encode())
            await response.write(b"data: [DONE]\n\n")
        return response

    return act


def refuses(field: str, wording: str, code: int = 400) -> Fault:
    """Refuses bodies with such a field, in these words; else answers."""

    async def act(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await (status(code, wording) if field in body else answer())(request, body)

    return act


def hang() -> Fault:
    """Never an answer."""
    return answer(after=3600)


def drop(*, midway: bool = False) -> Fault:
    """The connection breaks: before the answer, or in the middle of it."""

    async def act(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "500"})
        if midway:
            await response.prepare(request)
            await response.write(b'{"choices": [{"mess')
        assert request.transport is not None
        request.transport.abort()
        return response

    return act


def context(length: int, prompt: int, wording: str) -> Fault:
    """Refuses what does not fit beside a prompt of so many tokens, in the given words; else answers."""

    async def act(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        asked = body["max_tokens"]
        if prompt + asked <= length:
            return await answer("length")(request, body)
        said = wording.format(length=length, prompt=prompt, asked=asked, total=prompt + asked)
        return await status(400, said)(request, body)

    return act
