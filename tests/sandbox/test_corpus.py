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


def modes(path: Path) -> list[str]:
    """The kinds of sample that an attack is for; not those after a second try, which is the scorer's to give."""
    found = re.findall(r"modes: ([\w,]+)", path.read_text())[0].split(",")
    return [mode for mode in found if not mode.startswith("yesno")]


ATTACKS = [path for path in sorted((CORPUS / "attacks").glob("*.py")) if modes(path)]


@pytest.mark.parametrize("path", ATTACKS, ids=lambda path: path.stem)
def test_attack_is_held(confined: Sandbox, path: Path, tmp_path: Path) -> None:
    before = descendants()
    kinds = modes(path) if "namespaces" in confined.layers()["layers"] else modes(path)[:1]
    with arena(tmp_path) as place:
        for kind in kinds:
            passed, outcomes = place.passes(confined, kind, place.fill(path.read_text()))
            assert not passed, kind
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
