"""The answer within a sentence that gives one: its formula, its number, or what it says of its subject."""

from __future__ import annotations

import re

from skythought.scorers.answers.dialects import undressed
from skythought.scorers.answers.statements import opened

__all__ = [
    "BETWEEN_PRICES",
    "DOUBTS",
    "IN_WORDS",
    "MATH",
    "NUMBER",
    "bare",
    "concluded",
    "main_clause",
    "predicate",
    "prose_words",
    "said_of_subject",
    "sentence_of",
    "spoken",
]

MATH = re.compile(
    r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<!\\)\$([^$]+?)(?<!\\)\$"
    r"|(\\begin\{(?:align|equation|gather)\*?\}.+?\\end\{[a-z]+\*?\})",
    re.DOTALL,
)
NUMBER = re.compile(
    r"\d{1,3}(?:\.\d{3})+\s?(?:€|[Ee]uros?\b|EUR\b|reais\b|pesos\b)|"
    r"(?<![\w.])[-+−]?\$?(?:\d+\s\d+(?=/\d)|\d+(?:,\d{3})+(?:\.\d+)?"
    r"|[1-9]\d{0,2}(?:[ \u00a0]\d{3})+(?!\d)|\d+(?:\.\d+)?|\.\d+)"
    r"(?:[eE][-+]?\d+)?(?:/\d+)?%?(?!\w|[.,]\d)|\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
)
ONES = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen"
    "|nineteen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?"
)
IN_WORDS = re.compile(
    rf"(?<![\w-])(?:(?!one\b)(?:{ONES})|(?:one|a)(?=\s(?:hundred|thousand|million)\b))"
    rf"(?:\s(?:hundred|thousand|million)\b(?:(?:\sand)?\s(?:{ONES})\b)?)*(?![\w-])",
    re.IGNORECASE,
)
"""A number in words, but "one", which is often no number."""
END = re.compile(r"(?<!\bi\.e)\.(?=\s|$|\**$|[A-Z\\])|\n|[。।]|，(?=所以|因为|因此|故)|[?]\s|(?<=[a-z][a-z])!\s")
ABBREVIATED = re.compile(r"^(?:Rs|No|Nr)\.\s?(?=\d)")
"""What before a number ends no sentence though it has a full stop."""
FENCE = re.compile(r"^```\w*\n")
CLAUSE = re.compile(
    r";\s+(?!(?:it|this|that)\b)(?=[^;.\n]{1,20}\s+(?:is|was)\b)|,\s+(?:the|its)\s+\w+\s+being\b|(?<=\d):\s(?=[^:\n]{1,40},)|(?<=\d)\s[a-z]+:\s(?=[^:\n]{1,60}(?:,|\+|\s(?:plus|and)\s))|,\s+(?:I(?:\s+am|['’]m)|dont|davon|darunter|di\s+cui|de\s+los\s+cuales)\b|;\s+(?:all|every|any|no|the\s+other)\b|,\s+(?:or\s+)?[$\d][\d.,]*\s+(?:each|apiece|per)\b|"
    r"(?:,|\s+and)\s+not\b|,\s+(?:and\s+(?:its|their|each)|given|using|contrary\s+to)\b|\s+[—–]\s+(?=[a-z])|,\s+as\s+(?:the|its|it|a|there)\b|,\s+(?:obviously|of\s+course|clearly|indeed)\b|\.\s+(?:[Ee]xplanation|[Rr]eason(?:ing)?|[Jj]ustification|[Nn]ote|[Bb]ecause)\b"
    r"|,\s+(?:approximately|about|roughly|approx\.)\s|[,;]?\s+\(?(?:(?:for\s+(?:all|every|any|each)|where(?:as)?|whatever|while|although|though|compared|unlike|having|including|after\s+(?:[a-z]+ing|\d)|who|when(?:ever)?|not(?:e|ing)\s+that|that\s+is(?=,)|i\.e(?=\.)|because|since|provided|(?:as|which\s+is)\s+"
    r"(?:required|desired|expected|in|seen|found|shown|claimed|wanted|we|it|the\s+\w+\s+(?:asks|says|states))|attained|obtained|achieved"
    r"|reached|occurring|so\s+that|with\s+equality|by\s+(?:step|equation|eq\.|the|part|symmetry|adding|definition|theorem)|which"
    r"|rather\s+than|instead\s+of|as\s+opposed\s+to|QED)\b|at\s+(?=\$(?!\d[\d,.]*\s)|\\\(|[a-z]\s*=)|for\s+(?=\$[^$]{1,20}\$|(?:some|an?)\s+(?:positive\s|natural\s|real\s)?(?:integer|real|number|constant)\b)"
    r"|(?<!out\s)(?<!written\s)(?<!expressed\s)(?<!given\s)(?<!known\s)as\s+(?=[\d$(\\])|(?:or|i\.e\.,?)\s+(?:about|approximately|roughly|around|≈|\\approx))"
)
NOTE = re.compile(
    r"\s+\((?!(?:or|and|maybe|perhaps|possibly)\b|[^()]*[,=])[a-z\d](?:[^()$\\]|\([^()]*\)){2,60}\)$|,?\s+not\s+[$\d(\\-]\S{0,40}$",
    re.IGNORECASE,
)
AND_MORE = re.compile(
    r"(?<=^[-$\\\d])([^,\n]{0,60}),\s+(?:and\s+(?:the|its)\s[^,\n]{1,60}\s(?:is|are)\s|in\s+(?:total|all)\b|altogether\b|so\s+(?:the|he|she|they|it|we)\s).*$"
)
"""What is said of something else behind an answer."""
CURRENCY = re.compile(r"[$€£¥]\s*(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s*(?:[$€£¥]|dollars\b|euros?\b)")
BETWEEN_PRICES = re.compile(r"[\d,.]+,?\s(?:or|and|to|from|as|[a-z,\s]*)\s?|.*[-+=*/×]\s*")
WORD = re.compile(r"[A-Za-z]{3,}|[\u0600-\u06ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]+")
COPULA = re.compile(r"\b(?:is|are|was|equals)\b")
ADVERB = re.compile(r"^(?:therefore|thus|hence|\w{3,}ly)\s+")
DENIES = re.compile(
    r"\b(?:not|no|never|hardly|scarcely|barely|neither|nor|or|than|but|unless|except|without|cannot|only|if|unclear|whether|doubtful)\b|n't\b",
    re.IGNORECASE,
)
DOUBTS = re.compile(
    r"\b(?:not|never|neither|nor|cannot|whether|doubt\w*|unclear|unsure|unknown|either|maybe|perhaps|possibly"
    r"|(?:might|could|may)\s+(?:also\s+)?be|wrong|guess|candidates?|others|between|(?<!add\s)(?<!adds\s)up\s+to|such\s+as|suppos\w+|assum\w+|ignor\w+|wants?\s+me|mark|what\s+if|you\s+get|friend|what\s+(?:my|your|the))\b|n['’]t\b"
    r"|\bor\s+[$\\]*$",
    re.IGNORECASE,
)
"""Words before a number or formula with which a sentence does not say that it is the answer."""
CONCLUSION = re.compile(
    r"^\s*(?:[-*+>]\s+(?=[a-z])|[*_]{1,3}(?=[a-z][a-z \d]{2,24}[*_]{0,2}:)|[∴⇒]\s*)?"
    r"(?:(?:so|in\s+fact|thus|hence|ergo|therefore|then"
    r"|finally|overall|(?:by|from|using)\s+[^,.\n]{1,20}(?=,)|in\s+(?:conclusion|total|summary|all)|to\s+sum\s+up)\b[,:]?\s*)?(?:(?:it|this|that)(?:['’]s|\s+(?:is|was|(?:must|would|should|will|has\s+to)\s+be))\b"
    r"|(?:we|i)(?:['’]d|['’]ll|\s+would|\s+will)?\s+(?:get|have|obtain|find|count|need|require|say|guess|conclude|choose|pick|select"
    r"|go\s+with|end\s+up\s+with|arrive\s+at)\b(?:\s+that\b)?"
    r"|(?:it|this|that|which)\s+(?:simplifies\s+to|reduces\s+to|comes\s+to|equals|gives(?:\s+us)?|yields|becomes|leaves(?:\s+us)?(?:\s+with)?)\b"
    r"|\$?[a-z]\$?\s+(?:is|equals)(?=\s[-\d$\\])|[a-z]\([a-z]\)\s*→|答[:：]"
    r"|[a-z][a-z \d]{2,24}[*_]{0,2}:[*_]{0,2}(?=\s)(?![^:\n]{0,80}:\s))?\s*",
    re.IGNORECASE,
)
"""What stands before an answer in the last line: "So", "Therefore, we get", "Total cost:"."""
WORKED_OUT = re.compile(
    r"^[^,;]*\b(?:of|than|times|plus|minus|twice|half)\b[^,;]*,\s+(?:which|that)\s+(?:is|equals|gives|makes|comes\s+to)\s+"
    r"(?=[$\d\\(-])"
)
"""What is worked out only behind it: "20% of 50, which is"."""
LAST_STEP = re.compile(
    r"(?:\bnot\b|n['’]t\b)[^.,;\n]{1,40}[,;]\s+(?:but\s+)?(?:it['’]s|it\s+is)\s+|"
    r"[,;]\s+(?:and\s+)?(?:so|thus|hence|therefore|giving)\s+(?=[$\d\\(-]|[a-zA-Z]{1,3}\s*[-+=])"
)
GOES_ON = re.compile(r"\s*(?:,\s*)?(?:or|and|but|to|is)\b")
LONGEST = 1500


def sentence_of(text: str) -> str:
    """The first sentence of what stands behind "the answer is"; a formula or a block of code that opens it is whole."""
    rest = ABBREVIATED.sub("", FENCE.sub("", text[: 2 * LONGEST].lstrip(" *_:\n")[:LONGEST]))
    sentence = END.split(rest, maxsplit=1)[0]
    if sentence.strip() in ("\\[", "$$", "\\(", "$") and (formula := MATH.match(rest)):
        return formula.group()  # one that goes over several lines
    return sentence


def bare(sentence: str) -> str:
    """The answer in a sentence that begins with it: its formula if it has one, without emphasis and final stop."""
    text = opened(undressed(sentence.replace("**", "").strip().strip("*_`|").strip(" |")))
    text = NOTE.sub("", main_clause(AND_MORE.sub(r"\1", WORKED_OUT.sub("", text.rstrip(".,;*_` ")))))
    found = [next(group for group in match.groups() if group) for match in MATH.finditer(text)]
    formulas = [formula for formula in found if not BETWEEN_PRICES.fullmatch(formula)]
    first = MATH.match(text)
    if first and formulas and len(found) == 1 and not GOES_ON.match(text, first.end()):
        return formulas[0].strip() + (" \\%" if re.match(r"\s*(?:\\?%|percent)", text[first.end() :]) else "")
    text = text.rstrip(".,;*").strip()
    if ":" in text and not formulas and len(priced := CURRENCY.findall(text)) == 1:
        return str(priced[0][0] or priced[0][1])  # "Cost: $5"
    return said_of_subject(text, formulas) if len(prose_words(text)) > 1 else text


def said_of_subject(text: str, formulas: list[str]) -> str:
    """What a sentence about the answer says it is: "the volume of the box is 120"."""
    whole = text
    *before, text = COPULA.split(text)
    if DENIES.search(" ".join(before)):
        return whole
    if len(formulas) == 1 and not DENIES.search(text) and (not before or MATH.match(text.lstrip())):
        return formulas[0].strip()
    text = text.strip()
    priced = CURRENCY.findall(text)
    if len(priced) == 1 and len(WORD.findall(text)) > 2 and not DENIES.search(text):
        return str(priced[0][0] or priced[0][1])
    return text


def concluded(line: str) -> str:
    """The last step of a line, without "So", "Therefore, we get" or "Total cost:" before it."""
    return CONCLUSION.sub("", LAST_STEP.split(line)[-1], count=1)


def main_clause(text: str) -> str:
    """A sentence without the condition or reason behind its answer: "$x^2$ for all $x$", "12, attained at $x=3$"."""
    for match in CLAUSE.finditer(text):
        before = text[: match.start()]
        inside = (
            _in_dollars(text, match.start())
            or before.count("{") != before.count("}")
            or before.count("\\(") > before.count("\\)")
        )
        if not inside and before.strip() and not before.endswith((" but", " and")):
            return before.rstrip(" ,;(")
    return text


def _in_dollars(text: str, place: int) -> bool:
    """Whether a place is within a formula between dollars, and not only between two prices."""
    if text.count("$", 0, place) % 2 == 0 or "$" not in text[place:]:
        return False
    start, end = text.rfind("$", 0, place) + 1, text.find("$", place)
    inside = text[start:end]
    between_prices = BETWEEN_PRICES.fullmatch(inside) or len(prose_words(inside)) > 1
    return not between_prices or not text[end + 1 : end + 2].isdigit()


def predicate(sentence: str) -> str:
    """What a short sentence with one "is" or "are" says of its subject, "even" of "The function is even"; else "".

    Of "Paris is the capital" it is the subject that is new.
    """
    if none := re.search(r"\bdo(?:es)?\s+not\s+exist$", sentence.rstrip(" .*_")):
        return none.group()
    subject, *said = (part.strip().strip(".*_") for part in COPULA.split(sentence))
    if len(said) != 1 or not subject:
        return ""
    if subject.casefold() == "there" and said[0].startswith("no "):
        return said[0]
    if DENIES.search(sentence):
        return ""
    return subject if re.match(r"(?:the|an?)\s", said[0]) else ADVERB.sub("", said[0])


def prose_words(text: str) -> list[str]:
    """Words of prose: no commands, nothing in braces."""
    return WORD.findall(re.sub(r"\\[a-zA-Z]+|\{[^{}]*\}", " ", text))


def spoken(text: str) -> bool:
    """Whether a text is prose rather than a formula or a name: more than two words."""
    return len(prose_words(text)) > 2
