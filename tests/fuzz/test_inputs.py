"""Command line, task files, presets and Python calls with odd input: one line that says what is wrong, or a right run.

Inputs are derandomised; all of it together takes some seconds.
"""

import io
import json
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import yaml
from echo import ECHO
from hypothesis import given, settings
from hypothesis import strategies as some

import skythought as st
from skythought.cli import app
from skythought.errors import SkythoughtError, UserError
from skythought.models.library import load_model
from skythought.pipeline.arguments import escapes, ids, key_values, names
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan
from skythought.tasks.load import load_task
from skythought.tasks.problems import problems
from skythought.yamlfile import parse_yaml


def fixed(examples):
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None)


ODD = [
    "",
    " ",
    "\x00",
    "\ud800",
    "\u2019",
    "a\nb",
    "../..",
    "/",
    "nan",
    "1e999",
    "9" * 50,
    "-1",
    "{{",
    "[",
    "{a: 1}",
]
TEXT = some.sampled_from(ODD) | some.text(max_size=12)
VALUE = some.none() | some.booleans() | some.integers() | some.floats() | TEXT
JSON = some.recursive(
    VALUE, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)


def refusal(function):
    """What the error says that a function raises on purpose; None if it raises none. Any other error goes on."""
    try:
        function()
    except SkythoughtError as error:
        return str(error)
    return None


# -- the command line -----------------------------------------------------------------------------------------


def command(*arguments):
    """Exit code and output of a command line, in this process; an unforeseen error goes on to the test."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["skythought", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            app.main()
    finally:
        sys.argv = argv
    return ended.value.code or 0, out.getvalue(), err.getvalue()


FLAGS = [
    "--task", "--model", "--backend", "--backend-args", "--sampling-params", "--task-args", "--n", "--seed",
    "--batch-size", "--system-prompt", "--system-prompt-name", "--user-template", "--assistant-prefill",
    "--chat-template-kwargs", "--start", "--end", "--sandbox", "--judge-model", "--model-config",
]  # fmt: skip
PAIRS = some.sampled_from(["a=1", "a=nan", "n=1e400", "{'a': {1: 2}}"])
ARGUMENT = PAIRS | TEXT.map(lambda text: text.replace("\x00", ""))


@fixed(30)
@given(some.lists(some.tuples(some.sampled_from(FLAGS), ARGUMENT), min_size=1, max_size=3))
def test_odd_options_are_one_line(pairs):
    with tempfile.TemporaryDirectory() as folder:
        given_options = [part for pair in pairs for part in pair]
        base = ["--task", "arithmetic", "--model", "m", "--backend", ECHO, "--end", "0", "--result-dir", folder]
        code, out, err = command("evaluate", *base, *given_options)
        assert code in (0, 1, 2)
        assert "Traceback" not in out + err
        if code == 2:
            assert err.count("\n") == 1, err
            assert len(err) < 3000
            assert list(Path(folder).glob("*/run.json")) == [], "no run was made"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--n", "1000000000"),
        ("--n", "9" * 40),
        ("--batch-size", "100000000"),
        ("--start", "9" * 40),
        ("--start", "9" * 5000),
        ("--end", "9" * 40),
        ("--seed", "9" * 40),
        ("--sampling-params", "n=1000000000"),
        ("--sampling-params", "max_tokens=99999999999999"),
        ("--sampling-params", "top_k=1e400"),
        ("--sampling-params", "temperature=NaN"),
        ("--task-args", "dataset_path=/"),
        ("--task-args", "dataset_path=/dev/zero"),
        ("--task-args", "dataset_path="),
        ("--model", "m\ud800"),
    ],
)
def test_absurd_values_are_refused_at_once(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr("skythought.tasks.data.sources.MOST_FILES", 1000)
    base = ("--task", "arithmetic", "--model", "m", "--backend", ECHO, "--result-dir", str(tmp_path))
    code, _, err = command("evaluate", *base, *arguments)
    assert code == 2
    assert err.count("\n") == 1
    assert list(tmp_path.glob("*/run.json")) == []


@pytest.mark.parametrize("key", ["sk-a\nX: y", "sk-\u2019a", "sk-a\r", "\u202esk", "ключ"])
def test_a_key_that_cannot_be_sent_is_one_line_that_does_not_show_it(key, tmp_path, monkeypatch):
    def asked(**args):
        options = Options(task=("gsm8k",), model="m", backend="openai", backend_args=args, result_dir=tmp_path)
        return refusal(lambda: make_plan(options, grade=True))

    for said in (asked(api_key=key), asked(default_headers={"X-Key": key})):
        assert "cannot be sent" in said
        assert key not in said
    monkeypatch.setenv("OPENAI_API_KEY", key)
    assert "OPENAI_API_KEY" in asked()


@fixed(150)
@given(some.text(max_size=30) | some.text("a={}[]'\",:1 \\", max_size=30))
def test_what_people_type_is_values_or_one_line(text):
    for read in (lambda: key_values(text, "--x"), lambda: ids(text), lambda: names([text]), lambda: escapes(text)):
        refusal(read)


# -- files ----------------------------------------------------------------------------------------------------

TASK = {"dataset_path": "rows.jsonl", "prompt": "{{ q }}", "target": "a", "scorer": "math"}
FIELDS = [
    *TASK, "name", "like", "handler", "dataset_subset", "dataset_split", "dataset_kwargs", "templating_parameters",
    "preprocess_config", "aliases", "choices", "shuffle_choices", "filters", "format", "parameters", "unrecorded",
    "solution", "few_shot", "report_by", "size", "version", "question_key", "answer_key", "description",
]  # fmt: skip
JINJA = some.sampled_from(["{{ q }}", "{{ no }}", "{% for x in q %}{% endfor %}", "{{ q | no }}", "q | int", "("])


@fixed(60)
@given(some.dictionaries(some.sampled_from(FIELDS), JSON | JINJA, max_size=3))
def test_a_task_of_odd_values_is_a_task_or_one_line(changes):
    with tempfile.TemporaryDirectory() as folder:
        rows, file = Path(folder) / "rows.jsonl", Path(folder) / "t.yaml"
        rows.write_text('{"q": "1+1", "a": "2"}\n', encoding="utf-8")
        file.write_text(json.dumps({**TASK, **changes}), encoding="utf-8")
        said = refusal(lambda: list(problems(load_task(str(file)))))
        assert said is None or len(said) < 3000
        assert rows.read_text(encoding="utf-8") == '{"q": "1+1", "a": "2"}\n'


@fixed(150)
@given(some.text(max_size=40) | some.text("a: &*[]{}-\n!'\"#|>%@<", max_size=40))
def test_any_text_is_yaml_or_one_line(text):
    said = refusal(lambda: parse_yaml(text, "t.yaml"))
    assert said is None or said.startswith("t.yaml")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, TypeError):
        return
    if isinstance(value, str) and said is None:
        assert parse_yaml(text, "t.yaml") == value, "read as ever"


@fixed(60)
@given(
    some.dictionaries(
        some.sampled_from(["m", "tiny", "a\nb"]), JSON | some.fixed_dictionaries({"like": TEXT}), max_size=2
    )
)
def test_presets_of_odd_values_are_presets_or_one_line(models):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "models.yaml"
        file.write_text(json.dumps({"models": models}), encoding="utf-8")
        said = refusal(lambda: load_model("m", model_config=file))
        assert said is None or len(said) < 3000


# -- Python ---------------------------------------------------------------------------------------------------

CALLS = [
    (
        st.evaluate,
        ["n", "seed", "start", "end", "batch_size", "sampling_params", "task_args", "backend_args"],
    ),
    (st.generate, ["system_prompt", "user_template", "chat_template_kwargs", "as_test", "overwrite", "model_config"]),
    (st.score, ["ids", "executor", "sandbox", "ray_address", "judge_model", "judge_backend_args"]),
    (st.check_task, ["task_args", "rows", "show", "expect_size"]),
    (st.reward, ["target", "choices", "fraction", "when_failed"]),
    (st.score_rows, ["response", "target", "choices", "finish_reason"]),
]


@fixed(80)
@given(some.data())
def test_python_calls_with_odd_arguments_are_user_errors(data):
    function, parameters = data.draw(some.sampled_from(CALLS))
    odd = {
        name: data.draw(JSON) for name in data.draw(some.lists(some.sampled_from(parameters), min_size=1, max_size=2))
    }
    with tempfile.TemporaryDirectory() as folder:
        arguments = {
            st.evaluate: (("arithmetic",), {"model": "m", "backend": ECHO, "end": 0, "result_dir": folder}),
            st.generate: (("arithmetic",), {"model": "m", "backend": ECHO, "end": 0, "result_dir": folder}),
            st.score: (("arithmetic", folder), {}),
            st.check_task: (("no such task",), {}),
            st.reward: (("math",), {}),
            st.score_rows: (([], "math"), {}),
        }
        args, kwargs = arguments[function]
        refusal(lambda: function(*args, **{**kwargs, **odd}))


def test_a_misspelt_option_is_told_with_the_right_one():
    with pytest.raises(UserError, match="Did you mean 'sampling_params'"):
        st.evaluate("arithmetic", model="m", sampling_parameters={})
