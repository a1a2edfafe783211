"""Messages between the client (whoever uses the sandbox) and its zygote: a length, an encoded value, descriptors."""

from __future__ import annotations

import array
import os
import socket
from typing import Any

from skythought.sandbox import codec

__all__ = ["Channel", "ChannelClosedError", "read_exactly"]

_MAX_DESCRIPTORS = 48


class ChannelClosedError(ConnectionError):
    """The other side has ended, or took longer than the socket's timeout."""


def read_exactly(sock: socket.socket, size: int) -> bytes:
    """The next `size` bytes. Raises ChannelClosedError if the other side ends before, OSError as `recv` does."""
    parts = []
    while size:
        part = sock.recv(min(size, 1 << 20))
        if not part:
            raise ChannelClosedError("the other side has ended")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Channel:
    """One end of a stream socket. Both ends are ours: what arrives is well-formed, or the other side has died."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    def send(self, value: Any, descriptors: tuple[int, ...] = ()) -> None:
        """Send a value, and copies of descriptors. Raises ChannelClosedError."""
        body = codec.encode(value)
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
            # Descriptors come with the first byte of a message, so they are asked for there and nowhere else.
            data, rights, _, _ = self.socket.recvmsg(4, socket.CMSG_SPACE(_MAX_DESCRIPTORS * descriptors.itemsize))
            for level, kind, payload in rights:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
            if not data:
                raise ChannelClosedError("the other side has ended")
            header = data + read_exactly(self.socket, 4 - len(data))
            return codec.decode(read_exactly(self.socket, int.from_bytes(header, "little"))), list(descriptors)
        except (OSError, codec.CodecError) as error:
            for descriptor in descriptors:
                os.close(descriptor)
            raise ChannelClosedError(str(error)) from None

    def close(self) -> None:
        """Close this end; the other side notices."""
        self.socket.close()
