"""Where a text names an option by its letter, and where a letter is only a word, a symbol or the start of a name."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

__all__ = [
    "ENDED",
    "LETTERS",
    "Label",
    "label_at",
    "option_named_by_text",
    "plain",
    "plain_options",
    "raised",
    "text_begins_with",
]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Every quantifier is bounded, so that no text makes a match take long.
WRAPPED = r"(?:\\(?:boxed|text|mathrm|textbf|mathbf|rm|bf)\s{0,3}\{?|[\s(\[{<$*_\"'`“‘「『（【]|\\[(\[{]){0,12}"
ENDED = r"(?![A-Za-z0-9\u00c0-\u024f]|_(?!_)|['’](?![dt][iıuü]r)[A-Za-z])"
"""Behind a letter that is no part of a word; Chinese and Japanese write on without a blank."""
LABEL = re.compile(rf"{WRAPPED}([A-Za-z]){ENDED}")
JOINT = re.compile(
    r"[)\]}.?*_\"'`$\\ ]{0,6}(?:[和或与與及跟]"
    r"|,?(?!\s*\n\s*\n)\s{0,3}(?:\band/or\b|\band\b|\bor\b|[&/+|])|[,，、;])\s{0,3}"
    r"(?:(?:both|options?|choices?|maybe|perhaps|possibly|it\s(?:might|may|could)\sbe)\s)?",
    re.IGNORECASE,
)
CLOSING = frozenset(')]}*$`"”」』）】')
PART_OF_A_NAME = re.compile(r"[-‐’'^_+#/][\w+]|\+|#|\s{0,3}=(?!=)|\.\w")
A_WORD_FOLLOWS = re.compile(
    r"\s+(?!(?:and|or|is|because|since|as|which|based|due|but|not|instead|rather|from|by|for|with"
    r"|porque|pois|ya|car|parce|puisque|weil|denn|da|perché|poiché|потому|так|omdat|ponieważ|bo|çünkü|karena|vì)\b)"
    r"(?:[a-zA-Z\u00c0-\u024f]|[\"“(\\$]?[a-z]{3,}\s[a-z])"
)
SMALL_AND_ENDED = re.compile(r"\s{0,3}(?:[.,;:!?)\]*。，]|$|\n|\(|(?:because|since|as|is|which|and|or|but)\b)")
ANOTHER_SUBJECT = re.compile(
    r"[)\]*\"]{0,4}\s+(?:is|was|are|has|would|can|could|does|did|will|says|states)\b|[)\]*\"]{0,4}\s?(?:不|错|錯|は)"
)
COMMANDS = re.compile(
    r"\^?\s{0,3}\{?\\circ\b\}?|\\(?:text|mathrm|textbf|mathbf|left|right|displaystyle|rm|bf|,|;|!|:|\s)"
)
SHORT_FRACTION = re.compile(r"\\[dtc]?frac\s{0,3}(\d)\s{0,3}(\d)")
FRACTION = re.compile(r"\\[dtc]?frac\s{0,3}\{([^{}]{1,60})\}\s{0,3}\{([^{}]{1,60})\}")
GROUPED = re.compile(r"(?<=[\^_])\s{0,3}\{([^{}]{0,60})\}")
THOUSANDS = re.compile(r"(?<=\d)\{?,\}?(?=\d{3}(?!\d))")
RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
ROMAN = re.compile(r"\(?\b(?:ii|iii|iv|vi)\b")
MARKUP = re.compile(r"[$*_`{}\"“”\\]")
STOPS = re.compile(r"(?<!\d)[.,;:!?]|[.,;:!?](?!\d)")


class Label(NamedTuple):
    """Options that a text names: one letter, or several that are joined ("A and C"), and where the naming ends."""

    letters: str
    end: int


def label_at(text: str, position: int, count: int) -> Label | None:
    """The option (of `count`) that is named at `position`, behind brackets, quotes and markup, or None."""
    match = LABEL.match(text, position)
    if match is None or not _is_option(match.group(1), count) or _is_word(text, match):
        return None
    letters, end = match.group(1).upper(), match.end()
    while joint := JOINT.match(text, end):
        other = LABEL.match(text, joint.end())
        if other is None or not _is_option(other.group(1), count) or _is_word(text, other):
            break
        if other.group(1).isupper() != match.group(1).isupper() or ANOTHER_SUBJECT.match(text, other.end()):
            break
        end = other.end()
        if other.group(1).upper() not in letters:
            letters += other.group(1).upper()
    return Label(letters, end)


def _is_option(letter: str, count: int) -> bool:
    return 0 <= LETTERS.find(letter.upper()) < count


def _is_word(text: str, match: re.Match[str]) -> bool:
    """Whether the letter is the article "a", the pronoun "I", a symbol, or a small letter within a sentence."""
    letter, start, end = match.group(1), match.start(1), match.end()
    # "A)" and "(a)" are labels whatever follows; "**a**" may be emphasis within a sentence.
    if letter == "i" and ROMAN.search(text, max(0, start - 40), end + 40):  # "(i) and (iii) only"
        return True
    if text[end : end + 1] in CLOSING and end < len(text) and not text.startswith("*", end):
        return False
    if text.startswith("__", end) and text.startswith("__", max(0, start - 2)):
        return False
    if PART_OF_A_NAME.match(text, end):
        return True
    if text.startswith("**", end) or text.startswith("*", start - 1) and text.startswith("*", end):
        return False
    ends_its_line = letter.isupper() and text.startswith("\n", end)
    if letter in "AaIi" and not ends_its_line and A_WORD_FOLLOWS.match(text, end):
        return True
    return letter.islower() and SMALL_AND_ENDED.match(text, end) is None


def raised(text: str) -> str:
    """The text with powers as `^2`, not as small digits."""
    return RAISED.sub(lambda match: "^" + match[0].translate(POWERS), text)


def plain(text: str) -> str:
    """Text for comparing options: case, markup, punctuation, ways to write a fraction and a leading "the" left out."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", raised(text).replace("−", "-"))
    text = re.sub(r"\b1e(?=-?\d)", "10^", text)
    if "," in text or "{" in text:
        text = THOUSANDS.sub("", GROUPED.sub(r"\1", text))
    if "\\" in text:
        text = COMMANDS.sub(" ", SHORT_FRACTION.sub(r"\1/\2", FRACTION.sub(r"\1/\2", text)))
    return " ".join(STOPS.sub(" ", MARKUP.sub(" ", text)).casefold().split()).removeprefix("the ")


@lru_cache(maxsize=512)
def plain_options(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The options of a problem as `plain` has them; kept, since a problem's samples come together."""
    return tuple(plain(text) for text in texts)


def option_named_by_text(text: str, texts: tuple[str, ...]) -> int | None:
    """The number of the one option whose whole text occurs in `text`.

    An option inside a longer one that occurs too does not count; neither do options with the same text.
    """
    wanted = f" {plain(text)} "
    found = [
        (number, option) for number, option in enumerate(plain_options(texts)) if option and f" {option} " in wanted
    ]
    longest = [
        (number, option)
        for number, option in found
        if not any(option != other and f" {option} " in f" {other} " for _, other in found)
    ]
    return longest[0][0] if len(longest) == 1 else None


@lru_cache(maxsize=512)
def _lettered_options(texts: tuple[str, ...]) -> list[tuple[int, str]]:
    """Options whose text starts with a letter that stands alone, as `plain` has them."""
    options = enumerate(plain_options(texts))
    return [(number, words) for number, words in options if re.match(r"[^\W\d_](?!\w).", words)]


def text_begins_with(text: str, texts: tuple[str, ...]) -> int | None:
    """The option whose text starts with a single letter ("E. coli", "B cells") and stands at the start of `text`."""
    for number, words in _lettered_options(texts):
        start = plain(text[: 2 * len(texts[number]) + 40])
        label, _, rest = start.partition(" ")
        if start.startswith(words) and not (label == LETTERS[number].lower() and rest.startswith(words)):
            return number
    return None
