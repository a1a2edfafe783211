"""Text around a question: system prompts, instructions and other tasks, with no end of variety.

A small model trained on a few fixed wordings reads numbers out of anything else that stands in its prompt. So
most of this text is loose words, made-up words, numbers and markup in any order: what cannot be learnt by
heart must be learnt to be passed over.
"""

import random

# Sentences a system prompt may be made of; `{n}` becomes some number, so that digits there are nothing new.
SENTENCES = (
    "You are an expert in mathematics with {n} years of experience.",
    "Knowledge cutoff: 20{n}-10.",
    "Today is {n} March 2024.",
    "Use no more than {n} words.",
    "### Format",
    "## Instructions",
    "# Role",
    "1. Read the question.",
    "2. Work in small steps.",
    "3. Check the result.",
    "Think carefully before you answer.",
    "Be concise and precise.",
    "Answer in English.",
    "Do not use any tools.",
    "The final answer must be written as \\boxed{answer}.",
    "You must follow all {n} rules given by the user.",
    "First write your thoughts, then write the solution.",
    "If you are not sure, give your best guess.",
    "The user is a student in grade {n}.",
    "Reasoning effort: high",
    "Temperature is {n} degrees and the weather is fine.",
    "Please be polite, honest, and helpful at all times.",
)
# What other tasks ask about, for prompts to be declined and as noise.
TOPICS = (
    "Let $ABC$ be a triangle with sides of length ${n}$ and angle $\\theta$. Find the area of the circle.",
    "Write a Python function that takes a list of integers and returns the maximum value.",
    "def solve(numbers, target):\n    for i in range(len(numbers)):\n        return i",
    "Which of the following is the best explanation of the result of the experiment?",
    "The first line of the input contains a single integer n (1 <= n <= 10^{n}).",
    "Let $f(x) = x^{n} + 3x - 1$ for all real numbers $x$. What is the value of $f'(2)$?",
    "Prove that there are infinitely many primes.",
    "Write an essay of at least {n} words about the history of the city, in all lowercase letters.",
    "What is the capital of France?",
    "How many positive integers less than {n}00 have exactly {n} divisors?",
    "A particle moves in the plane with velocity $v$ and mass $m$. What is its energy at time t?",
    "Suppose that the probability of an event is $p$. What is the expected number of events?",
    "You will be given a string of words. Return a new string that contains only the vowels.",
    "Translate the sentence into German.",
    "The enzyme was found in the cells of the patients, and the protein was then purified.",
    "For example, given the input [1, 2, {n}], the output should be [2, 1].",
    "Your response should contain {n} sections marked with SECTION X.",
    "Tell me a story about a dragon who was afraid of the dark.",
    "Find all real solutions of the equation $\\sqrt{x + {n}} = \\frac{x}{2}$.",
    "Generate an executable Python function from the given prompt. Read from stdin and write to stdout.",
)
HEADINGS = (
    "### {w}",
    "## {w}",
    "# {w}:",
    "- {w}",
    "* {w} {n}",
    "{n}. {w}",
    "**{w}:**",
    "[{w}]",
    "<{w}>",
    "{w} {n}:",
)
MARKUP = (
    "\\boxed{answer}",
    "\\boxed{{n}}",
    "\\boxed{}",
    "<|end_of_{w}|>",
    "<{w}>",
    "[{w}]",
    "{{w}}",
    "({w})",
    "'\\n\\n'",
    "`{w}`",
    "**{w}**",
    '"{w}"',
    "(e.g., A, B, C, or D)",
    "${w}$",
    "{n}-{n}-{n}",
    "{n}%",
    "({n} {w})",
    "{n}/{n}",
)
ONSETS = (
    "",
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "st",
    "str",
    "t",
    "th",
    "tr",
    "v",
    "w",
)
VOWELS = ("a", "e", "i", "o", "u", "ea", "ou", "io")
CODAS = ("", "", "n", "r", "s", "t", "l", "nt", "ck", "ng", "st", "ve", "tion", "ly", "m")
WORDS = sorted({word.strip(".,:?") for text in (*SENTENCES, *TOPICS) for word in text.split() if word[:1].isalpha()})


def word(rng: random.Random) -> str:
    """A word of the pools, or one that nobody has seen."""
    if rng.random() < 0.65:
        return rng.choice(WORDS)
    syllables = (rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.randrange(1, 4)))
    made = "".join(syllables)
    return made.capitalize() if rng.random() < 0.2 else made


def _filled(rng: random.Random, pattern: str) -> str:
    """A pattern with its `{n}` and `{w}` replaced, each by something else."""
    while "{n}" in pattern:
        pattern = pattern.replace("{n}", str(rng.randrange(10 ** rng.randrange(1, 5))), 1)
    while "{w}" in pattern:
        pattern = pattern.replace("{w}", word(rng), 1)
    return pattern


def _loose_sentence(rng: random.Random) -> str:
    """Words, numbers and markup in any order."""
    parts: list[str] = []
    for _ in range(rng.randrange(2, 18)):
        kind = rng.random()
        pattern = "{w}" if kind < 0.8 else "{n}" if kind < 0.88 else rng.choice(MARKUP)
        parts.append(_filled(rng, pattern) + ("," if rng.random() < 0.08 else ""))
    return f"{' '.join(parts)}{rng.choice('....:!?')}"


def prose(rng: random.Random, pieces: int, *, topics: bool = False) -> str:
    """So many sentences and headings; with `topics` also what other tasks would ask."""
    chosen: list[str] = []
    for _ in range(pieces):
        kind = rng.random()
        if topics and kind < 0.15:
            chosen.append(_filled(rng, rng.choice(TOPICS)))
        elif kind < 0.45:
            chosen.append(_filled(rng, rng.choice(SENTENCES)))
        elif kind < 0.85:
            chosen.append(_loose_sentence(rng))
        else:
            chosen.append(_filled(rng, rng.choice(HEADINGS)))
    return rng.choice((" ", " ", "\n", "\n\n")).join(chosen)


def foreign_question(rng: random.Random) -> str:
    """What another task would ask, to be declined."""
    parts = [_filled(rng, text) for text in rng.sample(TOPICS, rng.choice((1, 1, 2, 4)))]
    if rng.random() < 0.6:
        parts = parts[:1] + [_loose_sentence(rng) for _ in range(rng.randrange(1, 6))]
        rng.shuffle(parts)
    return rng.choice((" ", "\n", "\n\n")).join(parts)
