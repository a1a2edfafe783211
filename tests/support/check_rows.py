"""Two or three rows a task of the catalogue, ours, in the exact columns of its dataset."""

from __future__ import annotations

from typing import Any

from code_rows import CODE_ROWS

__all__ = ["ROWS"]

WIKI = "https://artofproblemsolving.com/wiki/index.php/{}_AIME_I_Problems/Problem_{}"
AIME_SET = [
    {
        "id": number,
        "problem": f"Find the number of positive divisors of ${base}$.",
        "solution": f"Count them: $\\boxed{{{answer}}}$.",
        "answer": answer,
        "url": WIKI.format(year, number),
    }
    for number, (year, base, answer) in enumerate([(2023, 12, "006"), (2024, 36, "009"), (2024, 2**24, "025")])
]
AIME_2025 = [
    {"question": "Find $2^8 - 20$.", "answer": "236"},
    {"question": "An angle measures $300^\\circ$ and another $36^\\circ$. What is their sum?", "answer": "336^\\circ"},
]
CHOICES = [
    {"question": "Which planet is nearest to the sun?", "choices": ["Venus", "Mercury", "Mars", "Earth"], "answer": 1},
    {"question": "Which is a prime?", "choices": ["4", "6", "7", "8"], "answer": 2},
]
NUMINA = [
    {"problem": f"If $3x = {3 * n}$, find $x$.", "solution": f"Dividing by 3, $x = \\boxed{{{n}}}$."} for n in (4, 5)
]


def numina(source: str, difficulty: float) -> list[dict[str, Any]]:
    """Two rows that the task keeps, and two that it leaves out: of another source, and too easy."""
    labelled = {"source": source, "messages": [], "gpt_difficulty": "#### 5", "gpt_difficulty_parsed": difficulty}
    rows = [{**labelled, **row} for row in NUMINA]
    return [*rows, {**rows[0], "source": "other"}, {**rows[0], "gpt_difficulty_parsed": -1.0}]


GPQA = [
    {
        "Record ID": f"rec{number}",
        "Question": f"What is {number} + 2?",
        "Correct Answer": f"{number + 2}\n",
        "Incorrect Answer 1": "30",
        "Incorrect Answer 2": " 50",
        "Incorrect Answer 3": "22\n",
        "Explanation": "Count.",
        "High-level domain": "Mathematics",
        "Subdomain": "Arithmetic",
    }
    for number in (2, 3)
]
EXAM = [
    {"id": "1", "question": "What is $2 + 2$?", "answer": "4", "answer_type": "exactMatch"},
    {"id": "2", "question": "Which is even?\nA. 1\nB. 2", "answer": "B", "answer_type": "multipleChoice"},
    {"id": "3", "question": "What is shown?", "answer": "4", "answer_type": "exactMatch", "image": "data:image/png;"},
]


ROWS: dict[str, list[dict[str, Any]]] = {
    "aime24": AIME_SET,
    "aime24_sky": AIME_SET,
    "aime25": [{"subset": "AIME2025-I", **AIME_2025[0]}, {"subset": "AIME2025-II", **AIME_2025[1]}],
    "aime25_1": AIME_2025,
    "aime25_2": AIME_2025,
    "amc23": [
        {
            "id": number,
            "problem": f"A train covers {90 * number} miles in 2 hours. What is its speed in miles per hour?",
            "answer": 45.0 * number,
            "url": WIKI.format(2023, number),
        }
        for number in (1, 2)
    ],
    "arc_c": [
        {
            "id": "X_1",
            "question": "What melts ice?",
            "choices": {"text": ["Cold", "Heat", "Wind"], "label": ["1", "2", "3"]},
            "answerKey": "2",
        },
        {
            "id": "X_2",
            "question": "Which is a gas?",
            "choices": {"text": ["Iron", "Salt", "Sand", "Wood", "Air"], "label": list("ABCDE")},
            "answerKey": "E",
        },
    ],
    "gpqa_diamond": GPQA,
    "gpqa_extended": GPQA,
    "gpqa_main": GPQA,
    "gsm8k": [
        {
            "question": "Mira bakes 4 trays of 12 rolls and sells 30. How many rolls are left?",
            "answer": "4 trays hold 4*12=<<4*12=48>>48 rolls.\n48-30=<<48-30=18>>18 are left.\n#### 18",
        },
        {
            "question": "A hall has 50 rows of 25 seats. How many seats?",
            "answer": "50*25=<<50*25=1250>>1250\n#### 1,250",
        },
    ],
    "liveaops": [
        {"question": "Solve $2^x = 64$.", "answer": "6", "post_time": "2024-03-05T10:00:00"},
        {"question": "Solve $x^2 = 2$ for $x > 0$.", "answer": "\\sqrt{2}", "post_time": "2024-03-06T10:00:00"},
    ],
    "math500": [
        {
            "problem": "Simplify $\\frac{6}{8}$.",
            "solution": "It is $\\boxed{\\frac{3}{4}}$.",
            "answer": "\\frac{3}{4}",
            "subject": "Prealgebra",
            "level": 1,
            "unique_id": "test/prealgebra/1.json",
        },
        {
            "problem": "Where is $|x| < 1$?",
            "solution": "In $\\boxed{(-1,1)}$.",
            "answer": "(-1,1)",
            "subject": "Algebra",
            "level": 2,
            "unique_id": "test/algebra/2.json",
        },
    ],
    "minervamath": [
        {"question": "How many moles are in 36 g of water?", "answer": "2.0"},
        {"question": "What is the energy of a photon of frequency $\\nu$?", "answer": "h\\nu"},
    ],
    "mmlu": [{**row, "subject": subject} for row, subject in zip(CHOICES, ["astronomy", "arithmetic"], strict=True)],
    "mmlu_pro": [
        {
            "question_id": number,
            "question": row["question"],
            "options": row["choices"],
            "answer": "ABCD"[row["answer"]],
            "answer_index": row["answer"],
            "cot_content": "",
            "category": "other",
            "src": "ours",
        }
        for number, row in enumerate(CHOICES)
    ],
    "numina": [{**row, "source": "cn_k12", "messages": []} for row in NUMINA]
    + [{"problem": "Prove it.", "solution": "Clear.", "source": "olympiads", "messages": []}],
    "numina_amc_aime": numina("amc_aime", 3.0),
    "numina_math": numina("math", 5.0),
    "numina_olympiads": numina("olympiads", 9.0),
    "olympiadbench_math_en": [
        {
            "id": number,
            "question": question,
            "solution": ["See there."],
            "final_answer": [answer],
            "context": None,
            "modality": "Text-only",
            "difficulty": "Competition",
            "is_multiple_answer": "," in answer,
            "unit": None,
            "answer_type": "Numerical",
            "error": None,
            "question_type": "Open-ended",
            "subfield": "Algebra",
            "subject": "Math",
            "language": "English",
        }
        for number, (question, answer) in enumerate(
            [("Find all integers $n$ with $n^2 = 4$.", "$-2$,$2$"), ("Find $2^{10}$.", "$1024$")]
        )
    ],
    "omni_math": [
        {
            "domain": ["Mathematics -> Algebra -> Prealgebra -> Integers"],
            "difficulty": 5.0,
            "problem": "Compute $1 + 3 + \\dots + 19$.",
            "solution": "Ten odd numbers add up to 100.",
            "answer": "100",
            "source": "HMMT_11",
        },
        {
            "domain": ["Mathematics"],
            "difficulty": 1.5,
            "problem": "Compute $2 + 2$.",
            "solution": "4",
            "answer": "4",
            "source": "HMMT_2",
        },
    ],
    "aime26": [{"problem_idx": n, "answer": 32 * n, "problem": f"Find $2^5 \\cdot {n}$."} for n in (1, 2)],
    "bbh": [
        {"subset": "object_counting", "input": "I have a cow and two pigs. How many animals have I?", "target": "3"},
        {
            "subset": "snarks",
            "input": "Which mocks?\nOptions:\n(A) Lovely rain.\n(B) Rain.",
            "target": "(A)",
        },
    ],
    "hle": [{"image": "", "raw_subject": "Arithmetic", "category": "Math", **row} for row in EXAM],
    "hmmt_feb25": [
        {
            "problem_idx": n,
            "answer": f"-\\frac{{{n}}}{{7}}",
            "problem_type": ["Algebra"],
            "problem": f"Compute $-{n} / 7$.",
        }
        for n in (1, 2)
    ],
    "math": [
        {
            "subset": name.lower(),
            "problem": f"{name}: simplify $\\frac{{6}}{{8}}$.",
            "level": "Level 1",
            "type": name,
            "solution": "Dividing both by 2 gives $\\boxed{\\frac{3}{4}}$.",
        }
        for name in ("Algebra", "Prealgebra")
    ],
    "polymath": [
        {"subset": lang, "split": "low", "id": f"low-{lang}-0", "question": question, "answer": "$7$"}
        for lang, question in (("de", "Was ist 3 + 4?"), ("en", "What is 3 + 4?"))
    ],
    "supergpqa": [
        {
            "uuid": f"u{letter}",
            "question": "What do plants take in?",
            "options": options,
            "answer": "Carbon dioxide",
            "answer_letter": letter,
            "discipline": "Science",
            "field": "Biology",
            "subfield": "Botany",
            "difficulty": "easy",
            "is_calculation": False,
        }
        for letter, options in (("C", ["Oxygen", "Helium", "Carbon dioxide"]), ("A", ["Carbon dioxide", "Neon"]))
    ],
    "ifeval": [
        {
            "key": n,
            "prompt": f"Name {n} plants. No commas, please.",
            "instruction_id_list": ["punctuation:no_comma"],
            "kwargs": [{"num_words": None, "relation": None}],
        }
        for n in (2, 3)
    ],
    **CODE_ROWS,
}
