import json

import pytest

from skythought.runs.journal import Journal, Line
from skythought.types import SampleKey


def record(name, sample=0, **more):
    return {"id": name, "sample": sample, "error": None, **more}


def test_records_are_found_again_by_offset(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal:
        offsets = [journal.append(record(str(n), text="é\n" * n)) for n in range(5)]
        assert journal.read(offsets[3]) == record("3", text="é\né\né\n")
    lines = list(Journal(tmp_path / "j.jsonl").scan())
    assert lines == [Line(offset, SampleKey(str(n), 0), False) for n, offset in enumerate(offsets)]


@pytest.mark.parametrize("torn", [b'{"id": "9", "sam', b"\x00\x00", b'{"id": "9", "sample": 0, "error": null}'])
def test_a_torn_last_line_is_cut_off(tmp_path, torn):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.append(record("1"))
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with Journal(path) as journal:
        assert [line.key.problem_id for line in journal.scan()] == ["1"]
        journal.append(record("2"))
        assert [line.key.problem_id for line in journal.scan()] == ["1", "2"]


def test_a_file_of_one_torn_line_becomes_empty(tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_bytes(b"x" * 100_000)
    with Journal(path) as journal:
        assert list(journal.scan()) == []
    assert path.read_bytes() == b""


def test_a_damaged_line_in_the_middle_is_passed_over(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.append(record("1"))
    with path.open("ab") as file:
        file.write(b"\xff\xfe damaged\n")
    with Journal(path) as journal:
        journal.append(record("2"))
        assert [line.key.problem_id for line in journal.scan()] == ["1", "2"]


def test_ids_and_texts_of_any_kind_survive(tmp_path):
    odd = 'a"b\\c\n\u2028é\ud83d'  # ends in half an emoji, as a token limit may leave it
    with Journal(tmp_path / "j.jsonl") as journal:
        offset = journal.append(record(odd, content=odd))
        assert journal.read(offset)["content"] == odd
        assert next(iter(journal.scan())).key.problem_id == odd


def test_failed_records_and_other_records_are_told_apart(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.append({"id": "1", "sample": 2, "error": "endpoint gone"})
        journal.append({"pass": {"scorer": "math"}})
        failed, other = journal.scan()
    assert failed == Line(0, SampleKey("1", 2), True)
    assert other == {"pass": {"scorer": "math"}}


def test_lines_are_plain_json(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.append(record("1", text="é"))
    assert json.loads((tmp_path / "j.jsonl").read_text(encoding="utf-8")) == record("1", text="é")
