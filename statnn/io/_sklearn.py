"""Multilayer perceptrons of scikit-learn, also behind a scaler in a pipeline: recognised by their attributes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statnn.io import _probe
from statnn.io._chain import Act, Affine, Dense, Probabilities, Step
from statnn.io._named import plain
from statnn.network import ACTIVATIONS

_ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


def is_estimator(thing: Any) -> bool:
    """Whether this is a perceptron of scikit-learn or a pipeline, by the looks of it."""
    return _is_perceptron(thing) or _is_pipeline(thing)


def steps(estimator: Any, notes: list[str]) -> list[Step]:
    """Return the chain of a fitted estimator."""
    if not _is_pipeline(estimator):
        return _perceptron(estimator, notes)
    *before, (name, last) = estimator.steps
    if not _is_perceptron(last):
        raise ValueError(f"step {name!r} of the pipeline is a {type(last).__name__}, an MLPClassifier is needed there")
    chain: list[Step] = []
    for title, scaler in before:
        if scaler is not None and scaler != "passthrough":
            chain.append(_scaler(scaler, f"step {title!r} of the pipeline"))
    return chain + _perceptron(last, notes)


def classes(estimator: Any) -> NDArray[Any] | None:
    """Return the labels of the classes of a fitted classifier, increasing, or None where they number the outputs."""
    last = estimator.steps[-1][1] if _is_pipeline(estimator) else estimator
    labels = getattr(last, "classes_", None)
    if labels is None or np.ndim(labels) != 1 or np.array_equal(labels, np.arange(len(labels))):
        return None
    return np.asarray(labels)


def refuse_other(estimator: Any, units: int) -> None:
    """Raise `ValueError` if a fitted estimator predicts something else than its parameters say."""
    x, name = _probe.rows(units).astype(np.float64), type(estimator).__name__
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names that columns had in training
        if hasattr(estimator, "predict_proba"):
            predicted = np.asarray(estimator.predict_proba(x))
            last = estimator.steps[-1][1] if _is_pipeline(estimator) else estimator
            predicted = predicted[:, 1:] if last.n_outputs_ == 1 else predicted  # two classes are one output
        else:
            predicted = np.asarray(estimator.predict(x)).reshape(len(x), -1)
    what = f"the {name} predicts something else than its parameters say, {{}}: a class of your own changes it"
    _probe.refuse_other(steps(estimator, []), x, predicted, np.finfo(predicted.dtype), what)


def _is_pipeline(thing: Any) -> bool:
    return isinstance(getattr(thing, "steps", None), list) and hasattr(thing, "named_steps")


def _is_perceptron(thing: Any) -> bool:
    return hasattr(thing, "hidden_layer_sizes") and hasattr(thing, "activation")


def _perceptron(estimator: Any, notes: list[str]) -> list[Step]:
    name = type(estimator).__name__
    if not hasattr(estimator, "coefs_"):
        raise ValueError(f"the {name} is not fitted: call fit first")
    if estimator.activation not in _ACTIVATIONS:
        raise ValueError(
            f"activation {estimator.activation!r} of the {name} is not supported; supported are "
            f"{', '.join(_ACTIVATIONS)}"
        )
    hidden, final = ACTIVATIONS[_ACTIVATIONS[estimator.activation]], estimator.out_activation_
    after = [Probabilities("softmax", f"output of the {name}")] if final == "softmax" else []
    final = "identity" if after else final
    if final not in _ACTIVATIONS:
        raise ValueError(
            f"output activation {final!r} of the {name} is not supported; supported are softmax, "
            f"{', '.join(_ACTIVATIONS)}"
        )
    labels = classes(estimator)
    if labels is not None:
        notes.append(f"outputs stand for the labels {', '.join(map(str, labels[:20]))}, in this order")
    chain: list[Step] = []
    depth = len(estimator.coefs_)
    for m, (weight, bias) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        where = f"layer {m} of the {name}"
        sigma = hidden if m < depth - 1 else ACTIVATIONS[_ACTIVATIONS[final]]
        chain += [Dense(plain(weight, where).T, plain(bias, where), where), Act(sigma, where)]
    return chain + after


def _scaler(scaler: Any, where: str) -> Affine:
    """Return the map of a fitted StandardScaler or MinMaxScaler."""
    name = type(scaler).__name__
    if name == "StandardScaler" and hasattr(scaler, "n_features_in_"):
        units = scaler.n_features_in_
        mean = scaler.mean_ if scaler.with_mean else np.zeros(units)
        spread = scaler.scale_ if scaler.with_std else np.ones(units)
        return Affine(1 / spread, -mean / spread, where)
    if name == "MinMaxScaler" and hasattr(scaler, "min_") and not scaler.clip:
        return Affine(scaler.scale_, scaler.min_, where)
    raise ValueError(f"{where}: {name} is not supported; StandardScaler and MinMaxScaler without clip are, once fitted")
