"""Where an endpoint is, and what must never be shown of it."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from skythought.errors import UserError

__all__ = ["Endpoint", "normal_url", "seconds_to_wait"]

LONGEST = 400
"""Characters of a message; some endpoints answer with a whole page."""

SURELY_SECRET = 8
"""A secret of so many characters is masked wherever it stands, a shorter one as a word of its own."""

NO_SECRETS = frozenset({"empty", "none", "null", "dummy", "fake", "test", "token", "key", "model", "local", "true"})
"""What people give as a key to servers that want none."""

PATHS = ("/chat/completions", "/completions", "/models")
"""What people paste after the address; we add it ourselves."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and what must never be shown of it."""

    url: str
    """Without user, password and query: for people."""
    query: str
    """What follows the `?` of every request's address."""
    headers: Mapping[str, str]
    """To send with every request."""
    secrets: frozenset[str]

    @classmethod
    def at(cls, url: str, key: str, headers: Mapping[str, str]) -> Endpoint:
        """The endpoint at `url`; a user and password in it go into a header, as servers want them."""
        parts = urlsplit(url)
        login, _, place = parts.netloc.rpartition("@")
        secrets = {key, login, *headers.values()}
        secrets |= {value for name, value in parse_qsl(parts.query) if "version" not in name.lower()}
        if login:
            token = base64.b64encode(unquote(login).encode()).decode()
            headers = {"Authorization": f"Basic {token}", **headers}
            secrets |= {token, unquote(login), *login.split(":")[1:], *unquote(login).split(":")[1:]}
        shown = urlunsplit(parts._replace(netloc=place, query="", fragment=""))
        return cls(shown, parts.query, headers, frozenset(secret for secret in secrets if _can_be_secret(secret)))

    @property
    def host(self) -> str:
        """The host's name, in lower case."""
        return urlsplit(self.url).hostname or ""

    def address(self, path: str) -> str:
        """Where a request goes."""
        return f"{self.url}{path}?{self.query}" if self.query else f"{self.url}{path}"

    def line(self, text: str) -> str:
        """`text` as one line of bearable length without secrets."""
        # Longest first: a secret may be part of another one.
        for secret in sorted(self.secrets, key=len, reverse=True):
            pattern = re.escape(secret)
            text = re.sub(pattern if len(secret) >= SURELY_SECRET else rf"(?<!\w){pattern}(?!\w)", "***", text)
        text = " ".join(text.split())
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _can_be_secret(text: str) -> bool:
    """Servers without keys get one of a letter or two: masked, it would hide half of every message."""
    return len(text) >= 4 and text.lower() not in NO_SECRETS


def normal_url(url: str) -> str:
    """A base URL without what people paste after it; its query stays.

    Raises:
        UserError: No scheme, or no host.
    """
    url = url.strip()
    shown = url.partition("?")[0].rpartition("@")[2]
    if "://" not in url:
        raise UserError(f"--backend-args base_url: {shown!r} has no scheme; did you mean 'http://{shown}'?")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise UserError(f"--backend-args base_url: {shown!r} is no address such as http://localhost:8000/v1.")
    path = parts.path.rstrip("/")
    for tail in PATHS:
        path = path.removesuffix(tail)
    return urlunsplit(parts._replace(path=path, fragment=""))


def seconds_to_wait(retry_after: str | None) -> float | None:
    """Seconds to wait by a Retry-After header (a number or a date); None if it is absent or odd."""
    try:
        wait = float(retry_after or "")
        return max(0.0, wait) if wait == wait and wait != float("inf") else None
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(retry_after or "")
    except ValueError:
        return None
    return max(0.0, until.timestamp() - time.time())
