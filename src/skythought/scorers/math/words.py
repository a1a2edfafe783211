"""Answers in words; units behind numbers; times of day."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from skythought.scorers.answers.languages import NO
from skythought.scorers.math.numerals import in_digits

__all__ = [
    "MULTIPLIERS",
    "are_opposed",
    "clause_cut",
    "compound",
    "is_phrase_of",
    "lettered",
    "means_value",
    "only_number",
    "plain_words",
    "predicate",
    "same_date",
    "same_letters",
    "same_unit",
    "time_of_day",
    "unit_scale",
    "without_unit",
]

TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
UNIT_TEXT = re.compile(
    r"(?<=[\d})\]a-zA-Z%!])\s*\\text\s*\{\s*([^{}0-9]*[a-zA-Z][^{}]*)\}"
    r"((?:\s*(?:/|\\cdot)?\s*\\text\s*\{[^{}]*\})*)"
    r"(?:\s*\^\s*\{?\s*(-?\d)\s*\}?)?\s*\.?$"
)
# Units that can be converted into one another. Inches and miles stand apart from metres: of a length in both, one is
# rounded, and would be wrong by any exact rule.
SCALES: dict[str, tuple[str, Fraction]] = {
    name: (dimension, Fraction(scale))
    for dimension, units in {
        "length": "mm:1/1000 millimeter:1/1000 cm:1/100 centimeter:1/100 dm:1/10 m:1 meter:1 km:1000 kilometer:1000",
        "mass": "mg:1/1000 milligram:1/1000 g:1 gram:1 kg:1000 kilogram:1000 ton:1000000",
        "feet": "in:1 inch:1 inche:1 ft:12 foot:12 feet:12 yd:36 yard:36 mile:63360 mi:63360",
        "weight": "oz:1 ounce:1 lb:16 pound:16 gbp:16",  # a pound is money, too
        "radians": "rad:1 radian:1",
        "time": "s:1 sec:1 second:1 min:60 minute:60 h:3600 hr:3600 hour:3600 day:86400 week:604800",
        "years": "month:1 year:12",
        "angle": "degree:1",
        "celsius": "degreec:1 celsius:1",
        "fahrenheit": "degreef:1 fahrenheit:1",
        "kelvin": "k:1 kelvin:1",
        "force": "n:1 newton:1 kn:1000",
        "energy": "j:1 joule:1 kj:1000",
        "power": "w:1 watt:1 kw:1000",
        "pressure": "pa:1 pascal:1 kpa:1000",
        "frequency": "hz:1 hertz:1 khz:1000",
        "voltage": "v:1 volt:1",
        "resistance": "ohm:1",
        "money": "cent:1/100 dollar:1 buck:1 usd:1",
        "euros": "eur:1 euro:1",
        "rupees": "inr:1 rupee:1",
        "yuan, yen": "cny:1 rmb:1 yuan:1 jpy:1 yen:1",
        "roubles": "rub:1 rouble:1 ruble:1",
        "volume": "ml:1/1000 milliliter:1/1000 l:1 liter:1 litre:1",
        "feet/time": "mph:88/5 fps:12",
        "length/time": "kmh:5/18 kph:5/18 kmph:5/18 mps:1",
    }.items()
    for name, scale in (entry.split(":") for entry in units.split())
}
# Said with a number like a unit, but part of its value.
MULTIPLIERS = {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
MULTIPLIERS |= {"lakh": 10**5, "lakhs": 10**5, "crore": 10**7, "crores": 10**7, "pair": 2, "pairs": 2, "score": 20}
BARE = (
    r"degrees?|(?:deci|centi|milli|kilo)?met(?:er|re)s?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|"
    r"years?|dollars?|cents?|miles?|inch(?:es)?|feet|foot|yards?|(?:kilo|milli)?grams?|lit(?:er|re)s?|units?|km/h|mi/hr?|mph|"
    r"in|ways|people|students|points|times|[cmk]?m/s(?:\^?\{?2\}?)?|ft/s|[cmkd]m|kg|mg|ml|mL|ft|cm|yd|lbs?|rad"
    r"(?:ians)?|(?:square|cubic|sq\.?"
    r"|cu\.?)\s+\w+"
)
UNIT_WORDS = re.compile(
    # Letters right behind a number may be a product ("6abc"): only known units are dropped there.
    rf"(?<=[\d}})%])(?:\s*(?<![\d])?\s*({BARE})|\s*(?:th|st|nd|rd)\b(?:\s+[a-zA-Z]+)?"
    r"|\s+(?!pi\b|sqrt\b|or\b|and\b|mod\b|if\b|for\b|sin\b|cos\b|tan\b|log\b|ln\b)(of|[a-zA-Z]{3,}))"
    r"(?:(?:\s+|/)[a-zA-Z]{2,})*(?:\s*\^\s*\{?\s*(\d)\s*\}?)?\.?$"
)
KNOWN = re.compile(BARE)
LETTER_ALONE = re.compile(r"[a-zA-Z](?:_\{?\w+\}?)?")
LONE_WORD = re.compile(r"(?<!\\)\b[a-zA-Z]{3,}\b(?!\s*[({])")
FOREIGN_UNIT = re.compile(r"(?<=[\d})])\s*[^\x00-\x7f]+$")
PER = re.compile(r"(?:\bper\b|/)\s*(?:\\text\s*\{\s*)?([a-zA-Z]+)")
TRIGONOMETRY = re.compile(r"\\?(?:sin|cos|tan|cot|sec|csc|cis)")
LETTER = re.compile(r"(?<=\d)\s*([mshgLlN])(?:\s*\^\s*\{?\s*(\d)\s*\}?)?$")
# Conditions behind an answer: "for all x", "where n is even", "k \\in \\mathbb{Z}".
CLAUSE = re.compile(
    r"(?:[,;]\s*)?(?:\\text\s*\{\s*)?[(]?\b(?:for\s+(?:all|every|any|some|each)|for(?=\s+\$?\s*[a-zA-Z]\b))\b"
    r"(?:(?!,?\s*(?:\\text\s*\{\s*)?,?\s*\band\b).)*|"
    r"(?:[,;]\s*)?(?:\\text\s*\{\s*)?[(]?\b(?:where|at(?=\s*\}?\s*\$?[a-zA-Z]\s*=)|with|such\s+that|if|when(?:ever)?|"
    r"provided|because|since|as\s+required)\b(?!.*\b(?:if|otherwise|else)\b).*$|"
    r"(?:[,;(]\s*[a-z](?:,\s*[a-z])*|\s[a-z])\s*\\in\s*(?:\\mathbb\{?|\\text\{)[ZNRQC].*$|(?:[,;]\s*|\(\s*)[a-z]"
    r"(?:,\s*[a-z])*\s*\\in\s*[ZNRQC]\b.*$|\\forall.*$",
    re.DOTALL,
)
MARKS = re.compile(r"[^\w\\+\-/^'%]+")
MATH_MARKS = re.compile(r"[\s{}\"`.,;!?]+(?!\d)")
MONTHS = "january february march april may june july august september october november december sept"
MONTH = re.compile(rf"\b(?:{'|'.join(f'{name[:3]}|{name}' for name in MONTHS.split())})\b", re.IGNORECASE)
NOTHING = re.compile(
    r"(?:there (?:is|are) )?no (?:(?:real|integer|positive|such|rational|other) )*"
    r"(?:solution|root|value|number|integer)s?"
)
NO_VALUE = re.compile(
    r"\b(?:undefined|unknown|undetermined|impossible|infinite(?:ly)?|infinity|none|nothing|empty|cannot|no|not"
    r"|never|unbounded"
    r"|diverge[sd]?|indeterminate|all|any|every|real)\b"
)
ARTICLES = {"the", "a", "an"}
SYNONYMS = {
    "infinitely many": "\\infty", "infinite": "\\infty", "infinity": "\\infty", "infinitely many solutions": "\\infty",
    "none": "\\emptyset", "empty set": "\\emptyset",
    "does not exist": "undefined", "dne": "undefined", "not defined": "undefined", "no limit": "undefined",
}  # fmt: skip
DOUBTFUL = {
    "not", "no", "never", "neither", "nor", "or", "than", "but", "unless", "except", "without", "cannot", "only",
    "half", "twice", "double", "thrice", "triple", "third", "quarter", "square", "squared", "cube", "cubed", "root",
    "factorial", "multiple", "multiples", "divisible", "under", "over", "below", "above", "nearly", "almost", "maybe",
    "perhaps", "mod", "modulo", "power", "percent", "times", "dozen", "hundred", "thousand", "million", "billion",
    "between", "unknown", "either", "around", "i", "minus", "plus", "negative", "impossible", "wrong", "incorrect",
    "hardly", "scarcely", "barely", "different", "exceeds", "differs", "if", "whether", "suppose", "assume", "dozens",
}  # fmt: skip
"""Words with which a sentence denies, compares or offers a choice: what stands in it may not be what it says."""
CALL = re.compile(r"\w\(|__")
BOUND = re.compile(r"\bat\s+(?:least|most)\b", re.IGNORECASE)
IN_BRACKETS = re.compile(r"\(([A-J])\)")
AND = re.compile(r",?\s+and\s+")
CAPITALS = re.compile(r"[A-Z](?:[\s,]*[A-Z])+")
OPTION = re.compile(
    r"(?:\\text\s*\{\s*)?\(?(?P<letter>[A-J])(?:\)|\.|:)\s*(?:,(?!\s*(?:\\text|\(?[A-J]\b)))?\s*\}?\s*[:.]?\s*"
    r"(?P<rest>(?!and\b|or\b|[,}/])\S.*)",
    re.DOTALL,
)
OTHER_OPTION = re.compile(r"(?<![a-zA-Z\\])[A-J]\s*:")
OPTION_BEHIND = re.compile(r"(?P<rest>.*\S)\s*\\text\s*\{\s*\((?P<letter>[A-J])\)\s*\}", re.DOTALL)
NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.\\{])[-+]?(?:\\frac\{\d+\}\{\d+\}|\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?%?(?![A-Za-z0-9_]))"
)
QUANTITY = re.compile(
    r"(-?\d+(?:,\d{3})*(?:\.\d+)?)\s+([a-z]{3,})(?:\s[a-z]+)?\s(?:in|per|for|over|after|each|every|within"
    r"|during|from|on)\s"
)
SIGNED = re.compile(r"[<>=^_!*]|\d\s*[/+:]|[/+:]\s*\d")
COMPOUND = re.compile(r"(\d{1,6})\s*([a-zA-Z]{1,10})\.?,?\s+(?:and\s+)?(\d{1,6})\s*([a-zA-Z]{1,10})\.?")
PREFIXES = {"m", "k", "c", "d", "g", "n", "p", "u", "milli", "kilo", "micro", "mega", "giga", "nano"}
"""Before the same unit, small letters: 5 mK is not 5 K."""
NO_UNITS = {
    "above", "are", "below", "can", "cannot", "choose", "cubed", "does", "doubled", "dozens", "factorial", "fails",
    "fewer", "halved", "halves", "incorrect", "is", "less", "may", "might", "minus", "more", "not", "or", "plus",
    "power", "powers", "quarters", "root", "roots",
    "squared", "thirds", "tripled", "was", "were", "wrong", "zero",
}  # fmt: skip
"""Words behind a number that are no unit: what they say changes it, or denies it."""
OPPOSED = [
    [re.compile(rf"\b(?:{side})") for side in sides.split()]
    for sides in (
        r"left\b right\b", r"up\b|upwards? down", "north south east west", "gain|profit loss|lost|deficit",
        r"odd\b even\b", "increase|rise|growth decrease|fall|drop|decline|reduc", "inside|inward outside|outward",
        r"early\b|earlier|before|ago\b late\b|later|after|from\snow", "clockwise counter|anticlock|anti-clock",
        "older younger", "taller|longer shorter", "faster slower", "warmer|hotter colder|cooler",
        r"surplus shortage|short\b", "heads tails", "ahead behind",
    )
]  # fmt: skip
"""Words behind a number of which another side says the contrary: 3 km north is not 3 km south."""
DENIED_ABROAD = re.compile(NO)
SAID = re.compile(
    r"(?:^|\b(?:[a-z]+(?:s|ed)|are|was|were|be|have|had|get|got|made|paid|spent|sold|left|took|ate|bought|won|gave|grew|read"
    r"|(?:total|sum|number|value|answer|minimum|maximum)\s+of|(?:up|comes?|amounts?|equal)\s+to|[a-z]+ly)\s+|\w\s+\(|[^\W\d_a-zA-Z]\s?)\W*$",
    re.IGNORECASE,
)
"""Before the number that a sentence says: nothing, or its verb."""
TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*([ap]\.?\s?m\.?)?", re.IGNORECASE)
DAY = 24 * 3600


def plain_words(text: str) -> str:
    r"""Words in lower case without `\text{}`, articles, punctuation and doubled blanks; a synonym by its first name."""
    text = TEXT.sub(r" \1 ", text)
    with_math = any(character.isdigit() or character == "\\" for character in text)
    words = (
        (MATH_MARKS if with_math else MARKS).sub(" ", text.casefold().replace("-", "-" if with_math else " ")).split()
    )
    words = [re.sub(r"^(\d+)(?:th|st|nd|rd)$", r"\1", word) for word in words if word not in ARTICLES]
    joined = " ".join(words).removesuffix(" one") if len(words) > 1 else "".join(words)
    return "\\emptyset" if NOTHING.fullmatch(joined) else SYNONYMS.get(joined, joined)


def means_value(text: str) -> bool:
    """Whether words stand for a value or say that there is none: "twelve", "infinitely many", "no solution"."""
    plain = plain_words(in_digits(text))
    return any(character.isdigit() for character in plain) or plain[:1] == "\\" or NO_VALUE.search(plain) is not None


def same_date(one: str, other: str) -> bool:
    """Whether both name a month and have the same words in any order: `July 4th` and `4 July`."""
    if MONTH.search(one) is None or MONTH.search(other) is None:
        return False
    first, second = (
        sorted(word[:3] if MONTH.match(word) else word for word in plain_words(text.replace(",", " ")).split())
        for text in (one, other)
    )
    return first == second


def is_phrase_of(part: str, sentence: str) -> bool:
    """Whether an answer of a word or two stands in a gold sentence that says nothing else.

    "odd" is what "The function is odd" says. A sentence that denies, compares or gives a choice says more than the
    words in it, and a number is never taken from a sentence.
    """
    words, wanted = plain_words(sentence).split(), plain_words(part).split()
    if len(words) < 3 or max(map(len, wanted), default=0) < 3 or any(c.isdigit() for c in part):
        return False
    if DOUBTFUL & {*words, *wanted} or any(word.endswith("n't") for word in words):
        return False
    found = [at + len(wanted) for at in range(len(words)) if words[at : at + len(wanted)] == wanted]
    return bool(found) and not re.search(r"[\d\\=<>]", " ".join(words[found[0] :]))  # "all primes p > 2"


def predicate(sentence: str) -> str:
    """What a sentence with one "is" or "falls on" says of its subject, "even" of "The function is even"; else ""."""
    subject, *said = re.split(r" (?:is|are|was|were|(?:falls|fell|lands|landed) on) ", plain_words(sentence))
    return said[0] if len(said) == 1 and not DOUBTFUL & {*subject.split(), *said[0].split()} else ""


def clause_cut(text: str) -> str:
    """The text without a condition at its end: "x+1 for all x", "n, where n is even"."""
    shorter = CLAUSE.sub("", text).strip().rstrip(",;({\\").strip()
    whole = shorter.count("{") == shorter.count("}") and shorter.count("\\{") == shorter.count("\\}")
    return shorter if whole and re.search(r"[\d=\\+a-zA-Z]", shorter) else text


def without_unit(text: str, beside_number: bool = False) -> tuple[str, str]:
    """A text without the unit at its end, and that unit ("" if there is none); a percent sign is none.

    Args:
        beside_number: The other answer is a plain number, so that a single letter (`10 m`) is a unit, not a factor.
    """
    if text[-1:] > "\x7f" and (match := FOREIGN_UNIT.search(text)):
        return text[: match.start()].strip(), match.group().strip()
    if text.endswith(("\\circ", "\\circ}")) and not TRIGONOMETRY.search(text):
        shorter = re.sub(r"\s*\^\s*\{?\s*\\circ\s*\}?$", "", text)
        return (shorter, "degree") if shorter and shorter != text else (text, "")
    if not text or not (text[-1].isalpha() or text[-1] in "}.)" or text[-2:-1] in "^"):
        return text, ""
    for pattern in (UNIT_TEXT, UNIT_WORDS, *([LETTER] if beside_number else [])):
        match = pattern.search(text)
        if (
            match
            and (shorter := text[: match.start()].strip())
            and re.search(r"\d|(?<![a-zA-Z])[a-zA-Z]$|[})]$|\\pi$", shorter)
        ):
            if LONE_WORD.search(TEXT.sub(" ", shorter)):
                continue
            groups = [group for group in match.groups() if group]
            name = re.sub(r"[{}]", "", groups[0] if groups else "").strip().lower().rstrip(".")
            if NO_UNITS & set(re.findall("[a-z]+", match.group().lower())):
                continue
            if (per := PER.search(match.group())) and "/" not in name and " per " not in name:
                name = f"{name}/{per[1].lower()}"
            power = groups[-1] if len(groups) > 1 and groups[-1].lstrip("-").isdigit() else "1"
            unit = name if "^" in name else f"{name}^{power}"
            if LETTER_ALONE.fullmatch(shorter) and not (unit_scale(unit) or KNOWN.fullmatch(name)):
                continue  # "n odd"
            return without_unit(shorter)[0] if pattern is UNIT_WORDS else shorter, unit
    return text, ""


def compound(text: str) -> str:
    """`1 hour 30 minutes` or `5 feet 3 inches` in the smaller unit, "90 minutes"; "" for anything else."""
    match = COMPOUND.fullmatch(TEXT.sub(r" \1 ", text).strip())
    large, small = (unit_scale(match[2].lower()), unit_scale(match[4].lower())) if match else (None, None)
    if match is None or large is None or small is None or large[0] != small[0] or large[1] <= small[1]:
        return ""
    return f"{int(match[1]) * large[1] / small[1] + int(match[3])} {match[4]}"


def unit_scale(unit: str) -> tuple[str, Fraction] | None:
    """Dimension and size of a known unit, None for any other word."""
    above, per, below = unit.replace(" per ", "/").partition("/")
    if per:
        below, *powers = below.removesuffix("^1").split("^")
        one, other, power = unit_scale(above), unit_scale(below), powers[0] if powers else "1"
        if one is None or other is None or not power.isdigit() or len(power) > 2:
            return None
        name = f"{one[0]}/{other[0]}" + (f"^{power}" if power != "1" else "")
        return name, one[1] / other[1] ** int(power)
    name, power = _root_and_power(unit)
    found = SCALES.get(name) or SCALES.get(name.removesuffix("s"))
    if found is None or not re.fullmatch(r"-?\d", power):
        return None
    return found[0] + (f"^{power}" if power != "1" else ""), found[1] ** int(power)


def _root_and_power(unit: str) -> tuple[str, str]:
    """`cm` and 2 of `square cm` and `cm^2`."""
    squared = re.match(r"(square|cubic|sq|cu)\.?\s+", unit)
    name, _, power = unit[squared.end() if squared else 0 :].partition("^")
    return name, ("2" if squared[1].startswith("sq") else "3") if squared else power or "1"


def lettered(text: str) -> tuple[str, str] | None:
    r"""Letter and value of an option written out, `\text{(C)} 36` or `B) 58%`, else None."""
    match = OPTION.fullmatch(text) or OPTION_BEHIND.fullmatch(text)
    if match is None:
        return None
    letter, rest = match["letter"], match["rest"].strip()
    if rest.endswith("}") and rest.count("{") < rest.count("}"):
        rest = rest[:-1].strip()
    return (letter, rest) if rest and not OTHER_OPTION.search(rest) else None


def only_number(text: str) -> str | None:
    """The one number in a sentence that has no other and denies or compares nothing, else None.

    A call (`sleep(3)`) is no sentence.
    """
    found = NUMBER.findall(text)
    if len(found) > 1 and (quantity := QUANTITY.match(text)) and quantity[2] not in DOUBTFUL:
        found = [quantity[1]]  # "18 apples in 2 days"
    doubtful = (
        SIGNED.search(text)
        or (DOUBTFUL | NO_UNITS - {"is", "are", "was", "were"}) & set(plain_words(text).split())
        or BOUND.search(text)
        or CALL.search(text)
        or (not text.isascii() and DENIED_ABROAD.search(text))
    )
    return found[0] if len(found) == 1 and not doubtful and SAID.search(text[: text.find(found[0])]) else None


def same_letters(gold: str, given: str) -> bool | None:
    """`ABD` and `A, B, D`, or two names of capitals like `AB`; None for anything else."""
    gold, given = (AND.sub(",", IN_BRACKETS.sub(r"\1", TEXT.sub(r"\1", text))) for text in (gold, given))
    if not (CAPITALS.fullmatch(gold) and CAPITALS.fullmatch(given)):
        return None
    first, second = (re.sub(r"[^A-Z]", "", text) for text in (gold, given))
    if len(gold) == len(first) and len(given) == len(second):
        return gold == given
    return sorted(first) == sorted(second)


def are_opposed(one: str, other: str) -> bool:
    """Whether two texts say the contrary of one another, "3 km north" and "3 km south"."""
    one, other = one.casefold(), other.casefold()
    for sides in OPPOSED:
        first, second = ({at for at, side in enumerate(sides) if side.search(text)} for text in (one, other))
        if first and second and not first & second:
            return True
    return False


def same_unit(gold: str, given: str) -> Fraction | None:
    """By what to multiply the given number to have it in gold's unit; None if the units measure different things.

    An unknown word, or no unit on one side, is no contradiction: the problem's unit is meant.
    """
    one, other = unit_scale(gold), unit_scale(given)
    if one is None or other is None:
        first, second = sorted((gold, given), key=len)
        prefixed = first and second.endswith(first) and second.removesuffix(first) in PREFIXES
        powers = {_root_and_power(name)[1] for name in (first, second) if "/" not in name and "-" not in name}
        return None if prefixed or (first and len(powers) > 1) else Fraction(1)
    if one[0] != other[0]:  # a degree sign says neither of what nor, of a temperature, on which scale
        return Fraction(1) if {one[0], other[0]} in ({"angle", "celsius"}, {"angle", "fahrenheit"}) else None
    return other[1] / one[1]


class Time(NamedTuple):
    """A time of day: seconds since midnight, and whether AM or PM is said."""

    seconds: int
    halved: bool

    @property
    def is_certain(self) -> bool:
        """Whether it can be meant of one half of the day only."""
        return self.halved or not 3600 <= self.seconds < 13 * 3600

    @property
    def hour(self) -> int:
        """The 6 of "6 PM" and "6:00 PM"; 0 of any other time."""
        return (self.seconds // 3600 - 1) % 12 + 1 if self.halved and not self.seconds % 3600 else 0

    def is_same(self, other: Time) -> bool:
        """Whether two times are the same; noon and midnight are told apart only where both say so."""
        cycle = DAY if self.is_certain == other.is_certain else DAY // 2
        return (self.seconds - other.seconds) % cycle == 0


def time_of_day(text: str) -> Time | None:
    """The time of `8:34 P.M.`, `20:34`, `20:34:00` or `8 PM`, else None."""
    match = TIME.fullmatch(TEXT.sub(r"\1", text).strip())
    if match is None or not (match[2] or match[4]):
        return None
    hours, minutes, seconds = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if match[4] and hours < 13:
        hours = hours % 12 + (12 if match[4][0] in "pP" else 0)
    if hours > 24 or minutes > 59 or seconds > 59:
        return None
    return Time(hours * 3600 + minutes * 60 + seconds, bool(match[4]))
