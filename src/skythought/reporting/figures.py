"""What stands above a run's samples: its figures with intervals, by subset, and what it was made with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from skythought.printable import shortened
from skythought.reporting.command import Commands
from skythought.reporting.records import Chance, Figure, RunFigures, SubsetFigure
from skythought.runs.records import Manifest
from skythought.runs.totals import Totals
from skythought.runs.view import Run

__all__ = ["run_figures"]

Json = Mapping[str, Any]

SHOWN = ("accuracy", "pass@", "maj@", "pass^", "G-Pass@", "mG-Pass@", "Bayes@")
EVERY_K = ("accuracy", "pass@", "maj@", "Bayes@")
"""Shown for each k; the others for the largest alone, unless somebody chose the k: `skythought metrics` has all."""
FACT = 2000
"""Characters of one fact."""


def run_figures(run: Run, totals: Totals | None = None) -> RunFigures:
    """The figures of a run as its summary has them.

    Args:
        totals: Of all its samples, for what the summary of another program does not tell.
    """
    configuration = run.summary["configuration"]
    sampling = dict(_part(configuration, "sampling_params"))
    n = run.statistics.get("samples_per_problem") or int(sampling.get("n") or 1)
    numbers = {**(totals.additions(n) if totals is not None else {}), **run.statistics}
    sampling.pop("n", None)
    manifest = Manifest.read(run.path)
    estimates = numbers.get("estimates") or {}
    return RunFigures(
        name=run.path.name or str(run.path.resolve().name),
        folder=str(run.path),
        task=_name(configuration, "task"),
        model=_name(configuration, "model"),
        backend=_name(configuration, "backend"),
        sampling=sampling,
        n=n,
        problems=int(numbers.get("problems") or 0),
        pending=int(numbers.get("samples_pending") or 0),
        figures=(*_estimated(run, numbers), *_counted(run.summary, numbers)),
        pass_at_k=tuple(_chances(estimates)) if n > 1 else (),
        subsets={column: _subsets(parts) for column, parts in (numbers.get("by") or {}).items()},
        verdicts={name: count for name, count in (numbers.get("samples") or {}).items() if name != "total"},
        facts=tuple(_facts(configuration, numbers, manifest)),
        command=None if manifest is None else Commands(manifest.config).whole(),
    )


def _part(configuration: Json, name: str) -> Json:
    part = configuration.get(name)
    return part if isinstance(part, dict) else {}


def _name(configuration: Json, name: str) -> str:
    return str(_part(configuration, name).get("name", ""))


def _limits(interval: Sequence[float] | None) -> tuple[float | None, float | None]:
    return (None, None) if not interval else (interval[0], interval[1])


def _in_order(names: Iterable[str], *, every: bool) -> list[str]:
    """Names of estimates, kind by kind; they come with the largest k first."""
    kinds: dict[str, list[str]] = {kind: [] for kind in SHOWN}
    for name in names:
        for kind, found in kinds.items():
            if name.startswith(kind):
                found.append(name)
    most = max((_k(name) for name in kinds["pass@"]), default=0)
    return [name for kind, found in kinds.items() for name in found if every or kind in EVERY_K or _k(name) == most]


def _k(name: str) -> int:
    """The k in a name such as `G-Pass@4_0.75`."""
    return int(re.split("[@^_]", name)[1])


def _estimated(run: Run, numbers: Json) -> Iterator[Figure]:
    estimates = numbers.get("estimates") or {}
    told = f"{numbers.get('confidence', 0.95):.0%}, other problems like these"
    if not estimates and run.accuracy is not None:
        yield Figure("accuracy", run.accuracy, None, None, "share")
    for name in _in_order(estimates, every=bool(numbers.get("k"))):
        one = estimates[name]
        again = one.get("asked_again")
        note = told if one.get("interval") else "these same problems, asked again"
        if one.get("interval") and again:
            note += f"; these same asked again: {100 * again[0]:.1f} to {again[1]:.1%}"
        if one["problems"] != estimates["accuracy"]["problems"]:
            note += f"; over {one['problems']:,} problems"
        yield Figure(name, one["value"], *_limits(one.get("interval") or again), "share", note)


def _counted(summary: Json, numbers: Json) -> Iterator[Figure]:
    """What is told without an interval."""
    if (uncut := numbers.get("accuracy_without_cut_off")) is not None and numbers.get("finish_reasons", {}).get(
        "length"
    ):
        yield Figure("accuracy without those cut off", uncut, None, None, "share")
    for name, value in (numbers.get("metrics") or {}).items():
        yield Figure(name.replace("_", " "), value, None, None, "share" if 0 <= value <= 1 else "count")
    if looping := numbers.get("looping"):
        yield Figure("looping", looping, None, None, "count", "cut off while they repeated themselves")
    for kind, name in (("completion", "tokens a response"), ("prompt", "tokens a prompt")):
        if value := summary.get(f"avg_{kind}_tokens"):
            yield Figure(name, value, None, None, "tokens", "on the average")
    if first := numbers.get("first_token_seconds"):
        yield Figure("first token", first, None, None, "seconds", "median")


def _chances(estimates: Json) -> Iterator[Chance]:
    """pass@k by k. The accuracy of several samples is pass@1."""
    found = {1: estimates["accuracy"]} if "accuracy" in estimates else {}
    found |= {int(name.removeprefix("pass@")): one for name, one in estimates.items() if name.startswith("pass@")}
    for k, one in sorted(found.items()):
        yield Chance(k, one["value"], *_limits(one.get("interval")))


def _subsets(parts: Json) -> tuple[SubsetFigure, ...]:
    return tuple(
        SubsetFigure(value, part["problems"], part["accuracy"], *_limits(part.get("interval")), part.get("p_adjusted"))
        for value, part in parts.items()
    )


def _facts(configuration: Json, numbers: Json, manifest: Manifest | None) -> Iterator[tuple[str, str]]:
    """Name and text of what is recorded, without what is empty."""
    scored = numbers.get("scored_with") or {}
    given: dict[str, Any] = {
        "made": numbers.get("created"),
        "seed": numbers.get("seed"),
        "scorer": scored.get("scorer"),
        "judge": scored.get("judge"),
        "backend's arguments": _part(configuration, "backend").get("backend_args"),
        "dataset": manifest.config.task.dataset_path if manifest is not None else None,
        "dataset's revision": numbers.get("dataset_revisions"),
        "rows that could not be used": len(numbers.get("malformed_rows") or ()) or None,
        "a trial": numbers.get("as_test") or None,
        "reproducible": numbers.get("reproducible") or None,
        "sandbox": numbers.get("sandbox"),
        "sent otherwise": numbers.get("sent_otherwise"),
        "versions": numbers.get("versions"),
    }
    if manifest is not None:
        model = manifest.config.model
        given |= {
            "system prompt": model.system_prompt,
            "user template": model.user_template,
            "prefill": model.assistant_prefill,
            "chat template's arguments": model.chat_template_kwargs,
        }
    asking = (numbers.get("asking") or {}).get("lines") or ()
    for line in (*(numbers.get("remarks") or ()), *asking):
        yield "note", str(line)
    for name, value in given.items():
        if value not in (None, "", {}, []):
            yield name, shortened(_told(value), FACT)


def _told(value: Any) -> str:
    if isinstance(value, dict) and all(isinstance(one, str | int | float) for one in value.values()):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
