"""Which known texts a text repeats, and how much of each: an index of word n-grams.

As in Tulu 3 (Lambert et al. 2024, arXiv:2411.15124; open-instruct's `decontamination/`), what counts is the share of
the known text's words that lie in n-grams which one other text has as well.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skythought.errors import UserError
from skythought.exporting.passages import has_other_numbers
from skythought.exporting.words import END, is_word, tokens, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.uint64]

__all__ = ["COMMON", "FEWEST", "LARGEST", "SMALLEST", "Index", "Known", "Match"]

COMMON = 4
"""An n-gram that more of the known texts have is a phrase ("put your answer in"), and a sign of none."""
FEWEST = 3
"""Words and signs that a text must have to be looked for."""
FACTORS = (
    0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F,
    0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3, 0x1D8E4E27C47D124F, 0xEB44ACCAB455D165,
    0x2127599BF4325C37, 0x880355F21E6D1965, 0x94D049BB133111EB, 0xBF58476D1CE4E5B9, 0xFF51AFD7ED558CCD,
    0xC4CEB9FE1A85EC53,
)  # fmt: skip
"""Odd numbers with mixed bits, one for each place in an n-gram."""
SMALLEST, LARGEST = 3, len(FACTORS)
"""Words that an n-gram may have."""


@dataclass(frozen=True, slots=True)
class Known:
    """A text that is looked for."""

    group: str
    """The benchmark that it belongs to."""
    id: str
    text: str
    options: tuple[str, ...] = ()
    """Of a multiple-choice problem: where the question alone is too short, all of them must be there too."""


@dataclass(frozen=True, slots=True)
class Match:
    """A known text that is repeated."""

    known: Known
    coverage: float
    """Share of its words that are repeated, in (0, 1]."""
    words: int
    """How many these are."""
    is_whole: bool = False
    """Whether it is too short for n-grams: it was found word for word, as sentences of its own."""
    has_other_numbers: bool = False
    """Whether the same words stand around other numbers: another problem of the same kind."""


class Index:
    """Known texts, read once; then other texts are looked up one at a time.

    Of several with the same words the first is kept. Some 40 bytes a word, beside the texts themselves.

    Raises:
        UserError: n is out of range.
    """

    def __init__(self, texts: Iterable[Known], n: int = 8) -> None:
        if not SMALLEST <= n <= LARGEST:
            raise UserError(f"ngram: from {SMALLEST} to {LARGEST} words, not {n}.")
        self.too_short: list[Known] = []
        """Those that cannot be looked for, as they have fewer than `FEWEST` words."""
        self._whole: dict[str, list[Known]] = {}
        self._longest = 0
        seen: set[str] = set()
        long: list[Known] = []
        corpus = _Corpus()
        for known in texts:
            found = [token for token in tokens(known.text) if token != END]
            line = " ".join(found)
            is_long = sum(map(is_word, found)) >= n
            key = line if is_long else "\n".join([line, *sorted(known.options)])
            if key in seen:
                continue
            seen.add(key)
            if is_long:
                corpus.add(found)
                long.append(known)
            else:
                self._add_whole(known, line)
        self._grams = _Grams(long, corpus, n)
        for known in self._grams.without_own:
            self._add_whole(known, _line(known.text))
        self.count = len(seen) - len(self.too_short)
        """How many different texts are looked for."""

    def matches(self, text: str, lowest: float = 0.0) -> list[Match]:
        """The known texts that `text` has n-grams of, or as a whole; the most covered first.

        Args:
            lowest: Coverage below which a match is not worth telling.
        """
        found = tokens(text)
        matches = [*self._grams.matches([token for token in found if is_word(token)], lowest), *self._wholes(found)]
        return sorted(matches, key=lambda match: (-match.coverage, match.known.group, match.known.id))

    def _add_whole(self, known: Known, line: str) -> None:
        if line.count(" ") + 1 < FEWEST and not known.options:
            self.too_short.append(known)
            return
        self._whole.setdefault(line, []).append(known)
        self._longest = max(self._longest, len(line))

    def _wholes(self, found: list[str]) -> Iterator[Match]:
        """Short texts that are there from the beginning of a sentence or line to the end of one.

        After a question come its options, so it may end anywhere.
        """
        if not self._whole:
            return
        found = [END, *found, END]
        everything = f" {' '.join(token for token in found if token != END)} "
        told: set[str] = set()
        for start, token in enumerate(found[:-1]):
            if token != END or found[start + 1] == END:
                continue
            line = ""
            for place in range(start + 1, len(found)):
                if found[place] == END:
                    continue
                line = f"{line} {found[place]}" if line else found[place]
                if len(line) > self._longest:
                    break
                if line in self._whole and line not in told:
                    told.add(line)
                    yield from self._repeated(line, everything, is_ended=found[place + 1] == END)

    def _repeated(self, line: str, everything: str, *, is_ended: bool) -> Iterator[Match]:
        for known in self._whole[line]:
            options = [_line(option) for option in known.options]
            if all(f" {option} " in everything for option in options if option) if options else is_ended:
                yield Match(known, 1.0, line.count(" ") + 1, is_whole=True)


def _line(text: str) -> str:
    return " ".join(token for token in tokens(text) if token != END)


class _Corpus:
    """Texts as numbers of words, in one array."""

    def __init__(self) -> None:
        self.number_of: dict[str, int] = {}
        self.ids = array("L")
        self.starts = array("L", [0])

    def add(self, found: list[str]) -> None:
        numbers = self.number_of
        self.ids.extend(numbers.setdefault(token, len(numbers) + 1) for token in found if is_word(token))
        self.starts.append(len(self.ids))


class _Grams:
    """Where each n-gram stands in the texts."""

    def __init__(self, texts: list[Known], corpus: _Corpus, n: int) -> None:
        import numpy as np

        self.texts, self.n = texts, n
        self._number_of = corpus.number_of
        self._ids = np.frombuffer(corpus.ids, np.uint64) if corpus.ids else np.zeros(0, np.uint64)
        self._starts = np.asarray(corpus.starts, np.int64)
        hashes = self._hashes_of(self._ids)
        text_of = np.repeat(np.arange(len(texts)), np.diff(self._starts))[: len(hashes)]
        inside = np.arange(len(hashes)) + n <= self._starts[1:][text_of]
        places = np.flatnonzero(inside)
        places = places[np.argsort(hashes[places], kind="stable")]
        common = self._common(hashes[places], text_of[places])
        self._is_own = np.zeros(len(self._ids), bool)
        """By place: whether the n-gram that begins there tells this text from the others of its group."""
        self._is_own[places[~common]] = True
        places = places[~common]
        self._hashes, self._texts = hashes[places], text_of[places].astype(np.uint32)
        self._own_counts = np.bincount(self._texts, minlength=len(texts))
        self._shift = np.uint64(64 - max(16, int(8 * len(places)).bit_length()))
        self._may_be = np.zeros(1 << (64 - int(self._shift)), bool)
        """By the first bits of a hash: whether there is one; most n-grams of other texts end here."""
        self._may_be[self._hashes >> self._shift] = True
        self.without_own = [texts[number] for number in np.flatnonzero(self._own_counts == 0)]

    def matches(self, found: list[str], lowest: float) -> Iterator[Match]:
        """The texts of which so large a share is in one passage of a text with these words."""
        import numpy as np

        if len(found) < self.n:
            return
        number_of = self._number_of
        hashes = self._hashes_of(np.fromiter((number_of.get(word, 0) for word in found), np.uint64, len(found)))
        near = hashes[self._may_be[hashes >> self._shift]]
        if not len(near):
            return
        near = np.unique(near)
        firsts = np.searchsorted(self._hashes, near, "left")
        lasts = np.searchsorted(self._hashes, near, "right")
        ranges = [self._texts[first:last] for first, last in zip(firsts, lasts, strict=True) if last > first]
        if not ranges:
            return
        numbers, counts = np.unique(np.concatenate(ranges), return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            if count * self.n >= lowest * self._own_counts[number]:
                match = self._match(number, hashes, found)
                if match.coverage >= lowest:
                    yield match

    def _match(self, number: int, hashes: Numbers, found: list[str]) -> Match:
        """How much of a text is in one passage of another one.

        Of all its words, of its different words, or of those in n-grams of its own, whichever is least: neither a
        formula that goes on as it began nor a common phrase proves anything.
        """
        import numpy as np

        first, last = int(self._starts[number]), int(self._starts[number + 1])
        own_hashes = self._hashes_of(self._ids[first:last])
        places = _densest(np.flatnonzero(np.isin(hashes, own_hashes)), (last - first) * 3 // 2 + self.n)
        is_there = np.isin(own_hashes, hashes[places])
        own = self._is_own[first : last - self.n + 1]
        covered = self._covered(is_there)
        ids = self._ids[first:last]
        coverage = min(
            int(covered.sum()) / (last - first),
            len(np.unique(ids[covered])) / len(np.unique(ids)),
            int(self._covered(is_there & own).sum()) / int(self._covered(own).sum()),
        )
        known = self.texts[number]
        passage = found[max(0, int(places[0]) - self.n) : int(places[-1]) + 2 * self.n]
        return Match(
            known,
            coverage,
            int(covered.sum()),
            has_other_numbers=has_other_numbers(words(known.text), passage, self.n),
        )

    def _covered(self, begins: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which words lie in the n-grams that begin where it is true."""
        import numpy as np

        return np.convolve(begins, np.ones(self.n, np.int64)) > 0

    def _hashes_of(self, ids: Numbers) -> Numbers:
        """Of the n-gram that begins at each place."""
        import numpy as np

        count = max(0, len(ids) - self.n + 1)
        hashes = np.zeros(count, np.uint64)
        for place in range(self.n):
            hashes += ids[place : place + count] * np.uint64(FACTORS[place])
        return hashes

    def _common(self, hashes: Numbers, text_of: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these n-grams, sorted by their hash, are in more than `COMMON` texts."""
        import numpy as np

        common = np.zeros(len(hashes), bool)
        if not len(hashes):
            return common
        begins = np.concatenate([[True], hashes[1:] != hashes[:-1]])
        gram = np.cumsum(begins) - 1
        often = np.bincount(gram)[gram] > COMMON
        pairs = np.unique(np.stack([gram[often], text_of[often]]), axis=1)
        grams, counts = np.unique(pairs[0], return_counts=True)
        common[often] = np.isin(gram[often], grams[counts > COMMON])
        return common


def _densest(places: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Those places that lie in one window of such a width, where they are most."""
    import numpy as np

    counts = np.searchsorted(places, places + width) - np.arange(len(places))
    best = int(np.argmax(counts))
    return places[best : best + int(counts[best])]
