"""Texts that repeat an earlier one: to the letter, or nearly (MinHash)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any

from skythought.errors import UserError
from skythought.exporting.words import END, numbers, tokens

__all__ = ["Duplicates", "same_text"]

BLANKS = re.compile(r"\s+|\\left\b|\\right\b|\\[,;!]|\$|\u200b|\ufeff")
SHINGLE = 5
"""Words in a row that are compared."""
SLOTS, BANDS, SEED = 128, 16, 42
"""Of the MinHash signature: an error of about 0.04 in the similarity, and no pair above it is overlooked
(with rensa's own choice of bands, a quarter of those at 0.9 are)."""


def same_text(text: str) -> bytes:
    """Equal for texts that differ only in blanks, case, dollars and forms of the same characters."""
    plain = BLANKS.sub("", unicodedata.normalize("NFKC", text).casefold())
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=12).digest()


class Duplicates:
    """Texts seen so far. The first of its kind is kept, so the order decides, and nothing else.

    About 150 bytes a text; with `near`, some 2 KB.
    """

    def __init__(self, near: float | None = None, *, same_numbers: bool = False) -> None:
        """Begin with none.

        Args:
            near: Share of common 5-word sequences (Jaccard) from which two texts are the same; None: only exact ones.
            same_numbers: Two texts with different numbers are never near: another problem, however alike it reads.

        Raises:
            UserError: `near` is no share, or the package for it is not installed.
        """
        self._first: dict[bytes, str] = {}
        self._same_numbers = same_numbers
        self._near = None if near is None else _minhash(near)

    def earlier(self, text: str, name: str) -> tuple[str, bool] | None:
        """The name of an earlier text that this one repeats, and whether only nearly.

        None: it is new, and remembered under its name, which no other text may have.
        """
        first = self._first.setdefault(same_text(text), name)
        if first != name:
            return first, False
        if self._near is None:
            return None
        found = [token for token in tokens(text) if token != END]
        if len(found) < SHINGLE:
            return None
        signature = self._signature(found)
        alike = self._near.get_duplicates(signature)
        if alike:
            first = min(alike).partition(" ")[2]
            self._first[same_text(text)] = first
            return first, True
        self._near.add(f"{self._near.len():012d} {name}", signature)
        return None

    def _signature(self, found: list[str]) -> Any:
        from rensa import RMinHash

        mark = " ".join(sorted(numbers(found))) if self._same_numbers else ""
        shingles = [f"{mark}|{' '.join(found[place : place + SHINGLE])}" for place in range(len(found) - SHINGLE + 1)]
        signature = RMinHash(SLOTS, SEED)
        signature.update(shingles)
        return signature


def _minhash(near: float) -> Any:
    if not 0 < near < 1:
        raise UserError(f"near duplicates: a share between 0 and 1, not {near}.")
    try:
        from rensa import RMinHashDeduplicator
    except ImportError:
        raise UserError("near duplicates need the package 'rensa': `pip install rensa`.") from None
    return RMinHashDeduplicator(near, SLOTS, True, BANDS, SEED)
