r"""Ways of writing an answer in a response, and the cases that they make of gold answers.

`benchmarks/answer_styles.py` measures all cases, `tests/scorers/test_styles.py` a part. A new style is a line in
`STYLES`, a new response that only seems right one in `TRAPS`; golds are in `answer_golds`, rewritings and changes of an
answer in `answer_writings`.
In a template stand for the answer: LATEX (as in a box), PROSE (as in a sentence: a formula in dollars), PLAIN (without
LaTeX); OTHER is a wrong answer as in a sentence. STEP and CHECK are a sentence of working before and behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from answer_golds import Gold
from answer_writings import changes, plain, writings

from skythought.models.thinking import split_thinking
from skythought.scorers.base import Scorer
from skythought.scorers.registry import make_scorer
from skythought.types import Problem, Score

__all__ = ["STYLES", "TRAPS", "Case", "Style", "right_cases", "verdict", "wrong_cases"]


class Style(NamedTuple):
    """A way in which models write their answer."""

    name: str
    template: str
    groups: str = "MNCT"
    """First letters of the groups (math, number, choice, text) that it is tried with."""


class Case(NamedTuple):
    """A response to a gold answer, and whether it is right."""

    gold: Gold
    part: str
    """style, rewriting, change or trap: the table that counts it."""
    name: str
    """The line of that table."""
    style: str
    response: str
    right: bool


STYLES = [
    Style("box", r"\boxed{LATEX}"),
    Style("box in a sentence", r"The answer is $\boxed{LATEX}$."),
    Style("box in a display", "STEP\n\n\\[\n\\boxed{LATEX}\n\\]"),
    Style("box in two dollars", "STEP\n\n$$\\boxed{LATEX}$$"),
    Style("box in round brackets", r"So the answer is \(\boxed{LATEX}\)."),
    Style("box in bold", r"**\boxed{LATEX}**"),
    Style("box with blanks", r"\boxed{ LATEX }"),
    Style("box over lines", "\\boxed{\nLATEX\n}"),
    Style("box with dollars inside", r"\boxed{$LATEX$}"),
    Style("box with text inside", r"\boxed{\text{PLAIN}}"),
    Style("box with a formula in text", r"\boxed{\text{$LATEX$}}", "MNC"),
    Style("box with bold inside", r"$\boxed{\textbf{PLAIN}}$", "CT"),
    Style("box with two braces", r"\boxed{{LATEX}}"),
    Style("box with a full stop inside", r"\boxed{LATEX.}"),
    Style("box in a box", r"\boxed{\boxed{LATEX}}"),
    Style("box twice", "So we get $\\boxed{LATEX}$.\n\n**Final Answer**\n\\boxed{LATEX}"),
    Style("box not closed", r"The answer is \boxed{LATEX"),
    Style("box after two backslashes", r"The final answer is $\\boxed{LATEX}$"),
    Style("fbox", r"The result is \fbox{LATEX}."),
    Style("box with an end token", r"The final answer is \boxed{LATEX}.<|im_end|>"),
    Style("box of GLM", "STEP\n\n<|begin_of_box|>LATEX<|end_of_box|>"),
    Style("box, then why", "\\boxed{LATEX}\n\nExplanation: CHECK"),
    Style("box, then a sentence about the answer", "\\boxed{LATEX}\n\nThis answer is correct. CHECK"),
    Style("box after another", "At first this looks like \\boxed{OTHER}. That is wrong.\n\nSo it is \\boxed{LATEX}."),
    Style("box, not another", r"The answer is \boxed{LATEX}, not \boxed{OTHER}.", "MNC"),
    Style("two boxes, one about", "The answer is $\\boxed{LATEX}$, and the check gives $\\boxed{LATEX}$ again."),
    Style("not that, but this", "The answer is not OTHER but PROSE."),
    Style("at first", "At first I thought that the answer is OTHER, but the answer is PROSE."),
    Style("on second thought", "The answer is OTHER. Wait, that is wrong. The answer is PROSE."),
    Style("rather than", "The answer is PROSE rather than OTHER.", "NCT"),
    Style("common mistake behind", "The final answer is PROSE.\n\nA common mistake is OTHER."),
    Style("common mistake behind a box", "\\boxed{LATEX}\n\nNote: OTHER is a common mistake."),
    Style("plain in a sentence", "STEP The final answer is PLAIN.", "M"),
    Style("plain behind Answer:", "Answer: PLAIN", "M"),
    Style("plain in the last line", "STEP\nPLAIN", "M"),
    Style("the final answer is", "STEP The final answer is PROSE."),
    Style("the answer is", "STEP So the answer is PROSE"),
    Style("the correct answer is", "STEP The correct answer is PROSE.", "NCT"),
    Style("the answer is, in bold", "STEP The answer is **PROSE**."),
    Style("the answer is a display", "STEP The final answer is\n\n\\[\nLATEX\n\\]", "MN"),
    Style("the answer is two dollars", "STEP The final answer is: $$LATEX$$", "MN"),
    Style("the answer would be", "STEP Therefore, the answer would be PROSE."),
    Style("my answer", "STEP My final answer is PROSE."),
    Style("answer in code", "The answer is `PLAIN`."),
    Style("answer in quotes", 'The answer is "PLAIN".', "CT"),
    Style("I hope it is correct", "STEP Final Answer: The final answer is PROSE. I hope it is correct."),
    Style("Answer:", "STEP\n\nAnswer: PROSE"),
    Style("ANSWER:", "STEP\n\nANSWER: PROSE"),
    Style("Final answer:", "STEP\n\nFinal answer: PROSE."),
    Style("**Answer:**", "STEP\n\n**Answer:** PROSE"),
    Style("**Answer**:", "STEP\n\n**Answer**: PROSE"),
    Style("**Final Answer: X**", "STEP\n\n**Final Answer: PROSE**"),
    Style("Answer on the next line", "STEP\n\nAnswer:\nPROSE"),
    Style("bold heading, answer in bold", "STEP\n\n**Final Answer**\n\n**PROSE**"),
    Style("heading", "STEP\n\n### Final Answer\n\nPROSE"),
    Style("heading, underlined", "STEP\n\nFinal Answer\n============\nPROSE"),
    Style("heading with the answer", "STEP\n\n## Answer: PROSE"),
    Style("four hashes", "STEP\n#### PROSE"),
    Style("list of steps", "1. STEP\n2. Then we look at what is left.\n3. **Answer:** PROSE"),
    Style("item of a list", "- Step 1: STEP\n- Final answer: PROSE"),
    Style("line of a table", "| step | value |\n|---|---|\n| first | STEP |\n| **Answer** | PROSE |", "NCT"),
    Style("quote", "STEP\n\n> **Answer:** PROSE"),
    Style("answer first", "Answer: PROSE\n\nExplanation: CHECK"),
    Style("answer first, in bold", "**PROSE**\n\nCHECK", "NCT"),
    Style("last line", "STEP\nPROSE"),
    Style("last line, a display", "STEP\n\n$$LATEX$$", "MN"),
    Style("nothing else", "PROSE"),
    Style("nothing else, with an end token", "PROSE<|im_end|>"),
    Style("nothing else, with </s>", "PROSE</s>"),
    Style("equals sign", "= PROSE", "N"),
    Style("equals sign behind working", "STEP\n= PROSE", "N"),
    Style("So, X.", "STEP\n\nSo, PROSE."),
    Style("so we get", "STEP Therefore, we get PROSE.", "MN"),
    Style("thus, in bold", "STEP\n\nThus it is **PROSE**."),
    Style("equation", "STEP\n\nTherefore, the result is $q = LATEX$.", "N"),
    Style("answer tags", "STEP\n\n<answer>LATEX</answer>"),
    Style("answer tags, a sentence", "STEP\n\n<answer>The answer is PROSE.</answer>"),
    Style("answer tags over lines", "<answer>\nPROSE\n</answer>"),
    Style("answer tags around a box", r"<answer> \boxed{LATEX} </answer>"),
    Style("thinking and answer tags", "<think>\nMaybe OTHER.\n</think>\n<answer>PROSE</answer>"),
    Style("JSON", '{"answer": "JSON"}'),
    Style("JSON in a fence", 'STEP\n\n```json\n{\n  "reasoning": "STEP",\n  "answer": "JSON"\n}\n```'),
    Style("JSON, final_answer", '{"reasoning": "CHECK", "final_answer": "JSON"}'),
    Style("XML, final_answer", "STEP\n\n<final_answer>LATEX</final_answer>"),
    Style("hope this helps", "STEP The final answer is PROSE.\n\nI hope this helps!"),
    Style("hope this answer helps", "The final answer is PROSE. I hope this answer is helpful!"),
    Style("let me know", "The answer is PROSE. Let me know if you have any questions or want 2 other ways to see it."),
    Style("box and politeness", "\\boxed{LATEX}\n\nFeel free to ask if the answer is not clear!"),
    Style("checked afterwards", "STEP The answer is PROSE.\n\nCHECK"),
    Style("verified", "The final answer is PROSE. Hence the answer is verified."),
    Style("reasonable", "The final answer is PROSE. This result is reasonable since each bag has 6.", "MN"),
    Style("obtained by", "The final answer is PROSE. The answer is obtained by multiplying the two parts.", "MN"),
    Style("because", "The answer is PROSE because of what was shown above."),
    Style("comma and why", "The answer is PROSE, as shown above."),
    Style("confidence", "Explanation: STEP\nAnswer: PROSE\nConfidence: 95%"),
    Style("note behind", "**Answer:** PROSE\n\n*Note: 2 other ways lead to the same.*"),
    Style("for all real", "The answer is PROSE for all real $t$.", "M"),
    Style("next Question:", "STEP The answer is PROSE.\n\nQuestion: What comes next?\nAnswer: The answer is OTHER."),
    Style("next Human:", "The answer is PROSE.\n\nHuman: And the next one?\n\nAssistant: The answer is OTHER."),
    Style("next User:", "Answer: PROSE\n\nUser: Another one, please.\nAssistant: Answer: OTHER"),
    Style("next Problem:", "Answer: PROSE\n\nProblem: Find the next one.\nSolution: The answer is OTHER."),
    Style("next turn of ChatML", "\\boxed{LATEX}<|im_end|>\n<|im_start|>user\nNext: \\boxed{OTHER}"),
    Style(
        "next turn of Llama 3", "The answer is PROSE.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nIs it OTHER?"
    ),
    Style("next turn of Gemma", "The answer is PROSE.<end_of_turn>\n<start_of_turn>user\nIs the answer OTHER?"),
    Style("next turn of Mistral", "The answer is PROSE.</s>[INST] Is the answer OTHER? [/INST]"),
    Style("think", "<think>\nSTEP Maybe the answer is OTHER.\n</think>\n\nThe answer is PROSE."),
    Style("think, opened by the template", "STEP So \\boxed{OTHER}? No.\n</think>\n\n\\boxed{LATEX}"),
    Style("thinking", "<thinking>The answer is OTHER. Hmm, no.</thinking>\n\nThe answer is PROSE."),
    Style("thought", "<thought>\nThe answer is OTHER. Hmm, no.\n</thought>\nThe answer is PROSE."),
    Style("reasoning", "<reasoning>\nThe answer is OTHER. Hmm, no.\n</reasoning>\n\n**Answer:** PROSE"),
    Style("[THINK]", "[THINK]The answer is OTHER. Hmm, no.[/THINK]The answer is PROSE."),
    Style("seed:think", "<seed:think>The answer is OTHER? No.</seed:think>The answer is PROSE."),
    Style("think of Kimi", "◁think▷The answer is OTHER? No.◁/think▷The answer is PROSE."),
    Style(
        "thought and solution of Sky-T1",
        "<|begin_of_thought|>\n\nIs it OTHER?\n\n<|end_of_thought|>\n\n"
        "<|begin_of_solution|>\n\nSTEP \\boxed{LATEX}\n\n<|end_of_solution|>",
    ),
    Style(
        "channels of gpt-oss",
        "<|channel|>analysis<|message|>Maybe OTHER.<|end|><|start|>assistant<|channel|>final<|message|>"
        "The answer is PROSE.<|return|>",
    ),
    Style(
        "channels of gpt-oss, answer alone",
        "<|channel|>analysis<|message|>The answer is OTHER?<|end|><|start|>assistant<|channel|>final<|message|>PROSE",
    ),
    Style("channels without tokens", "analysisMaybe OTHER.assistantfinalThe answer is PROSE."),
    Style("channels without tokens, box", "analysisIs it OTHER? STEPassistantfinal\\boxed{LATEX}"),
    Style("channels without tokens, alone", "analysisSTEPassistantfinalPROSE"),
    Style("Chinese", "因此，答案是 PROSE。"),
    Style("Chinese, with a colon", "所以答案为：PROSE"),
    Style("Chinese, final", "综上所述，最终答案是PROSE。"),
    Style("Chinese, in brackets", "STEP\n\n【答案】PROSE"),
    Style("Chinese, box", "因此，最终答案是 $\\boxed{LATEX}$。希望对你有帮助！"),
    Style("Japanese", "したがって、答えは PROSE です。"),
    Style("Japanese, colon", "答え：PROSE"),
    Style("Korean", "따라서 정답은 PROSE입니다."),
    Style("Korean, with a blank", "정답은 PROSE 입니다."),
    Style("Korean, colon", "정답: PROSE"),
    Style("Spanish", "Por lo tanto, la respuesta es PROSE."),
    Style("Spanish, final", "**Respuesta final:** PROSE"),
    Style("French", "Donc, la réponse est PROSE."),
    Style("French, final", "Réponse finale : PROSE"),
    Style("German", "Die Antwort ist PROSE."),
    Style("German, lautet", "Die richtige Antwort lautet PROSE."),
    Style("German, colon", "**Antwort:** PROSE"),
    Style("Portuguese", "Portanto, a resposta é PROSE."),
    Style("Italian", "Quindi la risposta è PROSE."),
    Style("Russian", "Ответ: PROSE"),
    Style("Russian, in a sentence", "Таким образом, ответ — PROSE."),
    Style("Arabic", "الإجابة هي PROSE."),
    Style("Arabic, colon", "الإجابة: PROSE"),
    Style("Chinese, choose", "综上，选 PROSE。", "C"),
    Style("Chinese, choose this option", "所以选择PROSE选项", "C"),
    Style("Chinese, in bold", "**答案：PROSE**"),
    Style("Indonesian", "Jadi, jawabannya adalah PROSE."),
    Style("Malay", "Jawapan akhir: PROSE"),
    Style("Vietnamese", "Vậy đáp án là PROSE."),
    Style("Thai", "ดังนั้น คำตอบคือ PROSE"),
    Style("Bengali", "সুতরাং, উত্তর হল PROSE।"),
    Style("Hindi", "अतः उत्तर PROSE है।"),
    Style("Swahili", "Kwa hiyo, jibu ni PROSE."),
    Style("Telugu", "కాబట్టి, సమాధానం: PROSE"),
    Style("Turkish", "Cevap: PROSE"),
    Style("Polish", "Odpowiedź: PROSE"),
    Style("Dutch", "Het antwoord is PROSE."),
]

ONE_OF_EACH = ("box", "the final answer is", "last line", "answer tags")
"""The styles that every rewriting and every change is tried in."""

STEP = {
    "math": "First, 3 + 4 = 7, and then 7 \\cdot 2 = 14.",
    "number": "First, 3 + 4 = 7, and then 7 * 2 = 14.",
    "choice": "Option OTHER looks right at first, but it fails in 3 of 4 cases.",
    "text": "First look at what the 2 sentences say.",
}
CHECK = {
    "math": "Let me check: $3 \\times 4 = 12$ and $12 + 5 = 17$, which matches.",
    "number": "Let me check: 3 x 4 = 12 and 12 + 5 = 17, which matches.",
    "choice": "Option OTHER would only be right in summer, and 2 others never.",
    "text": "Let me check: each of the 3 parts holds, which matches.",
}

TRAPS = [
    Style("right in the thinking", "<think>\nThe answer is RIGHT.\n</think>\n\nThe answer is OTHER."),
    Style("right in the thinking, box", "<think>\nSo \\boxed{LATEX}.\n</think>\n\nIt is \\boxed{OTHER}."),
    Style("thinking cut short", "<think>\nSTEP So the answer is PROSE. Wait, let me check"),
    Style("thinking cut short, box", "<think>\nSTEP So \\boxed{LATEX}. Wait, let me check"),
    Style("thinking alone", "<think>\nThe answer is PROSE.\n</think>\n\n"),
    Style("reasoning cut short", "<reasoning>\nSTEP So the answer is PROSE. Wait, let me check"),
    Style("analysis cut short", "<|channel|>analysis<|message|>STEP So the answer is PROSE. Wait, let me check"),
    Style("analysis alone", "<|channel|>analysis<|message|>The answer is PROSE.<|end|>"),
    Style("analysis cut short, no tokens", "analysisSTEP So the answer is PROSE. Wait, let me check"),
    Style("right in the analysis", "analysisThe answer is PROSE.assistantfinalThe answer is OTHER."),
    Style(
        "right in the analysis, with tokens",
        "<|channel|>analysis<|message|>So \\boxed{LATEX}.<|end|><|start|>assistant<|channel|>final<|message|>OTHER",
    ),
    Style("not", "The answer is not PROSE."),
    Style("another, not this", "The answer is OTHER, not PROSE."),
    Style("another, not this, box", r"The answer is \boxed{OTHER}, not \boxed{LATEX}.", "MNC"),
    Style("not this, but another", "The answer is not PROSE but OTHER."),
    Style("at first", "At first I thought that the answer is PROSE, but the answer is OTHER."),
    Style("on second thought", "The answer is PROSE. Wait, that is wrong. The answer is OTHER."),
    Style("box, then another", "So \\boxed{LATEX}. Wait, that is wrong.\n\nThe answer is \\boxed{OTHER}."),
    Style("either", "The answer is either PROSE or OTHER."),
    Style("or", "The answer is PROSE or OTHER."),
    Style("or, boxes", "\\boxed{LATEX} or \\boxed{OTHER}", "NCT"),
    Style("cannot tell", "I cannot tell whether the answer is PROSE or OTHER."),
    Style("common mistake behind", "The final answer is OTHER.\n\nA common mistake is PROSE."),
    Style("common mistake behind a box", "\\boxed{OTHER}\n\nNote: PROSE is a common mistake."),
    Style("mistake in answer tags", "A common mistake is PROSE.\n\n<answer>OTHER</answer>"),
    Style("mistake in JSON", '{"first_guess": "JSON", "answer": "OTHER"}', "NCT"),
    Style("right in the next question", "The answer is OTHER.\n\nQuestion: Next?\nAnswer: The answer is PROSE."),
    Style("right in the next turn", "The answer is OTHER.<|im_end|>\n<|im_start|>user\nThe answer is PROSE."),
    Style("right in the next turn, Human:", "Answer: OTHER\n\nHuman: Next?\n\nAssistant: Answer: PROSE"),
    Style(
        "empty final channel", "<|channel|>analysis<|message|>PROSE<|end|><|start|>assistant<|channel|>final<|message|>"
    ),
]
"""Responses that hold the right answer and give another, or none."""
NO_STYLE = ("..", "!.", "****", '""', "`*", '"\\\\"', "$$$")
"""What comes of a writing with marks in a style with the same marks, and of a sentence in a sentence."""
HEDGED = ("or", "either", "cannot tell", "or, boxes")
SETS = ("list", "interval", "inequality")
"""Traps that are not tried with kinds that are sets: the answer with another behind "or" may be the set itself."""


class Plan(NamedTuple):
    """What a case is made of."""

    gold: Gold
    part: str
    name: str
    style: Style
    text: str
    """The answer in the response."""
    right: bool


def right_cases(golds: list[Gold], *, every: bool = False, step: int = 1) -> Iterator[Case]:
    """Each gold in each style, and each writing of each gold in `ONE_OF_EACH` and two styles by turns.

    Args:
        golds: Gold answers.
        every: Each writing in all styles.
        step: One case of so many.
    """
    return _cases(_right_plans(golds, every), step)


def wrong_cases(golds: list[Gold], *, every: bool = False, step: int = 1) -> Iterator[Case]:
    """A wrong value in each style, each change of each gold in `ONE_OF_EACH` (or in all), and the traps."""
    return _cases(_wrong_plans(golds, every), step)


def _right_plans(golds: list[Gold], every: bool) -> Iterator[Plan]:
    for place, gold in enumerate(golds):
        own = [style for style in STYLES if gold.group[0].upper() in style.groups]
        for style in own:
            yield Plan(gold, "style", style.name, style, gold.target, True)
        for turn, (name, text) in enumerate(writings(gold)):
            turns = {(7 * place + 3 * turn) % len(own), (5 * place + 11 * turn + 2) % len(own)}
            for number, style in enumerate(own):
                if every or style.name in ONE_OF_EACH or number in turns:
                    yield Plan(gold, "rewriting", name, style, text, True)


def _wrong_plans(golds: list[Gold], every: bool) -> Iterator[Plan]:
    for gold in golds:
        own = [style for style in STYLES if gold.group[0].upper() in style.groups]
        for style in own:
            yield Plan(gold, "style", style.name, style, gold.other[0], False)
        for name, text in changes(gold):
            for style in own:
                if every or style.name in ONE_OF_EACH:
                    yield Plan(gold, "change", name, style, text, False)
        for trap in TRAPS:
            if gold.group[0].upper() in trap.groups and not (gold.kind in SETS and trap.name in HEDGED):
                yield Plan(gold, "trap", trap.name, trap, gold.target, False)


def _cases(plans: Iterator[Plan], step: int) -> Iterator[Case]:
    """The cases of one plan of so many; none of those whose style cannot show the text."""
    for gold, part, name, style, text, right in islice(plans, 0, None, step):
        # In a style with a wrong interim answer that is the right one where the answer itself is wrong.
        shown = gold._replace(other=(gold.target,)) if text == gold.other[0] else gold
        response = filled(style.template, shown, text)
        if response is not None and not any(doubled in response for doubled in NO_STYLE):
            yield Case(gold, part, name, style.name, response, right)


def filled(template: str, gold: Gold, text: str) -> str | None:
    """A template with an answer in it; None where that has no plain form and the template wants one."""
    typed = plain(text) if gold.group in ("math", "number") else text
    if typed is None and "PLAIN" in template:
        return None
    template = template.replace("STEP", STEP[gold.group]).replace("CHECK", CHECK[gold.group])
    other = gold.other[0]
    template = template.replace("{OTHER}", "{" + other + "}").replace("OTHER", _in_prose(other))
    json_text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    template = template.replace("LATEX", text).replace("JSON", json_text).replace("RIGHT", _in_prose(text))
    return template.replace("PLAIN", typed or "").replace("PROSE", _in_prose(text))


def _in_prose(text: str) -> str:
    """An answer as it stands in a sentence: formulas in dollars, numbers and words as they are."""
    bare = re.sub(r"^\\text\{([^{}]*)\}$", r"\1", text).replace("\\$", "$").replace("\\%", "%")
    typed = re.search(r"sqrt\(|\*|[^\x00-\x7f]", bare) and "\\" not in bare
    if typed or re.fullmatch(r"[-+]?\$?[\d.,:/]+%?|[^\\^_{}=+<>()|]*", bare) or "**" in bare:
        return bare
    return text if "$" in text.replace("\\$", "") else f"${text}$"


def verdict(case: Case) -> Score:
    """The score of a case: thinking split off, then the group's scorer, here and now; None if the scorer crashes."""
    gold = case.gold
    scorer = SCORERS["integer" if gold.kind == "aime" else gold.group]
    problem = Problem("0", "", gold.target, gold.choices)
    answer = split_thinking(case.response).answer
    if answer is None:
        return Score(False, "the thinking never ended")
    try:
        return scorer.score(problem, answer)
    except Exception as error:  # noqa: BLE001 -- a scorer with a bug: shown, and the other cases go on
        return Score(None, f"crashed: {error!r}")


SCORERS: dict[str, Scorer] = {
    "math": make_scorer("math", {}),
    "number": make_scorer("math", {"kind": "number"}),
    "integer": make_scorer("math", {"kind": "integer"}),
    "choice": make_scorer("choice", {}),
    "text": make_scorer("text", {}),
}
