"""Templates and YAML from outside are bounded: no loop without end, no text of gigabytes, one line that says so."""

import json
import resource
import time

import pytest

from skythought.errors import UserError
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems
from skythought.tasks.templates import expression, template
from skythought.yamlfile import parse_yaml

GROW = "{% set ns = namespace(x=START) %}{% for a in range(60) %}{% set ns.x = STEP %}{% endfor %}"


def growing(start, step, end):
    return GROW.replace("START", start).replace("STEP", step) + end


ENDLESS = [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in rows %}{% for b in rows %}{% for c in rows %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{{ 'a' * 10**10 }}",
    "{{ [1] * 10**10 }}",
    "{{ 'x' | center(10**10) }}",
    "{{ 'x' | indent(10**9, true) }}",
    "{{ 'x'.ljust(10**10) }}",
    "{{ 'x'.zfill(10**9) }}",
    "{{ '%9999999999d' % 1 }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '%999999999d' | format(1) }}",
    "{{ '{:>9999999999}'.format(1) }}",
    "{{ '{:>{w}}'.format(1, w=10**10) }}",
    "{{ ('a' * 40000).join('b' * 40000) }}",
    "{{ 'abc' | batch(10**9, 'x') | list }}",
    "{{ range(100000) | map('string') | map('center', 100000) | join }}",
    "{{ (1).to_bytes(10**10, 'big') }}",
    "{{ 5 | round(10**9) }}",
    "{{ 7 ** (10**9) }}",
    growing("'ab'", "ns.x ~ ns.x", "{{ ns.x | length }}"),
    growing("'ab'", "ns.x + ns.x", "{{ ns.x | length }}"),
    growing("'ab'", "ns.x.replace('a', ns.x)", "{{ ns.x | length }}"),
    growing("[1]", "[ns.x, ns.x]", "{{ ns.x }}"),
    growing("[1]", "[ns.x, ns.x]", "{{ ns.x | tojson }}"),
    growing("[1]", "[ns.x, ns.x]", "{{ ns.x ~ 'a' }}"),
    "{% set x = [1] %}{% for a in range(60) %}{% set _ = x.extend(x) %}{% endfor %}{{ x | length }}",
]


@pytest.mark.parametrize("source", ENDLESS)
def test_a_template_without_end_is_one_error(source):
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(UserError, match="template") as failed:
        template(source).render({"rows": list(range(1000))})
    assert time.monotonic() - began < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20, "KiB"
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    "source",
    ["'a' * 10**10", "10 ** (10**9)", "'x' | center(10**10)", "range(10**5) | map('center', 10**5) | list"],
)
def test_an_expression_without_end_is_one_error(source):
    with pytest.raises(UserError, match="too large"):
        expression(source)({})


def test_ordinary_templates_work_as_ever():
    source = (
        "{% for c in choices %}{{ loop.index }}. {{ c | upper }} {% endfor %}{{ '%.2f' % 0.5 }} {{ 'ab' * 3 }} "
        "{{ 'a' ~ 1 ~ [2] }} {{ population | default(0) }} {{ 'x' | default(10**9) }} {{ 'a b'.split(' ', 10**9) }} "
        "{{ 10**12 }} {{ '%s' | format('y') }} {{ 'z'.center(5) }} {{ x | tojson }} {{ '{:>5}'.format(7) }}"
    )
    made = template(source).render({"choices": ["a", "b"], "population": 8_000_000_000, "x": {"k": [1]}})
    assert made == ("1. A 2. B 0.50 ababab a1[2] 8000000000 x ['a', 'b'] 1000000000000 y   z   {\"k\": [1]}     7")


def test_an_endless_template_ends_a_run_before_any_answer(tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"q": "1"}\n' * 3, encoding="utf-8")
    (tmp_path / "t.yaml").write_text(
        f"dataset_path: rows.jsonl\nprompt: {json.dumps(ENDLESS[0])}\ntarget: q\nscorer: math\n", encoding="utf-8"
    )
    with pytest.raises(UserError, match="does not come to an end"):
        list(problems(load_task(str(tmp_path / "t.yaml"))))


DEEP = "[" * 5000
BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "line 6.*more than 200,000 values"),
        ("a: &a [*a]\n", "line 1.*holds itself"),
        ("a: &a {b: *a}\n", "line 1.*holds itself"),
        (f"a: {DEEP}", "nested too deep|not valid YAML"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "line 2.*tag"),
        ("a: !mine 1\n", "tag !mine"),
        ("a: !!binary aGk=\n", "!!binary"),
        ("a: !!set {b}\n", "!!set"),
        ("a: .nan\n", "no number that can be recorded"),
        ("a: -.inf\n", "no number that can be recorded"),
        ('a: "x\\0y"\n', "NUL"),
        ('a: "\\ud800"\n', "surrogate"),
        ("a: x\0y\n", "is not allowed in it"),
        ("a: b\n? \n: c\n", "key must be a text"),
        ("2024-01-01: x\n", "line 1.*not a date"),
        ("1.5: x\n", "not a number"),
        ("[a, b]: x\n", "key must be a text"),
        (f"a: {'9' * 5000}\n", "5,000 digits"),
        ("a: [1\nb: 2\n", "line 2"),
        ("<<: 5\na: 1\n", "takes a mapping"),
    ],
)
def test_yaml_that_is_no_plain_value_is_refused_with_its_line(text, says):
    with pytest.raises(UserError, match=says) as failed:
        parse_yaml(text, "t.yaml")
    assert str(failed.value).startswith("t.yaml")


def test_plain_yaml_is_read_as_ever():
    text = "a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\nc: [*x, *x]\nd: 2024-01-01\ne: yes\n1: one\nf: 1.5e3\n"
    assert parse_yaml(text, "t") == {
        "a": {"k": 1, "l": 2},
        "b": {"k": 1, "l": 3},
        "c": [{"k": 1, "l": 2}] * 2,
        "d": "2024-01-01",
        "e": True,
        1: "one",
        "f": "1.5e3",
    }
