"""Any OpenAI-compatible endpoint, over aiohttp."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, ClassVar, Self

from pydantic import ValidationError

from skythought.backends.base import ConcurrentBackend, with_switches
from skythought.backends.openai.answers import decoded
from skythought.backends.openai.args import OpenAIArgs
from skythought.backends.openai.asking import PATH, USELESS, Asker, error_of
from skythought.backends.openai.client import Client, Reply
from skythought.backends.openai.completions import (
    SAMPLING,
    SERVER_DECIDES,
    Dialect,
    ModelList,
    is_openai,
    is_reasoning,
)
from skythought.backends.openai.endpoint import Endpoint, normal_url
from skythought.backends.openai.errors import REDIRECT, EndpointError, NoAnswerError
from skythought.backends.openai.files import raise_file_limit
from skythought.backends.openai.pace import Pace
from skythought.backends.openai.refusals import ends_the_run
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError, did_you_mean
from skythought.types import Request, Response

__all__ = ["OpenAIBackend"]

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "EMPTY"
"""Sent where there is no key: servers without keys ignore it, and some want any."""

LIST_S = 20.0
"""For listing the models."""

TRY_S = 600.0
"""For the first word of a model that is not listed: a server may have to load it."""


class OpenAIBackend(ConcurrentBackend[OpenAIArgs]):
    """One model behind one endpoint, asked for one sample a request."""

    sampling: ClassVar[frozenset[str]] = SAMPLING
    requires: ClassVar[tuple[str, ...]] = ("aiohttp",)

    def __init__(self, model: ModelConfig, args: OpenAIArgs, *, batch_size: int = 64) -> None:
        super().__init__(model, args, batch_size=batch_size)
        self._key = args.api_key.get_secret_value() if args.api_key else os.environ.get("OPENAI_API_KEY", "")
        url = args.base_url or normal_url(os.environ.get("OPENAI_BASE_URL") or OPENAI_URL)
        given = {name: value.get_secret_value() for name, value in args.default_headers.items()}
        endpoint = Endpoint.at(url, self._key, given)
        self._endpoint = replace(endpoint, headers=self._headers(endpoint))
        self._dialect = Dialect(
            model=model,
            host=self._endpoint.host,
            reasoning=is_reasoning(model.model_id) if args.reasoning is None else args.reasoning,
            send_seed=args.send_seed,
            prefill=args.prefill,
            extra_body=args.extra_body,
            stream=args.stream is True,
        )
        self._client = Client(self._endpoint, self.in_flight, args.silence)
        self._asker: Asker

    def _headers(self, endpoint: Endpoint) -> dict[str, str]:
        ours = {"Authorization": f"Bearer {self._key or NO_KEY}"}
        if endpoint.host.endswith(".openai.azure.com") and self._key:
            ours["api-key"] = self._key
        named = {"OpenAI-Organization": self.args.organization, "OpenAI-Project": self.args.project}
        ours |= {name: value for name, value in named.items() if value}
        over = {name.lower() for name in endpoint.headers}
        return {**{name: value for name, value in ours.items() if name.lower() not in over}, **endpoint.headers}

    @classmethod
    def reproducible(cls, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        return with_switches(values, {"send_seed": True}), list(SERVER_DECIDES)

    async def __aenter__(self) -> Self:
        self._dialect.check_model()
        if not self._key and is_openai(self._endpoint.host):
            raise UserError(f"{self._endpoint.url} wants a key: set OPENAI_API_KEY, or --backend-args api_key=...")
        raise_file_limit(self.in_flight)
        await self._client.__aenter__()
        self._asker = Asker(self._endpoint, self._dialect, self._client, self.args, Pace(self.in_flight), self.say)
        try:
            await self._check_endpoint()
        except BaseException:
            await self._client.__aexit__()
            raise
        if self._dialect.reasoning:
            self.say(
                f"{self.model.model_id} is asked as a reasoning model: temperature, top_p and penalties are not sent "
                "(--backend-args reasoning=false if it takes them)."
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.__aexit__()

    @property
    def in_flight(self) -> int:
        return self.args.concurrency or self.batch_size

    async def answer(self, request: Request) -> Response:
        """The response to one request; a failed one is one too.

        Raises:
            SkythoughtError: No further request makes sense.
        """
        started = time.perf_counter()
        try:
            return await self._asker.ask(request)
        except TimeoutError:
            why = f"no answer within {self.args.timeout:g} s"
        except EndpointError as error:
            why = self._asker.said(error)
        return request.failed(why, seconds=time.perf_counter() - started)

    async def _check_endpoint(self) -> None:
        """Ask for the list of models; if ours is not on it, ask the model for a word.

        The list alone does not decide: `transformers serve` lists what lies in a cache (or fails), llama.cpp answers to
        any name, gateways have patterns, and some servers list nothing, or never answer.
        """
        listed = ModelList()
        try:
            async with asyncio.timeout(LIST_S):
                reply = await self._client.get("/models")
            if reply.status == 200:
                listed = ModelList.model_validate(decoded(reply.body))
            # A key may be allowed to ask, but not to list.
            elif reply.status == 401 or (reply.status == 403 and b"scope" not in reply.body):
                raise UserError(self._asker.useless(error_of(reply)))
        except (ValidationError, NoAnswerError):
            pass  # some page or other: no list
        except TimeoutError:
            self.say(f"{self._endpoint.url} does not list its models within {LIST_S:g} s; it is asked all the same.")
        except EndpointError as error:
            raise self._not_reached(error) from None
        ours = next((entry for entry in listed.data if entry.id == self.model.model_id), None)
        if ours is not None:
            self._asker.context_length = self.context_length = ours.max_model_len
        else:
            await self._try_unlisted([entry.id for entry in listed.data])

    async def _try_unlisted(self, names: list[str]) -> None:
        name, url = self.model.model_id, self._endpoint.url
        shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        limit = min(TRY_S, self.args.timeout)
        question = {"model": name, "messages": [{"role": "user", "content": "Hi"}], self._dialect.limit: 16}
        try:
            async with asyncio.timeout(limit):
                reply = await self._first({**question, **self.args.extra_body})
            error = None if reply.status == 200 else error_of(reply)
        except NoAnswerError:
            return
        except EndpointError as failure:
            error = failure
        except TimeoutError:
            raise BackendError(f"{url} gave no answer within {limit:g} s. Is the server busy, or loading?") from None
        if error is not None:
            self._judge(error, names, shown)
        elif names:
            self.say(f"{url} does not list {name!r} (it lists {shown}), but answers to it.")

    async def _first(self, body: Mapping[str, Any]) -> Reply:
        """The reply to the first question, asked again once if the connection breaks: the list may have ended it."""
        try:
            return await self._client.post(PATH, body)
        except EndpointError as error:
            if error.kind != "lost" or error.unreached:
                raise
        return await self._client.post(PATH, body)

    def _judge(self, error: EndpointError, names: list[str], shown: str) -> None:
        """Raises if the first question shows that no other will be answered."""
        name, url = self.model.model_id, self._endpoint.url
        if error.status == 404 and names:
            hint = did_you_mean(name, names)
            raise UserError(f"{url} has no model {name!r}.{hint} It has: {shown}.")
        named = error.status in (400, 422) and name in str(error) and len(name) > 1
        if error.status in USELESS or error.code == REDIRECT or named or ends_the_run(error.words):
            raise UserError(self._asker.useless(error))
        if error.kind == "lost" or error.status == 403:
            raise self._not_reached(error)

    def _not_reached(self, error: EndpointError) -> BackendError | UserError:
        if error.kind == "refused":
            return UserError(f"{self._endpoint.url}: {self._asker.said(error)}.")
        return BackendError(
            f"no answer from {self._endpoint.url}: {self._asker.said(error)}. Is the server running, and is "
            "--backend-args base_url right?"
        )
