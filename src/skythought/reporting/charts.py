"""Figures as SVG that stands in the page: plain shapes and text, readable without script, in light and dark."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

from skythought.printable import printable
from skythought.reporting.records import Chance

__all__ = ["pass_at_k_curve", "verdict_bar"]

COLOURS = {
    "correct": "#3a923a",
    "wrong": "#c44e52",
    "unparsed": "#dd8452",
    "truncated": "#b8a13a",
    "failed": "#8172b3",
    "unscored": "#8c8c8c",
}
"""Of each verdict, in this order; told apart by text as well."""
CURVE = "#4c72b0"
WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 34


def verdict_bar(verdicts: Mapping[str, int]) -> str:
    """One bar of all samples by their verdicts."""
    total = sum(verdicts.values())
    if not total:
        return ""
    parts, at = [], 0.0
    for name, colour in COLOURS.items():
        share = verdicts.get(name, 0) / total
        if share:
            label = f"{name}: {verdicts[name]:,} ({share:.1%})"
            parts.append(
                f'<rect x="{WIDTH * at:.2f}" y="0" width="{WIDTH * share:.2f}" height="16" fill="{colour}">'
                f"<title>{label}</title></rect>"
            )
            at += share
    told = ", ".join(f"{verdicts[name]:,} {name}" for name in COLOURS if verdicts.get(name))
    return _svg("".join(parts), WIDTH, 16, f"samples by verdict: {told}")


def pass_at_k_curve(chances: Sequence[Chance]) -> str:
    """pass@k over k, on a scale on which each doubling is as far, with the band of its intervals."""
    if len(chances) < 2:
        return ""
    points = [(_x(one.k, chances[-1].k), _y(one.value)) for one in chances]
    bounded = [one for one in chances if one.low is not None and one.high is not None]
    upper = [(_x(one.k, chances[-1].k), _y(one.high or 0)) for one in bounded]
    lower = [(_x(one.k, chances[-1].k), _y(one.low or 0)) for one in reversed(bounded)]
    parts = [_axes(chances)]
    if bounded:
        parts.append(f'<polygon points="{_path([*upper, *lower])}" fill="{CURVE}" fill-opacity="0.2"/>')
    parts.append(f'<polyline points="{_path(points)}" fill="none" stroke="{CURVE}" stroke-width="2"/>')
    for one, (x, y) in zip(chances, points, strict=True):
        band = "" if one.low is None or one.high is None else f" ({one.low:.1%} to {one.high:.1%})"
        title = f"<title>pass@{one.k}: {one.value:.1%}{band}</title>"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{CURVE}">{title}</circle>')
    told = ", ".join(f"pass@{one.k} {one.value:.1%}" for one in chances)
    return _svg("".join(parts), WIDTH, HEIGHT, told)


def _axes(chances: Sequence[Chance]) -> str:
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _y(share)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" '
            'stroke-opacity="0.15"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        )
    for one in chances:
        x = _x(one.k, chances[-1].k)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{one.k}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    return "".join(parts) + f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">k of pass@k</text>'


def _x(k: int, most: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (math.log2(k) / math.log2(most) if most > 1 else 0.5)


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _svg(content: str, width: int, height: int, told: str) -> str:
    label = html.escape(printable(told))
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'style="max-width:100%;font:11px sans-serif" fill="currentColor">{content}</svg>'
    )
