"""The bytes of valid files of every kind that is read."""

import dataclasses
import json
import pickle
import tempfile
from html import escape
from pathlib import Path

import numpy as np
import onnx
from faults import mutate
from onnx_graph import Graph

from statnn import Network, plot
from statnn.activation import PolyaUrn, fit
from statnn.interaction import BinaryNeurons
from statnn.io import _safetensors
from statnn.network import BatchNorm
from statnn.rg import LinearLayer, RandomLayer, flow
from validation.claim import Verdict
from validation.finding import Finding
from validation.records import NAME, Journal
from validation.task import Record, Twin


def written(name, write):
    """Return the bytes that a function writes to a path."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, name))
        return Path(folder, name).read_bytes()


def folder_of(write):
    """Return the files that a function writes into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "work"))
        return {path.name: path.read_bytes() for path in sorted(Path(folder, "work").glob("[!.]*.*"))}


# -- networks ----------------------------------------------------------------------------------------------


def network():
    rng = np.random.default_rng(1)
    norm = BatchNorm(rng.normal(size=3), rng.uniform(1, 2, 3), rng.normal(size=3), rng.normal(size=3), 1e-5)
    weights = [rng.normal(size=shape) for shape in ((3, 4), (3, 3), (2, 3))]
    biases = [rng.normal(size=size) for size in (3, 3, 2)]
    return Network(weights, biases, ["tanh", "leaky relu", "identity"], normalisations=[norm, None, None])


def bare(write):
    net = network()
    named = {f"{k}.weight": weight for k, weight in enumerate(net.raw_weights)}
    named |= {f"{k}.bias": bias for k, bias in enumerate(net.raw_biases)}
    return written("net", lambda path: write(path, named))


def savez(path, arrays):
    with path.open("wb") as out:
        np.savez(out, **arrays)


def write_tensors(path, arrays):
    with path.open("wb") as out:
        _safetensors.write(out, arrays, {})


def onnx_model():
    rng = np.random.default_rng(2)
    graph = Graph(onnx, 4).then("Gemm", rng.normal(size=(3, 4)), rng.normal(size=3), transB=1).then("Tanh")
    graph.then("MatMul", rng.normal(size=(3, 5))).then("Add", rng.normal(size=5)).then("LeakyRelu", alpha=0.1)
    return graph.then("Gemm", rng.normal(size=(5, 2)), rng.normal(size=2)).model(("n", 4)).SerializeToString()


def torch_file():
    """Return a zip with a pickle, as torch writes it."""
    return mutate.zipped(
        [("net/data.pkl", pickle.dumps({"0.weight": [1.0]})), ("net/data/0", bytes(64)), ("net/version", b"3\n")]
    )


# -- results -----------------------------------------------------------------------------------------------


def result():
    """Everything that files can hold."""
    draw = np.random.default_rng(3)
    return {
        "flow": flow(LinearLayer(0.5, 0.0, 0.75), 3),
        "fit": fit([0, 0, 1, 0, 2, 0, 0, 9, 3, 0], 20),
        "layer": RandomLayer("tanh", 1.5, 0.1),
        "paths": PolyaUrn(40, 0.3, 5.0).simulate([1, 10], replicas=2, rng=1),
        "model": BinaryNeurons(np.ones((3, 3)) - np.eye(3)),
        "network": network(),
        "complex": draw.normal(size=(2, 3)) + 1j,
        "masked": np.ma.MaskedArray([1.0, 2.0], mask=[True, False]),
        "plain": [
            1,
            (2.5, None),
            "text",
            True,
            float("inf"),
            {3, 4},
            {1: 2},
            range(3),
            draw,
            np.float32(3),
            np.dtype("f4"),
        ],
    }


# -- records, figures, pages, data --------------------------------------------------------------------------


def journal(path):
    return Journal(path, {"seed": 1, "data": None})


def records():
    finding = Finding(
        quantity="slope", estimate=0.5, error=0.1, theory=0.4, z=1.0, p=0.3, sees=0.1, unit="of b", singles=(0.3,)
    )
    verdict = Verdict("holds exactly", (finding,), "words")
    fields = {field.name: field.name for field in dataclasses.fields(Record)}
    fields |= {
        "verdict": verdict,
        "as_expected": True,
        "twins": (Twin("slope", "wrong theory", verdict, rejected=True),),
        "derivations": (),
        "seconds": 0.5,
    }
    return written(NAME, lambda path: [journal(path).append(Record(**fields | {"id": name})) for name in "ab"])


def figures():
    """Return the files of a figure by their suffixes."""

    def draw(path):
        path.mkdir()
        with plot.style():
            chart, axes = plot.figure()
            axes.plot([0, 1], [1, 2])
            plot.save(chart, path / "figure", x=np.arange(3))

    return {Path(name).suffix: raw for name, raw in folder_of(draw).items()}


def texts():
    """Return files of text that say where they come from."""
    provenance = json.dumps({"format": "statnn.page", "versions": {"statnn": "1"}, "time": "now"})
    return {
        "page.html": f'<html><meta name="provenance" content="{escape(provenance)}"></html>'.encode(),
        "numbers.json": json.dumps({"format": "x", "provenance": json.loads(provenance), "sections": []}).encode(),
        "verdicts.json": json.dumps({"run": json.loads(provenance), "claims": [{"id": "a"}]}).encode(),
    }


def images(path):
    draw = np.random.default_rng(4)
    savez(path, {"x": draw.integers(0, 256, (6, 2, 2), dtype=np.uint8), "y": draw.integers(0, 3, 6)})
