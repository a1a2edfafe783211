"""The corpora of hostile and of odd but right programs, where they lie beside the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from arena import arena, descendants
from places import SHARED

from skythought.sandbox import Sandbox

CORPUS = SHARED / "dev"
pytestmark = pytest.mark.skipif(not (CORPUS / "attacks").is_dir(), reason="needs the programs beside the repository")

ATTACKS = [
    pytest.param(path, kind, id=f"{path.stem}-{kind}")
    for path in sorted((CORPUS / "attacks").glob("*.py"))
    for kind in re.findall(r"modes: ([\w,]+)", path.read_text())[0].split(",")
    if not kind.startswith("yesno")  # those are after a second try, which is the scorer's to give
]


@pytest.mark.parametrize(("path", "kind"), ATTACKS)
def test_attack_is_held(confined: Sandbox, path: Path, kind: str, tmp_path: Path) -> None:
    before = descendants()
    with arena(tmp_path) as place:
        passed, outcomes = place.passes(confined, kind, place.fill(path.read_text()))
        assert not passed
        assert outcomes[-1].cause != "sandbox error"
        assert place.harm() == []
    assert descendants() <= before


@pytest.mark.parametrize("path", sorted((CORPUS / "benign").glob("*.py")), ids=lambda path: path.stem)
def test_right_program_runs_right(sandbox: Sandbox, path: Path) -> None:
    if "numpy" in path.stem:
        pytest.importorskip("numpy")
    stdins = [b"3\n1 2 3\n", b"2\n5 6\n", b"1\n7\n"]
    outcomes = list(sandbox.run_program(path.read_text(), stdins))
    assert [(outcome.cause, outcome.stdout.split()) for outcome in outcomes] == [
        ("ok", [b"6"]),
        ("ok", [b"11"]),
        ("ok", [b"7"]),
    ]
