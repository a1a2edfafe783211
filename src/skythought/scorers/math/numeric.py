"""Whether two formulas are the same: they agree at all points where both are defined (real, unless they speak of i).

That decides in microseconds what an algebra system needs seconds for. The points are the same in every process.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from skythought.scorers.math.evaluation import (
    ROUNDING,
    UndecidedError,
    UndefinedError,
    approximate,
    context,
    exact,
    is_complex,
    is_constant,
)
from skythought.scorers.math.parsing import Tree, holds, variables

__all__ = ["equal", "proportional", "same_solution", "solves"]

# Values that no formula of an answer is likely to single out: no zeros, no poles.
INTEGER_POINTS = (5, 3, 7, 4, 11, 6, 8, 9, 10, 12)
REAL_POINTS = ("1.234", "0.731", "2.417", "0.377", "1.893", "3.141", "0.913", "7.577", "2.071", "0.559")
POINTS = 9
WHOLE = {"n", "m", "k", "N"}
STEPS = {"floor", "ceil", "gcd", "lcm", "fact", "fact2"}
r"""Where these are, `WHOLE` names are whole numbers: `\lceil (n-1)/2 \rceil` is `\lfloor n/2 \rfloor`."""
LARGEST = 1e45
MORE_DIGITS = 400
MOST_DIGITS = 4000
DIGITS_BEHIND = 60
STILL_ROUNDING = 1e-300
NEVER_CANCELS = {"num", "var", "const", "", "neg", "mul", "div", "pow", "root", "fact", "binom", "deg", "abs"}


def equal(first: Tree, second: Tree) -> bool:
    """Whether two formulas are the same.

    Raises:
        UndecidedError: That cannot be told.
    """
    if first == second:
        return True
    if is_constant(first) and is_constant(second):
        one, other = exact(first), exact(second)
        if one is not None and other is not None:
            return one == other
    with_log = holds(first, {"log"}) or holds(second, {"log"})
    return any(_agree(first, second, base) for base in ((0, 10) if with_log else (0,)))


def _agree(first: Tree, second: Tree, log_base: int) -> bool:
    met, cancels, largest = 0, _cancels(first) or _cancels(second), 0
    for one, other in _values(first, second, log_base):
        if not _close(one, other):
            return False
        # Beyond 10^45 a difference of the size of 1 is lost among the 50 digits that are compared.
        if cancels and abs(one) > LARGEST and not context().isinf(one):
            largest = max(largest, int(context().mag(one) * 0.30103) + 1)
        met += 1
    if largest:
        return _agree_at_large(first, second, log_base, largest)
    if met < (1 if is_constant(first) and is_constant(second) else 2):
        raise UndecidedError("defined together at too few points")
    return _agree_to_the_end(first, second, log_base, cancels)


def _agree_at_large(first: Tree, second: Tree, log_base: int, digits: int) -> bool:
    """Whether two formulas agree at all points to the last of so many digits before the point, and 20 behind it.

    Raises:
        UndecidedError: These are too many digits.
    """
    if digits > MOST_DIGITS:
        raise UndecidedError("too large to tell what is added to it")
    mp = context()
    with mp.workdps(digits + DIGITS_BEHIND):
        pairs = _values(first, second, log_base, most=4)
        return len(pairs) > 1 and all(abs(one - other) < mp.mpf(10) ** -20 for one, other in pairs)


def _agree_to_the_end(first: Tree, second: Tree, log_base: int, cancels: bool) -> bool:
    """Whether what is the same to 50 digits still is with far more, at one point.

    A rounding error shrinks when more digits are worked out; a difference as small as e^{-200} stays.
    """
    mp = context()
    with mp.workdps(MORE_DIGITS):
        one, other = _values(first, second, log_base, most=1)[0]
        if mp.isinf(one) or mp.isinf(other):
            return bool(one == other)
        largest = max(abs(one), abs(other), mp.mpf(cancels))
        return bool(abs(one - other) <= STILL_ROUNDING * largest)


def _cancels(tree: Tree) -> bool:
    """Whether rounding errors may be all that is left of a value, as of a difference."""
    return not (tree[0] in NEVER_CANCELS and all(not _cancels(part) for part in tree[1:] if isinstance(part, tuple)))


def _values(first: Tree, second: Tree, log_base: int = 0, most: int = 9) -> list[tuple[Any, ...]]:
    names = sorted(variables(first) | variables(second))
    if not names and is_constant(first) and is_constant(second):
        try:
            return [(approximate(first, {}, log_base), approximate(second, {}, log_base))]
        except UndefinedError:
            return []
    complex_ = _is_complex(first) or _is_complex(second)
    pairs: list[tuple[Any, ...]] = []
    whole = WHOLE if holds(first, STEPS) or holds(second, STEPS) else set()
    for point in _points(tuple(names), whole):
        try:
            pairs.append(tuple(approximate(tree, point, log_base, real=not complex_) for tree in (first, second)))
        except UndefinedError:
            continue
        if len(pairs) == most:
            break
    return pairs


def _is_complex(tree: Tree) -> bool:
    """Whether a formula speaks of i."""
    return (
        tree[0] == "cis"
        or tree == ("const", "i")
        or any(_is_complex(part) for part in tree[1:] if isinstance(part, tuple))
    )


def _points(names: tuple[str, ...], whole: Set[str] = frozenset()) -> list[dict[str, Any]]:
    """Sample points: positive, of both signs, and whole numbers (for n!, (-1)^n), the same in every process.

    Args:
        whole: Names that only ever stand for whole numbers.
    """
    mp = context()
    points: list[dict[str, Any]] = []
    for number in range(POINTS):
        point = {}
        for place, name in enumerate(names):
            turn = place * 3 + number
            if name in whole:
                point[name] = mp.mpf(INTEGER_POINTS[turn % 10])
            elif number % 3 == 2:
                point[name] = mp.mpf(INTEGER_POINTS[(turn + number // 3) % 10])
            else:
                value = mp.mpf(REAL_POINTS[turn % 10]) + number * place / mp.mpf(17)
                point[name] = -value if number % 3 == 1 and (place + number) % 2 else value
        points.append(point)
    return points


def _close(one: Any, other: Any) -> bool:
    mp = context()
    if mp.isinf(one) or mp.isinf(other):
        return bool(one == other)
    return bool(abs(one - other) <= ROUNDING * max(abs(one), abs(other), mp.mpf(10) ** -12))


def proportional(first: Tree, second: Tree, *, positive: bool = False) -> bool:
    """Whether one is the other times a constant that is not zero (or only a positive one): `2x=4` and `x=2`.

    Raises:
        UndecidedError: That cannot be told.
    """
    ratios = []
    for one, other in _values(first, second):
        if _close(one, other * 0) or _close(other, one * 0):
            if not _close(one, other):
                return False
            continue
        if max(abs(one), abs(other)) > LARGEST:
            raise UndecidedError("too large to tell what is added to it")
        ratios.append(one / other)
    if len(ratios) < 2:
        raise UndecidedError("defined together at too few points")
    first_ratio = ratios[0]
    constant = all(abs(ratio - first_ratio) <= ROUNDING * abs(first_ratio) for ratio in ratios)
    return constant and not (positive and (is_complex(first_ratio) or context().re(first_ratio) < 0))


def same_solution(first: Tree, second: Tree) -> bool:
    """Whether two equations, both = 0, are linear in the same variable and solved by it alike: `mv'+bv` and `v'+bv/m`.

    That is a derivative where they have one. Else one of them must divide by a variable, `y=6/x` and `xy=6`: else a
    factor may be another solution, as in `x(y-1)=0`.
    """
    both = variables(first) & variables(second)
    names = sorted(name for name in both if name.endswith("'"))
    if not names and (_divides(first) or _divides(second)):
        names = sorted(both)
    return any(_solved_alike(first, second, name) for name in names)


def _divides(tree: Tree) -> bool:
    """Whether a formula divides by a variable."""
    parts = [part for part in tree[1:] if isinstance(part, tuple)]
    return (tree[0] == "div" and bool(variables(tree[2]))) or any(_divides(part) for part in parts)


def _solved_alike(first: Tree, second: Tree, name: str) -> bool:
    met = 0
    for point in _points(tuple(sorted(variables(first) | variables(second)))):
        try:
            one, other = _root(first, name, point), _root(second, name, point)
        except UndefinedError:
            continue
        if one is None or other is None or not _close(one, other):
            return False
        met += 1
    return met > 2


def _root(equation: Tree, name: str, point: dict[str, Any]) -> Any:
    """The value of a variable at which a formula that is linear in it is zero; None if it is not linear."""
    low, middle, high = (approximate(equation, {**point, name: context().mpf(value)}) for value in (-1, 0, 1))
    slope = high - middle
    return -middle / slope if _close(slope, middle - low) and not _close(slope, slope * 0) else None


def solves(equation: Tree, value: Tree) -> bool:
    """Whether `equation` = 0 is linear in a variable that `value` does not have, and solved by it: `xy-6` and `6/x`."""
    names = variables(equation) - variables(value)
    return (
        len(names) == 1
        and variables(value) < variables(equation)
        and any(_solved_alike(equation, ("add", ("var", name), ("neg", value)), name) for name in names)
    )
