"""Arithmetic written out in steps small enough for a tiny model to take one at a time.

Every function returns text; none decides anything about wording, which is `problems.py`'s business. A step
never asks for more than a table fact or a sum below a hundred. Every computation is first written down, then
done: copying from the question is one thing to learn, working on what stands right before is another.
"""

from math import gcd


def column_add(a: int, b: int) -> str:
    """Column addition from the right, the carry as third summand: `8+6=14, 7+5+1=13`."""
    steps: list[str] = []
    carry = 0
    left, right = _padded(a, b)
    for x, y in zip(reversed(left), reversed(right), strict=True):
        total = x + y + carry
        steps.append(f"{x}+{y}+{carry}={total}" if carry else f"{x}+{y}={total}")
        carry = total // 10
    return ", ".join(steps)


def column_subtract(a: int, b: int) -> str:
    """Column subtraction from the right for a >= b; a two-digit minuend shows that one was borrowed."""
    steps: list[str] = []
    borrow = 0
    left, right = _padded(a, b)
    for x, y in zip(reversed(left), reversed(right), strict=True):
        top = x
        if borrow:
            top = x - 1 if x else 9
            steps.append(f"{x or 10}-1={top}")
        borrow = int(borrow and not x)
        if top < y:
            top += 10
            borrow = 1
        steps.append(f"{top}-{y}={top - y}")
    return ", ".join(steps)


def add(a: int, b: int) -> str:
    """A sum with its columns, or in one go when a summand has one digit and no long carry can arise."""
    if min(a, b) < 10 and max(a, b) < 100:
        return f"{a}+{b}={a + b}"
    return f"{a}+{b}: {column_add(a, b)}, so {a + b}"


def subtract(a: int, b: int) -> str:
    """A difference with its columns; a negative one is the mirrored difference with the sign turned."""
    if a < b:
        return f"{a}-{b} is negative. {subtract(b, a)}. With the sign {a - b}"
    if b < 10 and a < 100:
        return f"{a}-{b}={a - b}"
    return f"{a}-{b}: {column_subtract(a, b)}, so {a - b}"


def multiply_digit(a: int, digit: int) -> str:
    """Times one digit: a table fact per column, then the carry, and the whole at the end."""
    if a < 10:
        return f"{a}*{digit}={a * digit}"
    steps: list[str] = []
    carry = 0
    for x in (int(d) for d in reversed(str(a))):
        product = x * digit
        steps.append(f"{x}*{digit}={product}")
        if carry:
            steps.append(f"{product}+{carry}={product + carry}")
        carry = (product + carry) // 10
    return f"{a}*{digit}: {', '.join(steps)}, so {a * digit}"


def multiply(a: int, b: int) -> str:
    """A product: partial products for each digit of `b`, each on a line of its own, then their sum."""
    if b < 10:
        return multiply_digit(a, b)
    tens, units = divmod(b, 10)
    first, second = a * units, a * tens * 10
    lines = [f"{a}*{b}={a}*{units}+{a}*{tens}0", multiply_digit(a, units) if units else f"{a}*0=0"]
    lines.append(f"{multiply_digit(a, tens)}, with the zero {second}")
    lines.append(add(second, first))
    return ".\n".join(lines)


def divide(a: int, b: int) -> str:
    """Long division digit by digit, each line a multiple and what is left: `18=7*2+4`."""
    steps: list[str] = []
    left = 0
    for digit in str(a):
        current = left * 10 + int(digit)
        steps.append(f"{current}={b}*{current // b}+{current % b}")
        left = current % b
    return f"{a}/{b}: {', '.join(steps)}"


def reduce_fraction(top: int, bottom: int) -> str:
    """Cancel one prime after another: `divide by 2: 9/12, divide by 3: 3/4`."""
    steps: list[str] = []
    while (common := gcd(top, bottom)) > 1:
        prime = next(p for p in range(2, common + 1) if common % p == 0)
        top, bottom = top // prime, bottom // prime
        steps.append(f"divide by {prime}: {top}/{bottom}")
    return ", ".join(steps) if steps else "nothing cancels"


def common_denominator(b: int, d: int) -> int:
    """The least common multiple, the denominator on which two fractions meet."""
    return b * d // gcd(b, d)


def _padded(a: int, b: int) -> tuple[list[int], list[int]]:
    """Both numbers as digits of equal count, so that columns line up."""
    width = max(len(str(a)), len(str(b)))
    return [int(d) for d in f"{a:0{width}d}"], [int(d) for d in f"{b:0{width}d}"]
