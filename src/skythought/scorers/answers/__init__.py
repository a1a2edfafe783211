"""Reading a response, for all scorers: what in it is the answer, whatever the dialect and the language.

languages.py   "answer", "is", "is not", "but" and "or" in the languages that there are: a table
claims.py      what a response denies, supposes, asks or leaves to others: taken out before anything is read
dialects.py    where the answer ends, and wrappers (tags, JSON, box tokens) in one spelling
statements.py  "the answer is"; what only speaks about the answer
sentences.py   the answer within a sentence that gives one
candidates.py  all that may be the answer, the best first
"""
