"""Responses that were judged wrongly once, each with its gold answer: written by hand, in the manner of public reports.

A response counts only where it is found right, or refused, as the table says.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """Responses to problems of one kind, all right or all wrong."""

    scorer: str
    right: bool
    options: tuple[str, ...]
    responses: list[tuple[str, str]]
    """Gold answers, each with a response."""


# fmt: off
CASES = [
    Case("choice", True, ("0.5 N", "5 N", "50 N", "500 N",), [
        ("D", "\\boxed{500}"),
    ]),
    Case("choice", True, ("32 degrees", "0 degrees", "100 degrees", "212 degrees",), [
        ("C", "It boils at $\\boxed{100}$ degrees."), ("B", "It is \\boxed{0^\\circ}."),
    ]),
    Case("choice", True, ("Mercury", "Venus", "Earth", "Mars",), [
        ("B", "It is Venus, not Mercury."), ("A", "I was torn between A and D, but I settle on A."),
        ("A", "A or D? I would say A."), ("C", "[/INST] C"),
    ]),
    Case("choice", True, ("Only I", "Only II", "I and II", "Neither I nor II",), [
        ("D", "Neither I nor II is correct."),
    ]),
    Case("choice", True, ("iron", "gold", "tin", "lead",), [
        ("D", "Answer: not B but D"), ("D", "We can rule out A, B and C, leaving D."),
        ("D", "None of the options is right; D comes closest."), ("C", "A: no\nB: no\nC: yes\nD: no"),
        ("C", "(A) false (B) false (C) true (D) false"),
        ("C", "A. Incorrect. Iron rusts.\nB. Incorrect.\nC. Correct. Tin is soft.\nD. Incorrect."),
        ("C", "A) Incorrect\nB) Incorrect\nC) Correct\nD) Incorrect"),
        ("C", "- A: wrong\n- B: wrong\n- C: right\n- D: wrong"), ("C", "Both C and D fit, but C is better."),
        ("C", "The answer is D... actually C."), ("C", "The answer is C. If x, the answer is A."),
        ("C", "C because A and B are hard."), ("C", "A? No. B? No. C? Yes!"), ("C", "Is it A? No, C."),
    ]),
    Case("choice", True, ("oak", "pine", "rose", "fern",), [
        ("B", "A and C bloom, D has no wood; B remains."), ("B", "A, C, D are out, leaving B."),
        ("B", "A) false\nB) true\nC) false\nD) false"),
        ("B", "A - incorrect; B - correct; C - incorrect; D - incorrect"), ("B", "The answer is A. No, B."),
    ]),
    Case("choice", True, ("red", "green", "blue", "white",), [
        ("B", "Answer: C -- wait, no: B"), ("C", "Answer: B -- no, wait: C"),
        ("C", "First I thought B. Now I think C."),
    ]),
    Case("choice", False, ("Mercury", "Venus", "Earth", "Mars",), [
        ("C", "Doğru cevap C değildir."),
    ]),
    Case("choice", False, ("copper", "silver", "zinc", "nickel",), [
        ("B", "Answer: A B"), ("B", "The answer would be B if it were cold."), ("B", "I would never pick B."),
        ("B", "B fails."), ("B", "We can rule out B."), ("B", "Eliminate B."), ("B", "So B is eliminated."),
    ]),
    Case("choice", False, ("iron", "gold", "tin", "lead",), [
        ("D", "A) Incorrect\nB) Incorrect\nC) Correct\nD) Incorrect"), ("A", "The answer is C; if x, the answer is A"),
        ("C", "Answer: C and/or D"), ("C", "That rules out C."), ("C", "This eliminates C."), ("C", "C is out."),
        ("C", "C can be eliminated."), ("C", "Option C is tempting but wrong."),
    ]),
    Case("choice", False, ("oak", "pine", "rose", "fern",), [
        ("B", "Answer: B; C"), ("A", "The answer is A. No, B."), ("B", "Antwort: nicht B"),
    ]),
    Case("choice", False, ("red", "green", "blue", "white",), [
        ("C", "Answer: C -- wait, no: B"),
    ]),
    Case("integer", True, (), [
        ("24", "\\boxed{24_{10}}"), ("721", "\\boxed{721_{10}}"),
    ]),
    Case("integer", False, (), [
        ("15", "So the result is \\boxed{15:1}."), ("24", "\\boxed{24\\text{ is wrong}}"),
    ]),
    Case("math", True, (), [
        ("4.5e33", "So the result is \\boxed{4.5 \\times 10^{33}\\ \\mathrm{erg\\ s^{-1}}}."),
        ("18", "The smallest possible value is 18, with equality when x = 2."),
        ("64", "The answer is 64 (that is, 8 squared)."), ("64", "The answer is 64; note that 8^2=64."),
        ("12", "The result is \\boxed{12\\,\\mathrm{m\\,s^{-1}}}."), ("\\binom62", "The result is \\boxed{15}."),
        ("P_5^2", "The result is \\boxed{20}."), ("A_5^2", "The result is \\boxed{20}."),
        ("2A_{16}", "The result is \\boxed{2A}."), ("12", "The result is \\boxed{12_{10}}."),
        ("n^2-n", "The result is \\boxed{k(k-1)}."), ("2n+1", "The result is \\boxed{2k+1}."),
        ("2n+1", "The result is \\boxed{2m+1}."), ("12", "\\boxed{x=\\mathbf{12}}"), ("12", "\\boxed{12_{10}}"),
        ("12", "\\boxed{12_{\\text{ten}}}"), ("12", "\\boxed{\\begin{align*} x &= 12 \\end{align*}}"),
        ("12", "\\boxed{\\begin{aligned} x &= 12 \\end{aligned}}"),
        ("12", "\\begin{align*}\nx &= 3\\cdot 4 \\\\\n&= 12\n\\end{align*}"),
        ("12", "\\begin{equation} x = 12 \\end{equation}"), ("12", "x is 12"), ("41", "42%... no, 41"),
        ("12", "It is 13. No, 12."), ("12", "13... wait, 12"), ("12", "13? No: 12."),
        ("12", "The answer is 13. Wait, no. It is 12."), ("6", "6 PM"), ("6\\text{ PM}", "6 PM"),
        ("6:00\\text{ PM}", "6 PM"), ("6\\text{ PM}", "18:00"), ("\\text{May 5}", "5 May"), ("5 May", "May 5"),
        ("1st", "first"), ("\\text{first}", "1st"), ("\\text{3rd}", "third"),
        ("\\zeta(2)", "\\boxed{\\frac{\\pi^2}{6}}"), ("\\frac{\\pi^2}{6}", "\\boxed{\\zeta(2)}"),
        ("20", "\\boxed{A_5^2}"), ("60", "\\boxed{A_5^3}"), ("20", "\\boxed{P(5,2)}"),
        ("[-1,1]", "The answer is -1 to 1."), ("[-1,1]", "\\boxed{-1 \\text{ to } 1}"),
        ("42", "\\begin{align*} x &= 6\\cdot 7 \\\\ &= 42 \\end{align*}"),
        ("42", "$\\begin{aligned}x&=42\\end{aligned}$"), ("x<3", "We find that $x<3$."),
        ("x < 3", "We find that $x \\lt 3$."), ("\\ln 2", "The integral equals ln 2."), ("ab", "\\boxed{ba}"),
        ("$C_n^2$", "\\boxed{\\binom n2}"), ("25\\%", "Answer: one quarter, i.e. 25%"),
        ("13", "If the answer were 12, it would be even; the answer is 13."),
        ("n^2+n", "Therefore, the final answer is $\\boxed{k^2+k}$."),
        ("9.8\\text{ m/s}^2", "Therefore, the final answer is $\\boxed{9.8\\ \\mathrm{m\\,s^{-2}}}$."),
        ("\\text{second}", "Therefore, the final answer is $\\boxed{2nd}$."),
        ("14", "Therefore the required number is 14, since 13 fails."),
        ("14", "It follows that $n=14$; all smaller $n\\le 13$ fail."),
        ("14", "We might think the answer is 20, but it is 14."), ("14", "I would guess 14."),
        ("14", "\\begin{align}\n2x &= 28\\\\\nx &= 14\n\\end{align}"), ("14", "The answer is:\n\n- 14"),
        ("14", "The answer is none other than 14."), ("14", "The answer is nothing but 14."),
        ("14", "We conclude that $\\boxed{14\\ \\Omega}$"), ("14", "We conclude that $\\boxed{14\\,\\mu\\text{m}}$"),
        ("14", "We conclude that $\\boxed{14^\\circ C}$"), ("3n+1", "We conclude that $\\boxed{3k+1}$"),
        ("9\\text{ PM}", "We conclude that $\\boxed{21:00}$"), ("\\frac{7}{15}", "This simplifies to 7/15."),
        ("5", "The number of such integers is 5: 1, 2, 3, 4, 6."), ("99", "The answer is 99, I am 80% sure."),
        ("99", "The answer is 98. Hmm, no: 99."), ("99", "\\boxed{99} is right and \\boxed{98} is wrong."),
        ("98", "O resultado não é 99, mas 98."), ("2n", "\\boxed{2k}"), ("42", "\\boxed{P_7^2}"),
        ("\\vec{a}+2\\vec{b}", "\\boxed{\\mathbf{a}+2\\mathbf{b}}"), ("7{:}45", "\\boxed{7:45}"),
        ("7:45", "\\boxed{19:45}"), ("8\\text{th}", "\\boxed{\\text{eighth}}"),
    ]),
    Case("math", False, (), [
        ("2:30 \\text{ PM}", "So the result is \\boxed{2:30 \\text{ AM}}."),
        ("n=3k", "So the result is \\boxed{k=3n}."),
        ("2", "The smallest possible value is 18, with equality when x = 2."),
        ("12", "The answer is 13, whereas 12 is the number of steps."),
        ("12", "The answer is 12. Wait, no. It is 13."), ("2", "The integral equals ln 2."), ("1,2", "\\boxed{1.2}"),
        ("300\\text{ K}", "\\boxed{300\\text{ mK}}"),
        ("12", "If the answer were 12, it would be even; the answer is 13."),
        ("5\\text{ kJ}", "Therefore, the final answer is $\\boxed{5\\text{ J}}$."),
        ("3:15\\text{ PM}", "Therefore, the final answer is $\\boxed{3:15\\text{ a.m.}}$."),
        ("17", "Therefore, the final answer is $\\boxed{17:1}$."),
        ("13", "Therefore the required number is 14, since 13 fails."), ("14", "14 is too small."),
        ("10\\text{ mA}", "We conclude that $\\boxed{10\\text{ A}}$"),
        ("9:15\\text{ AM}", "We conclude that $\\boxed{9:15\\text{ PM}}$"), ("98", "The answer is 98. Hmm, no: 99."),
        ("98", "\\boxed{99} is right and \\boxed{98} is wrong."), ("99", "The answer is different from 99."),
        ("99", "The answer exceeds 99."), ("7:45\\text{ p.m.}", "\\boxed{7:45\\text{ a.m.}}"),
        ("x+2", "\\boxed{|x+2|}"), ("3\\text{ kg}", "\\boxed{3\\text{ lb}}"), ("3^\\circ", "\\boxed{3\\text{ rad}}"),
        ("5:30\\text{ AM}", "\\boxed{5:30\\text{ PM}}"), ("17", "We get 18, for 17 is too small."),
        ("17", "So 17 does not work."),
    ]),
    Case("number", True, (), [
        ("54", "Three pens at $15 each, plus a $9.00 delivery fee: the bill is $54.00."),
        ("0.5", "The final answer is half"), ("36", "The result is \\boxed{36_{10}}."), ("12", "Rs. 12"),
        ("12", "USD 12"), ("12", "Rs 12"), ("12", "No. 12"), ("12", "The answer is Rs. 12."),
        ("12", "The answer is USD 12."), ("12", "The answer is US$12."), ("12", "The answer is No. 12."),
        ("1250", "Die Antwort ist 1.250 Euro."), ("1250", "La respuesta es 1.250 euros."),
        ("1", "The answer is first."), ("3", "third"), ("6", "6 PM"), ("6", "The answer is 6 PM."),
        ("6", "The answer is 6:00 PM."), ("24", "In all, he paid $24."), ("24", "Answer: 24, i.e. two dozen"),
        ("24", "Answer: two dozen, i.e. 24"), ("540", "540 meters a week, i.e. 180 x 3"),
        ("64", "Kylar pays $64, not $80."), ("2500", "Die Antwort ist 2.500 Euro."), ("2500", "उत्तर ₹2,500 है।"),
        ("2500", "Ответ: 2 500 рублей."), ("2500", "Resposta: R$ 2.500"),
        ("36", "In total they collected 36 cans, 12 each."), ("36", "The total cost is $36, or $12 each."),
        ("36", "He has $36 left, having spent $14."), ("36", "He has $36 left after spending $14."),
        ("36", "The answer is 36,00 €."), ("36", "<<12*3=36>>36"), ("55", "The bill is $55, including a $5 tip."),
        ("55", "55 pages are left, as 145 of 200 are read."), ("55", "The final answer is €55,00."),
        ("55", "The final answer is No. 55."),
    ]),
    Case("number", False, (), [
        ("36", "The result is \\boxed{36:1}."), ("24", "Answer: 24 degrees below zero"),
        ("24", "Answer: 24 below zero"), ("24", "Answer: 24 halves"),
        ("12", "In total they collected 36 cans, 12 each."), ("12", "The total cost is $36, or $12 each."),
        ("14", "He has $36 left, having spent $14."), ("5", "The bill is $55, including a $5 tip."),
        ("200", "55 pages are left, as 145 of 200 are read."), ("64", "The answer is 64 doubled."),
        ("64", "The answer is twice as much as 64."), ("64", "The answer is 64 lakh."),
        ("64", "The answer is 65; 64 was my first try."), ("64", "The answer is hardly 64."),
        ("64", "64 cannot be right."), ("64", "There is no way it is 64."),
    ]),
    Case("text", True, (), [
        ("yes", "The answer is yes!"), ("Tuesday", "It will be Tuesday."), ("Paris", "Paris!"),
        ("Rome", "Paris? No, Rome."), ("Rome", "Paris... no, Rome."), ("Kim", "Kim, of course."),
        ("yes", "Yes, indeed."), ("No", "No, never."), ("False", "The answer is false!"),
    ]),
    Case("text", False, (), [
        ("Paris", "Paris? No, Rome."), ("Rome", "Rome? No."), ("valid", "The argument is hardly valid."),
        ("(A)", "(A), (B)"),
    ]),
]
# fmt: on
