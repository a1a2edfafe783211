"""An answer that comes in pieces (server-sent events), put together as if it had come whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from skythought.backends.openai.errors import NoAnswerError

__all__ = ["Assembly"]

TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


class Assembly:
    """Takes the bytes of a stream as they come."""

    def __init__(self) -> None:
        self.has_begun = False
        """Whether any text came."""
        self._rest = b""
        self._texts: dict[str, list[str]] = {}
        self._tool_calls: list[Any] = []
        self._finish_reason: Any = None
        self._usage: Any = None
        self._error: Any = None
        self._is_done = False

    @classmethod
    def of(cls, text: str) -> Assembly:
        """Of a stream that came whole."""
        assembly = cls()
        assembly.feed(text.encode("utf-8", "replace") + b"\n")
        return assembly

    def feed(self, data: bytes) -> None:
        """Some more bytes; lines may be cut anywhere."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip())

    def completion(self) -> dict[str, Any]:
        """The chat completion that the pieces make.

        Raises:
            NoAnswerError: The stream told of an error, or ended before the answer did.
        """
        if self._rest:
            self.feed(b"\n")
        if self._error is not None:
            return {"error": self._error}
        if not self._is_done and self._finish_reason is None:
            raise NoAnswerError("the stream ended before the answer did")
        message: dict[str, Any] = {name: "".join(parts) for name, parts in self._texts.items()}
        if self._tool_calls:
            message["tool_calls"] = self._tool_calls
        return {"choices": [{"message": message, "finish_reason": self._finish_reason}], "usage": self._usage}

    def _event(self, data: bytes) -> None:
        if data == b"[DONE]":
            self._is_done = True
            return
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            return
        if not isinstance(event, Mapping):
            return
        if event.get("error"):
            self._error = event["error"]
        self._usage = event.get("usage") or self._usage
        choices = event.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
            self._piece(choices[0])

    def _piece(self, choice: Mapping[str, Any]) -> None:
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, Mapping):
            return
        for name in TEXTS:
            piece = delta.get(name)
            if isinstance(piece, list):
                piece = "".join(part["text"] for part in piece if isinstance(part, Mapping) and "text" in part)
            if isinstance(piece, str) and (piece or name == "content"):
                self._texts.setdefault(name, []).append(piece)
                self.has_begun = self.has_begun or bool(piece)
        if isinstance(delta.get("tool_calls"), list):
            self._tool_calls += delta["tool_calls"]
