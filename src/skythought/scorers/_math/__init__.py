"""How two mathematical answers are compared: spelling -> numbers -> shapes -> values -> algebra, the cheapest first.

same.py       the verdict on a pair, and by which rule
spelling.py   one spelling for the many that mean the same
numbers.py    exact numbers, and when a rounded one is the same answer
shapes.py     lists, tuples, sets, matrices, chains of relations: where an answer comes apart
sets.py       intervals, inequalities, unions and differences as sets of real numbers
words.py      answers in words, units, times of day
parsing.py    formulas as trees; values.py what a tree is worth at a point
algebra.py    what is left for math-verify, and what is too much for it
"""
