"""All that may be the answer of a response, the best first: what it marks, what it states, what is left at its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from skythought.latex import Box, boxes
from skythought.scorers.answers.claims import UNCLAIMED, is_abroad
from skythought.scorers.answers.dialects import spelled, turns, undressed
from skythought.scorers.answers.sentences import (
    BETWEEN_PRICES,
    DOUBTS,
    IN_WORDS,
    LAST_STEP,
    MATH,
    NUMBER,
    bare,
    concluded,
    main_clause,
    predicate,
    prose_words,
    sentence_of,
)
from skythought.scorers.answers.statements import (
    ABROAD,
    CALLED,
    EXPLAINED,
    FINAL,
    LESS_USUAL,
    STATEMENT,
    is_about,
)

__all__ = ["Candidate", "boxed_answer", "candidates", "marked", "read", "standing_boxes", "statements"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be the answer, the rule that found it, and where it stands in the response."""

    text: str
    rule: str
    place: int = 0
    fallback: bool = False
    """True where the response does not say that this is its answer."""


# What may stand between boxes that belong to one answer: "\boxed{1}, \boxed{2} and \boxed{3}".
EMPTY_BOX = re.compile(r"\\boxed\s?\{\s?\}")
SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
JOINT = re.compile(
    r"[\s$,;.()\[\]\\]*(?:\\?q?quad|\\text\s*\{\s*(?:and|or)\s*\}|(?!and\b|or\b)[a-z]+\s+(?=and\b|or\b)|\band\b"
    r"|\n[\s*_-]*(?!the\b|[^:\n]*(?:final|answer|total|step|result|problem|question))[^:\n$\\]{1,30}:[*_]*"
    r"|\n[\s*]*\((?:[b-e]|i{2,3}|iv|[2-5])\)[^\n]{1,120}?"
    r"|\bor\b(?:\s+(?:is\s+it|maybe|perhaps|possibly)\b)?|[a-zA-Z]\w{0,2}(?:_\{?\w+\}?)?\s*=|[\s$,;()\[\]\\])*",
    re.IGNORECASE,
)
ITEM = re.compile(r"\s*(?:[-*•]\s+\$?|\$?[a-z]_?\{?[\d₀-₉]\}?\s*=\s*)([-−\d\\][^\s$]{0,40})\$?[.,;]?")
ARE = re.compile(r"\b(?:are|roots|solutions|values)\b[^.\n]*$", re.IGNORECASE)
LISTED = re.compile(r"\s*(?:[,;]|,?\s(?:and|or)\b)\s*")
"""Between formulas that are one answer."""
SO = re.compile(r",\s+(?:so(?!\s+that)|hence|thus|therefore|which\s+(?:brings|leaves|makes|gives))\b", re.IGNORECASE)
"""Before what follows from the first half of a sentence."""
MINUS = re.compile(r"(?:^|[^\d\s)]\s)(?:minus|negative)\s$", re.IGNORECASE)
"""A sign in words, and no difference."""
RULED_OUT = re.compile(r"(?:\bnot|\binstead of|\brather than|≠|\\neq?)\s*[$\\(\[]*\s*$")
CALLED_WRONG = re.compile(
    r"[\s$\\)\]]*(?:[^.\n]{0,60}\b(?:it|which|that)\s)?(?:(?:is|was)\s+(?:wrong|incorrect|rejected|not\b|false|too\b)|would\b)"
)
ROUNDED = re.compile(
    r"(?:\babout|\bapprox(?:imately|\.)?|\broughly|\bnearly|\baround|≈|\\approx|\bi\.e\.,?)[\s$\\(\[=]*$"
)
REMARK = re.compile(
    r"(?<=\S)(?:\s*\n|(?<=[.!])\s)\s*\([^()\n]*[a-z]{3}[^()\n]*\)\s*$"
    r"|(?<=[.!])\s+let\s+me\s+(?:(?:double.)?check|verify)\b[^.\n]*$|(?<=\S)\s*\n\W*(?:(?:to\s+)?(?:check|verify)|verification|(?:sanity|double|quick)[\s-]check|note|remark|p\.?s|confidence"
    r"|let\s+me\s+(?:know|(?:double.)?check|verify)|i\s+hope|hope|feel\s+free|if\s+you)\b[^\n]*\s*$",
    re.IGNORECASE,
)
"""A last line in brackets, "(3 steps)", or one that checks the answer, says how sure it is, or is only polite."""
CUT_OFF = re.compile(
    r"(?:\s-|[=+*/^(]|\b(?:the|per|of|and|or|is|are|by|with|for|from|than|that|which)|[.!?] [A-Z][^.!?\n\d$]*[a-z])\s*$"
)
"""What no finished response ends in."""
GAVE_UP = re.compile(
    r"\b(?:I|we)\s+(?:(?:am|was|were|are)\s+)?(?:unable\s+to|not\s+able\s+to|cannot|can['’]t|could\s+not|couldn['’]t|do\s+not\s+know"
    r"|don['’]t\s+know|failed\s+to|give\s+up)\b(?!\s+(?:have|be|use|see))[^\n]{0,120}$"
)
BOLD = re.compile(r"\*\*([^*\n]{1,60})\*\*")
IN_BRACKETS = re.compile(r"\((?:the\s|my\s|final\s|correct\s){0,3}$", re.IGNORECASE)
CLAUSE_START = re.compile(r"(?:[.!?:;]\s|\n|\b(?:so|thus|hence|therefore|that|then)\b,?\s)\s*", re.IGNORECASE)
PRONOUN = re.compile(r"\b(?:it|this|that|which|what|there|here|who)$|^\s*(?:what|which)\b", re.IGNORECASE)
OF_IT = re.compile(
    r"\b(?:different\s+from|beyond|least|most|(?:ln|log|sin|cos|tan)\s?\(?|root|half|third|quarter|fifth|double|twice|thrice|times|not|out\s+of(?!\s+(?:the|his|her|their)\s)|(?:divid|multipl)\w+\s+by|(?:twice|times)\s+as\s+\w+\s+as|between\s\S{1,20}\sand)\s+(?:of\s+|the\s+)?\$?$",
    re.IGNORECASE,
)
NOT_IT = re.compile(
    r"\s+(?:(?:may|might|could)\s+be\b|(?:is|was)\s+(?:one|among)\b|is\s+what\s+(?!we\b|i\b|remains|is\s+left)|would\s+be\s+the\b)|\s+(?:minus|plus|times)\b|\s+(?:less|more|fewer|[a-z]+er)\s+than\b|\s+(?:is|was|are)\s+(?:(?:just\s+)?as\s+|equally\s+|also\s+)?(?:too|not|possible|likely|wrong|incorrect|impossible|excluded|ruled)\b|\s+(?:do(?:es)?\s+not|doesn['’]t|fails?|can(?:not|['’]t))\b|\s+(?:isn|wasn)['’]t\b"
)
COMPARED = re.compile(r"\b(?:than|exceeds?|below|above|under|over)\s+(?:the\s+)?\$?$", re.IGNORECASE)
"""Before a number with which the answer is compared."""
ASIDE = re.compile(
    r"\b(?:to\s+[a-z]+|after(?:\s+[a-z]+ing)?|for|in(?=\s+[^$]*$)|from(?:\s+[a-z]+ing)?|out\s+of\s+(?:the|his|her|their)|per|(?<!us\s)(?<!left\s)(?<!up\s)with(?:\s+[a-z]+)?|by|during|within|every|(?<!stays\s)(?<!stands\s)(?<!ends\s)(?<!remains\s)(?<!arrives\s)at|of\s+the"
    r"|the|all|these|those|his|her|their)\s+(?:(?:the|all|his|her|their|these|an?|next|last|first|original|initial)\s+){0,2}\$?$|\([^()]*$|≈\s*$",
    re.IGNORECASE,
)
"""Before a number by the way: "15 minutes to walk 3 miles"."""
ASKED = re.compile(r"[^.!?\n]*\?")
COMPOUND = re.compile(
    r"(?:[\d$)}]\s*,?\s+and|\b(?:dollars|euros|pounds|hours?|minutes?|weeks?|days?|years?|feet|foot|meters?)\s+and|\d\s*[-–:/×]|[(\[]\s*[-\d.]+\s*,)\s*$"
)
"""Before a number that is a part of something: "3-1", "[0, 9]"."""
SHORT_WORD = re.compile(r"(?<![\\\w])(?:it(?:'s)?|is|not|so|we|to|of|as|be|by)(?![\w'])", re.IGNORECASE)
FUNCTION = r"\b(?:ln|log|sin|cos|tan|exp|sqrt)\b"
# A formula without dollars: commands, numbers, single letters and signs, beginning with none of the latter.
FORMULA = re.compile(
    rf"(?:\\[a-zA-Z]+|{FUNCTION}|[\d(\[√∛-]|(?<![a-zA-Z])[a-zA-Z](?![a-zA-Z']))"
    rf"(?:\\[a-zA-Z]+|{FUNCTION}|\\."
    r"|[\d+\-*/^_=<>(){}\[\]|!%:√∛π×·²³≤≥≠∈∪∞±− ]|[.,](?=[\d\s\\])|(?<![a-zA-Z])[a-zA-Z](?![a-zA-Z']))*"
)
COMPOSED = re.compile(rf"\\[a-zA-Z]|{FUNCTION}|[\^_√∛π²³{{∈∞]|\d\s*[:/!]\s*\d|\d!|\d[a-z]\b|[\w)]/[\w(]")
LAST_PART = 8000
"""Characters at the end of a response in which an answer without a box is looked for."""
NEAR = 120
"""Characters at the end in which most responses state their answer."""
LONGEST_JOINT = 200
LONGEST_BARE = 200
"""Characters of a response without any statement that may be an answer as a whole."""
LONGEST_PARAGRAPH = 1000
MOST = 50
"""Boxes, and statements, that are tried, from the last one backwards."""


def read(response: str, is_one: Callable[[str], bool] = lambda text: True) -> Candidate | None:
    """The best candidate that looks like an answer, or None.

    Args:
        is_one: Whether a text looks like an answer of the kind that is asked for.
    """
    return next((found for found in candidates(response) if found.text and is_one(found.text)), None)


def candidates(response: str) -> Iterator[Candidate]:
    """All that may be the answer, the best first.

    What the response marks as its answer comes before what it states, and that before what merely stands at its end;
    among equals the last comes first. What follows a further question of the model's own making counts only where
    nothing is marked or stated before it.
    """
    text = spelled(response)
    if "ox" in text:
        text = EMPTY_BOX.sub("", text)
    for end in turns(text):
        yield from marked(text[:end])
        yield from _stated(text[:end])
        if end < len(text) and not re.search("[a-zA-Z]", text[:end].rstrip(" \n-*_").rpartition("\n")[2]):
            yield from _last_line(text[:end].rstrip(" \n-"))
    text = _without_remarks(text)
    yield from _bold(text)
    yield from _first_line(text)
    if not (text.endswith(UNCLAIMED) or CUT_OFF.search(text) or GAVE_UP.search(text)):
        yield from _last_list(text)
        yield from _last_line(text)
        yield from _last_math(text)
        yield from _last_formula(text)
        yield from _last_number(text)
    yield from (Candidate(bare(said), "stated") for _, rest in statements(text) if is_about(said := sentence_of(rest)))


def _without_remarks(text: str) -> str:
    """The end of a text without what is only said about its answer, so that no number is taken from that."""
    text = text[-LAST_PART:]
    while (shorter := REMARK.sub("", text)) != text:
        text = shorter
    for place, rest in list(statements(text))[:MOST]:
        sentence = sentence_of(rest)
        start = text.find(sentence, place) if is_about(sentence) else -1
        if start >= 0:
            text = text[:start] + text[start + len(sentence) :]
    return text


def boxed_answer(text: str) -> Candidate | None:
    """The last box, with those before it that are joined to it by nothing but commas and "and"."""
    return next(_boxed(text), None)


def marked(text: str) -> Iterator[Candidate]:
    """What is marked as the answer of a text in one spelling: boxes, from the last one backwards.

    Before them "The final answer is ..." with a number, where it comes after them.
    """
    if "ox" not in text:
        return
    found = list(_boxed(text))
    if found:
        for match in reversed(list(FINAL.finditer(text, found[0].place))[-MOST:]):
            stated = next(_stated(text[match.start() :]), None)
            if stated is not None and re.search(r"\d", stated.text):
                yield stated
                break
    yield from found


def standing_boxes(text: str) -> list[Box]:
    """The boxes of a text, but those ruled out ("not") and those that only round an earlier one ("about").

    Of a flood of boxes these are the last.
    """
    found = boxes(text)[-20 * MOST :]
    kept: list[Box] = []
    for box in found:
        before = text[max(0, box.start - 20) : box.start]
        if (
            not RULED_OUT.search(before)
            and not CALLED_WRONG.match(text, box.end)
            and not (kept and ROUNDED.search(before))
        ):
            kept.append(box)
    return kept


def _boxed(text: str) -> Iterator[Candidate]:
    group: list[Box] = []
    for box in reversed(standing_boxes(text)):
        if group and not _joined(text, box, group[0]):
            yield _of_group(group)
            group = []
        group.insert(0, box)
    if group:
        yield _of_group(group)


def _joined(text: str, box: Box, following: Box) -> bool:
    between = text[box.end : following.start]
    if len(between) > LONGEST_JOINT or JOINT.fullmatch(between) is None:
        return False
    return "\n" not in between or re.search(r"[,;=:)]|\b(?:and|or)\b", between) is not None


def _of_group(group: list[Box]) -> Candidate:
    texts = list(dict.fromkeys(undressed(box.text) for box in group))
    place = group[-1].end
    if 1 < len(texts) == len(group):
        return Candidate(", ".join(texts), "several boxes", place)
    text = texts[-1]  # the same box again and again is no list: of another behind those, the last counts
    stated = next(_stated(text), None) if len(prose_words(text)) > 1 else None
    return Candidate(stated.text if stated else text, "boxed", place)


def _stated(text: str) -> Iterator[Candidate]:
    """What follows "the answer is", "Answer:" or "####", from the last one backwards; then what less usual words."""
    for _, rest in statements(text):
        sentence = sentence_of(rest)
        is_asked = rest.startswith(sentence + "?")
        if not is_asked and not is_about(sentence) and (answer := bare(sentence)):
            yield Candidate(answer, "stated")


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Where a statement of an answer ends, and what follows it up to the end of the text; the last statement first."""
    head, text = text[:-LAST_PART], text[-LAST_PART:]
    lower = text.lower()
    if len(lower) != len(text):  # a letter whose small form is longer: places would not fit the text
        lower = text
    for pattern in (STATEMENT, LESS_USUAL, ABROAD):
        if pattern is ABROAD and not is_abroad(lower):
            continue
        for match in islice(_backwards(pattern, lower), MOST):
            yield len(head) + match.end(), _in_brackets(text, match.start(), match.end())
        if pattern is STATEMENT:
            yield from ((len(head) + place, said) for place, said in _called(text, lower))


def _backwards(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The matches in a text, the last first; what is far from its end is searched only when it is asked for."""
    near = max(0, len(text) - NEAR)
    yield from reversed(list(pattern.finditer(text, near)))
    if near:
        yield from reversed([match for match in pattern.finditer(text) if match.start() < near])


def _in_brackets(text: str, start: int, end: int) -> str:
    """What follows a statement, without the bracket that closes behind it if it stands in one: "(Answer: 5)"."""
    rest = text[end:]
    if text[end - 1] == "\n" and rest.startswith("- "):
        return rest[2:]  # an item of a list, no minus
    if not IN_BRACKETS.search(text, max(0, start - 20), start):
        return rest
    line = rest.partition("\n")[0].rstrip(" .*")
    return line[:-1] if line.endswith(")") else rest.partition(")")[0]


def _called(text: str, lower: str) -> Iterator[tuple[int, str]]:
    """What is called the answer: "5" of "So 5 is the correct answer"."""
    end = len(lower)
    for _ in range(MOST):
        end = lower.rfind("answer", 0, end)
        if end < 0:
            return
        before = text[max(0, end - LONGEST_BARE) : end]
        if called := CALLED.search(before):
            subject = CLAUSE_START.split(before[: called.start()])[-1]
            if subject.strip() and not PRONOUN.search(subject):
                yield end, subject


def _bold(text: str) -> Iterator[Candidate]:
    """The last text in bold, if it is a number or formula with hardly a word beside it (no heading)."""
    if "**" not in text[-LAST_PART:]:
        return
    found = BOLD.findall(text[-LAST_PART:])
    last = found[-1].strip() if found else ""
    if (
        not re.search(r"\d", last)
        or last.endswith((":", "："))
        or re.match(r"\d+[.)]\s|(?:step|case|part|method|example|problem|question)\b", last, re.IGNORECASE)
    ):
        return
    if len(prose_words(last)) <= 2:
        yield Candidate(bare(last), "bold")


def _first_line(text: str) -> Iterator[Candidate]:
    """A first line that is nothing but an answer, before an explanation of it."""
    line, _, rest = text.lstrip().partition("\n")
    if EXPLAINED.match(rest) and (answer := _as_answer(line, words=4)):
        yield Candidate(answer, "first line", fallback=True)


def _last_line(text: str) -> Iterator[Candidate]:
    """A last line that is nothing but a number, a formula, or a word or two; or that says one of its subject."""
    line = text.rstrip()[-LONGEST_BARE - 1 :].rpartition("\n")[2]
    *_, sentence = SENTENCES.split(line)
    if (sentence == line or concluded(sentence) != sentence) and (answer := _as_answer(concluded(sentence))):
        yield Candidate(answer, "last line", fallback=True)
    if (said := predicate(main_clause(sentence))) and not re.search(r"\d", said) and len(said.split()) <= 4:
        yield Candidate(bare(said), "last line", fallback=True)


def _last_list(text: str) -> Iterator[Candidate]:
    """The items of a list of answers, "the roots are", one a line, that only a sentence without a number may follow."""
    lines = [line for line in text[-LONGEST_PARAGRAPH:].splitlines() if line.strip()]
    if len(lines) > 3 and ITEM.fullmatch(lines[-2]) and not re.search(r"[\d$]", lines[-1]):
        lines.pop()
    items: list[str] = []
    while lines and (item := ITEM.fullmatch(lines[-1])):
        items.insert(0, item[1])
        lines.pop()
    if len(items) > 1 and lines and ARE.search(lines[-1]):
        yield Candidate(", ".join(items), "last lines", fallback=True)


def _as_answer(text: str, words: int = 2) -> str:
    """A text that is an answer and few words more, without emphasis and final stop; "" where it is prose."""
    text = main_clause(text)
    if len(text) > LONGEST_BARE or text.startswith("\\end{") or not re.search(r"\w|∞", text):
        return ""
    if len(prose_words(text)) > words or len(SHORT_WORD.findall(text)) > 2:
        return ""
    if DOUBTS.search(text) and re.search(r"\d", text):
        return ""
    is_formula = re.search(r"[\d\\=<>^+(\[{∞]", text)
    return bare(text) if is_formula or len(text.split()) <= 2 else ""


def _last_math(text: str) -> Iterator[Candidate]:
    """The last formula of the last sentence that has one, if no number comes after it."""
    text = text[-LAST_PART:]
    formulas = [match for match in MATH.finditer(text) if not BETWEEN_PRICES.fullmatch(match.group().strip("$"))]
    if not formulas:
        return
    last = formulas[-1]
    start = max(text.rfind(". ", 0, last.start()), text.rfind("\n", 0, last.start())) + 1
    if re.search(r"\d", text[last.end() :]):
        return
    if last.start() - start < LONGEST_BARE:
        end = start + len(main_clause(text[start : last.end()]))
        formulas = list(MATH.finditer(text, start, end))
    group = [last]
    for match in reversed(formulas[:-1]):
        if not LISTED.fullmatch(text, match.end(), group[0].start()):
            break
        group.insert(0, match)
    if len(group) > 1:
        yield Candidate(", ".join(match.group().strip("$\\()[]") for match in group), "last formulas", fallback=True)
    elif chosen := _last_that_is_meant(text, formulas or [last]):
        answer = next(group for group in chosen.groups() if group).strip()
        yield Candidate(answer, "last formula", fallback=True)


def _last_formula(text: str) -> Iterator[Candidate]:
    """A formula without dollars at the end of the text, where its numbers alone would be only parts of it."""
    line = text.rstrip()[-LONGEST_PARAGRAPH:].rpartition("\n")[2]
    found = [match for match in FORMULA.finditer(main_clause(line)) if re.search(r"\d", match.group())]
    if (last := _last_that_is_meant(line, found)) and COMPOSED.search(last.group()):
        yield Candidate(last.group().strip(" .,"), "last formula", fallback=True)


def _last_number(text: str) -> Iterator[Candidate]:
    """The last number, of what the last sentence with one says rather than of its condition or reason."""
    text = text[-LAST_PART:]
    numbers = list(NUMBER.finditer(text))
    sentence = SENTENCES.split(text.rstrip().rpartition("\n")[2])[-1]
    if words := [] if NUMBER.search(sentence) else list(IN_WORDS.finditer(sentence)):
        text, numbers = sentence, words
    elif numbers:
        start = max(text.rfind(". ", 0, numbers[-1].start()), text.rfind("\n", 0, numbers[-1].start())) + 1
        if (so := list(SO.finditer(text, start, numbers[-1].start()))) and not NUMBER.match(text[start:].lstrip("$ ")):
            start = so[-1].end()
        if numbers[-1].start() - start < LONGEST_BARE:
            said = main_clause(text[start : start + 2 * LONGEST_BARE])
            numbers = list(NUMBER.finditer(text, start, start + len(said))) or numbers
    if last := _last_that_is_meant(text, numbers):
        sign = "-" if MINUS.search(text, 0, last.start()) else ""
        yield Candidate(sign + last.group().strip(), "last number", fallback=True)


def _last_that_is_meant(text: str, found: list[re.Match[str]]) -> re.Match[str] | None:
    """The last of a sentence's numbers or formulas that is not there by the way; None if it is part of more."""
    aside = None
    is_compared = False
    for match in reversed(found[-MOST:]):
        line = text[max(0, match.start() - LONGEST_BARE) : match.start()].rpartition("\n")[2]
        before = LAST_STEP.split(SENTENCES.split(line)[-1])[-1].rpartition(": ")[2]
        if OF_IT.search(before) or COMPOUND.search(before) or DOUBTS.search(before):
            return None
        if NOT_IT.match(text, match.end()) or ASKED.match(text, match.end()):
            return None
        if COMPARED.search(before):
            is_compared = True
        elif ASIDE.search(before + match.group()[: match.group().startswith("$")]):
            aside = aside or match
        else:
            return match
    return None if is_compared else aside
