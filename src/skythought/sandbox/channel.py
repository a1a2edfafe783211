"""Messages between the owner and its template: a length, a value in our encoding, and descriptors along with it."""

from __future__ import annotations

import array
import os
import socket
from typing import Any

from skythought.sandbox import codec as wire

__all__ = ["Channel", "ChannelClosedError"]

_DESCRIPTORS = 48


class ChannelClosedError(ConnectionError):
    """The other side has ended."""


class Channel:
    """One end of a stream socket. Both ends are ours: what arrives is well-formed, or the other side has died."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    def send(self, value: Any, descriptors: tuple[int, ...] = ()) -> None:
        """Send a value, and copies of descriptors. Raises ChannelClosedError."""
        body = wire.encode(value)
        data = len(body).to_bytes(4, "little") + body
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            sent = self.socket.sendmsg([data], rights)
            if sent < len(data):
                self.socket.sendall(data[sent:])
        except OSError as error:
            raise ChannelClosedError(str(error)) from None

    def receive(self) -> tuple[Any, list[int]]:
        """The next value and its descriptors, which are the caller's to close. Raises ChannelClosedError."""
        descriptors = array.array("i")
        try:
            data, rights, _, _ = self.socket.recvmsg(4, socket.CMSG_SPACE(_DESCRIPTORS * descriptors.itemsize))
            for level, kind, payload in rights:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
            header = data + self._exactly(4 - len(data)) if data else b""
            if not header:
                raise ChannelClosedError("the other side has ended")
            return wire.decode(self._exactly(int.from_bytes(header, "little"))), list(descriptors)
        except (OSError, wire.WireError) as error:
            for descriptor in descriptors:
                os.close(descriptor)
            raise ChannelClosedError(str(error)) from None

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = self.socket.recv(min(size, 1 << 20))
            if not part:
                raise ChannelClosedError("the other side has ended")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close this end; the other side notices."""
        self.socket.close()
