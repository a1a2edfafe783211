"""Messages name options as whoever reads them gives them: `--resume` on the command line, `resume=True` in Python."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO

import skythought as st
from skythought.wording import from_the_command_line, in_python


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("--resume continues or extends it, --overwrite starts anew.", "resume=True continues or extends it, "),
        ("give --result-dir DIR, or --resume-from DIR to continue", "give result_dir=DIR, or resume_from=DIR to"),
        ("the run covers --start 0 --end -1 --n 3: what", "the run covers start=0 end=-1 n=3: what"),
        ("--task gsm8k: the run was made for it", "task='gsm8k': the run was made for it"),
        ("name it with --judge-model.", "name it with judge_model."),
        ("--shard '2': a part of how many, as 2/8", "shard='2': a part of how many, as 2/8"),
        ("--majority 1.5: a share", "majority=1.5: a share"),
        ("--shard 12/8 and --max-failures 1.5%", "shard 12/8 and max_failures 1.5%"),
        ("--max-failures allows 5%", "max_failures allows 5%"),
        ("`skythought score --task T --run-dir DIR` grades", "`skythought score --task T --run-dir DIR` grades"),
        ("a--b and --- and --x5 stay", "a--b and --- and --x5 stay"),
    ],
)
def test_options_become_arguments(typed: str, called: str) -> None:
    assert in_python(typed).startswith(called)
    with from_the_command_line():
        assert in_python(typed) == typed


SETTINGS: dict[str, Any] = {"model": "echo", "backend": ECHO, "end": 2, "progress": False}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda path: st.evaluate("arithmetic", **SETTINGS, result_dir=path), "resume=True continues or extends it"),
        (lambda path: st.generate("arithmetic", **SETTINGS), "Give result_dir=DIR, or resume_from=DIR"),
        (lambda path: st.evaluate("arithmetic", **SETTINGS, n=0, result_dir=path), "^n must be a whole number"),
        (lambda path: st.score("gsm8k", next(path.iterdir())), "give task='arithmetic'"),
        (lambda path: asyncio.run(st.aevaluate("arithmetic", **SETTINGS, result_dir=path)), "overwrite=True starts"),
        (lambda path: st.export(path, path), "^output='.*' is there already and is no export"),
        (lambda path: st.export(path, path / "new", select="best"), "unknown way in select='best'"),
        (lambda path: st.compare(path, path, allow="all"), "unknown kind of difference for allow='all'"),
        (lambda path: st.report(path, output=path), "^output='.*' is a folder"),
    ],
)
def test_errors_from_python_name_arguments(tmp_path: Path, call: Callable[[Path], Any], says: str) -> None:
    st.evaluate("arithmetic", **SETTINGS, result_dir=tmp_path)
    with pytest.raises(st.UserError, match=says) as raised:
        call(tmp_path)
    assert "--" not in str(raised.value)


def test_notices_from_python_name_arguments(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    st.evaluate("arithmetic", **SETTINGS, n=3, result_dir=tmp_path)
    assert "set sampling_params temperature=0.6" in caplog.text
    assert "--" not in caplog.text
