"""The Python API takes wrong arguments as the command line does: one line that names them, never a bare TypeError."""

from pathlib import Path

import pytest
from echo import ECHO

import skythought as st
from skythought.errors import UserError

WRONG = [
    (st.evaluate, ("arithmetic",), {}, "model"),
    (st.evaluate, (), {"model": "m"}, "task"),
    (st.evaluate, ("arithmetic",), {"modle": "m"}, "modle.*Did you mean 'model'"),
    (st.evaluate, ("arithmetic",), {"model": "m", "sampling_parms": {}}, "Did you mean 'sampling_params'"),
    (st.evaluate, ("arithmetic",), {"model": "m", "sampling_param": {}}, "Did you mean 'sampling_params'"),
    (st.evaluate, ("arithmetic",), {"model": "m", "temperature": 1}, r"in sampling_params: .*'temperature': 1}\."),
    (st.evaluate, ("arithmetic",), {"model": "m", "min_tokens": 9}, "in sampling_params: .*'min_tokens': 9"),
    (st.evaluate, ("arithmetic",), {"model": "m", "max_new_tokens": 9}, "in sampling_params: .*'max_tokens': 9"),
    (st.evaluate, ("arithmetic",), {"model": "m", "enable_thinking": False}, "in chat_template_kwargs: .*False"),
    (st.evaluate, ("arithmetic",), {"model": "m", "tp": 8}, "in backend_args: .*'tensor_parallel_size': 8"),
    (st.evaluate, ("arithmetic",), {"model": "m", "api_key": "sk-1"}, r"in backend_args: .*'api_key': \.\.\.}"),
    (st.evaluate, ("arithmetic",), {"model": "m", "dataset_path": "x"}, "in task_args: .*'dataset_path': 'x'"),
    (st.evaluate, ("arithmetic",), {"model": "m", "limit": 9}, r"'limit'\. Here it is 'end' \(the problem to stop"),
    (st.evaluate, ("arithmetic",), {"model": "m", "n_samples": 9}, r"'n_samples'\. Here it is 'n'\."),
    (st.generate, ("arithmetic",), {"model": "m", "output_dir": "x"}, r"generate\(\) 'output_dir'\. Here it is 'resu"),
    (st.evaluate, (["arithmetic"],), {"model": ["m", 5]}, "model: Input should be a valid string"),
    (st.evaluate, ("arithmetic",), {"model": "m", "n": "four"}, "n: .*integer.*'four'"),
    (st.evaluate, ("arithmetic",), {"model": "m", "n": 2.5}, "n: .*integer"),
    (st.evaluate, ("arithmetic",), {"model": "m", "n": True}, "n: a number"),
    (st.evaluate, ("arithmetic",), {"model": "m", "n": 1_000_000_000}, "^n must be"),
    (st.evaluate, ("arithmetic",), {"model": "m", "batch_size": 100_000_000}, "^batch_size must be"),
    (st.evaluate, ("arithmetic",), {"model": "m", "start": 10**40}, "^start must be"),
    (st.evaluate, ("arithmetic",), {"model": "m", "end": 10**40}, "^end must be"),
    (st.evaluate, ("arithmetic",), {"model": "m", "seed": 10**40}, "^seed must be"),
    (st.evaluate, ("arithmetic",), {"model": 5}, "model: .*string"),
    (st.evaluate, (5,), {"model": "m"}, "task"),
    (st.evaluate, (None,), {"model": "m"}, "task"),
    (st.evaluate, (["arithmetic", 5],), {"model": "m"}, "task"),
    (st.evaluate, ("arithmetic",), {"model": "m", "backend_args": "api_key=sk-1"}, "is a dictionary.*not str"),
    (st.evaluate, ("arithmetic",), {"model": "m", "task_args": [1]}, "task_args"),
    (st.evaluate, ("arithmetic",), {"model": "m", "resume": "yes"}, "resume: .*boolean"),
    (st.evaluate, ("arithmetic",), {"model": "m", "result_dir": 5}, "result_dir"),
    (st.evaluate, ("arithmetic",), {"model": "m", "task_args": {"parameters": {"x": object()}}}, "^task_args"),
    (st.evaluate, ("arithmetic",), {"model": "m", "task_args": {"parameters": {"x": float("nan")}}}, "finite"),
    (st.evaluate, ("arithmetic",), {"model": "m\0"}, "NUL"),
    (st.evaluate, ("arithmetic",), {"model": "m\ud800"}, "half a character"),
    (st.evaluate, ("arithmetic",), {"model": "m", "sampling_params": {"max_tokens": 10**30}}, "max_tokens"),
    (st.evaluate, ("arithmetic",), {"model": "m", "sampling_params": {"repetition_penalty": float("inf")}}, "finite"),
    (st.generate, ("arithmetic",), {"model": "m", "reslt_dir": "."}, "Did you mean 'result_dir'"),
    (st.score, ("arithmetic",), {}, "run_dir"),
    (st.score, ("arithmetic", 5), {}, "run_dir"),
    (st.score, ("arithmetic", "."), {"idss": ["1"]}, "idss"),
    (st.score, ("arithmetic", "."), {"ids": 5}, "ids"),
    (st.score, ("arithmetic", "."), {"sandbox": None}, "sandbox"),
    (st.score, ("arithmetic", "."), {"judge_modle": "m"}, "judge_modle.*Did you mean 'judge_model'"),
    (st.score, ("arithmetic", "."), {"judge_model": 3}, "judge_model"),
    (st.merge, (["a", "b"],), {}, "one or several folders, not list"),
    (st.report, (5,), {}, "several folders, not int"),
    (st.check_task, (), {}, "task"),
    (st.check_task, ("arithmetic",), {"rows": "many"}, "rows"),
    (st.check_task, ("arithmetic",), {"row": 1}, "Did you mean 'rows'"),
    (st.check_task, (None,), {}, "task"),
    (st.score_response, ("math",), {}, "response"),
    (st.score_response, (None, "x", "y"), {}, "name"),
    (st.score_response, ("math", None, "y"), {}, "response"),
    (st.score_response, ("mathh", "x", "y"), {}, "Did you mean 'math'"),
    (st.score_response, ("math", "x", "y"), {"chioces": ()}, "chioces"),
    (st.score_response, ("math", "x", "y"), {"choices": 5}, "choices"),
    (st.score_rows, (), {}, "rows"),
    (st.score_rows, (5, "math"), {}, "rows"),
    (st.score_rows, (None, "math"), {}, "rows"),
    (st.score_rows, ([1, 2], "math"), {}, "rows"),
    (st.score_rows, ("text", "math"), {}, "rows"),
    (st.score_rows, ([{"response": "x"}], "math"), {"respnse": "x"}, "respnse"),
    (st.score_rows, ([{"response": "x"}], "math"), {"target": 5}, "target"),
    (st.score_rows, ([{"response": "x"}], "math"), {}, "target"),
    (st.reward, (), {}, "name"),
    (st.reward, (5,), {}, "name"),
    (st.reward, ("math",), {"when_failed": "zero"}, "when_failed"),
    (st.reward, ("math",), {"taget": "x"}, "taget"),
    (st.Run, (5,), {}, "path"),
    (st.Run, (None,), {}, "path"),
    (st.Run, (), {}, "path"),
    (st.Run, ("nowhere\0",), {}, "nowhere"),
]


@pytest.mark.parametrize(("function", "args", "kwargs", "says"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_argument_is_one_line(function, args, kwargs, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if function in (st.evaluate, st.generate):
        kwargs = {"backend": ECHO, "result_dir": str(tmp_path), **kwargs}
    if "reslt_dir" in kwargs:
        del kwargs["result_dir"]
    with pytest.raises(UserError, match=says) as failed:
        function(*args, **kwargs)
    assert "\n" not in str(failed.value)
    assert list(tmp_path.iterdir()) == [], "nothing was made"


def test_right_arguments_go_through_as_ever(tmp_path):
    run = st.evaluate("arithmetic", model="m", backend=ECHO, end=1, result_dir=tmp_path, sampling_params={})
    assert run.statistics["problems"] == 1
    assert st.score("arithmetic", run.path, ids=[0]).accuracy is not None
    assert st.score_rows([], "math", target="t") == []


def test_a_path_is_a_task_or_a_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text('{"q": "1+1?", "a": "2"}\n', encoding="utf-8")
    (tmp_path / "sums.yaml").write_text(
        "dataset_path: rows.jsonl\nprompt: '{{ q }}'\ntarget: a\nscorer: math\n", encoding="utf-8"
    )
    run = st.evaluate(Path("sums.yaml"), model="m", backend=ECHO, result_dir=tmp_path)
    assert (run.task, len(run)) == ("sums", 1)
    [again] = st.evaluate([tmp_path / "sums.yaml"], model="m", backend=ECHO, result_dir=tmp_path / "b")
    assert again.task == "sums"
    assert st.score(Path("sums.yaml"), run.path).task == "sums"
    assert st.check_task(Path("sums.yaml")).problems == 1
    with pytest.raises(UserError, match="model='./nothing': there is no such file or folder"):
        st.evaluate("arithmetic", model=Path("nothing"), backend=ECHO, result_dir=tmp_path)
