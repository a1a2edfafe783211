"""What a refusal says about what would be taken, in the words of many endpoints."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

__all__ = ["LIMITS", "Limits", "advice", "ends_the_run", "parameter_refused", "same_words", "wants_stream"]


LIMITS = ("max_tokens", "max_completion_tokens")
"""The two names for the most tokens of an answer."""


class Limits(NamedTuple):
    """What a refusal tells about lengths, in tokens; None for what it does not tell."""

    context: int | None = None
    """Prompt and answer together."""
    prompt: int | None = None
    """This request's."""
    output: int | None = None
    """Any answer's."""
    total: int | None = None
    """What this request asked for, prompt and answer together."""

    @classmethod
    def told_by(cls, refusal: str) -> Limits:
        """Read from the wording of vLLM, SGLang, TGI, OpenAI, Anthropic, DeepSeek, OpenRouter, Groq, DashScope, Gemini,
        Mistral, Fireworks, SiliconFlow and those who took theirs from them.

        >>> Limits.told_by("This model's maximum context length is 4096 tokens. However, you requested 32799 tokens "
        ...                "(31 in the messages, 32768 in the completion).")
        Limits(context=4096, prompt=31, output=None, total=32799)
        """
        text = re.sub(r"(?<=\d)[,_](?=\d{3}\b)", "", refusal)
        found = Limits(*(_first_number(pattern, text) for pattern in (_CONTEXT, _PROMPT, _OUTPUT, _TOTAL)))
        if _ABOUT_OUTPUT.search(text) is None:
            return found
        if found.output is None and (below := _first_number(_BELOW, text)) is not None:
            found = found._replace(output=below - 1)
        if not any(found):
            found = found._replace(output=_first_number(_AT_MOST, text))
        return found

    def most_tokens(self, asked: int) -> int | None:
        """The most tokens that such a request may ask for, if that is fewer than `asked` and some at all."""
        bounds = [bound for bound in (self.context, self.output) if bound is not None]
        prompt = self.prompt
        if prompt is None and self.total is not None and self.total > asked:
            prompt = self.total - asked
        if self.context is not None and prompt is not None:
            bounds.append(self.context - prompt)
        fits = min(bounds, default=asked)
        return fits if 0 < fits < asked else None


_CONTEXT = re.compile(
    r"context (?:length|window|size)(?: limit)?(?: is| of|:)?(?: only)? ?\(?(\d+)|max_model_len=(\d+)"
    r"|must be <= (\d+)\. Given|max_seq_len(?:gth)?\D{0,5}(\d+)"
    r"|(\d+) (?:tokens )?(?:maximum |max )?context (?:length|window)"
    r"|context_length\D{0,6}(\d+)|with (\d+) maximum context",
    re.I,
)
_PROMPT = re.compile(
    r"(\d+) (?:tokens )?in the (?:messages|prompt|input)|(\d+) (?:input|prompt) tokens|(\d+) tokens from the input"
    r"|Given: (\d+) `inputs`|(\d+) (?:tokens )?of (?:text )?input|prompt_tokens`? ?[(=:] ?(\d+)"
    r"|prompt(?: tokens)?(?: contains| has| is too long:| is| \()? ?(\d+)(?= ?tokens|[,)])",
    re.I,
)
_OUTPUT = re.compile(
    r"at most (\d+) (?:completion|output) tokens|> (\d+), which is the maximum"
    r"|tokens\D{0,40}[\[(] ?[01], ?(\d+) ?\]|between [01] and (\d+)|from [01] to (\d+)"
    r"|(?:tokens)`?\D{0,30}(?:less than or equal to|<=|≤|at most|not exceed|no more than|cannot exceed) ?[`'\"]?(\d+)"
    r"|(?:tokens)`? ?\(?\d*\)? ?(?:exceeds|is greater than|is larger than|must be <=|should be <="
    r"|cannot be greater than)"
    r"(?: the)?(?: model'?s?)?(?: maximum| max| limit)?(?: output| completion)?(?: tokens| length)?"
    r"(?: limit)?(?: of| is|:)? ?(\d+)",
    re.I,
)
_BELOW = re.compile(r"from [01] \(inclusive\) to (\d+) \(exclusive\)|tokens\D{0,30}must be less than (\d+)", re.I)
_AT_MOST = re.compile(r"(?:maximum|max|limit|up to|at most|<=|≤|only supports?)\b[ a-z_:`'\"(]{0,40}?(\d+)", re.I)
_TOTAL = re.compile(
    r"requested (?:about |a total of |up to )?(\d+) tokens"
    r"|max_(?:total_)?tokens(?: \+ prompt_tokens)?:? ?\((\d+)\)[^.]*max_seq"
    r"|prompt_tokens \+ max_tokens:? ?\(?(\d+)",
    re.I,
)
_ABOUT_OUTPUT = re.compile(r"max[_ ]?(?:completion|output|new)?[_ ]?tokens", re.I)


def _first_number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(next(group for group in found.groups() if group)) if found else None


_STREAM = re.compile(
    r"only supports? (?:the )?stream|stream[`'\"]?\s*(?:=|:|must be|to)\s*[`'\"]?true|non-?streaming calls?"
    r"|enable (?:the )?stream|requires? (?:the )?stream"
    r"|stream(?:ing)? (?:mode )?is (?:strongly )?(?:required|recommended)"
    r"|must (?:be|use) (?:\w+ )?stream|without stream(?:ing)? is not|use stream(?:ing)? ",
    re.I,
)


def wants_stream(refusal: str) -> bool:
    """Whether the endpoint gives such an answer only in pieces (DashScope, or Fireworks above a length)."""
    return _STREAM.search(refusal) is not None


_REFUSED = re.compile(
    r"not (?:be )?(?:permitted|supported|allowed|accepted|available|recogni[sz]ed|implemented|a valid)|unsupported"
    r"|un(?:known|recogni[sz]ed|expected)|does(?:n't| not) (?:support|accept|allow|exist)"
    r"|extra(?:_forbidden| inputs| fields)"
    r"|cannot find field|additional propert|no such|only the default|is invalid for this model|deprecated|forbidden",
    re.I,
)
_NOT_BOTH = re.compile(r"both|together|only one|either|simultaneously|at the same time|mutually exclusive", re.I)
MAY_BE_LEFT_OUT = frozenset(
    {"seed", "temperature", "top_p", "frequency_penalty", "presence_penalty", "stream_options", *LIMITS}
)
"""What the protocol has and many models do not take; of the limits, the other name is sent instead."""


def parameter_refused(refusal: str, sent: Collection[str]) -> str | None:
    """The parameter that the endpoint does not take, where its words leave no doubt; None where they do.

    Args:
        sent: Names in the request's body.
    """
    if _named("temperature", refusal) and _named("top_p", refusal) and _NOT_BOTH.search(refusal):
        return "top_p" if "top_p" in sent and "temperature" in sent else None
    if _REFUSED.search(refusal) is None:
        return None
    named = [name for name in sorted(sent) if name in MAY_BE_LEFT_OUT and _named(name, refusal)]
    return named[0] if len(named) == 1 else None


def _named(name: str, text: str) -> bool:
    """Whether a text names a parameter; a common word such as `seed` only where it looks like a name."""
    return re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", text) is not None


_NO_CREDIT = re.compile(
    r"insufficient[_ ](?:quota|balance|credits?|funds)|exceeded_current_quota|billing_(?:hard_limit|not_active)"
    r"|balance is (?:too low|insufficient|not enough)"
    r"|(?:no|not enough|out of|requires? more|used all.{0,20}) credits?\b"
    r"|account .{0,40}(?:suspended|deactivated|in arrears)|余额不足|欠费",
    re.I,
)
_BAD_KEY = re.compile(
    r"(?:api[ _-]?key|(?:access|auth|bearer) token|credentials?)\b.{0,30}(?:not valid|invalid|incorrect|missing"
    r"|expired|revoked|wrong)"
    r"|(?:invalid|incorrect|missing|expired|no|wrong|provide an?|valid)[ _-].{0,12}api[ _-]?key"
    r"|invalid[_ ]api[_ ]key|unauthenticated|unauthorized|authentication[_ ](?:error|failed)",
    re.I,
)
_NO_MODEL = re.compile(
    r"model.{0,80}(?:not found|not exist|no(?:t a)? (?:such|valid)|unknown|not available|not supported|invalid)"
    r"|(?:unknown|invalid|no such|unsupported) model|model_not_found",
    re.I,
)


def ends_the_run(refusal: str) -> bool:
    """Whether the words say that every other request would be refused as well: no credit, or a wrong key."""
    return _NO_CREDIT.search(refusal) is not None or _BAD_KEY.search(refusal) is not None


def advice(refusal: str, status: int | None, model_id: str, sent: Collection[str]) -> str:
    """What to do about a refusal that meets all."""
    if status == 402 or _NO_CREDIT.search(refusal):
        return "The account's quota is used up." if "quota" in refusal else "The account has no credit left."
    if status in (401, 403) or _BAD_KEY.search(refusal):
        return "Check the key: OPENAI_API_KEY, or --backend-args api_key=..."
    if status in (404, 405) or _NO_MODEL.search(refusal):
        return f"Is {model_id!r} its name there, and is base_url right (most end in /v1)?"
    named = [name for name in sorted(sent) if name not in ("model", "messages", *LIMITS) and _named(name, refusal)]
    if named[:1] == ["seed"]:
        return "Leave it out: --backend-args send_seed=false."
    if named:
        return f"Leave it out: --sampling-params {named[0]}=null, or change it there or in --backend-args extra_body."
    return "What is sent can be changed by --sampling-params and --backend-args extra_body."


def same_words(refusal: str) -> str:
    """A refusal without what differs from request to request: numbers, and names with digits in them."""
    return " ".join(re.sub(r"\S*\d\S*", "#", refusal).split())[:200]
