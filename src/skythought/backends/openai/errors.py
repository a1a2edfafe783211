"""How a request to an endpoint can end without an answer."""

from __future__ import annotations

from typing import Literal

__all__ = ["REDIRECT", "EndpointError", "Kind", "NoAnswerError"]

Kind = Literal["busy", "passing", "lost", "refused", "unusable"]
"""busy: too many requests, or too many tokens, for now. passing: a failure of the server's that may pass. lost: the
connection, or a gateway's behind it, came to nothing. refused: for what the request is. unusable: "200 OK", but no
answer in it."""


REDIRECT = "redirect"
"""Our own code for an endpoint that sends us somewhere else."""


class EndpointError(Exception):
    """One request came to nothing; the text is the endpoint's own, secrets included: mask it before showing it."""

    def __init__(
        self,
        kind: Kind,
        text: str,
        *,
        status: int | None = None,
        code: str = "",
        retry_after: str | None = None,
        unreached: bool = False,
    ) -> None:
        super().__init__(text)
        self.kind: Kind = kind
        self.status = status
        self.code = code
        """The endpoint's own word for it, if it has one."""
        self.retry_after = retry_after
        self.unreached = unreached
        """No connection could be made at all."""

    @property
    def words(self) -> str:
        """Its code and text: what its meaning is read from."""
        return f"{self.code}: {self}" if self.code else str(self)


class NoAnswerError(EndpointError):
    """The endpoint said "200 OK", but there is no answer in it; the text says what there is."""

    def __init__(self, text: str, *, again: bool = True) -> None:
        super().__init__("unusable", text)
        self.again = again
        """Whether another try may give one."""
