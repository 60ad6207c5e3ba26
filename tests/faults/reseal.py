"""Files whose digests and lengths are right, and whose contents are not."""

import json
from io import BytesIO

import numpy as np
from faults import mutate
from faults.contents import savez, written

from statnn._archive import file


def resealed(change):
    """Return a mutation that changes the description or the arrays of a result, and makes its digest right again."""

    def mutation(rng, raw, other):
        arrays = {name.removesuffix(".npy"): np.load(BytesIO(data)) for name, data in mutate.members(raw)}
        document = json.loads(arrays.pop("statnn").item())
        document, arrays = change(rng, document, arrays, other)
        document["digest"] = file._digest(document["value"], arrays)
        text = np.bytes_(json.dumps(document).encode("utf-8", "surrogatepass"))
        return written("x", lambda path: savez(path, {"statnn": text} | arrays))

    mutation.__name__ = change.__name__
    return mutation


def hostile_text(rng, document, arrays, _):
    return {**document, "value": mutate.changed_tree(rng, document["value"])}, arrays


def hostile_array(rng, document, arrays, _):
    name = list(arrays)[int(rng.integers(len(arrays)))]
    array = arrays[name]
    kinds = (
        lambda: array.astype("f4"), lambda: array.astype("S8"), lambda: array.astype("i1"), lambda: array.astype("?"),
        lambda: array.astype(">f8"), lambda: array.reshape(-1), lambda: array[None], lambda: array.ravel()[:0],
        lambda: array.T, lambda: np.asfortranarray(array), lambda: np.zeros(0), lambda: np.array("x"),
        lambda: array.astype("f8") * np.nan, lambda: array.astype("f8") + 1e308, lambda: -array.astype("f8"),
        lambda: np.full_like(array, np.iinfo(np.int64).max, dtype=np.int64),
    )  # fmt: skip
    with np.errstate(all="ignore"):
        return document, arrays | {name: mutate.pick(rng, kinds)()}


RESEALED = tuple(map(resealed, (hostile_text, hostile_array)))


def described(rng, raw, _):
    """Change the text of a network, whose checksums are right."""
    arrays = {name.removesuffix(".npy"): np.load(BytesIO(data)) for name, data in mutate.members(raw)}
    tree = mutate.changed_tree(rng, json.loads(arrays.pop("statnn").item()))
    text = np.bytes_(json.dumps(tree).encode("utf-8", "surrogatepass"))
    return written("x", lambda path: savez(path, {"statnn": text} | arrays))


def headed(rng, raw, _):
    """Change the header of a safetensors file, whose length is right."""
    size = int.from_bytes(raw[:8], "little")
    text = mutate.entry(rng, raw[8 : 8 + size], _)
    return len(text).to_bytes(8, "little") + text + raw[8 + size :]
