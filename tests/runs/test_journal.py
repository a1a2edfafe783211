import json
from pathlib import Path

import pytest

from skythought.errors import DiskError
from skythought.runs.journal import Damaged, Journal, Line
from skythought.types import SampleKey


def record(name, sample=0, **more):
    return {"id": name, "sample": sample, "error": None, **more}


def test_records_are_found_again_by_offset(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal:
        written = [journal.append(record(str(n), text="é\n" * n)) for n in range(5)]
        assert journal.read(written[3].offset) == record("3", text="é\né\né\n")
    lines = list(Journal(tmp_path / "j.jsonl").scan())
    assert lines == [
        Line(line.offset, SampleKey(str(n), 0), False, line.checksum, None) for n, line in enumerate(written)
    ]


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


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: b"\xff\xfe damaged\n",
        lambda line: line.replace(b"good", b"g\xffod"),
        lambda line: line.replace(b"good", b"\0\0\0\0"),
        lambda line: line.replace(b"good", b"bad!"),
        lambda line: line[:40] + line,
        lambda line: line[:-1] + b" " + line,
        lambda line: b"\n",
    ],
    ids=["rubbish", "a byte", "zeros", "other text", "half a line joined", "two on one", "empty"],
)
def test_a_damaged_line_is_told_and_costs_no_other(tmp_path, damage):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        for name in "123":
            journal.append(record(name, text="good"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + damage(lines[1]) + lines[2])
    with Journal(path) as journal:
        journal.append(record("4"))
        found = list(journal.scan())
    assert found[1] == Damaged(2)
    assert [line.key.problem_id for line in (found[0], *found[2:])] == ["1", "3", "4"]


def test_lines_without_a_checksum_are_whole_if_they_are_json(tmp_path):
    """As skythought 0.2.0 wrote them."""
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"id": "1", "sample": 0, "error": null}\n{"id": "2", "sample": 0, "error": null\n')
    with Journal(path) as journal:
        assert [getattr(line, "key", line) for line in journal.scan()] == [SampleKey("1", 0), Damaged(2)]


def test_a_line_that_was_cut_in_two_is_none_even_if_a_half_is_json(tmp_path):
    """Behind lines with checksums none is without."""
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        for name in "123":
            journal.append(record(name, text="good", tokens=5))
        lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b', "crc"', b'}\n{, "crc"') + lines[2])
    with Journal(path) as journal:
        found = list(journal.scan())
    assert [getattr(line, "key", line) for line in found] == [
        SampleKey("1", 0),
        Damaged(2),
        Damaged(3),
        SampleKey("3", 0),
    ]


def test_ids_and_texts_of_any_kind_survive(tmp_path):
    odd = 'a"b\\c\n\u2028é\ud83d'  # ends in half an emoji, as a token limit may leave it
    with Journal(tmp_path / "j.jsonl") as journal:
        line = journal.append(record(odd, content=odd))
        assert journal.read(line.offset)["content"] == odd
        assert next(iter(journal.scan())).key.problem_id == odd


def test_failed_records_and_other_records_are_told_apart(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.append({"id": "1", "sample": 2, "error": "endpoint gone"})
        journal.append({"pass": {"scorer": "math"}})
        failed, other = journal.scan()
    assert (failed.offset, failed.key, failed.failed) == (0, SampleKey("1", 2), True)
    assert other == {"pass": {"scorer": "math"}}


def test_lines_are_plain_json(tmp_path):
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.append(record("1", text="é"))
    line = json.loads((tmp_path / "j.jsonl").read_text(encoding="utf-8"))
    assert len(line.pop("crc")) == 8
    assert line == record("1", text="é")


def test_a_journal_that_is_deleted_under_a_run_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr("skythought.runs.journal.SYNC_S", 0.0)
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.append(record("1"))
        (tmp_path / "j.jsonl").unlink()
        with pytest.raises(DiskError, match=r"j.jsonl is gone: it was deleted or moved"):
            journal.append(record("2"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(tmp_path):
    (tmp_path / "j.jsonl").symlink_to("/dev/full")
    with pytest.raises(DiskError, match=r"cannot write .*j.jsonl: No space left on device.*--resume"):
        Journal(tmp_path / "j.jsonl").append(record("1"))


def test_what_another_process_appends_is_read_on(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path, writable=False) as reading:  # before there is a file
        assert [*reading.scan(), *reading.grown()] == []
        with Journal(path) as writing:
            writing.append(record("1"))
            (first,) = reading.grown()
            assert reading.read(first.offset) == record("1")
            writing.append(record("2"))
            assert [line.key.problem_id for line in reading.grown()] == ["2"]
            assert [*reading.grown()] == []
        whole = path.read_bytes()
        with Journal(path) as writing:
            writing.append(record("3"))
        third = path.read_bytes()[len(whole) :]
        path.write_bytes(whole + third[:-7])
        assert [*reading.grown()] == []  # it is still being written
        path.write_bytes(whole + third)
        assert [line.key.problem_id for line in reading.grown()] == ["3"]
