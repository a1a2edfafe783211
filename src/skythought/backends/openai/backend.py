"""Any OpenAI-compatible endpoint, through the `openai` package over aiohttp.

The package retries (408, 409, 429, 5xx, lost connections) with backoff and obeys Retry-After. Here is decided what the
rest means: a sample that failed, or an endpoint with which the run cannot go on.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import ValidationError

from skythought.backends.base import ConcurrentBackend, with_switches
from skythought.backends.openai.args import OpenAIArgs
from skythought.backends.openai.completions import (
    SAMPLING,
    SERVER_DECIDES,
    Dialect,
    Limits,
    ModelList,
    NoAnswerError,
    is_openai,
    is_reasoning,
    read,
)
from skythought.backends.openai.endpoint import Endpoint, normal_url, pause
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError, did_you_mean
from skythought.types import Request, Response

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI, RequestOptions

__all__ = ["OpenAIBackend"]

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "EMPTY"
"""Sent where there is no key: the package wants one, servers without keys ignore it."""

CONNECT_S = 15.0
CHECK_S = 60.0
"""For listing the models: a busy server may take its time."""

OBEYED_S = 120.0
"""The longest Retry-After that the package itself waits for; asked for more, it gives up at once."""

USELESS = frozenset({401, 402, 404, 405})
"""Wrong key, no credit, no such model or address: the same for every request, so the first one ends the run."""

AWAY = frozenset({403, 502, 503, 504})
"""May hit a single request (a filter, a gateway that waits too short) or mean that the endpoint is gone."""

GONE_AFTER = 5
"""Requests in a row that came to nothing this way, each after all its retries, before the run ends."""

ADVICE = {
    401: "Check the key: OPENAI_API_KEY, or --backend-args api_key=...",
    402: "The account has no credit left.",
    403: "Check what the key may do: OPENAI_API_KEY, or --backend-args api_key=...",
    429: "The account's quota is used up.",
}


class OpenAIBackend(ConcurrentBackend[OpenAIArgs]):
    """One model behind one endpoint, asked for one sample a request."""

    sampling: ClassVar[frozenset[str]] = SAMPLING
    requires: ClassVar[tuple[str, ...]] = ("openai", "aiohttp")

    def __init__(self, model: ModelConfig, args: OpenAIArgs, *, batch_size: int = 64) -> None:
        super().__init__(model, args, batch_size=batch_size)
        self._key = args.api_key.get_secret_value() if args.api_key else os.environ.get("OPENAI_API_KEY", "")
        self._endpoint = Endpoint.at(
            args.base_url or normal_url(os.environ.get("OPENAI_BASE_URL") or OPENAI_URL),
            self._key,
            {name: value.get_secret_value() for name, value in args.default_headers.items()},
        )
        self._dialect = Dialect(
            model=model,
            host=self._endpoint.host,
            reasoning=is_reasoning(model.model_id) if args.reasoning is None else args.reasoning,
            send_seed=args.send_seed,
            prefill=args.prefill,
            extra_body=args.extra_body,
        )
        self._client: AsyncOpenAI
        self._most_output: int | None = None
        self._undelivered = 0
        """How many requests in a row."""

    @classmethod
    def reproducible(cls, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        return with_switches(values, {"send_seed": True}), list(SERVER_DECIDES)

    async def __aenter__(self) -> Self:
        self._dialect.check_model()
        self._client = self._connect()
        try:
            await self._check_endpoint()
        except BaseException:
            await self._client.close()
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
        await self._client.close()

    @property
    def in_flight(self) -> int:
        return self.args.concurrency or self.batch_size

    def _connect(self) -> AsyncOpenAI:
        import openai

        if not self._key and is_openai(self._endpoint.host):
            raise UserError(f"{self._endpoint.url} wants a key: set OPENAI_API_KEY, or --backend-args api_key=...")
        # No limit on reading: an answer comes whole after minutes of silence; `answer` limits the sample instead.
        timeout = openai.Timeout(None, connect=CONNECT_S)
        # The type is httpx's or httpx2's, whichever the package is built on.
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(max_connections=self.in_flight, keepalive_expiry=CONNECT_S)
        return openai.AsyncOpenAI(
            base_url=self._endpoint.url,
            api_key=self._key or NO_KEY,
            organization=self.args.organization,
            project=self.args.project,
            default_headers=self._endpoint.headers,
            max_retries=self.args.max_retries,
            timeout=timeout,
            http_client=openai.DefaultAioHttpClient(timeout=timeout, limits=limits),
        )

    async def _check_endpoint(self) -> None:
        """Ask for the list of models; if ours is not on it, ask the model for a word.

        The list alone does not decide: `transformers serve` lists what lies in a cache (or fails), llama.cpp answers to
        any name, gateways have patterns, and some servers list nothing.
        """
        from openai import APIStatusError

        listed = ModelList()
        try:
            options: RequestOptions = {"max_retries": 1, "timeout": CHECK_S}
            text = await self._client.get("/models", cast_to=str, options=options)
            listed = ModelList.model_validate_json(text)
        except ValidationError:
            pass  # some page or other: no list
        except APIStatusError as error:
            # A key may be allowed to ask, but not to list.
            if error.status_code == 401 or (error.status_code == 403 and "scope" not in error.message):
                raise UserError(self._useless(error)) from None
        except _connection_errors() as error:
            raise self._unreachable(error) from None
        ours = next((entry for entry in listed.data if entry.id == self.model.model_id), None)
        if ours is not None:
            self.context_length = ours.max_model_len
        else:
            await self._try_unlisted([entry.id for entry in listed.data])

    async def _try_unlisted(self, names: list[str]) -> None:
        from openai import APIStatusError

        name, url = self.model.model_id, self._endpoint.url
        shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        question = {"model": name, "messages": [{"role": "user", "content": "Hi"}], self._dialect.limit: 16}
        try:
            # Patiently: a server may have to load the model first.
            options: RequestOptions = {"max_retries": 2, "timeout": self.args.timeout}
            await self._client.post("/chat/completions", cast_to=str, body=question, options=options)
        except APIStatusError as error:
            if error.status_code == 404 and names:
                hint = did_you_mean(name, names)
                raise UserError(f"{url} has no model {name!r}.{hint} It has: {shown}.") from None
            said = self._endpoint.said(error)
            if error.status_code in USELESS or (error.status_code in (400, 422) and name in said):
                raise UserError(self._useless(error)) from None
            if error.status_code in AWAY:
                raise self._unreachable(error) from None
            return  # the question was odd, not the name: the run will tell
        except _connection_errors() as error:
            raise self._unreachable(error) from None
        if names:
            self.say(f"{url} does not list {name!r} (it lists {shown}), but answers to it.")

    async def answer(self, request: Request) -> Response:
        """The response to one request; a failed one is one too.

        Raises:
            SkythoughtError: No further request makes sense.
        """
        from openai import APIStatusError

        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.args.timeout):
                answer = await self._ask(self._dialect.body(request))
            self._undelivered = 0
            seconds = time.perf_counter() - started
            return read(answer, request, seconds, echoed=self.args.prefill_echoed)
        except TimeoutError:
            why = f"no answer within {self.args.timeout:g} s"
        except NoAnswerError as error:
            why = self._endpoint.line(str(error))
        except APIStatusError as error:
            why = self._failed(error)
        except _connection_errors() as error:
            why = self._not_delivered(error)
        return request.failed(why, seconds=time.perf_counter() - started)

    async def _ask(self, body: dict[str, Any]) -> str:
        """The text of the answer; asked again with a lower limit where the endpoint says what fits.

        What fits beside a prompt is taken for that request alone, so that the order of requests decides nothing.
        """
        from openai import APIStatusError

        field = self._dialect.limit
        asked = body[field]
        limit = self._most(asked)
        while True:
            try:
                answer = await self._post({**body, field: limit})
            except APIStatusError as error:
                told = Limits.told_by(self._endpoint.said(error))
                fits = told.most_tokens(limit) if error.status_code in (400, 413, 422) else None
                if fits is None:
                    raise
                self.context_length = told.context or self.context_length
                self._most_output = told.output or self._most_output
                limit = fits
            else:
                if limit < asked:
                    most = self._most(asked)
                    self.say(f"max_tokens is {asked}, but the endpoint allows {most}: longer answers are cut off.")
                return answer

    def _most(self, asked: int) -> int:
        """`asked` or what is known to fit at most, whatever the prompt."""
        return min(bound for bound in (asked, self.context_length, self._most_output) if bound is not None)

    async def _post(self, body: dict[str, Any]) -> str:
        """One request, patiently: while the endpoint is overloaded, it only waits."""
        from openai import APIStatusError

        while True:
            try:
                # The answer as text, and not as the package's own objects: they took half as much CPU again.
                return await self._client.post("/chat/completions", cast_to=str, body=body)
            except APIStatusError as error:
                if error.code == "insufficient_quota":
                    raise BackendError(self._useless(error)) from None
                wait = pause(error.response.headers.get("retry-after"))
                if error.status_code != 429 and wait <= OBEYED_S:
                    raise
                code = error.status_code
                self.say(f"{self._endpoint.url} is overloaded (HTTP {code}): requests wait and are sent again.")
                await asyncio.sleep(wait)

    def _failed(self, error: APIStatusError) -> str:
        """Why this sample failed; raises instead if all others would fail too."""
        said = self._endpoint.said(error)
        if error.status_code in USELESS:
            raise BackendError(self._useless(error)) from None
        if error.status_code in AWAY:
            return self._not_delivered(error)
        if "continue_final_message" in said:
            raise UserError(
                f"{self._endpoint.url} cannot continue a turn of the assistant ({said}): run without "
                "--assistant-prefill, or say how it wants to be asked: --backend-args prefill=prefix or plain."
            ) from None
        self._undelivered = 0
        return said

    def _not_delivered(self, error: Exception) -> str:
        self._undelivered += 1
        if self._undelivered >= GONE_AFTER:
            raise BackendError(
                f"{self._endpoint.url} is gone: {GONE_AFTER} requests in a row failed after "
                f"{self.args.max_retries} retries each ({self._endpoint.said(error)}). "
                "What was answered is kept; --resume goes on."
            ) from None
        return self._endpoint.said(error)

    def _unreachable(self, error: Exception) -> BackendError:
        return BackendError(
            f"no answer from {self._endpoint.url}: {self._endpoint.said(error)}. Is the server running, and is "
            "--backend-args base_url right?"
        )

    def _useless(self, error: APIStatusError) -> str:
        """One line for a refusal that would meet every request, with what to do."""
        question = f"Is {self.model.model_id!r} its name there, and is base_url right (most end in /v1)?"
        advice = ADVICE.get(error.status_code, question)
        return f"{self._endpoint.url} refused: {self._endpoint.said(error).rstrip('.')}. {advice}"


def _connection_errors() -> tuple[type[Exception], ...]:
    """What the package raises for a connection, and what its transport over aiohttp forgets to translate."""
    from aiohttp import ClientError
    from openai import APIError

    return (APIError, ClientError)
