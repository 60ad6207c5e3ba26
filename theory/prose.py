"""Sentences of derivations as LaTeX: mathematical characters become mathematics."""

from unicodedata import decomposition

# ɑ is the base of the raised alpha
_RESERVED = {"_": r"\_", "^": r"\^{}", "&": r"\&"}
_RAISED = {"<super>": "^", "<sub>": "_"}
_SIGNS = {"α": r"\alpha", "ɑ": r"\alpha", "β": r"\beta", "Γ": r"\Gamma", "θ": r"\theta", "μ": r"\mu", "π": r"\pi"}
_SIGNS |= {"ψ": r"\psi", "′": "'", "″": "''", "−": "-", "≤": r"\le", "≥": r"\ge", "≪": r"\ll", "≫": r"\gg"}
_SIGNS |= {"∞": r"\infty", "→": r"\to", "<": "<", ">": ">", "∂": r"\partial", "√": r"\surd", "±": r"\pm", "·": r"\cdot"}
_SIGNS |= {
    "γ": r"\gamma",
    "ε": r"\epsilon",
    "λ": r"\lambda",
    "ξ": r"\xi",
    "ρ": r"\rho",
    "σ": r"\sigma",
    "τ": r"\tau",
    "φ": r"\phi",
    "χ": r"\chi",
    "ω": r"\omega",
}
_SIGNS |= {"Δ": r"\Delta", "Π": r"\Pi", "Σ": r"\Sigma", "Φ": r"\Phi", "×": r"\times"}


def escape(text: str) -> str:
    """Return prose with its mathematical characters, and those that LaTeX reserves, as LaTeX."""
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character in _RESERVED:
        return _RESERVED[character]
    mark, _, code = decomposition(character).partition(" ")
    if mark not in _RAISED:
        return rf"\({_SIGNS[character]}\)" if character in _SIGNS else character
    base = chr(int(code, 16))
    return rf"\({_RAISED[mark]}{{{_SIGNS.get(base, base)}}}\)"
