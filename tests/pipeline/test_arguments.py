import pytest

from skythought.errors import UserError
from skythought.pipeline.arguments import escapes, ids, key_values, names, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("a=1,b=x", {"a": 1, "b": "x"}),
        ("a=1.5e-3, b = two words ", {"a": 1.5e-3, "b": "two words"}),
        ("a=true,b=False,c=null,d=None", {"a": True, "b": False, "c": None, "d": None}),
        (
            "base_url=http://localhost:8000/v1?a=b,concurrency=4",
            {"base_url": "http://localhost:8000/v1?a=b", "concurrency": 4},
        ),
        ("stop=['a,b', \"c=d\"],n=2", {"stop": ["a,b", "c=d"], "n": 2}),
        ("text='x, y=z'", {"text": "x, y=z"}),
        ("name=it's", {"name": "it's"}),
        ('extra_body={"a": {"b": true}},x=1', {"extra_body": {"a": {"b": True}}, "x": 1}),
        ("{'a': 1, 'b': True}", {"a": 1, "b": True}),
        ('{"a": null, "b": [1]}', {"a": None, "b": [1]}),
        ("revision=00123abc,path=/a/b", {"revision": "00123abc", "path": "/a/b"}),
    ],
)
def test_key_values(text, expected):
    assert key_values(text, "--x") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "'a' is not of the form key=value"),
        ("a=1,b", "'b' is not of the form"),
        ("=1", "not of the form"),
        ("a=1,a=2", "'a' is given twice"),
        ("{'a': 1", "not a dict"),
    ],
)
def test_key_values_mistakes(text, message):
    with pytest.raises(UserError, match="--x.*" + message):
        key_values(text, "--x")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (r"<think>\n", "<think>\n"),
        (r"a\tb\nOkay", "a\tb\nOkay"),
        (r"put it in \boxed{}", r"put it in \boxed{}"),
        (r"\times \neq \theta \text{x} \nu", r"\times \neq \theta \text{x} \nu"),
        ("é ∑ 日本 \U0001f600", "é ∑ 日本 \U0001f600"),
        (r"a\\nb", r"a\nb"),
        ("already\nthere", "already\nthere"),
        (r"\begin{x}\\end", r"\begin{x}\\end"),
    ],
)
def test_escapes(typed, meant):
    assert escapes(typed) == meant


def test_names_and_ids():
    assert names(["a,b", "c"]) == ("a", "b", "c")
    assert ids("1, 2,3") == ["1", "2", "3"]
    assert ids(None) is None
    with pytest.raises(UserError, match="no id given"):
        ids(",")


def test_a_text_from_a_file_is_taken_as_it_is(tmp_path):
    (tmp_path / "prompt.txt").write_text("Think\\n.\n", encoding="utf-8")
    assert text(f"@{tmp_path / 'prompt.txt'}", "--system-prompt") == "Think\\n.\n"
    assert text(r"a\nb", "--system-prompt") == "a\nb"
    (tmp_path / "prompt.txt").write_bytes(b"\xff")
    with pytest.raises(UserError, match="it is no text in UTF-8"):
        text(f"@{tmp_path / 'prompt.txt'}", "--system-prompt")
