r"""Symbols of interacting neurons (Lee, Lee & Yi, arXiv 2410.00396, for the Hamiltonian), and tools of proof.

=========  ==========================================================================================
h, W, b    neurons, weights, biases; f = Wh + b is a field, σ the activation, any smooth function
lambda     stiffness: a layer adds Gaussian noise of variance 1/(2λ)
beta       weight of the targets y
K, T       a coupling divided by the temperature; the temperature
s, F       a spin ±1 and its local field
rho, tau   autocorrelation of neighbouring draws, integrated autocorrelation time
epsilon    step size of the leapfrog
=========  ==========================================================================================
"""

from __future__ import annotations

from typing import Any

import mpmath
import sympy as sp

lam, beta, K, T, v = sp.symbols("lambda beta K T v", positive=True)
x, y, h, w, b, f, z = sp.symbols("x y h w b f z", real=True)
n = sp.Symbol("n", integer=True, positive=True)
i, j, m = sp.symbols("i j m", integer=True)
H, E, V, O, Z, P = (sp.Function(name) for name in ("H", "E", "V", "O", "Z", "P"))

HAMILTONIAN = "this project, for the Hamiltonian of Lee, Lee & Yi 2024, arXiv 2410.00396"
TEXTBOOK = "textbook result, proved here"


class Sigma(sp.Function):
    """The k-th derivative of the activation, `Sigma(f, k)`: an arbitrary smooth function."""

    nargs = 2
    tex = r"\sigma"

    @staticmethod
    def _imp_(field: Any, order: Any) -> Any:
        """Return values of an example without symmetry or vanishing derivatives: exp(f/2) + sin f."""
        return mpmath.exp(field / 2) / 2**order + mpmath.sin(field + order * mpmath.pi / 2)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Return the next derivative."""
        if argindex != 1:
            raise ValueError("the order of a derivative is not a variable")
        return self.func(self.args[0], self.args[1] + 1)

    def _eval_is_extended_real(self) -> bool:
        return True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        tex = rf"{self.tex}{chr(39) * int(self.args[1])}({printer._print(self.args[0])})"  # noqa: SLF001 - sympy's hook
        return tex if exp is None else f"{tex}^{{{exp}}}"


class Entry(sp.Function):
    """An entry of an arbitrary vector or matrix of any size, `Entry(J, i, j)`."""

    nargs = (2, 3)

    @staticmethod
    def _imp_(name: Any, *places: Any) -> Any:
        """Return irregular numbers, different ones for different names."""
        return mpmath.sin(name + sum(weight * place**2 for weight, place in enumerate(places, 1)))

    def _eval_is_extended_real(self) -> bool:
        return True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        name, *places = map(printer._print, self.args)  # noqa: SLF001 - sympy's hook
        return f"{name}_{{{' '.join(places)}}}" + ("" if exp is None else f"^{{{exp}}}")


def sigma(field: sp.Expr, derivative: int = 0) -> sp.Expr:
    """Return the activation at `field`, or one of its derivatives."""
    return Sigma(field, derivative)


def vector(name: str, size: int) -> sp.Matrix:
    """Return a column of real symbols."""
    return sp.Matrix(sp.symbols(f"{name}_:{size}", real=True))


def matrix(name: str, rows: int, columns: int) -> sp.Matrix:
    """Return a matrix of real symbols."""
    return sp.Matrix(rows, columns, sp.symbols(f"{name}_:{rows}_:{columns}", real=True))


def named(tex: str) -> sp.Symbol:
    """Return a symbol whose name is LaTeX, for display, say of a mean."""
    return sp.Symbol(tex, real=True)


def expected(tex: str) -> sp.Symbol:
    """Return a symbol for the mean of a quantity, for display."""
    return named(rf"\operatorname{{E}}[{tex}]")


def spread(tex: str) -> sp.Symbol:
    """Return a symbol for the variance of a quantity, for display."""
    return named(rf"\operatorname{{Var}}[{tex}]")


def gaussian(at: sp.Expr, variance: sp.Expr) -> sp.Expr:
    """Return the density of a centred Gaussian."""
    return sp.exp(-(at**2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)


def gaussian_mean(polynomial: sp.Expr, *variables: sp.Symbol) -> sp.Expr:
    """Return the mean of a polynomial in independent standard Gaussian variables, by their moments (k-1)!!."""
    terms = sp.Poly(polynomial, *variables).terms()
    means = (factor * sp.Mul(*(0 if k % 2 else sp.factorial2(k - 1) for k in powers)) for powers, factor in terms)
    return sp.Add(*means)
