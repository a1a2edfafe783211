"""A text beside a passage that repeats much of it: are the numbers in it others? Then it is another problem."""

from __future__ import annotations

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
    runs = _runs(text, passage, n)
    if not runs:
        return False
    gaps = [
        (text[start + length : next_start], passage[place + length : next_place])
        for (start, place, length), (next_start, next_place, _) in zip(runs, runs[1:], strict=False)
    ]
    start, place, _ = runs[0]
    gaps.append((text[max(0, start - 1) : start], passage[max(0, place - 1) : place]))
    start, place, length = runs[-1]
    gaps.append((text[start + length :][:1], passage[place + length :][:1]))
    return any(_differ(numbers(ours), numbers(theirs)) for ours, theirs in gaps)


def _runs(text: list[str], passage: list[str], n: int) -> list[tuple[int, int, int]]:
    """Where both have the same words: begin in `text`, begin in `passage`, length; in the order of both."""
    places: dict[tuple[str, ...], list[int]] = {}
    for place in range(len(passage) - n + 1):
        places.setdefault(tuple(passage[place : place + n]), []).append(place)
    found: list[tuple[int, int, int]] = []
    start = end = 0
    while start <= len(text) - n:
        later = [place for place in places.get(tuple(text[start : start + n]), ()) if place >= end]
        if not later:
            start += 1
            continue
        length = n
        while text[start + length : start + length + 1] == passage[later[0] + length : later[0] + length + 1] != []:
            length += 1
        found.append((start, later[0], length))
        start, end = start + length, later[0] + length
    return found


def _differ(ours: list[str], theirs: list[str]) -> bool:
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
