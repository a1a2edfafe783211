import pytest

from skythought.models.thinking import split_thinking


@pytest.mark.parametrize(
    ("content", "thinking", "answer"),
    [
        ("plain answer", "", "plain answer"),
        ("<think>\nhm\n</think>\n\n4", "<think>\nhm\n", "4"),
        ("opened by the template\n</think>4", "opened by the template\n", "4"),
        ("<|begin_of_thought|> a <|end_of_thought|> <|begin_of_solution|> 4", "<|begin_of_thought|> a ", None),
        ("<think>a</think> b <think>c</think> 4", None, " 4"),
        ("The tag <think> opens thinking. 4", "", "The tag <think> opens thinking. 4"),
        ("[THINK]a[/THINK]4", "[THINK]a", "4"),
    ],
)
def test_the_answer_is_what_follows_the_thinking(content, thinking, answer):
    split = split_thinking(content)
    if thinking is not None:
        assert split.thinking == thinking
    assert split.answer == (" <|begin_of_solution|> 4" if answer is None else answer)


@pytest.mark.parametrize(
    "content", ["<think>\nIs it \\boxed{4}?", "  <think>never ends", "<think>a</think>\n<think> again"]
)
def test_thinking_that_never_closes_is_no_answer(content):
    assert split_thinking(content).answer is None


def test_a_prompt_that_opens_the_thinking_is_remembered():
    assert split_thinking("still at it, \\boxed{4}", opened=True).answer is None
    assert split_thinking("done</think>4", opened=True).answer == "4"


def test_thinking_kept_apart_by_the_endpoint():
    assert split_thinking("4", reasoning="hm") == ("hm", "4")
    assert split_thinking("", reasoning="cut off while thinking").answer is None


def test_the_models_own_tags_replace_the_common_ones():
    tags = [("<<", ">>")]
    assert split_thinking("<<a>>4", tags=tags).answer == "4"
    assert split_thinking("<think>a</think>4", tags=tags).answer == "<think>a</think>4"


PROGRAM = "```python\n{}\nprint(input())\n```\nDone."


@pytest.mark.parametrize(
    "line", ["# strips </think> from a text", "TAG = '</think>'", "# up to </think>", "TEXT = '''\n</think>\n'''"]
)
def test_a_closing_tag_in_the_code_of_the_answer_is_code(line: str) -> None:
    answer = PROGRAM.format(line)
    assert split_thinking(f"<think>It is easy.</think>\n{answer}").answer == answer
    assert split_thinking(f"It is easy.\n</think>\n\n{answer}").answer == answer


@pytest.mark.parametrize("line", ["# strips </think> from a text", "TAG = '</think>'"])
def test_a_closing_tag_in_the_code_of_an_answer_without_thinking_is_code(line: str) -> None:
    assert split_thinking(PROGRAM.format(line)).answer == PROGRAM.format(line)


@pytest.mark.parametrize("answer", ["It is 5.", "```\nprint(5)\n```", "```python\nprint(5)\n```"])
def test_code_in_the_thinking_that_is_never_closed_ends_with_it(answer: str) -> None:
    for opening in ("<think>", ""):
        content = f"{opening}Maybe:\n```python\nprint(4)\n</think>\n{answer}"
        assert split_thinking(content, opened=not opening).answer == answer


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ("<|channel|>analysis<|message|>2+2, hm<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>", "4"),
        ("<|start|>assistant<|channel|>final<|message|>4", "4"),
        ("<|channel|>analysis<|message|>a<|end|><|channel|>final <|constrain|>json<|message|>{}", "{}"),
        ("analysisMaybe B.assistantfinalC", "C"),
        ("analysisIs it A?assistantcommentaryI look.assistantfinalThe answer is C.", "The answer is C."),
        ("analysis the user asks. assistantfinal4", "4"),
        ("finalThe answer is C.", "The answer is C."),
        ("assistantfinal4", "4"),
        ("analysisMaybe B. The answer is B", None),
        ("<|channel|>analysis<|message|>Maybe \\boxed{4}", None),
        ("<|channel|>commentary to=functions.run <|message|>4", None),
        ("Analysis: the final answer is 4", "Analysis: the final answer is 4"),
        ("analysis of variance gives 4", "analysis of variance gives 4"),
        ("final answer: 4", "final answer: 4"),
        ("finalAnswer = 4", "finalAnswer = 4"),
    ],
)
def test_of_channels_only_the_final_one_is_the_answer(content, answer):
    assert split_thinking(content).answer == answer


@pytest.mark.parametrize(
    "content",
    [
        "<|START_THINKING|>a<|END_THINKING|>4",
        "<|inner_prefix|>a<|inner_suffix|>4",
        "<unused94>thought\na<unused95>4",
        "<|channel>thought\na<channel|>4",
        "<Thought>a</Thought>4",
        "<scratchpad>a</scratchpad>4",
    ],
)
def test_each_dialect_of_tags(content):
    assert split_thinking(content).answer == "4"
