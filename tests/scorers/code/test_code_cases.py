"""Reading test cases from the forms in which datasets keep them."""

from __future__ import annotations

import base64
import json
import os
import pickle
import sys
import zlib
from typing import Any

import pytest

from skythought.scorers.code import test_cases as _code_tests
from skythought.scorers.code.test_cases import Case, TestsError, read_cases

OBJECTS = [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}, {"input": "2 2\n", "output": "4\n"}]


def packed(value: Any, protocol: int = 4) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value, protocol))).decode()


def test_all_forms_of_a_programs_tests() -> None:
    expected = [Case("1 2\n", "3\n"), Case("2 2\n", "4\n")]
    lists = {"inputs": ["1 2\n", "2 2\n"], "outputs": ["3\n", "4\n"]}
    forms = [OBJECTS, lists, json.dumps(OBJECTS), json.dumps(lists)]
    forms += [packed(json.dumps(OBJECTS), protocol) for protocol in range(6)]
    forms.append(base64.b64encode(zlib.compress(json.dumps(OBJECTS).encode())).decode())
    for form in forms:
        assert read_cases([form], call=False) == expected


def test_several_sources_follow_one_another() -> None:
    assert len(read_cases([json.dumps(OBJECTS), packed(json.dumps(OBJECTS))], call=False)) == 4


def test_lists_of_lines_are_text() -> None:
    source = {"inputs": [["2", "1 2"]], "outputs": [["3", "4"]]}
    assert read_cases([source], call=False) == [Case("2\n1 2", "3\n4")]


def test_arguments_as_lines_and_as_lists() -> None:
    lines = [{"input": '[1, 2]\n"x"\ntrue', "output": "[null]"}]
    lists = {"inputs": [[[1, 2], "x", True]], "outputs": [[None]], "fn_name": "f"}
    expected = [Case([[1, 2], "x", True], [None])]
    assert read_cases([lines], call=True) == read_cases([json.dumps(lists)], call=True) == expected


def test_integer_keys_lost_in_json_come_back() -> None:
    source = {"inputs": [[{"1": "a", "-2": "b"}], [{"x": 1}]], "outputs": [0, 0]}
    assert [case.input for case in read_cases([source], call=True)] == [[{1: "a", -2: "b"}], [{"x": 1}]]


def test_integers_beyond_the_interpreters_limit() -> None:
    assert sys.get_int_max_str_digits() == 4300
    text = f'{{"inputs": [[{"7" * 9131}]], "outputs": [-{"8" * 9131}]}}'
    case = read_cases([text], call=True)[0]
    assert case.input[0] % 10**10 == 7777777777
    assert case.input[0] // 10**9130 == 7
    assert -case.output % 10**10 == 8888888888


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("echo hostile > hostile.txt",)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (packed(Hostile()), "asks for posix.system"),
        (packed(["no text"]), "must be text, not list"),
        (packed("not json"), "not valid JSON"),
        ("no base64!", "neither JSON nor packed"),
        ("", "neither JSON nor packed"),
        ("[1]", "must be a list of objects"),
        ('[{"input": "1"}]', "no 'output'"),
        ('{"inputs": [1], "outputs": []}', "same length"),
        ('{"inputs": [1]}', "same length"),
        ("[" * 100_000, "nested too deeply"),
        (7, "must be a list of objects"),
        ({"inputs": [7], "outputs": [7]}, "list of arguments"),
    ],
)
def test_what_is_no_tests_is_refused(source: Any, message: str, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TestsError, match=message):
        read_cases([source], call=True)
    assert not list(tmp_path.iterdir())


def test_a_bomb_does_not_unpack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_code_tests, "LARGEST", 1 << 20)
    bomb = base64.b64encode(zlib.compress(b"[" + b" " * (1 << 22))).decode()
    with pytest.raises(TestsError, match="more than 1 MiB"):
        read_cases([bomb], call=False)
