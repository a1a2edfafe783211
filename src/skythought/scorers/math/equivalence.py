"""Whether two answers mean the same, and the rule that decided: the cheapest that can tell."""

from __future__ import annotations

import re
from typing import NamedTuple

from skythought.scorers.math import equations, evaluation, matrices, members, ratios, sets, structure, values, words
from skythought.scorers.math.answer import Answer, Parts, gold_answer, part
from skythought.scorers.math.normalisation import normalised, unwrapped
from skythought.scorers.math.numbers import Number, decimal_commas, same_number
from skythought.scorers.math.policy import Policy
from skythought.scorers.math.renaming import renamed, renamings

__all__ = ["Comparison", "compare"]

DEFAULT = Policy()
LONGEST = 1000
LONGEST_GOLD = 2000
"""Characters of an answer that is compared at all; more only for a long gold answer, and never beyond the second."""
# What no answer reaches that a person wrote; made to hang, one would be compared part by part for ever.
DEEPEST = 6
MOST_PARTS = 200
MOST_COMPARED = 2000
UNREAD = "not the same text, and not formulas that can be worked out"
OPTIONS = set("ABCDEFGHIJ")
COUNTED = re.compile(r"([CP])\s*\(\s*(\d+)\s*,\s*(\d+)\s*\)")
"""Combinations and permutations as functions, where a number is asked for; else a point with its name."""
RATIO = re.compile(r"\d[\d.]*\s*:\s*\d[\d.]*")
OR = re.compile(r"(?<![a-zA-Z])or(?![a-zA-Z])")


class Comparison(NamedTuple):
    """Whether two answers are the same, and how that was found out."""

    same: bool
    rule: str


def compare(gold: str, given: str, policy: Policy = DEFAULT, question: str = "") -> Comparison:
    """Whether `given` means the same as `gold`.

    Args:
        policy: What counts as the same where authors disagree.
        question: The problem, whose names mean something. Without it, names are renamed with more care.
    """
    if gold.strip() == given.strip() and gold.strip():
        return Comparison(True, "same text")
    if len(given) > min(max(LONGEST, 4 * len(gold)), LONGEST_GOLD):
        return Comparison(False, f"the answer is {len(given):,} characters long")
    if len(gold) > LONGEST_GOLD:
        return Comparison(False, f"the gold answer is {len(gold):,} characters long")
    evaluation.allow_work()
    answer = Answer(normalised(given))
    if not answer.text:
        return Comparison(False, "nothing is left of the answer without its formatting")
    try:
        wanted = gold_answer(gold)
        found = _Comparer(policy, question).whole(wanted, answer)
        if not found.same:
            for names in renamings(wanted.text, answer.text, question):
                if _Comparer(policy, question).whole(wanted, Answer(renamed(answer.text, names))).same:
                    return Comparison(True, "the same with other names: " + ", ".join(sorted(names)))
        return found
    except RecursionError:
        return Comparison(False, "the answer is nested too deeply")


class _Comparer:
    """One comparison, with its parts. `depth` counts how often an answer was taken apart on the way to a part."""

    def __init__(self, policy: Policy, question: str) -> None:
        self.policy = policy
        self.question = "".join(question.casefold().split())
        self.pairs = 0

    def whole(self, gold: Answer, given: Answer, depth: int = 0) -> Comparison:
        """The first rule that can tell."""
        if gold.compact == given.compact:
            return Comparison(True, "same text")
        self.pairs += 1
        if depth > DEEPEST or self.pairs > MOST_COMPARED:
            return Comparison(False, "the answer has too many parts, or is nested too deeply")
        if gold.number and given.number:
            close = self._numbers(gold.number, given.number)
            if close or "," not in gold.text + given.text:  # "1,234" may also be a list
                return Comparison(close, "numbers compared exactly")
        rules = (self._times, self._ratios, self._words, self._points, self._sets, self._matrices)
        for rule in (*rules, self._quantities, self._several, self._related):
            found = rule(gold, given, depth)
            if found is not None:
                return found
        return self._single(gold, given, depth)

    def _again(self, gold: str, given: str, depth: int) -> Comparison:
        """The comparison of two parts, or of the two answers without something around them."""
        return self.whole(part(gold), Answer(unwrapped(given.strip())), depth + 1)

    def _numbers(self, gold: Number, given: Number) -> bool:
        """Whether two numbers are the same answer, or near enough where the dataset has a tolerance."""
        if same_number(gold, given, rounding=self.policy.rounding, percent=self.policy.percent):
            return True
        limit = self.policy.tolerance
        return limit is not None and abs(gold.value - given.value) <= limit

    # -- rules that look at the whole -------------------------------------------------------------------------

    def _times(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """Two times of day, `8:34 P.M.` and `20:34`; ones that differ may be ratios, `2:4` and `1:2`."""
        if (compound := words.compound(given.text)) or words.compound(gold.text):
            return self._again(words.compound(gold.text) or gold.text, compound or given.text, depth)
        one, other = words.time_of_day(gold.text), words.time_of_day(given.text)
        if one is None or other is None:
            plain, time = (gold.number, other) if one is None else (given.number, one)
            return Comparison(plain.value == time.hour, "hour of the day") if plain and time and time.hour else None
        same = one.is_same(other)
        return Comparison(same, "compared as times of day") if same or one.halved or other.halved else None

    def _ratios(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """Ratios of several parts, congruences, digits in a base that the question names."""
        if (
            ":" in gold.text
            and "=" not in gold.text + given.text
            and (same := ratios.proportional(gold.text, given.text)) is not None
        ):
            return Comparison(same, "compared as ratios")
        if gold.number and gold.number.value.denominator == 1 and RATIO.fullmatch(given.text):
            return Comparison(False, "a ratio and a whole number")
        if "mod" in gold.text + given.text and (same := ratios.congruent(gold, given)) is not None:
            return Comparison(same, "compared as congruences")
        if "\\in" in gold.text and ratios.same_progression(gold, given):
            return Comparison(True, "the same family of values")
        (digits, _, base), (others, _, given_base) = (
            answer.compact.casefold().replace("{", "").replace("}", "").partition("_") for answer in (gold, given)
        )
        if base.isdigit() and digits[:1].isdigit() and digits.isalnum() and others.isalnum():
            same = digits == others and given_base in ("", base)
            return Comparison(same, "the same digits, in the base that is asked for")
        return None

    def _words(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """Answers in words, letters of options, and answers with a condition behind them, "n, where n is even"."""
        if words.same_date(gold.text, given.text):
            return Comparison(True, "same date")
        if gold.is_prose or given.is_prose:
            wanted, got = words.plain_words(gold.text), words.plain_words(given.text)
            if wanted and wanted == got:
                return Comparison(True, "same words")
            if gold.is_prose and words.predicate(given.text) == wanted != "":
                return Comparison(True, "the sentence says it")
            if gold.is_prose and words.is_phrase_of(given.text, gold.text):
                return Comparison(True, "the gold sentence says it")
        if (chosen := words.same_letters(gold.text, given.text)) is not None:
            return Comparison(chosen, "letters of several options")
        if (lettered := self._lettered(gold, given, depth)) is not None:
            return lettered
        if (same := members.same_integers(gold, given)) is not None:
            return Comparison(same, "compared as sets of whole numbers")
        cut, cut_given = words.clause_cut(gold.text), words.clause_cut(given.text)
        if (cut, cut_given) != (gold.text, given.text) and not (part(cut).is_prose or Answer(cut_given).is_prose):
            return self._again(cut, cut_given, depth)
        return None

    def _lettered(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """An option written out with its letter, `(C) 36`: the letter alone is enough, and so is its text."""
        option, other = words.lettered(gold.text), words.lettered(given.text)
        if option is None and other is None:
            return None
        if option is not None and given.text in OPTIONS:
            return Comparison(option[0] == given.text, "letter of the option")
        if other is not None and gold.text in OPTIONS:
            return Comparison(other[0] == gold.text, "letter of the option")
        if option is not None and other is not None and option[0] != other[0]:
            return Comparison(False, "other letter")
        return self._again(option[1] if option else gold.text, other[1] if other else given.text, depth)

    def _points(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """A tuple against a point with its name, `(1,2)` and `P(1,2)`."""
        if gold.group.opening != "(" and gold.tree is not None and (counted := COUNTED.fullmatch(given.text)):
            which, above, below = counted.groups()
            form = "\\binom{%s}{%s}" if which == "C" else "\\frac{%s!}{(%s-%s)!}"
            return self._again(gold.text, form % ((above, below) if which == "C" else (above, above, below)), depth)
        if (gold.group.opening == "(") == (given.group.opening == "("):
            return None
        one, other = structure.point(gold.text), structure.point(given.text)
        return self._again(one or gold.text, other or given.text, depth) if one or other else None

    def _sets(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """Intervals, inequalities, unions and finite sets, as sets of real numbers where their ends are known."""
        if gold.group.opening and given.group.opening and not sets.is_joined(gold.text + given.text):
            return None  # two tuples, intervals or finite sets: compared part by part
        if sets.is_joined(gold.text + given.text) and (same := members.same_conditions(gold, given)) is not None:
            return Comparison(same, "conditions compared as sets of real numbers")
        if gold.set is not None and given.set is not None:
            (name, wanted), (given_name, got) = gold.set, given.set
            if name and given_name and name.strip("|") != given_name.strip("|"):
                return Comparison(False, "different variables")
            return Comparison(sets.same_set(wanted, got), "compared as sets of real numbers")
        if gold.is_single or given.is_single:
            one, other = members.element(gold), members.element(given)
            if (one, other) != (gold.text, given.text):
                return self._again(one, other, depth)
            if gold.set or given.set:
                return Comparison(False, "a set and a single value")
        return self._unions(gold, given, depth)

    def _unions(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """Unions of intervals in a list, or with ends that have variables."""
        if sets.is_joined(gold.text) and len(given.group.parts) > 1 and not given.group.opening:  # "(0,1), (2,3)"
            points = all(part(text).is_single for text in given.group.parts)
            joined = Answer(f"\\{{{given.text}\\}}" if points else " \\cup ".join(given.group.parts))
            return self.whole(gold, joined, depth + 1) if joined.set is not None else None
        for mark in ("\\cup", "\\cap"):
            parts, others = (structure.pieces(answer.text, {mark})[0] for answer in (gold, given))
            if len(parts) > 1 and len(parts) == len(others):
                return Comparison(self._in_any_order(parts, others, depth), "compared part by part")
        return None

    def _matrices(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """A matrix against a matrix, or a vector in any of its forms."""
        if "pmatrix" not in gold.text + given.text:
            return None
        wanted, got = (structure.matrix_value(answer.chain) or answer.text for answer in (gold, given))
        one, other = structure.matrix(matrices.worked_out(wanted)), structure.matrix(matrices.worked_out(got))
        if one is None or other is None:
            return Comparison(False, "a matrix and something else")
        if [len(row) for row in one] != [len(row) for row in other]:
            transposed = [len(one[0])] if one else []
            flat = "pmatrix" not in given.text or "pmatrix" not in gold.text
            if not (flat and len(one) + len(other) == 1 + len(transposed) * max(len(one), len(other))):
                return Comparison(False, "matrices of different shape")
        pairs = zip(sum(one, []), sum(other, []), strict=False)
        fits = len(sum(one, [])) == len(sum(other, []))
        return Comparison(fits and all(self._again(a, b, depth).same for a, b in pairs), "compared entry by entry")

    def _quantities(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """`1,250 miles`, whose comma parts no list."""
        if "," not in gold.text + given.text:
            return None
        wanted, unit = gold.bare
        got, given_unit = words.without_unit(given.text, beside_number=True)
        if "," not in wanted + got or not (unit or given_unit) or not (part(wanted).number and part(got).number):
            return None
        return self._measured(part(wanted), Answer(got), unit, given_unit, depth)

    def _several(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """Lists, tuples and sets: part by part, by name if they have any, in order if brackets ask for it."""
        tuples = gold.text.startswith("(") and given.text.startswith("(")  # "(p,q) = (3,2)"
        related = gold.chain.relations and given.chain.relations and not tuples
        if related and len(gold.parts) == len(given.parts) == 1:
            return None
        one, other = Parts(gold), Parts(given)
        if one.count < 2 and other.count < 2 and not (one.opening and other.opening):
            return None
        rule = "compared part by part"
        if members.brackets_differ(one, other):
            return Comparison(False, "different brackets") if max(one.count, other.count) > 1 else None
        if one.count != other.count:
            return self._of_other_count(gold, given, (one, other), depth)
        if one.opening == other.opening == "\\{" and len({parts.count_of_sets for parts in (one, other)}) > 1:
            return Comparison(False, "sets of sets")
        if one.count > MOST_PARTS:
            return Comparison(False, f"{one.count} parts are too many to compare")
        members.name_by_unit(one, other)
        if one.labels and other.labels and (named := self._by_name(one, other, depth)) is not None:
            return named
        if one.ordered or other.ordered or self.policy.ordered:
            pairs = list(zip(one.coordinates, other.coordinates, strict=True))
            return Comparison(all(self._again(a, b, depth).same for a, b in pairs), rule)
        return Comparison(self._in_any_order(one.values, other.values, depth), rule)

    def _of_other_count(self, gold: Answer, given: Answer, parts: tuple[Parts, Parts], depth: int) -> Comparison:
        """A comma that is a decimal point, or the one value asked for in several forms, `1/2 or 0.5`."""
        one, other = parts
        if min(one.count, other.count) == 1 and (decimal := decimal_commas(gold.text, given.text)):
            return Comparison(self._numbers(*decimal), "numbers with a decimal comma")
        forms = one.count == 1 and OR.search(given.text)
        if forms and all(self._again(gold.text, value, depth).same for value in other.values):
            return Comparison(True, "the same value in several forms")
        return Comparison(False, f"{other.count} parts where {one.count} are asked for")

    def _by_name(self, one: Parts, other: Parts, depth: int) -> Comparison | None:
        """Values with names, if the names tell which belong together; with none in common they are only labels."""
        names = set(one.labels)
        if not names & set(other.labels):
            return None
        if sorted(one.labels) != sorted(other.labels):
            return Comparison(False, "values of other names")
        if len(names) < one.count:
            return None
        by_label = dict(zip(other.labels, other.values, strict=True))
        pairs = [(text, by_label[label]) for label, text in zip(one.labels, one.values, strict=True)]
        return Comparison(all(self._again(a, b, depth).same for a, b in pairs), "compared name by name")

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

    def _related(self, gold: Answer, given: Answer, depth: int) -> Comparison | None:
        """Equations and inequalities against one another, or an equation against a value."""
        wanted, got = gold.chain.relations, given.chain.relations
        if not wanted and not got:
            return None
        (label, text), (given_label, given_text) = structure.value(gold.text), structure.value(given.text)
        if wanted and got:
            return self._both_related(gold, given, (label, text), (given_label, given_text), depth)
        if wanted:
            if label and not equations.is_product(label) and self._again(text, given.text, depth).same:
                return Comparison(True, "value of the equation")
            if not label and equations.states_value(gold) and self._again(gold.chain.sides[-1], given.text, depth).same:
                return Comparison(True, "value of the equation")
            return (
                Comparison(equations.solves(gold, given), "an equation and what solves it")
                if equations.is_equation(gold)
                else None
            )
        named = given_label and not equations.is_product(given_label)
        candidates = [given_text] if named else []
        if not named and equations.may_be_value(given, self.question):
            candidates = [given.chain.sides[-1]] if self._holds(given, depth) else []
        if given.chain.relations[-1] == "\\approx":
            candidates = [*candidates, given.chain.sides[-2]] if values.are_near(*given.chain.sides[-2:]) else []
        for candidate in candidates:
            if candidate != given.text and self._again(gold.text, candidate, depth).same:
                return Comparison(True, "value of the equation")
        return (
            Comparison(equations.solves(given, gold), "an equation and what solves it")
            if equations.is_equation(given)
            else None
        )

    def _holds(self, given: Answer, depth: int) -> bool:
        """Whether a chain of constants is true: what "8 = 7" gives is no value."""
        sides = [part(side) for side in given.chain.sides]
        constants = [side for side in sides if side.tree is not None and evaluation.is_constant(side.tree)]
        return all(self._again(constants[-1].text, side.text, depth).same for side in constants[:-1])

    def _both_related(
        self, gold: Answer, given: Answer, wanted: tuple[str, str], got: tuple[str, str], depth: int
    ) -> Comparison | None:
        """Two equations or inequalities, each with its label and value (`structure.value`)."""
        (label, text), (given_label, given_text) = wanted, got
        if label and given_label and not equations.are_other_quantities(label, given_label, text):
            names = equations.arguments(label, given_label)
            if names:
                return self._again(text, renamed(given_text, names), depth)
            value = self._again(text, given_text, depth)
            if value.same or label == given_label:
                return Comparison(value.same, "same name, values compared" if not value.same else "same value")
        else:
            for chain in (given.chain, structure.turned(given.chain)):
                if gold.chain.relations == chain.relations and all(
                    self._again(a, b, depth).same for a, b in zip(gold.chain.sides, chain.sides, strict=True)
                ):
                    return Comparison(True, "same sides")
        told = equations.same_relations(gold, given)
        return None if told is None else Comparison(*told)

    # -- single values ----------------------------------------------------------------------------------------

    def _single(self, gold: Answer, given: Answer, depth: int) -> Comparison:
        """Numbers with units, formulas, words: what no other rule took apart."""
        (wanted, unit), (got, given_unit) = gold.bare, given.bare
        if part(wanted).number and not given_unit:
            got, given_unit = words.without_unit(given.text, beside_number=True)
        if given_unit and not unit and words.unit_scale(given_unit):
            shorter, letter = words.without_unit(gold.text, beside_number=True)
            if letter and words.same_unit(letter, given_unit):
                wanted, unit = shorter, letter
        if unit and given_unit and words.are_opposed(gold.text, given.text):
            return Comparison(False, "the contrary")
        if unit or given_unit:
            return self._measured(part(wanted), Answer(got), unit, given_unit, depth)
        if gold.tree is not None and given.tree is not None:
            try:
                return Comparison(values.same_value(gold, given, self.policy), "compared by value")
            except evaluation.UndecidedError as error:
                return Comparison(False, f"not the same text, and cannot be worked out: {error}")
        if gold.is_prose or given.is_prose:
            if gold.number and (found := words.only_number(given.text)) is not None:
                return Comparison(self._again(gold.text, found, depth).same, "the only number in a sentence")
            return Comparison(False, "different words")
        # An integral, a limit, a command of the dataset's own: as written, it was compared above.
        return Comparison(False, UNREAD)

    def _measured(self, gold: Answer, given: Answer, unit: str, given_unit: str, depth: int) -> Comparison:
        """Answers with units on one side or both."""
        in_degrees = unit.startswith("degree"), given_unit.startswith("degree")
        if in_degrees[0] != in_degrees[1]:
            plain, marked = (given, gold) if in_degrees[0] else (gold, given)
            if "\\pi" in plain.text and marked.tree is not None and plain.tree is not None:
                return Comparison(equations.equal(plain.tree, ("deg", marked.tree)), "degrees and radians")
        large, given_large = (
            words.MULTIPLIERS.get(name.partition("^")[0].split(" ")[0], 1) for name in (unit, given_unit)
        )
        if large != given_large and gold.number and given.number:
            as_large = gold.number.value * large == given.number.value * given_large
            if given_large > 1 or unit.partition("^")[0] not in self.question:  # "how many millions"
                return Comparison(as_large, "millions worked out")
        if self.policy.units and words.unit_scale(unit) and not given_unit:
            return Comparison(False, "no unit")
        factor = words.same_unit(unit, given_unit)
        of_plain = {
            answer.number.percent: name for answer, name in ((gold, unit), (given, given_unit)) if answer.number
        }
        if factor is None or (True in of_plain and of_plain.get(False) and "point" not in of_plain[False]):
            return Comparison(False, "units of different things")
        if factor != 1 and gold.number and given.number:
            return Comparison(gold.number.value == given.number.value * factor, "converted into the unit asked for")
        return Comparison(factor == 1 and self.whole(gold, given, depth + 1).same, "compared without units")
