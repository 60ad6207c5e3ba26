"""Sentences of derivations and claims: mathematics in plain characters is recognised among words, and typeset.

A single letter is a variable unless it is the article "a"; letters without a space between them are a product unless
they are a word; functions, brackets, scripts, Greek letters and signs belong to the formula that they touch. Scripts
without a character of their own are written with ^ and _, in round brackets if they are longer than a word: k^(−α).
"""

from __future__ import annotations

import re
from functools import cache
from html import escape as as_html
from textwrap import wrap
from unicodedata import decomposition

from statnn.theory.mathml import mathml
from statnn.theory.tex import LETTERS, OPERATORS

_SIGNS = {sign: rf"\{name} " for name, sign in reversed(OPERATORS.items()) if name.isalpha() and name != "mid"}
_BRACKETS = {mark: _SIGNS.pop(mark) for mark in "⟨⟩"}
_SIGNS |= {"−": "-", "~": r"\sim ", ">=": r"\geq ", "<=": r"\leq ", **{sign: sign for sign in "=+/<>"}}
_LETTERS = {letter: rf"\{name} " for name, letter in reversed(LETTERS.items())}
_LETTERS |= {"ɑ": r"\alpha ", "∫": r"\int "}  # the base of the raised alpha; a sign that belongs to the term after it
_RESERVED = {"_": r"\_", "^": r"\^{}", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$"}
_KNOWN_TO_LATEX = {"ln", "log", "exp", "tanh", "sinh", "cosh", "coth", "sin", "cos", "tan", "det", "min", "max"}
_FUNCTIONS = {*_KNOWN_TO_LATEX, "tr", "erf", "Var", "Cov"}
_OPERATORS = {"E": "[", "Var": "[(", "Cov": "[(", "Beta": "("}
_OPERATORS |= dict.fromkeys(("Binomial", "BetaBinomial", "NegativeBinomial"), "(")
_QUANTITIES = {"AUC"}  # upright, of several letters; a word if it stands alone
_WORDS = {
    "al", "am", "an", "as", "at", "be", "by", "do", "et", "go", "he", "if", "in", "is", "it", "me", "my", "no",
    "of", "on", "or", "ox", "so", "to", "up", "us", "we", "mm", "cm", "ms", "kB",
}  # fmt: skip
_AFTER_LETTER = {
    "and", "are", "as", "at", "below", "by", "for", "from", "goes", "in", "is", "of", "on", "or", "than", "that", "the",
    "times", "to", "which", "with",
}  # fmt: skip
_GOES_ON_AS_WORD = re.compile(r"['’][A-Za-z]|-(?!th|\d|[A-Za-zα-ω](?![A-Za-z]))\S")  # but M-T
_HELD = "\N{NO-BREAK SPACE}"
_MARKS = {"′": "'", "'": "'", "″": "''", "*": "^{*}", "!": "!"}
_CLOSING = {"(": ")", "[": "]", "|": "|", "⟨": "⟩"}
_WORD = re.compile("[A-Za-zα-ωɑΓΔΘΛΞΠΣΦΨΩ]+|[∞∂…∫]")
_SPELLED = re.compile(r"[\w.]*\w(?:[-'’]\w+)*")  # cut-off, Euler's, 5.11.8
_NO_FACTOR = re.compile(r"-[A-Za-z]{2}|[a-z]{2}")  # 2-adic, 3rd, but (1-r)
_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_POWER_OF_TEN = re.compile(r"(\d+(?:\.\d+)?)e([+-]?)0*(\d+)\b")
_COMMAND = re.compile(r"\\[a-z]+$", re.IGNORECASE)
_ONE_LESS = re.compile(r".*(?<![A-Za-z])[A-Za-z]", re.DOTALL)  # M-1, 2z-1
_TWO_NUMBERS = re.compile(r"[\d¹²³⁰-⁹] ")
_NO_MARK = re.compile(r"\*[\w*(]")  # of code
_RAISED = re.compile(r"\^\{[^{}]*\}$")
_TYPED_SCRIPT = re.compile(r"([−-]?)([A-Za-z0-9α-ωΓΔΘΛΞΠΣΦΨΩ]+)")
_INDICES = re.compile("[ijklm]{2}")  # indices of a matrix; longer ones, and n_in, are words
# index of a layer, as in h^(m+1); not an exponent, and kept in brackets
_INDEX = re.compile(r"\([A-Za-z](?: ?\+ ?\d)?\)|\([lm] ?[-−] ?1\)")


@cache
def pieces(text: str) -> tuple[tuple[str, str], ...]:
    """Return a sentence as pairs of text and its LaTeX, which is empty for words."""
    parts: list[tuple[str, str]] = []
    words, at = "", 0
    while at < len(text):
        tex, end = _formula(text, at)
        if tex:
            parts += [(words, "")] if words else []
            parts.append((text[at:end], tex))
            words, at = "", end
        else:
            end = _past_word(text, at)
            words, at = words + text[at:end], end
    return (*parts, (words, "")) if words else tuple(parts)


def as_latex(text: str) -> str:
    """Return a sentence as LaTeX."""
    return "".join(rf"\({tex}\)" if tex else escape(plain) for plain, tex in pieces(text))


def with_mathml(text: str) -> str:
    """Return a sentence as HTML."""
    return "".join(mathml(tex) if tex else as_html(plain) for plain, tex in pieces(text))


def lines_of(text: str, width: int = 100) -> list[str]:
    """Return a sentence in lines for a terminal, none of which ends inside a formula."""
    held = "".join(plain.replace(" ", _HELD) if tex else plain for plain, tex in pieces(text))
    return [line.replace(_HELD, " ") for line in wrap(held, width, break_long_words=False, break_on_hyphens=False)]


def escape(text: str) -> str:
    """Return text without formulas, say a reference, as LaTeX."""
    return "".join(_RESERVED.get(character, character) for character in text)


def _past_word(text: str, at: int) -> int:
    """Return the end of the word, number or character that begins here; words with hyphens are one."""
    word = _SPELLED.match(text, at)
    return word.end() if word else at + 1


def _formula(text: str, at: int) -> tuple[str, int]:
    """Return the LaTeX of the formula that begins here, and its end; empty if none does."""
    if text[at] == " " or (at and (text[at - 1].isalnum() or text[at - 1] == "'")):
        return "", at
    tex, end = _run(text, at, "")
    alone = _NUMBER.fullmatch(text, at, end)
    return ("", at) if not tex or alone else (" ".join(tex.split()).replace(" )", ")").replace(" ]", "]"), end)


def _run(text: str, at: int, closing: str) -> tuple[str, int]:
    """Return the LaTeX of atoms and signs from here on, up to a closing mark if there is one, and where it ends."""
    tex, end, pending, i = "", at, "", at
    while i < len(text) and text[i] != closing:
        if text[i] == " " or (closing and text[i] in ",;"):
            pending, i = pending + text[i], i + 1
        elif sign := _sign(text, i, inside=bool(closing)):
            pending, i = pending + _SIGNS.get(sign, sign), i + len(sign)
        elif _TWO_NUMBERS.fullmatch(text[i - 2 : i]) and re.match(r"[\d.]+(?!\w)", text[i:]):
            break  # two numbers are not a product
        else:
            atom, after = _atom(
                text, i, alone=not (closing or pending.strip()), opening=not closing and not pending.strip()
            )
            if not atom and closing and tex and text[i] == "|":
                pending, i = pending + r"\mid ", i + 1
                continue
            if not atom:
                break
            apart = " " if not pending and _COMMAND.search(tex) else ""
            tex, pending, i, end = tex + pending + apart + atom, "", after, after
    if closing:
        return (tex + pending.rstrip(), i) if text[i : i + 1] == closing and (tex or pending) else ("", at)
    return tex, end


def _sign(text: str, at: int, *, inside: bool) -> str:
    """Return the sign at this position.

    A hyphen is a minus in brackets, between blanks, behind a sign, before a number, and in M-1.
    """
    if text[at] == "-":
        before, after = text[at - 1 : at] or " ", text[at + 1 : at + 2]
        one_less = _ONE_LESS.fullmatch(text, max(at - 3, 0), at) and after.isdecimal()
        opens = before == " " and (after in " Σ∫√" or after.isdecimal() or text[:at].rstrip()[-1:] in {*_SIGNS})
        return "-" if inside or one_less or opens else ""
    return next((text[at : at + length] for length in (2, 1) if text[at : at + length] in _SIGNS), "")


def _atom(text: str, at: int, *, alone: bool, opening: bool) -> tuple[str, int]:
    """Return the LaTeX of a number, a name, a root or brackets with their scripts, and where it ends."""
    mark = text[at : at + 1]
    if mark in {*_CLOSING}:
        inside, end = _run(text, at + 1, _CLOSING[mark])
        if not inside or (opening and mark == "(" and not _goes_on(text, end + 1)):
            return "", at  # brackets around a remark are words
        opened, closed = (_BRACKETS.get(each, each) for each in (mark, _CLOSING[mark]))
        return _with_scripts(text, end + 1, f"{opened}{inside}{closed}")
    if mark == "√":
        inside, end = _atom(text, at + 1, alone=False, opening=False)
        inside = inside[1:-1] if inside.startswith("(") and inside.endswith(")") else inside
        return (rf"\sqrt{{{inside}}}", end) if inside else ("", at)
    if mark.isdecimal():
        return _number(text, at)
    word = _WORD.match(text, at)
    return _word(text, at, word[0], alone=alone) if word else ("", at)


def _number(text: str, at: int) -> tuple[str, int]:
    """Return the LaTeX of a number, 7e-04 as a power of ten, and where it ends."""
    if power := _POWER_OF_TEN.match(text, at):
        factor = "" if power[1] == "1" else rf"{power[1]} \times "
        return rf"{factor}10^{{{power[2].strip('+')}{power[3]}}}", power.end()
    number = _NUMBER.match(text, at)
    if not number or number[0].count(".") > 1 or _NO_FACTOR.match(text, number.end()):
        return "", at
    return _with_scripts(text, number.end(), number[0])


def _word(text: str, at: int, word: str, *, alone: bool) -> tuple[str, int]:
    """Return the LaTeX of a function or of variables, and where it ends."""
    end = at + len(word)
    if text[end : end + 1].isdecimal():
        return "", at  # log1p
    if word in _OPERATORS and text[end : end + 1] in {*_OPERATORS[word]}:
        return _with_scripts(text, end, rf"\operatorname{{{word}}}")
    if word in _FUNCTIONS:
        name = rf"\{word}" if word in _KNOWN_TO_LATEX else rf"\operatorname{{{word}}}"
        tex, end = _with_scripts(text, end, name)
        of_what = _atom(text, end + (text[end : end + 1] == " "), alone=False, opening=False)[0]
        return (f"{tex} ", end) if of_what or tex != name else ("", at)
    if word in _QUANTITIES and not alone:
        return rf"\operatorname{{{word}}}", end
    if not _is_product(text, at, word, alone=alone):
        return "", at
    return _with_scripts(text, end, " ".join(_LETTERS.get(letter, letter).rstrip() for letter in word))


def _is_product(text: str, at: int, letters: str, *, alone: bool) -> bool:
    """Whether letters are variables, not a word: one that is not an article, or a few not spelled like a word."""
    rest = text[at + len(letters) :]
    if _GOES_ON_AS_WORD.match(rest) or (letters == "th" and text[at - 1] == "-"):
        return False  # Pascal's, L-map, b-th
    if letters in {"a", "A"} and alone and (following := re.match(r" (\w*)(\(?)", rest)):
        if following[1] in _FUNCTIONS or following[1] in _LETTERS:
            return letters == "A" and bool(following[2])  # a tanh, A tanh network, but A tanh(x)
        return following[1] in _AFTER_LETTER if following[1] else rest[1:2] in _SIGNS
    if len(letters) == 1 or any(letter in _LETTERS for letter in letters):
        return True
    capitals = [letter.isupper() for letter in letters]
    if len(letters) == 2 and not (capitals[0] and alone):
        return letters not in _WORDS
    return len(letters) <= 3 and not all(capitals) and any(capitals[alone:])


def _goes_on(text: str, at: int) -> bool:
    """Whether a formula goes on after brackets: a script, a sign or a factor."""
    return bool(re.match(r" ?[=+−/<>≤≥]|[\w²³!^_([]", text[at:])) or _script_of(text[at : at + 1]) is not None


def _script_of(character: str) -> tuple[str, str] | None:
    """Return whether a character is raised or lowered, and its base; None for other characters."""
    mark, _, code = decomposition(character).partition(" ") if character else ("", "", "")
    if mark not in {"<super>", "<sub>"}:
        return None
    base = chr(int(code, 16))
    return ("^" if mark == "<super>" else "_"), _LETTERS.get(base, _SIGNS.get(base, base))


def _with_scripts(text: str, at: int, tex: str) -> tuple[str, int]:
    """Return an atom with its primes, scripts, factorial and arguments."""
    typed = ""
    while at < len(text):
        mark = text[at]
        if (script := _script_of(mark)) is not None:
            place, inside = script
            at += 1
            while (after := _script_of(text[at : at + 1])) is not None and after[0] == place:
                inside, at = inside + after[1], at + 1
            tex += f"{place}{{{inside.strip()}}}"
        elif mark in "^_":
            inside, end = _typed_script(text, at + 1)
            if not inside or mark in typed:
                break
            if mark == "^" and _INDEX.match(text, at + 1) and (tex[-1].isalpha() or tex[-1] == "}"):
                inside = f"({inside})"
            typed += mark
            tex, at = f"{tex.rstrip()}{mark}{{{inside}}}", end
        elif mark in _MARKS and not _NO_MARK.match(text, at) and not (mark in "'′″" and _RAISED.search(tex)):
            tex, at = tex + _MARKS[mark], at + 1
        elif mark in "([":
            inside, end = _run(text, at + 1, _CLOSING[mark])
            if not inside:
                break
            tex, at = f"{tex.rstrip()}{mark}{inside}{_CLOSING[mark]}", end + 1
        else:
            break
    return tex, at


def _typed_script(text: str, at: int) -> tuple[str, int]:
    """Return the LaTeX of the script behind ^ or _, without brackets, and where it ends."""
    if closing := {"(": ")", "{": "}"}.get(text[at : at + 1]):
        inside, end = _run(text, at + 1, closing)
        return (inside.strip(), end + 1) if inside else ("", at)
    match = _TYPED_SCRIPT.match(text, at)
    if not match:
        return "", at
    word = None if _INDICES.fullmatch(match[2]) else re.fullmatch("[A-Za-z]{2,}", match[2])
    inside = rf"\mathrm{{{word[0]}}}" if word else " ".join(_LETTERS.get(each, each).strip() for each in match[2])
    return ("-" if match[1] else "") + (inside if word or not match[2].isdecimal() else match[2]), match.end()
