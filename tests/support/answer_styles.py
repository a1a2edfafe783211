r"""Ways of writing an answer in a response, and the cases that they make of gold answers.

`benchmarks/answer_styles.py` measures all cases, `tests/scorers/test_styles.py` a part. Golds are in `answer_golds`,
styles, and responses that only seem right, in `answer_templates`, rewritings and changes of an answer in
`answer_writings`: each a table of which a new line is a new kind of case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from answer_golds import Gold
from answer_templates import CHECK, HEDGED, MARKED, NO_STYLE, ONE_OF_EACH, SETS, STEP, STYLES, TRAPS, Style
from answer_writings import changes, plain, writings

from skythought.models.thinking import split_thinking
from skythought.scorers.base import Scorer
from skythought.scorers.registry import make_scorer
from skythought.types import Problem, Score

__all__ = ["STYLES", "TRAPS", "Case", "right_cases", "verdict", "wrong_cases"]


WORD = re.compile(r"[-+−]?[$€]?[\d.,:/]+%?[,;]?|[A-Za-z]{2,}[,;.]?|[A-Zx],?")
"""A number or word, which stands in a sentence without dollars."""


class Case(NamedTuple):
    """A response to a gold answer, and whether it is right."""

    gold: Gold
    part: str
    """style, rewriting, change or trap: the table that counts it."""
    name: str
    """The line of that table."""
    style: str
    response: str
    right: bool


class Plan(NamedTuple):
    """What a case is made of."""

    gold: Gold
    part: str
    name: str
    style: Style
    text: str
    """The answer in the response."""
    right: bool


def right_cases(golds: list[Gold], *, every: bool = False, step: int = 1) -> Iterator[Case]:
    """Each gold in each style, and each writing of each gold in `ONE_OF_EACH` and two styles by turns.

    Args:
        golds: Gold answers.
        every: Each writing in all styles.
        step: One case of so many.
    """
    return _cases(_right_plans(golds, every), step)


def wrong_cases(golds: list[Gold], *, every: bool = False, step: int = 1) -> Iterator[Case]:
    """A wrong value in each style, each change of each gold in `ONE_OF_EACH` (or in all), and the traps."""
    return _cases(_wrong_plans(golds, every), step)


def _right_plans(golds: list[Gold], every: bool) -> Iterator[Plan]:
    for place, gold in enumerate(golds):
        own = [style for style in STYLES if gold.group[0].upper() in style.groups]
        for style in own:
            yield Plan(gold, "style", style.name, style, gold.target, True)
        for turn, (name, text) in enumerate(writings(gold)):
            turns = {(7 * place + 3 * turn) % len(own), (5 * place + 11 * turn + 2) % len(own)}
            for number, style in enumerate(own):
                if (every or style.name in ONE_OF_EACH or number in turns) and not style.name.startswith(MARKED):
                    yield Plan(gold, "rewriting", name, style, text, True)


def _wrong_plans(golds: list[Gold], every: bool) -> Iterator[Plan]:
    for gold in golds:
        own = [style for style in STYLES if gold.group[0].upper() in style.groups]
        for style in own:
            yield Plan(gold, "style", style.name, style, gold.other[0], False)
        for name, text in changes(gold):
            for style in own:
                if every or style.name in ONE_OF_EACH:
                    yield Plan(gold, "change", name, style, text, False)
        for trap in TRAPS:
            if gold.group[0].upper() in trap.groups and not (trap.name in HEDGED and _is_set(gold)):
                yield Plan(gold, "trap", trap.name, trap, gold.target, False)


def _is_set(gold: Gold) -> bool:
    """Whether an answer with another behind "or" may be the same set."""
    return gold.group == "math" and (gold.kind in SETS or re.search(r"infty|[<>,]|\\le|\\ge", gold.target) is not None)


def _cases(plans: Iterator[Plan], step: int) -> Iterator[Case]:
    """The cases of one plan of so many; none of those whose style cannot show the text."""
    for gold, part, name, style, text, right in _sample(plans, step):
        # In a style with a wrong interim answer that is the right one where the answer itself is wrong.
        shown = gold._replace(other=(gold.target,)) if text == gold.other[0] else gold
        response = filled(style.template, shown, text)
        if response is not None and not any(doubled in response for doubled in NO_STYLE):
            yield Case(gold, part, name, style.name, response, right)


def _sample(plans: Iterator[Plan], step: int) -> Iterator[Plan]:
    """One plan of so many of each line, beginning with another gold on each."""
    seen: Counter[tuple[str, str]] = Counter()
    for plan in plans:
        line = (plan.part, plan.name)
        if (seen[line] - len(plan.name) % 5) % step == 0:
            yield plan
        seen[line] += 1


def filled(template: str, gold: Gold, text: str) -> str | None:
    """A template with an answer in it; None where that has no plain form and the template wants one."""
    if "TEXT" in template:
        options = gold.choices
        if not options or any(len(option) < 3 for option in options):
            return None
        template = template.replace("TEXT", options["ABCDEFGHIJ".index(gold.target)].rstrip("."))
    without = plain(text) if gold.group in ("math", "number") else text
    if without is None and "PLAIN" in template:
        return None
    template = template.replace("STEP", STEP[gold.group]).replace("CHECK", CHECK[gold.group])
    other = gold.other[0]
    template = template.replace("{OTHER}", "{" + other + "}").replace("OTHER", _in_prose(gold.group, other))
    json_text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    template = template.replace("LATEX", text).replace("JSON", json_text).replace("RIGHT", _in_prose(gold.group, text))
    return template.replace("PLAIN", without or "").replace("PROSE", _in_prose(gold.group, text))


def _in_prose(group: str, text: str) -> str:
    """An answer as it stands in a sentence: formulas in dollars, numbers and words as they are."""
    bare = re.sub(r"^\\text\{([^{}]*)\}$", r"\1", text).replace("\\$", "$").replace("\\%", "%")
    if "\\" not in bare and (group in ("choice", "text") or _typed(bare) or all(map(WORD.fullmatch, bare.split()))):
        return bare
    return text if "$" in text.replace("\\$", "") else f"${text}$"


def _typed(text: str) -> bool:
    """Whether a formula is written without LaTeX, so that it stands in a sentence as it is."""
    return "^{" not in text and re.search(r"sqrt\(|[*]|\^\(|pi\b|infinity|[<>]=|[^\x00-\x7f]", text) is not None


def verdict(case: Case) -> Score:
    """The score of a case: thinking split off, then the group's scorer, here and now; None if the scorer crashes."""
    gold = case.gold
    scorer = SCORERS["integer" if gold.kind == "aime" else gold.group]
    problem = Problem("0", "", gold.target, gold.choices)
    answer = split_thinking(case.response).answer
    if answer is None:
        return Score(False, "the thinking never ended")
    try:
        return scorer.score(problem, answer)
    except Exception as error:  # noqa: BLE001 -- a scorer with a bug: shown, and the other cases go on
        return Score(None, f"crashed: {error!r}")


SCORERS: dict[str, Scorer] = {
    "math": make_scorer("math", {}),
    "number": make_scorer("math", {"kind": "number"}),
    "integer": make_scorer("math", {"kind": "integer"}),
    "choice": make_scorer("choice", {}),
    "text": make_scorer("text", {}),
}
