"""A network as named arrays and one text of JSON, the common content of npz and safetensors files.

The text lists the layers; a layer names its arrays, so an array that stands for several layers is stored once.
Numbers of the text (the slope of a leaky ReLU, the ε of a normalisation) survive exactly. Of a user's own function
the text holds the name alone: whoever reads the file must have the function.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from statnn._archive.npz import MOST_TEXT
from statnn._archive.provenance import surroundings
from statnn._arrays import Reals
from statnn.io._chain import refuse_vast
from statnn.network import ACTIVATIONS, Activation, BatchNorm, Network
from statnn.network._activation import built_in

KEY = "statnn"
"""Name of the text in a file."""
FORMAT, VERSION = "statnn.Network", 1
_STATISTICS = ("mean", "variance", "gamma", "beta")


def pack(net: Network) -> tuple[str, dict[str, Reals]]:
    """Return the text and the arrays by name."""
    arrays: dict[str, Reals] = {}
    names: dict[int, str] = {}

    def named(array: Reals, name: str) -> str:
        if id(array) not in names:
            names[id(array)] = name
            arrays[name] = array
        return names[id(array)]

    layers: list[dict[str, Any]] = []
    own: dict[str, Activation] = {}
    for m, sigma in enumerate(net.activations):
        if not sigma.built_in and own.setdefault(sigma.name, sigma) != sigma:
            raise ValueError(
                f"layer {m} and one before have different activations of the name {sigma.name!r}: a file holds the "
                "names of functions of your own, so give each another"
            )
        layer: dict[str, Any] = {
            "weight": named(net.raw_weights[m], f"{m}.weight"),
            "bias": named(net.raw_biases[m], f"{m}.bias"),
            "activation": sigma.name,
        }
        layer |= sigma.parameters if sigma.built_in else {"own": True}
        norm = net.normalisations[m]
        if norm is not None:
            layer["norm"] = {name: named(getattr(norm, name), f"{m}.norm.{name}") for name in _STATISTICS}
            layer["norm"]["epsilon"] = norm.epsilon
        layers.append(layer)
    document = {"format": FORMAT, "version": VERSION, "layers": layers, "provenance": surroundings()}
    text = json.dumps(document, separators=(",", ":"))
    if len(text) > MOST_TEXT:
        raise ValueError(f"the network has {net.depth} layers; files hold up to about {MOST_TEXT // 100}")
    return text, arrays


def unpack(text: str, arrays: Mapping[str, Reals], own: Mapping[str, Activation]) -> Network:
    """Return the network of a text, its arrays and a user's own functions; `ValueError` says what is wrong."""
    document = parsed(text, "its description")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"its description is not that of a {FORMAT}")
    if document.get("version") != VERSION:
        raise ValueError(
            f"its description has version {document.get('version')!r}, this statnn reads {VERSION}: update statnn"
        )
    layers = document.get("layers")
    if not isinstance(layers, list) or not layers or not all(isinstance(layer, dict) for layer in layers):
        raise ValueError("its description lists no layers")
    known: dict[tuple[Any, ...], BatchNorm] = {}
    weights = [_array(layer.get("weight"), arrays, f"weight of layer {m}") for m, layer in enumerate(layers)]
    biases = [_array(layer.get("bias"), arrays, f"bias of layer {m}") for m, layer in enumerate(layers)]
    norms = [_norm(layer.get("norm"), arrays, m, known) for m, layer in enumerate(layers)]
    refuse_vast(zip(weights, biases, (norm and id(norm) for norm in norms), strict=True))
    sigmas = [_activation(layer, m, own) for m, layer in enumerate(layers)]
    return Network(weights, biases, sigmas, normalisations=norms)


def parsed(text: str | bytes, what: str) -> Any:
    """Return the contents of a JSON text; names must not be given twice."""
    if len(text) > MOST_TEXT:
        raise ValueError(f"{what} is {len(text):.3g} bytes long, at most {MOST_TEXT:.3g} are read")
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except RecursionError:
        raise ValueError(f"{what} is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{what} is not JSON: {error}") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a name is given twice")
    return result


def _array(name: Any, arrays: Mapping[str, Reals], what: str) -> Reals:
    if not isinstance(name, str) or name not in arrays:
        raise ValueError(f"{what} is said to be {name!r}, which is not in the file")
    if arrays[name].dtype.kind != "f":
        raise ValueError(f"{what}, {name!r}, holds {arrays[name].dtype}, real numbers are needed")
    return arrays[name]


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{what} is {value!r}, a finite number is needed")
    return float(value)


def _activation(layer: dict[str, Any], m: int, own: Mapping[str, Activation]) -> Activation:
    name = layer.get("activation")
    if layer.get("own", False) is True and isinstance(name, str):
        if name not in own:
            raise ValueError(
                f"activation {name!r} of layer {m} is a function of its author's own, of which a file holds the name "
                f"alone: pass load_network(..., activations={{{name!r}: Activation({name!r}, function)}})"
            )
        return own[name]
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(f"activation of layer {m} is {name!r}; choose from {', '.join(ACTIVATIONS)}")
    numbers = {key: _number(layer.get(key), f"{key} of layer {m}") for key in ACTIVATIONS[name].parameters}
    return built_in(name, numbers)


def _norm(value: Any, arrays: Mapping[str, Reals], m: int, known: dict[tuple[Any, ...], BatchNorm]) -> BatchNorm | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004 - content of a file
            f"normalisation of layer {m} is {value!r}, names of its arrays are needed"
        )
    epsilon = _number(value.get("epsilon"), f"epsilon of layer {m}")
    mean, variance, gamma, beta = (_array(value.get(name), arrays, f"{name} of layer {m}") for name in _STATISTICS)
    key = (*(value[name] for name in _STATISTICS), epsilon)
    if key not in known:
        known[key] = BatchNorm(mean, variance, gamma, beta, epsilon)
    return known[key]
