r"""One spelling for the ways to mark an answer, and where a response ends. A new dialect is a line in a table here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

__all__ = ["spelled", "turns"]

TAGS = ("answer", "final_answer", "final answer", "finalanswer", "final", "solution", "ans")
"""XML tags, in any case, around an answer; in square brackets too."""
TOKENS = {"<|begin_of_box|>": "<answer>", "<|end_of_box|>": "</answer>"}
"""Pairs of tokens around an answer: GLM-V."""
KEYS = ("answer", "final_answer", "finalAnswer", "final answer", "correct_answer", "result", "solution", "choice")
"""Keys of a JSON object, of which the value is the answer."""
ENDS = (
    *("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end_of_text|>", "<|end|>", "<|return|>", "<|eom_id|>", "</s>"),
    *("<|im_start|>", "<|start_header_id|>", "<|user|>", "<|assistant|>", "<|END_OF_TURN_TOKEN|>", "<end_of_turn>"),
    *("<start_of_turn>", "<eos>", "<|end_of_turn|>", "<|endofturn|>", "<｜end▁of▁sentence｜>", "<|User|>", "[/INST]"),
    *(
        "<｜User｜>",
        "[INST]",
        "<EOD>",
        "<|role_end|>",
        "<|message_sep|>",
        "<|eom|>",
        "<|END_RESPONSE|>",
        "<|observation|>",
    ),
)
"""Tokens that end a model's turn, or open another's."""
TURNS = (
    *(
        "Question",
        "QUESTION",
        "Human",
        "HUMAN",
        "User",
        "USER",
        "Problem",
        "PROBLEM",
        "Instruction",
        "Input",
        "Exercise",
    ),
    *("问题", "题目", "用户", "Frage", "Pregunta", "Q"),
)
"""What opens a further question of the model's own making, at the start of a line and before a colon."""

END = re.compile("|".join(map(re.escape, ENDS)))
TURN = re.compile(
    rf"^[ \t#*_>\[(]{{0,6}}(?:(?:{'|'.join(TURNS)})[ \t]{{0,3}}\d{{0,3}}[*_\]) ]{{0,4}}[:：]"
    r"|(?:Next|New|Another)\s(?:problem|question)\b)",
    re.MULTILINE,
)
LONGEST = 400
MOST_TURNS = 5
"""Further questions that a response is read up to, one after another."""
TAGGED = re.compile(
    rf"<({'|'.join(TAGS)})>(.{{1,{LONGEST}}}?)(?:</\1>|\Z)"
    rf"|\[({'|'.join(TAGS)})\](.{{1,{LONGEST}}}?)(?:\[/\3\]|\Z)",
    re.IGNORECASE | re.DOTALL,
)
JSON = re.compile(
    rf"[\"'](?:{'|'.join(KEYS)})[\"']\s{{0,3}}:\s{{0,3}}"
    rf"(\"(?:[^\"\\]|\\.){{0,{LONGEST}}}\"|'[^'\n]{{0,{LONGEST}}}'|\[[^\[\]]{{0,{LONGEST}}}\]"
    rf"|[^,}}\n\"'\[]{{1,{LONGEST}}})"
)


def spelled(response: str) -> str:
    r"""The response up to the end of the model's turn, with every kind of wrapper around an answer as `\boxed{...}`."""
    if "<" in response or "[" in response:
        for end in END.finditer(response):
            if response[: end.start()].strip():
                response = response[: end.start()]
                break
        for token, tag in TOKENS.items():
            response = response.replace(token, tag)
        response = TAGGED.sub(_boxed, response)
    if ":" in response and ('"' in response or "'" in response):
        response = JSON.sub(_boxed_value, response)
    return response


def turns(text: str) -> Iterator[int]:
    """Where further questions of the model's own making may begin, in order, and last the end of the text."""
    if any(word in text for word in (*TURNS[:-1], "Q:", "Next", "Another")):
        yield from (match.start() for match in islice(TURN.finditer(text), MOST_TURNS) if match.start())
    yield len(text)


def _boxed(match: re.Match[str]) -> str:
    content = (match[2] or match[4]).strip()
    if not content or "box" in content or content.count("{") != content.count("}"):
        return f" {content} "
    return f" \\boxed{{{content}}} "


def _boxed_value(match: re.Match[str]) -> str:
    content = match[1].strip()
    if content[:1] in "\"'":
        try:
            content = str(json.loads(content))
        except ValueError:
            content = content[1:-1]
    elif content[:1] == "[":
        content = content[1:-1].replace('"', "")
    if not content.strip() or "box" in content or content.count("{") != content.count("}"):
        return match[0]
    return f" \\boxed{{{content}}} "
