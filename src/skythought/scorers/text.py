"""Answers in words: a name, yes or no, a label, a few tokens. Compared as text, forgiving only how it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from skythought.latex import last_box
from skythought.scorers.answers.candidates import SENTENCES, marked, statements
from skythought.scorers.answers.claims import UNCLAIMED
from skythought.scorers.answers.dialects import spelled, turns, undressed
from skythought.scorers.answers.sentences import END, bare, concluded, main_clause, predicate
from skythought.scorers.answers.statements import EXPLAINED, is_about, opened
from skythought.scorers.base import NO_GOLD, Scorer
from skythought.types import Problem, Score

__all__ = ["TextScorer"]

LONGEST_BARE = 100
"""Characters of a last line that may be an answer though nothing says so."""
WRAPPER = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}")
LABEL = re.compile(r"\(?([a-z])\)")
WHOLE_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.0+)?")
FIRST_IN_BOLD = re.compile(r"\s*\*\*([^*\n]{1,100})\*\*[ \t]*\n")
ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
YES_OR_NO = re.compile(r"(?:.*\?\s+)?\W*(yes|no|true|false)(?=[,.;:!])(?!.*\b(?:or|but|wait)\b)", re.IGNORECASE)
OPTION = re.compile(r"(?:option|choice|label)\s+", re.IGNORECASE)
COUNTED = re.compile(
    r"(-?\d[\d,]*)\s(?!(?:dozen|hundred|thousand|[mb]illion|or|and|to|more|less|times|percent|squared)\b)[a-z]+\.?"
)
"""A number of things: "3 apples"."""
REASON = re.compile(
    r"\s[-–—]\s|;\s|:\s|,\s(?=(?:as|since|because|who|which|they|it|he|she|the|and\sthis|of\scourse|never|indeed|certainly|clearly)\b)|\s\((?![A-Za-z]\))"
)
SIGNS = str.maketrans("−–", "--")


@dataclass(frozen=True)
class TextScorer(Scorer):
    """Compares a short answer in words with the gold one.

    Case, surrounding quotes, markup and a full stop at the end do not matter, nor does `(A)` for `A` or `1,200` for
    `1200`, nor a reason behind the answer ("True, because ..."). Otherwise every word counts, in its place.
    """

    def score(self, problem: Problem, answer: str) -> Score:
        """Correct if the answer that the response gives last is the same text as the gold one."""
        gold = "" if problem.target is None else str(problem.target)
        found = next(((text, rule) for text, rule in _found(answer) if _is_one(text, rule, gold)), None)
        if problem.target is None:
            return Score(None, NO_GOLD, found[0][:2000], details={"rule": found[1]}) if found else Score(None, NO_GOLD)
        if found is None:
            return Score(False, "no answer found: no box, no stated answer, no short last line")
        text, rule = found
        correct = any(same_text(gold, reading) for reading in _readings(text, rule))
        shown = text if len(text) <= 80 else text[:77] + "..."
        return Score(
            correct,
            f"{shown} ({rule}) {'=' if correct else '≠'} {gold}",
            text[:2000],
            details={"rule": rule, "compared_with": gold},
        )

    def gold(self, problem: Problem) -> str | None:
        """The target in a box."""
        return None if problem.target is None else f"\\boxed{{{problem.target}}}"

    def same(self, problem: Problem, one: str, other: str) -> bool:
        """The same text but for how it is written, with or without a reason behind it."""
        pairs = [(a, b) for a in _readings(one, "stated") for b in _readings(other, "stated")]
        return any(same_text(a, b) or same_text(b, a) for a, b in pairs)


def same_text(gold: str, given: str) -> bool:
    """Whether two short texts are the same but for how they are written."""
    wanted, got = _plain(gold), _plain(given)
    if wanted == got:
        return bool(wanted)
    if not any(char.isalnum() for char in wanted):  # brackets: blanks between them are no part of the answer
        return bool(wanted) and "".join(wanted.split()) == "".join(got.split())
    label = LABEL.fullmatch(wanted)
    if (given_label := LABEL.fullmatch(got)) and given_label[1] == wanted:
        return True
    if label:  # "(B)": also "B", "B." and "(B) blue"
        return re.match(rf"\(?{label.group(1)}(?:\)|[.:]|$)(?!\s*(?:(?:or|and)\b|[,/]\s*\(?[a-z]\b))", got) is not None
    if WHOLE_NUMBER.fullmatch(wanted) and WHOLE_NUMBER.fullmatch(got):
        return _integer(wanted) == _integer(got)
    return "," not in wanted and wanted.split() == got.replace(",", " ").split()


def _found(response: str) -> Iterator[tuple[str, str]]:
    """All texts that may be the answer, each with the rule that found it, the best first."""
    response = spelled(response)
    for end in turns(response):
        yield from ((found.text, found.rule) for found in marked(response[:end]))
        yield from ((_first_line(rest), "stated") for _, rest in statements(response[:end]))
    if bold := FIRST_IN_BOLD.match(response):
        yield bold[1], "bold"
    first, _, rest = response.strip().partition("\n")
    if len(first) <= LONGEST_BARE and EXPLAINED.match(rest):
        yield first, "first line"
    lines = [line.strip() for line in response[-8 * LONGEST_BARE :].splitlines() if _plain(line.strip(UNCLAIMED))]
    last = lines[-1] if lines else ""
    last = last if len(last) <= LONGEST_BARE else SENTENCES.split(last)[-1]
    if last and len(last) <= LONGEST_BARE:
        yield last, "last line"


def _first_line(text: str) -> str:
    return text.lstrip(" *_:\n\t").partition("\n")[0].strip()


def _is_one(text: str, rule: str, gold: str) -> bool:
    """Whether a text is an answer: not empty, and not about the answer ("This answer is correct.")."""
    return bool(_plain(text)) and (
        rule == "last line" or not is_about(text) or any(same_text(gold, reading) for reading in _readings(text, rule))
    )


def _readings(text: str, rule: str) -> Iterator[str]:
    """A text as it is; its first sentence, without a reason behind it; what a last line says of its subject."""
    text = last_box(text) or text
    yield text
    if rule != "several boxes":
        yield REASON.split(text, maxsplit=1)[0]
    text = opened(concluded(undressed(text.strip(" |*_"))))
    yield text
    yield OPTION.sub("", text, count=1)
    if counted := COUNTED.fullmatch(text):
        yield counted[1]
    if rule not in ("boxed", "several boxes"):
        if word := YES_OR_NO.match(text):
            yield word[1]
            return
        sentence = END.split(text, maxsplit=1)[0]
        yield bare(sentence)
        yield REASON.split(sentence, maxsplit=1)[0]
        yield sentence.rpartition(" = ")[2]
        if rule == "last line":
            said = predicate(main_clause(sentence))
            yield said
            yield ARTICLE.sub("", said)


def _plain(text: str) -> str:
    """`text` without case, markup, quotes, doubled blanks and a full stop at its end."""
    text = unicodedata.normalize("NFKC", text).translate(SIGNS)
    while (bare := WRAPPER.sub(r"\1", text)) != text:
        text = bare
    text = re.sub(r"\\[,;! ()\[\]]|[$*`\"“”‘’]", " ", text).replace("\\_", "_")
    return " ".join(text.casefold().split()).removeprefix("= ").strip(" '").rstrip(".! ")


def _integer(text: str) -> int | str:
    digits = text.partition(".")[0].replace(",", "")
    # Python refuses to read an integer of more than 4,300 digits.
    return int(digits) if len(digits) < 1000 else digits
