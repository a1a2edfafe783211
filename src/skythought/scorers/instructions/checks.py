r"""The 25 kinds of verifiable instructions of IFEval, each a check that takes time in proportion to the response.

Kinds, argument names and what counts as followed are those of the paper (Zhou et al. 2023, arXiv:2311.07911) and of the
dataset google/IFEval; where the authors' program decides a corner case (what a bullet or a word in capitals is), we
decide it alike, so that numbers compare. Two differences: a keyword is text, never a pattern, and the letter to be
counted may be any character (their program counts a random letter where "#" or "!" is asked for).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

__all__ = ["CHECKS", "Check", "Finding", "detected_language", "sentence_splitter"]

Finding = tuple[bool, str]
"""Whether the instruction is followed, and what was found, for people."""
Check = Callable[[str, Mapping[str, Any]], Finding]

FIXED_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
WORD = re.compile(r"\w+")
EMPHASIS = re.compile(r"\*[^\n*]*\*")
STRONG = re.compile(r"\*\*[^\n*]*\*\*")
DIVIDER = re.compile(r"\s?\*\*\*\s?")
BETWEEN_TOKENS = re.compile(r"[\s;@#$%&?!*\[\](){}<>\"“”«»„‘’`–—]+|--+|\.{2,}|[:,](?!\d)")
CLITIC = re.compile(
    r"(?<=[^'])(?:'(?:[sSmMdD]|ll|LL|re|RE|ve|VE)?|n't|N'T|(?<=^can)not|(?<=^CAN)NOT|(?<=^GIM)ME|(?<=^GON)NA|(?<=^GOT)TA"
    r"|(?<=^WAN)NA|(?<=^LEM)ME)$"
)
POSTSCRIPTS = {"P.P.S": re.compile(r"p\.\s?p\.\s?s"), "P.S.": re.compile(r"p\.\s?s\.")}
FENCES = ("```json", "```Json", "```JSON", "```")
LOADING = threading.Lock()


def compared(count: int, relation: str, wanted: float, what: str) -> Finding:
    """`count` against "at least" or "less than" `wanted`."""
    if relation not in ("at least", "less than"):
        raise ValueError(f"relation {relation!r} is neither 'at least' nor 'less than'")
    followed = count >= wanted if relation == "at least" else count < wanted
    return followed, f"{count} {what}, {relation} {wanted:g} asked for"


def exactly(count: int, wanted: float, what: str) -> Finding:
    return count == wanted, f"{count} {what}, {wanted:g} asked for"


def keywords(response: str, args: Mapping[str, Any]) -> Finding:
    lowered = response.lower()
    missing = [word for word in args["keywords"] if word.lower() not in lowered]
    return not missing, f"missing: {', '.join(missing)}" if missing else "all keywords there"


def keyword_frequency(response: str, args: Mapping[str, Any]) -> Finding:
    word = args["keyword"].strip()
    count = len(re.findall(re.escape(word), response, re.IGNORECASE))
    return compared(count, args["relation"], args["frequency"], f"times {word!r}")


def forbidden_words(response: str, args: Mapping[str, Any]) -> Finding:
    used = [word for word in args["forbidden_words"] if re.search(rf"\b{re.escape(word)}\b", response, re.IGNORECASE)]
    return not used, f"used: {', '.join(used)}" if used else "no forbidden word"


def letter_frequency(response: str, args: Mapping[str, Any]) -> Finding:
    letter = args["letter"].strip().lower()
    return compared(response.lower().count(letter), args["let_relation"], args["let_frequency"], f"times {letter!r}")


def response_language(response: str, args: Mapping[str, Any]) -> Finding:
    language = detected_language(response)
    return language in (
        None,
        args["language"],
    ), f"language {language or 'not to be told'}, {args['language']} asked for"


def number_sentences(response: str, args: Mapping[str, Any]) -> Finding:
    count = len(sentence_splitter().tokenize(response))
    return compared(count, args["relation"], args["num_sentences"], "sentences")


def number_paragraphs(response: str, args: Mapping[str, Any]) -> Finding:
    parts = [part.strip() for part in DIVIDER.split(response)]
    if not all(parts[1:-1]):
        return False, "an empty paragraph between two dividers"
    return exactly(sum(map(bool, parts)), args["num_paragraphs"], "paragraphs")


def number_words(response: str, args: Mapping[str, Any]) -> Finding:
    return compared(len(WORD.findall(response)), args["relation"], args["num_words"], "words")


def nth_paragraph_first_word(response: str, args: Mapping[str, Any]) -> Finding:
    parts = response.split("\n\n")
    count, number = sum(bool(part.strip()) for part in parts), int(args["nth_paragraph"])
    # The number counts empty paragraphs too, as the authors' program does; only their total leaves them out.
    words = parts[number - 1].split() if number <= count else []
    first = re.split(r"[.,?!'\"]", words[0].lstrip("'").lstrip('"'), maxsplit=1)[0].lower() if words else ""
    followed = bool(words) and count == args["num_paragraphs"] and first == args["first_word"].lower()
    return followed, f"{count} paragraphs, paragraph {number} begins with {first!r}"


def number_placeholders(response: str, args: Mapping[str, Any]) -> Finding:
    count = 0
    for line in response.split("\n"):
        start = line.find("[")
        while start >= 0 and (end := line.find("]", start)) >= 0:
            count, start = count + 1, line.find("[", end)
    return compared(count, "at least", args["num_placeholders"], "placeholders")


def postscript(response: str, args: Mapping[str, Any]) -> Finding:
    marker = args["postscript_marker"].strip()
    pattern = POSTSCRIPTS.get(marker) or re.compile(re.escape(marker.lower()))
    followed = pattern.search(response.lower()) is not None
    return followed, f"{'a' if followed else 'no'} postscript {marker}"


def number_bullet_lists(response: str, args: Mapping[str, Any]) -> Finding:
    count, skip = 0, False
    lines = response.split("\n")
    for number, line in enumerate(lines):
        text = line.lstrip()
        if text.startswith("-"):
            count += 1
        if skip or not text.startswith("*"):
            skip = False
        elif text == "*":  # the bullet's text stands in the next line
            skip = number + 1 < len(lines)
            count += skip
        else:
            count += text[1] != "*"
    return exactly(count, args["num_bullets"], "bullets")


def constrained_response(response: str, args: Mapping[str, Any]) -> Finding:
    followed = any(answer in response for answer in FIXED_ANSWERS)
    return followed, f"{'one' if followed else 'none'} of the given answers"


def number_highlighted_sections(response: str, args: Mapping[str, Any]) -> Finding:
    found = [text.strip("*") for text in EMPHASIS.findall(response)] + [t[2:-2] for t in STRONG.findall(response)]
    count = sum(bool(text.strip()) for text in found)
    return compared(count, "at least", args["num_highlights"], "highlights")


def multiple_sections(response: str, args: Mapping[str, Any]) -> Finding:
    name = args["section_spliter"].strip()
    count = len(re.findall(rf"{re.escape(name)}\s?\d+", response))
    return compared(count, "at least", args["num_sections"], f"sections named {name}")


def json_format(response: str, args: Mapping[str, Any]) -> Finding:
    text = response.strip()
    for fence in FENCES:
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError) as error:
        return False, f"not JSON: {str(error)[:80]}"
    return True, "JSON"


def title(response: str, args: Mapping[str, Any]) -> Finding:
    for line in response.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start < end - 2 and line[start : end + 2].lstrip("<").rstrip(">").strip():
            return True, "a title in << >>"
    return False, "no title in << >>"


def two_responses(response: str, args: Mapping[str, Any]) -> Finding:
    parts = [part.strip() for part in response.split("******")]
    given = [part for part in parts if part]
    followed = all(parts[1:-1]) and len(given) == 2 and given[0] != given[1]
    return followed, f"{len(given)} responses between ******" + ("" if followed or len(given) != 2 else ", the same")


def repeat_prompt(response: str, args: Mapping[str, Any]) -> Finding:
    followed = response.strip().lower().startswith(args["prompt_to_repeat"].strip().lower())
    return followed, f"begins {'with' if followed else 'without'} the prompt"


def end_checker(response: str, args: Mapping[str, Any]) -> Finding:
    text, phrase = response.strip().strip('"').lower(), args["end_phrase"].strip().lower()
    return text.endswith(phrase), f"ends with {text[-60:]!r}"


def capital_word_frequency(response: str, args: Mapping[str, Any]) -> Finding:
    count = capital_words(response)
    return compared(count, args["capital_relation"], args["capital_frequency"], "words in capitals")


def english_capital(response: str, args: Mapping[str, Any]) -> Finding:
    return english(response, response.isupper(), "capital")


def english_lowercase(response: str, args: Mapping[str, Any]) -> Finding:
    return english(response, response.islower(), "small")


def english(response: str, case: bool, letters: str) -> Finding:
    if not case:
        return False, f"not all letters are {letters}"
    language = detected_language(response)
    return language in (None, "en"), f"all letters {letters}, language {language or 'not to be told'}"


def no_comma(response: str, args: Mapping[str, Any]) -> Finding:
    count = response.count(",")
    return not count, f"{count} commas"


def quotation(response: str, args: Mapping[str, Any]) -> Finding:
    text = response.strip()
    followed = len(text) > 1 and text[0] == text[-1] == '"'
    return followed, f"{'wrapped' if followed else 'not wrapped'} in double quotation marks"


def capital_words(text: str) -> int:
    """Words whose letters are all capitals, as a Penn Treebank tokenizer splits them: "DON'T" and "Q&A" are two."""
    count = 0
    for token in BETWEEN_TOKENS.split(text):
        clitic = CLITIC.search(token)
        parts = (token,) if clitic is None else (token[: clitic.start()], clitic.group())
        count += sum(part.isupper() for part in parts)
    return count


def detected_language(text: str) -> str | None:
    """The ISO 639-1 code of the language that langdetect sees, always the same for the same text; None if it cannot."""
    from langdetect import DetectorFactory, LangDetectException, detect

    with LOADING:  # its tables are loaded by the first call, into a global
        DetectorFactory.seed = 0
        try:
            return str(detect(text))
        except LangDetectException:
            return None


@lru_cache(maxsize=1)
def sentence_splitter() -> Any:
    """NLTK's English Punkt model (Kiss & Strunk 2006), from a package that holds it: nothing is downloaded."""
    import punkt

    return punkt.PunktSentenceTokenizer(punkt.load_model("english"))


CHECKS: Mapping[str, Check] = {
    "keywords:existence": keywords,
    "keywords:frequency": keyword_frequency,
    "keywords:forbidden_words": forbidden_words,
    "keywords:letter_frequency": letter_frequency,
    "language:response_language": response_language,
    "length_constraints:number_sentences": number_sentences,
    "length_constraints:number_paragraphs": number_paragraphs,
    "length_constraints:number_words": number_words,
    "length_constraints:nth_paragraph_first_word": nth_paragraph_first_word,
    "detectable_content:number_placeholders": number_placeholders,
    "detectable_content:postscript": postscript,
    "detectable_format:number_bullet_lists": number_bullet_lists,
    "detectable_format:constrained_response": constrained_response,
    "detectable_format:number_highlighted_sections": number_highlighted_sections,
    "detectable_format:multiple_sections": multiple_sections,
    "detectable_format:json_format": json_format,
    "detectable_format:title": title,
    "combination:two_responses": two_responses,
    "combination:repeat_prompt": repeat_prompt,
    "startend:end_checker": end_checker,
    "startend:quotation": quotation,
    "change_case:capital_word_frequency": capital_word_frequency,
    "change_case:english_capital": english_capital,
    "change_case:english_lowercase": english_lowercase,
    "punctuation:no_comma": no_comma,
}
