"""One request at a time to its end: sent, sent again, adapted to what the endpoint takes, or given up.

A request is retried after what may pass (408, 409, 5xx, a lost connection, an answer that is none). It waits, however
often, while the endpoint limits the rate or is away. What all others would meet as well ends the run.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from skythought.backends.openai.answers import decoded, error_in, read
from skythought.backends.openai.args import OpenAIArgs
from skythought.backends.openai.client import Client, Reply
from skythought.backends.openai.completions import Dialect
from skythought.backends.openai.endpoint import Endpoint, seconds_to_wait
from skythought.backends.openai.errors import REDIRECT, EndpointError, Kind, NoAnswerError
from skythought.backends.openai.pace import Pace
from skythought.backends.openai.refusals import (
    LIMITS,
    Limits,
    advice,
    ends_the_run,
    parameter_refused,
    same_words,
    wants_stream,
)
from skythought.errors import BackendError, UserError
from skythought.types import Request, Response

__all__ = ["Asker", "error_of"]

PATH = "/chat/completions"

USELESS = frozenset({401, 402, 404, 405})
"""Wrong key, no credit, no such model or address: the same for every request, so the first one ends the run."""

SAME_MAX = 5
"""So many requests in a row, refused in the same words, end the run."""

BUSY = frozenset({429, 529})
GATEWAY = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530})
"""A server in front of the endpoint could not reach it, or waited too short."""
PASSING = frozenset({408, 409, 425})

UNUSABLE_RETRIES = 3
"""An answer that is none is mostly none again."""

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 8.0
PAUSE_S = 1.0
"""Before a request that was too many is sent again, while others are being answered."""


class Asker:
    """Asks one endpoint, and learns how it wants to be asked."""

    def __init__(
        self,
        endpoint: Endpoint,
        dialect: Dialect,
        client: Client,
        args: OpenAIArgs,
        pace: Pace,
        say: Callable[[str], None],
    ) -> None:
        self.dialect = dialect
        self.context_length: int | None = None
        self._endpoint = endpoint
        self._client = client
        self._args = args
        self._pace = pace
        self._say = say
        self._most_output: int | None = None
        self._refused = ("", 0)
        """The words of the last refusal, and how many requests in a row met it."""
        self._told: set[str] = set()
        self._away_since: float | None = None
        self._jitter = random.Random()

    async def ask(self, request: Request) -> Response:
        """The response to one request.

        Raises:
            EndpointError: This sample failed.
            TimeoutError: It took longer than it may.
            SkythoughtError: No further request makes sense.
        """
        left = self._args.timeout
        fits: int | None = None
        tries = 0
        while True:
            await self._pace.enter()
            started = time.perf_counter()
            try:
                body = self._body(request, fits)  # not before: others may have learned more meanwhile
                async with asyncio.timeout(left):
                    response = await self._once(request, body, started)
                self._served(request, body)
                return response
            except EndpointError as error:
                left -= time.perf_counter() - started
                if error.kind == "refused":
                    fits = self._adapted(error, request, body)
                    continue
                wait = self._wait(error, request, tries)
                tries += error.kind != "busy" and not self._pace.is_away
            finally:
                self._pace.leave()
            left -= await _slept(wait, left)

    async def _once(self, request: Request, body: Mapping[str, Any], started: float) -> Response:
        reply = await self._client.post(PATH, body)
        if reply.status != 200:
            raise error_of(reply)
        completion = reply.completion if reply.completion is not None else decoded(reply.body)
        if isinstance(completion, Mapping) and completion.get("error") and not completion.get("choices"):
            raise error_of(reply, completion)
        return read(
            completion,
            request,
            time.perf_counter() - started,
            echoed=self._args.prefill_echoed,
            first_token=reply.first_token,
            sent=self.dialect.changes or None,
        )

    # -- what is sent

    def _body(self, request: Request, fits: int | None) -> dict[str, Any]:
        body = self.dialect.body(request)
        limit = self.dialect.limit
        if limit in body:
            body[limit] = self._most(body[limit]) if fits is None else fits
        return body

    def _most(self, asked: int) -> int:
        """`asked` or what is known to fit at most, whatever the prompt."""
        return min(bound for bound in (asked, self.context_length, self._most_output) if bound is not None)

    def _served(self, request: Request, body: Mapping[str, Any]) -> None:
        self._pace.served()
        self._refused = ("", 0)
        if self._away_since is not None:
            away = time.monotonic() - self._away_since
            self._away_since = None
            self._say(f"{self._endpoint.url} answers again, after {away:.0f} s.")
        asked = request.sampling.max_tokens
        if body.get(self.dialect.limit, asked) < asked:
            most = self._most(asked)
            self._say(f"max_tokens is {asked}, but the endpoint allows {most}: longer answers are cut off.")

    # -- what went wrong

    def _wait(self, error: EndpointError, request: Request, tries: int) -> float:
        """Seconds to wait before the next try; raises if there is none."""
        if error.kind in ("busy", "unusable") and ends_the_run(error.words):
            raise BackendError(self.useless(error)) from None
        told = seconds_to_wait(error.retry_after)
        if error.kind == "busy":
            self._pace.refused(told)
            self._tell(
                f"{self._endpoint.url} is overloaded ({self.said(error)}): requests wait and are sent again.", error
            )
            self._check_patience(error, self._args.timeout)
            return PAUSE_S if told is None else told
        if error.kind == "lost":
            if error.status == 503 and self._pace.in_flight > 1:
                self._pace.refused(told)
            if self._pace.lost(request.key, unreached=error.unreached, wait=told):
                self._away(error)
                return 0.0
        most = self._args.max_retries
        if isinstance(error, NoAnswerError):
            most = min(most, UNUSABLE_RETRIES) if error.again else 0
        if tries >= most:
            raise error
        backoff = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**tries) * (1 - 0.25 * self._jitter.random())
        return backoff if told is None else told

    def _away(self, error: EndpointError) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
        self._check_patience(error, self._args.patience)
        self._tell(
            f"{self._endpoint.url} is away ({self.said(error)}): requests wait for it, up to {self._args.patience:g} s "
            "(--backend-args patience=SECONDS).",
            error,
        )

    def _check_patience(self, error: EndpointError, patience_s: float) -> None:
        since = self._away_since or self._pace.failing_since
        silent = time.monotonic() - since if since is not None else 0.0
        if silent >= patience_s:
            raise BackendError(
                f"{self._endpoint.url} is gone: no answer for {silent:.0f} s ({self.said(error)}). What was answered "
                "is kept; --resume goes on."
            ) from None

    def _tell(self, line: str, error: EndpointError) -> None:
        """Say something, once for each wording."""
        words = same_words(f"{error.kind} {error}")
        if words not in self._told:
            self._told.add(words)
            self._say(line)

    # -- refusals

    def _adapted(self, error: EndpointError, request: Request, body: Mapping[str, Any]) -> int | None:
        """What the refused request must be sent with instead: a lower limit for it alone, or None after the dialect has
        changed for all. Raises if neither helps.

        What fits beside a prompt is taken for that request alone, so that the order of requests decides nothing.
        """
        refusal, limit = str(error), self.dialect.limit
        if not self.dialect.stream and wants_stream(refusal) and self._args.stream == "auto":
            self.dialect = self.dialect.streaming()
            self._say(f"{self._endpoint.url} gives such answers only as a stream: so they are taken.")
            return body.get(limit)
        told = Limits.told_by(refusal)
        asked = body.get(limit)
        fits = told.most_tokens(asked) if isinstance(asked, int) and error.status in (400, 413, 422) else None
        if fits is not None:
            self.context_length = told.context or self.context_length
            self._most_output = told.output or self._most_output
            return fits
        name = parameter_refused(refusal, body.keys())
        if name is not None and name not in self._args.extra_body and self._without(name, error):
            return None
        self._refuse(error, body)
        raise error

    def _without(self, name: str, error: EndpointError) -> bool:
        """Leave a parameter out from now on; False if that was tried."""
        before = self.dialect
        if name in LIMITS and name == before.limit and before.other_limit:
            return False  # it takes neither name
        if name == before.limit or (name not in LIMITS and name not in before.left_out):
            self.dialect = before.without(name)
            instead = f"{self.dialect.limit} is sent instead" if name in LIMITS else "it is left out of all requests"
            self._say(f"{self._endpoint.url} takes no {name} ({self.said(error)}): {instead}.")
        return True

    def _refuse(self, error: EndpointError, body: Mapping[str, Any]) -> None:
        """Raises if the refusal would meet all others too."""
        said = self.said(error)
        if error.status in USELESS or error.code == REDIRECT or ends_the_run(error.words):
            raise BackendError(self.useless(error)) from None
        if "continue_final_message" in str(error):
            raise UserError(
                f"{self._endpoint.url} cannot continue a turn of the assistant ({said}): run without "
                "--assistant-prefill, or say how it wants to be asked: --backend-args prefill=prefix or plain."
            ) from None
        words, times = self._refused
        now = same_words(said)
        self._refused = (now, times + 1 if now == words else 1)
        if self._refused[1] >= SAME_MAX:
            what = advice(error.words, error.status, self.dialect.model.model_id, body.keys())
            raise BackendError(
                f"{self._endpoint.url} refused {SAME_MAX} requests in a row in the same words: "
                f"{said.rstrip('.')}. {what}"
            ) from None

    def said(self, error: EndpointError) -> str:
        """What the endpoint said, or what became of the connection: one line without secrets."""
        return said(self._endpoint, error)

    def useless(self, error: EndpointError) -> str:
        """One line for a refusal that would meet every request, with what to do."""
        what = advice(error.words, error.status, self.dialect.model.model_id, ())
        return f"{self._endpoint.url} refused: {self.said(error).rstrip('.')}. {what}"


def said(endpoint: Endpoint, error: EndpointError) -> str:
    """What an error says, with its status; one line without secrets."""
    return endpoint.line(f"HTTP {error.status}: {error}" if error.status is not None else str(error))


def error_of(reply: Reply, value: Any = None) -> EndpointError:
    """What a reply without an answer in it is.

    Args:
        value: The JSON value in it, if it is known: an error object with "200 OK" tells its real status, mostly.
    """
    status = reply.status
    if value is None:
        try:
            value = decoded(reply.body)
        except NoAnswerError:
            value = reply.body[:4000].decode("utf-8", "replace")
    text, code = error_in(value)
    if status == 200:
        inner = value.get("error") if isinstance(value, Mapping) else None
        given = inner.get("code", inner.get("status")) if isinstance(inner, Mapping) else None
        if not (isinstance(given, int | str) and str(given).isdecimal() and 400 <= int(given) < 600):
            return NoAnswerError(f"the endpoint sent an error with HTTP 200: {text}")
        status = int(given)
    if 200 < status < 300:
        return NoAnswerError(f"the endpoint sent no answer, but HTTP {status}")
    text = text or "no explanation"
    return EndpointError(_kind(status), text, status=status, code=code, retry_after=reply.retry_after)


def _kind(status: int) -> Kind:
    if status in BUSY:
        return "busy"
    if status in GATEWAY:
        return "lost"
    return "passing" if status in PASSING or status >= 500 else "refused"


async def _slept(seconds: float, left: float) -> float:
    """Sleep, but not beyond what is left; the seconds slept.

    Raises:
        TimeoutError: Nothing is left.
    """
    if seconds >= left:
        await asyncio.sleep(max(0.0, left))
        raise TimeoutError
    if seconds > 0:
        await asyncio.sleep(seconds)
    return seconds
