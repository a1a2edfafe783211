"""The page's HTML: a policy that lets nothing run but the bundle, static figures, the index, the bundle, then texts.

The bundle stands before the texts, so that it shows the index while a browser still reads a hundred megabytes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from pathlib import Path

from skythought.printable import printable

__all__ = ["DOCTYPE", "END", "POLICY", "before_data", "data", "policy", "script"]

FOLDER = Path(__file__).parent / "page"
DOCTYPE = b"<!doctype html>\n"
POLICY = "default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
POLICY += "form-action 'none'"
_ENDS_SCRIPT = re.compile(r"</script|<!--", re.IGNORECASE)
_ENDS_STYLE = re.compile("</style", re.IGNORECASE)


@cache
def _script() -> str:
    """The bundle. Browsers hash a script after its line ends became newlines."""
    text = (FOLDER / "page.js").read_text(encoding="utf-8").replace("\r\n", "\n")
    assert not _ENDS_SCRIPT.search(text), "the bundle would end its own element"
    return text


@cache
def _style() -> str:
    text = (FOLDER / "page.css").read_text(encoding="utf-8")
    assert not _ENDS_STYLE.search(text), "the style sheet would end its own element"
    return text


def policy(*, served: bool) -> str:
    """The Content-Security-Policy: the bundle by its hash, and no address but (where served) the page's own."""
    digest = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode("ascii")
    return POLICY.format(hash=digest) + ("; connect-src 'self'" if served else "")


def before_data(title: str, static: str, *, served: bool = False) -> bytes:
    """The page up to its data.

    Args:
        static: HTML of the figures, escaped by whoever made it.
        served: Whether the page asks a server for its data.
    """
    head = [
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy(served=served)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="generator" content="skythought">',
        *(['<meta name="skythought" content="served">'] if served else []),
        f"<title>{html.escape(printable(title))}</title>",
        f"<style>{_style()}</style>",
        "</head>",
        "<body>",
        f'<main id="static">{static}</main>',
        '<div id="app"></div>\n',
    ]
    return DOCTYPE + "\n".join(head).encode("utf-8", "replace")


def data(name: str, packed: bytes, *, block: bool = False) -> bytes:
    """An element that holds packed data; browsers do not run it."""
    kind = ' class="block"' if block else ""
    return f'<script type="application/octet-stream"{kind} id="{name}">'.encode() + packed + b"</script>\n"


def script() -> bytes:
    """The element of the bundle: after the index, before the texts."""
    return f"<script>{_script()}</script>\n".encode()


END = b"</body>\n</html>\n"
"""Of the page."""
