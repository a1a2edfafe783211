import json

import pytest

from skythought.errors import RunFolderError
from skythought.runs.jsonfile import EntryWriter, is_as_derived, read_entries

ENTRIES = {
    "0": {"question": 'a "quoted" {brace} é', "responses": [{"content": "x\ny", "correctness": True}], "n": 1.5},
    "1": {"question": "", "responses": [], "nested": {"a": [1, {"b": None}]}},
}


def write(path, entries, *, derived=True):
    with EntryWriter(path, derived=derived) as writer:
        for key, entry in entries.items():
            writer.add(key, entry)
        writer.commit()


@pytest.mark.parametrize("entries", [ENTRIES, {}])
def test_written_files_are_json_and_read_back(tmp_path, entries):
    path = tmp_path / "results.json"
    write(path, entries)
    assert json.loads(path.read_text(encoding="utf-8")) == entries
    assert dict(read_entries(path)) == entries


@pytest.mark.parametrize("layout", [{"indent": 4}, {"separators": (",", ":")}, {"indent": 4, "ensure_ascii": False}])
def test_any_layout_is_read(tmp_path, layout):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(ENTRIES, **layout), encoding="utf-8")
    assert dict(read_entries(path)) == ENTRIES


def test_bare_nan_is_read_as_null_and_a_byte_order_mark_is_skipped(tmp_path):
    path = tmp_path / "results.json"
    path.write_text('\ufeff{"0": {"x": NaN, "y": [-Infinity]}}', encoding="utf-8")
    assert dict(read_entries(path)) == {"0": {"x": None, "y": [None]}}


def test_entries_larger_than_the_window_are_read(tmp_path):
    path = tmp_path / "results.json"
    entries = {str(n): {"text": '\\"{[' * 1_000_000} for n in range(2)}
    path.write_text(json.dumps(entries), encoding="utf-8")
    assert dict(read_entries(path)) == entries


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"0": {"a": 1}', '{"0": {"a": 1}, ', '{"0": {"a": tru', '{"0" {}}', '{"0": 5}']
)
def test_broken_files_are_one_clear_error(tmp_path, text):
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"results.json: not a whole JSON object"):
        list(read_entries(path))


def test_text_that_is_not_utf8_is_one_clear_error(tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(b'{"0": {"x": "\xff\xfe"}}')
    with pytest.raises(RunFolderError, match="not UTF-8"):
        list(read_entries(path))


def test_leaving_without_commit_changes_nothing(tmp_path):
    path = tmp_path / "results.json"
    write(path, ENTRIES)
    with pytest.raises(ValueError, match="stop"), EntryWriter(path) as writer:
        writer.add("9", {})
        raise ValueError("stop")
    assert dict(read_entries(path)) == ENTRIES
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".derived", "results.json"]


def test_changes_by_hand_are_noticed_and_half_finished_replacements_are_not_taken_for_them(tmp_path):
    path = tmp_path / "results.json"
    write(path, ENTRIES)
    first = path.read_bytes()
    write(path, {"0": {}})
    assert is_as_derived(tmp_path)
    path.write_bytes(first)  # as if killed after remembering the new digest, before putting the file in place
    assert is_as_derived(tmp_path)
    path.write_bytes(first.replace(b"quoted", b"edited"))
    assert not is_as_derived(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"0": {}}{"1": {}}', r"something follows the object: '\{'"),
        ('{"0": {}} rubbish', "something follows the object: 'r'"),
        ('{"0": {}, "0": {}}', "the key '0' stands there twice"),
        ('{"0": {}', "the file ends too early"),
        ("[]", r"expected '\{', found '\['"),
        ('{"0": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deep"),
        ('{"0": {"n": ' + "9" * 5000 + "}}", "not a whole JSON object"),
        ('{"0": 3}', "expected a string, object or array"),
        ("", "the file ends too early"),
    ],
    ids=["two objects", "rubbish", "a key twice", "cut", "a list", "deep", "a huge number", "no object", "empty"],
)
def test_what_is_no_whole_object_is_one_line(tmp_path, text, says):
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RunFolderError, match=says):
        list(read_entries(path))


def test_numbers_beyond_all_bounds_are_no_values(tmp_path):
    path = tmp_path / "results.json"
    path.write_text('{"0": {"x": 1e999, "y": -1e400, "z": 1e3}}', encoding="utf-8")
    assert dict(read_entries(path)) == {"0": {"x": None, "y": None, "z": 1000.0}}
