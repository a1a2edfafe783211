"""Formulas cut into tokens: commands with their backslash, numbers, single letters, known words, symbols."""

from __future__ import annotations

import re

__all__ = ["FUNCTIONS", "GREEK", "UnparsedError", "letters", "tokens"]


class UnparsedError(ValueError):
    """The text is no formula of this grammar."""


TOKEN = re.compile(
    r"\s*(?:(?P<num>\d+\.\d*|\d+|\.\d+)|\\(?P<cmd>[a-zA-Z]+|[{}|%])|(?P<word>[a-zA-Z]+)|(?P<sym>\*\*"
    r"|[-+*/^_(){}\[\]|!':,;=<>%&]))"
)
SCIENTIFIC = re.compile(r"(\d+\.\d+|\d+)[eE]([-+]\d{1,4}|\d{1,4})(?![\d.a-zA-Z])")
FUNCTIONS = {
    *("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "arcsin", "arccos", "arctan", "arccot"),
    *("asin", "acos", "atan", "ln", "log", "lg", "exp", "sqrt", "cbrt", "abs", "max", "min", "gcd", "lcm", "floor"),
    *("ceil", "binom", "det", "cosec", "Re", "Im", "sgn", "cis", "sech", "csch", "arcsinh", "arccosh", "arctanh"),
    *("arsinh", "arcosh", "artanh", "asinh", "acosh", "atanh", "arcsec", "arccsc"),
}
POWER = re.compile(r"\d+\s*\^\s*\{?\s*[a-zA-Z]")
"""Of a number behind a letter, "n2^n": no index."""
WORDS = {"or", "if", "no", "No", "one", "two", "six", "ten", "odd", "yes", "all", "any", "not", "for", "the", "and"}
WORDS |= {"out", "day"}
"""Words of three letters that are no products of variables; longer words never are."""
GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "kappa", "lambda",
    "mu", "nu", "xi", "rho", "varrho", "sigma", "tau", "phi", "varphi", "chi", "psi", "omega", "Gamma", "Delta",
    "Theta", "Lambda", "Xi", "Sigma", "Phi", "Psi", "Omega", "ell", "hbar", "aleph",
}  # fmt: skip


def tokens(text: str) -> list[str]:
    """Commands with their backslash, numbers, single letters, known words, symbols."""
    found: list[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        # "1.5e3" and "2e10" are numbers; "2e3" only at the end, for it may be 2 times e times 3; in "x^2e3" it is none.
        match = SCIENTIFIC.match(text, position)
        if (
            match
            and (not found or found[-1][-1] not in "^_")
            and ("." in match[1] or len(match[2]) > 2 or match.end() == end)
        ):
            found.append(f"{match[1]}e{match[2]}")
            position = match.end()
            continue
        match = TOKEN.match(text, position)
        if match is None:
            raise UnparsedError(f"unknown character {text[position : position + 10]!r}")
        position = match.end()
        if match["word"]:
            scripted = found[-1:] in (["^"], ["_"])
            found += letters(match["word"])
            if (
                text[position : position + 1].isdigit()
                and found[-1].isalpha()
                and found[-1] not in "ei"
                and not scripted
                and not POWER.match(text, position)
            ):
                found.append("_")  # "v0"
        elif match["cmd"]:
            found.append("\\" + match["cmd"])
        else:
            if match["num"] and found and found[-1][-1].isdigit() and found[-2:-1] not in (["^"], ["_"]):
                found.append(" ")  # two numbers side by side: "1 1/2", or a list
            found.append(match["num"] or match["sym"])
    return found


def letters(word: str) -> list[str]:
    """A word of letters as a known name, or as a product of variables.

    Raises:
        UnparsedError: It is a word of prose.
    """
    if word in FUNCTIONS or word in ("pi", "sum") or word in GREEK:
        return ["\\" + word]
    if len(word) > 3 or word in WORDS:
        raise UnparsedError(f"the word {word!r}")
    return list(word)
