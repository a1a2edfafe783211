"""The options by which a run asks less than everything, checked, and what they make of an open run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.pipeline.asking import Asking, Rule
from skythought.pipeline.budget import Budget
from skythought.pipeline.clear import Better, Known, half_width, in_random_order
from skythought.pipeline.earlier import read_earlier
from skythought.pipeline.options import AskingOptions
from skythought.runs.asked import Asked, read_asked, write_asked
from skythought.runs.folder import RunFolder
from skythought.runs.pass_rates import PassRates
from skythought.runs.view import Run
from skythought.streams import Stop

__all__ = ["Conditioned", "Conditions", "conditions"]

CLEAR = ("until", "versus", "until_correct")
"""Each decides by verdicts when to stop; one at a time."""
MEDIUM = "0.1:0.9"


@dataclass(frozen=True)
class Conditions:
    """What was asked for, sound in itself."""

    options: AskingOptions
    budget: Budget
    """Of the whole invocation."""

    @property
    def heeds_verdicts(self) -> bool:
        """Whether answers must be graded while others are still being asked."""
        return any(getattr(self.options, name) is not None for name in CLEAR)

    def given(self) -> dict[str, Any]:
        """The options that were given, as JSON values; of folders the names."""
        values = {entry.name: getattr(self.options, entry.name) for entry in fields(AskingOptions)}
        for name in ("versus", "difficulty"):
            if values[name] is not None:
                values[name] = Path(values[name]).name
        return {name: value for name, value in values.items() if value is not None}

    def on(self, run: RunFolder, *, graded: bool, stop: Stop) -> Conditioned:
        """What they make of an open run, all of whose answers are graded as far as they are to be.

        Raises:
            UserError: An earlier run that they name is missing or about other problems.
        """
        options, n = self.options, run.config.n
        ids, lines = list(run.ids), []
        if options.difficulty is not None:
            rates = PassRates.of(options.pass_rate or MEDIUM)
            earlier = read_earlier(options.difficulty, run, "--difficulty")
            ids = earlier.within(rates, ids)
            chosen = f"{len(ids):,} of {len(run.ids):,} problems have a pass rate of {rates} in {earlier.name}"
            if not ids:
                raise UserError(f"--difficulty: {chosen}: nothing to ask; widen --pass-rate.")
            lines.append(f"{chosen}; the others are not asked")
        rules: list[Rule] = []
        if options.until is not None or options.versus is not None:
            ids = in_random_order(ids, run.config.seed)
            if options.until is not None:
                rules.append(Known(ids, n, half_width(options.until)))
            else:
                other = read_earlier(options.versus or "", run, "--versus")
                rules.append(Better(ids, n, other))
            _tell(rules[0], run, ids)
        self.budget.begin(run)
        rules.append(self.budget)
        asking = Asking(run, ids, rules=rules, until_correct=options.until_correct, graded=graded, stop=stop)
        order = "task" if options.until is None and options.versus is None else "random"
        asked = Asked(began=_now(), options=self.given(), order=order, problems=len(ids), lines=tuple(lines))
        return Conditioned(run, asking, rules, asked, lines)


class Conditioned:
    """A run that is asked under conditions: what chooses, and its record in the folder."""

    def __init__(
        self, run: RunFolder, asking: Asking, rules: Sequence[Rule], asked: Asked, notices: Sequence[str]
    ) -> None:
        self.asking = asking
        self.notices = notices
        """To be said before anything is asked."""
        self._run = run
        self._rules = rules
        self._asked = asked
        self._before = read_asked(run.path)

    async def begin(self) -> bool:
        """Record the conditions, before anything is asked under them; whether there is anything to ask."""
        write_asked(self._run.path, [*self._before, self._asked])
        return await self.asking.requests.more()

    def end(self) -> str | None:
        """Record why it ended, and what became known; the reason in a line, if a rule ended it early."""
        left = sum(1 for _ in self._run.pending())
        found: dict[str, Any] = {}
        for rule in self._rules:
            found |= rule.record()
        lines = [*self._asked.lines, *(line for rule in self._rules for line in rule.lines())]
        reason = self.asking.reason
        asked = replace(
            self._asked,
            ended=_now(),
            reason=reason,
            asked=self.asking.asked,
            left=left,
            found=found,
            lines=tuple(lines),
        )
        write_asked(self._run.path, [*self._before, asked])
        return f"stopped: {reason}" if reason and left else None


def conditions(
    options: AskingOptions, model: ModelConfig, *, n: int, tasks: int, judged: bool = False
) -> Conditions | None:
    """The conditions that were asked for, if any.

    Args:
        n: Samples a problem.
        tasks: How many tasks there are.
        judged: Whether verdicts come from a judge, which is asked once all answers are there.

    Raises:
        UserError: A value makes no sense, two exclude each other, a price is not known.
    """
    if all(getattr(options, entry.name) is None for entry in fields(AskingOptions)):
        return None
    _check_clear(options, n)
    _check_earlier(options, tasks)
    for name in ("max_total_tokens", "max_hours", "max_cost"):
        if (value := getattr(options, name)) is not None and not value > 0:
            raise UserError(f"--{name.replace('_', '-')} must be more than 0, not {value:g}.")
    if options.max_cost is not None and model.price is None:
        raise UserError(
            f"--max-cost: what {model.name} costs is not known; give its preset `price: {{input: ..., output: ...}}`, "
            "per million tokens, in a file for --model-config (docs/models.md)."
        )
    budget = Budget(tokens=options.max_total_tokens, hours=options.max_hours, cost=options.max_cost, price=model.price)
    found = Conditions(options, budget)
    if judged and found.heeds_verdicts:
        raise UserError(
            "a judge is asked once all answers are there, so its verdicts cannot end the asking: leave out --until, "
            "--versus or --until-correct, or take a task whose scorer asks no model."
        )
    return found


def _check_clear(options: AskingOptions, n: int) -> None:
    clear = ["--" + name.replace("_", "-") for name in CLEAR if getattr(options, name) is not None]
    if len(clear) > 1:
        raise UserError(f"{clear[0]} and {clear[1]} exclude each other; give one of them.")
    if options.until is not None:
        half_width(options.until)
    if options.until_correct is not None and not 1 <= options.until_correct <= n:
        raise UserError(
            f"--until-correct must be from 1 to --n, which is {n}, not {options.until_correct} "
            "(at temperature 0, n is 1: all samples would be the same)."
        )


def _check_earlier(options: AskingOptions, tasks: int) -> None:
    if options.pass_rate is not None:
        PassRates.of(options.pass_rate)
        if options.difficulty is None:
            raise UserError("--pass-rate belongs to --difficulty: name the run whose pass rates are meant.")
    for name in ("versus", "difficulty"):
        if (path := getattr(options, name)) is not None:
            if tasks > 1:
                raise UserError(f"--{name} names a run of one task; give one --task with it.")
            Run(path)


def _tell(rule: Rule, run: RunFolder, ids: Sequence[str]) -> None:
    """Tell a rule of the verdicts that the journal holds."""
    for problem_id in ids:
        for key in run.keys_of(problem_id):
            if run.is_answered(key) and (score := run.score(key)) is not None:
                rule.scored(score)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
