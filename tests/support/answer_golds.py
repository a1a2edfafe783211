r"""Gold answers of the project's own making, in tables by kind, for `answer_styles`.

A line is `gold == another right writing == ... =/= a wrong answer =/= ...`. The right writings are such as no rule of
`answer_styles.REWRITINGS` makes. A line without a wrong answer has a digit, and is made wrong by changing it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

__all__ = ["GOLDS", "Gold", "gold_of"]


class Gold(NamedTuple):
    """A gold answer with what is right and what is wrong for it."""

    group: str
    """math, number, choice or text: which styles, rewritings and corruptions there are."""
    kind: str
    """The row of the tables that it is counted in."""
    target: str
    same: tuple[str, ...] = ()
    """Other writings of it."""
    other: tuple[str, ...] = ()
    """Wrong answers."""
    choices: tuple[str, ...] = ()


MATH = {
    "integer": r"""
        42
        -17
        0 =/= 1
        1024 == 2^{10} == 1{,}024
        30240
        -2500 == -2.5 \times 10^3
        7 == 14/2 == \frac{21}{3}
        120 == 5! == 5 \cdot 4 \cdot 3 \cdot 2
        315
        99
        2401 == 7^4
        1000000 == 10^6
        12 == 3 \cdot 4 = 12
        6 == 4 + 2
        144 == 12^2
        57 == n = 57
        361 == 19^2
        8008 == \binom{16}{6}
        13 == |-13|
        5050 == \frac{100 \cdot 101}{2}
    """,
    "fraction": r"""
        \frac{3}{7} =/= \frac{7}{3}
        -\frac{5}{8} == \frac{-5}{8} == -5/8 =/= \frac{5}{8}
        \frac{17}{250} == 0.068
        \frac{1}{2} == \frac12 == 2^{-1}
        \frac{22}{15} == 1\frac{7}{15}
        \frac{7}{4} == 1\tfrac{3}{4} == 1.75
        \frac{11}{36}
        \frac{2}{9} == 2/9 == \frac{4}{18}
        \frac{1}{120} == \frac{1}{5!}
        -\frac{1}{3} == \frac{1}{-3}
        \frac{355}{113}
        \frac{9}{1000} == 0.009 == 9 \times 10^{-3}
        \frac{63}{64} == 1 - \frac{1}{64}
        \frac{5}{2} == 2.5 == 2\frac{1}{2}
        \dfrac{13}{21} == 13/21
    """,
    "decimal": r"""
        0.25 == \frac{1}{4} == .25
        3.75 == 3\frac{3}{4} == 3.750
        -1.5 == -\frac{3}{2}
        12.8 == 12.80
        0.004 == 4 \times 10^{-3}
        1.6
        100.5
        2.718
        0.625 == \frac{5}{8}
        19.95
    """,
    "scientific": r"""
        3 \times 10^8 == 3 \cdot 10^8 == 3e8 == 300000000
        6.02 \times 10^{23} == 6.02 \cdot 10^{23}
        1.5 \times 10^{-4} == 0.00015 == 1.5e-4
        2.5 \times 10^{3} == 2500
        4 \times 10^{-7}
        9.11 \times 10^{-31}
    """,
    "radical": r"""
        2\sqrt{3} == \sqrt{12} == 2\sqrt3 =/= 3\sqrt{2}
        \sqrt{57} == \sqrt {57} =/= 7\sqrt{5}
        20\sqrt{57}
        \frac{\sqrt{2}}{2} == \frac{1}{\sqrt{2}} == \sqrt{\frac{1}{2}}
        \sqrt{3} - 1 == -1 + \sqrt{3} =/= \sqrt{3} + 1
        5 + 2\sqrt{6} == (\sqrt{2}+\sqrt{3})^2
        \sqrt[3]{12} == 12^{1/3} == 12^{\frac{1}{3}}
        \frac{1+\sqrt{5}}{2} == \frac{\sqrt{5}+1}{2} == \frac12 + \frac{\sqrt5}{2}
        -4\sqrt{7} =/= 4\sqrt{7}
        \frac{3\sqrt{10}}{10} == \frac{3}{\sqrt{10}}
        \sqrt{13}
        7 - 4\sqrt{3} == (2-\sqrt{3})^2
        6\sqrt[4]{2}
    """,
    "constant": r"""
        \frac{\pi}{6} == \pi/6 == \frac{1}{6}\pi
        2\pi
        36\pi == 36 \cdot \pi
        \frac{3\pi}{4} == \frac{3}{4}\pi == 0.75\pi
        e^2 =/= 2e =/= e^3
        \ln 2 == \ln(2) == \log_e 2
        4 - \pi == -\pi + 4
        \frac{\pi^2}{6}
        \log_2 3 == \frac{\ln 3}{\ln 2} =/= \log_3 2
        \sin 20^\circ == \cos 70^\circ
        e^{-1} == \frac{1}{e}
        \arctan 2 == \tan^{-1} 2
    """,
    "expression": r"""
        x^2+1 == 1+x^2 == x^2 + 1 =/= x^2-1
        2x^2-3x+5
        (x-2)(x+5) == x^2+3x-10 =/= (x+2)(x-5)
        \frac{n(n+1)}{2} == \frac{n^2+n}{2} == \frac{1}{2}n(n+1) =/= \frac{n(n-1)}{2}
        2^{n-1} == \frac{2^n}{2} =/= 2^{n+1}
        3a+4b == 4b+3a =/= 4a+3b
        \frac{1}{x+1} == (x+1)^{-1} =/= \frac{1}{x-1}
        n^2-n+1
        x^{10}
        (a-b)^2 == a^2-2ab+b^2 == (b-a)^2 =/= (a+b)^2
        \frac{2x}{x^2+4}
        5^{k}-3^{k}
        \sqrt{a^2+b^2} =/= \sqrt{a^2-b^2}
        \frac{a+b}{2} == 0.5(a+b) == \frac{a}{2}+\frac{b}{2} =/= \frac{a-b}{2}
        \binom{2n}{n} == \frac{(2n)!}{n!n!} == \frac{(2n)!}{(n!)^2}
        2n\pi =/= 3n\pi
        \frac{m g}{k} == \frac{mg}{k} == mg/k =/= \frac{mk}{g}
        x^3+3x^2-5x-4
        e^{-2t} =/= e^{2t}
        \sin^2 x == (\sin x)^2 == 1-\cos^2 x =/= \cos^2 x
        a_{12} =/= a_{13}
        n! =/= (n+1)!
    """,
    "complex": r"""
        3+4i == 4i+3 =/= 3-4i
        -2i =/= 2i
        \frac{1}{2}+\frac{\sqrt{3}}{2}i == \frac{1+i\sqrt{3}}{2}
        5-12i
    """,
    "tuple": r"""
        (1,2) =/= (2,1) =/= (1,3)
        (3,-4) =/= (-4,3)
        \left(3,\frac{\pi}{2}\right) =/= \left(\frac{\pi}{2},3\right)
        (2,5,9) =/= (5,2,9)
        \left(\frac{1}{2},-\frac{3}{4}\right) == (0.5,-0.75) =/= (-\frac{3}{4},\frac{1}{2})
        (0,7) =/= (7,0)
        (-1,0,4) =/= (0,-1,4)
        (\sqrt{2},\sqrt{3}) =/= (\sqrt{3},\sqrt{2})
        (6,31,-1) =/= (6,-1,31)
        (12,20) == x=12, y=20 =/= (20,12)
    """,
    "list": r"""
        2,3 == 3,2 == \{2,3\} == 2 \text{ and } 3 =/= 2 =/= 2,3,4
        -1,0,1 == 1,0,-1 =/= 0,1
        17,41,73 == 17, 41, \text{ and } 73 =/= 17,41
        \{1,4,9\} == \{9,4,1\} =/= \{1,4\} =/= \{1,4,9,16\}
        \pm 3 == 3,-3 == -3, 3 =/= 3
        1+\sqrt{2},1-\sqrt{2} == 1 \pm \sqrt{2} =/= 1+\sqrt{2}
        \{0,5\} =/= \{0\}
        x=2,x=7 == 2,7 == x=2 \text{ or } x=7 =/= 2
        \frac{1}{3},2 == 2,\frac{1}{3} =/= \frac{1}{3}
        (1,4),(4,1) == (4,1),(1,4) =/= (1,4)
    """,
    "interval": r"""
        (0,5) == 0 < x < 5 =/= [0,5] =/= (0,5]
        [-2,7] == -2 \leq x \leq 7 == x \in [-2,7] =/= (-2,7)
        (3,\infty) == x > 3 == x \in (3,\infty) =/= [3,\infty) =/= (-\infty,3)
        (-\infty,2] == x \le 2 == x \leq 2 =/= (-\infty,2)
        [1,4) == 1 \leq x < 4 =/= (1,4]
        (-\infty,-1) \cup (3,\infty) == (3,\infty) \cup (-\infty,-1) == x < -1 \text{ or } x > 3 =/= (-\infty,3)
        [0,\frac{1}{2}] == \left[0,\frac{1}{2}\right] =/= [0,\frac{1}{2})
        (-3,3) == |x| < 3 =/= [-3,3]
    """,
    "inequality": r"""
        x > 5 == 5 < x =/= x < 5 =/= x \geq 5
        x \leq -2 == -2 \geq x =/= x < -2
        a \geq 4 =/= a > 4 =/= a \leq 4
        1 < x < 6 == x \in (1,6) =/= 1 < x \leq 6
        k < \frac{1}{4} =/= k > \frac{1}{4}
    """,
    "matrix": r"""
        \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} == \begin{bmatrix} 1&2\\3&4 \end{bmatrix}
        \begin{pmatrix} 5 \\ -2 \end{pmatrix} =/= \begin{pmatrix} -2 \\ 5 \end{pmatrix}
        \begin{pmatrix} 0 & -1 \\ 1 & 0 \end{pmatrix} =/= \begin{pmatrix} 0 & 1 \\ -1 & 0 \end{pmatrix}
        \begin{pmatrix} 2 & 0 & 0 \\ 0 & 3 & 0 \\ 0 & 0 & 7 \end{pmatrix}
        \begin{pmatrix} 1/2 \\ 3 \end{pmatrix} == \begin{pmatrix} \frac{1}{2} \\ 3 \end{pmatrix}
    """,
    "equation": r"""
        y=2x+1 == y = 2x + 1 == 2x - y + 1 = 0 =/= y=2x-1 =/= x=2y+1
        2x-3y+7=0 == 3y = 2x+7 == -2x+3y-7=0 =/= 2x+3y+7=0
        x^2+y^2=25 == x^2 + y^2 - 25 = 0 =/= x^2-y^2=25
        x=5 == 5 =/= x=6
        \frac{x^2}{9}+\frac{y^2}{4}=1 =/= \frac{x^2}{4}+\frac{y^2}{9}=1
        y=-\frac{1}{2}x+3 == x + 2y = 6 =/= y=\frac{1}{2}x+3
        f(x)=x^2-4 == x^2-4 =/= f(x)=x^2+4
        22x+31y-14z+60=0 == -22x-31y+14z-60=0
        E=mc^2 =/= E=mc^3
    """,
    "unit": r"""
        15\text{ cm}^2 == 15 == 15\,\mathrm{cm^2} =/= 15\text{ cm}^3
        25\text{ mph} == 25 == 25\text{ miles per hour} =/= 25\text{ km/h}
        12\text{ m/s} == 12 == 12\,\mathrm{m/s} =/= 12\text{ km/h}
        3\text{ hours} == 3 == 3\text{ h} =/= 3\text{ minutes}
        9.8\,\mathrm{m/s^2} == 9.8 == 9.8\text{ m/s}^2
        40\text{ kg} == 40 == 40\,\mathrm{kg} =/= 40\text{ g}
        48\pi\text{ in}^2 == 48\pi == 48\pi\text{ square inches} =/= 48\pi\text{ in}^3
        600\text{ mL} == 600 == 600\,\mathrm{mL} =/= 600\text{ L}
        18\text{ apples} == 18
    """,
    "percent": r"""
        62.5\% == 62.5 == \frac{5}{8} == 0.625 == 62.5\text{ percent} =/= 6.25\%
        20\% == 20 == 20\text{ percent} =/= 2\% =/= 21\%
        150\% == 150 == 1.5
        7.5\% == 7.5
    """,
    "degrees": r"""
        36^\circ == 36 == 36\text{ degrees} == 36^{\circ} == 36°
        120^\circ == 120 == 120\text{ degrees}
        22.5^\circ == 22.5
        90^{\circ} == 90 == 90^\circ
    """,
    "money": r"""
        \$18 == 18 == \$18.00 == 18\text{ dollars} =/= \$180
        \$2.50 == 2.50 == 2.5
        \$1250 == 1250 == \$1{,}250 == \$1,250
        \$0.75 == 0.75
    """,
    "ratio": r"""
        3:4 =/= 4:3
        11:21 =/= 21:11
        1:2:3 =/= 1:3:2
        5:12
    """,
    "base": r"""
        1011_2 == 1011_{2} =/= 1011_3
        243_7 == 243_{7} =/= 342_7
        52_8 == 52_{8} =/= 52_9
    """,
    "words": r"""
        \text{east} == east =/= \text{west}
        \text{Evelyn} == Evelyn =/= \text{Carla}
        \text{even} == even =/= \text{odd}
        \text{Yes} == Yes =/= \text{No}
        \text{True} == True =/= \text{False}
        \text{Tuesday} == Tuesday =/= \text{Thursday}
        \text{ellipse} == ellipse == \text{an ellipse} =/= \text{parabola}
        \text{neither} == neither =/= \text{both}
    """,
    "special": r"""
        \infty =/= -\infty
        -\infty =/= \infty
        x \equiv 5 \pmod 7 == x \equiv 12 \pmod 7 == x \equiv 5 \pmod{7} =/= x \equiv 6 \pmod 7
        (2n+1,n) == (2k+1,k) =/= (2n-1,n)
        (\pm\sqrt{2},0) == (\sqrt{2},0),(-\sqrt{2},0) =/= (\sqrt{2},0)
        V_1:V_2=11:21 == 11:21 =/= V_1:V_2=21:11
        12^{\mathrm{th}} == 12 == 12\text{th} =/= 13^{\mathrm{th}}
        (x-a)^{2024} == (a-x)^{2024} =/= (x+a)^{2024}
        x^{40}-1 == (x^{20}-1)(x^{20}+1) =/= x^{40}+1
        \frac{KL}{ML}=\frac{1}{\sqrt{6}} == \frac{1}{\sqrt{6}} =/= \frac{KL}{ML}=\sqrt{6}
        m\ddot{x}+kx=0 == m \ddot x + k x = 0 =/= m\ddot{x}-kx=0
        \mathbb{R} == (-\infty,\infty) == \text{all real numbers} =/= \mathbb{Q}
        2\sqrt{5} == 2\sqrt{5} \approx 4.47 =/= 5\sqrt{2}
        \frac{\pi}{4} == \frac{\pi}{4} \approx 0.785 =/= \frac{\pi}{3}
        \text{no solution} == \emptyset == \varnothing =/= 0
    """,
    "time": r"""
        11:00 =/= 1:00
        4:35 =/= 4:36 =/= 5:34
        10:15 =/= 15:10
    """,
    "letters": r"""
        \text{(C)} == (C) == C == \textbf{(C)} =/= \text{(D)}
        \text{A, C} == A, C == A \text{ and } C =/= \text{A} =/= \text{A, D}
        v_0 =/= v_1
    """,
}

NUMBERS = {
    "gsm8k integer": """
        18
        42
        5
        73
        90
        130
        -3 == negative 3 =/= 3
        1200 == 1,200
        57500
        1000000 == 1 million == 1,000,000
        7
        16
        624
        243000
        11
        20
        366
        6
        64
        260
        29
        108
    """,
    "gsm8k decimal": """
        2.5 == 2.50 == 5/2
        0.75 == 3/4 == .75
        12.6
        9.5
        3.75
        17.5
    """,
    "gsm8k money": """
        18 == $18 == $18.00 == 18 dollars
        2.50 == $2.50 == 2.5
        1250 == $1,250 == $1250 == 1,250 dollars
        64 == $64 == 64 dollars
        0.85 == $0.85
        70000 == $70,000
    """,
    "aime": """
        73 == 073
        204
        25 == 025
        7 == 007
        809
        113
        480
        55
        699
        104
        540
        33
        902
        81
        116
        0 == 000 =/= 1
    """,
}

TEXT = {
    "truth": """
        True =/= False
        False =/= True
        yes =/= no
        no =/= yes
        valid =/= invalid
        invalid =/= valid
        plausible =/= implausible
    """,
    "name": """
        Marie Curie =/= Pierre Curie
        Paris =/= London
        Tokyo =/= Kyoto
        William Shakespeare =/= Christopher Marlowe
        Amazon River =/= Nile River
        hydrogen =/= helium
    """,
    "label": """
        (A) == A =/= (B)
        (B) == B =/= (C)
        (D) == D =/= (A)
        (F) == F =/= (E)
    """,
    "number": """
        24 =/= 25
        -24 == −24 =/= 24
        1200 == 1,200 =/= 1201
        8 =/= 6
        150 =/= 151
    """,
    "sequence": """
        apple banana cherry =/= apple cherry banana
        ant bee cat dog =/= bee ant cat dog
        ] ) == ]) =/= ) ]
        noun verb noun =/= verb noun noun
        05/12/2021 =/= 12/05/2021
        1 3 5 8 =/= 1 3 8 5
    """,
}

CHOICES = {
    "words": """
        iron | gold | tin | lead
        rest | motion | sound | light
        Paris | Rome | Madrid | Vienna
        evaporation | condensation | freezing | melting | sublimation
        mitochondrion | nucleus | ribosome | Golgi apparatus
    """,
    "numbers": """
        0 | 4 | 2 | 6
        $2,000 | $3,000 | $4,000 | $300
        1 m/s | 3 m/s | 2 m/s | 4 m/s
        0 | 3 | 12 | 30 | 50 | 60 | 72 | 81 | 90 | 99
        25% | 50% | 75% | 100%
        1.5 kg | 15 kg | 150 kg | 1500 kg
    """,
    "formulas": r"""
        $x^2+1$ | $x^2-1$ | $2x$ | $x+1$
        $\frac{1}{2}$ | $\frac{1}{3}$ | $\frac{2}{3}$ | $\frac{3}{4}$
        E = mc^2 | F = ma | V = IR | PV = nRT
    """,
    "sentences": """
        The planet's days become shorter. | The planet's years become longer. | Its density falls. | Its gravity grows.
        It rises because demand falls. | It falls because supply rises. | It stays as it is. | It cannot be known.
        A tort is a crime. | A tort is a civil wrong. | A tort is a contract. | A tort is a will. | A tort is a deed.
    """,
    "none and all": """
        red | green | blue | none of the above
        the heart | the lungs | the liver | all of the above
        I only | II only | I and II only | I, II and III
    """,
    "short": """
        Ag | Fe | Au | Pb
        A | T | G | U
        True, True | False, False | True, False | False, True
        i | ii | iii | iv
    """,
    "letters": """
        ABCD
        ABCDE
    """,
}


def gold_of(group: str, kind: str, line: str) -> Gold:
    """The gold of a line of a table."""
    kind = f"{group} {kind}" if group == "text" else kind
    target, *rest = re.split(r" (==|=/=) ", line.strip())
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    same = tuple(text.strip() for mark, text in pairs if mark == "==")
    other = tuple(text.strip() for mark, text in pairs if mark == "=/=")
    return Gold(group, kind, target.strip(), same, other or changed_digit(target))


def changed_digit(text: str) -> tuple[str, ...]:
    """The text with its last digit another; nothing where it has none."""
    match = re.search(r"\d(?=\D*$)", text)
    if match is None:
        return ()
    digit = str(int(match.group()) % 9 + 1)
    return (text[: match.start()] + digit + text[match.end() :],)


def _of_tables(group: str, tables: dict[str, str]) -> list[Gold]:
    return [gold_of(group, kind, line) for kind, table in tables.items() for line in table.split("\n") if line.strip()]


def _of_choices(kind: str, line: str) -> list[Gold]:
    options = () if kind == "letters" else tuple(text.strip() for text in line.split(" | "))
    letters = "ABCDEFGHIJ"[: len(options)] or line.strip()
    others = [(letters[(number + 1) % len(letters)],) for number in range(len(letters))]
    return [
        Gold("choice", f"choice {kind}", letter, (), other, options)
        for letter, other in zip(letters, others, strict=True)
    ]


def _all() -> list[Gold]:
    golds: list[Any] = [*_of_tables("math", MATH), *_of_tables("number", NUMBERS), *_of_tables("text", TEXT)]
    for kind, table in CHOICES.items():
        for line in table.split("\n"):
            golds += _of_choices(kind, line) if line.strip() else []
    return golds


GOLDS: list[Gold] = _all()
