"""Batch normalisation with running statistics: an affine map of the fields, the same for every sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import array_of, at_least, single
from statnn._arrays import Reals, frozen, real
from statnn._labelled import refuse_other_order


@dataclass(frozen=True, eq=False, init=False)
class BatchNorm:
    r"""Batch normalisation of one layer, as it acts once training is over.

    .. math:: \mathrm{BN}(h)_i = \gamma_i \frac{h_i - \mu_i}{\sqrt{v_i + \epsilon}} + \beta_i = s_i h_i + t_i

    Running statistics, not those of a batch: every sample is mapped by itself. [exact]

    Parameters
    ----------
    mean, variance : array_like, shape (n,)
        Running mean μ and variance v >= 0 of the fields.
    gamma, beta : array_like, shape (n,), or None
        Learned scale γ and offset β; None for ones and zeros.
    epsilon : float
        Number ε >= 0 that keeps the root from zero; v + ε must be above 0 in every unit.

    Raises
    ------
    TypeError, ValueError
        If shapes differ, entries are not finite real numbers, or v + ε is not above 0.

    See Also
    --------
    statnn.Network : takes one per layer, as ``normalisations``.

    Examples
    --------
    >>> norm = BatchNorm(mean=[1.0], variance=[4.0], gamma=[3.0], beta=[0.5], epsilon=0.0)
    >>> norm.scale, norm.shift, norm([[3.0]])
    (array([1.5]), array([-1.]), array([[3.5]]))
    """

    mean: Reals
    variance: Reals
    gamma: Reals
    beta: Reals
    epsilon: float

    def __init__(
        self,
        mean: ArrayLike,
        variance: ArrayLike,
        gamma: ArrayLike | None = None,
        beta: ArrayLike | None = None,
        epsilon: float = 1e-5,
    ) -> None:
        arrays = {"mean": real(mean, "mean", 1), "variance": real(variance, "variance", 1)}
        arrays["gamma"] = np.ones_like(arrays["mean"]) if gamma is None else real(gamma, "gamma", 1)
        arrays["beta"] = np.zeros_like(arrays["mean"]) if beta is None else real(beta, "beta", 1)
        for name, values in (("variance", variance), ("gamma", gamma), ("beta", beta)):
            refuse_other_order(values, name, mean, "mean")
        for name, array in arrays.items():
            if array.shape != arrays["mean"].shape:
                raise ValueError(
                    f"{name} has shape {array.shape} but mean has {arrays['mean'].shape}; one entry per unit"
                )
        why, fix = "it is added to a variance", "it is the same in all units"
        small = single(epsilon, "epsilon", minimum=0, why=why, fix=fix)
        total = at_least(arrays["variance"], "variance", minimum=0, why="it is a variance of fields") + small
        if not (total > 0).all():
            unit = int(np.argmin(total))
            raise ValueError(f"variance[{unit}] + epsilon = 0: a unit without variance needs epsilon > 0, usually 1e-5")
        single_precision = all(array.dtype == np.float32 for array in arrays.values())
        dtype = np.dtype(np.float32 if single_precision else np.float64)
        for name, array in arrays.items():
            object.__setattr__(self, name, frozen(array, dtype))
        object.__setattr__(self, "epsilon", small)

    @property
    def units(self) -> int:
        """Number n of units."""
        return len(self.mean)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of the parameters, float32 or float64."""
        return self.mean.dtype

    @property
    def scale(self) -> Reals:
        """Slope γ/√(v+ε), shape (n,), float64 whatever the precision of the parameters."""
        return self.gamma.astype(np.float64) / np.sqrt(self.variance.astype(np.float64) + self.epsilon)

    @property
    def shift(self) -> Reals:
        """Offset β - γμ/√(v+ε), shape (n,), float64."""
        result: Reals = self.beta - self.scale * self.mean
        return result

    def __call__(self, fields: ArrayLike) -> Reals:
        """Return the normalised fields, float64, of fields of shape (..., n); raise if their shape is another."""
        h = array_of(fields, "fields")
        if h.dtype.kind not in "biuf":
            raise TypeError(f"fields must hold real numbers, not {h.dtype}")
        if h.shape[-1:] != (self.units,):
            raise ValueError(f"fields have shape {h.shape}; (..., {self.units}), the units last, is needed")
        result: Reals = self.scale * (h - self.mean.astype(np.float64)) + self.beta
        return result

    def astype(self, dtype: Any) -> BatchNorm:
        """Return the same normalisation with its arrays in another precision.

        Parameters
        ----------
        dtype : numpy.float32 or numpy.float64
            The precision; the object itself if it has it already.

        Raises
        ------
        ValueError
            For any other precision.

        Examples
        --------
        >>> import numpy as np
        >>> BatchNorm([1.0], [4.0]).astype(np.float32).dtype
        dtype('float32')
        """
        if np.dtype(dtype) == self.dtype:
            return self
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype = {dtype!r} is not supported; use numpy.float32 or numpy.float64")
        mean, variance, gamma, beta = (array.astype(dtype) for array in self._arrays)
        return BatchNorm(mean, variance, gamma, beta, self.epsilon)

    @property
    def _arrays(self) -> tuple[Reals, Reals, Reals, Reals]:
        return self.mean, self.variance, self.gamma, self.beta

    def __reduce__(self) -> tuple[Any, ...]:
        return BatchNorm, (*self._arrays, self.epsilon)

    def __copy__(self) -> BatchNorm:
        return self

    def __deepcopy__(self, memo: Any) -> BatchNorm:
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BatchNorm):
            return NotImplemented
        pairs = zip(self._arrays, other._arrays, strict=True)
        return (
            self.dtype == other.dtype
            and self.epsilon == other.epsilon
            and all(mine is theirs or np.array_equal(mine, theirs) for mine, theirs in pairs)
        )

    def __hash__(self) -> int:
        return hash((self.dtype, self.epsilon, *((array + 0).tobytes() for array in self._arrays)))

    def __repr__(self) -> str:
        return f"BatchNorm({self.units} units, epsilon={self.epsilon:g})"
