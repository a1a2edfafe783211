"""Taking the program out of a response."""

from __future__ import annotations

import time

import pytest

from skythought.scorers.code.extraction import continuation, extract_code
from skythought.scorers.code.syntax import defines

PROGRAM = "n = int(input())\nprint(n * 2)"


@pytest.mark.parametrize(
    "response",
    [
        f"```python\n{PROGRAM}\n```",
        f"```python3\n{PROGRAM}\n```",
        f"```py\n{PROGRAM}\n```",
        f"```Python\n{PROGRAM}\n```",
        f"```\n{PROGRAM}\n```",
        f"``` python  \n{PROGRAM}\n```   ",
        f"```python title=main.py\n{PROGRAM}\n```",
        f"~~~python\n{PROGRAM}\n~~~",
        f"````python\n{PROGRAM}\n````",
        f"```python\n{PROGRAM}\n```".replace("\n", "\r\n"),
        f"First I read n.\n\n```python\n{PROGRAM}\n```\n\nIt doubles n.",
        f"So: ```python\n{PROGRAM}\n```",
        f"```python\n{PROGRAM}```\nDone.",
        f"```python\nprint(0)\n```\nThat is wrong. Better:\n```python\n{PROGRAM}\n```",
        f"```python\nprint(0)\n```\nBetter:\n```\n{PROGRAM}\n```",
        f"```python\n{PROGRAM}\n```\nFor 4 it prints\n```\n8\n```",
        f"```python\n{PROGRAM}\n```\nFor 4 it prints\n```\nthe number 8\n```",
        f"```python\n{PROGRAM}\n```\nRun it:\n```bash\npython main.py\n```",
        f"```cpp\nint main() {{}}\n```\n```python\n{PROGRAM}\n```",
        f"```python\n{PROGRAM}",
        f"```python\nprint(0)\n```\n```python\n{PROGRAM}",
        f"{PROGRAM}\n```\nThis doubles n.",
        f"{PROGRAM}\n```",
        PROGRAM,
        f"1. Read it.\n   ```python\n   {PROGRAM.replace(chr(10), chr(10) + '   ')}\n   ```\n2. Done.",
        f"> ```python\n> {PROGRAM.replace(chr(10), chr(10) + '> ')}\n> ```",
        f"- ```python\n  {PROGRAM.replace(chr(10), chr(10) + '  ')}\n  ```",
        f"1. ```python\n   {PROGRAM.replace(chr(10), chr(10) + '   ')}\n   ```\n2. Done.",
        f"```python\n    {PROGRAM.replace(chr(10), chr(10) + '    ')}\n```",
        f"```text\n{PROGRAM}\n```",
        f"```plaintext\n{PROGRAM}\n```",
        f"```code\n{PROGRAM}\n```\nIt prints\n```\n8\n```",
    ],
)
def test_the_program_is_found(response: str) -> None:
    found = extract_code(response)
    assert found is not None
    assert found.text.strip() == PROGRAM


@pytest.mark.parametrize(
    "response",
    [
        "",
        "The answer is 5.",
        "I would read n and print twice as much.",
        "5",
        "a, b",
        "```python\n```",
        "```\n\n```",
        "```cpp\nint main() {}\n```",
        "```bash\npython main.py\n```",
    ],
)
def test_no_program(response: str) -> None:
    assert extract_code(response) is None


def test_a_fence_inside_of_a_docstring_does_not_end_the_block() -> None:
    program = 'def f():\n    """Use:\n\n    ```\n    f()\n    ```\n    """\n    return 1'
    found = extract_code(f"```python\n{program}\n```\nIt gives\n```\n1\n```")
    assert found is not None
    assert found.text == program


MARKED = f"```python\n{PROGRAM}\n```"


@pytest.mark.parametrize(
    "after",
    [
        "Recurrence:\n```\nbest = max(best, x)\n```",
        "Call it:\n```\nmain(3)\n```",
        "A snippet:\n```\nfor x in xs:\n    total += x\n```",
        "Without reading:\n```\nn = 4\nprint(n * 2)\n```",
        "Fast input:\n```python\nimport sys\ninput = sys.stdin.readline\n```",
        "A session:\n```python\n>>> print(4 * 2)\n8\n```",
        "A session:\n```\n>>> f(4)\n8\n```",
        "It prints\n```python\n8\n```",
        "It prints\n```python\nthe number 8\n```",
        "Cost:\n```python\n# O(1) time and memory\n```",
        "Call it:\n```python\nmain(3)\n```",
        "Test:\n```python\nassert double(4) == 8\n```",
        "Run it:\n~~~bash\npython main.py\n~~~",
        "Empty:\n```python\n\n```",
        "In words:\n```python\nn <- input()\nfor each n: print(n * 2)\n```",
        "In words:\n```python\nfunction main():\n    n = read input()\n    print(2n)\n```",
        "Once more:\n```python\nimport sys\nn = int(sys.stdin.readline())\nprint(n *",
        "Test it:\n```python\nimport subprocess\nprint(subprocess.run('a.py', input='4').stdout)\n```",
        "Text:\n```text\nn = input()\nprint(n)\n```",
        "Text:\n```python\n'input 4, print 8'\n```",
    ],
)
def test_what_comes_after_the_program_does_not_replace_it(after: str) -> None:
    found = extract_code(f"{MARKED}\n{after}")
    assert found is not None
    assert found.text == PROGRAM


@pytest.mark.parametrize(
    "response",
    [
        f"````markdown\nHere:\n{MARKED}\n````",
        f"````md\n{MARKED}\n````",
        f"````\n{MARKED}\n````",
        f"~~~markdown\n# Solution\n{MARKED}\nDone.\n~~~",
        f"~~~\n{MARKED}\n~~~",
        f"```markdown\n{MARKED}\n```",
        f"`````md\n````md\n{MARKED}\n````\n`````",
    ],
)
def test_a_program_inside_of_a_piece_of_markdown(response: str) -> None:
    found = extract_code(response)
    assert found is not None
    assert found.text == PROGRAM


@pytest.mark.parametrize("quote", ["'''", '"""'])
@pytest.mark.parametrize("fence", ["```python", "```", "```python\nx\n```", "```text"])
def test_a_fence_in_a_string_of_the_program(fence: str, quote: str) -> None:
    program = f"text = {quote}\n{fence}\n{quote}  # it's a fence\nn = int(input())\nprint(n * 2)"
    found = extract_code(f"```python\n{program}\n```\nIt gives\n```\n1\n```")
    assert found is not None
    assert found.text == program


def test_a_fence_in_a_comment_of_the_program() -> None:
    program = f"# ```\n{PROGRAM}\n# ```"
    found = extract_code(f"```python\n{program}\n```")
    assert found is not None
    assert found.text == program


@pytest.mark.parametrize(
    "after",
    ["print(double(int(input())))", "import io, sys\nsys.stdin = io.StringIO('4')\ndouble(input())\nprint('fine')"],
)
def test_what_uses_the_program_is_not_the_program(after: str) -> None:
    program = "def double(n):\n    return n * 2\n\nif __name__ == '__main__':\n    print(double(int(input())))"
    found = extract_code(f"```python\n{program}\n```\nTry it:\n```python\n{after}\n```")
    assert found is not None
    assert found.text == program


def test_a_string_that_is_never_closed_does_not_swallow_what_follows() -> None:
    found = extract_code(f"```python\nx = '''\n```\nThat is broken. Better:\n{MARKED}")
    assert found is not None
    assert found.text == PROGRAM


FUNCTION = "def double(x):\n    return 2 * x"


@pytest.mark.parametrize(
    "after",
    [
        "```python\nprint(double(4))\n```",
        "```python\nimport math\nprint(math.sqrt(4))\n```",
        "```python\nn = int(input())\nprint(n * 2)\n```",
        "```\ndef double(x): return x + x + 1\n```",
    ],
)
def test_the_block_that_defines_the_function_is_the_program(after: str) -> None:
    found = extract_code(f"```python\n{FUNCTION}\n```\nMore:\n{after}", "double")
    assert found is not None
    assert found.text == FUNCTION


@pytest.mark.parametrize(
    "text",
    [
        "a word " * 20_000,
        "`" * 120_000,
        "~" * 120_000 + "`",
        "```" + " " * 120_000 + "`",
        "```python\nx = '''\n```\n" * 6_000,
        "```python\n" + "'''" * 40_000 + "\n```",
        "```python\n" * 12_000,
        "\n" * 120_000,
        "> " * 60_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_time_is_linear_in_the_length(text: str) -> None:
    started = time.process_time()
    extract_code(text)
    assert time.process_time() - started < 2


def test_a_shorter_fence_inside_of_a_longer_one_is_text() -> None:
    program = "text = '''\n```\n'''\nprint(text)"
    found = extract_code(f"````python\n{program}\n````")
    assert found is not None
    assert found.text == program


def test_a_block_that_is_cut_off_says_so() -> None:
    found = extract_code("```python\ndef f(x):\n    return x +")
    assert found is not None
    assert "cut off" in found.rule


@pytest.mark.parametrize(
    ("program", "there"),
    [
        ("def f():\n    pass", True),
        ("async def f():\n    pass", True),
        ("class f:\n    pass", True),
        ("f = lambda x: x", True),
        ("def g():\n    def f():\n        pass", False),
        ("print(f)", False),
        ("def f(:\n    pass", True),
    ],
)
def test_whether_a_name_is_defined(program: str, there: bool) -> None:
    assert defines(program, "f") is there


HEAD = 'def total(xs):\n    """The sum of xs."""\n'


@pytest.mark.parametrize(
    "rest",
    [
        "    s = 0\n    for x in xs:\n        s += x\n    return s",
        "s = 0\n    for x in xs:\n        s += x\n    return s",
        "s = 0\nfor x in xs:\n    s += x\nreturn s",
        "    return sum(xs)\n\n# That is all you need to know.\nIt adds them up.",
        "    return sum(xs)\n```\nIt adds them up.",
    ],
)
def test_the_rest_of_a_function(rest: str) -> None:
    whole = continuation(HEAD, rest)
    assert whole is not None
    names: dict[str, object] = {}
    exec(whole, names)
    assert names["total"]([1, 2, 3]) == 6  # type: ignore[operator]


def test_what_is_no_rest_of_a_function() -> None:
    assert continuation(HEAD, "I would add them up.") is None
