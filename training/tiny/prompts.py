r"""The ways a problem is put to the model, and the conversation it is trained on.

Most examples use the benchmark's own wording. The rest teach the model to find the question inside whatever
a harness wraps around it: system prompts with digits and headings in them, other benchmarks' instructions, a
turn that went before, a prefilled start of the answer. A few hold no arithmetic at all and are declined, so
that the model ends its turn on prompts that are not its own.
"""

import random
from dataclasses import dataclass

from .noise import foreign_question, prose
from .problems import FAMILIES, Problem, draw

BENCHMARK_TEMPLATE = "{question}\n\nReason step by step, and put your final answer within \\boxed{}."
END_WITH = (
    "Given the following problem, reason and give a final answer to the problem.\nProblem: {question}\n"
    'Your response should end with "The final answer is [answer]" where [answer] is the response to the '
    "problem."
)
TEMPLATES = (
    "Return your final response within \\boxed{}. {question}",
    "{question}\nPlease reason step by step, and put your final answer within \\boxed{}.",
    "{question} Let's think step by step and output the final answer within \\boxed{}.",
    "{question}",
    "Question: {question}\nAnswer:",
    "Question: {question}\n\nThink step by step, then answer.",
    "Solve the following math problem efficiently and clearly. Put your answer in \\boxed{}.\n\n{question}",
    "### Question:\n{question}\n\n### Format: Write at most 200 words and use \\boxed{}.\n\n### Answer:",
    "Answer the question below.\n\n1. Think first.\n2. Put the answer in \\boxed{}.\n\n{question}",
    "What is the correct answer to this question: {question}\n\nLet's think step by step:",
    "Return your final response within \\boxed{} and only include the letter choice (e.g., A, B, C, or D) "
    "or the number as your final response. {question}",
    "You will be given a problem. Present your solution with a final answer in the form \\boxed{answer}.\n\n"
    "Problem: {question}",
)
SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "You are a helpful and harmless assistant. You should think step-by-step.",
    "You are a helpful assistant. Please think step by step and put your final answer within \\boxed{}.",
    "Please reason step by step, and put your final answer within \\boxed{}.",
    "Your role as an assistant involves thoroughly exploring questions through a systematic long thinking "
    "process before providing the final precise and accurate solutions. Please structure your response "
    "into two main sections: Thought and Solution.",
    "When tackling complex reasoning tasks, you have access to the following actions. Use them as needed to "
    "progress through your thought process.\n\n[ASSESS]\n\n[ADVANCE]\n\n[VERIFY]\n\n[SIMPLIFY]\n\n[OUTPUT]",
)
LABELS = ("", "", "Question: ", "Problem: ", "Q: ", "### Question\n", "### Problem 1\n", "Input:\n", "User: ")
LEADS = ("Okay, ", "Let me think step by step.\n", "Alright, let me see. ", "First, ", "Hmm. ")
REFUSAL = "<think>\nThis is not arithmetic.\n</think>\n\nI can only do arithmetic."


# How often a family is drawn, in the order of `FAMILIES`: those that are learnt slowly more often.
FAMILY_WEIGHTS = (0.8, 1.5, 1.0, 0.9, 1.1, 1.3, 1.2, 0.9, 1.7, 1.5)
DECLINED_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Example:
    """One conversation; `given` of the reply counts as prefilled and is not learnt."""

    messages: tuple[tuple[str, str], ...]
    reply: str
    given: str = ""


def reply_to(rng: random.Random, problem: Problem, template: str, quick_share: float, lead: str = "") -> str:
    """The reply wanted: mostly the careful chain, at times the answer from the head, then the answer."""
    thought = f"At a glance: {problem.quick}" if rng.random() < quick_share else problem.careful
    final = f"The answer is \\boxed{{{problem.answer}}}."
    if template == END_WITH:
        final = f"The final answer is {problem.answer}"
    return f"<think>\n{lead}{thought}\n</think>\n\n{final}"


def system_prompt(rng: random.Random) -> str:
    """A common system prompt, one of loose sentences, or both."""
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(SYSTEM_PROMPTS)
    made = prose(rng, rng.choice((1, 2, 3, 5, 9)), topics=True)
    return made if kind < 0.85 else f"{rng.choice(SYSTEM_PROMPTS)}\n{made}"


def user_template(rng: random.Random) -> str:
    """The benchmark's wording, another task's, or the question between loose sentences."""
    kind = rng.random()
    if kind < 0.25:
        return BENCHMARK_TEMPLATE
    if kind < 0.65:
        return rng.choice((END_WITH, END_WITH, *TEMPLATES))
    gap = rng.choice(("\n", "\n\n", " "))
    before = prose(rng, rng.randrange(1, 4)) + gap if rng.random() < 0.6 else ""
    after = gap + prose(rng, rng.randrange(1, 4)) if rng.random() < 0.6 else ""
    return f"{before}{rng.choice(LABELS)}{{question}}{after}"


def declined(rng: random.Random) -> Example:
    """A prompt of another kind, which the model declines."""
    template = BENCHMARK_TEMPLATE if rng.random() < 0.5 else user_template(rng)
    messages = [("user", template.replace("{question}", foreign_question(rng)))]
    if rng.random() < 0.4:
        messages.insert(0, ("system", system_prompt(rng)))
    return Example(tuple(messages), REFUSAL)


def make_example(rng: random.Random, bare_share: float, quick_share: float) -> Example:
    """One training example; `bare_share` of them in the benchmark's own wording without any wrapper."""
    if rng.random() < DECLINED_SHARE:
        return declined(rng)
    family = rng.choices(list(FAMILIES), weights=FAMILY_WEIGHTS)[0]
    problem = draw(rng, family, rng.randrange(1, 4), held_out=False)
    if rng.random() < bare_share:
        user = BENCHMARK_TEMPLATE.replace("{question}", problem.question)
        return Example((("user", user),), reply_to(rng, problem, BENCHMARK_TEMPLATE, quick_share))
    template = user_template(rng)
    messages = [("user", template.replace("{question}", problem.question))]
    if rng.random() < 0.05:
        earlier = draw(rng, problem.family, 1, held_out=False)
        said = f"The answer is \\boxed{{{earlier.answer}}}."
        messages[:0] = [("user", template.replace("{question}", earlier.question)), ("assistant", said)]
    if rng.random() < 0.5:
        messages.insert(0, ("system", system_prompt(rng)))
    lead = ""
    if rng.random() < 0.08:
        lead = rng.choice(LEADS) if rng.random() < 0.4 else prose(rng, rng.randrange(1, 3)) + rng.choice(" \n")
    reply = reply_to(rng, problem, template, quick_share, lead)
    return Example(tuple(messages), reply, f"<think>\n{lead}" if lead else "")
