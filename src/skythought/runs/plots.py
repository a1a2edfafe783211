"""A run's figures by matplotlib, where it is installed, for notebooks and papers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skythought.errors import UserError, unknown

if TYPE_CHECKING:
    from skythought.runs.view import Run

__all__ = ["plot_by", "plot_pass_at_k", "plot_tokens"]


def plot_pass_at_k(run: Run, ax: Any = None) -> Any:
    """pass@k over k, with the band of its intervals."""
    estimates = {one.name: one for one in run.metrics() if one.name == "accuracy" or one.name.startswith("pass@")}
    found = {1: estimates.pop("accuracy")} if "accuracy" in estimates else {}
    found |= {int(name.removeprefix("pass@")): one for name, one in estimates.items()}
    if not found:
        raise UserError(f"{str(run.path)!r}: nothing was scored: there is no pass@k to plot.")
    ax = ax or _axes()
    ks = sorted(found)
    ax.plot(ks, [found[k].value for k in ks], marker="o", label=run.path.name)
    bands = [(k, limits) for k in ks if (limits := found[k].interval) is not None]
    ax.fill_between([k for k, _ in bands], [one.low for _, one in bands], [one.high for _, one in bands], alpha=0.2)
    ax.set_xscale("log", base=2)
    ax.set_xticks(ks, [str(k) for k in ks])
    ax.set(xlabel="k", ylabel="pass@k", ylim=(0, 1))
    return ax


def plot_by(run: Run, column: str, ax: Any = None) -> Any:
    """Accuracy for each value of what the task reports by, with intervals."""
    by = run.statistics.get("by") or {}
    if column not in by:
        raise unknown("column", column, by)
    parts = {value: part for value, part in by[column].items() if part["accuracy"] is not None}
    ax = ax or _axes()
    for place, part in enumerate(parts.values()):
        low, high = part.get("interval") or (part["accuracy"], part["accuracy"])
        ax.plot([low, high], [place, place], color="tab:blue", alpha=0.4, linewidth=3)
        ax.plot([part["accuracy"]], [place], "o", color="tab:blue")
    ax.set_yticks(range(len(parts)), [f"{_plain(value)} ({part['problems']})" for value, part in parts.items()])
    ax.set(xlabel="accuracy", ylabel=_plain(column), xlim=(0, 1))
    ax.invert_yaxis()
    return ax


def plot_tokens(run: Run, ax: Any = None) -> Any:
    """How long the responses are, by their verdicts."""
    tokens: dict[str, list[int]] = {}
    for sample in run:
        if sample.completion_tokens is not None:
            tokens.setdefault(sample.verdict or "unscored", []).append(sample.completion_tokens)
    if not tokens:
        raise UserError(f"{str(run.path)!r}: the tokens of its responses are not recorded.")
    ax = ax or _axes()
    ax.hist(list(tokens.values()), bins=40, stacked=True, label=list(tokens))
    ax.set(xlabel="tokens of a response", ylabel="responses")
    ax.legend()
    return ax


def _plain(text: str) -> str:
    """Dollars in a label would be read as mathematics."""
    return text.replace("$", r"\$")


def _axes() -> Any:
    try:
        import matplotlib.pyplot
    except ImportError:
        raise UserError("plots need matplotlib, which is not installed: pip install matplotlib.") from None
    return matplotlib.pyplot.subplots(layout="constrained")[1]
