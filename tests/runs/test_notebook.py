"""A run in a notebook: a small table, and plots where matplotlib is."""

from __future__ import annotations

import sys
from html.parser import HTMLParser

import pytest
from made_runs import made_run

import skythought as st


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data + " "


def test_a_run_is_a_small_static_table(finished_run):
    run = st.Run(finished_run)
    page = Tags(run._repr_html_())
    assert page.tags == {"table", "caption", "tr", "th", "td"}
    for told in ("arithmetic · echo", "8 x 2", f"{run.accuracy:.1%}", "pass@2", "wrong", str(run.path)):
        assert told in page.text


def test_names_are_escaped(tmp_path):
    name = "<script>alert(1)</script>\u202e\x1b"
    html = st.Run(made_run(tmp_path / "a", [[True], [False]], task=name, model="<b>m</b>"))._repr_html_()
    assert Tags(html).tags == {"table", "caption", "tr", "th", "td"}
    assert not {"\u202e", "\x1b"} & set(html)


@pytest.fixture
def plain_backend():
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")
    pyplot.switch_backend("agg")
    yield pyplot
    pyplot.close("all")


def test_plots(finished_run, plain_backend):
    run = st.Run(finished_run)
    ax = run.plot_pass_at_k()
    (line,) = ax.get_lines()
    metrics = run.metrics()
    assert [*line.get_xdata()] == [1, 2]
    assert [*line.get_ydata()] == [metrics["accuracy"].value, metrics["pass@2"].value]
    assert run.plot_pass_at_k(ax) is ax
    shown = run.plot_by("level")
    assert [label.get_text() for label in shown.get_yticklabels()] == [
        f"{value} ({part['problems']})" for value, part in run.statistics["by"]["level"].items()
    ]
    assert run.plot_tokens().get_xlabel() == "tokens of a response"
    with pytest.raises(st.UserError, match=r"unknown column 'levle'. Did you mean 'level'\?"):
        run.plot_by("levle")


def test_without_matplotlib_one_line_says_so(finished_run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(st.UserError, match="pip install matplotlib"):
        st.Run(finished_run).plot_pass_at_k()
