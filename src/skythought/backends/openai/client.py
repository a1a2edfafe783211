"""Requests over aiohttp: one each, bounded in size, redirects and silence; no retries here.

aiohttp itself and not the `openai` package: that makes objects of its own of every request, over httpx, over aiohttp,
which took three times the CPU; and it retries by rules that neither tell the user nor follow the load.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from skythought.backends.openai.endpoint import Endpoint
from skythought.backends.openai.errors import REDIRECT, EndpointError, NoAnswerError
from skythought.backends.openai.stream import Assembly
from skythought.errors import BackendError

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Client", "Reply"]

CONNECT_S = 15.0
MOST_BYTES = 32 * 2**20
"""Of an answer: some eight million tokens."""
LONGEST_HEADER = 2**20
MOST_REDIRECTS = 5
KEPT_ALIVE_S = 15.0
PROBED_AFTER_S = 60
"""An idle connection whose other end has vanished without a word is noticed after twice that."""

SENT_ON = frozenset({301, 302, 307, 308})
"""Followed with the same method and body, on the same host."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    completion: Mapping[str, Any] | None = None
    """What the pieces of a stream make; then there is no body."""
    retry_after: str | None = None
    first_token: float | None = None
    """Seconds until the first piece of text."""


class Client:
    """Connections to one endpoint. Use as `async with client:`."""

    def __init__(self, endpoint: Endpoint, most_in_flight: int, silence_s: float) -> None:
        self._endpoint = endpoint
        self._most = most_in_flight
        self._silence_s = silence_s
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Client:
        import aiohttp

        proxy, login = _proxy_for(self._endpoint.url)
        connector = aiohttp.TCPConnector(
            limit=self._most + 8,
            keepalive_timeout=KEPT_ALIVE_S,
            ssl=_certificates() if self._endpoint.url.startswith("https") else True,
            socket_factory=_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"Content-Type": "application/json", "Accept": "application/json", **self._endpoint.headers},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=proxy,
            proxy_auth=aiohttp.BasicAuth(*login) if login else None,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
            max_headers=1000,
        )
        self._whole = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        self._in_pieces = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=self._silence_s)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str) -> Reply:
        """The answer to a GET, whatever its status. Raises as `post` does."""
        return await self._send("GET", path, None, stream=False)

    async def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """The answer to a POST of a JSON body, whatever its status.

        Raises:
            EndpointError: There is none: the connection came to nothing, or the endpoint sends us elsewhere.
            NoAnswerError: It is larger than anything that an answer can be, or a stream that broke off.
            BackendError: No connection can be opened from here.
        """
        return await self._send("POST", path, json.dumps(body).encode(), stream=bool(body.get("stream")))

    async def _send(self, method: str, path: str, data: bytes | None, *, stream: bool, tries: int = 3) -> Reply:
        import aiohttp

        address = self._endpoint.address(path)
        timeout = self._in_pieces if stream else self._whole
        started = time.perf_counter()
        try:
            for _ in range(MOST_REDIRECTS + 1):
                async with self._session.request(
                    method, address, data=data, timeout=timeout, allow_redirects=False
                ) as response:
                    if response.status not in SENT_ON:
                        return await _reply(response, started)
                    address = self._redirected(address, response)
        except aiohttp.ClientConnectionError as error:
            if tries > 1 and isinstance(error, aiohttp.ClientConnectionResetError):
                # A kept connection that the server had closed meanwhile: nothing was sent.
                return await self._send(method, path, data, stream=stream, tries=tries - 1)
            if _is_out_of_files(error):
                raise _out_of_files(self._most) from None
            unreached = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
            text = self._told(error, stream)
            raise EndpointError("lost", text, unreached=unreached) from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise EndpointError("lost", self._told(error, stream)) from None
        shown = address.partition("?")[0]
        raise EndpointError("refused", f"it sends us from one address to the next ({shown})", code=REDIRECT)

    def _redirected(self, address: str, response: aiohttp.ClientResponse) -> str:
        """Where we are sent, if that is the same host: a key is no other host's business."""
        target = urljoin(address, response.headers.get("Location", ""))
        there, here = urlsplit(target), urlsplit(address)
        if there.hostname != here.hostname or (here.scheme, there.scheme) == ("https", "http"):
            shown = target.partition("?")[0]
            raise EndpointError(
                "refused",
                f"HTTP {response.status}: it sends us to {shown}; if that is right, give it as base_url",
                code=REDIRECT,
            )
        return target

    def _told(self, error: Exception, stream: bool) -> str:
        import aiohttp

        if isinstance(error, aiohttp.SocketTimeoutError) and stream:
            return f"silent for {self._silence_s:g} s"
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return f"no connection within {CONNECT_S:g} s"
        return _connection_text(error)


async def _reply(response: aiohttp.ClientResponse, started: float) -> Reply:
    retry_after = response.headers.get("retry-after")
    if response.status == 200 and response.headers.get("Content-Type", "").startswith("text/event-stream"):
        return await _put_together(response, started)
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) <= MOST_BYTES and "Content-Encoding" not in response.headers:
        return Reply(response.status, await response.read(), retry_after=retry_after)
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        _check_size(size)
        parts.append(part)
    return Reply(response.status, b"".join(parts), retry_after=retry_after)


async def _put_together(response: aiohttp.ClientResponse, started: float) -> Reply:
    first, size = None, 0
    assembly = Assembly()
    async for part in response.content.iter_any():
        size += len(part)
        _check_size(size, 16 * MOST_BYTES)  # every token in an envelope of its own
        assembly.feed(part)
        if first is None and assembly.has_begun:
            first = time.perf_counter() - started
    return Reply(200, b"", assembly.completion(), first_token=first)


def _check_size(size: int, most: int = MOST_BYTES) -> None:
    if size > most:
        raise NoAnswerError(f"the endpoint sent more than {most // 2**20} MiB", again=False)


def _socket(address: tuple[Any, ...]) -> socket.socket:
    made = socket.socket(address[0], address[1], address[2])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", PROBED_AFTER_S), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made


def _certificates() -> ssl.SSLContext:
    """The machine's certificates (or SSL_CERT_FILE's), and certifi's beside them where nothing was named."""
    context = ssl.create_default_context()
    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _proxy_for(url: str) -> tuple[str | None, tuple[str, str] | None]:
    """The proxy by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, with user and password apart."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None, None
    at = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = (unquote(at.username), unquote(at.password or "")) if at.username else None
    return at._replace(netloc=at.netloc.rpartition("@")[2]).geturl(), login


def _connection_text(error: BaseException) -> str:
    """The words of the operating system, where they are at the bottom of it: "Connection refused"."""
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    if isinstance(root, OSError) and not isinstance(root, ssl.SSLError | socket.gaierror) and root.errno:
        return os.strerror(root.errno)
    return str(getattr(root, "strerror", None) or root or error) or type(root).__name__


def _is_out_of_files(error: BaseException) -> bool:
    root: BaseException | None = error
    while root is not None:
        if isinstance(root, OSError) and root.errno in (23, 24):
            return True
        root = root.__cause__
    return False


def _out_of_files(most: int) -> BackendError:
    return BackendError(
        f"too many open files: {most} requests in flight want a file handle each. Raise the limit "
        f"(`ulimit -n {2 * most}`), or ask for fewer at a time (--batch-size, --backend-args concurrency=N). What was "
        "answered is kept; --resume goes on."
    )
