"""The corpora of hostile and of odd but right programs, where they lie beside the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    for kind in re.findall(r"modes: (\S+)", path.read_text())[0].split(",")
]
LAYERS = [pytest.param((), id="all"), pytest.param(("namespaces",), id="no-namespaces")]


@pytest.fixture(scope="module", params=LAYERS)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(without=request.param) as sandbox:
        found = sandbox.layers()["layers"]
        if "landlock" not in found or "seccomp" not in found:
            pytest.skip("this kernel offers too little to hold them all")
        yield sandbox


@pytest.mark.parametrize(("path", "kind"), ATTACKS)
def test_attack_is_held(sandbox: Sandbox, path: Path, kind: str, tmp_path: Path) -> None:
    before = descendants()
    with arena(tmp_path) as place:
        passed, outcomes = place.passes(sandbox, kind, place.fill(path.read_text()))
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
