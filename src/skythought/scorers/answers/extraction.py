"""Where in a response its answer stands: the last box, else the last statement of an answer, else the last number."""

from __future__ import annotations

import re
from dataclasses import dataclass

from skythought.latex import Box, boxes

__all__ = ["Found", "boxed_answer", "extract"]


@dataclass(frozen=True, slots=True)
class Found:
    """What was taken for the answer, and by which rule."""

    text: str
    rule: str
    fallback: bool = False
    """True where the response does not say that this is its answer."""


# What may stand between boxes that belong to one answer: "\boxed{1}, \boxed{2} and \boxed{3}".
JOINT = re.compile(
    r"[\s$,;.()\[\]\\]*(?:\\?q?quad|\\text\s*\{\s*(?:and|or)\s*\}|(?!and\b|or\b)[a-z]+\s+(?=and\b|or\b)|\band\b|\bor\b|[a-zA-Z]\w{0,2}(?:_\{?\w+\}?)?\s*=|[\s$,;()\[\]\\])*",
    re.IGNORECASE,
)
STATEMENT = re.compile(  # of text in lower case
    r"\b(?:answers?|solution|result|reply)\**\s*(?:is\b|are\b|:|：|=|should be\b|must be\b|would be\b)"
    r"(?:\s*(?:thus|therefore|exactly|equal to|:|：))*\s*|####\s*|^\s*a:\s*"
    r"|^[ \t#*>]{0,9}(?:the )?(?:final )?answer[ \t*:]*(?:\n\s*|(?=\$|\\\[|\\\())",
    re.MULTILINE,
)
LESS_USUAL = re.compile(r"\bans\s*[.:=]\s*|\b(?:solutions|roots)\**\s+are\**\s*:?\s*(?=[-\d$({√]|\\[(\[]|[a-z]\s*=)")
OTHER_LANGUAGES = re.compile(
    r"(?:答案|الإجابة|r[ée]ponse|respuesta|antwort|resposta|risposta|ответ|答え|정답)(?:\s+finale?)?\**\s*"
    r"(?:(?:es|est|ist|é|è)\b|:|：|是|为|は)[:：]?\s*"
)
SENTENCE_END = re.compile(r"\.(?=\s|$|\**$)|\n|。|，所以|(?<=\d)\s+(?:because|since|as)\b")
BOLD = re.compile(r"\*\*([^*\n]{1,60})\*\*")
CURRENCY = re.compile(r"[$€£¥]\s*(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s*(?:[$€£¥]|dollars\b|euros?\b)")
LINES_OF_NUMBERS = re.compile(r"\n\s*\n|\d\s*\n\s*[-+]?\d")
FENCE = re.compile(r"^```\w*\n")
CONNECTIVE = re.compile(
    r"(?:so|thus|hence|therefore|then|finally|consequently)\b,?\s*(?=[$\\]|[a-z]\s*=)", re.IGNORECASE
)
THE_ANSWER = re.compile(r"\s*(?:the|my|our)\s+(?:final\s+|correct\s+)?answer\s*", re.IGNORECASE)
FINAL = re.compile(r"\bfinal\s+answer\s+is\b", re.IGNORECASE)
MATH = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<!\\)\$([^$]+?)(?<!\\)\$", re.DOTALL)
NUMBER = re.compile(
    r"(?<![\w.])[-+−]?\$?(?:\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)(?:/\d+)?%?(?!\w|[.,]\d)"
    r"|\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
)
WORD = re.compile(r"[A-Za-z]{3,}|[\u0600-\u06ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]+")
SHORT_WORD = re.compile(r"(?<![\\\w])(?:it(?:'s)?|is|not|so|we|to|of|as|be|by)(?![\w'])", re.IGNORECASE)
LAST_PART = 8000
"""Characters at the end of a response in which an answer without a box is looked for."""
LONGEST_JOINT = 100
LONGEST_SENTENCE = 1500
LONGEST_BARE = 200
"""Characters of a response without any statement that may be an answer as a whole."""


def extract(response: str) -> Found | None:
    """The answer that a response gives, or None if there is nothing to be taken for one."""
    return (
        _boxed(response)
        or _stated(response)
        or _bold(response)
        or _whole(response)
        or _last_math(response)
        or _last_number(response)
    )


def _boxed(response: str) -> Found | None:
    """The last box, unless "The final answer is ..." comes after it with another."""
    if "box" not in response:
        return None
    found = boxed_answer(response)
    if found is not None:
        final = FINAL.search(response, response.rfind("box"))
        stated = _stated(response[final.start() :]) if final else None
        if stated is not None and re.search(r"\d", stated.text):
            return stated
    return found


def boxed_answer(response: str) -> Found | None:
    """The last box, with those before it that are joined to it by nothing but commas and "and"."""
    found = boxes(response)
    if not found:
        return None
    group: list[Box] = [found[-1]]
    for box in reversed(found[:-1]):
        apart = group[0].start - box.end
        if apart > LONGEST_JOINT or not JOINT.fullmatch(response, box.end, group[0].start):
            break
        group.insert(0, box)
    texts = list(dict.fromkeys(box.text for box in group))
    return Found(", ".join(texts), "boxed" if len(texts) == 1 else "several boxes")


def _stated(response: str) -> Found | None:
    """What follows the last "the answer is", "Answer:" or "####"; else what follows less usual words."""
    response = response[-LAST_PART:]
    lower = response.lower()
    if len(lower) != len(response):  # a letter whose small form is longer: places would not fit the response
        lower = response
    statements = (list(pattern.finditer(lower)) for pattern in (STATEMENT, LESS_USUAL, OTHER_LANGUAGES))
    for match in reversed(next(filter(None, statements), [])):
        rest = response[match.end() : match.end() + 2 * LONGEST_SENTENCE].lstrip(" *_:\n")[:LONGEST_SENTENCE]
        rest = FENCE.sub("", rest)
        sentence = SENTENCE_END.split(rest, maxsplit=1)[0]
        if sentence.strip() in ("\\[", "$$", "\\(", "$") and (formula := MATH.match(rest)):
            sentence = formula.group()  # one that goes over several lines
        text = _bare(sentence)
        if text:
            return Found(text, "stated")
    return None


def _bare(sentence: str) -> str:
    """The answer in a sentence that begins with it: its formula if it has one, without emphasis and final stop."""
    text = sentence.strip().strip("*_`").strip()
    text = CONNECTIVE.sub("", text) or text
    formulas = [next(group for group in match.groups() if group) for match in MATH.finditer(text)]
    first = MATH.match(text)
    if first and len(formulas) == 1:
        return formulas[0].strip() + (" \\%" if re.match(r"\s*(?:\\?%|percent)", text[first.end() :]) else "")
    text = text.rstrip(".,;").strip()
    if ":" in text and not formulas and len(priced := CURRENCY.findall(text)) == 1:
        return str(priced[0][0] or priced[0][1])  # "Cost: $5"
    if len(_words(text)) > 1:
        # A sentence about the answer rather than the answer: "the volume of the box is 120".
        *before, text = re.split(r"\b(?:is|are|equals)\b", text)
        if len(formulas) == 1 and not before:
            return formulas[0].strip()
        text = before[-1].strip() if before and THE_ANSWER.fullmatch(text) else text.strip()
        priced = CURRENCY.findall(text)
        if len(priced) == 1 and len(WORD.findall(text)) > 2:
            return str(priced[0][0] or priced[0][1])
        numbers = NUMBER.findall(text)
        return numbers[0] if len(numbers) == 1 and len(WORD.findall(text)) > 2 else text
    return text


def _bold(response: str) -> Found | None:
    """The last text in bold, if it is a number or formula with hardly a word beside it (no heading)."""
    if "**" not in response[-LAST_PART:]:
        return None
    found = BOLD.findall(response[-LAST_PART:])
    text = found[-1].strip() if found else ""
    if not re.search(r"\d", text) or text.endswith((":", "：")) or re.match(r"\d+[.)]\s|step\b", text, re.IGNORECASE):
        return None
    return Found(_bare(text), "bold") if len(_words(text)) <= 2 else None


def _words(text: str) -> list[str]:
    """Words of prose: no commands, nothing in braces."""
    return WORD.findall(re.sub(r"\\[a-zA-Z]+|\{[^{}]*\}", " ", text))


def _whole(response: str) -> Found | None:
    """A response that is nothing but its answer: a formula, a number, or a word or two."""
    text = re.sub(r"\\boxed\s*\{\s*\}", "", response).strip()
    if (
        len(text) > LONGEST_BARE
        or LINES_OF_NUMBERS.search(text)
        or not re.search(r"\w", text)
        or len(_words(text)) > 2
        or len(SHORT_WORD.findall(text)) > 2
    ):
        return None
    is_formula = re.search(r"[\d\\=<>^+(\[{]", text)
    return Found(_bare(text), "whole response", fallback=True) if is_formula or len(text.split()) <= 2 else None


def _last_math(response: str) -> Found | None:
    """The last formula, if no number comes after it."""
    response = response[-LAST_PART:]
    formulas = list(MATH.finditer(response))
    if not formulas or re.search(r"\d", response[formulas[-1].end() :]):
        return None
    last = formulas[-1]
    text = next(group for group in last.groups() if group).strip()
    percent = " \\%" if re.match(r"\s*(?:\\?%|percent|pct)", response[last.end() :]) else ""
    return Found(text + percent, "last formula", fallback=True) if text else None


def _last_number(response: str) -> Found | None:
    numbers = NUMBER.findall(response[-LAST_PART:])
    return Found(numbers[-1].strip(), "last number", fallback=True) if numbers else None
