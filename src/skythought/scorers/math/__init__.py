"""Mathematics: the answer that a response gives, compared with the gold one by what both mean.

scorer.py         the scorer: finds the answer in a response and has it compared
equivalence.py    whether two answers mean the same, and by which rule: the cheapest that can tell
answer.py         one answer as a number, a formula, a list, a set, ...: worked out when a rule asks for it
normalisation.py  one spelling for the many that mean the same
numbers.py        exact numbers, and when a rounded one is the same answer
words.py          answers in words, units, options, times, dates
structure.py      lists, tuples, labels, chains of relations: where an answer comes apart
sets.py           intervals, inequalities, unions and differences as sets of real numbers
members.py        lists and sets beside other ways to say what is in them
matrices.py       sums and products of matrices; ratios.py  ratios and congruences; equations.py  when two say the same
derivatives.py    derivatives in one notation; characters.py  signs beyond ASCII; numerals.py  numbers in words
tokens.py, parsing.py   formulas as trees; evaluation.py  the value of a tree, at a bounded cost
numeric.py        whether two trees agree at all points; values.py  the same, up to rounding
renaming.py       names that do not matter; policy.py  what is the same where authors disagree
"""

from skythought.scorers.math.scorer import MathScorer

__all__ = ["MathScorer"]
