"""From what an endpoint sends to a `Response`: forgiving in trifles, strict where there is no answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from skythought.backends.openai.errors import NoAnswerError
from skythought.backends.openai.stream import Assembly
from skythought.types import Request, Response

__all__ = ["decoded", "error_in", "error_text", "read"]

STOPPED = frozenset(
    {"stop", "eos", "eostoken", "endturn", "stopsequence", "stoptoken", "complete", "completed", "finished", "end"}
)
"""The model ended by itself."""

CUT_OFF = frozenset(
    {
        "length",
        "maxtokens",
        "maxnewtokens",
        "maxoutputtokens",
        "maxcompletiontokens",
        "maxlength",
        "modellength",
        "contextlength",
        "contextlengthexceeded",
        "exceedcontextlength",
        "modelcontextwindowexceeded",
        "contextwindowexceeded",
        "tokenlimit",
        "tokenlimitreached",
        "tokenlimitexceeded",
        "incomplete",
        "truncated",
    }
)
"""Cut off at the limit."""

WITHHELD = frozenset(
    {
        "contentfilter",
        "contentfiltered",
        "filtered",
        "refusal",
        "refused",
        "safety",
        "imagesafety",
        "recitation",
        "blocklist",
        "blocked",
        "prohibitedcontent",
        "spii",
        "sensitive",
        "moderation",
        "guardrailintervened",
        "guardrail",
        "language",
    }
)
"""The endpoint held the answer back: not the model's fault, and the same when asked again."""

BROKEN_OFF = frozenset(
    {
        "abort",
        "aborted",
        "error",
        "cancelled",
        "canceled",
        "failed",
        "insufficientsystemresource",
        "networkerror",
        "servererror",
        "internalerror",
        "engineerror",
        "overloaded",
        "timeout",
        "unavailable",
    }
)
"""The server gave the answer up (DeepSeek without resources, vLLM when it stops, OpenRouter's provider failing): asked
again."""

COMMENTS = re.compile(r"(?:\s*:[^\n]*(?:\n|$))+")
"""What keeps a connection alive before the JSON (OpenRouter's `: OPENROUTER PROCESSING`)."""


def decoded(body: bytes | str) -> Any:
    """The JSON value in a body, also with a byte order mark, comments before it, odd bytes or as a stream of events.

    Raises:
        NoAnswerError: There is none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        pass
    text = body if isinstance(body, str) else body.decode("utf-8-sig", "replace")
    text = text.lstrip("\ufeff")
    if comments := COMMENTS.match(text):
        text = text[comments.end() :]
    if text.lstrip().startswith(("data:", "event:")):
        return Assembly.of(text).completion()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        shown = text[:1000] if text.strip() else "nothing"
        raise NoAnswerError(f"the endpoint sent no chat completion, but: {shown}") from None


def error_in(value: Any) -> tuple[str, str]:
    """What an error body says, whatever its shape, and its code: OpenAI's, Google's (a list), FastAPI's, plain text."""
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, Mapping):
        return str(value or ""), ""
    inner = value.get("error")
    if isinstance(inner, Mapping | list) and inner:
        return error_in(inner)
    raw = value.get("metadata", {}).get("raw") if isinstance(value.get("metadata"), Mapping) else None
    text = str(value.get("message") or value.get("msg") or value.get("detail") or inner or dict(value))
    code = value.get("code") if isinstance(value.get("code"), str) else value.get("type")
    return f"{text} ({raw})" if raw else text, str(code or value.get("code") or "")


def error_text(value: Any) -> str:
    """What an error body says."""
    return error_in(value)[0]


def read(
    answer: bytes | str | Mapping[str, Any],
    request: Request,
    seconds: float,
    *,
    echoed: bool = False,
    first_token: float | None = None,
    sent: Mapping[str, Any] | None = None,
) -> Response:
    """The response in a chat completion.

    Args:
        answer: JSON text, or the value of it.
        seconds: How long it took.
        echoed: The endpoint repeats the prefill before what it wrote.
        first_token: Seconds until the first token came, where the answer was streamed.
        sent: Parameters that were sent otherwise than the run has them.

    Raises:
        NoAnswerError: Not a chat completion, no choice in it, or one that the endpoint broke off or held back.
    """
    completion = decoded(answer) if isinstance(answer, bytes | str) else answer
    choice = _choice(completion)
    message = choice.get("message") or choice.get("delta") or {}
    if not isinstance(message, Mapping):
        message = {"content": message}
    reason = _finish_reason(choice.get("finish_reason"))
    content = message.get("content", choice.get("text"))
    reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning")) or None
    if content is None and reasoning is None:
        _check_nothing(message, reason)
    usage = completion.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    text = _text(content)
    return request.response(
        text.removeprefix(request.prefill) if echoed else text,
        reasoning=reasoning,
        finish_reason=reason,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        seconds=seconds,
        first_token=first_token,
        sent=sent,
    )


def _choice(completion: Any) -> Mapping[str, Any]:
    if not isinstance(completion, Mapping):
        raise NoAnswerError(f"the endpoint sent no chat completion, but: {str(completion)[:1000]}")
    choices = completion.get("choices")
    if not choices:
        why = f": {error_text(completion['error'])}" if completion.get("error") else ""
        raise NoAnswerError(f"the endpoint sent no choices{why}")
    choice = choices[0] if isinstance(choices, list) else choices
    if not isinstance(choice, Mapping):
        raise NoAnswerError(f"the endpoint sent no chat completion, but: {str(completion)[:1000]}")
    if choice.get("error"):
        raise NoAnswerError(f"the endpoint broke the answer off: {error_text(choice['error'])}")
    return choice


def _finish_reason(given: Any) -> str | None:
    """ "stop", "length", or what the endpoint said; any spelling of upper case and underscores.

    Raises:
        NoAnswerError: The answer was broken off or held back.
    """
    if isinstance(given, Mapping):  # SGLang's native form
        given = given.get("type")
    if given is None or isinstance(given, bool):
        return None
    said = str(given)
    name = re.sub(r"[\W_]", "", said.lower()).removeprefix("finishreason")
    if name in STOPPED:
        return "stop"
    if name in CUT_OFF:
        return "length"
    if name in BROKEN_OFF:
        raise NoAnswerError(f"the endpoint broke the answer off (finish_reason {said!r})")
    if name in WITHHELD:
        raise NoAnswerError(f"the endpoint held the answer back (finish_reason {said!r})", again=False)
    return said


def _check_nothing(message: Mapping[str, Any], reason: str | None) -> None:
    """No content and no thinking: an answer only where the model wrote unseen until its limit, or called a tool."""
    if refusal := _text(message.get("refusal")):
        raise NoAnswerError(f"the endpoint refused: {refusal}", again=False)
    if reason != "length" and not message.get("tool_calls") and not message.get("function_call"):
        raise NoAnswerError("the endpoint sent an answer without content (null)")


def _text(content: Any) -> str:
    """A text as it is; of a list of parts (some endpoints), the parts that are text; nothing for null."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
        content = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str):
        return ""
    if content.isascii():
        return content
    try:
        content.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no file could hold it
        return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return content


def _count(value: Any) -> int | None:
    """A number of tokens, also as text or float; None for what cannot be one."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        return None
    return int(value)
