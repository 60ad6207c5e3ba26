"""Symbolic derivations of every formula of the project, and their evaluation to any number of digits.

Nothing here is fast and nothing here imports the package that is: a formula stands once as mathematics, in
this tree, and once as stable arithmetic, in `statnn`; tests compare the two. ``python -m theory`` checks
every derivation and prints it as LaTeX.
"""

from theory.derivation import Derivation, Step

__all__ = ["Derivation", "Step"]
