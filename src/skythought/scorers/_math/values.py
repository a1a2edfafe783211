"""What a formula is worth: exactly where it is a fraction of integers, else to 50 digits, at given values of its variables.

No power, factorial or nesting can make it slow: nothing is expanded, and numbers beyond all bounds are refused.
"""

from __future__ import annotations

import math
import threading
import zlib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from skythought.scorers._math.parsing import Tree, holds, variables

__all__ = ["Undecided", "Undefined", "approximate", "as_fraction", "context", "exact", "is_complex", "is_constant"]

MOST_BITS = 40_000
"""Of an exact fraction's numerator or denominator; larger ones are only known to 50 digits."""
MOST_EXPONENT = 10**12
MOST_TERMS = 200
DIGITS = 50
ROUNDING = 1e-30


class Undecided(ValueError):
    """It cannot be told: a number beyond all bounds, or too few points where two formulas are defined."""


class Undefined(ValueError):
    """No value at this point."""


def is_constant(tree: Tree) -> bool:
    """True if the formula has no variable and no unknown function."""
    return not variables(tree) and not holds(tree, {"app", "index"})


def exact(tree: Tree) -> Fraction | None:
    """The value of a formula that is a fraction of integers of sane size, else None."""
    try:
        return _exact(tree)
    except (ZeroDivisionError, OverflowError):
        return None


def _exact(tree: Tree) -> Fraction | None:
    name = tree[0]
    if name == "num":
        value: Fraction = tree[1]
        return value
    if name in ("var", "const", "app", "index", "sum", "prod"):
        return None
    parts = [_exact(part) for part in tree[1:]]
    if any(part is None for part in parts):
        return None
    return _sane(_combined(name, [part for part in parts if part is not None]))


def _sane(value: Fraction | None) -> Fraction | None:
    if value is None or max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        return None
    return value


def _combined(name: str, values: list[Fraction]) -> Fraction | None:
    """The operation on fractions, if its result is one."""
    first, last = values[0], values[-1]
    match name:
        case "add":
            return sum(values, Fraction(0))
        case "neg":
            return -first
        case "mul":
            return first * last
        case "div":
            return first / last
        case "mod":
            return first % last
        case "pow":
            bits = max(first.numerator.bit_length(), first.denominator.bit_length())
            small = last.denominator == 1 and abs(last) * bits <= MOST_BITS
            return first ** int(last) if small else None
        case "fact":
            return Fraction(math.factorial(int(first))) if first.denominator == 1 and 0 <= first <= 2000 else None
        case "binom":
            whole = first.denominator == last.denominator == 1 and 0 <= last <= first <= 5000
            return Fraction(math.comb(int(first), int(last))) if whole else None
        case "abs":
            return abs(first)
        case "floor" | "ceil":
            return Fraction(math.floor(first) if name == "floor" else math.ceil(first))
        case "max" | "min":
            return max(values) if name == "max" else min(values)
        case "gcd" | "lcm" if all(value.denominator == 1 for value in values):
            return Fraction((math.gcd if name == "gcd" else math.lcm)(*(int(value) for value in values)))
        case "root":
            return _exact_root(first, last)
        case "":
            return first
    return None


def _exact_root(value: Fraction, degree: Fraction) -> Fraction | None:
    if degree != 2 or value < 0:
        return None
    above, below = math.isqrt(value.numerator), math.isqrt(value.denominator)
    return Fraction(above, below) if above**2 == value.numerator and below**2 == value.denominator else None


# -- values to 50 digits ------------------------------------------------------------------------------------------

_local = threading.local()


def context() -> Any:
    """This thread's arithmetic: the shared one of mpmath has a precision that any thread may change."""
    if not hasattr(_local, "context"):
        import mpmath

        _local.context = mpmath.MPContext()
        _local.context.dps = DIGITS
    return _local.context


def approximate(tree: Tree, at: Mapping[str, Any] | None = None, log_base: int = 0) -> Any:
    """The value to 50 digits, at a point.

    Args:
        at: Values of the variables.
        log_base: What a log without a base means: 0 is e.

    Raises:
        Undecided: A number beyond all bounds.
        ValueError: No value there.
    """
    try:
        return _Evaluation(context(), at or {}, log_base).value(tree)
    except (Undecided, Undefined):
        raise
    except (ArithmeticError, TypeError, ValueError) as error:  # poles, a complex number that is compared, ...
        raise Undefined(str(error)) from None


class _Evaluation:
    def __init__(self, context: Any, at: Mapping[str, Any], log_base: int) -> None:
        self.mp = context
        self.at = dict(at)
        self.log_base = log_base
        self.terms = 0

    def value(self, tree: Tree) -> Any:
        name = tree[0]
        if name == "num":
            return self.mp.mpf(tree[1].numerator) / tree[1].denominator
        if name == "var":
            return self.at[tree[1]]
        if name == "const":
            return {"pi": +self.mp.pi, "e": +self.mp.e, "i": self.mp.j, "inf": self.mp.inf}[tree[1]]
        if name in ("sum", "prod"):
            return self._series(*tree)
        if name in ("app", "index"):
            return self._unknown(tree[1], [self.value(part) for part in tree[2:]])
        result = self._operation(name, [self.value(part) for part in tree[1:]])
        if not self.mp.isnan(result):
            return result
        raise Undefined("not a number")

    def _operation(self, name: str, values: list[Any]) -> Any:
        mp, first, last = self.mp, values[0], values[-1]
        match name:
            case "add":
                return sum(values[1:], first)
            case "neg":
                return -first
            case "mul":
                return first * last
            case "div":
                return first / last
            case "deg":
                return first * mp.pi / 180
            case "pow":
                return self._power(first, last)
            case "root":
                return self._root(first, last)
            case "fact":
                return mp.factorial(self._bounded(first))
            case "binom":
                return mp.binomial(self._bounded(first), self._bounded(last))
            case "mod":
                return first - last * mp.floor(first / last)
            case "max" | "min":
                return (max if name == "max" else min)(self._real(value) for value in values)
            case "gcd" | "lcm":
                raise Undefined(name)
        return self._function(name, first, last)

    def _function(self, name: str, first: Any, last: Any) -> Any:
        mp = self.mp
        match name:
            case "":
                return first
            case "abs":
                return abs(first)
            case "floor" | "ceil":
                return (mp.floor if name == "floor" else mp.ceil)(self._bounded(first))
            case "log":
                return mp.log(first) / mp.log(self.log_base) if self.log_base else mp.log(first)
            case "log10":
                return mp.log(first) / mp.log(10)
            case "logb":
                return mp.log(first) / mp.log(last)
            case "ln":
                return mp.log(first)
            case "exp":
                return self._power(+mp.e, first)
            case "arccot":
                return mp.pi / 2 - mp.atan(first)
            case "sgn":
                return mp.sign(first)
            case "Re" | "Im":
                return mp.re(first) if name == "Re" else mp.im(first)
        function = getattr(mp, name.replace("arc", "a"), None)
        if function is None:
            raise Undefined(name)
        return function(self._bounded(first))

    def _bounded(self, value: Any) -> Any:
        if abs(value) > MOST_EXPONENT and not self.mp.isinf(value):
            raise Undecided("a number beyond all bounds")
        return value

    def _real(self, value: Any) -> Any:
        if self.mp.im(value):
            raise Undefined("not real")
        return self.mp.re(value)

    def _power(self, base: Any, exponent: Any) -> Any:
        self._bounded(exponent)
        if base and abs(self.mp.mag(base)) > MOST_EXPONENT:
            raise Undecided("a number beyond all bounds")
        return base**exponent

    def _root(self, value: Any, degree: Any) -> Any:
        odd = self.mp.isint(degree) and int(degree) % 2 == 1 and 0 < degree < 100
        if odd and not self.mp.im(value) and value < 0:
            return -((-value) ** (1 / degree))  # the real root, as in school
        return self.mp.sqrt(value) if degree == 2 else value ** (1 / degree)

    def _series(self, name: str, index: str, body: Tree, low: Tree, high: Tree) -> Any:
        first, last = self.value(low), self.value(high)
        if not (self.mp.isint(first) and self.mp.isint(last)) or last - first > MOST_TERMS:
            raise Undefined("bounds")
        self.terms += int(last - first) + 1
        if self.terms > 10 * MOST_TERMS:
            raise Undecided("a sum of too many terms")
        total, before = self.mp.mpf(name == "prod"), self.at.get(index)
        for number in range(int(first), int(last) + 1):
            self.at[index] = self.mp.mpf(number)
            total = total + self.value(body) if name == "sum" else total * self.value(body)
        if before is not None:
            self.at[index] = before
        return total

    def _unknown(self, name: str, arguments: list[Any]) -> Any:
        """A function or sequence that is only named: some value that depends on nothing but its arguments."""
        key = name + ",".join(self.mp.nstr(self.mp.mpmathify(argument), 15) for argument in arguments)
        return 1 + self.mp.mpf(zlib.crc32(key.encode())) / 2**33


def as_fraction(tree: Tree) -> Fraction | None:
    """A real constant as a fraction, to 50 digits; None if it is not real or out of bounds."""
    found = exact(tree)
    if found is not None:
        return found
    try:
        value = approximate(tree)
    except ValueError:
        return None
    mp = context()
    if is_complex(value) or mp.isinf(value) or abs(mp.mag(value)) > 3000:
        return None
    return Fraction(mp.nstr(mp.re(value), 40))


def is_complex(value: Any) -> bool:
    """Whether a value is not real, rounding errors aside."""
    mp = context()
    return bool(abs(mp.im(value)) > ROUNDING * (1 + abs(mp.re(value))))
