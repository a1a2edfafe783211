"""Texts of samples, packed: `BLOCK` of them to a block of gzipped JSON, written as they come."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from skythought.reporting.records import BLOCK

__all__ = ["BlockWriter", "as_json", "in_base64", "packed"]

LEVEL = 6
"""Of gzip: 9 takes three times as long for a hundredth less."""


def as_json(value: Any) -> bytes:
    """Compact JSON. Half a character (a token limit may cut an emoji) stays an escape, for it is no UTF-8."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def packed(value: Any) -> bytes:
    """The value as gzipped JSON; the same value gives the same bytes."""
    return gzip.compress(as_json(value), LEVEL, mtime=0)


def in_base64(value: Any) -> bytes:
    """The same in letters that can end no element of a page."""
    return base64.b64encode(packed(value))


class BlockWriter:
    """Packs texts in threads (zlib lets others run) and writes the blocks in order; holds a few blocks at a time."""

    def __init__(self, write: Callable[[int, bytes], None], pack: Callable[[Any], bytes]) -> None:
        """`write` gets each block's number and its bytes, which are what `pack` makes of a list of texts."""
        self._write = write
        self._pack = pack
        self._workers = min(4, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="skythought packing")
        self._underway: deque[Future[bytes]] = deque()
        self._texts: list[Any] = []
        self._written = 0

    def __enter__(self) -> BlockWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._hand_over()
            self._drain(0)
        self._pool.shutdown(cancel_futures=True)

    def add(self, text: Any) -> None:
        """The next sample's text."""
        self._texts.append(text)
        if len(self._texts) == BLOCK:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._texts:
            self._underway.append(self._pool.submit(self._pack, self._texts))
            self._texts = []
            self._drain(2 * self._workers)

    def _drain(self, most: int) -> None:
        while len(self._underway) > most:
            self._write(self._written, self._underway.popleft().result())
            self._written += 1
