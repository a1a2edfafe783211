"""Where an endpoint is, and what went wrong there: one line, in words, without secrets."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from skythought.errors import UserError

__all__ = ["Endpoint", "error_text", "normal_url", "pause"]

LONGEST = 400
"""Characters of a message; some endpoints answer with a whole page."""

PAUSE_S = 30.0
"""Between rounds of retries while an endpoint limits the rate and does not say how long."""

PATHS = ("/chat/completions", "/completions", "/models")
"""What people paste after the address; the client adds it itself."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and what must never be shown of it."""

    url: str
    """Without user and password."""
    headers: Mapping[str, str]
    """To send with every request."""
    secrets: frozenset[str]

    @classmethod
    def at(cls, url: str, key: str, headers: Mapping[str, str]) -> Endpoint:
        """The endpoint at `url`; a user and password in it go into a header, as the HTTP client wants them."""
        parts = urlsplit(url)
        login, _, place = parts.netloc.rpartition("@")
        secrets = {key, login, *headers.values()}
        if login:
            token = base64.b64encode(unquote(login).encode()).decode()
            headers = {"Authorization": f"Basic {token}", **headers}
            secrets |= {token, unquote(login), *login.split(":")[1:], *unquote(login).split(":")[1:]}
        return cls(urlunsplit(parts._replace(netloc=place)), headers, frozenset(secrets - {""}))

    @property
    def host(self) -> str:
        """The host's name, in lower case."""
        return urlsplit(self.url).hostname or ""

    def line(self, text: str) -> str:
        """`text` as one line of bearable length without secrets."""
        # Longest first: a secret may be part of another one.
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        text = " ".join(text.split())
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."

    def said(self, error: Exception) -> str:
        """What an exception of the client means: the endpoint's own words, or what became of the connection."""
        status = getattr(error, "status_code", None)
        if status is not None:
            return self.line(f"HTTP {status}: {error_text(getattr(error, 'body', None)) or 'no explanation'}")
        return self.line(_connection_text(error))


def normal_url(url: str) -> str:
    """A base URL without what people paste after it.

    Raises:
        UserError: No scheme, or no host.
    """
    url = url.strip()
    shown = url.rpartition("@")[2]
    if "://" not in url:
        raise UserError(f"--backend-args base_url: {shown!r} has no scheme; did you mean 'http://{shown}'?")
    url = url.rstrip("/")
    for path in PATHS:
        url = url.removesuffix(path)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise UserError(f"--backend-args base_url: {shown!r} is no address such as http://localhost:8000/v1.")
    return url


def error_text(body: Any) -> str:
    """What an error body says, whatever its shape: OpenAI's, FastAPI's `detail`, plain text."""
    if isinstance(body, Mapping):
        return str(body.get("message") or body.get("detail") or body.get("error") or dict(body))
    return str(body or "")


def _connection_text(error: Exception) -> str:
    """The words of the operating system, where they are at the bottom of it: "Connection refused"."""
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    if isinstance(root, ConnectionError) and root.errno:
        return os.strerror(root.errno)
    if isinstance(root, OSError) and root.strerror:
        return root.strerror
    return str(error.__cause__ or error) or type(root).__name__


def pause(retry_after: str | None) -> float:
    """Seconds to wait by a Retry-After header (a number or a date); a fixed pause if it is absent or odd."""
    try:
        return max(0.0, float(retry_after or ""))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(retry_after or "")
    except ValueError:
        return PAUSE_S
    return max(0.0, until.timestamp() - time.time())
