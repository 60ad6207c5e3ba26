"""Activation functions: a name, the function, its derivative, and all known properties.

The properties of a function stand in its one entry here; other files ask for them, never which function it is.
Kernels know the functions in `ACTIVATIONS` by a number; a user's own function is called as it is, after a check.
All are elementwise, keep float32 and float64, and are exact to a few units in the last place of their precision; the
derivatives too, also where they are tiny: tanh' is computed as 4t/(1+t)² with t = exp(-2|h|), since 1 - tanh² has no
digits left in the tails. Only erf', a Gaussian, loses digits as h² grows, and some σ' beside their zeros.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from statnn._archive.names import is_own
from statnn._arguments import array_of, single, whole
from statnn._digits import with_digits
from statnn.network import _codes
from statnn.network import _functions as _of
from statnn.network._breaks import jumps, panel_ends
from statnn.network._checked import check, of_arrays
from statnn.network._codes import OWN
from statnn.network._differences import Numerical
from statnn.network._functions import Values
from statnn.network._gaussian import ClosedForms, OfErf, OfGelu, OfLines, OfSign, OfSine

Function: TypeAlias = Callable[[Values], Values]
Elsewhere: TypeAlias = tuple[Any, ...]
_PRECISIONS = np.dtype(np.float32), np.dtype(np.float64)
"""Others become float64: squares of small integers wrap around, and numpy's tanh of them has three digits."""


@dataclass(frozen=True, init=False, repr=False)
class Activation:
    """An activation function σ with its derivative σ', both elementwise on arrays of any shape.

    Both are tried when the activation is made, at some 4,000 fields from -8 to 8 and 80 up to ±1000 where σ is finite.
    A stated derivative is compared with central differences of σ, away from kinks: it may be off by 10⁻⁶ of the larger
    of |σ'(h)| and the largest slope for |h| <= 1. Errors in an interval narrower than 0.004 may be missed.

    Parameters
    ----------
    name : str
        Name in messages and labels.
    function : callable
        Array in, array of the same shape out. To be sent to another process it must be a function that can be
        imported: defined at the top of a module, not a lambda. The same holds for the derivative.
    derivative : callable or None
        None to find it from values of σ, to 10⁻¹⁰ of the larger of |σ| and the largest |σ'| nearby, where σ is
        smooth; that costs 25 to 440 values of σ for one of σ', and σ must return float64. Jumps of up to 1e-7 of the
        mean |σ| are taken for rounding.
    kinks : sequence of float
        Fields where σ has a kink or a jump. Differences do not reach across them, and at one the numerical derivative
        is that from the left. With a stated derivative they may be left out: where averages need them, they are
        searched for. State, too, both edges of a feature narrower than 0.006 or a hundredth of its field, or below -650
        or above 830: the search may miss it, and averages are then those without it.

    Attributes
    ----------
    built_in : bool
        Whether it is one of the package's own; nothing below is known of a function of yours.
    odd : bool
        σ(-h) = -σ(h).
    increasing : bool
        Whether it increases strictly, where float64 tells values apart.
    bounds : (float, float) or None
        Bounds of all values; None if there are none, or none are known.
    slopes : (float, float) or None
        Slopes below and above zero, of a function that is linear on either side of it.
    slope : float
        Slope below zero, of the leaky ReLU alone.
    steepest : float
        The largest |σ'|.
    above_relu : float or None
        The largest |σ(h) - max(h, 0)|, of a smooth form of the ReLU.
    inflections : tuple of float
        Where σ'' changes its sign, repeated every `period`.
    period : float or None
        σ(h + period) = σ(h).
    tanh : (float, float, float) or None
        a, b, c of σ(h) = a + b tanh(c h).
    averages : ClosedForms or None
        Gaussian averages in closed form.

    Raises
    ------
    TypeError, ValueError
        If a function is not elementwise, changes its argument, does not return real numbers of the same shape, or is
        finite nowhere; if the derivative is wrong, with the place and the two values; if it is to be found numerically
        and there is a kink that is not stated, or values have too few digits.

    See Also
    --------
    ACTIVATIONS : those that are built in.
    leaky_relu : a family of them.
    statnn.testing.check_activation : checks one of your own.

    Examples
    --------
    >>> import numpy as np
    >>> square = Activation("square", np.square, lambda h: 2 * h)
    >>> square(np.array([1.0, -3.0]))
    array([1., 9.])
    >>> hard = Activation("hard tanh", lambda h: np.clip(h, -1, 1), kinks=[-1, 1])
    >>> hard, hard.derivative(np.array([0.5, 2.0]))
    (Activation('hard tanh', numerical derivative to 1e-10), array([1., 0.]))
    """

    name: str
    function: Callable[[Values], Values]
    derivative: Callable[[Values], Values]
    kinks: tuple[float, ...] = ()
    breaks: tuple[float, ...] = ()
    """Fields at which panels of integrals must end: kinks, stated or not, and the edges of narrow features."""
    jumps: tuple[tuple[float, float], ...] = ()
    """Fields at which it is not continuous, each with the value above minus that below."""
    code: int = OWN
    odd: bool = False
    increasing: bool = False
    bounds: tuple[float, float] | None = None
    slopes: tuple[float, float] | None = None
    slope: float = 0.0
    steepest: float = math.inf
    above_relu: float | None = None
    inflections: tuple[float, ...] = ()
    period: float | None = None
    tanh: tuple[float, float, float] | None = None
    averages: ClosedForms | None = None
    fields_of_slope: Callable[[float], float] | None = None
    """|h| at which σ' has fallen by a factor from its largest value, at zero; None without a closed form."""
    exact: Callable[[Any, Any], Any] | None = None
    """σ as a function of the module mpmath and a field, if it is analytic and not linear."""
    torch: Elsewhere = ()
    """Class of torch.nn, and the values that its attributes must have."""
    onnx: Elsewhere = ()
    """Operator of ONNX, and the values that its attributes must have; the first entry is the default without them."""

    def __init__(
        self,
        name: str,
        function: Callable[[Values], Values],
        derivative: Callable[[Values], Values] | None = None,
        *,
        kinks: ArrayLike = (),
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name = {name!r} of an activation is a {type(name).__name__}; pass a str")
        if not callable(function):
            raise TypeError(f"function of activation {name!r} is not callable: pass a function of arrays")
        if derivative is not None and not callable(derivative):
            raise TypeError(
                f"derivative of activation {name!r} is not callable: pass a function of arrays, or None to have it "
                "found numerically"
            )
        places = _kinks(kinks, name)
        slope = Numerical(name, function, places) if derivative is None else derivative
        check(name, function, slope, places)
        what = f"activation {name!r}"
        ends = panel_ends(function, derivative, places, what)
        _set(
            self, name=name, function=of_arrays(function), derivative=of_arrays(slope), kinks=places, breaks=ends,
            jumps=jumps(function, ends, what),
        )  # fmt: skip

    @property
    def built_in(self) -> bool:
        """Whether the package knows the function."""
        return self.code != OWN

    @property
    def smooth(self) -> bool:
        """Whether it is known to be analytic, and is not linear."""
        return self.exact is not None

    @property
    def linear(self) -> bool:
        """Whether it is the identity."""
        return self.slopes == (1.0, 1.0)

    @property
    def flat(self) -> bool:
        """Whether the derivative is zero wherever it exists, as that of the sign."""
        return self.slopes == (0.0, 0.0)

    @property
    def homogeneous(self) -> bool:
        """Whether σ(sh) = s σ(h) for s > 0 is known."""
        return self.slopes is not None and not self.flat

    @property
    def kernel(self) -> tuple[int, float]:
        """What kernels need of the function: its number, and the slope below zero."""
        return self.code, self.slope

    @property
    def parameters(self) -> dict[str, float]:
        """Numbers that define it, besides its name."""
        return {"slope": self.slope} if self.name in _FAMILIES and self.built_in else {}

    def exactly(self, h: Any) -> Any:
        """Return σ(h) of a number h of mpmath, to its precision.

        Raises
        ------
        ValueError
            If σ is known to the digits of float64 only.

        Examples
        --------
        >>> import mpmath
        >>> from statnn.network import ACTIVATIONS
        >>> with mpmath.workdps(30):
        ...     print(ACTIVATIONS["tanh"].exactly(mpmath.mpf(1)))
        0.761594155955764888119458282605
        """
        import mpmath

        if self.exact is None:
            raise ValueError(
                f"activation {self.name!r} is known to the digits of float64 only; to more are known "
                + ", ".join(name for name, sigma in ACTIVATIONS.items() if sigma.exact is not None)
            )
        return self.exact(getattr(h, "context", mpmath), h)

    def series(self, field: float, terms: int, digits: int = 50) -> tuple[Any, ...]:
        """Return σ^(k)(h)/k! for k < terms at a field, as numbers of mpmath.

        Examples
        --------
        >>> from statnn.network import ACTIVATIONS
        >>> [float(term) for term in ACTIVATIONS["tanh"].series(0.0, 4)]
        [0.0, 1.0, 0.0, -0.3333333333333333]
        """
        h = single(field, "field", minimum=-np.inf, why="the series is one about it", fix="call once for each of them")
        number, shown = whole(terms, "terms", minimum=1), whole(digits, "digits", minimum=1, maximum=10**4)
        return _series(self, h, number, shown)

    def __call__(self, fields: ArrayLike) -> Values:
        given = array_of(fields, "fields")
        if given.dtype.kind not in "biuf":
            raise TypeError(f"fields of activation {self.name!r} must be real numbers, not {given.dtype}")
        with np.errstate(over="ignore"):  # long doubles beyond the range of floats
            return self.function(given if given.dtype in _PRECISIONS else given.astype(np.float64))

    def _within(self) -> dict[str, Any]:
        """Return its entries in the table of a result that holds it."""
        return {"name": self.name, **self.parameters}

    def __repr__(self) -> str:
        numerical = ", numerical derivative to 1e-10" if isinstance(self.derivative, Numerical) else ""
        return f"Activation({self.name!r}{numerical})"

    def __copy__(self) -> Activation:
        return self

    def __deepcopy__(self, memo: Any) -> Activation:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self.built_in:
            return built_in, (self.name, self.parameters)
        for name in ("function", "derivative"):
            try:
                pickle.dumps(getattr(self, name))
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise pickle.PicklingError(
                    f"{name} of activation {self.name!r} cannot be sent to another process or stored ({error}): "
                    "define it at the top of a module, not as a lambda or inside a function"
                ) from None
        places = {"kinks": self.kinks, "breaks": self.breaks, "jumps": self.jumps}
        return _checked_before, (self.name, self.function, self.derivative, places)

    def _stored(self) -> dict[str, Any]:
        """Return what files hold: the name, and parameters if it is built in."""
        return {"name": self.name, "parameters": self.parameters if self.built_in else None}

    def _own_functions(self) -> tuple[Function, ...]:
        """Return the user's own functions by which, besides its name, stores know it."""
        return () if self.built_in else tuple(f for f in (self.function, self.derivative) if not is_own(f))

    @classmethod
    def _restored(cls, parts: Mapping[str, Any], own: Mapping[str, Any]) -> Activation:
        name, parameters = parts["name"], parts["parameters"]
        if parameters is not None:
            return built_in(name, parameters)
        restored = own.get(name)
        if isinstance(restored, cls):
            return restored
        raise ValueError(
            f"activation {name!r} is a function of your own, of which files hold the name alone: pass "
            f"own={{{name!r}: Activation(...)}}"
        )


def _entry(name: str, function: Function, derivative: Function, code: int, **facts: Any) -> Activation:
    """Return an activation of the package, which needs no check."""
    result = object.__new__(Activation)
    facts = {"breaks": facts.get("kinks", ())} | facts
    _set(result, name=name, function=function, derivative=derivative, code=code, **facts)
    return result


def _checked_before(name: str, function: Function, derivative: Function, places: dict[str, Any]) -> Activation:
    """Return a user's own activation that was checked before it was sent."""
    return _entry(name, function, derivative, OWN, **places)


def _set(result: Activation, **facts: Any) -> None:
    for key, value in facts.items():
        object.__setattr__(result, key, value)


@cache
def _series(sigma: Activation, field: float, terms: int, digits: int) -> tuple[Any, ...]:
    import mpmath

    own = with_digits(digits)
    return tuple(map(mpmath.mp.convert, own.taylor(sigma.exactly, own.mpf(field), terms - 1)))


def _kinks(values: ArrayLike, name: str) -> tuple[float, ...]:
    """Return the places in increasing order."""
    array = np.atleast_1d(array_of(values, "kinks"))
    if array.size == 0:
        return ()
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise ValueError(
            f"kinks = {values!r} of activation {name!r} must be finite numbers, the fields where it has no derivative"
        )
    return tuple(float(k) for k in np.unique(array))


_ZERO = (0.0,)
_LN2 = math.log(2.0)


def leaky_relu(slope: float = 0.01) -> Activation:
    """Return σ(h) = h above zero and `slope` · h below.

    Parameters
    ----------
    slope : float
        Any finite number; 0 makes the ReLU, 1 the identity.

    Raises
    ------
    ValueError
        If the slope is not one finite number.

    See Also
    --------
    ACTIVATIONS : activations by name.
    Activation : any other function.

    Examples
    --------
    >>> import numpy as np
    >>> leaky_relu(0.1)(np.array([2.0, -2.0]))
    array([ 2. , -0.2])
    """
    if (given := array_of(slope, "slope")).ndim or given.dtype.kind not in "iuf" or not np.isfinite(slope):
        raise ValueError(f"slope = {slope!r} of the leaky ReLU must be one finite number, for example 0.01")
    number = float(slope)
    return _entry(
        "leaky relu", _of.Leaky(number, derivative=False), _of.Leaky(number, derivative=True), _codes.LEAKY_RELU,
        slope=number, slopes=(number, 1.0), kinks=_ZERO, odd=number == 1, increasing=number > 0,
        steepest=max(1.0, abs(number)), averages=OfLines(number),
    )  # fmt: skip


_FAMILIES: dict[str, Callable[..., Activation]] = {"leaky relu": leaky_relu}
_ENTRIES = (
    _entry(
        "identity", _of.identity, _of.one, _codes.IDENTITY,
        odd=True, increasing=True, slopes=(1.0, 1.0), steepest=1.0, averages=OfLines(1.0),
    ),
    _entry(
        "tanh", np.tanh, _of.tanh_slope, _codes.TANH,
        odd=True, increasing=True, bounds=(-1.0, 1.0), steepest=1.0, inflections=_ZERO, tanh=(0.0, 1.0, 1.0),
        fields_of_slope=lambda factor: math.acosh(math.sqrt(factor)), exact=lambda mp, h: mp.tanh(h),
        torch=("Tanh",), onnx=("Tanh",),
    ),
    _entry(
        "erf", _of.erf, _of.erf_slope, _codes.ERF,
        odd=True, increasing=True, bounds=(-1.0, 1.0), steepest=2 / math.sqrt(math.pi), inflections=_ZERO,
        averages=OfErf(), fields_of_slope=lambda factor: math.sqrt(math.log(factor)), exact=lambda mp, h: mp.erf(h),
        onnx=("Erf",),
    ),
    _entry(
        "relu", _of.relu, _of.step, _codes.RELU,
        slopes=(0.0, 1.0), kinks=_ZERO, steepest=1.0, above_relu=0.0, averages=OfLines(0.0),
        torch=("ReLU",), onnx=("Relu",),
    ),
    leaky_relu(),
    _entry(
        "sigmoid", _of.sigmoid, _of.sigmoid_slope, _codes.SIGMOID,
        increasing=True, bounds=(0.0, 1.0), steepest=0.25, inflections=_ZERO, tanh=(0.5, 0.5, 0.5),
        fields_of_slope=lambda factor: math.acosh(math.sqrt(factor)) * 2,
        exact=lambda mp, h: 1 / (1 + mp.exp(-h)), torch=("Sigmoid",), onnx=("Sigmoid",),
    ),
    _entry(
        "sign", _of.sign, _of.zero, _codes.SIGN,
        bounds=(-1.0, 1.0), slopes=(0.0, 0.0), kinks=_ZERO, jumps=((0.0, 2.0),), steepest=0.0, averages=OfSign(),
    ),
    _entry(
        "gelu", _of.gelu, _of.gelu_slope, _codes.GELU,
        above_relu=0.17, steepest=1.1289041451851548, inflections=(-math.sqrt(2.0), math.sqrt(2.0)),
        averages=OfGelu(), exact=lambda mp, h: h * mp.erfc(-h / mp.sqrt(2)) / 2,
        torch=("GELU", ("approximate", "none")), onnx=("Gelu", ("approximate", "none")),
    ),
    _entry(
        "gelu tanh", _of.gelu_tanh, _of.gelu_tanh_slope, _codes.GELU_TANH,
        above_relu=0.1701, steepest=1.1289930686587718, inflections=(-1.4185040087908284, 1.4185040087908284),
        exact=lambda mp, h: h / (1 + mp.exp(-2 * mp.sqrt(2 / mp.pi) * (h + mp.mpf("0.044715") * h**3))),
        torch=("GELU", ("approximate", "tanh")), onnx=("Gelu", ("approximate", "tanh")),
    ),
    _entry(
        "silu", _of.silu, _of.silu_slope, _codes.SILU,
        above_relu=0.2785, steepest=1.099839320128867, inflections=(-2.3993572805154675, 2.3993572805154675),
        exact=lambda mp, h: h / (1 + mp.exp(-h)), torch=("SiLU",), onnx=("Swish", ("alpha", 1.0)),
    ),
    _entry(
        "softplus", _of.softplus, _of.softplus_slope, _codes.SOFTPLUS,
        increasing=True, above_relu=_LN2, steepest=1.0, exact=lambda mp, h: mp.log1p(mp.exp(h)),
        torch=("Softplus", ("beta", 1.0), ("threshold", 20.0)), onnx=("Softplus",),
    ),
    _entry(
        "sin", _of.sine, _of.cosine, _codes.SIN,
        odd=True, bounds=(-1.0, 1.0), steepest=1.0, inflections=(0.0, math.pi), period=2 * math.pi, averages=OfSine(),
        exact=lambda mp, h: mp.sin(h), onnx=("Sin",),
    ),
)  # fmt: skip
ACTIVATIONS: dict[str, Activation] = {sigma.name: sigma for sigma in _ENTRIES}
"""By name: identity, tanh, erf, relu, leaky relu, sigmoid, sign (+1 at zero; its derivative is zero wherever it
exists), gelu = h Φ(h) with the Gaussian distribution function Φ, gelu tanh = h (1 + tanh(√(2/π) (h + 0.044715 h³)))/2,
its usual approximation, silu = h/(1 + e^{-h}), softplus = ln(1 + e^h) and sin. The derivative of relu and leaky relu at
zero is that from the left."""


def built_in(name: str, parameters: Mapping[str, float]) -> Activation:
    """Return the activation of that name with its parameters."""
    return _FAMILIES[name](**parameters) if parameters else ACTIVATIONS[name]


def known_as(
    library: Literal["torch", "onnx"], name: str, attribute: Callable[[str], Any], where: str
) -> Activation | None:
    """Return the activation that another library has under a name, or None.

    Parameters
    ----------
    library : {"torch", "onnx"}
    name : str
        Name of a class or an operator.
    attribute : callable
        Returns the value of an attribute by name, None where the file leaves it out.
    where : str
        Where it was found, for the message.

    Raises
    ------
    ValueError
        If the name is known, but the attributes make it another function.
    """
    named = [sigma for sigma in ACTIVATIONS.values() if getattr(sigma, library)[:1] == (name,)]
    for sigma in named:
        if all(attribute(key) in {None, value} for key, value in getattr(sigma, library)[1:]):
            return sigma
    if named:
        options = [getattr(sigma, library)[1:] for sigma in named]
        given = ", ".join(f"{key} = {attribute(key)!r}" for key, _ in options[0])
        known = " or ".join(", ".join(f"{key} = {value!r}" for key, value in option) for option in options)
        own = f"; of another, say which: activations={{{name!r}: ...}}" if library == "torch" else ""
        raise ValueError(f"{where}: {name} with {given} is not supported; supported is {known}{own}")
    return None


def activation(value: str | Activation) -> Activation:
    """Return the activation of that name, or the activation itself."""
    if isinstance(value, Activation):
        return value
    if isinstance(value, str):
        if value in ACTIVATIONS:
            return ACTIVATIONS[value]
        raise ValueError(f"activation = {value!r} is unknown; choose from {', '.join(ACTIVATIONS)}")
    raise TypeError(
        f"activation = {value!r} is a {type(value).__name__}; pass a name ({', '.join(ACTIVATIONS)}) or "
        "statnn.network.Activation(name, function, derivative)"
    )
