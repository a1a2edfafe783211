"""A window of pass rates: how hard problems are for a model, as shares of right answers."""

from __future__ import annotations

from typing import NamedTuple

from skythought.errors import UserError

__all__ = ["PassRates"]


class PassRates(NamedTuple):
    """Shares of right answers, both ends included."""

    low: float
    high: float

    @classmethod
    def of(cls, text: str) -> PassRates:
        """As `--pass-rate` takes them: `0.1:0.9`, `10%:90%`, `:0.5`.

        Raises:
            UserError: It is something else.
        """
        low, colon, high = text.partition(":")
        try:
            rates = cls(_share(low, 0.0), _share(high, 1.0))
        except ValueError:
            rates = cls(1.0, 0.0)
        if not colon or not 0 <= rates.low <= rates.high <= 1:
            raise UserError(f"--pass-rate is the lowest and the highest share, such as 0.1:0.9, not {text!r}.")
        return rates

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


def _share(text: str, default: float) -> float:
    text = text.strip()
    return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1) if text else default
