"""Multiple choice: which option a response settles on. The last statement wins; letters that are words do not count."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from skythought.boxes import boxes
from skythought.scorers.base import Scorer
from skythought.types import Problem, Score

__all__ = ["ChoiceScorer"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_UNKNOWN = 10
"""Options that are assumed where the problem does not say how many there are."""

# Bounded, so that a long run of blanks or stars is not tried from every place in it.
WRAPPED = r"(?:\\(?:text|mathrm|textbf|mathbf|rm|bf)\s*\{?|[\s(\[{$*_\"'`“]|\\[(\[{]){0,10}"
CLOSED = r"(?![\w'’])"
LETTER = rf"{WRAPPED}([A-Za-z]){CLOSED}"
DIGIT = rf"{WRAPPED}(\d{{1,2}}){CLOSED}"
LEAD = (
    r"(?:\b(?:final\s+|correct\s+|best\s+|right\s+|my\s+)*(?:answer|choice|option|solution|response)s?\b"
    r"(?:\s+(?:choice|option|letter|here))?(?:\s+(?:to|for|of)\s+[^.:\n]{1,60}?)?\**\s*(?::|：|=|\bis\b|\bare\b|\bwould\s+be\b|\bmust\s+be\b|\bshould\s+be\b|\bwill\s+be\b)"
    r"|정답\s*(?:은|는|:|：)|答案\s*(?:是|为|:|：)|####)"
    r"(?:\s*(?:indeed|therefore|thus|clearly|option|choice|letter|answer|the|:|：|\bis\b))*\s*"
)
PICKED = (
    r"\b(?:choose|chose|select|pick|go(?:ing)?\s+with|think\s+it(?:'s|\s+is)|it(?:'s|\s+is)|must\s+be|therefore,?|thus,?|so,?|hence,?)"
    r"\s+(?:option\s+|choice\s+|answer\s+|the\s+|letter\s+)*"
)
NAMED = r"\b(?:option|choice|answer)\s+"


@dataclass(frozen=True, slots=True)
class Choice:
    """An option that a response names: its number from 0, where the naming ends, and the rule that found it."""

    number: int
    end: int
    rule: str


@dataclass(frozen=True)
class ChoiceScorer(Scorer):
    """Judges the letter, the number or the full text of an option that a response settles on.

    The problem's `target` is the right option's letter, and its `choices` are the texts in the order shown.
    """

    def score(self, problem: Problem, answer: str) -> Score:
        """Correct if the option named last by the strongest rule is the right one."""
        target = str(problem.target).strip().strip("()").upper()[:1]
        count = len(problem.choices) or max(MOST_UNKNOWN, LETTERS.find(target) + 1)
        found = find_choice(answer, count, problem.choices)
        if found is None:
            return Score(False, "no answer found: no option is named")
        letter = LETTERS[found.number]
        correct = letter == target
        reason = f"{letter} ({found.rule}) {'=' if correct else '≠'} {target}"
        return Score(correct, reason, letter, details={"rule": found.rule, "compared_with": target})

    def gold(self, problem: Problem) -> str | None:
        """The right letter in a box."""
        return None if problem.target is None else f"\\boxed{{{problem.target}}}"


def find_choice(response: str, count: int, texts: Sequence[str] = ()) -> Choice | None:
    """The option that `response` settles on, out of `count` ones, or None.

    Rules from the strongest to the weakest; within one rule the last match counts.
    """
    response = unicodedata.normalize("NFKC", response[-20_000:])
    return (
        _explicit(response, count, texts)
        or _whole(response, count, texts)
        or _picked(response, count)
        or _first_line(response, count)
        or _marked(response, count)
        or _by_text(response[-600:], texts, "option's text")
        or _standing_alone(response, count)
    )


def _explicit(response: str, count: int, texts: Sequence[str]) -> Choice | None:
    """A box, or "the answer is": whichever comes last."""
    found = [_boxed(response, count, texts), _stated(response, count, texts)]
    return max((choice for choice in found if choice), key=lambda choice: choice.end, default=None)


def _boxed(response: str, count: int, texts: Sequence[str]) -> Choice | None:
    for box in reversed(boxes(response)):
        match = re.match(rf"{LETTER}[.):,\s]*", box.text)
        number = _option(match.group(1), count) if match else None
        if number is not None and match and _is_label(box.text, match, number, texts):
            return Choice(number, box.end, "boxed")
        digit = _digit(box.text, count, texts)
        if digit is not None:
            return Choice(digit, box.end, "boxed number")
        by_text = _by_text(box.text, texts, "boxed text")
        if by_text:
            return Choice(by_text.number, box.end, by_text.rule)
    return None


def _stated(response: str, count: int, texts: Sequence[str]) -> Choice | None:
    """The last "the answer is ...", with a letter, a number or an option's text after it."""
    for lead in reversed(list(re.finditer(LEAD, response, re.IGNORECASE))):
        rest = response[lead.end() :]
        match = re.match(LETTER, rest)
        number = _option(match.group(1), count) if match else None
        if match and number is not None and not _is_word(rest, match):
            return Choice(number, lead.end() + match.end(), "stated")
        sentence = re.split(r"\n|\.\s", rest, maxsplit=1)[0]
        digit = _digit(sentence, count, texts)
        if digit is not None:
            return Choice(digit, lead.end(), "stated number")
        by_text = _by_text(sentence, texts, "stated text")
        if by_text:
            return Choice(by_text.number, lead.end(), by_text.rule)
        inside = re.findall(r"\(([A-Z])\)", sentence)
        if inside and (number := _option(inside[-1], count)) is not None:
            return Choice(number, lead.end(), "stated")
    return None


def _whole(response: str, count: int, texts: Sequence[str]) -> Choice | None:
    """A response that is only a letter ("C", "(c).", "**B**"), a letter with its text, or an option's text."""
    text = response.strip()
    match = re.fullmatch(rf"{LETTER}[\s)\]}}$*_.\"'`”:。]*", text)
    number = _option(match.group(1), count) if match else None
    if number is not None:
        return Choice(number, len(text), "whole response")
    digit = _digit(text, count, texts)
    if digit is not None:
        return Choice(digit, len(text), "whole response")
    for number, option in enumerate(texts):
        if _plain(option) and _plain(option) == _plain(text):
            return Choice(number, len(text), "whole response")
    return None


def _picked(response: str, count: int) -> Choice | None:
    """ "I choose B", "so it's (B)", "Therefore, B", "option B is correct"."""
    patterns = [
        rf"{PICKED}{LETTER}",
        rf"{NAMED}{LETTER}(?=\W*(?:is|as)\s+(?:the\s+)?(?:correct|right|best|answer))",
        rf"(?<!\w){LETTER}(?=\W*\s(?:is|as)\s+(?:the\s+)?(?:correct|right|best|valid|answer)\b)",
    ]
    found = [
        Choice(number, match.end(), "picked")
        for pattern in patterns
        for match in re.finditer(pattern, response, re.IGNORECASE)
        if (number := _option(match.group(1), count)) is not None and not _is_word(response, match)
    ]
    return max(found, key=lambda choice: choice.end, default=None)


def _first_line(response: str, count: int) -> Choice | None:
    """A response that opens with its letter: "B) because ...", "D. it can't be A"."""
    match = re.match(r"\s*[(\[*]*([A-Z])(?:[).\]:*。]|\s*$|\s*\n|(?=[^\x00-\x7f]))", response)
    number = _option(match.group(1), count) if match else None
    return Choice(number, match.end(), "first letter") if match and number is not None else None


def _marked(response: str, count: int) -> Choice | None:
    """The last letter that is set off: `**C**`, `(C)`, "Option C", "C)" on a line of its own."""
    patterns = [
        r"\*\*\s*\(?([A-Z])[).:]?\s*(?:\*\*|(?=[^*\n]{0,200}\*\*))",
        rf"{NAMED}\(?([A-Z])\b",
        r"(?<![\w)])\(([A-Z])\)(?!\w)",
        r"(?m)^\s*([A-Z])[).:]?\s*$",
        r"(?<![\w.'’])([A-Z])[.)]\s+[A-Z][^\n]{0,200}[.\s]*$",
    ]
    found = [
        Choice(number, match.end(), "marked letter")
        for pattern in patterns
        for match in re.finditer(pattern, response)
        if (number := _option(match.group(1), count)) is not None
    ]
    return max(found, key=lambda choice: choice.end, default=None)


def _standing_alone(response: str, count: int) -> Choice | None:
    """The only capital letter that stands alone in the last line and is no word."""
    lines = [line for line in response.splitlines() if line.strip()]
    letters = [
        match.group(1)
        for match in re.finditer(r"(?<![\w'’^_\\.])([A-Z])(?![\w'’^_(=])", lines[-1] if lines else "")
        if match.group(1) not in "AI"
    ]
    number = _option(letters[0], count) if len(set(letters)) == 1 else None
    return Choice(number, len(response), "lone letter") if number is not None else None


def _by_text(text: str, texts: Sequence[str], rule: str) -> Choice | None:
    """The one option whose whole text occurs in `text`; a text inside a longer one that occurs too does not count."""
    plain = f" {_plain(text)} "
    found = [(number, _plain(option)) for number, option in enumerate(texts)]
    found = [(number, option) for number, option in found if option and f" {option} " in plain]
    longest = [entry for entry in found if not any(entry[1] != other and entry[1] in other for _, other in found)]
    return Choice(longest[0][0], len(text), rule) if len(longest) == 1 else None


def _option(letter: str, count: int) -> int | None:
    number = LETTERS.find(letter.upper())
    return number if 0 <= number < count else None


def _digit(text: str, count: int, texts: Sequence[str]) -> int | None:
    """The option whose text is this number; where no option is a number, the number of the option from 1."""
    match = re.fullmatch(rf"{DIGIT}[\s)\]}}$*_.\"'`]*", text.strip())
    if not match:
        return None
    same = [number for number, option in enumerate(texts) if _plain(option) == match.group(1)]
    if same:
        return same[0] if len(same) == 1 else None
    if any(re.search(r"\d", option) for option in texts) or not texts:
        return None
    number = int(match.group(1)) - 1
    return number if 0 <= number < count else None


def _is_word(text: str, match: re.Match[str]) -> bool:
    """True if the letter that matched is the article "a" or the pronoun "I", or a small letter in a sentence."""
    letter = match.group(1)
    marked = re.search(r"[(\[{*$\"`]\s*$", text[max(0, match.start(1) - 2) : match.start(1)])
    if marked:
        return False
    after = text[match.end(1) :]
    if letter in "AaIi":
        return re.match(r"\s+(?!and\b|or\b|is\b|because\b|since\b|as\b|which\b|,)[a-zA-Z(\\$\"]", after) is not None
    return letter.islower() and re.match(r"\s*[.,;:!)*]*\s*($|\n)", after) is None


def _is_label(text: str, match: re.Match[str], number: int, texts: Sequence[str]) -> bool:
    """True if the letter that opens a box names an option: alone, or before punctuation or that option's text."""
    rest = text[match.end(1) :].strip().lstrip("})].:,*$ ").rstrip("})].* $")
    after = text[match.end(1) : match.end(1) + 1]
    if not rest or after in (")", ".", ":", "}", "]", ","):
        return True
    return number < len(texts) and _plain(texts[number]) == _plain(rest)


def _plain(text: str) -> str:
    """Text for comparing options: case, punctuation and markup left out."""
    text = re.sub(r"\\(?:text|mathrm|textbf|left|right)\b|[$*_`{}\"“”]", " ", text)
    text = re.sub(r"(?<!\d)[.,;:!?]|[.,;:!?](?!\d)", " ", text)
    return " ".join(text.casefold().split())
