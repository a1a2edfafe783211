r"""One spelling for the ways to mark an answer, and where a response ends. A new dialect is a line in a table here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

from skythought.scorers.answers.claims import claimed

__all__ = ["spelled", "turns", "undressed"]

TAGS = ("answer", "final[_ ]?answer", "final", "ans")
"""XML tags, in any case, around an answer; in square brackets too."""
DOUBTFUL_TAGS = ("solution", "label", "choice", "option", "result", "output", "response", "conclusion")
"""Tags around an answer where there is none of the others, and no more in it than an answer."""
KEYS = (
    r"(?:(?:final|correct|selected|chosen|best|predicted|your|my)[_ ]?)?(?:answer|choice)"
    r"(?:[_ ](?:choice|letter|option|key|text|value|index))?",
    r"(?:correct|selected|chosen|best|predicted)[_ ]?option",
)
"""Keys of a JSON object, in any case, of which the value is the answer."""
DOUBTFUL_KEYS = (
    *("result", "solution", "option", "label", "letter", "prediction", "response", "output", "value", "final"),
    *("conclusion", "text"),
)
"""The same where there is none of the others; and within the value of one of the others."""
TOKENS = {
    **{"<|begin_of_box|>": "<answer>", "<|end_of_box|>": "</answer>"},
    **{"<|begin_of_solution|>": "", "<|end_of_solution|>": ""},
}
"""Pairs of tokens around an answer (GLM-V), and around all behind the thinking."""
TURNS = (
    *("Question", "QUESTION", "Human", "HUMAN", "User", "USER", "Problem", "PROBLEM", "Instruction", "Input"),
    *("Exercise", "问题", "题目", "用户", "Frage", "Pregunta", "Q"),
)
"""What opens a further question of the model's own making, at the start of a line and before a colon."""

SPECIAL = r"<[|｜](?!(?:begin|end)_of_(?:box|solution|thought))[^|｜<>\n]{2,40}[|｜]>"
END = re.compile(rf"{SPECIAL}|</s>|<eo[sdt]>|<(?:end|start)_of_turn>|\[(?:/?INST|EOS)\]", re.IGNORECASE)
"""Tokens that end a model's turn, or open another's."""
OPENING = re.compile(rf"\s*(?:{SPECIAL}\s*(?:assistant\s|model\s)?\s*){{1,4}}")
TURN = re.compile(
    rf"\n[ \t#*_>\[(]{{0,6}}(?:\\textbf\{{)?(?:(?:{'|'.join(TURNS)})[ \t]{{0,3}}"
    r"(?:\d{0,3}[*_\]) ]{0,4}[:：]|\d{1,3}\.)"
    r"|(?:Next|New|Another)\s(?:problem|question)\b)"
)
MARKUP = re.compile(r"[<\[][A-Za-z/|｜]")
SPECIALS = ("<|", "<｜", "</s>", "<eo", "<EO", "_of_turn>", "[INST", "[/INST", "[EOS")
QUOTED = ('":', "':", '" :')
"""Plain text without which there is no token, tag or JSON: a response is searched for these first, which is cheaper."""
LAST_PART = 200_000
"""Characters at the end of a response in which wrappers are looked for."""
LONGEST = 400
MOST_TURNS = 5
"""Further questions that a response is read up to, one after another."""


def _tagged(tags: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(tags)
    return re.compile(
        rf"<({names})>((?:(?!<[a-z]{{3,12}}>).){{1,{LONGEST}}}?)(?:</\1>|\Z)|\[({names})\](.{{1,{LONGEST}}}?)(?:\[/\3\]|\Z)",
        re.IGNORECASE | re.DOTALL,
    )


def _valued(keys: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(
        rf"[\"'](?:{'|'.join(keys)})[\"']\s{{0,3}}:\s{{0,3}}"
        rf"(\"(?:[^\"\\]|\\.){{0,{LONGEST}}}\"|'[^'\n]{{0,{LONGEST}}}'|\[[^\[\]]{{0,{LONGEST}}}\]"
        rf"|\{{(?:[^{{}}\"]|\"(?:[^\"\\]|\\.){{0,{LONGEST}}}\"){{0,{LONGEST}}}\}}"
        rf"|(?:[^,}}\n\"'\[{{]|\{{,\}}){{1,{LONGEST}}})",
        re.IGNORECASE,
    )


TAGGED, DOUBTFULLY_TAGGED = _tagged(TAGS), _tagged(DOUBTFUL_TAGS)
VALUED, DOUBTFULLY_VALUED = _valued(KEYS), _valued(DOUBTFUL_KEYS)
HTML = re.compile(r"</?(?:b|i|u|p|strong|em|br|div|span|center|code|h[1-6]|td|tr|th|table)(?:\s[^<>\n]{0,60})?/?>")
CALCULATED = re.compile(r"<<[^<>\n]{1,60}>>")
"""GSM8K's notes to a calculator."""
UNESCAPED = re.compile(r"(?<!\\)\\(?=[a-zA-Z]{2})(?!u[0-9a-fA-F]{4})")
"""Commands of LaTeX in a string of JSON, where their backslash should be doubled."""
DRESS_BEFORE = re.compile(
    r"(?:\\(?:displaystyle|normalsize|large|huge|bf|it|rm|sf|tt|q?quad)(?![a-z])|\\[,;:! ]"
    r"|\\color\s?\{[^{}]{1,20}\}|\\(?:therefore|implies|Rightarrow)(?![a-z])|[-=]>|\#{1,6}\s?(?=\S)|[∴⇒✅👉🎯➡️→\ufe0f]"
    r"|(?:\\text\s?\{\s*)?(?:the\s+)?(?:final\s+|correct\s+)?answer(?:\s+is(?!\w)|\s?[:=])[:\s]*\}?"
    r"|\s)+",
    re.IGNORECASE,
)
DRESS_BEHIND = re.compile(
    r"(?:\\[,;:! ]|(?<=[})\]$])\.|[\^_]\{\s*\}|\\text\s?\{[.\s]*\}|\\q?quad"
    r"|\\tag\*?\{[^{}]{0,20}\}|\\(?:checkmark|square|blacksquare)|[✓✔✅☑🎉\ufe0f]"
    r"|\\text\s?\{\s*(?:\(?verified\)?|is\s+the\s+(?:final\s+|correct\s+)?answer\.?)\s*\}|,?\s(?:QED|Q\.E\.D)\.?|\s)+$"
)
OPEN_BOX = re.compile(r"^\\f?boxed\s?\{(?=(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\}){0,400}$)")
"""A box that is never closed."""
AROUND = re.compile(
    r"(?:(?P<quote>['\"`])(?P<q>[^'\"`]+)(?P=quote)|\$\$?(?P<a>[^$]+)\$\$?|\\\((?P<b>[^()]+)\\\)|\\\[(?P<c>.+)\\\]"
    r"|(?:\\(?:textcolor\s?\{[^{}]{1,20}\}|(?:text|math)(?:bf|it|tt|sf|rm)|text|boldsymbol|bm|underline|f?box(?:ed)?))?"
    r"\s?\{(?P<d>(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\})",
    re.DOTALL,
)


def spelled(response: str) -> str:
    r"""The response up to the end of the model's turn, with every kind of wrapper around an answer as `\boxed{...}`.

    Answers that it does not claim are left out.
    """
    if ("<" in response or "[" in response) and any(map(response.__contains__, SPECIALS)):
        response = _ended(response)
    head, part = response[:-LAST_PART], response[-LAST_PART:]
    if ("<" in part or "[" in part) and MARKUP.search(part):
        part = _untagged(part)
    if "<<" in part:
        part = CALCULATED.sub("", part)
    if "&nbsp;" in part:
        part = part.replace("&nbsp;", " ")
    if any(map(part.__contains__, QUOTED)):
        part, found = VALUED.subn(_boxed_value, part)
        part = part if found else DOUBTFULLY_VALUED.sub(_boxed_value, part)
    return claimed(head + part)


def turns(text: str) -> Iterator[int]:
    """Where further questions of the model's own making may begin, in order, and last the end of the text."""
    yield from (match.start() + 1 for match in islice(TURN.finditer(text), MOST_TURNS))
    yield len(text)


def undressed(text: str) -> str:
    r"""What is in a box without what only dresses it: sizes, colours, dollars, bold, "Answer:", a check mark."""
    text = OPEN_BOX.sub("", text.strip())
    for _ in range(10):
        if not text or text.isalnum():
            break
        if text[0] in "$\\{'\"`" and (around := AROUND.fullmatch(text)):
            text = around[around.lastgroup or 0].strip() or text
        bare = text if text[0].isdigit() else DRESS_BEFORE.sub("", text, count=1) if DRESS_BEFORE.match(text) else text
        if "\\" in bare or not bare.isascii() or bare.endswith(("D", ".", "}")):
            bare = DRESS_BEHIND.sub("", bare)
        if bare == text or not bare:
            break
        text = bare
    return text


def _untagged(response: str) -> str:
    for token, tag in TOKENS.items():
        response = response.replace(token, tag)
    if "</" in response:
        response = HTML.sub(" ", response)
    response, found = TAGGED.subn(_boxed, response)
    return response if found or not ("</" in response or "[/" in response) else DOUBTFULLY_TAGGED.sub(_boxed, response)


def _ended(response: str) -> str:
    opening = OPENING.match(response)
    start = opening.end() if opening else 0
    for end in END.finditer(response, start):
        if response[start : end.start()].strip():
            return response[start : end.start()]
        start = end.end()
    return response[start:]


def _boxed(match: re.Match[str]) -> str:
    return _in_box(match[2] or match[4])


def _in_box(content: str) -> str:
    r"""A wrapped answer in a box on a line of its own: no list with others."""
    content = content.strip()
    if not content or "box" in content or content.count("{") != content.count("}"):
        return f" {content} "
    return f"\n\\boxed{{{content}}}\n"


def _boxed_value(match: re.Match[str]) -> str:
    content = match[1].strip()
    if content[:1] in "\"'":
        try:
            content = str(json.loads(UNESCAPED.sub(r"\\\\", content)))
        except ValueError:
            content = content[1:-1]
    elif content[:1] == "[":
        content = content[1:-1].replace('"', "")
    elif content[:1] == "{":
        inner = DOUBTFULLY_VALUED.search(content)
        return _boxed_value(inner) if inner else match[0]
    if content.strip() in ("", "null", "None") or "box" in content or content.count("{") != content.count("}"):
        return match[0]
    return _in_box(content)
