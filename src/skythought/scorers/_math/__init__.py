"""How two mathematical answers are compared: spelling -> numbers -> shapes -> values -> algebra, the cheapest first.

same.py       the verdict on a pair, and by which rule
answer.py     one answer, taken apart as far as a rule asks for
spelling.py   one spelling for the many that mean the same
numbers.py    exact numbers, and when a rounded one is the same answer
words.py      answers in words, units, options, times, dates
shapes.py     lists, tuples, labels, chains of relations: where an answer comes apart
sets.py       intervals, inequalities, unions and differences as sets of real numbers
matrices.py   sums and products of matrices; equations.py  when two equations say the same
tokens.py, parsing.py   formulas as trees; values.py  what a tree is worth; renaming.py  names that do not matter
agreement.py  whether two trees are the same
algebra.py    what is left for math-verify, and what is too much for it
"""
