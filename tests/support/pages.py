"""Reading a report as a browser does: its elements, and what is packed in them."""

from __future__ import annotations

import base64
import gzip
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class Page(HTMLParser):
    """What an HTML page holds."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.static = ""
        """The text in `<main id="static">`."""
        self.tags: list[str] = []
        """Of the elements in there."""
        self.policy = ""
        self.scripts: dict[str, str] = {}
        """Data elements by id; the bundle has none."""
        self._script: str | None = None
        self._static = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if tag == "script":
            self._script = given.get("id") or ""
            self.scripts[self._script] = ""
        elif tag == "main":
            self._static = True
        elif self._static:
            self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None
        elif tag == "main":
            self._static = False

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self.scripts[self._script] += data
        elif self._static:
            self.static += data + " "

    @property
    def index(self) -> dict[str, Any]:
        """The index."""
        return unpacked(self.scripts["index"])

    @property
    def texts(self) -> list[dict[str, Any]]:
        """Of all samples, in the index's order."""
        columns = self.index["samples"]
        blocks = {number: unpacked(self.scripts[f"block-{number}"]) for number in sorted({*columns["block"]})}
        return [blocks[block][place] for block, place in zip(columns["block"], columns["place"], strict=True)]


def unpacked(text: str) -> Any:
    """What an element of the page holds."""
    return json.loads(gzip.decompress(base64.b64decode(text, validate=True)))
