r"""Derivations as one LaTeX document, which pdflatex compiles by itself.

Equations are broken by TeX, since only TeX knows their width: an equation too wide for a line is set as a paragraph,
broken after relations and signs, even between large parentheses; a fraction that is too wide is set on one line with a
slash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from statnn.theory.derivation import Derivation
from statnn.theory.kinds import KINDS
from statnn.theory.prose import as_latex

_HEAD = r"""\documentclass[a4paper,11pt]{article}
\usepackage[margin=25mm]{geometry}
\usepackage{amsmath}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6ex plus 0.3ex}
\setlength{\emergencystretch}{4em}
\newsavebox{\equationbox}
\let\wasleft\left \let\wasright\right \let\wasfrac\frac
\newcommand{\tall}[1]{\hbox{$\nulldelimiterspace=0pt \wasleft#1\vbox to 11.5pt{}\wasright.$}}
\newcommand{\opening}[1]{\mathopen{\tall{#1}}}
\newcommand{\closing}[1]{\mathclose{\tall{#1}}}
\newcommand{\sloping}[2]{\setbox0=\hbox{$\displaystyle \wasfrac{#1}{#2}$}%
  \ifdim\wd0>0.9\linewidth \opening(#1\closing)/{(#2)}\else \wasfrac{#1}{#2}\fi}
\newcommand{\inlines}[1]{{\par\raggedright\binoppenalty=50 \relpenalty=10 \hangindent=2em
  \let\left\opening \let\right\closing \let\frac\sloping $\displaystyle #1$\par}}
\def\[#1\]{\sbox{\equationbox}{$\displaystyle #1$}%
  \ifdim\wd\equationbox>\linewidth \inlines{#1}\else
  {\par\nopagebreak\centering\usebox{\equationbox}\par}\fi}
\title{Derivations of statnn}
\author{}
\date{}
\begin{document}
\maketitle
"""


def document(derivations: Iterable[Derivation]) -> str:
    """Return a whole LaTeX document of derivations, with a table of the checks of each kind of step."""
    chosen = tuple(derivations)
    counts = sum((Counter(each.kinds()) for each in chosen), Counter())
    rows = [rf"\emph{{{kind}}} & {counts[kind]} & {as_latex(meaning)} \\" for kind, meaning in KINDS.items()]
    head = [_HEAD, r"\begin{tabular}{lrp{0.7\linewidth}}", r"kind & steps & what is checked \\ \hline"]
    table = "\n".join([*head, *rows, r"\end{tabular}"])
    return "\n\n".join([table, *(each.latex() for each in chosen), r"\end{document}"]) + "\n"
