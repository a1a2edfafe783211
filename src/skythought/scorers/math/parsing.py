r"""Formulas as trees, from LaTeX or plain text (`\frac{1}{2}`, `sqrt(2)/2`, `3^(1/2)`); no text is run as a program.

A tree is a tuple: ("num", Fraction), ("var", name), ("const", name), or an operation with trees behind its name. The
grammar is what answers are made of; what it does not know raises `UnparsedError`, and is compared as written.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from skythought.scorers.math.tokens import FUNCTIONS, GREEK, UnparsedError, tokens

__all__ = ["Tree", "UnparsedError", "holds", "parse", "variables"]

Tree = tuple[Any, ...]
LONGEST = 4000
DEEPEST = 40
RENAMED = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "cosec": "csc", "lg": "log10"}
RENAMED |= {"tg": "tan", "ctg": "cot", "arctg": "arctan", "arcctg": "arccot"}
RENAMED |= {start + name: f"arc{name}" for name in ("sinh", "cosh", "tanh") for start in ("a", "ar")}
CONSTANTS = {"pi": "pi", "e": "e", "i": "i", "infty": "inf"}
DOTS = {"ldots", "cdots", "dots", "vdots"}
DECORATIONS = {
    "overline", "bar", "vec", "hat", "tilde", "widehat", "overrightarrow", "dot", "ddot", "mathcal", "mathbb",
    "mathfrak",
}  # fmt: skip
UNKNOWN_FUNCTIONS = set("fghFGPQT")
BRACKETS = {"(": ")", "[": "]", "{": "}"}
FENCES = {"lfloor": ("rfloor", "floor"), "lceil": ("rceil", "ceil"), "langle": ("rangle", "")}
DIFFERENTIATES = [["{", "d", "}", "{", "d"]]
OPENS_OPERAND = {"frac", "sqrt", "binom", "lfloor", "lceil", "pi", "infty", "text"}
OPENS_OPERAND |= {*GREEK, *FUNCTIONS, *DECORATIONS, *RENAMED}


def parse(text: str) -> Tree:
    """The tree of a formula in normalised text.

    Raises:
        UnparsedError: It is none, too long, or nested too deeply.
    """
    if len(text) > LONGEST:
        raise UnparsedError("too long")
    parser = _Parser(tokens(text))
    tree = parser.sum()
    if parser.at < len(parser.tokens):
        raise UnparsedError(f"unexpected {parser.peek()!r}")
    return tree


def variables(tree: Tree) -> set[str]:
    """Names of the free variables in a tree."""
    if tree[0] == "var":
        return {tree[1]}
    if tree[0] in ("sum", "prod"):
        return (variables(tree[2]) - {tree[1]}) | variables(tree[3]) | variables(tree[4])
    return set().union(*(variables(part) for part in tree[1:] if isinstance(part, tuple)))


def holds(tree: Tree, names: set[str]) -> bool:
    """Whether an operation of one of these names is anywhere in a tree."""
    return tree[0] in names or any(holds(part, names) for part in tree[1:] if isinstance(part, tuple))


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.bars = 0
        self.indices: list[str] = []

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise UnparsedError("ends too early")
        self.at += 1
        return token

    def take(self, *wanted: str) -> bool:
        if self.peek() in wanted:
            self.at += 1
            return True
        return False

    def expect(self, wanted: str) -> None:
        if not self.take(wanted):
            raise UnparsedError(f"expected {wanted!r}, found {self.peek()!r}")

    # -- sums, products, powers -------------------------------------------------------------------------------

    def sum(self) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnparsedError("nested too deeply")
        terms = []
        negative = self._signs()
        while True:
            term = self.product()
            terms.append(("neg", term) if negative else term)
            if self.peek() not in ("+", "-"):
                break
            negative = self._signs()
        self.depth -= 1
        return terms[0] if len(terms) == 1 else ("add", *terms)

    def _signs(self) -> bool:
        negative = False
        while self.peek() in ("+", "-"):
            negative ^= self.next() == "-"
        return negative

    def product(self) -> Tree:
        tree = self.power()
        while True:
            token = self.peek()
            if token in ("*", "\\cdot", "\\times", "\\ast"):
                self.next()
                tree = ("mul", tree, self._signed_power())
            elif token in ("/", ":"):
                self.next()
                tree = ("div", tree, self._signed_power())
            elif token in ("\\bmod", "\\mod"):
                self.next()
                tree = ("mod", tree, self._signed_power())
            elif token == " ":
                self.next()
                tree = self._mixed(tree)
            elif self._operand_follows():
                mixed = tree[0] == "num" and token == "\\frac" and tree[1].denominator == 1
                factor = self.power()
                is_fraction = factor[0] == "div" and factor[1][0] == factor[2][0] == "num"
                tree = ("add", tree, factor) if mixed and is_fraction else ("mul", tree, factor)
            else:
                return tree

    def _mixed(self, whole: Tree) -> Tree:
        """What follows a whole number and a blank: the fraction of a mixed number."""
        above = self.next()
        written = self.tokens[self.at - 3]
        if (
            whole[0] != "num"
            or not written.isdigit()
            or not above.isdigit()
            or not self.take("/")
            or not self.peek().isdigit()
        ):
            raise UnparsedError("two numbers side by side")
        return ("add", whole, ("div", ("num", Fraction(above)), ("num", Fraction(self.next()))))

    def _signed_power(self) -> Tree:
        return ("neg", self.power()) if self._signs() else self.power()

    def _operand_follows(self) -> bool:
        token = self.peek()
        if not token or token in ("|",):
            return bool(token) and not self.bars
        if token[0] == "\\":
            return token[1:] in OPENS_OPERAND or token[1:] in DOTS or token in ("\\sum", "\\prod")
        return token[0].isalnum() or token[0] == "." or token in ("(", "[", "{")

    def power(self) -> Tree:
        base = self.postfix()
        if self.take("^", "**"):
            if self.take("\\circ"):
                return ("deg", base)
            exponent = self._script()
            if self.peek() == "^":
                raise UnparsedError("two exponents")
            tree: Tree = ("pow", base, exponent)
            while self.take("!"):
                tree = ("fact", tree)
            return tree
        return base

    def _script(self) -> Tree:
        """What follows ^ or _: a group, or one token."""
        if self.take("-"):
            return ("neg", self._script())
        token = self.peek()
        if token[:1].isdigit() or (len(token) == 1 and token.isalpha()):
            self.next()
            return self._symbol(token)
        return self.atom() if token == "{" else self.power() if token == "(" else self.postfix()

    def postfix(self) -> Tree:
        tree = self.atom()
        while True:
            if self.take("!"):
                tree = ("fact2" if self.take("!") else "fact", tree)
            elif self.take("%", "\\%"):
                tree = ("div", tree, ("num", Fraction(100)))
            elif tree[0] == "num" and self.take("_"):
                tree = ("app", "base", tree, self._script())  # 204_5: digits in another base
            elif self.peek() == "'" and (tree[0] == "var" or (tree[0] == "index" and tree[2][0] == "var")):
                self.next()
                tree = ("var", (tree[1] if tree[0] == "var" else f"{tree[1]}_{tree[2][1]}") + "'")
            elif self.peek() == "_" and tree[0] == "var":
                self.next()
                tree = self._subscripted(tree[1])
            else:
                return tree

    def _subscripted(self, name: str) -> Tree:
        index = self._name_in_braces() or self._script()
        if isinstance(index, str):
            return ("var", f"{name}_{index}")
        if index[0] in ("var", "num"):
            return ("index", name, index) if index[0] == "var" else ("var", f"{name}_{index[1]}")
        return ("index", name, index)

    def _name_in_braces(self) -> str:
        """A subscript that is a word, `{max}` or `{\\text{max}}`, several letters, or a sign like `\\odot`."""
        if self.peek() != "{":
            return self.next()[1:] if self.peek()[:1] == "\\" and self.peek()[1:] not in OPENS_OPERAND else ""
        closing = self.at
        while closing < len(self.tokens) and self.tokens[closing] != "}":
            closing += 1
        inner = self.tokens[self.at + 1 : closing]
        name = "".join(inner).replace("\\", "")
        sign = len(inner) == 1 and inner[0][0] == "\\" and inner[0][1:] not in GREEK
        if len(inner) > 1 and name.isalpha() or inner[:1] == ["\\text"] or sign:
            self.at = closing + 1
            if inner[:1] == ["\\text"]:
                self.expect("}")
                name = "".join(inner[2:])
            return name
        return ""

    # -- atoms ------------------------------------------------------------------------------------------------

    def atom(self) -> Tree:
        token = self.next()
        if token[0].isdigit() or token[0] == ".":
            return ("num", _fraction(token))
        if token in BRACKETS:
            return self._bracketed(BRACKETS[token])
        if token == "|":
            self.bars += 1
            tree = ("abs", self.sum())
            self.bars -= 1
            self.expect("|")
            return tree
        if token[0] == "\\":
            return self._command(token[1:])
        if len(token) == 1 and token.isalpha():
            at_number = self.peek(1).isdigit() and self.peek(2) == ")"  # x(0) is no product
            if self.peek() == "(" and (token in UNKNOWN_FUNCTIONS or at_number):
                arguments = self._arguments()
                if at_number and token not in UNKNOWN_FUNCTIONS and arguments[0][0] == "num":
                    return ("var", f"{token}_{arguments[0][1]}")  # I(0), also written I_0
                return ("app", token, *arguments)
            return self._symbol(token)
        raise UnparsedError(f"unexpected {token!r}")

    def _bracketed(self, closing: str) -> Tree:
        bars, self.bars = self.bars, 0
        tree = self.sum()
        self.bars = bars
        self.expect(closing)
        return tree

    def _command(self, name: str) -> Tree:
        if name in ("frac", "binom"):
            if name == "frac" and self.tokens[self.at : self.at + 5] in DIFFERENTIATES:
                raise UnparsedError("a derivative that is not taken")
            brackets = name == "binom" and self.peek() == "("
            parts = self._arguments() if brackets else [self.atom(), self.atom()]
            return ("div" if name == "frac" else "binom", *parts)
        if name in ("sqrt", "cbrt"):
            return self._root(name)
        if name in FENCES:
            closing, function = FENCES[name]
            tree = self.sum()
            self.expect("\\" + closing)
            return (function, tree)
        if name == "text":
            return self._text()
        if name in FUNCTIONS or name in RENAMED:
            return self._function(RENAMED.get(name, name))
        if name in ("sum", "prod"):
            return self._series(name)
        if name in DOTS:
            return ("var", "...")
        if name in DECORATIONS:
            return self._decorated(name)
        return _symbol(name)

    def _decorated(self, name: str) -> Tree:
        inner = self.atom()
        if name in ("vec", "overrightarrow") and inner[0] == "mul" and inner[1][0] == inner[2][0] == "var":
            start, end = inner[1][1], inner[2][1]  # from one point to another, and back with the other sign
            arrow = ("var", f"vec({min(start, end)}{max(start, end)})")
            return arrow if start <= end else ("neg", arrow)
        if name in ("vec", "overrightarrow", "mathcal") or (name == "overline" and inner[0] == "mul"):
            return inner  # only a way to write the name
        if name in ("overline", "bar") and holds(inner, {"const"}):
            return ("conj", inner)
        return ("var", f"{name}({inner[1] if inner[0] == 'var' else inner})")

    def _text(self) -> Tree:
        self.expect("{")
        name = ""
        while self.peek() != "}":
            name += self.next().removeprefix("\\")
        self.expect("}")
        if name in FUNCTIONS or name in RENAMED:
            return self._function(RENAMED.get(name, name))
        if len(name) != 1:
            raise UnparsedError(f"the word {name!r}")
        return _symbol(name)

    def _root(self, name: str) -> Tree:
        degree: Tree = ("num", Fraction(3 if name == "cbrt" else 2))
        if self.take("["):
            degree = self._bracketed("]")
        return ("root", self.atom(), degree)

    def _arguments(self) -> list[Tree]:
        closing = "\\}" if self.take("\\{") else ")"
        if closing == ")":
            self.expect("(")
        arguments = [self.sum()]
        while self.take(","):
            arguments.append(self.sum())
        self.expect(closing)
        return arguments

    def _function(self, name: str) -> Tree:
        if name in ("max", "min", "gcd", "lcm") and self.peek() in ("(", "\\{"):
            return (name, *self._arguments())
        power = base = None
        while self.peek() in ("^", "_"):
            if self.next() == "^":
                power = self._script()
            else:
                base = self._script()
        argument = self._argument()
        if power == ("neg", ("num", Fraction(1))) and "arc" + name in FUNCTIONS:
            name, power = "arc" + name, None
        if base is not None and name != "log":
            raise UnparsedError(f"a subscript of {name}")
        tree: Tree = (name, argument) if base is None else ("logb", argument, base)
        if name == "exp":
            tree = ("pow", ("const", "e"), argument)
        return tree if power is None else ("pow", tree, power)

    def _argument(self) -> Tree:
        """`x`, `2x`, `(x+1)`, `\\frac{x}{2}`: without brackets, factors up to the next function or operator."""
        if self.peek() in ("(", "[", "{", "|"):
            return self.postfix()
        negative = self._signs()
        tree = self.power()
        while self._operand_follows() and self.peek() != "(" and self.peek()[1:] not in FUNCTIONS - {"sqrt", "binom"}:
            tree = ("mul", tree, self.power())
        if self.peek() == "/" and self.peek(1).isdigit() and tree[0] in ("const", "var", "mul"):
            self.next()
            tree = ("div", tree, self.atom())
        return ("neg", tree) if negative else tree

    def _series(self, name: str) -> Tree:
        low = high = None
        while self.peek() in ("^", "_"):
            if self.next() == "^":
                high = self._script()
                continue
            self.expect("{")
            index = self.next()
            self.expect("=")
            low = self.sum()
            self.expect("}")
        if low is None or high is None:
            raise UnparsedError("a sum without bounds")
        self.indices.append(index)
        body = self.product()
        self.indices.pop()
        return (name, index, body, low, high)

    def _symbol(self, token: str) -> Tree:
        return ("var", token) if token in self.indices else _symbol(token)  # `i` and `e` may count the terms


def _symbol(token: str) -> Tree:
    if token[0].isdigit():
        return ("num", Fraction(token))
    if token in CONSTANTS:
        return ("const", CONSTANTS[token])
    if len(token) == 1 or token in GREEK:
        return ("var", {"varphi": "phi", "varepsilon": "epsilon"}.get(token, token))
    raise UnparsedError(f"unknown command {token!r}")


def _fraction(token: str) -> Fraction:
    if token == ".":
        raise UnparsedError("a point")
    mantissa, _, exponent = token.partition("e")
    if len(mantissa) > 1000:
        raise UnparsedError("a number of too many digits")
    if exponent and abs(int(exponent)) > 1000:
        raise UnparsedError("an exponent that is too large")
    return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)
