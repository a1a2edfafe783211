"""What a model writes does nothing to the page but be read there."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import Browser
from made_pages import made_index, text, write_page

SCRIPTS = {
    "a script": "<script>window.pwned = 1</script>",
    "a handler": "<img src=x onerror='window.pwned = 1'><svg onload='window.pwned = 1'><iframe srcdoc='<b>x'>",
    "the end of its element": "</div></main></script></body></html><script>window.pwned = 1</script><!-- <script>",
    "entities": "&lt;b&gt; &#60;script&#62; &amp;amp; &nbsp; &#x202e;",
    "broken HTML": "<div <p></b><table><a href='javascript:window.pwned=1'>x<title></textarea>",
    "a style": "<style>* { display: none }</style><link rel=stylesheet href=http://host.invalid/a.css>",
    "a frame": "<meta http-equiv=refresh content='0; url=http://host.invalid/'><base href=http://host.invalid/>",
    "a script in code": "```html\n<script>window.pwned = 1</script>\n```\n`<img src=x onerror=window.pwned=1>`",
    "a script in a program": "```python\nx = '</code></pre><img src=x onerror=window.pwned=1>'\n```",
    "a script in a formula": r"$\text{<img src=x onerror=window.pwned=1>}$ $<script>window.pwned = 1</script>$",
    "an attribute in a formula": r"""$\color{red" onmouseover="window.pwned=1}x$ $x"><img src=x>$""",
    "a link in a formula": r"$\href{javascript:window.pwned=1}{x}$ $\url{http://host.invalid/}$",
    "a picture in a formula": r"$\includegraphics{http://host.invalid/a.png}$ $\htmlStyle{position:fixed}{x}$",
}
SIZES = {
    "a long line": "x" * 1_000_000,
    "words in a long line": "a " * 500_000,
    "many lines": "\n" * 100_000 + "end",
    "deep brackets": "$" + "{" * 10_000 + "}" * 10_000 + "$" + "(" * 10_000,
    "deep groups": "$" + "{" * 1900 + "x" + "}" * 1900 + "$",
    "deep fractions": "$" + r"\frac{1}{" * 300 + "x" + "}" * 300 + "$",
    "deep powers": "$" + "x^{" * 1000 + "}" * 1000 + "$",
    "deep roots": "$" + r"\sqrt" * 700 + "x$",
    "macros that double": r"$\def\a{\a\a}\a$ $\newcommand{\b}{\b\b}\b$ $\gdef\c#1{#1#1#1#1}\c{\c{\c{\c{\c{x}}}}}$",
    "huge rules": r"$\rule{100000em}{100000em}$ $\kern{99999em}x$ $\raisebox{-9999em}{y}$ $\hspace{-99999em}z$",
    "a wide matrix": r"$$\begin{matrix}" + "&".join("1" for _ in range(900)) + r"\end{matrix}$$",
    "dollars": "$" * 100_000,
    "formulas that never end": r"\(" * 50_000 + r"\[" * 50_000 + r"\boxed{" * 20_000 + r"\begin{align}" * 5000,
    "fences": "```\n" * 10_000,
    "backticks": "`" * 100_000,
    "stars": "**a" * 30_000,
    "very many formulas": "$x_1^2$ " * 10_000,
    "one program": "```json\n" + "[" * 50_000 + "\n```\n```cpp\n" + "template<" * 200 + "\n```",
    "marks over one letter": "z" + "\u0301" * 50_000,
}
NEVER = "img, iframe, script, link, meta, base, object, embed, [onerror], [onload], [onmouseover], a:not([href^='#'])"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A sample for each case, with the same text in every place where a text can stand."""
    cases = [*SCRIPTS.values(), *SIZES.values()]
    index, texts = made_index(["hostile"], len(cases), 1)
    for number, case in enumerate(cases):
        short = case[:2000]
        everywhere = {"answer": case, "thinking": case, "read": case[:5000], "gold": short, "reason": short}
        messages = [{"role": short[:200], "content": case}]
        row, details = {short[:200]: short}, {"rule": short, short[:50]: [short]}
        texts[number] = text(number, **everywhere, messages=messages, row=row, details=details, again=short, error=None)
        index["samples"]["flags"][number] = 7
        for column in ("id", "answer", "gold", "first", "subset"):
            index["samples"][column][number] = f"{number} {case[:120]}"
    run = index["runs"][0]
    label = SCRIPTS["the end of its element"]
    run |= {"name": label, "task": label, "model": label, "command": label, "facts": [[label, label]], "folder": label}
    run["subsets"] = {label: [{**run["subsets"]["subject"][0], "value": label}]}
    run["figures"] = [{**run["figures"][0], "name": label, "note": label}]
    return write_page(tmp_path_factory.mktemp("hostile") / "report.html", index, texts)


def harm(browser: Browser) -> object:
    """What a text did beyond being read: scripts that ran, elements that it made, a page that it made wider."""
    return browser.js(
        """const main = document.getElementById('main');
        const wide = main.scrollWidth > innerWidth ? ['wide'] : [];
        return [window.pwned ?? 0, [...main.querySelectorAll(arguments[0])].map((e) => e.outerHTML), ...wide]""",
        NEVER,
    )


def show(browser: Browser, page: str, number: int, case: str) -> None:
    """Opens the sample of a case, with its thinking."""
    if browser.driver.current_url.partition("#")[0] != page:
        browser.open(page)
    browser.js("location.hash = '#/doubts'")
    browser.until_text("Doubted verdicts")
    browser.js("location.hash = '#/sample/0/' + encodeURIComponent(arguments[0]) + '/0'", f"{number} {case[:120]}")
    browser.one(".assistant .text")
    browser.js("for (const details of document.querySelectorAll('details')) details.open = true")
    browser.one(".thinking .text")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_text_is_only_text(browser: Browser, hostile: str, name: str) -> None:
    case = SCRIPTS[name]
    show(browser, hostile, list(SCRIPTS).index(name), case)
    assert harm(browser) == [0, []]
    next(button for button in browser.all("button") if button.text == "as written").click()
    assert browser.js("return document.querySelector('.assistant .text').textContent") == case


@pytest.mark.parametrize("name", SIZES)
def test_a_text_of_any_shape_is_shown(browser: Browser, hostile: str, name: str) -> None:
    show(browser, hostile, len(SCRIPTS) + list(SIZES).index(name), SIZES[name])
    assert harm(browser) == [0, []]


def test_lists_and_figures_show_only_text(browser: Browser, hostile: str) -> None:
    for view in ("", "#/samples", "#/samples?q=pwned", "#/doubts"):
        browser.open(hostile + view)
        browser.one("#main h1")
        assert harm(browser) == [0, []]


def test_characters_that_are_not_seen_are_written_out(browser: Browser, tmp_path: Path) -> None:
    index, texts = made_index(["small"], 1, 1)
    answer = "is\u202erevo\u202c it\u200b and \u2066x\u2069 or \x07\n```python\nif x:\u202e # end\n```\n$a\u202eb$ שלום"
    texts[0] = text(0, answer=answer, read="42\u202e", gold="4\u200b2")
    index["samples"] |= {"answer": ["42\u202e"], "id": ["0\u202e"]}
    page = write_page(tmp_path / "report.html", index, texts)
    browser.open(f"{page}#/sample/0/0%E2%80%AE/0")
    browser.one(".assistant .text")
    names = browser.js("return [...document.querySelectorAll('.assistant .invisible')].map((e) => e.textContent)")
    assert names == ["U+202E", "U+202C", "U+200B", "U+2066", "U+2069", "U+0007", "U+202E", "U+202E"]
    assert "42U+202E" in browser.text("aside")
    assert "4U+200B2" in browser.text("aside")
    hidden = "return /[\\u202a-\\u202e\\u2066-\\u2069\\u200b]/.test(document.getElementById('main').textContent)"
    assert browser.js(hidden) is False
    browser.open(f"{page}#/samples")
    browser.one(".all .row")
    assert browser.js(hidden) is False


def test_searching_takes_any_text(browser: Browser, hostile: str) -> None:
    browser.open(f"{hostile}#/samples")
    browser.one("#search").send_keys("onerror='window.pwned")
    browser.until_text("1 of ")
    assert harm(browser) == [0, []]
