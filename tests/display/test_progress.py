"""What is shown while runs go on: lines where nothing can move, a bar on a terminal, one output in a notebook."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from echo import ECHO

import skythought as st
from skythought.display import progress as display
from skythought.pipeline import progress
from skythought.pipeline.steps import Notice, Opened, Phase
from skythought.types import Response, SampleKey, Score


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    monkeypatch.setattr(display, "time", made)
    return made


CONFIG: Any = SimpleNamespace(task=SimpleNamespace(name="sums"))


def answered(number: int, **fields: Any) -> Response:
    return Response(key=SampleKey(str(number), 0), content="5", completion_tokens=3, **fields)


def spent(lines: display.Display, clock: Clock, seconds: int) -> None:
    """Let the time pass; the thread of a display would call it so."""
    for _ in range(seconds):
        clock.now += 1.0
        lines.tick()


def test_lines_while_an_engine_loads(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = display.Lines()
    lines.step(Opened(CONFIG, Path("runs/x"), 800, 0))
    lines.step(Phase("engine", "starting vllm with tiny"))
    spent(lines, clock, 80)
    lines.step(Phase("generating", "sums"))
    spent(lines, clock, 10)
    assert capsys.readouterr().err.splitlines() == [
        "sums: 800 samples -> runs/x",
        "starting vllm with tiny",
        "starting vllm with tiny: 0:00:05",
        "starting vllm with tiny: 0:00:15",
        "starting vllm with tiny: 0:00:35",
        "starting vllm with tiny: 0:01:15",
        "starting vllm with tiny: ready after 0:01:20",
        "sums: waiting for the first answer: 0 of 800 samples, 0:00:05",
    ]


def test_which_of_several_runs_it_is(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = display.Lines()
    lines.step(Opened(CONFIG, Path("runs/x"), 800, 0, number=2, of=5))
    lines.step(Phase("generating", "sums"))
    spent(lines, clock, 6)
    assert capsys.readouterr().err.splitlines() == [
        "run 2 of 5, sums: 800 samples -> runs/x",
        "run 2 of 5, sums: waiting for the first answer: 0 of 800 samples, 0:00:05",
    ]


def test_lines_now_and_then_with_the_time_that_is_left(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = display.Lines()
    lines.step(Opened(CONFIG, Path("runs/x"), 1000, 500))  # half of it was there before
    lines.step(Phase("engine", "starting"))
    clock.now += 100
    lines.step(Phase("generating", "sums"))
    for number in range(300):
        clock.now += 1.0
        lines.step(answered(number))
        lines.step(Score(number % 2 == 0, "", "5", "correct", key=SampleKey(str(number), 0)))
        lines.tick()
    said = [line for line in capsys.readouterr().err.splitlines() if "left" in line]
    assert said[0] == "sums: 505 of 1,000 samples, accuracy 60.0%, 3 tok/s, 0:00:05, 0:08:15 left", "the engine is out"
    assert len(said) == 7, "after 5, 15, 35, 75, 135, 195 and 255 s of generating"


def test_scoring_tells_how_far_it_is(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = display.Lines()
    lines.step(Phase("scoring", "sums: scoring", total=40))
    for number in range(10):
        clock.now += 1.0
        lines.step(Score(True, "", "5", "correct", key=SampleKey(str(number), 0)))
        lines.tick()
    assert capsys.readouterr().err == "sums: scoring: 5 of 40 samples, accuracy 100.0%, 0:00:05, 0:00:35 left\n"


def test_failures_are_shown_until_there_are_many(capsys: pytest.CaptureFixture[str]) -> None:
    for verbose, shown in ((False, 3), (True, 7)):
        lines = display.Lines(verbose=verbose)
        for number in range(7):
            lines.step(answered(number, error="broken"))
        assert capsys.readouterr().err.count("failed: problem") == shown


SCRIPT = f"""
import skythought as st
run = st.evaluate("arithmetic", model="echo", backend={ECHO!r}, end=4, result_dir="runs")
print("mine:", run.accuracy)
"""


def script(folder: Path, **pipes: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, text=True, timeout=240, check=True, **pipes)


def test_a_script_shows_progress_and_table_and_leaves_standard_output_alone(tmp_path: Path) -> None:
    done = script(tmp_path, capture_output=True)
    assert done.stdout.startswith("mine: ")
    assert len(done.stdout.splitlines()) == 1
    for told in ("arithmetic: 4 samples", "accuracy", "4 x 1", "time", "results: runs/echo_arithmetic"):
        assert told in done.stderr


def in_terminal(folder: Path, term: str) -> str:
    """What a script writes on a terminal of that kind."""
    folder.mkdir()
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": term, "COLUMNS": "100", "NO_COLOR": "1"}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=folder, env=environment, stdout=slave, stderr=slave)
    os.close(slave)
    written = b""
    try:
        while part := os.read(master, 65536):
            written += part
    except OSError:  # the other side is closed
        pass
    os.close(master)
    assert process.wait(60) == 0
    return written.decode()


def test_a_bar_on_a_terminal_and_lines_on_a_dumb_one(tmp_path: Path) -> None:
    moving, plain = in_terminal(tmp_path / "a", "xterm"), in_terminal(tmp_path / "b", "dumb")
    assert "\x1b[?25l" in moving, "a live display hides the cursor"
    assert "\x1b" not in plain
    for text in (moving, plain):
        assert "4 x 1" in text
        assert "mine: " in text


def test_two_bars_do_not_fight_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    first, second = display.make_display(), display.make_display()
    assert (type(first), type(second)) == (display.LiveBar, display.Lines)
    with first:
        pass
    third = display.make_display()
    assert isinstance(third, display.LiveBar)
    with third:
        pass


class Output:
    def __init__(self) -> None:
        self.shown: list[str] = []

    def update(self, made: dict[str, str], raw: bool) -> None:
        assert raw
        self.shown.append(made["text/html"])


def test_a_notebook_shows_one_output_that_ends_as_the_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    output = Output()
    package: Any = types.ModuleType("IPython")
    package.get_ipython = lambda: SimpleNamespace(kernel=object())
    inner: Any = types.ModuleType("IPython.display")
    inner.display = lambda made, raw, display_id: output
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    run = st.evaluate("arithmetic", model="<b>", backend=ECHO, end=4, result_dir=tmp_path)
    assert output.shown[-1].endswith(run._repr_html_())
    assert "&lt;b&gt;" in output.shown[-1]
    assert "<progress" not in output.shown[-1]
    made = display.Notebook()
    made.step(Phase("engine", "starting <vllm>"))
    made.step(Notice("token hf_abcdefghijklmnop1234"))
    made.tick()
    assert "<progress></progress> starting &lt;vllm&gt;" in output.shown[-1]
    assert "hf_abc" not in output.shown[-1]


def test_without_progress_nothing_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    st.evaluate("arithmetic", model="echo", backend=ECHO, end=4, result_dir=tmp_path, progress=False)
    assert capsys.readouterr() == ("", "")


def test_an_error_in_a_notebook_is_one_line() -> None:
    with pytest.raises(st.UserError) as raised:
        st.evaluate("arithmtic", model="tiny")
    (line,) = raised.value._render_traceback_()
    assert line.startswith("UserError: unknown task 'arithmtic'. Did you mean 'arithmetic'?")
