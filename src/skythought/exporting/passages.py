"""A text beside a passage that repeats much of it: are the numbers in it others? Then it is another problem."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from skythought.exporting.words import numbers

__all__ = ["has_other_numbers"]


def has_other_numbers(text: list[str], passage: list[str], n: int) -> bool:
    """Whether numbers of `text` are replaced by others in `passage`, where the words around them are the same.

    What is cut away is not replaced; and the same number in another form (0.5 and 1/2, 10^6 and 1000000) is the same.

    Args:
        text: Words of the known text.
        passage: Words of the other one.
        n: So many words in a row, at least, are the same place in both.
    """
    places: dict[tuple[str, ...], list[int]] = {}
    for place in range(len(passage) - n + 1):
        places.setdefault(tuple(passage[place : place + n]), []).append(place)
    grams = [tuple(text[start : start + n]) for start in range(len(text) - n + 1)]
    times = Counter(grams)
    # What the text itself says twice tells no place in it.
    found = [places.get(gram, []) if times[gram] == 1 else [] for gram in grams]
    starts = [start for start, where in enumerate(found) if where]
    if not starts:
        return False
    begin, end = starts[0], starts[-1]
    before, after = text[:begin][::-1], text[end + n :]
    if before and all(_differ_outwards(before, passage[:place][::-1]) for place in found[begin]):
        return True
    if after and all(_differ_outwards(after, passage[place + n :]) for place in found[end]):
        return True
    seams = ((last, first) for last, first in pairwise(starts) if first > last + 1)
    return any(
        _differ(text[last + n : first], _between(passage, [place + n for place in found[last]], found[first]))
        for last, first in seams
    )


def _between(passage: list[str], ends: list[int], begins: list[int]) -> list[str]:
    """The words between two parts of the text where they are nearest in the passage; none if their order is turned."""
    lengths = [(begin - end, end) for end in ends for begin in begins if begin >= end]
    if not lengths:
        return []
    length, end = min(lengths)
    return passage[end : end + length]


def _differ_outwards(ours: list[str], theirs: list[str]) -> bool:
    """Whether a number is replaced beyond the part that both have.

    Word by word, as long as half of them are the same, but for one. Where a text is cut, what follows
    in the passage has nothing to do with it.
    """
    same = 0
    for count, (our, their) in enumerate(zip(ours, theirs, strict=False)):
        if 2 * same < count - 1:
            return False
        if our[0].isdigit() and their[0].isdigit() and _differ([our], [their]):
            return True
        same += our == their
    return False


def _differ(ours: list[str], theirs: list[str]) -> bool:
    ours, theirs = numbers(ours), numbers(theirs)
    if not ours:  # nothing is replaced; but whole sentences with numbers of their own make another problem
        return len(theirs) > 1
    return bool(theirs) and not _values(ours) & _values(theirs)


def _values(found: list[str]) -> set[float | str]:
    """What these numbers in a row may mean together."""
    meant: set[float | str] = {" ".join(found), "".join(found)}
    if len(found) == 2:
        first, second = float(found[0]), float(found[1])
        meant |= {first / second} if second else set()
        meant |= {first**second} if abs(second) <= 30 and first < 1e6 else set()
    return meant | ({float(found[0])} if len(found) == 1 else set())
