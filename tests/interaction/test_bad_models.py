"""Models refuse bad input before any work starts, and say what would be right."""

import math
import pickle
import re
from decimal import Decimal

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from statnn.interaction import (
    BinaryNeurons,
    DynamicNeurons,
    Prior,
    State,
    translation_symmetry,
)
from statnn.measure.graph import layer_fluctuation, node_strength
from statnn.network import Activation, Network, leaky_relu

NAN, INF = math.nan, math.inf
YES = True
W, PAIR = [[1.0, 2.0]], [[0.0, 1.0], [1.0, 0.0]]
net = Network([W], activation="tanh")
pair = BinaryNeurons(PAIR)
large = Network([np.ones((1, 6000))])
dense = Network([np.ones((4000, 900))])
single = Network([np.ones((1, 2), np.float32)])


def own(function):
    return Network([[[1.0]]], activation=Activation("mine", function))


NETWORKS = [
    (lambda: Network([]), ValueError, r"weights is empty; a network has at least one layer"),
    (lambda: Network(None), TypeError, r"weights is a NoneType; pass a list with one matrix per layer"),
    (lambda: Network(np.eye(2)), TypeError, r"weights is an array of shape \(2, 2\); pass a list"),
    (lambda: Network(W), ValueError, r"weights\[0\] has shape \(2,\); a matrix is needed"),
    (
        lambda: Network([W, W]),
        ValueError,
        r"weights\[1\] has shape \(1, 2\) but layer 0 below it has 1 outputs.*transpose",
    ),
    (lambda: Network([np.zeros((0, 2))]), ValueError, r"weights\[0\] has shape \(0, 2\) and no entries"),
    (lambda: Network([[[1.0, NAN]]]), ValueError, r"weights\[0\]\[0, 1\] = nan is not finite"),
    (lambda: Network([[[1j]]]), TypeError, r"weights\[0\] must hold real numbers, not complex128"),
    (
        lambda: Network([[[Decimal(1)]]]),
        TypeError,
        r"\[0\] must .*, not object \(pass numpy.asarray\(weights\[0\], dtype=f",
    ),
    (lambda: Network([[["1"]]]), TypeError, r"weights\[0\] must hold real numbers, not <U1"),
    (lambda: Network([W], []), ValueError, r"biases is empty; a network has at least one layer, with one vector each"),
    (lambda: Network([W], np.zeros(1)), TypeError, r"biases is an array of shape \(1,\); pass a list with one vector"),
    (lambda: Network([W], [[0.0], [0.0]]), ValueError, r"there are 2 biases for 1 layers"),
    (lambda: Network([W], [[0.0, 1.0]]), ValueError, r"biases\[0\] has shape \(2,\); .*\(1, 2\) needs? \(1,\)"),
    (lambda: Network([W], [[INF]]), ValueError, r"biases\[0\]\[0\] = inf is not finite"),
    (
        lambda: Network([W], activation="tanhh"),
        ValueError,
        r"activation = 'tanhh' is unknown; choose from identity, tanh,",
    ),
    (lambda: Network([W], activation=np.tanh), TypeError, r"is a ufunc; pass a name .* or statnn.network.Activation"),
    (lambda: Network([W], activation=None), TypeError, r"activation = None is a NoneType; pass a name"),
    (lambda: Network([W], activation=["tanh", "relu"]), ValueError, r"there are 2 activations for 1 layers"),
    (lambda: Activation("mine", 3, np.cos), TypeError, r"function of activation 'mine' is not callable"),
    (lambda: Activation("mine", np.sin, 3), TypeError, r"derivative of activation 'mine' is not callable"),
    (lambda: Activation(3, np.sin, np.cos), TypeError, r"name = 3 of an activation is a int; pass a str"),
    (lambda: leaky_relu(NAN), ValueError, r"slope = nan of the leaky ReLU must be one finite number"),
    (lambda: leaky_relu("0.1"), ValueError, r"slope = '0.1' of the leaky ReLU"),
    (lambda: Network.random([3]), ValueError, r"widths = \[3\] has 1 entries; give inputs and at least one layer"),
    (lambda: Network.random(3), TypeError, r"widths = 3 is a int; give a list, inputs first"),
    (lambda: Network.random([3, 0]), ValueError, r"widths\[1\] = 0 is outside the allowed range"),
    (lambda: Network.random([3.0, 1]), TypeError, r"widths\[0\] = 3.0 is a float"),
    (lambda: Network.random([3, 1], sigma_w=-1.0), ValueError, r"sigma_w = -1.0 is not a finite number >= 0"),
    (lambda: Network.random([3, 1], sigma_b=NAN), ValueError, r"sigma_b = nan is not a finite number"),
    (lambda: Network.random([3, 1], sigma_w=[1.0, 2.0]), TypeError, r"sigma_w = \[1.0, 2.0\] is not one number"),
    (lambda: Network.random([3, 1], dtype=int), ValueError, r"dtype = .* use numpy.float32 or numpy.float64"),
    (
        lambda: Network.random([3, 1], sigma_w=1e40, rng=0, dtype=np.float32),
        ValueError,
        r"weights\[0\].* is not finite",
    ),
    (lambda: Network.random([3, 1], rng=-1), ValueError, r"rng = -1 is outside"),
    (lambda: Network.repeated(W, depth=2), ValueError, r"weight has shape \(1, 2\); a layer can be repeated only if"),
    (lambda: Network.repeated([[1.0]], depth=0), ValueError, r"depth = 0 is outside the allowed range \[1,"),
    (lambda: Network.repeated([[1.0]], [1.0, 2.0], depth=1), ValueError, r"biases\[0\] has shape \(2,\)"),
    (lambda: net([1.0]), ValueError, r"x has shape \(1,\); this network takes \(samples, 2\) or \(2,\)"),
    (lambda: net(np.zeros((1, 1, 2))), ValueError, r"x has shape \(1, 1, 2\); .* x.reshape"),
    (lambda: net([[1.0, NAN]]), ValueError, r"x\[0, 1\] = nan is not finite"),
    (lambda: net(["a", "b"]), TypeError, r"x must hold real numbers"),
    (lambda: net(np.zeros((0, 2))), ValueError, r"x has shape \(0, 2\) and no entries"),
    (lambda: single([1e300, 0.0]), ValueError, r"x reaches 1e\+300, beyond the range of float32"),
    (
        lambda: Network([[[1e300]], [[1e300]]], activation="identity")([1.0]),
        ValueError,
        r"fields of layer 1 exceed .* float64",
    ),
    (lambda: own(lambda h: h[:0]), ValueError, r"activation 'mine' maps shape \(336,\) to \(0,\); keep the shape"),
    (lambda: own(lambda h: 1j * h), TypeError, r"activation 'mine' returns complex128; real numbers are needed"),
    (lambda: own(lambda h: h * NAN), ValueError, r"activation 'mine' has a finite value at none of 336 fields"),
    (
        lambda: own(lambda h: np.where(h > 1, NAN, h))([2.0]),
        ValueError,
        r"activation 'mine' of layer 0 is not finite at the field 2.0",
    ),
]

BINARY = [
    (
        lambda: BinaryNeurons([[0, 1], [2, 0]]),
        ValueError,
        r"couplings\[\d, \d\] = .* needs J_ij = J_ji; pass \(J \+ J.T\) / 2",
    ),
    (lambda: BinaryNeurons(np.triu(np.ones((3, 3)), 1)), ValueError, r"or J \+ J.T if each pair is stored once"),
    (
        lambda: BinaryNeurons(np.eye(2)),
        ValueError,
        r"couplings\[0, 0\] = 1.0: a spin is not coupled to itself.* diagonal",
    ),
    (lambda: BinaryNeurons([[0, NAN], [NAN, 0]]), ValueError, r"couplings hold NaN or infinity"),
    (lambda: BinaryNeurons([[0, INF], [INF, 0]]), ValueError, r"couplings hold NaN or infinity"),
    (lambda: BinaryNeurons(np.ones((2, 3))), ValueError, r"couplings have shape \(2, 3\); a square matrix is needed"),
    (lambda: BinaryNeurons(np.ones(3)), TypeError, r"couplings of shape \(3,\) are not understood; pass a sparse"),
    (lambda: BinaryNeurons(None), TypeError, r"couplings of shape \(\) are not understood"),
    (lambda: BinaryNeurons([[0, 1j], [1j, 0]]), TypeError, r"couplings must hold real numbers, not complex128"),
    (lambda: BinaryNeurons(sparse.csr_array([[0, 1j], [1j, 0]])), TypeError, r"must hold real numbers, not complex128"),
    (lambda: BinaryNeurons(sparse.csr_array(np.eye(3))), ValueError, r"a spin is not coupled to itself"),
    (lambda: BinaryNeurons(sparse.csr_array((0, 0))), ValueError, r"couplings have shape \(0, 0\)"),
    (lambda: BinaryNeurons(nx.DiGraph([(0, 1)])), TypeError, r"the graph is directed; .* graph.to_undirected\(\)"),
    (lambda: BinaryNeurons(nx.MultiGraph([(0, 1), (0, 1)])), TypeError, r"the graph has parallel edges; .* add up"),
    (lambda: BinaryNeurons(nx.Graph()), ValueError, r"the graph has no nodes"),
    (lambda: BinaryNeurons(nx.Graph([(0, 0)])), ValueError, r"a spin is not coupled to itself"),
    (lambda: BinaryNeurons(nx.Graph([(0, 1, {"weight": NAN})])), ValueError, r"edge \(0, 1\) has weight = nan"),
    (lambda: BinaryNeurons([W, W]), ValueError, r"block 1 has shape \(1, 2\) but the layer below has 1 spins"),
    (lambda: BinaryNeurons([[[NAN]]]), ValueError, r"block 0 holds NaN or infinity"),
    (lambda: BinaryNeurons([W, [1.0]]), ValueError, r"block 1 has shape \(1,\)"),
    (lambda: BinaryNeurons(PAIR, fields=[1.0]), ValueError, r"fields have shape \(1,\); one number or shape \(2,\)"),
    (lambda: BinaryNeurons(PAIR, fields=[1.0, NAN]), ValueError, r"fields\[1\] is not finite"),
    (lambda: BinaryNeurons(PAIR, fields=1j), TypeError, r"fields must hold real numbers"),
    (lambda: BinaryNeurons(PAIR, temperature=0), ValueError, r"temperature = 0 must be a finite number above 0"),
    (lambda: BinaryNeurons(PAIR, temperature=-1.0), ValueError, r"temperature = -1.0 must be a finite number above 0"),
    (lambda: BinaryNeurons(PAIR, temperature=NAN), ValueError, r"temperature = nan"),
    (lambda: BinaryNeurons(PAIR, temperature="hot"), TypeError, r"temperature = 'hot' is a str"),
    (lambda: pair.at(0.0), ValueError, r"temperature = 0.0 must be"),
    (lambda: pair.energy([1, 0]), ValueError, r"state holds 0; spins are -1 and \+1: write 2 \* s - 1"),
    (lambda: pair.energy([1, 1, 1]), ValueError, r"state has shape \(3,\); the last axis must hold the 2 spins"),
    (lambda: pair.energy(["1", "1"]), ValueError, r"state holds <U1; spins are"),
    (lambda: setattr(pair, "temperature", 2.0), AttributeError, r"BinaryNeurons are immutable"),
    (
        lambda: BinaryNeurons.from_network(large).graph(),
        ValueError,
        r"6001 nodes .* layers=True gives one node per layer",
    ),
    (lambda: BinaryNeurons.from_network(dense).graph(), ValueError, r"3600000 edges are too many"),
]

DYNAMIC = [
    (lambda: DynamicNeurons([W], [1.0, 1.0]), TypeError, r"net is a list; pass a statnn.Network"),
    (lambda: DynamicNeurons(net, [1.0]), ValueError, r"x has shape \(1,\); this network takes"),
    (lambda: DynamicNeurons(net, [1.0, NAN]), ValueError, r"x\[1\] = nan is not finite"),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0], [1.0, 2.0]),
        ValueError,
        r"targets have shape \(2,\); 1 samples of the 1 units",
    ),
    (lambda: DynamicNeurons(net, np.ones((3, 2)), [0, 1, 1]), ValueError, r"numpy.eye\(classes\)\[labels\]"),
    (lambda: DynamicNeurons(net, [1.0, 1.0], [NAN]), ValueError, r"targets of type float64 must be finite"),
    (lambda: DynamicNeurons(single, [1.0, 1.0], [1e300]), ValueError, r"targets reach 1e\+300, beyond .* float32"),
    (lambda: DynamicNeurons(single, [1.0, 1.0]).energy([1e300]), ValueError, r"or what is beyond float32"),
    (lambda: DynamicNeurons(net, [1.0, 1.0], ["a"]), ValueError, r"targets of type <U1 must be finite real numbers"),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0], beta=0.0),
        ValueError,
        r"beta = 0.0 must be .* leave targets out to drop it",
    ),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0], stiffness=-1),
        ValueError,
        r"stiffness = -1 must be a finite number above 0",
    ),
    (lambda: DynamicNeurons(net, [1.0, 1.0], stiffness=INF), ValueError, r"stiffness = inf must be"),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0], free=("neurons", "wieghts")),
        ValueError,
        r"unknown name 'wieghts'; allowed are",
    ),
    (lambda: DynamicNeurons(net, [1.0, 1.0], free=("weights",)), ValueError, r"the neurons are always free"),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0], free=("weights", "biases")),
        ValueError,
        r"write free=\('neurons', 'weights', 'biases'\)",
    ),
    (lambda: DynamicNeurons(net, [1.0, 1.0], free=("neurons",) * 2), ValueError, r"each name stands once"),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0], prior=Prior()),
        ValueError,
        r"prior is given but neither weights nor biases",
    ),
    (lambda: DynamicNeurons(net, [1.0, 1.0], prior=1.0), TypeError, r"prior is a float; pass statnn.interaction.Prior"),
    (lambda: Prior(sigma_w=0.0), ValueError, r"sigma_w = 0.0 must be .* hold what is known fixed"),
    (lambda: Prior(sigma_b=YES), TypeError, r"sigma_b = True is a bool"),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0]).energy([1.0, 2.0]),
        ValueError,
        r"last axis must hold the 1 free variables",
    ),
    (lambda: DynamicNeurons(net, [1.0, 1.0]).energy([NAN]), ValueError, r"state holds NaN, infinity or what"),
    (
        lambda: DynamicNeurons(Network([W], activation="sign"), [1.0, 1.0]).gradient([1.0]),
        ValueError,
        r"layer 0 has the activation sign, whose derivative is zero .* BinaryNeurons",
    ),
    (lambda: setattr(DynamicNeurons(net, [1.0, 1.0]), "beta", 1), AttributeError, r"DynamicNeurons are immutable"),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0]).graph(parameters=True),
        ValueError,
        r"neither weights nor biases are free",
    ),
    (lambda: DynamicNeurons(net, [1.0, 1.0]).plot(parameters=True), ValueError, r"neither weights nor biases are free"),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0]).graph(factors=True, layers=True),
        ValueError,
        r"one node per layer; leave out parameters and factors",
    ),
    (lambda: DynamicNeurons(large, np.ones(6000)).graph(), ValueError, r"6001 nodes .* layers=True"),
    (lambda: DynamicNeurons(net, [1.0, 1.0]).plot(3), TypeError, r"ax = 3 is not a matplotlib axes"),
]

RAGGED = [
    (lambda: BinaryNeurons([[0.0, 1.0], [1.0]]), ValueError, r"couplings\b.* rows differ in length"),
    (
        lambda: BinaryNeurons(PAIR, fields=[[1.0], [1.0, 2.0]]),
        ValueError,
        r"fields is not an array, its rows differ in length: .* one row is meant, .* numpy\.concatenate\(fields\)",
    ),
    (lambda: pair.energy([[1, 1], [1]]), ValueError, r"state is not an array, its rows differ"),
    (lambda: DynamicNeurons(net, [1.0, 1.0], [[1.0], [1.0, 2.0]]), ValueError, r"targets is not an array"),
]

QUESTIONS = [
    (lambda: BinaryNeurons([sparse.eye_array(2)]), TypeError, r"block 0 is sparse; .* pass block.toarray\(\)"),
    (
        lambda: BinaryNeurons(nx.Graph([("a", "b", {"weight": "strong"})])),
        TypeError,
        r"the edge \('a', 'b'\) has weight = 'strong'; one real number is needed",
    ),
    (lambda: delattr(pair, "fields"), AttributeError, r"BinaryNeurons are immutable: fields cannot be deleted"),
    (lambda: DynamicNeurons(net, [1.0, 1.0], free=None), TypeError, r"free = None is a NoneType; pass names out of"),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0]).energy(State((np.array([[NAN]]),), (), ())),
        ValueError,
        r"state holds NaN",
    ),
    (
        lambda: DynamicNeurons(net, [1.0, 1.0]).energy(State((np.array([[1j]]),), (), ())),
        TypeError,
        r"an array of the state must hold real numbers, not complex128",
    ),
    (lambda: translation_symmetry([W]), TypeError, r"model is a list; pass a Network, BinaryNeurons or"),
    (lambda: translation_symmetry(net, tolerance=-1), ValueError, r"tolerance = -1 is not a finite number >= 0"),
    (lambda: translation_symmetry(net, tolerance=NAN), ValueError, r"tolerance = nan"),
    (lambda: translation_symmetry(net, tolerance=[1, 2]), TypeError, r"tolerance = \[1, 2\] is not one number"),
    (lambda: node_strength(3), TypeError, r"model is a int; pass a Network"),
    (lambda: layer_fluctuation(net, ddof=2), ValueError, r"ddof = 2 is outside the allowed range \[0, 1\]"),
    (lambda: layer_fluctuation(net, ddof=1), ValueError, r"layer 1 has 1 neuron\(s\); ddof = 1 needs more"),
]


@pytest.mark.parametrize(("call", "error", "message"), NETWORKS + BINARY + DYNAMIC + RAGGED + QUESTIONS)
def test_bad_input_is_refused_with_a_message_that_teaches(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert re.search(message, str(caught.value), re.DOTALL), str(caught.value)
    assert type(caught.value) is error


def test_what_is_almost_bad_is_taken():
    assert Network([[[True]]]).dtype == np.float64
    assert Network(np.ones((2, 1, 1)), np.ones((2, 1))).depth == 2
    assert BinaryNeurons([[0.0]]).energy([1]) == 0
    assert BinaryNeurons(sparse.coo_array(PAIR)).energy([True, True]) == -1
    twice = np.full(4, 100, np.int8), ([0, 0, 1, 1], [1, 1, 0, 0])
    assert BinaryNeurons(sparse.coo_array(twice, shape=(2, 2))).energy([1, 1]) == -200
    bonds = np.ones(4, np.bool_), ([0, 0, 1, 1], [1, 1, 0, 0])
    assert BinaryNeurons(sparse.coo_array(bonds, shape=(2, 2))).energy([1, 1]) == -2
    halves = np.array([2.0**24, 1.0] * 2, np.float32), ([0, 0, 1, 1], [1, 1, 0, 0])
    assert BinaryNeurons(sparse.coo_array(halves, shape=(2, 2))).energy([1, 1]) == -(2.0**24) - 1
    assert DynamicNeurons(net, [1, 1], [True]).samples == 1
    assert DynamicNeurons(net, [1, 1], free="neurons").free == ("neurons",)


def travelled(model):
    return pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes


def test_matrices_in_half_precision():
    matrix = np.array([[0, 0.5], [0.5, 0]], np.float16)
    assert BinaryNeurons(matrix).energy([1, 1]) == -0.5


def test_arrays_of_models_are_read_only_also_after_a_journey():
    layered = BinaryNeurons([[[1.0, 2.0]]])
    for model in (pair, layered):
        for copy in (model, travelled(model)):
            arrays = [copy.fields, copy.couplings.data, copy.colours, *copy.layers, *(copy.blocks or ())]
            assert not any(array.flags.writeable for array in arrays)
    dynamic = travelled(DynamicNeurons(net, [1.0, 1.0], [1.0]))
    assert not dynamic.inputs.flags.writeable
    assert not dynamic.targets.flags.writeable


def altered(kind, name, at, value):
    """Return a sparse matrix with one place changed after it was made, which scipy does not check again."""
    matrix = kind(np.array([[0, 1.0, 0], [1.0, 0, 2.0], [0, 2.0, 0]]))
    places = getattr(matrix, name)
    (places[0] if isinstance(places, tuple) else places)[at] = value
    return matrix


COMPRESSED = [sparse.csr_array, sparse.csc_array, sparse.bsr_array, sparse.csr_matrix]


@pytest.mark.parametrize("kind", COMPRESSED)
@pytest.mark.parametrize(("at", "value"), [(0, 1), (1, 4), (2, -5), (-1, -124), (-1, 5)])
def test_sparse_matrices_whose_rows_end_elsewhere_are_refused(kind, at, value):
    with pytest.raises(ValueError, match=r"couplings are a broken sparse matrix: its indptr, 4 numbers from"):
        BinaryNeurons(altered(kind, "indptr", at, value))


@pytest.mark.parametrize(("kind", "name"), [*((kind, "indices") for kind in COMPRESSED), (sparse.coo_array, "coords")])
@pytest.mark.parametrize("value", [-1, 3, 2**30])
def test_sparse_matrices_with_entries_outside_are_refused(kind, name, value):
    with pytest.raises(ValueError, match=r"broken sparse matrix: its indices must be 4 whole numbers in \[0, 3\)"):
        BinaryNeurons(altered(kind, name, 0, value))


def test_room_behind_the_entries_of_a_sparse_matrix_is_not_looked_at():
    matrix = sparse.csr_array(np.array(PAIR))
    matrix.data = np.append(matrix.data, 7.0)
    matrix.indices = np.append(matrix.indices, np.array([99], dtype=matrix.indices.dtype))
    assert BinaryNeurons(matrix) == BinaryNeurons(PAIR)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"nodes": ("a", "b")}, "2 nodes for 3 spins"),
        ({"layers": (np.array([0]), np.array([1]))}, r"layers of \[1, 1\] spins do not hold each of the 3 spins once"),
        ({"layers": (np.array([0, 1]), np.array([1, 2]))}, "do not hold each of the 3 spins once"),
    ],
)
def test_names_and_layers_of_a_file_are_those_of_its_spins(parts, said):
    model = BinaryNeurons([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    assert BinaryNeurons._restored(model._stored(), {}) == model
    with pytest.raises(ValueError, match=said):
        BinaryNeurons._restored(model._stored() | parts, {})
