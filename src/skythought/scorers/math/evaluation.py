"""The value of a formula: exactly where it is a fraction of integers, else to 50 digits at values of its variables.

No power, factorial or nesting can make it slow: nothing is expanded, and numbers beyond all bounds are refused.
"""

from __future__ import annotations

import math
import threading
import zlib
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from skythought.scorers.math.parsing import Tree, holds, variables

__all__ = [
    "UndecidedError",
    "UndefinedError",
    "allow_work",
    "approximate",
    "as_fraction",
    "context",
    "exact",
    "is_complex",
    "is_constant",
]

MOST_BITS = 64_000
"""Of an exact fraction's numerator or denominator; larger ones are only known to 50 digits."""
MOST_FACTORIAL = 4000
MOST_BINOMIAL = 5000
MOST_EXPONENT = 10**12
MOST_TERMS = 200
# Worked out to 70 digits and compared to 50, so that 20 digits may be lost on the way.
DIGITS = 70
ROUNDING = 1e-50


MOST_WORK = 60_000
"""Steps of working out in one comparison, of some 3 microseconds each."""
COST_OF_FUNCTION = 10
BITS_A_STEP = 2_000


class UndecidedError(ValueError):
    """It cannot be told: a number beyond all bounds, or too few points where two formulas are defined."""


class UndefinedError(ValueError):
    """No value at this point."""


class _Work(threading.local):
    left: float = MOST_WORK


_work = _Work()


def allow_work() -> None:
    """Begin a comparison: what it works out is counted from here, so that none costs more than a fraction of a second.

    Steps are counted rather than time, so that a verdict is the same on every machine.
    """
    _work.left = MOST_WORK


def _spend(steps: float) -> None:
    _work.left -= steps
    if _work.left < 0:
        raise UndecidedError("too much to work out")


def is_constant(tree: Tree) -> bool:
    """True if the formula has no variable and no unknown function."""
    return not variables(tree) and not holds(tree, {"app", "index"})


def exact(tree: Tree) -> Fraction | None:
    """The value of a formula that is a fraction of integers of sane size, else None."""
    try:
        return _exact(tree)
    except (ZeroDivisionError, OverflowError, UndecidedError):
        return None


def _exact(tree: Tree) -> Fraction | None:
    name = tree[0]
    value: Fraction | None
    if name == "num":
        value = tree[1]
        return value
    if name in ("var", "const", "app", "index", "sum", "prod"):
        return None
    parts = [_exact(part) for part in tree[1:]]
    if any(part is None for part in parts):
        return None
    _spend(1 + sum(part.denominator.bit_length() + part.numerator.bit_length() for part in parts if part) / BITS_A_STEP)
    value = EXACT[name]([part for part in parts if part is not None]) if name in EXACT else None
    sane = value is not None and max(value.numerator.bit_length(), value.denominator.bit_length()) <= MOST_BITS
    return value if sane else None


def _exact_power(values: list[Fraction]) -> Fraction | None:
    base, exponent = values
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    small = exponent.denominator == 1 and abs(exponent) * bits <= MOST_BITS
    return base ** int(exponent) if small else None


def _exact_factorial(values: list[Fraction]) -> Fraction | None:
    (value,) = values
    return Fraction(math.factorial(int(value))) if value.denominator == 1 and 0 <= value <= MOST_FACTORIAL else None


def _exact_double_factorial(values: list[Fraction]) -> Fraction | None:
    (value,) = values
    whole = value.denominator == 1 and 0 <= value <= MOST_FACTORIAL
    return Fraction(math.prod(range(int(value), 0, -2))) if whole else None


def _exact_binomial(values: list[Fraction]) -> Fraction | None:
    above, below = values
    whole = above.denominator == below.denominator == 1 and 0 <= below <= above <= MOST_BINOMIAL
    return Fraction(math.comb(int(above), int(below))) if whole else None


def _exact_root(values: list[Fraction]) -> Fraction | None:
    value, degree = values
    if degree != 2 or value < 0:
        return None
    above, below = math.isqrt(value.numerator), math.isqrt(value.denominator)
    return Fraction(above, below) if above**2 == value.numerator and below**2 == value.denominator else None


def _of_integers(function: Callable[..., int]) -> Callable[[list[Fraction]], Fraction | None]:
    def operation(values: list[Fraction]) -> Fraction | None:
        whole = all(value.denominator == 1 for value in values)
        return Fraction(function(*(int(value) for value in values))) if whole else None

    return operation


EXACT: dict[str, Callable[[list[Fraction]], Fraction | None]] = {
    "": lambda values: values[0],
    "add": lambda values: sum(values, Fraction(0)),
    "neg": lambda values: -values[0],
    "mul": lambda values: values[0] * values[1],
    "div": lambda values: values[0] / values[1],
    "mod": lambda values: values[0] % values[1],
    "abs": lambda values: abs(values[0]),
    "floor": lambda values: Fraction(math.floor(values[0])),
    "ceil": lambda values: Fraction(math.ceil(values[0])),
    "max": max,
    "min": min,
    "gcd": _of_integers(math.gcd),
    "lcm": _of_integers(math.lcm),
    "pow": _exact_power,
    "root": _exact_root,
    "fact": _exact_factorial,
    "fact2": _exact_double_factorial,
    "binom": _exact_binomial,
}


# -- values to 50 digits ------------------------------------------------------------------------------------------

_local = threading.local()


def context() -> Any:
    """This thread's arithmetic: the shared one of mpmath has a precision that any thread may change."""
    if not hasattr(_local, "context"):
        import mpmath

        _local.context = mpmath.MPContext()
        _local.context.dps = DIGITS
    return _local.context


def approximate(tree: Tree, at: Mapping[str, Any] | None = None, log_base: int = 0, *, real: bool = False) -> Any:
    """The value to 50 digits, at a point.

    Args:
        at: Values of the variables.
        log_base: What a log without a base means: 0 is e.
        real: Whether there is no value where a part has no real one, `\\sqrt{x}\\sqrt{x}` at -1.

    Raises:
        UndecidedError: A number beyond all bounds.
        ValueError: No value there.
    """
    try:
        return _Evaluation(context(), at or {}, log_base, real).value(tree)
    except (UndecidedError, UndefinedError):
        raise
    except (ArithmeticError, TypeError, ValueError) as error:  # poles, a complex number that is compared, ...
        raise UndefinedError(str(error)) from None


APPROXIMATE: dict[str, Callable[[Any, Any, Any], Any]] = {
    "": lambda mp, first, last: first,
    "neg": lambda mp, first, last: -first,
    "mul": lambda mp, first, last: first * last,
    "div": lambda mp, first, last: first / last,
    "mod": lambda mp, first, last: first - last * mp.floor(first / last),
    "deg": lambda mp, first, last: first * mp.pi / 180,
    "abs": lambda mp, first, last: abs(first),
    "sgn": lambda mp, first, last: mp.sign(first),
    "ln": lambda mp, first, last: mp.log(first),
    "log10": lambda mp, first, last: mp.log(first) / mp.log(10),
    "logb": lambda mp, first, last: mp.log(first) / mp.log(last),
    "conj": lambda mp, first, last: mp.conj(first),
    "Re": lambda mp, first, last: mp.re(first),
    "Im": lambda mp, first, last: mp.im(first),
    "cis": lambda mp, first, last: mp.cos(first) + mp.j * mp.sin(first),
    "arccot": lambda mp, first, last: mp.pi / 2 - mp.atan(first),
}
CHEAP = {"num", "var", "const", "add", "neg", "mul", "div", "", "abs", "sum", "prod", "floor", "ceil", "deg"}
COSTLY = {"fact", "fact2", "binom"}
BOUNDED = {"pow", "root", "fact", "fact2", "binom"}
NAMED = {
    *("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "arcsin", "arccos", "arctan"),
    *("sech", "csch", "arcsinh", "arccosh", "arctanh", "arcsec", "arccsc", "floor", "ceil"),
}
"""Functions that mpmath has under these names, inverse ones without "rc"."""


class _Evaluation:
    def __init__(self, context: Any, at: Mapping[str, Any], log_base: int, real: bool) -> None:
        self.mp = context
        self.at = dict(at)
        self.log_base = log_base
        self.real = real
        self.terms = 0
        self.cost = max(1, context.dps / DIGITS)
        self.cost_of_function = COST_OF_FUNCTION * self.cost**1.5

    def value(self, tree: Tree) -> Any:
        name = tree[0]
        _spend(self.cost if name in CHEAP else self.cost_of_function * (10 if name in COSTLY else 1))
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
        parts = [self.value(part) for part in tree[1:]]
        result = sum(parts[1:], parts[0]) if name == "add" else self._operation(name, parts)
        if self.mp.isnan(result) or (self.real and isinstance(result, self.mp.mpc)):
            raise UndefinedError("no number, or not a real one")
        return result

    def _operation(self, name: str, values: list[Any]) -> Any:
        if name in ("max", "min"):
            return (max if name == "max" else min)(self._real(value) for value in values)
        if name in ("gcd", "lcm"):
            whole = [int(self._bounded(value)) for value in values if self.mp.isint(value)]
            if len(whole) < len(values):
                raise UndefinedError("not whole")
            return self.mp.mpf(math.gcd(*whole) if name == "gcd" else math.lcm(*whole))
        if name in BOUNDED:
            return getattr(self, f"_{name}")(*values)
        if name == "log":
            return self.mp.log(values[0]) / (self.mp.log(self.log_base) if self.log_base else 1)
        if name in APPROXIMATE:
            return APPROXIMATE[name](self.mp, values[0], values[-1])
        function = getattr(self.mp, name.replace("arc", "a"), None) if name in NAMED else None
        if function is None:
            raise UndefinedError(name)
        return function(self._bounded(values[0]))

    def _fact(self, value: Any) -> Any:
        return self.mp.factorial(self._whole(value))

    def _fact2(self, value: Any) -> Any:
        return self.mp.fac2(self._whole(value))

    def _binom(self, above: Any, below: Any) -> Any:
        if self.mp.isint(above) and self.mp.isint(below) and 0 <= below <= above <= MOST_BINOMIAL:
            return self.mp.mpf(math.comb(int(above), int(below)))
        return self.mp.binomial(self._bounded(above), self._bounded(below))

    def _bounded(self, value: Any) -> Any:
        if abs(value) > MOST_EXPONENT and not self.mp.isinf(value):
            raise UndecidedError("a number beyond all bounds")
        return value

    def _whole(self, value: Any) -> Any:
        if not self.mp.isint(value):  # what mpmath makes of any other costs half a second with 400 digits
            raise UndefinedError("a factorial of no whole number")
        return self._bounded(value)

    def _real(self, value: Any) -> Any:
        if self.mp.im(value):
            raise UndefinedError("not real")
        return self.mp.re(value)

    def _pow(self, base: Any, exponent: Any) -> Any:
        self._bounded(exponent)
        if base and abs(self.mp.mag(base)) > MOST_EXPONENT:
            raise UndecidedError("a number beyond all bounds")
        return base**exponent

    def _root(self, value: Any, degree: Any) -> Any:
        odd = self.mp.isint(degree) and int(degree) % 2 == 1 and 0 < degree < 100
        if odd and not self.mp.im(value) and value < 0:
            return -((-value) ** (1 / degree))  # the real root, as in school
        return self.mp.sqrt(value) if degree == 2 else value ** (1 / degree)

    def _series(self, name: str, index: str, body: Tree, low: Tree, high: Tree) -> Any:
        first, last = self.value(low), self.value(high)
        if not (self.mp.isint(first) and self.mp.isint(last)) or not -1 <= last - self._bounded(first) <= MOST_TERMS:
            raise UndefinedError("bounds")
        self.terms += int(last - first) + 1
        if self.terms > 10 * MOST_TERMS:
            raise UndecidedError("a sum of too many terms")
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
