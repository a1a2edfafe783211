r"""Text from outside reaches a terminal only with its control and bidirectional characters made visible.

`\x1b]52;c;...` would set the user's clipboard, an override of direction would make one name look like another.
"""

import io
import json
import logging
import sys

import pytest
from echo import ECHO
from rich.table import Table
from rich.text import Text

import skythought as st
from skythought.cli import app
from skythought.display.console import PlainConsole
from skythought.errors import UserError
from skythought.printable import printable, shortened

CLIPBOARD = "\x1b]52;c;aGk=\x07"
HARMFUL = ["\x1b", "\x07", "\x08", "\r", "\x9b", "\x7f", "\u202e", "\u2066", "\u200f", "\u2028", "\x00"]


@pytest.mark.parametrize("char", [*HARMFUL, "\ud800", "\u200b", "\U000e0041"])
def test_harmful_characters_are_written_as_escapes(char):
    shown = printable(f"a{char}b")
    assert char not in shown
    assert shown.startswith("a\\")


def test_the_rest_stays_as_it_is():
    text = "naïve 数学 \U0001f600 a\tb\nשלום العربية √2 ≤ 3"
    assert printable(text) == text


def test_long_texts_are_shortened_with_both_ends():
    text = "begin " + "x" * 50_000_000 + " end"
    short = shortened(text)
    assert len(short) <= 2000
    assert short.startswith("begin ")
    assert short.endswith(" end")
    assert "50,000,010 characters" in short


def shown(*things):
    """What goes out on a terminal."""
    out = io.StringIO()
    console = PlainConsole(file=out, force_terminal=True, color_system=None, width=100)
    for thing in things:
        console.print(thing)
    return out.getvalue()


@pytest.mark.parametrize("char", HARMFUL)
def test_a_console_shows_texts_and_tables_without_obeying_them(char):
    table = Table(title=f"title{char}")
    table.add_column(f"head{char}")
    table.add_row(f"cell{char}")
    table.add_row(Text(f"text{char}"))
    assert char not in shown(f"line{char}", table)
    assert f"line{printable(char)}" in shown(f"line{char}")


def test_rich_markup_in_a_text_is_only_text():
    assert "[red]x[/red] :smile: [link=http://h]y[/link]" in shown("[red]x[/red] :smile: [link=http://h]y[/link]")


def test_an_error_shows_harmful_text_as_escapes():
    assert str(UserError(f"no such model {CLIPBOARD}")) == r"no such model \x1b]52;c;aGk=\x07"


def run_cli(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["skythought", *arguments])
    with pytest.raises(SystemExit) as ended:
        app.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "--task", f"gsm8k{CLIPBOARD}", "--model", "m"),
        ("evaluate", "--task", "gsm8k", "--model", "m", "--backend", f"v{CLIPBOARD}"),
        ("evaluate", "--task", "gsm8k", "--model", "m", "--sampling-params", f"tempe{CLIPBOARD}=1"),
        (f"evalu{CLIPBOARD}",),
        ("evaluate", f"--n{CLIPBOARD}", "1"),
        ("tasks", f"x{CLIPBOARD}"),
        ("models", f"x{CLIPBOARD}"),
    ],
)
def test_arguments_are_shown_visibly(monkeypatch, capsys, arguments):
    _, out, err = run_cli(monkeypatch, capsys, *arguments)
    assert "\x1b" not in out + err
    assert r"\x1b]52" in out + err


def test_a_run_with_harmful_names_shows_them_and_keeps_them(monkeypatch, capsys, tmp_path):
    """In the dataset's column that results are reported by, in the scorer's reasons and in its errors."""
    rows = [{"q": f"{n}+1", "a": str(n + 1), "subject": f"al\x1bgebra\u202e{n % 2} [red]"} for n in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "sums.yaml").write_text(
        'dataset_path: rows.jsonl\nprompt: "{{ q }}"\ntarget: a\nscorer: math\nreport_by: [subject]\n', encoding="utf-8"
    )
    arguments = ("--task", str(tmp_path / "sums.yaml"), "--model", "m\x1bodel", "--backend", ECHO)
    code, out, err = run_cli(monkeypatch, capsys, "evaluate", *arguments, "--result-dir", str(tmp_path))
    assert code == 0, err
    assert "\x1b" not in out + err
    assert "\u202e" not in out + err
    assert r"al\x1bgebra\u202e0 [red]" in out
    [results] = tmp_path.glob("*/results.json")
    entry = json.loads(results.read_text(encoding="utf-8"))["0"]
    assert entry["subject"] == "al\x1bgebra\u202e0 [red]", "records keep the true text"


def test_notices_in_a_log_are_visible(caplog, tmp_path):
    with caplog.at_level(logging.WARNING, logger="skythought"):
        st.evaluate("arithmetic", model="m\x1b", backend=ECHO, n=2, end=1, system_prompt=None, result_dir=tmp_path)
    assert caplog.records
    assert "\x1b" not in caplog.text
