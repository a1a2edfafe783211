"""The verdict on a pair of answers, and the rule that decided: the cheapest that can tell."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from skythought.scorers.math import equations, matrices, sets, words
from skythought.scorers.math import evaluation as values
from skythought.scorers.math import structure as shapes
from skythought.scorers.math.answer import Answer, Parts, gold_answer, part
from skythought.scorers.math.normalisation import spell, unwrapped
from skythought.scorers.math.numbers import (
    DIGITS_OF_GIVEN,
    DIGITS_OF_GOLD,
    Number,
    decimal_commas,
    is_rounding,
    same_number,
)
from skythought.scorers.math.renaming import aligned, renamed

__all__ = ["Same", "same"]

LONGEST = 1000
"""Characters of an answer that is compared at all, unless the gold one is long too."""
DEEPEST = 6
MOST_PARTS = 200
MOST_COMPARED = 5000
LETTERS = set("ABCDEFGHIJ")
OR = re.compile(r"(?<![a-zA-Z])or(?![a-zA-Z])")


class Same(NamedTuple):
    """Whether two answers are the same, and how that was found out."""

    same: bool
    rule: str


def same(gold: str, given: str, tolerance: Fraction | None = None) -> Same:
    """Whether `given` means the same as `gold`.

    Args:
        tolerance: By how much a number may be off, where the dataset says so.
    """
    if gold.strip() == given.strip() and gold.strip():
        return Same(True, "same text")
    if len(given) > max(LONGEST, 4 * len(gold)):
        return Same(False, f"the answer is {len(given):,} characters long")
    answer = Answer(spell(given))
    if not answer.text:
        return Same(False, "nothing is left of the answer without its formatting")
    try:
        return _Comparison(tolerance).whole(gold_answer(gold), answer)
    except RecursionError:
        return Same(False, "the answer is nested too deeply")


class _Comparison:
    def __init__(self, tolerance: Fraction | None) -> None:
        self.tolerance = tolerance
        self.compared = 0

    def whole(self, gold: Answer, given: Answer, depth: int = 0) -> Same:
        """The first rule that can tell."""
        if gold.compact == given.compact:
            return Same(True, "same text")
        self.compared += 1
        if depth > DEEPEST or self.compared > MOST_COMPARED:
            return Same(False, "the answer has too many parts, or is nested too deeply")
        if gold.number and given.number:
            close = self._numbers(gold.number, given.number)
            if close or "," not in gold.text + given.text:
                return Same(close, "numbers compared exactly")
        rules = (self._times, self._words, self._points, self._sets, self._matrices)
        for rule in (*rules, self._quantities, self._several, self._related):
            found = rule(gold, given, depth)
            if found is not None:
                return found
        return self._leaf(gold, given, depth)

    def _again(self, gold: str, given: str, depth: int) -> Same:
        return self.whole(part(gold), Answer(unwrapped(given.strip())), depth + 1)

    def _numbers(self, gold: Number, given: Number) -> bool:
        if same_number(gold, given):
            return True
        return self.tolerance is not None and abs(gold.value - given.value) <= self.tolerance

    # -- rules that look at the whole -------------------------------------------------------------------------

    def _times(self, gold: Answer, given: Answer, depth: int) -> Same | None:
        if ":" not in gold.text or ":" not in given.text:
            return None
        one, other = words.time_of_day(gold.text), words.time_of_day(given.text)
        if one is None or other is None:
            return None
        return Same(True, "same time of day") if one == other else None

    def _words(self, gold: Answer, given: Answer, depth: int) -> Same | None:
        if gold.is_prose or given.is_prose:
            wanted, got = words.plain_words(gold.text), words.plain_words(given.text)
            if wanted and wanted == got:
                return Same(True, "same words")
            if words.same_date(gold.text, given.text):
                return Same(True, "same date")
            if gold.is_prose and words.predicate(given.text) == wanted != "":
                return Same(True, "the sentence says it")
            if gold.is_prose and words.is_phrase_of(given.text, gold.text):
                return Same(True, "the gold sentence says it")
        if (chosen := words.same_letters(gold.text, given.text)) is not None:
            return Same(chosen, "letters of several options")
        if (lettered := self._lettered(gold, given, depth)) is not None:
            return lettered
        cut, cut_given = words.clause_cut(gold.text), words.clause_cut(given.text)
        if (cut, cut_given) != (gold.text, given.text) and not (part(cut).is_prose or Answer(cut_given).is_prose):
            return self._again(cut, cut_given, depth)
        return None

    def _lettered(self, gold: Answer, given: Answer, depth: int) -> Same | None:
        """An option written out with its letter, `(C) 36`: the letter alone is enough, and so is its text."""
        option, other = words.lettered(gold.text), words.lettered(given.text)
        if option is None and other is None:
            return None
        if option is not None and given.text in LETTERS:
            return Same(option[0] == given.text, "letter of the option")
        if other is not None and gold.text in LETTERS:
            return Same(other[0] == gold.text, "letter of the option")
        if option is not None and other is not None and option[0] != other[0]:
            return Same(False, "other letter")
        return self._again(option[1] if option else gold.text, other[1] if other else given.text, depth)

    def _points(self, gold: Answer, given: Answer, depth: int) -> Same | None:
        """A tuple against a point with its name, `(1,2)` and `P(1,2)`."""
        if (gold.group.opening == "(") == (given.group.opening == "("):
            return None
        one, other = shapes.point(gold.text), shapes.point(given.text)
        return self._again(one or gold.text, other or given.text, depth) if one or other else None

    def _sets(self, gold: Answer, given: Answer, depth: int) -> Same | None:
        if gold.group.opening and given.group.opening and not sets.is_joined(gold.text + given.text):
            return None  # two tuples, intervals or finite sets: compared part by part
        if sets.is_joined(gold.text + given.text) and (found := _conditions(gold, given)) is not None:
            return found
        if gold.set is not None and given.set is not None:
            (name, wanted), (given_name, got) = gold.set, given.set
            if name and given_name and name.strip("|") != given_name.strip("|"):
                return Same(False, "different variables")
            return Same(sets.same_set(wanted, got), "compared as sets of real numbers")
        if gold.is_single or given.is_single:
            one, other = _element(gold), _element(given)
            if (one, other) != (gold.text, given.text):
                return self._again(one, other, depth)
            if gold.set or given.set:
                return Same(False, "a set and a single value")
        for mark in ("\\cup", "\\cap"):
            parts, others = (shapes.pieces(answer.text, {mark})[0] for answer in (gold, given))
            if len(parts) > 1 and len(parts) == len(others):
                return Same(self._in_any_order(parts, others, depth), "compared part by part")
        return None

    def _matrices(self, gold: Answer, given: Answer, depth: int) -> Same | None:
        if "pmatrix" not in gold.text + given.text:
            return None
        wanted, got = (shapes.value(answer.text)[1] for answer in (gold, given))
        one, other = shapes.matrix(matrices.worked_out(wanted)), shapes.matrix(matrices.worked_out(got))
        if one is None or other is None:
            return Same(False, "a matrix and something else")
        if [len(row) for row in one] != [len(row) for row in other]:
            transposed = [len(one[0])] if one else []
            flat = "pmatrix" not in given.text or "pmatrix" not in gold.text
            if not (flat and len(one) + len(other) == 1 + len(transposed) * max(len(one), len(other))):
                return Same(False, "matrices of different shape")
        pairs = zip(sum(one, []), sum(other, []), strict=False)
        fits = len(sum(one, [])) == len(sum(other, []))
        return Same(fits and all(self._again(a, b, depth).same for a, b in pairs), "compared entry by entry")

    def _quantities(self, gold: Answer, given: Answer, depth: int) -> Same | None:
        """`1,250 miles`, whose comma parts no list."""
        if "," not in gold.text + given.text:
            return None
        wanted, unit = gold.bare
        got, given_unit = words.without_unit(given.text, beside_number=gold.number is not None)
        if "," not in wanted + got or not (unit or given_unit) or not (part(wanted).number and part(got).number):
            return None
        return self._measured(part(wanted), Answer(got), unit, given_unit, depth)

    def _several(self, gold: Answer, given: Answer, depth: int) -> Same | None:
        if gold.chain.relations and given.chain.relations and len(gold.parts) == len(given.parts) == 1:
            return None
        one, other = Parts(gold), Parts(given)
        if one.count < 2 and other.count < 2 and not (one.opening and other.opening):
            return None
        rule = "compared part by part"
        if one.opening and other.opening and (one.opening, one.closing) != (other.opening, other.closing):
            alike = {one.opening, other.opening} == {"(", "\\langle"}
            if not alike:
                return Same(False, "different brackets") if max(one.count, other.count) > 1 else None
        if one.count != other.count:
            return self._of_other_count(gold, given, (one, other), depth)
        if one.count > MOST_PARTS:
            return Same(False, f"{one.count} parts are too many to compare")
        if one.labels and other.labels and (named := self._by_name(one, other, depth)) is not None:
            return named
        if one.ordered or other.ordered:
            pairs = list(zip(one.coordinates, other.coordinates, strict=True))
            return Same(all(self._again(a, b, depth).same for a, b in pairs), rule)
        return Same(self._in_any_order(one.values, other.values, depth), rule)

    def _of_other_count(self, gold: Answer, given: Answer, parts: tuple[Parts, Parts], depth: int) -> Same:
        """A comma that is a decimal point, or the one value asked for in several forms, `1/2 or 0.5`."""
        one, other = parts
        if min(one.count, other.count) == 1 and (decimal := decimal_commas(gold.text, given.text)):
            return Same(self._numbers(*decimal), "numbers with a decimal comma")
        forms = one.count == 1 and OR.search(given.text)
        if forms and all(self._again(gold.text, value, depth).same for value in other.values):
            return Same(True, "the same value in several forms")
        return Same(False, f"{other.count} parts where {one.count} are asked for")

    def _by_name(self, one: Parts, other: Parts, depth: int) -> Same | None:
        """Values with names, if the names tell which belong together; with none in common they are only labels."""
        names = set(one.labels)
        if not names & set(other.labels):
            return None
        if sorted(one.labels) != sorted(other.labels):
            return Same(False, "values of other names")
        if len(names) < one.count:
            return None
        by_label = dict(zip(other.labels, other.values, strict=True))
        pairs = [(text, by_label[label]) for label, text in zip(one.labels, one.values, strict=True)]
        return Same(all(self._again(a, b, depth).same for a, b in pairs), "compared name by name")

    def _in_any_order(self, first: list[str], second: list[str], depth: int) -> bool:
        """Each part has its equal on the other side."""
        rest = list(second)
        for text in sorted(first, key=lambda text: text not in second):  # the cheap ones first
            match = text if text in rest else next((b for b in rest if self._again(text, b, depth).same), None)
            if match is None:
                return False
            rest.remove(match)
        return not rest

    # -- equations --------------------------------------------------------------------------------------------

    def _related(self, gold: Answer, given: Answer, depth: int) -> Same | None:
        """Equations and inequalities against one another, or an equation against a value."""
        wanted, got = gold.chain.relations, given.chain.relations
        if not wanted and not got:
            return None
        (label, text), (given_label, given_text) = shapes.value(gold.text), shapes.value(given.text)
        if wanted and got:
            return self._both_related(gold, given, (label, text), (given_label, given_text), depth)
        if wanted:
            if label and not equations.is_product(label) and self._again(text, given.text, depth).same:
                return Same(True, "value of the equation")
            return (
                Same(equations.solves(gold, given), "an equation and what solves it")
                if equations.is_equation(gold)
                else None
            )
        candidates = [given_text] if given_label else []
        if not given_label and equations.may_be_value(given):
            candidates = [given.chain.sides[-1]]
        if given.chain.relations[-1] == "\\approx":
            candidates.append(given.chain.sides[-2])
        for candidate in candidates:
            if candidate != given.text and self._again(gold.text, candidate, depth).same:
                return Same(True, "value of the equation")
        return (
            Same(equations.solves(given, gold), "an equation and what solves it")
            if equations.is_equation(given)
            else None
        )

    def _both_related(
        self, gold: Answer, given: Answer, wanted: tuple[str, str], got: tuple[str, str], depth: int
    ) -> Same | None:
        (label, text), (given_label, given_text) = wanted, got
        if label and given_label and not equations.are_other_coordinates(label, given_label):
            names = equations.arguments(label, given_label)
            one, other = part(text).tree, Answer(given_text).tree
            if names and one and other:
                same_function = equations.equal(one, renamed(other, names))
                return Same(same_function, "compared as functions of another argument")
            value = self._again(text, given_text, depth)
            if value.same or label == given_label:
                return Same(value.same, "same name, values compared" if not value.same else "same value")
        elif gold.chain.sides[-1] == given.chain.sides[-1] and len(gold.chain.sides) == len(given.chain.sides):
            pairs = zip(gold.chain.sides, given.chain.sides, strict=True)
            if gold.chain.relations == given.chain.relations and all(self._again(a, b, depth).same for a, b in pairs):
                return Same(True, "same sides")
        told = equations.same_relations(gold, given)
        return None if told is None else Same(*told)

    # -- single values ----------------------------------------------------------------------------------------

    def _leaf(self, gold: Answer, given: Answer, depth: int) -> Same:
        (wanted, unit), (got, given_unit) = gold.bare, given.bare
        if part(wanted).number and not given_unit:
            got, given_unit = words.without_unit(given.text, beside_number=True)
        if unit or given_unit:
            return self._measured(part(wanted), Answer(got), unit, given_unit, depth)
        if gold.tree is not None and given.tree is not None:
            try:
                return Same(self._same_trees(gold, given), "compared by value")
            except values.UndecidedError:
                return Same(False, "not the same text, and too large or undefined too often to be worked out")
        if gold.is_prose or given.is_prose:
            if gold.number and (found := words.only_number(given.text)) is not None:
                return Same(self._again(gold.text, found, depth).same, "the only number in a sentence")
            return Same(False, "different words")
        return Same(False, "not the same text, and not both formulas that can be worked out")

    def _measured(self, gold: Answer, given: Answer, unit: str, given_unit: str, depth: int) -> Same:
        """Answers with units on one side or both."""
        if (unit == "degree") != (given_unit == "degree"):
            plain, marked = (given, gold) if unit == "degree" else (gold, given)
            if "\\pi" in plain.text and marked.tree is not None and plain.tree is not None:
                return Same(equations.equal(plain.tree, ("deg", marked.tree)), "degrees and radians")
        large, given_large = (
            words.MULTIPLIERS.get(name.partition("^")[0].split(" ")[0], 1) for name in (unit, given_unit)
        )
        if large != given_large and gold.number and given.number:
            as_large = gold.number.value * large == given.number.value * given_large
            if as_large or min(large, given_large) > 1:
                return Same(as_large, "millions worked out")
        factor = words.same_unit(unit, given_unit)
        percent = {answer.number.percent for answer in (gold, given) if answer.number}
        if factor is None or (True in percent and words.unit_scale(given_unit if given.text[-1] != "%" else unit)):
            return Same(False, "units of different things")
        if factor != 1 and gold.number and given.number:
            return Same(gold.number.value == given.number.value * factor, "converted into the unit asked for")
        return Same(factor == 1 and self.whole(gold, given, depth + 1).same, "compared without units")

    def _same_trees(self, gold: Answer, given: Answer) -> bool:
        assert gold.tree is not None
        assert given.tree is not None
        if equations.equal(gold.tree, given.tree):
            return True
        if values.is_constant(gold.tree) and values.is_constant(given.tree):
            return self._rounded(gold, given)
        other = aligned(gold.tree, given.tree)
        return other is not None and equations.equal(gold.tree, other)

    def _rounded(self, gold: Answer, given: Answer) -> bool:
        """A decimal against a constant that it may be a rounding of."""
        pairs = ((gold, given, DIGITS_OF_GOLD), (given, gold, DIGITS_OF_GIVEN))
        for decimal, other, digits in pairs:
            if decimal.number is None or other.number is not None or other.tree is None:
                continue
            exact = values.as_fraction(other.tree)
            if exact is None:
                continue
            worth = decimal.number.value / (100 if decimal.number.percent else 1)
            if self.tolerance is not None and abs(worth - exact) <= self.tolerance:
                return True
            whole = exact.denominator == 1
            if not whole and not decimal.number.percent and is_rounding(decimal.number, exact, digits):
                return True
        return False


def _element(answer: Answer) -> str:
    r"""What is in a set of one element, `\{5\}` or `x \in \{5\}`; else the text as it is."""
    inner = shapes.group(shapes.value(answer.text)[1])
    return inner.parts[0] if inner.opening == "\\{" and len(inner.parts) == 1 else answer.text


def _conditions(gold: Answer, given: Answer) -> Same | None:
    """One side as conditions in a row, `a > 0, a \\neq 1`, the other as a set."""
    if (gold.set is None) == (given.set is None):
        return None
    try:
        one, other = (answer.set or sets.conditions(answer.group.parts) for answer in (gold, given))
    except sets.NoSetError:
        return None
    return Same(sets.same_set(one[1], other[1]), "conditions compared as sets of real numbers")
