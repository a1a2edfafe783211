"""A folder that another process writes to, read on by one that shows it."""

from __future__ import annotations

from skythought.runs import folder
from skythought.runs.lock import Lock
from skythought.runs.records import PassBegin
from skythought.types import Response, SampleKey, Score


def test_answers_and_verdicts_are_taken_in_as_they_come(run_copy):
    key, other = SampleKey("0", 0), SampleKey("1", 1)
    for name in ("responses.jsonl", "scores.jsonl"):
        (run_copy / name).unlink()
    with folder.load(run_copy, None) as reading, folder.load(run_copy, Lock(run_copy)) as writing:
        assert reading.read_on() == []
        writing.add_response(Response(key=key, content="one"))
        writing.add_response(Response(key=other, error="gone"))
        assert reading.read_on() == [key, other]
        assert (reading.response(key).content, reading.score(key)) == ("one", None)
        writing.add_score(Score(True, "", verdict="correct", key=key))
        assert reading.read_on() == [key]
        assert reading.score(key).correct
        writing.begin_scoring(PassBegin({}))
        assert reading.read_on() == [key]  # all that are answered
        assert reading.score(key) is None


def test_a_verdict_that_is_read_before_its_answer_is_kept(run_copy):
    key = SampleKey("0", 0)
    responses, scores = (run_copy / name for name in ("responses.jsonl", "scores.jsonl"))
    line = responses.read_bytes().splitlines(keepends=True)
    mine = [one for one in line if one.startswith(b'{"id": "0", "sample": 0,')]
    responses.write_bytes(b"".join(one for one in line if one not in mine))
    with folder.load(run_copy, None) as reading:
        assert reading.response(key) is None
        with responses.open("ab") as file:
            file.write(b"".join(mine))
        assert reading.read_on() == [key]
        assert reading.score(key) is not None
    assert scores.exists()
