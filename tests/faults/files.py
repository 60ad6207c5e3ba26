"""Valid files of every kind that is read, and what reading them gives."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
from faults import contents, mutate
from faults.cases import run, spread
from faults.contents import NAME, folder_of, written
from faults.reseal import RESEALED, described, headed
from network_files import stored
from onnx.reference import ReferenceEvaluator

from statnn import Network, io, sweep
from statnn._archive import pace
from statnn._archive.store import Store
from statnn.activation import PolyaUrn
from statnn.inspection._data import Data, read_data
from statnn.interaction import BinaryNeurons, square_lattice
from statnn.montecarlo import METHODS, Run, sample
from statnn.rg import RandomLayer, sample_flow
from validation.task import Record

OF_STORES = {".npz": mutate.ZIP, ".json": mutate.JSON}
Check = Callable[[Path, Any], bool]


@dataclass(frozen=True)
class Case:
    """A file or a folder of files, how it is read, and what reading it may give after damage.

    `own` are mutations of this kind of file, besides those of any byte. Where a case is `sealed`, digests or checksums
    cover all that counts: a changed file gives the object that it held, or is refused. Where it is `closed`, it is
    refused always. Where it is not sealed, `valid` says whether the object that is read is right.
    """

    files: Mapping[str, bytes]
    load: Callable[[Path], Any]
    own: tuple[Any, ...] = ()
    any_byte: bool = True
    closed: bool = False
    sealed: bool = True
    valid: Check = lambda _, __: True

    def mutated(self, rng, others):
        """Return the name of a mutation, and the files with one of them mutated."""
        name = mutate.pick(rng, sorted(self.files))
        if len(self.files) > 1 and rng.random() < 0.2:
            kind = mutate.pick(rng, mutate.FOLDER)
            return kind.__name__, kind(rng, dict(self.files), name)
        own = self.own or OF_STORES.get(Path(name).suffix, ()) if len(self.files) > 1 else self.own
        common = self.any_byte and (not own or rng.random() < 0.5)
        kind = mutate.pick(rng, mutate.ANY if common else own)
        return kind.__name__, {**self.files, name: kind(rng, self.files[name], mutate.pick(rng, others))}


def of_file(name, raw, load, own=(), **options):
    return Case({name: raw}, lambda folder: load(folder / name), own, **options)


# -- what is a right object ---------------------------------------------------------------------------------


def parameters(net):
    norms = [
        part
        for norm in net.normalisations
        if norm is not None
        for part in (norm.mean, norm.variance, norm.gamma, norm.beta)
    ]
    return [*net.raw_weights, *net.raw_biases, *norms]


def holds_its_parameters(folder, net):
    """Whether the bytes of all parameters are in the file, and finite: nothing is clipped, rounded or made up."""
    raw = next(folder.iterdir()).read_bytes()
    parts = [data for _, data in mutate.members(raw)] if b"PK\5\6" in raw else [raw]
    return is_network(folder, net) and all(
        not array.any()
        or any(form.tobytes(order) in part for part in parts for form in _forms(array) for order in "CF")
        for array in parameters(net)
    )


def _forms(array):
    """Return an array in the types in which a file may hold it."""
    with np.errstate(over="ignore"):
        return [array.astype(kind) for kind in ("<f8", ">f8", "<f4", ">f4", "<f2", ">f2")]


def is_network(_, net):
    return isinstance(net, Network) and all(np.isfinite(array).all() for array in parameters(net))


def computes_the_same(path, net):
    """Whether a network computes what the evaluator of onnx does."""
    x = np.random.default_rng(3).normal(size=(5, net.widths[0])).astype(np.float32)
    model = onnx.ModelProto.FromString(next(path.iterdir()).read_bytes())
    with np.errstate(all="ignore"):
        (expected,) = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x})
    try:
        return np.allclose(net(x), expected, rtol=1e-3, atol=1e-4)
    except ValueError as error:
        return "exceed the range" in str(error)


MEMBERS = {"any_byte": False, "sealed": False, "valid": holds_its_parameters}
BYTES = {"sealed": False, "valid": holds_its_parameters}


def is_data(_, data):
    return isinstance(data, Data) and bool(np.isfinite(data.x).all()) and data.x.ndim == 2


def goes_on(_, loaded):
    """Whether a run goes on, or says why not."""
    try:
        return isinstance(loaded, Run) and isinstance(loaded.extend(2, progress=False), Run)
    except (ValueError, TypeError):
        return True


def are_records(_, records):
    return all(isinstance(record, Record) and record.id == name for name, record in records.items())


def run_of_file(path):
    return Run.load(path, own={"spread": spread})


# -- stores --------------------------------------------------------------------------------------------------


class KilledError(Exception):
    """Ends work after some entries."""


PAIR = BinaryNeurons([[0, 1], [1, 0]])


def at_once(work):
    """Return work with a store that writes without a pause."""

    def done(folder):
        with patch.multiple(pace, EVERY=0.0, SHARE=np.inf), patch("os.fsync"):
            return work(folder)

    return done


def interrupted(work, entries):
    """Return the files of a store whose work was ended after so many entries."""
    put, left = Store.put, entries

    def limited(store, name, value):
        nonlocal left
        left -= 1
        put(store, name, value)
        if left == 0:
            raise KilledError

    def write(path):
        with patch.object(Store, "put", limited), suppress(KilledError):
            at_once(work)(path)

    files = folder_of(write)
    assert left == 0
    return files


def store(work, entries, **options):
    """Return the case of an interrupted store, which is read by going on with its work."""
    return Case(interrupted(partial(work, **options), entries), at_once(work))


def sampled(path):
    return run("heat bath", store=path)


def seeded(path, rng=None):
    """Run with the seed of the store."""
    return sample(PAIR, 60, burn_in=3, chains=2, rng=rng, store=path, method="heat bath", progress=False)


def cell(a, b, rng):
    return {"sum": a + b, "draws": rng.normal(size=3)}


def grid(path):
    return sweep(cell, {"a": [1, 2], "b": [0.5, 0.25]}, rng=1, store=path)


def grown(path):
    return PolyaUrn(300, 0.3, 5.0).simulate([10, 100], 4, rng=3, store=path)


def longer(path):
    return run("wolff").extend(20, store=path, progress=False)


def signals(path):
    return RandomLayer("tanh", 1.5, 0.1).simulate(10, 3, replicas=150, rng=3, store=path)


def blocked(path):
    model = square_lattice(8, 8, temperature=2.3)
    return sample_flow(model, (8, 8), 4, chains=8, rng=5, burn_in=2, store=path)


# -- all -----------------------------------------------------------------------------------------------------


@cache
def cases():
    """Return all cases by name."""
    tanh = partial(io.load_network, activation="tanh")
    description = {"sealed": False, "valid": lambda _, value: isinstance(value, dict)}
    whole = written("result.npz", partial(io.save, contents.result()))
    walked = {method: written("run.npz", run(method).save) for method in METHODS}
    pictures = contents.figures()
    return {
        "network.npz": of_file("net.npz", stored(contents.network(), ".npz"), io.load_network),
        "network.npz, zipped again": of_file(
            "net.npz", stored(contents.network(), ".npz"), io.load_network, (*mutate.ZIP, described), **MEMBERS
        ),
        "network.safetensors": of_file(
            "net.safetensors", stored(contents.network(), ".safetensors"), io.load_network, (headed,), **BYTES
        ),
        "arrays.npz": of_file("net.npz", contents.bare(contents.savez), tanh),
        "arrays.npz, zipped again": of_file("net.npz", contents.bare(contents.savez), tanh, mutate.ZIP, **MEMBERS),
        "arrays.safetensors": of_file(
            "net.safetensors", contents.bare(contents.write_tensors), tanh, (headed,), **BYTES
        ),
        "onnx": of_file("net.onnx", contents.onnx_model(), io.load_network, (), sealed=False, valid=computes_the_same),
        "torch": of_file("net.pt", contents.torch_file(), tanh, mutate.ZIP, closed=True),
        "result": of_file("result.npz", whole, io.load, mutate.ZIP),
        "result, sealed again": of_file("result.npz", whole, io.load, RESEALED, any_byte=False, sealed=False),
        "run": of_file("run.npz", walked["heat bath"], run_of_file, mutate.ZIP),
        **{
            f"run of {method}, sealed again": of_file(
                "run.npz", raw, run_of_file, RESEALED, any_byte=False, sealed=False, valid=goes_on
            )
            for method, raw in walked.items()
        },
        "data.npz": of_file(
            "data.npz",
            written("data.npz", contents.images),
            read_data,
            (*mutate.ZIP, mutate.vast),
            sealed=False,
            valid=is_data,
        ),
        "data.npy": of_file(
            "data.npy",
            written("data.npy", lambda path: np.save(path, np.ones((3, 4)))),
            read_data,
            (),
            sealed=False,
            valid=is_data,
        ),
        "store of a run": store(sampled, 9),
        "store with its own seed": store(seeded, 5, rng=1),
        "store of a sweep": store(grid, 3),
        "store of paths": store(grown, 2),
        "store of a longer run": store(longer, 5),
        "store of signals": store(signals, 1),
        "store of a flow": store(blocked, 1),
        "records": of_file(
            NAME,
            contents.records(),
            lambda path: contents.journal(path).read(),
            (mutate.lines,),
            sealed=False,
            valid=are_records,
        ),
        **{
            f"describe {name}": of_file(name, raw, io.describe, mutate.JSON if name[-1] == "n" else (), **description)
            for name, raw in contents.texts().items()
        },
        **{
            f"describe {name}": of_file(
                f"figure{name}", raw, io.describe, mutate.ZIP if name == ".npz" else (), **description
            )
            for name, raw in pictures.items()
        },
        "describe result": of_file("result.npz", whole, io.describe, mutate.ZIP, **description),
        "describe tensors": of_file(
            "net.safetensors", stored(contents.network(), ".safetensors"), io.describe, (headed,), **description
        ),
        "describe records": of_file(NAME, contents.records(), io.describe, (mutate.lines,), **description),
    }
