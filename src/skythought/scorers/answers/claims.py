"""What a response does not claim: answers that it denies, supposes, asks about or leaves to others.

They are taken out before anything is read, so that no rule of any scorer has to tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from skythought.scorers.answers.languages import ABROAD, IN_ASCII, PATTERNS

__all__ = ["UNCLAIMED", "claimed", "is_abroad"]

UNCLAIMED = "\ue000"
"""In place of a last sentence that claims nothing: what stands before it is not said to be the answer."""
LAST_PART = 20_000
"""Characters at the end of a response that are looked at."""
AT_THE_END = 200
"""Characters at the end in which a denial counts that does not speak of the answer ("It is not 5"), and an answer in
another language behind English."""
LONGEST = 150
"""Characters before and behind the word "answer" that say what is made of it."""
LAST_STATEMENTS = 500
"""Characters before a conditional answer in which another is looked for."""
MOST = 20
"""Words that are looked at, from the last one backwards."""
WORDS = ("answer", "option", "choice", "solution", "result")
BE = r"(?:is|are|was|were|be)"
NOT = (
    rf"(?:\b(?:(?:can|could|would|must|should|may|might|will|do|does|did)\s+)?not\b|\b(?:{BE}|could|would|must|should)"
    r"n['’]t\b|\bcan(?:['’]t|not)\b|\b(?:never|hardly|scarcely)\b|\bneither\b(?=\s[^.\n]{1,60}?\snor\b)|\banything\s+but\b|\bfar\s+from\b|\bno\s+longer\b|\bunlikely\s+to\b)"
)
DENIED = re.compile(
    rf"s?\**(?:\s*:\**)?(?:\s+(?:to|for|here|choice|option)\b[^.\n]{{0,40}}?)?\s+(?:{BE}\s+)?(?:\w{{4,12}}ly\s+)?{NOT}(?:\s+be\b)?"
    # What with "not" before it is an answer, or says that no option fits.
    r"(?!\s+(?:be\s+)?(?:defined|possible|determin|enough|exist|an?\s+(?:real|option)|listed|given|provided|among"
    r"|one\s+of|in\s+the|only\b|applicable))",
    re.IGNORECASE,
)
"""Behind "answer"."""
IS_NOT_THE = re.compile(rf"{NOT}\s+(?:the|my|our)\s+(?:(?:correct|right|final|best)\s+)?$", re.IGNORECASE)
"""Before "answer"."""
SUPPOSED = re.compile(
    r"\b(?:suppos\w+|assum\w+|imagin\w+|pretend\w*|whether|(?:is|['’]s)\s+(?:untrue|false|not\s+true)|(?<!no\s)doubt\w*|unlikely|refus\w+|den(?:y|ies|ied)|rejects?"
    r"|(?:may|might|could|first)\s+(?:\w+\s)?(?:think|guess|expect|believe)"
    r"|(?:don['’]t|doesn['’]t|not)\s+(?:think|believe|say|mean)"
    r"|(?:people|many|others|some|students)\s+(?:\w+\s)?(?:say|think|claim|believe)"
    r"|(?<!\bi\s)(?<!\bwe\s)(?<!\bit\s)(?<!\b(?:this|that|also)\s)(?<!\bwhich\s)(?:says|said|thinks|thought|claims|claimed|believes|argues))\b"
    r"[^.;:\n,]{0,40}$"
    r"|(?:\bif\b[^.\n]{1,100}\b(?:were|weren['’]t|had\s+(?:not|never|been)|hadn['’]t)|^\W*had)\b"
    r"(?:(?!\b(?:so|hence|thus|then)\b)[^.;\n]){0,80}$"
    r"|\b(?:if|unless)\s+(?:the|my|our)\s+$",
    re.IGNORECASE,
)
"""Before "answer"."""
OF_ANOTHER = re.compile(
    r"\b(?:wrong|incorrect|initial|given|(?<!\{)your|whose|guess(?:ed)?|first|previous|earlier|tempting|trap|naive|another|(?<!only\s)possible|candidate|other|worst"
    r"|least\s+\w+|unlikely)\s+(?:final\s+)?$",
    re.IGNORECASE,
)
"""Before "answer"."""
CONDITIONAL = re.compile(
    r"(?:(?:^|[;.(])\W*if\s[^.;\n]{1,100},\s+(?:then\s+)?|\b(?:when|otherwise|in\s+which\s+case),?\s+)(?:the|our|my)\s+(?:\w+\s)?$",
    re.IGNORECASE,
)
"""Before "answer", where another answer was given without a condition."""
GIVEN = re.compile(r"(?:^|[.;\n]\s?)[^;.,\n]{0,40}\banswer(?:\s+is|:)\s*[*(]*(?!not\b)[-\w$\\(]|\\boxed", re.IGNORECASE)
VALUE = r"(?=[-\d$\\(*]|(?-i:[A-Z])(?![a-zA-Z]))"
MISTAKEN = re.compile(
    r"\s+is:?\s+\S{1,12}\s+(?:is|was)\s+(?:false|wrong|incorrect|untrue|not\s+(?:true|right|correct))\b|"
    r"[^.\n]{0,80}?\b(?:but|however|although|though)\s+(?:he|she|they|it|this|that)\s+(?:is|are|was|were|would\s+be)"
    r"\s+(?:wrong|mistaken|incorrect|false|not\b)[^.:;\n]{0,30}[.:;\s]*",
    re.IGNORECASE,
)
"""Behind "answer": "... is 5, but that is wrong"."""
BUT_IT_IS = re.compile(
    rf"(?:[^.;\n]{{1,60}}?,?\s+but\b|\s+would\s+be\b[^.;\n]{{1,40}};)[^.;,\n]{{0,40}}?(?=\b(?:it(?:['’]s|\s+is)|the\s+answer\s+is)\s+{VALUE})",
    re.IGNORECASE,
)
"""Behind "answer": another one in the same sentence, "is C for others, but for ours it is B"."""
WOULD_BE_IF = re.compile(r"\w+\s+would\s+be\s[^.;\n]{1,60}?\bif\b[^.;\n]{1,60}?\b(?:were|was|had)\b", re.IGNORECASE)
QUOTED = re.compile(
    r"(?:\s+is|:)\s*[^'\"”’`\n]{1,30}['\"”’`],?\s+(?:if|when|for|or|and|in|as|at|on|where|said|says|claim\w*)\b",
    re.IGNORECASE,
)
"""Behind an "answer" in quotation marks that is spoken of, not given."""
COULD_BE = re.compile(r"\banswer\s+(?:may|might|could)\b", re.IGNORECASE)
"""Several answers of which each "could be" one are none."""
ASKED = re.compile(
    r"(?:^|[.!?\n,]\s*|\bso\s)(?:is|are|was|could|might|would|can|may|should|why)\s+(?:\w+\s){0,3}$", re.IGNORECASE
)
QUOTES = ("'", '"', "“", "‘", "`", "'The ", '"The ', "“The ", "'the ", '"the ')


class Denial(NamedTuple):
    """What denies a value without the word "answer", and plain words of which one is in all that it matches."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]


IT = r"\b(?:it|that|this)"
IS = rf"(?:['’]s|\s+{BE})"
AT_START = r"(?:^|(?<=[.\n]\s)|(?<=\n))"
NEGATIVE = "not|n't|n’t|never|neither|hardly|scarcely|but|far from|no longer|unlikely"
DENIALS = tuple(
    Denial(tuple(words.split("|")), re.compile(pattern, re.IGNORECASE))
    for words, pattern in (
        (NEGATIVE, rf"(?<!\w){IT}{IS}?\s*{NOT}(?:\s+be\b)?\s+{VALUE}"),
        ("not", rf"{AT_START}not\s+(?:{VALUE}|(?=[^.,;\n]{{1,40}},?\s+but\s))"),
        ("not|never", r"\bwould\s+(?:not|never)\s+(?:choose|pick|select|say)\b"),
        ("but|except", rf"{AT_START}(?:everything|all|anything|every\s+\w{{3,8}})\s+(?:but|except)\s+{VALUE}"),
        (
            "not|n't|n’t|unable|whether|doubt|unlikely|false",
            r"(?:\b(?:not(?!\s+(?:hard|difficult))|cannot|unable|whether|doubt\w*|unlikely|false)|n['’]t)\b[^.;,\n]{1,60}?"
            rf"(?:{IT}{IS}|\bsay)\s+{VALUE}",
        ),
        ("not", rf"{IT}{IS}\s+not\s+(?=[^.,;\n]{{1,40}}(?:,?\s+but|[,;]\s+it{IS})\s+[^\W_])"),
        ("may|might|could", rf"(?<!\bor\s){IT}\s+(?:may|might|could)\s+(?:also\s+|even\s+)?be\s+{VALUE}"),
        ("would", rf"{IT}\s+would\s+(?:only\s+)?(?:be|have\s+been)\b(?=[^.;\n]{{1,80}}?\b(?:if|had|were)\b)"),
        (
            "if ",
            rf"{AT_START}if\s[^.;\n]{{1,80}},\s(?:then\s)?(?:it\s(?:is|would\sbe)\s)?{VALUE}(?=[^\s.;]{{1,10}}[.;]\s+\S)",
        ),
        ("no way|nobody|no one", rf"\bno\s+way\b[^.\n]{{0,30}}?(?=\s{VALUE})|\b(?:nobody|no\s+one)\s[^.;\n]{{0,60}}"),
        (
            "? no|? wrong",
            r"(?:^|(?<=[.!\n]))[^.!?\n]{0,40}(?:\d|\b(?-i:[A-Z])\b)[^.!?\n]{0,20}\?\s+(?:no|nope|wrong)\W*$",
        ),
        (
            "(",
            r"\((?=[^()]*(?:[\d\\]|(?-i:[A-Z])))[^()]{1,60}\s(?:is|are|was|were|would\s+be)\s+(?:not|wrong|incorrect"
            r"|extraneous|rejected|invalid|excluded|impossible|negative|too)\b[^()]{0,40}\)",
        ),
    )
)
HINTS = tuple({word: None for denial in DENIALS for word in denial.words})
TAKING_BACK = (
    "wait",
    "no,",
    "no:",
    "no—",
    "no —",
    "no –",
    "no -",
    "no.",
    "hold on",
    "actually",
    "correction",
    "scratch",
    "i mean",
    "make that",
    "sorry",
)
"""One of these is in all that `TAKEN_BACK` matches."""
TAKEN_BACK = re.compile(
    r"[\d.…!?)}*$\w—–-]\s*(?:[.…!?;,—–*]|\.\.\.|\n|-\s)\s*(?:(?:oh|hmm|sorry|oops),?\s)?"
    r"(?:(?:no\s)?wait|no(?=\s?[,:—–-])|sorry|hold\s+on|actually|correction|scratch\s+that|i\s+mean(?:t)?|make\s+that)\b[\s,.:!…—–-]*"
    r"(?:(?:no|actually|sorry)\b[\s,.:!]*)?(?:[^.:\n]{1,60}:\s+)?"
    r"(?:[^\n]{0,80}?\b(?:it|that|this)(?:['’]s|\s+(?:is|should\s+be))\s+|make\s+it\s+)?"
    rf"(?P<value>[*(]{{0,3}}(?:{VALUE}|(?=(?:(?-i:[A-Z])[a-z]+\W{{1,3}}){{1,3}}$))[^\s]{{1,30}}(?:\s[a-z%$]{{1,12}}){{0,2}}[\s.!*)]*)$",
    re.IGNORECASE,
)
"""A value in place of the one before, at the end of a response: "13... no, wait, 12."."""
RETRACTED = re.compile(
    r"\b(?:i|we)\s+(?:just\s+)?(?:forgot|overlooked|misread|miscounted|left\s+out|made\s+an?\s+(?:\w+\s)?(?:mistake|error|slip))\b"
    r"|\bmy\s+(?:mistake|error|apologies|bad)\b|\bapologi[sz]e\s+for\s+(?:the|my)\s+(?:mistake|error|slip|oversight)|\bchang(?:e|ing)\s+my\s+answer\s+to\b"
    r"|\b(?:simplified|easier|smaller)\s+(?:problem|version|case)\b|\bearlier\s+version\b[^;.\n]{0,40}",
    re.IGNORECASE,
)
"""What an answer given before it does not outlive, where none is stated or boxed behind it."""
DOUBLY_DENIED = re.compile(
    r"\b(?:can(?:not|['’]t)|could\s?n[o'’]t|could\s+not)\s+be\s+any\w*\s+(?:but|other\s+than|except)\b"
    r"|\b(?:all|every|any)\w*\s+(?:\w+\s){0,3}?(?:except|but|other\s+than)\s+(?:for\s+)?(?=(?P<one>[(*]{0,3}[A-Z][)*]{0,3})\s+(?:can|may|must|are|is|have|has|were)"
    r"\b[^.\n]{0,20}?\b(?:excluded|eliminated|ruled\s+out|wrong|incorrect|false|out|fails?)\b)\S+[^.\n]*",
    re.IGNORECASE,
)
"""What denies all but one: "cannot be anything but C"."""
ENDS = r"[;\n。！？।]|[.!?](?=\s|$|[*\"<)])"
SENTENCE = re.compile(rf"{ENDS}|$")
CLAUSE = re.compile(rf"{ENDS}|,\s+(?:but|so|it|the|thus|however|rather|instead|because|since)\b|$", re.IGNORECASE)
BUT_THEN = re.compile(
    r"\b(?:but|rather|instead)\b,?(?:\s+(?:is|it\s+is|it['’]s)\b)?|(?<=[,;]\s)it(?:\s+is|['’]s)\b", re.IGNORECASE
)
LED_IN = re.compile(r"(?:(?:so|thus|hence|therefore|the|my|our|and|correct|final|right)\b[\s,]*)*$", re.IGNORECASE)
"""Before "answer", from the beginning of its clause."""
PAUSE = re.compile(r"[;,]?\s*")
NOT_ANOTHER = re.compile(
    r"[,，、]\s?(?:y\s|und\s|et\s|e\s|а\s)?(?:(?:no|nicht|non|não|nie|niet|не|ikke|inte|pas)\s(?=[-\d$\\(A-Z])|而?(?:不是|非))(?:[^\n.,，。]|[.,](?=\d)){1,40}"
)
NEXT_PART = re.compile(r",\s|[、，،]")
COMMA = re.compile(r"\s*[,،]\s")
NOTHING_YET = re.compile(r"(?:^|[.!?\n])(?:(?!\b[A-Z]\b)[^.!?\n\d$\\])*$")
"""A sentence up to here, in which no answer can have been given."""
ENDED = re.compile(r"\W*(?:\w+\W*)?$")
"""Behind "answer" where its sentence ends with it, as in "5 is not the answer"."""


class _Cut(NamedTuple):
    """A part of a text that is not claimed, and what stands in its place."""

    start: int
    end: int
    instead: str = " "


def claimed(text: str) -> str:
    """A response without the answers in it that it does not give.

    Of "the answer is not 5 but 6" stays "the answer: 6"; of "suppose the answer is 5. Then ..." what comes behind.
    """
    head, text = text[:-LAST_PART], text[-LAST_PART:]
    if any(word in text for word in (" but ", " except ", " other than ")):
        text = DOUBLY_DENIED.sub(lambda match: f"it is {match['one'] or ''}", text)
    lowered = text.lower()
    cuts = [] if len(lowered) != len(text) else list(_cuts(text, lowered))
    if is_abroad(lowered):
        cuts += _cuts_abroad(text, lowered)
    if not cuts:
        return head + text
    kept, place = [head], 0
    for cut in sorted(cuts):
        if cut.start >= place:
            kept += [text[place : cut.start], cut.instead]
        place = max(place, cut.end)
    is_last = not re.search(r"\w", text[place:]) and NOTHING_YET.search(text[: max(cuts).start])
    return "".join([*kept, text[place:], f"\n{UNCLAIMED}" if is_last else ""])


def is_abroad(lowered: str) -> bool:
    """Whether a response, in small letters, may state its answer in another language than English."""
    if not lowered.isascii():
        return any(map(lowered.__contains__, ABROAD))
    part = lowered[-AT_THE_END:] if any(map(lowered.__contains__, (" the ", " and ", " she "))) else lowered
    return any(map(part.__contains__, IN_ASCII))


def _cuts(text: str, lowered: str) -> Iterator[_Cut]:
    """What is not claimed in English."""
    tail = lowered[-AT_THE_END:]
    if any(map(tail.__contains__, TAKING_BACK)) and (taken_back := TAKEN_BACK.search(text, len(text) - len(tail))):
        yield _Cut(0, taken_back.start("value"), "Answer: ")
        return
    if retracted := _retracted(text, lowered):
        yield _Cut(0, retracted.end())
        return
    yield from _denied_values(text, tail)
    for word in filter(lowered.__contains__, WORDS):
        for place in _places(lowered, word):
            end = place + len(word)
            start = max(place - LONGEST, *(lowered.rfind(stop, 0, place) + 1 for stop in (". ", "? ", "! ", "\n")))
            before = text[start:place]
            if denied := DENIED.match(text, end):
                yield _without(text, start + LED_IN.search(before).start(), denied.end(), text[place:end] + ": ")  # type: ignore[union-attr]
            elif replaced := _replaced(text, lowered, end):
                yield _Cut(place, replaced.end())
            elif _is_supposed(text, before, place, end):
                yield _Cut(place, _end(CLAUSE, text, end))
            elif IS_NOT_THE.search(before[-40:]):
                yield _Cut(start, end)
            elif ASKED.search(before[-40:]) and text[(stop := _end(SENTENCE, text, end)) : stop + 1] == "?":
                yield _Cut(place, stop + 1)


def _retracted(text: str, lowered: str) -> re.Match[str] | None:
    """The last words that take the last answer back, if a value alone stands behind them."""
    given = max(lowered.rfind(word) for word in ("boxed{", "answer is", "answer:"))
    found = list(RETRACTED.finditer(text, max(given, len(text) - LAST_STATEMENTS))) if given >= 0 else []
    return found[-1] if found and re.search(r"[\d$]|\b[A-Z]\b", text[found[-1].end() :]) else None


def _replaced(text: str, lowered: str, end: int) -> re.Match[str] | None:
    """What is said of an answer up to "but that is wrong", or up to another one in the same sentence."""
    if any(
        lowered.find(word, end, end + LONGEST) >= 0
        for word in ("but", "though", "however", "would be", "false", "wrong", "incorrect", "true", "not ")
    ):
        return MISTAKEN.match(text, end) or BUT_IT_IS.match(text, end)
    return None


def _is_supposed(text: str, before: str, place: int, end: int) -> bool:
    """Whether the answer spoken of at a place is another's, supposed, quoted, or conditional behind one that is not."""
    if OF_ANOTHER.search(before[-40:]) or SUPPOSED.search(before):
        return True
    if WOULD_BE_IF.match(text, place) or (before.endswith(QUOTES) and QUOTED.match(text, end)):
        return True
    if COULD_BE.match(text, place) and len(COULD_BE.findall(text)) > 1:
        return True
    near = max(0, place - LONGEST)
    said = text[near:place].lower()
    if not any(word in said for word in ("if ", "when ", "otherwise", "in which")) or not CONDITIONAL.search(said):
        return False
    return GIVEN.search(text, max(0, place - LAST_STATEMENTS), place) is not None


def _places(lowered: str, word: str) -> Iterator[int]:
    """Where a word stands, from the last place backwards."""
    place = len(lowered)
    for _ in range(MOST):
        place = lowered.rfind(word, 0, place)
        if place < 0:
            return
        yield place


def _cuts_abroad(text: str, lowered: str) -> Iterator[_Cut]:
    """What is denied in other languages; and "or" in place of what joins two answers."""
    if len(lowered) != len(text):  # a letter whose small form is longer: places would not fit the text
        lowered = text
    nouns = filter(lowered.__contains__, PATTERNS)
    for place, end, words in ((at, at + len(noun), PATTERNS[noun]) for noun in nouns for at in _places(lowered, noun)):
        stop = min(_end(SENTENCE, text, end), end + LONGEST)
        before = text[max(0, place - LONGEST) : place]
        start = place - len(before) + _last_end(before)
        denied = (words.denied and words.denied.match(text, end, stop)) or (
            words.denied_behind and words.denied_behind.search(text, end, stop)
        )
        commas = list(NEXT_PART.finditer(text, end, denied.start())) if denied else []
        if denied and commas and re.search(r"[\dA-Z]", text[end : commas[-1].start()]):
            yield _Cut(commas[-1].start(), denied.end())  # "C, and not A", where the verb comes last
        elif denied:
            behind = denied.end() if denied.start() == end else denied.start()
            then = (words.but and words.but.search(text, behind, stop)) or COMMA.match(text, denied.end(), stop)
            yield _Cut(end, then.end(), ": ") if then else _Cut(start, stop)
        elif words.denied_before and words.denied_before.search(text[start:place]) and ENDED.match(text[end:stop]):
            yield _Cut(start, stop)
        elif another := NOT_ANOTHER.search(text, end, stop):
            yield _Cut(*another.span())
        elif words.alternative:
            yield from (_Cut(*match.span(), " or ") for match in words.alternative.finditer(text, end, stop))


def _denied_values(text: str, tail: str) -> Iterator[_Cut]:
    """What is denied at the end without the word "answer": all of a bracket, else as `_without` has it."""
    present = set(filter(tail.__contains__, HINTS))
    for words, pattern in DENIALS if present else ():
        if not present.isdisjoint(words):
            for denied in pattern.finditer(text, len(text) - len(tail)):
                start, end = denied.span()
                yield _Cut(start, end) if text[start] == "(" else _without(text, start, end, "")


def _without(text: str, start: int, end: int, instead: str) -> _Cut:
    """What is denied from `start` on, up to "but" and what is the answer then, else to the end of the clause."""
    stop = min(_end(SENTENCE, text, end), end + LONGEST)
    if then := BUT_THEN.search(text, end, stop):
        return _Cut(start, then.end(), instead)
    return _Cut(start, PAUSE.match(text, _end(CLAUSE, text, end)).end())  # type: ignore[union-attr]


def _end(of: re.Pattern[str], text: str, start: int) -> int:
    """Where the clause or sentence ends that goes on at `start`."""
    found = of.search(text, start)
    return found.start() if found else len(text)


def _last_end(text: str) -> int:
    """Where the last sentence in a text begins."""
    ends = [match.end() for match in SENTENCE.finditer(text) if match.end() < len(text)]
    return ends[-1] if ends else 0
