"""The differences in configuration and versions between runs: what could explain a difference in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from skythought.printable import shortened
from skythought.redaction import redacted, scrubbed
from skythought.runs.view import Run

__all__ = ["DEFAULT", "Setting", "differences"]

MOST = 400
"""Characters of a value that are kept."""

SECTIONS = ("task", "model", "backend", "sampling_params")
OURS = (
    "seed",
    "samples_per_problem",
    "as_test",
    "reproducible",
    "scored_with",
    "sandbox",
    "sent_otherwise",
    "dataset_fingerprint",
    "dataset_revisions",
    "versions",
)
"""Of our additions to a summary, those that are about how it was made and not what came out."""

ABSENT = "not recorded"
DEFAULT = "not set"
"""Said of a setting that only the other run gives."""


@dataclass(frozen=True)
class Setting:
    """Something that is not the same in two runs."""

    name: str
    """Where it stands in a summary, such as `sampling_params.temperature` or `versions.torch`."""
    first: str
    second: str


def differences(first: Run, second: Run) -> tuple[Setting, ...]:
    """What is recorded otherwise of two runs; secrets are left out."""
    ours, theirs = _settings(first), _settings(second)
    return tuple(
        Setting(name, _value(ours, name), _value(theirs, name))
        for name in sorted({**ours, **theirs}, key=_rank)
        if ours.get(name) != theirs.get(name)
    )


def _rank(name: str) -> tuple[int, str]:
    """Model and sampling first, versions last: in the order in which one would look."""
    order = ("model", "sampling_params", "backend", "seed", "task", "scored_with", "dataset", "versions")
    return next((place for place, start in enumerate(order) if name.startswith(start)), len(order) - 1), name


def _value(settings: Mapping[str, str], name: str) -> str:
    if name in settings:
        return settings[name]
    section = name.partition(".")[0]
    return DEFAULT if any(other.partition(".")[0] == section for other in settings) else ABSENT


def _settings(run: Run) -> dict[str, str]:
    configuration = scrubbed(run.summary["configuration"])
    sections = {name: configuration.get(name) or {} for name in SECTIONS}
    ours = configuration.get("skythought") or {}
    whole = {**sections, **{name: ours[name] for name in OURS if ours.get(name) not in (None, {}, [])}}
    return {name: shortened(redacted(_placeless(text)), MOST) for name, text in _flat(whole, ())}


def _placeless(text: str) -> str:
    """A file is the same wherever a project lies; what was read from it has a fingerprint."""
    return PurePath(text).name if text.startswith("/") and "\n" not in text else text


def _flat(value: Any, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, (*names, str(name)))
    elif value is not None:
        yield ".".join(name for name in names if name != "config"), value if isinstance(value, str) else str(value)
