"""One answer, taken apart only as far as a comparison asks for; gold answers are kept, so that each is parsed once."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from skythought.scorers.math import sets, words
from skythought.scorers.math import structure as shapes
from skythought.scorers.math.normalisation import compact, spell, unwrapped
from skythought.scorers.math.numbers import Number, number
from skythought.scorers.math.parsing import Tree, UnparsedError, parse

__all__ = ["Answer", "Parts", "gold_answer", "part"]

KEPT = 4096


class Answer:
    """An answer in the one spelling, and what it is as a number, a formula, a list, a set, a chain of relations."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.compact = compact(text)

    @cached_property
    def number(self) -> Number | None:
        return number(self.text)

    @cached_property
    def bare(self) -> tuple[str, str]:
        """Without its unit, and that unit."""
        return words.without_unit(self.text)

    @cached_property
    def tree(self) -> Tree | None:
        try:
            return parse(re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", self.text))
        except (UnparsedError, RecursionError):
            return None

    @cached_property
    def group(self) -> shapes.Group:
        return shapes.group(self.text)

    @cached_property
    def parts(self) -> list[str]:
        return shapes.expand_signs(self.group.parts)

    @cached_property
    def chain(self) -> shapes.Chain:
        return shapes.chain(self.text)

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
        return bool(re.search(r"\b(?!and\b)[a-zA-Z]{3,}|[^\x00-\x7f]", plain)) and self.tree is None


@lru_cache(maxsize=KEPT)
def gold_answer(text: str) -> Answer:
    """The answer in a raw text, kept for the next sample of the problem."""
    return Answer(spell(text))


@lru_cache(maxsize=KEPT)
def part(text: str) -> Answer:
    """A part of an answer that is spelled already."""
    return Answer(unwrapped(text.strip()))


class Parts:
    """The parts of an answer with their labels, `p=5, q=2, p=7, q=2` as two pairs."""

    def __init__(self, answer: Answer) -> None:
        self.opening, self.closing, _ = answer.group
        parts = answer.parts
        label, named = shapes.value(answer.text)
        if label and (inner := shapes.group(named)).opening == "\\{":  # x \in \{1,2\}
            self.opening, self.closing, parts = inner.opening, inner.closing, shapes.expand_signs(inner.parts)
        self.ordered = self.opening in ("(", "[", "\\langle")
        self.values = [_as_tuple(text) for text in parts]
        self.labels: list[str] = []
        pairs = None if self.opening else shapes.labelled(self.values)
        if pairs is not None:
            self.labels = [compact(label) for label, _ in pairs]
            self.values = [text for _, text in pairs]
            self.ordered = self.ordered or len(answer.parts) == 1
            self._regroup()
        elif not self.opening:
            self.values = [shapes.value(text)[1] for text in self.values]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

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


def _as_tuple(text: str) -> str:
    """`p=5,q=2`, one solution of several that semicolons part, as `(5,2)`."""
    inner = shapes.group(text)
    if inner.opening or len(inner.parts) < 2:
        return text
    pairs = shapes.labelled(inner.parts)
    return text if pairs is None else f"({', '.join(value for _, value in pairs)})"
