"""One answer in all its readings, each worked out when it is asked for; gold answers are kept, to be parsed once."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from skythought.scorers.math import sets, structure, words
from skythought.scorers.math.normalisation import compact, normalised, unwrapped
from skythought.scorers.math.numbers import Number, number
from skythought.scorers.math.parsing import Tree, UnparsedError, parse

__all__ = ["Answer", "Parts", "gold_answer", "part"]

KEPT = 4096
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
SLASHED = re.compile(r"/\s*((?!pi|ln)[a-zA-Z]{2})(?![a-zA-Z(^_{])")
"""Letters side by side under a stroke, "t/RC", are all below it."""


class Answer:
    """A normalised answer, and what it is as a number, a formula, a list, a set, a chain of relations."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.compact = compact(text)

    @cached_property
    def number(self) -> Number | None:
        return number(self.text[1:-1] if self.text[:1] == "(" and self.text[-1:] == ")" else self.text)

    @cached_property
    def bare(self) -> tuple[str, str]:
        """Without its unit, and that unit."""
        return words.without_unit(self.text)

    @cached_property
    def tree(self) -> Tree | None:
        try:
            return parse(SLASHED.sub(r"/(\1)", THOUSANDS.sub("", self.text)))
        except (UnparsedError, RecursionError):
            return None

    @cached_property
    def group(self) -> structure.Group:
        return structure.group(self.text)

    @cached_property
    def parts(self) -> list[str]:
        return structure.without_dots(structure.expand_signs(self.group.parts))

    @cached_property
    def chain(self) -> structure.Chain:
        return structure.chain(self.text)

    @cached_property
    def set(self) -> tuple[str, sets.RealSet] | None:
        try:
            return sets.real_set(self.text) if sets.looks_like_set(self.text) else None
        except sets.NoSetError:
            return None

    @property
    def is_single(self) -> bool:
        """Whether it is one number or formula."""
        return (self.number is not None or self.tree is not None) and not self.chain.relations

    @cached_property
    def is_prose(self) -> bool:
        """Words rather than a formula."""
        plain = re.sub(r"\\[a-zA-Z]+\s*", " ", words.TEXT.sub(r" \1 ", self.text))
        return bool(re.search(r"\b(?!and\b)[a-zA-Z]{3,}|\b[nN]o\b|[^\x00-\x7f]", plain)) and self.tree is None


@lru_cache(maxsize=KEPT)
def gold_answer(text: str) -> Answer:
    """The answer in a text as the dataset has it, kept for the next sample of the problem."""
    return Answer(normalised(text))


@lru_cache(maxsize=KEPT)
def part(text: str) -> Answer:
    """A part of an answer that is normalised already, kept as the gold answers are: most parts asked for are theirs."""
    return Answer(unwrapped(text.strip()))


class Parts:
    """The parts of an answer with their labels, `p=5, q=2, p=7, q=2` as two pairs."""

    def __init__(self, answer: Answer) -> None:
        self.opening, self.closing, _ = answer.group
        parts = answer.parts
        label, named = structure.value(answer.text)
        if label and (inner := structure.group(named)).opening == "\\{":  # x \in \{1,2\}
            self.opening, self.closing, parts = inner.opening, inner.closing, structure.expand_signs(inner.parts)
        self.ordered = self.opening in ("(", "[", "\\langle")
        self.values = list(parts)
        self.labels: list[str] = []
        pairs = None if self.opening else structure.labelled(self.values)
        if pairs is not None:
            self.labels = [compact(label) for label, _ in pairs]
            self.values = [text for _, text in pairs]
            self.ordered = self.ordered or len(answer.parts) == 1
            self._regroup()
        elif not self.opening:
            self.values = [structure.value(text)[1] for text in self.values]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    @property
    def count_of_sets(self) -> int:
        """How many of them are in braces."""
        return sum(text.startswith("\\{") for text in self.values)

    @property
    def coordinates(self) -> list[str]:
        """The values of x, y and z in this order, where these are the labels."""
        names = sorted(self.labels)
        if names not in (["x", "y"], ["x", "y", "z"]):
            return self.values
        return [value for _, value in sorted(zip(self.labels, self.values, strict=True))]

    def _regroup(self) -> None:
        names = list(dict.fromkeys(self.labels))
        size = len(names)
        if 1 < size < len(self.labels) and names * (len(self.labels) // size) == self.labels:
            tuples = [self.values[at : at + size] for at in range(0, len(self.values), size)]
            self.values = [f"({', '.join(values)})" for values in tuples]
            self.labels, self.ordered = [], False
