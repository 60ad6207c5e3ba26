"""Binary neurons made from graphs: names, fields, layers and temperature on the way there and back."""

import io
import pickle
from decimal import Decimal
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import sparse

from statnn import Network
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.interaction._from_graph import MOST_DENSE
from statnn.montecarlo import sample
from statnn.testing.strategies import graphs

NAN = float("nan")


def named():
    """Names of all kinds, in no order; a field on one node, one node alone."""
    graph = nx.Graph()
    graph.add_edge("b", "a", weight=2)
    graph.add_edge(("x", 1), "a", weight=-0.5)
    graph.add_node(7)
    graph.nodes["a"]["field"] = 0.25
    return graph


def same(first, second):
    """Whether two graphs are equal in nodes and their order, edges, and all attributes."""
    return list(first) == list(second) and first.graph == second.graph and nx.utils.graphs_equal(first, second)


# -- there and back --------------------------------------------------------------------------------------


def test_names_stay_in_their_order():
    model = BinaryNeurons(named(), temperature=2.0)
    assert model.nodes == ("b", "a", ("x", 1), 7)
    assert model.fields.tolist() == [0.0, 0.25, 0.0, 0.0]
    energy = -2 * 1 * -1 - -0.5 * -1 * 1 - 0.25 * -1  # b up, a down, x up
    assert model.energy([1, -1, 1, 1]) == energy
    assert BinaryNeurons([[0, 1], [1, 0]]).nodes == range(2)
    for other in (model.at(1.0), pickle.loads(pickle.dumps(model))):  # noqa: S301 - our own bytes
        assert other.nodes == model.nodes
        assert [layer.tolist() for layer in other.layers] == [layer.tolist() for layer in model.layers]


@given(graphs(), st.randoms(use_true_random=False))
def test_a_model_made_from_its_graph_is_the_same(graph, random):
    names = [("spin", i) if i % 3 else f"s{i}" for i in range(len(graph))]
    random.shuffle(names)
    graph = nx.relabel_nodes(graph, dict(enumerate(names)))
    model = BinaryNeurons(graph, fields={name: i / 2 for i, name in enumerate(names)}, temperature=0.7)
    again = BinaryNeurons(model.graph())
    assert again.nodes == model.nodes == tuple(graph)
    assert again.temperature == 0.7
    assert (again.couplings != model.couplings).nnz == 0
    np.testing.assert_array_equal(again.fields, model.fields)
    assert [layer.tolist() for layer in again.layers] == [layer.tolist() for layer in model.layers]
    assert (again.blocks is None) == (model.blocks is None)
    assert same(again.graph(), model.graph())
    pickled = pickle.loads(pickle.dumps(again))  # noqa: S301 - our own bytes
    assert same(pickled.graph(), model.graph())
    assert not any(layer.flags.writeable for layer in pickled.layers)


def test_names_need_not_be_comparable_with_each_other():
    """numpy compares a number with a tuple entry by entry; a node is known by its place, as in networkx."""
    graph = nx.Graph([(np.int64(7), (0, 1), {"weight": 0.5}), ((0, 1), (1, 2, 3), {"weight": -2.0})])
    model = BinaryNeurons(graph, fields={(0, 1): 0.25})
    assert model.nodes == (np.int64(7), (0, 1), (1, 2, 3))
    assert model.energy([1, -1, 1]) == 0.5 - 2.0 + 0.25
    assert BinaryNeurons(model.graph()) == model


def test_layered_models_stay_layered():
    """Also with couplings of zero, with a layer coupled to nothing, and under other names."""
    model = BinaryNeurons([[[1.0, 0.0], [2.0, 3.0]], [[0.0, 0.0]]], fields=[0, 1, 0, 0, 2], temperature=3.0)
    graph = nx.relabel_nodes(model.graph(), dict(enumerate("pqrst")))
    again = BinaryNeurons(graph)
    assert again.nodes == tuple("pqrst")
    for remade, original in zip(again.blocks, model.blocks, strict=True):
        np.testing.assert_array_equal(remade, original)
    assert same(again.graph(), graph)
    ask = {"chains": 2, "rng": 1}
    np.testing.assert_array_equal(sample(again, 5, **ask).states, sample(model, 5, **ask).states)


def test_layers_that_nodes_carry_are_taken_where_they_can_be(monkeypatch):
    graph = nx.cycle_graph(4)
    assert [layer.tolist() for layer in BinaryNeurons(graph).layers] == [[0], [1, 3], [2]]
    nx.set_node_attributes(graph, {0: 0, 1: 0, 2: 1, 3: 1}, "layer")
    model = BinaryNeurons(graph)
    assert [layer.tolist() for layer in model.layers] == [[0, 1], [2, 3]]
    assert model.blocks is None  # spins of a layer are coupled
    assert model.exact("transfer").log_partition == pytest.approx(np.log(2**4 * (np.cosh(1) ** 4 + np.sinh(1) ** 4)))
    for layers in ({0: 0, 1: 2, 2: 1, 3: 1}, {0: 1, 1: 1, 2: 2, 3: 2}, {0: "I", 1: "I", 2: "II", 3: "II"}, {0: -1}):
        nx.set_node_attributes(graph, layers, "layer")  # neighbours two layers apart, layers from 1, names
        assert [layer.tolist() for layer in BinaryNeurons(graph).layers] == [[0], [1, 3], [2]]
    blocks = BinaryNeurons([np.eye(2), np.eye(2)]).graph()
    monkeypatch.setattr("statnn.interaction._from_graph.MOST_DENSE", 7)
    large = BinaryNeurons(blocks)
    assert large.blocks is None
    assert [layer.tolist() for layer in large.layers] == [[0, 1], [2, 3], [4, 5]]
    assert MOST_DENSE * 8 < 1e8


# -- fields ----------------------------------------------------------------------------------------------


class Labelled(dict):
    """Has keys and items but no iteration, like a series of pandas."""

    __iter__ = None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (None, [0, 0.25, 0, 0]),
        ("field", [0, 0.25, 0, 0]),
        (0, [0, 0, 0, 0]),
        (1.5, [1.5] * 4),
        ([1, 2, 3, 4], [1, 2, 3, 4]),
        ({7: -2, "b": Fraction(1, 2)}, [0.5, 0, 0, -2]),
        (Labelled({("x", 1): 3}), [0, 0, 3, 0]),
    ],
)
def test_fields_are_arrays_mappings_or_attributes(fields, expected):
    assert BinaryNeurons(named(), fields).fields.tolist() == expected


def test_fields_of_matrices_are_named_by_numbers():
    assert BinaryNeurons([[0, 1], [1, 0]], {1: 3}).fields.tolist() == [0, 3]
    assert BinaryNeurons([[[1.0, 2.0]]], {2: 3}).fields.tolist() == [0, 0, 3]


def test_models_are_equal_whatever_the_type_of_their_indices():
    couplings = sparse.csr_array(np.array([[0, 1.0, 0], [1, 0, 0.5], [0, 0.5, 0]]))
    wide = couplings.copy()
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    graph = nx.Graph([("a", "b", {"weight": 1.0}), ("b", "c", {"weight": 0.5})])
    first = BinaryNeurons(couplings)
    for other in (BinaryNeurons(wide), BinaryNeurons(sparse.coo_array(wide)), BinaryNeurons(couplings.toarray())):
        assert first == other
        assert hash(first) == hash(other)
    assert BinaryNeurons(graph) == BinaryNeurons(nx.Graph(graph)) != first
    nothing = BinaryNeurons(nx.Graph([(0, 1, {"weight": 0.0})]))
    assert BinaryNeurons(nothing.graph()) == nothing == BinaryNeurons(np.zeros((2, 2)))


def test_couplings_are_read_from_either_attribute():
    graph = nx.Graph()
    graph.add_edge(0, 1, coupling=2.5)
    graph.add_edge(1, 2, weight=Fraction(1, 4), coupling=0.25)
    graph.add_edge(2, 3)
    assert BinaryNeurons(graph).couplings.toarray()[[0, 1, 2], [1, 2, 3]].tolist() == [2.5, 0.25, 1.0]
    graph.add_edge(4, 4, weight=0)
    assert BinaryNeurons(graph).couplings.nnz == 6
    assert BinaryNeurons(nx.Graph([(0, 1, {"weight": 10**300})])).couplings.max() == 1e300
    assert BinaryNeurons([[0, 10**30], [10**30, 0]], [10**25, 0]).fields.max() == 1e25


# -- what is refused -------------------------------------------------------------------------------------


def edge(**attributes):
    return nx.Graph([("u", "v", attributes)])


def named_field(name):
    graph = edge()
    graph.nodes["u"][name] = 0.5
    return graph


def test_fields_of_another_name_are_taken_once_it_is_given():
    assert BinaryNeurons(named_field("bias"), fields="bias").fields.tolist() == [0.5, 0.0]
    assert BinaryNeurons(named_field("bias"), fields=0.0).fields.tolist() == [0.0, 0.0]
    assert BinaryNeurons(edge(colour="red", shown=True)).couplings.max() == 1.0


dynamic = DynamicNeurons(Network([[[1.0]]]), [1.0], [1.0], free=("neurons", "weights"))


@pytest.mark.parametrize(
    ("graph", "fields", "error", "message"),
    [
        (edge(weight=10**400), None, ValueError, r"edge \('u', 'v'\) has weight, an integer beyond float64"),
        (edge(weight=-(10**400)), None, ValueError, "an integer beyond float64"),
        (edge(weight=np.longdouble("1e400")), None, ValueError, "which is not finite"),
        (edge(weight=None), None, TypeError, r"edge \('u', 'v'\) has weight = None; one real number"),
        (edge(weight="2"), None, TypeError, "weight = '2'; one real number"),
        (edge(weight=1j), None, TypeError, "one real number"),
        (edge(weight=[1.0]), None, TypeError, "one real number"),
        (edge(coupling=float("inf")), None, ValueError, "coupling = inf, which is not finite"),
        (edge(J=0.5), None, ValueError, r"\('u', 'v'\) has J = 0.5, and no weight: couplings are read from 'weight'"),
        (edge(bias=np.float32(2)), None, ValueError, "has bias = .*2.*, and no weight"),
        (edge(J="0.5"), None, ValueError, "has J = '0.5', and no weight"),
        (edge(J=Decimal("0.5")), None, ValueError, "and no weight"),
        (edge(J=np.array(0.5)), None, ValueError, "and no weight"),
        (edge(J=0.5j), None, ValueError, "and no weight"),
        (edge(J=10**400), None, ValueError, "and no weight"),
        (named_field("Field"), None, ValueError, "node 'u' has Field = 0.5; fields are read from 'field' .*"),
        (named_field("h"), None, ValueError, "node 'u' has h = 0.5; fields are read from 'field' .*: pass fields='h'"),
        (named_field("bias"), None, ValueError, "pass fields='bias', or fields=0.0 for none"),
        (named_field("weight"), None, ValueError, "pass fields='weight', or fields=0.0 for none"),
        (edge(weight=1, coupling=2), None, ValueError, "weight = 1 and coupling = 2: delete one"),
        (
            nx.Graph([("u", "u")]),
            None,
            ValueError,
            r"edge \('u', 'u'\) has weight = 1: a spin is not coupled to itself",
        ),
        (dynamic.graph(), None, ValueError, r"node \('h', 0, 0\) is not a spin, its kind is 'input': it is clamped"),
        (nx.Graph(dynamic.graph(parameters=True).subgraph([("W", 0, 0, 0)])), None, ValueError, "it is a real number"),
        (BinaryNeurons([[[1.0]]]).graph(layers=True), None, ValueError, "it stands for a whole layer"),
        (
            named(),
            {"A": 1},
            ValueError,
            r"fields name 'A', which is not a node; nodes are 'b', 'a', \('x', 1\), ... \(4",
        ),
        (named(), {"a": None}, TypeError, "node 'a' has field = None"),
        (named(), {"a": NAN}, ValueError, "node 'a' has field = nan, which is not finite"),
        (named(), {"a": 10**400}, ValueError, "node 'a' has field, an integer beyond float64"),
        (named(), "feild", ValueError, "fields = 'feild', but no node has this attribute"),
        (named(), [1.0], ValueError, r"fields have shape \(1,\)"),
        ([[0, 1], [1, 0]], "field", TypeError, "couplings are not a graph"),
        ([[0, 1], [1, 0]], {2: 1.0}, ValueError, "fields name 2, which is not a node; nodes are 0, 1"),
        ([[0, 10**400], [10**400, 0]], None, ValueError, "couplings has an entry, an integer beyond float64"),
        ([[0, 1], [1, 0]], [10**400, 0], ValueError, "fields has an entry, an integer beyond float64"),
    ],
)
def test_what_a_graph_cannot_say_is_refused(graph, fields, error, message):
    with pytest.raises(error, match=message):
        BinaryNeurons(graph, fields)


def test_names_of_edges_are_no_couplings():
    """GEXF numbers its edges as text, GML and igraph by whole numbers; flags and labels are no numbers either."""
    for number in ({"id": "0"}, {"id": 3}, {"_igraph_index": 3}):
        named = nx.Graph([("u", "v", {**number, "label": "first", "certain": True})])
        assert BinaryNeurons(named).couplings.toarray().tolist() == [[0, 1], [1, 0]]


GRAPHML = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="w" for="edge" attr.name="weight" attr.type="double"><default>2.5</default></key>
<key id="h" for="node" attr.name="field" attr.type="double"><default>0.5</default></key>
<graph edgedefault="undirected"><node id="a"/><node id="b"><data key="h">1.0</data></node><node id="c"/>
<edge source="a" target="b"/><edge source="b" target="c"><data key="w">-1</data></edge></graph></graphml>"""
GEXF = """<gexf xmlns="http://www.gexf.net/1.2draft" version="1.2"><graph defaultedgetype="undirected">
<attributes class="node"><attribute id="h" title="field" type="float"><default>0.5</default></attribute></attributes>
<attributes class="edge"><attribute id="w" title="weight" type="float"><default>2.5</default></attribute></attributes>
<nodes><node id="a"/><node id="b"><attvalues><attvalue for="h" value="1.0"/></attvalues></node><node id="c"/></nodes>
<edges><edge id="0" source="a" target="b"/><edge id="1" source="b" target="c"><attvalues>
<attvalue for="w" value="-1"/></attvalues></edge></edges></graph></gexf>"""


@pytest.mark.parametrize(("read", "text"), [(nx.read_graphml, GRAPHML), (nx.read_gexf, GEXF)], ids=["GraphML", "GEXF"])
def test_defaults_that_a_file_declares_hold(read, text):
    """Readers leave defaults at the graph: an edge without a weight of its own has J = 2.5, not 1."""
    model = BinaryNeurons(read(io.BytesIO(text.encode())))
    assert model.couplings.toarray().tolist() == [[0, 2.5, 0], [2.5, 0, -1], [0, -1, 0]]
    assert model.fields.tolist() == [0.5, 1.0, 0.5]
    other = BinaryNeurons(read(io.BytesIO(text.replace('"field"', '"h"').encode())), fields="h")
    assert other.fields.tolist() == [0.5, 1.0, 0.5]
    with pytest.raises(ValueError, match=r"the edge \('a', 'b'\) has distance = 2\.5, and no weight"):
        BinaryNeurons(read(io.BytesIO(text.replace('"weight"', '"distance"').encode())))


def test_graphs_of_other_kinds_are_refused_with_what_to_pass():
    class Graph:
        """Stands for a graph of igraph."""

        def to_networkx(self):
            return nx.Graph([("u", "v", {"_igraph_index": 0})])

    with pytest.raises(TypeError, match=r"are a Graph: pass couplings\.to_networkx\(\)"):
        BinaryNeurons(Graph())
    assert BinaryNeurons(Graph().to_networkx()).couplings[0, 1] == 1
    for edges in ({"u": {"v": {}}}, {("u", "v"): 1.0}):
        with pytest.raises(TypeError, match=r"are a dict: pass a networkx\.Graph, with J_ij as the weight"):
            BinaryNeurons(edges)
    with pytest.raises(TypeError, match=r"weight = '0\.5'; one real number is needed: make one of it with float\(\)"):
        BinaryNeurons(nx.Graph([("u", "v", {"weight": "0.5"})]))


def test_attributes_of_another_meaning_are_named():
    graph = named()
    graph.nodes[7]["field"] = "physics"
    with pytest.raises(TypeError, match="node 7 has field = 'physics'; one real number is needed"):
        BinaryNeurons(graph)
    assert BinaryNeurons(graph, fields=0).size == 4
    graph.graph["temperature"] = "hot"
    with pytest.raises(TypeError, match="temperature = 'hot' is a str"):
        BinaryNeurons(graph, fields=0)
    assert BinaryNeurons(graph, fields=0, temperature=2.0).temperature == 2.0


def test_a_multigraph_says_whether_it_has_parallel_edges():
    """Readers of Pajek and DOT return graphs that may have some."""
    graph = nx.MultiGraph([("a", "b", {"weight": 2.0})])
    with pytest.raises(TypeError, match=r"is a MultiGraph, .* and has none; .*: pass networkx.Graph\(graph\)"):
        BinaryNeurons(graph)
    assert BinaryNeurons(nx.Graph(graph)).couplings[0, 1] == 2.0
    graph.add_edge("b", "a", weight=3.0)
    with pytest.raises(TypeError, match=r"has parallel edges; .* add up .* '[ab]' and '[ab]', .* keeps the last"):
        BinaryNeurons(graph)


# -- tables and models of other programs -----------------------------------------------------------------

J = [[0.0, 1.0, 2.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]


def test_a_table_names_its_spins_and_fields_find_them():
    """p(s_c = 1) of the only spin with a field, which stands last in the table and first among the fields."""
    pandas = pytest.importorskip("pandas")
    model = BinaryNeurons(pandas.DataFrame(np.zeros((3, 3)), [*"abc"], [*"abc"]), pandas.Series([0.7, 0.0], [*"cb"]))
    assert model.nodes == ("a", "b", "c")
    assert np.allclose(model.exact().magnetisation, [0.0, 0.0, np.tanh(0.7)])
    assert BinaryNeurons(pandas.DataFrame(J)).nodes == range(3)


def test_a_table_whose_rows_and_columns_differ_is_refused():
    """By position this matrix is symmetric; by name it is not, and couples a to itself."""
    pandas = pytest.importorskip("pandas")
    for rows, columns, said in (
        ("abc", "cab", "have rows 'a', 'b', 'c' and columns 'c',"),
        ("aab", "aab", "a row twice"),
    ):
        with pytest.raises(ValueError, match=said):
            BinaryNeurons(pandas.DataFrame(J, [*rows], [*columns]))


def test_labelled_arrays_name_their_spins_and_fields_find_them():
    """Arrays of xarray: fields in another order find their spins; rows and columns in different orders are refused."""
    xarray = pytest.importorskip("xarray")
    matrix = xarray.DataArray(J, {"row": [*"abc"], "column": [*"abc"]}, ["row", "column"])
    fields = xarray.DataArray([0.7, 0.0, 0.0], {"spin": [*"cab"]}, ["spin"])
    model = BinaryNeurons(matrix, fields)
    assert model == BinaryNeurons(nx.Graph([("a", "b"), ("a", "c", {"weight": 2.0})]), {"c": 0.7})
    with pytest.raises(ValueError, match=r"have rows 'a', 'b', 'c' and columns 'c', 'b', 'a': J needs the same names"):
        BinaryNeurons(matrix.isel(column=[2, 1, 0]))
    bare = xarray.DataArray(J, dims=["row", "column"])
    assert BinaryNeurons(bare, xarray.DataArray([0.0, 0.0, 0.7], dims=["spin"])).fields.tolist() == [0.0, 0.0, 0.7]
    assert BinaryNeurons(matrix.drop_vars("column")).nodes == ("a", "b", "c")


def labelled(values, **names):
    """Return an array with attributes of rows and tables of pandas, which are looked up on the class."""
    return type("Labelled", (), {"__array__": lambda *_, **__: np.array(values), **names})()


@pytest.mark.parametrize(("values", "axis"), [([-1, 1], "index"), ([[-1, 1]], "columns")])
def test_states_that_name_spins_in_another_order_are_refused(values, axis):
    model = BinaryNeurons(nx.Graph([("b", "a")]), fields={"b": 5.0})
    for names in ("ab", "ax", "xb"):
        said = rf"spins {', '.join(map(repr, names))}, and the model has them in the order 'b', 'a': pass state"
        with pytest.raises(ValueError, match=said):
            model.energy(labelled(values, **{axis: [*names]}))
    for names in ("ba", "xy", (0, 1)):  # names of others may mean nothing
        assert np.ravel(model.energy(labelled(values, **{axis: [*names]}))) == [6.0]
    unnamed = BinaryNeurons([[0, 1], [1, 0]], fields=[5.0, 0.0])  # spins 0 and 1
    with pytest.raises(ValueError, match=r"spins 1, 0, and the model has them in the order 0, 1: pass state"):
        unnamed.energy(labelled(values, **{axis: [1, 0]}))
    assert np.ravel(unnamed.energy(labelled(values, **{axis: [1, 2]}))) == [6.0]
    from_one = BinaryNeurons(nx.Graph([(1, 2)]))  # tables without names have 0, 1
    assert np.ravel(from_one.energy(labelled(values, **{axis: [0, 1]}))) == [1.0]


@pytest.mark.parametrize("kind", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
def test_every_format_of_sparse_matrices_is_read(kind):
    """dok is a mapping as well, and not to be taken for a model of dimod."""
    for made in (sparse.coo_array, sparse.coo_matrix):
        assert BinaryNeurons(made(J).asformat(kind)) == BinaryNeurons(J)


class Quadratic:
    """Those attributes of a binary quadratic model of dimod that are looked at."""

    linear, quadratic, vartype, offset = {"a": 0.5}, {("a", "b"): 1.0}, "SPIN", 0.0


@pytest.mark.parametrize("model", [Quadratic(), {("a", "b"): 1.0}, {"a": {"b": 1.0}, "b": {"a": 1.0}}])
def test_models_whose_energy_has_the_other_sign_are_refused(model):
    with pytest.raises(TypeError, match=r"E = \+Σ J s s .*weight=-J.*fields={i: -h}"):
        BinaryNeurons(model)


def test_a_graph_of_a_quadratic_model_is_refused():
    """dimod.to_networkx_graph returns biases on edges and nodes, and the kind of its variables."""
    graph = nx.Graph([("a", "b", {"bias": 1.0})], vartype="BINARY")
    with pytest.raises(ValueError, match=r"vartype = BINARY: E = \+Σ J s s"):
        BinaryNeurons(graph)


@pytest.mark.parametrize("name", ["b", "theta", "External Field", "magnetic-field", "Threshold"])
def test_fields_of_other_names_are_asked_for(name):
    graph = nx.path_graph(2)
    graph.nodes[1][name] = 0.7
    with pytest.raises(ValueError, match=f"node 1 has {name} = 0.7; fields are read from 'field'"):
        BinaryNeurons(graph)
    assert BinaryNeurons(graph, fields=name).fields.tolist() == [0.0, 0.7]


@pytest.mark.parametrize("name", ["T", "beta", "kT", "Temperature"])
def test_temperatures_of_other_names_are_asked_for(name):
    graph = nx.path_graph(2)
    graph.graph[name] = 0.5
    with pytest.raises(ValueError, match=f"the graph has {name} = 0.5; .* pass temperature="):
        BinaryNeurons(graph)
    assert BinaryNeurons(graph, temperature=2.0).temperature == 2.0


# -- pictures --------------------------------------------------------------------------------------------


def test_names_stand_beside_their_spins():
    graph = nx.relabel_nodes(named(), {7: "$7"})
    model = BinaryNeurons(graph)
    figure = Figure()
    ax = model.plot(figure.subplots())
    figure.draw_without_rendering()
    assert [text.get_text() for text in ax.texts] == ["b", "a", "('x', 1)", "$7"]
    spots = ax.collections[-1].get_offsets()
    assert [text.xy for text in ax.texts] == [tuple(spot) for spot in spots]
    assert not BinaryNeurons([[0, 1], [1, 0]]).plot(figure.subplots()).texts
    assert not BinaryNeurons(nx.star_graph([f"n{i}" for i in range(61)])).plot(figure.subplots()).texts
