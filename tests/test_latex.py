"""Boxes in texts."""

from __future__ import annotations

import time

import pytest

from skythought.latex import boxes, last_box


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\boxed{5}", "5"),
        (r"\boxed{5}. I have boxed it.", "5"),
        (r"\boxed{1} then \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed {7}", "7"),
        (r"\boxed 7.", "7"),
        (r"\fbox{x}", "x"),
        (r"\boxed{\boxed{3}}", r"\boxed{3}"),
        (r"\boxed{4} and then \boxed{5", "4"),
        (r"\boxed{4} or \boxed{}", "4"),
        (r"\boxedx{4}", None),
        ("boxed 5", None),
        ("", None),
    ],
)
def test_last_box(text: str, expected: str | None) -> None:
    assert last_box(text) == expected


def test_many_unclosed_boxes_take_no_time() -> None:
    start = time.process_time()
    assert boxes("\\boxed{" * 50_000) == []
    assert time.process_time() - start < 2
