"""What is never written down nor shown: secrets among arguments and in addresses, known by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["is_secretive", "keep_secret", "redacted", "scrubbed", "scrubbed_environment"]

KEEP_ENVIRONMENT = "SKYTHOUGHT_KEEP_ENV"
"""Names of variables, by commas, that worker processes get although they look like secrets."""

_ENDS = ("key", "token", "headers", "keyid", "key_id")
_WORDS = {"auth", "authorization", "bearer", "cookie", "cookies", "credential", "credentials", "passphrase", "passwd"}
_WORDS |= {"pwd", "sig", "signature", "pat"}
_PARTS = ("secret", "password", "apikey", "x-amz-", "x-goog-")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_TELLING = re.compile(
    r"\b(?:Bearer|Basic)\s+(?=\S*[0-9=])[A-Za-z0-9+/=._~-]{8,}|\bsk-(?=\S*[0-9])[A-Za-z0-9_-]{16,}"
    r"|\b(?:hf|ghp|gho|github_pat)_[A-Za-z0-9_]{16,}|\b(?:glpat|xox[bp])-[A-Za-z0-9-]{16,}|\bAKIA[0-9A-Z]{16}\b"
)
"""Values that are secrets whatever they are called: `Bearer ...`, and keys by the beginnings that issuers gave them."""


SHORTEST = 6
"""Characters of a secret that is known by its text: shorter ones stand in other texts by chance."""
_kept: set[str] = set()


def keep_secret(text: str) -> None:
    """From now on the text is taken out wherever it stands: it came from a variable whose name tells a secret."""
    if len(text) >= SHORTEST:
        _kept.add(text)


def is_secretive(name: str) -> bool:
    """Whether an argument of this name may hold a secret: its value is then neither recorded nor repeated."""
    lowered = name.lower()
    words = re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower())
    return lowered.endswith(_ENDS) or any(part in lowered for part in _PARTS) or not _WORDS.isdisjoint(words)


def scrubbed(value: Any) -> Any:
    """The value without secrets at any depth: arguments of telling names, secrets in addresses, keys by their looks."""
    if isinstance(value, Mapping):
        return {key: scrubbed(item) for key, item in value.items() if not is_secretive(str(key))}
    if isinstance(value, list | tuple):
        if len(value) == 2 and isinstance(value[0], str) and is_secretive(value[0]):
            return [value[0]]  # a name with its value, as headers are sometimes written
        return [scrubbed(item) for item in value]
    return redacted(value) if isinstance(value, str) else value


def redacted(text: str) -> str:
    """The text with the addresses in it without passwords and telling parameters, and without keys.

    >>> redacted("see https://me:hunter2@host/x.jsonl?token=t&raw=1")
    'see https://host/x.jsonl?raw=1'
    """
    for secret in _kept:
        text = text.replace(secret, "***")
    if "://" in text:
        text = _ADDRESS.sub(lambda found: _address(found[0]), text)
    return _TELLING.sub("***", text)


def _address(address: str) -> str:
    scheme, _, rest = address.partition("://")
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    host, rest = rest[:end].rpartition("@")[2], rest[end:]
    path, mark, fragment = rest.partition("#")
    path, question, query = path.partition("?")
    kept = "&".join(part for part in query.split("&") if part and not is_secretive(part.partition("=")[0]))
    if "=" in fragment:
        mark = fragment = ""  # tokens are handed over this way, too
    question = question if kept or not query else ""
    return f"{scheme}://{host}{path}{question}{kept}{mark}{fragment}"


def scrubbed_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that a process which needs no secrets may see; those named in `SKYTHOUGHT_KEEP_ENV` stay."""
    kept = {name.strip() for name in variables.get(KEEP_ENVIRONMENT, "").split(",")}
    return {
        name: value
        for name, value in variables.items()
        if name in kept or not (is_secretive(name) or redacted(value) != value)
    }
