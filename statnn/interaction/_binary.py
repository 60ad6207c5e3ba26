"""Binary neurons s_i = ±1 on any graph: an Ising model, a Boltzmann machine."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from statnn._arguments import Floats, Ints, array_of, as_floats, positive
from statnn._arrays import read_only, refuse_malformed
from statnn._by_value import ByValue, same
from statnn.interaction import _from_graph, _structure

if TYPE_CHECKING:
    from statnn.interaction._exact.solve import Exact
    from statnn.network import Network

MOST_SPINS = 2**31 - 1
LARGEST_SUM = 2.0**1020
"""Largest sum of all |J_ij|, |h_i| and N T: a sixteenth of the largest float64, so that no energy overflows."""


class BinaryNeurons(ByValue):
    r"""Spins s_i = ±1 with energy E = -Σ_{i<j} J_ij s_i s_j - Σ_i h_i s_i, at temperature T: p(s) ∝ exp(-E/T).

    Parameters
    ----------
    couplings : sparse matrix, networkx.Graph, array_like of shape (N, N), or sequence of blocks
        J, symmetric without diagonal. A graph gives J_ij as the attribute ``weight`` or ``coupling`` of its edges (or
        the default of its file, else 1); spins stand in the order of its nodes, whose names are `nodes`. If all
        nodes carry ``layer`` 0, 1, ... and no coupling skips a layer, these are the `layers`; all else is ignored.
        A *list* of matrices is a layered model: block m of shape (n_{m+1}, n_m) couples layer m to layer m+1, dense
        between neighbours; its spins are numbered layer by layer.
    fields : array_like of shape (N,), float, mapping, str, or None
        h, in the order of `nodes`; one number for all spins; {node: h}, 0 for nodes without; the name of an attribute
        of the graph's nodes. None is the attribute ``field`` of a graph, where nodes have it, and no field elsewhere.
    temperature : float or None
        T > 0, in units of the couplings. None is the attribute ``temperature`` of a graph that has it, else 1.

    Raises
    ------
    TypeError, ValueError
        If couplings are asymmetric, couple a spin to itself, are not finite or not real; shapes do not match; fields
        name no node; T <= 0; energies exceed the range of float64.

    See Also
    --------
    DynamicNeurons : neurons that take real values.
    square_lattice : a lattice of spins.
    statnn.montecarlo.sample : draws states.

    Examples
    --------
    >>> pair = BinaryNeurons([[0, 1], [1, 0]], temperature=2.0)
    >>> pair.energy([[1, 1], [1, -1]])
    array([-1.,  1.])
    >>> import networkx as nx
    >>> named = BinaryNeurons(nx.Graph([("a", "b")]), fields={"b": 0.5})
    >>> dict(zip(named.nodes, named.exact().magnetisation.round(3).tolist()))
    {'a': 0.352, 'b': 0.462}
    """

    nodes: Sequence[Hashable]
    """Name of every spin: nodes of the graph, or rows of the table, that it was made from; otherwise 0, 1, ...."""
    fields: Floats
    temperature: float
    blocks: tuple[Floats, ...] | None
    """The blocks of a layered model, else None."""

    def __init__(
        self,
        couplings: Any,
        fields: ArrayLike | Mapping[Any, float] | str | None = None,
        temperature: float | None = None,
    ) -> None:
        own, graph = self.__dict__, couplings if _from_graph.is_graph(couplings) else None
        nodes = None if graph is not None else _from_graph.names_of(couplings)
        if graph is not None:
            nodes, couplings, layers, blocks = _from_graph.from_graph(graph)
            couplings = couplings if blocks is None else blocks
            if layers is not None and blocks is None:
                own |= {"layers": tuple(read_only(layer) for layer in layers), "_told": True}
            if fields is None or isinstance(fields, str):
                fields = _from_graph.fields_of_graph(graph, fields)
        if temperature is None:
            temperature = 1.0 if graph is None else _from_graph.temperature_of_graph(graph)
        matrix, own["blocks"] = _couplings(couplings)
        if matrix is not None:
            own["couplings"] = matrix
            size = matrix.shape[0]
        elif own["blocks"] is not None:
            size = own["blocks"][0].shape[1] + sum(block.shape[0] for block in own["blocks"])
        own["nodes"] = nodes or range(size)
        own["fields"] = _fields(fields, own["nodes"])
        why = "it divides the energy; for ground states take one far below the couplings"
        own["temperature"] = positive(temperature, "temperature", why=why)
        _refuse_beyond_floats(self)

    @classmethod
    def from_network(cls, net: Network, temperature: float = 1.0) -> BinaryNeurons:
        """Return the layered model of a network: block m is W^(m), the fields of layer m+1 are b^(m).

        Parameters
        ----------
        net : Network
            Its activations play no part: every unit is a spin. Inputs are the spins of layer 0, without field.
        temperature : float
            T > 0.

        Examples
        --------
        >>> from statnn import Network
        >>> BinaryNeurons.from_network(Network.random([3, 4, 2], rng=0)).size
        9
        """
        fields = np.concatenate([np.zeros(net.widths[0]), *net.biases])
        return cls(list(net.weights), fields, temperature)

    @property
    def size(self) -> int:
        """Number of spins N."""
        return int(self.fields.size)

    @cached_property
    def couplings(self) -> sparse.csr_array[Any]:
        """J as a symmetric sparse matrix, shape (N, N)."""
        assert self.blocks is not None  # noqa: S101 - the constructor stores a matrix or blocks
        count = len(self.blocks) + 1
        rows: list[list[Any]] = [[None] * count for _ in range(count)]
        for m, block in enumerate(self.blocks):
            rows[m + 1][m], rows[m][m + 1] = block, block.T
        matrix = sparse.csr_array(sparse.block_array(rows, format="csr"))
        matrix.eliminate_zeros()
        return _locked(matrix)

    @cached_property
    def layers(self) -> tuple[Ints, ...]:
        """Spins of every layer: couplings join spins of one layer or of neighbouring layers only."""
        if self.blocks is None:
            return tuple(read_only(layer) for layer in _structure.levels(self.couplings))
        widths = [self.blocks[0].shape[1], *(block.shape[0] for block in self.blocks)]
        return tuple(np.split(read_only(np.arange(self.size)), np.cumsum(widths)[:-1]))

    @cached_property
    def colours(self) -> Ints:
        """Colour of every spin, shape (N,): spins of one colour are not coupled."""
        if self.blocks is None:
            return read_only(_structure.colours(self.couplings))
        return read_only(np.concatenate([np.full(layer.size, m % 2) for m, layer in enumerate(self.layers)]))

    def at(self, temperature: float) -> BinaryNeurons:
        """Return the same spins at another temperature; couplings are shared.

        Raises
        ------
        TypeError, ValueError
            If the temperature is not a number above 0, or so high that N T exceeds the range of float64.

        Examples
        --------
        >>> pair = BinaryNeurons([[0, 1], [1, 0]], temperature=2.0)
        >>> pair.at(0.5).temperature, pair.at(0.5).couplings is pair.couplings
        (0.5, True)
        """
        result = object.__new__(BinaryNeurons)
        result.__dict__.update(self.__dict__)
        result.__dict__["temperature"] = positive(temperature, "temperature", why="it divides the energy")
        _refuse_beyond_floats(result)
        return result

    def energy(self, state: ArrayLike) -> Any:
        """Return E of states of shape (..., N) with entries ±1: shape (...), a float for one state.

        Examples
        --------
        >>> BinaryNeurons([[[1.0, 2.0]]], fields=0.5).energy([1, 1, 1])
        -4.5
        """
        spins = self.states(state)
        flat = spins.reshape(-1, self.size).astype(np.float64)
        if self.blocks is None:
            pairs = np.einsum("ri,ir->r", flat, self.couplings @ flat.T) / 2
        else:
            parts = [flat[:, layer[0] : layer[-1] + 1] for layer in self.layers]
            pairs = np.zeros(len(flat))
            for block, (below, above) in zip(self.blocks, pairwise(parts), strict=True):
                pairs += np.einsum("ri,ri->r", above, below @ block.T)
        energy = -pairs - flat @ self.fields
        return energy.item() if spins.ndim == 1 else energy.reshape(spins.shape[:-1])

    def exact(self, method: str | None = None, *, correlations: bool = True) -> Exact:
        """Return exact averages of few spins, or of any number in narrow layers.

        Up to 20 spins are enumerated. More are solved by transfer matrices if their `layers`, or those of another
        search through the graph, hold at most 18 spins, two neighbouring layers 24.

        Parameters
        ----------
        method : {"enumeration", "transfer"} or None
            None for the one that fits.
        correlations : bool
            False leaves out the (N, N) matrix of correlations, and the work for it.

        Raises
        ------
        ValueError
            If neither method applies; the message says why.

        Examples
        --------
        >>> pair = BinaryNeurons([[0, 1], [1, 0]], temperature=2.0).exact()
        >>> round(pair.energy, 6)  # -tanh(1/2)
        -0.462117
        >>> pair.correlation.round(6)
        array([[1.      , 0.462117],
               [0.462117, 1.      ]])
        """
        from statnn.interaction._exact.solve import exact

        return exact(self, method, correlations=correlations)

    def graph(self, *, layers: bool = False) -> Any:
        """Return the interaction graph as a `networkx.Graph`, for up to 5000 spins and 500 000 couplings.

        Parameters
        ----------
        layers : bool
            True for the graph of the layers instead, of any size: nodes carry ``width`` and ``within``, edges
            ``coupling``, root mean squares of J inside a layer and between neighbours.

        Returns
        -------
        networkx.Graph
            Nodes are `nodes`, in the order of spins, with ``kind`` "neuron", ``layer``, ``index`` in its layer,
            ``clamped`` and ``field`` h_i. Edges carry ``coupling`` J_ij, and the same as ``weight``. `BinaryNeurons`
            made from the graph are the same model.

        Raises
        ------
        ValueError
            If the graph is too large.

        Examples
        --------
        >>> graph = BinaryNeurons([[[1.0, -2.0]]], fields=0.5).graph()
        >>> graph.nodes[2]
        {'kind': 'neuron', 'layer': 1, 'index': 0, 'clamped': False, 'field': 0.5}
        >>> graph.edges[1, 2]["coupling"]
        -2.0
        """
        from statnn.interaction._views.graph import binary_graph

        return binary_graph(self, layers=layers)

    def plot(self, ax: Any | None = None, *, layers: bool | None = None) -> Any:
        """Draw spins as dots in the colour of their field and couplings as coloured lines; return the axes.

        Layers are columns. A graph that is not layered is drawn by springs, coupled spins close to each other. Up to
        60 spins of a graph have the names of its nodes written in or beside them.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; new axes when None.
        layers : bool or None
            True draws one bar per layer, False every spin; None every spin up to 400 spins and 20 000 couplings.

        Raises
        ------
        ValueError
            If layers=False and there are more.

        Examples
        --------
        >>> ax = BinaryNeurons([[0, 1], [1, 0]], fields=[0.5, 0.0]).plot()
        """
        from statnn.interaction._views.picture import draw_binary

        return draw_binary(self, ax, layers)

    def states(self, state: ArrayLike) -> Any:
        """Return states as an int8 array of shape (..., N), or raise if an entry is not ±1.

        Examples
        --------
        >>> BinaryNeurons([[0, 1], [1, 0]]).states([1, -1])
        array([ 1, -1], dtype=int8)
        """
        array = array_of(_from_graph.in_order(state, self.nodes), "state")
        if array.ndim == 0 or array.shape[-1] != self.size:
            raise ValueError(f"state has shape {array.shape}; the last axis must hold the {self.size} spins")
        if array.dtype.kind not in "biuf" or not (np.abs(array) == 1).all():
            wrong = f"{array[np.abs(array) != 1].flat[0]}" if array.dtype.kind in "biuf" else f"{array.dtype}"
            raise ValueError(f"state holds {wrong}; spins are -1 and +1: write 2 * s - 1 for neurons that are 0 or 1")
        return array.astype(np.int8)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"BinaryNeurons are immutable: make a new model with another {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"BinaryNeurons are immutable: {name} cannot be deleted")

    def _compared(self) -> tuple[Any, ...]:
        if self.blocks is not None:
            return self.blocks, self.fields, self.temperature
        return self.couplings.indptr, self.couplings.indices, self.couplings.data, self.fields, self.temperature

    def __eq__(self, other: object) -> bool:
        equal = super().__eq__(other)
        if equal is not True or self is other or not isinstance(other, BinaryNeurons):
            return equal
        return list(self.nodes) == list(other.nodes) and same(self.layers, other.layers)

    __hash__ = ByValue.__hash__

    def __deepcopy__(self, memo: Any) -> BinaryNeurons:
        return self

    def __getstate__(self) -> dict[str, Any]:
        kept = {"nodes", "fields", "temperature", "blocks"} | (
            {"couplings", "layers"} if self.blocks is None else set()
        )
        return {name: self.__dict__[name] for name in kept if name in self.__dict__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)  # pickles forget that arrays are read-only
        for array in (self.fields, *(self.blocks or ()), *self.__dict__.get("layers", ())):
            read_only(array)
        if self.blocks is None:
            _locked(self.couplings)

    def _stored(self) -> dict[str, Any]:
        """Return the arguments of the constructor, and names and layers from a graph."""
        layers = self.layers if self.blocks is None and "_told" in self.__dict__ else None  # not those of a search
        couplings = list(self.blocks) if self.blocks is not None else self.couplings
        arguments = {"couplings": couplings, "fields": self.fields, "temperature": self.temperature}
        return {**arguments, "nodes": self.nodes, "layers": layers}

    @classmethod
    def _restored(cls, parts: Mapping[str, Any], own: Mapping[str, Any]) -> BinaryNeurons:
        del own
        result = cls(parts["couplings"], parts["fields"], parts["temperature"])
        nodes, layers = parts["nodes"], parts["layers"]
        if len(nodes) != result.size:
            raise ValueError(f"there are {len(nodes)} nodes for {result.size} spins; one each is needed")
        result.__dict__["nodes"] = nodes
        if layers is not None:
            if not np.array_equal(np.sort(np.concatenate(layers)), np.arange(result.size)):
                raise ValueError(
                    f"layers of {[*map(len, layers)]} spins do not hold each of the {result.size} spins once"
                )
            result.__dict__.update(layers=tuple(layers), _told=True)
        return result

    def __repr__(self) -> str:
        bonds = "" if self.blocks is None else f"layers={'-'.join(str(layer.size) for layer in self.layers)}, "
        return f"BinaryNeurons({bonds}size={self.size}, temperature={self.temperature:g})"


def of_symmetric(matrix: sparse.csr_array[Any], temperature: float) -> BinaryNeurons:
    """Return spins without fields, from couplings known to be symmetric, finite, sorted, in float64 and without zeros.

    Checking them would take several times their memory.
    """
    result, nodes = object.__new__(BinaryNeurons), range(matrix.shape[0])
    result.__dict__.update(couplings=_locked(matrix), blocks=None, nodes=nodes, fields=_fields(None, nodes))
    return result.at(temperature)


def _couplings(value: Any) -> tuple[sparse.csr_array[Any] | None, tuple[Floats, ...] | None]:
    matrix: Any = value
    if sparse.issparse(value):
        refuse_malformed(value, "couplings")
        return _symmetric(matrix), None
    if isinstance(value, Sequence) and len(value) and not isinstance(value, memoryview):
        first = value[0]
        if sparse.issparse(first) or array_of(first, "couplings[0]").ndim == 2:
            return None, _blocks(value)
    dense = _reals(value, "couplings")
    if dense.ndim != 2:
        raise TypeError(
            f"couplings of shape {dense.shape} are not understood; pass a sparse or dense matrix of shape (N, N), a "
            "networkx.Graph, or a list of blocks of shape (n_{m+1}, n_m) for layers"
        )
    if dense.dtype.kind not in "biuf":
        raise TypeError(f"couplings must hold real numbers, not {dense.dtype}{as_floats(dense, 'couplings')}")
    with np.errstate(over="ignore"):  # types wider than float64 may overflow
        return _symmetric(sparse.csr_array(dense.astype(np.float64))), None


def _symmetric(matrix: Any) -> sparse.csr_array[Any]:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise ValueError(f"couplings have shape {matrix.shape}; a square matrix is needed")
    if matrix.dtype.kind not in "biuf":
        raise TypeError(f"couplings must hold real numbers, not {matrix.dtype}")
    if matrix.shape[0] > MOST_SPINS:
        raise ValueError(f"{matrix.shape[0]} spins are more than the {MOST_SPINS} that can be numbered")
    with np.errstate(over="ignore"):  # types wider than float64 may overflow
        result = sparse.csr_array(matrix.astype(np.float64))  # before duplicate entries are added up
        result.sum_duplicates()
    if not np.isfinite(result.data).all():
        raise ValueError("couplings hold NaN or infinity; every J_ij must be finite")
    diagonal = result.diagonal()
    if diagonal.any():
        i = int(np.argmax(diagonal != 0))
        raise ValueError(
            f"couplings[{i}, {i}] = {diagonal[i]}: a spin is not coupled to itself, as s² = 1 is a constant; "
            "set the diagonal to zero"
        )
    difference = (result - result.T).tocoo()
    if difference.nnz and difference.data.any():
        worst = int(np.argmax(np.abs(difference.data)))
        i, j = (int(index[worst]) for index in difference.coords)
        raise ValueError(
            f"couplings[{i}, {j}] = {result[i, j]} but couplings[{j}, {i}] = {result[j, i]}: an energy needs "
            "J_ij = J_ji; pass (J + J.T) / 2, or J + J.T if each pair is stored once"
        )
    result.eliminate_zeros()
    return _locked(result)


def _blocks(value: Sequence[ArrayLike]) -> tuple[Floats, ...]:
    blocks: list[Floats] = []
    for m, block in enumerate(value):
        if sparse.issparse(block):
            raise TypeError(
                f"block {m} is sparse; layers are dense between neighbours: pass block.toarray(), or one sparse matrix "
                "of shape (N, N) for the whole model"
            )
        array = _reals(block, f"block {m}")
        if array.dtype.kind not in "biuf":
            raise TypeError(f"block {m} must hold real numbers, not {array.dtype}{as_floats(array, 'the block')}")
        if array.ndim != 2 or not array.size:
            raise ValueError(f"block {m} has shape {array.shape}; it needs (n_{{m+1}}, n_m)")
        if blocks and array.shape[1] != blocks[-1].shape[0]:
            raise ValueError(f"block {m} has shape {array.shape} but the layer below has {blocks[-1].shape[0]} spins")
        with np.errstate(over="ignore"):  # types wider than float64 may overflow
            copy = np.array(array, dtype=np.float64, order="C")
        if not np.isfinite(copy).all():
            raise ValueError(f"block {m} holds NaN or infinity; every coupling must be finite")
        blocks.append(read_only(copy))
    return tuple(blocks)


def _reals(value: Any, name: str) -> NDArray[Any]:
    """Return an array, with floats instead of integers beyond 64 bits."""
    array = array_of(value, name)
    if array.dtype == object and array.size and all(type(number) is int for number in array.flat):
        return np.reshape([_from_graph.finite(number, f"{name} has an entry") for number in array.flat], array.shape)
    return array


def _fields(value: Any, nodes: Sequence[Hashable]) -> Floats:
    size = len(nodes)
    if isinstance(value, str):
        raise TypeError(f"fields = {value!r} names an attribute of nodes, but couplings are not a graph: pass an array")
    value = _from_graph.by_name(value)
    if hasattr(value, "keys"):
        return read_only(_from_graph.fields_of_mapping(value, nodes))
    array = _reals(0.0 if value is None else value, "fields")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"fields must hold real numbers, not {array.dtype}{as_floats(array, 'fields')}")
    if array.ndim > 1 or (array.ndim == 1 and array.shape != (size,)):
        raise ValueError(f"fields have shape {array.shape}; one number or shape ({size},) is needed")
    with np.errstate(over="ignore"):  # types wider than float64 may overflow
        result = np.array(np.broadcast_to(array, (size,)), dtype=np.float64)
    if not np.isfinite(result).all():
        raise ValueError(f"fields[{int(np.argmin(np.isfinite(result)))}] is not finite")
    return read_only(result)


def _refuse_beyond_floats(model: BinaryNeurons) -> None:
    """Raise where sums of couplings, fields and temperatures may overflow: energies and free energies are such sums."""
    own, warmth = model.__dict__, model.temperature * model.size
    parts = [*(model.blocks or [own["couplings"].data]), model.fields]
    with np.errstate(over="ignore"):
        if warmth + sum(float(max(p.max(initial=0), -p.min(initial=0))) * p.size for p in parts) <= LARGEST_SUM:
            return
        total = warmth + sum(float(np.abs(part).sum()) for part in parts)
    if total > LARGEST_SUM:
        raise ValueError(
            f"couplings, fields and the temperature times {model.size} spins add up to {total:.3g}, beyond "
            f"{LARGEST_SUM:.3g}: energies exceed the range of float64; divide all three by one number, which changes "
            "no probability"
        )


def _locked(matrix: sparse.csr_array[Any]) -> sparse.csr_array[Any]:
    matrix.sort_indices()
    # equal couplings have equal arrays: indices are of 32 bits wherever they fit
    kind: np.dtype[Any] = np.dtype(np.int32 if max(matrix.nnz, *matrix.shape) <= np.iinfo(np.int32).max else np.int64)
    matrix.indices, matrix.indptr = (part.astype(kind, copy=False) for part in (matrix.indices, matrix.indptr))
    for part in (matrix.data, matrix.indices, matrix.indptr):
        read_only(part)
    return matrix
