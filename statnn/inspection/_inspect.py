"""All questions, one after another: `python -m statnn inspect` as a Python call."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import ArrayLike

from statnn._archive.words import line_of
from statnn._arguments import single, whole
from statnn._memory import refuse_beyond_memory
from statnn._random import root, stream
from statnn._tasks import callback_of, check_executor
from statnn.inspection._activity import activity, spiking
from statnn.inspection._classification import attraction, ranks
from statnn.inspection._comparison import Comparison, compared
from statnn.inspection._confusion import confusion
from statnn.inspection._data import Data, as_data, subset
from statnn.inspection._layers import layers as layers_of
from statnn.inspection._layers import strength
from statnn.inspection._meanfield import phase, together
from statnn.inspection._page import Inspection
from statnn.inspection._section import REFUSALS, Section
from statnn.inspection._subject import Options, Report, Subject
from statnn.io._load import Activations, Loaded, is_source, load
from statnn.network import Network

Question: TypeAlias = Callable[[Subject, Report], Section]
Progress: TypeAlias = Callable[[str, int, int], None]
Samples: TypeAlias = str | os.PathLike[str] | Data | ArrayLike
Labels: TypeAlias = ArrayLike | str | os.PathLike[str] | None

QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "layers": layers_of,
        "activity": activity,
        "spikes": spiking,
        "classes": confusion,
        "order": ranks,
        "basins": attraction,
        "strength": strength,
        "correlation": together,
        "phase": phase,
    }
)
"""Questions by name, in the order of the page."""


class _Options(TypedDict, total=False):
    """Arguments of `inspect` by name, for its two signatures."""

    activation: Activations | None
    layers: Sequence[str] | None
    threshold: float | None
    window: int | None
    samples: int
    basins: int
    draws: int
    only: Sequence[str] | None
    rng: int | np.random.Generator | None
    executor: Executor | None
    progress: Progress | Literal[False] | None


class _Named(_Options, total=False):
    name: str | None


@overload
def inspect(
    network: Mapping[str, str | os.PathLike[str] | Network],
    data: Samples,
    labels: Labels = None,
    **options: Unpack[_Options],
) -> Comparison: ...


@overload
def inspect(network: Any, data: Samples, labels: Labels = None, **options: Unpack[_Named]) -> Inspection: ...


def inspect(
    network: Any,
    data: Samples,
    labels: Labels = None,
    *,
    activation: Activations | None = None,
    layers: Sequence[str] | None = None,
    threshold: float | None = None,
    window: int | None = None,
    samples: int = 10_000,
    basins: int = 200,
    draws: int = 32,
    only: Sequence[str] | None = None,
    name: str | None = None,
    rng: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    progress: Progress | Literal[False] | None = None,
) -> Inspection | Comparison:
    """Ask all questions of a network and its data, or of several networks and compare them.

    Parameters
    ----------
    network : str, os.PathLike or object
        A network as for `statnn.io.load_network`: a file, an object of torch, scikit-learn or onnx, or a `Network`. Or
        a mapping of names to several of these, networks or checkpoints of one, that take the same data.
    data : str, os.PathLike, Data or array_like
        Samples: a file or a `Data` as from `read_data`, or an array of shape (samples, ...), which is flattened but not
        scaled.
    labels : array_like of int, str or os.PathLike, optional
        Class of every sample, numbered like the outputs, or named like the classes of a classifier of scikit-learn; for
        a file of data as in `read_data`.
    activation : str, Activation or sequence of them, optional
        For bare arrays, which do not contain it.
    layers : sequence of str, optional
        For bare arrays, names of the dense layers in the order in which they act, as in `statnn.io.load_network`.
    threshold : float, optional
        Activation above which a unit counts as active. The default for increasing activations is their value at a field
        of 0, such as 1/2 for sigmoid and ln 2 for softplus; for others, and for functions of your own, it is 0.
    window : int, optional
        Samples per window of the spike statistics; by default 100, but at most a tenth of the samples and a fifth of
        those of any class that has ten or more.
    samples : int
        Most samples to use; of more, a random subset is taken.
    basins : int
        Number of samples whose basins are measured, chosen at random.
    draws : int
        Number of directions of noise per basin.
    only : sequence of str, optional
        Names of `QUESTIONS` to ask; all when left out.
    name : str, optional
        Name of the network on the page; several networks have their own.
    rng : int, numpy.random.Generator or None
        Seed; fresh entropy when None.
    executor : concurrent.futures.Executor, optional
        Computes basins, ranks and the tangent kernel, most of the work; numbers do not depend on it.
    progress : callable or False, optional
        Called with (name of the question, done, total) as work goes on.

    Returns
    -------
    Inspection
        For one network.
    Comparison
        For several, with the inspection of each. They get the same samples and the same noise.

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        If a network or the data cannot be read, or do not fit each other, before any work starts. A question that does
        not apply to this network does not raise: its section has a ``reason``.
    MemoryError
        If the activations of all samples would not fit into memory.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn import Network
    >>> rng = np.random.default_rng(0)
    >>> net = Network.random([5, 40, 3], "relu", rng=0)
    >>> page = inspect(net, rng.normal(size=(300, 5)), only=["activity"], rng=0)
    >>> page["activity"].tables[0].rows[0][2], page["activity"].reason
    (40, '')
    >>> both = {"narrow": Network.random([5, 20, 3], rng=0), "wide": Network.random([5, 80, 3], rng=0)}
    >>> comparison = inspect(both, rng.normal(size=(300, 5)), only=["activity"], rng=0)
    >>> comparison["activity"].tables[0].columns
    ['layer', 'quantity', 'narrow', 'wide', 'difference']
    """
    check_executor(executor)
    report = callback_of(progress)
    if whole(draws, "draws", minimum=4) % 2:
        raise ValueError(f"draws = {draws} is odd; directions come in pairs ±ξ: pass {draws + 1}")
    why, fix = "a unit is active above it", "it holds for all layers"
    options = Options(
        threshold=None if threshold is None else single(threshold, "threshold", minimum=-np.inf, why=why, fix=fix),
        window=None if window is None else whole(window, "window", minimum=1),
        basins=whole(basins, "basins", minimum=1),
        draws=int(draws),
        seed=root(rng),
        executor=executor,
    )
    order = _Order(
        data, labels, activation, layers, whole(samples, "samples", minimum=2), tuple(_chosen(only)), options
    )
    networks = _several(network)
    if networks is None:
        return order.answered(order.fitted(network), _name(network, name), report)
    if name is not None:
        raise TypeError(f"name = {name!r} is for one network; those of a mapping have their names in it: leave it out")
    fitted = {key: order.fitted(source, f"network {key!r}: ") for key, source in networks.items()}  # before any work
    return compared({key: order.answered(source, key, _of(key, report)) for key, source in fitted.items()})


@dataclass(frozen=True)
class _Order:
    """Options and data for every network."""

    data: Any
    labels: Any
    activation: Activations | None
    layers: Sequence[str] | None
    samples: int
    questions: tuple[str, ...]
    options: Options

    def fitted(self, network: Any, whose: str = "") -> tuple[Loaded, Data]:
        """Return a network and its data, or raise if they do not fit, with `whose` in the message."""
        with _said_of(whose):
            loaded = load(network, activation=self.activation, layers=self.layers)
            _refuse_other_columns(network, self.data)
        net, data = loaded.net, as_data(self.data, self.labels, loaded.classes)
        if len(data.x) > self.samples:
            kept = np.sort(stream(self.options.seed, 0).permutation(len(data.x))[: self.samples])
            data = subset(data, kept, f"a random {self.samples} of them")
        if len(data.x) < 2:
            raise ValueError("there is one sample; statistics need two at least")
        with _said_of(whose):
            if data.x.shape[1] != net.widths[0]:
                raise ValueError(
                    f"the data have {data.x.shape[1]} numbers per sample ({data.source}), the network takes "
                    f"{net.widths[0]}"
                )
            needed = 3.0 * len(data.x) * sum(net.widths) * net.dtype.itemsize
            refuse_beyond_memory(needed, f"the activity of {len(data.x)} samples", "take fewer samples")
        return loaded, data

    def answered(self, fitted: tuple[Loaded, Data], name: str, progress: Progress | None) -> Inspection:
        """Return the inspection of one network."""
        loaded, data = fitted
        subject = Subject(loaded.net, data, self.options, loaded.notes)
        sections = tuple(_ask(key, subject, progress) for key in self.questions)
        return Inspection(loaded.net, name, data, sections, self.options.seed)


@contextmanager
def _said_of(whose: str) -> Iterator[None]:
    """Add to an error which of several networks it is about."""
    try:
        yield
    except (TypeError, ValueError, MemoryError) as error:
        if not whose:
            raise
        kind = next(kind for kind in (TypeError, ValueError, MemoryError) if isinstance(error, kind))
        raise kind(f"{whose}{error}") from error


def _refuse_other_columns(network: Any, data: Any) -> None:
    """Raise if the columns of a table differ from those an estimator was fitted on: inputs would be mixed up."""
    fitted, given = getattr(network, "feature_names_in_", None), getattr(data, "columns", None)
    if fitted is not None and given is not None and list(fitted) != list(given):
        raise ValueError(
            f"the data have the columns {', '.join(map(str, given))}; the {type(network).__name__} was fitted on "
            f"{', '.join(map(str, fitted))}, in this order: pass data[list(model.feature_names_in_)]"
        )


def _several(network: Any) -> Mapping[str, Any] | None:
    """Return networks by name, or None for one network, arrays by name included."""
    if isinstance(network, list | tuple):
        raise TypeError(
            f"network is a {type(network).__name__}; pass several networks by name, {{'one': ..., 'two': ...}}"
        )
    if not isinstance(network, Mapping) or not any(is_source(source) for source in network.values()):
        return None
    for name, source in network.items():
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"networks are named by texts, and one is named {name!r}")
        if not is_source(source):
            raise TypeError(
                f"network[{name!r}] is a {type(source).__name__} among networks; pass a file, an object of torch, "
                "scikit-learn or onnx, or a Network, arrays by name through statnn.io.load_network"
            )
    if len(network) < 2:
        raise ValueError(
            f"there is one network, {next(iter(network))!r}, to compare: pass it alone, or several by name"
        )
    return dict(network)


def _of(name: str, progress: Progress | None) -> Progress | None:
    """Return the progress of one of several networks."""
    if progress is None:
        return None
    return lambda question, done, total: progress(f"{name}, {question}", done, total)


def _ask(key: str, subject: Subject, progress: Progress | None) -> Section:
    def report(done: int, total: int) -> None:
        if progress is not None:
            progress(key, done, total)

    begin = time.perf_counter()
    report(0, 1)
    question = QUESTIONS[key]
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        try:
            section = question(subject, report)
        except REFUSALS as error:
            title = (question.__doc__ or key).strip().rstrip(".")
            section = Section(key, title, "", reason=str(error))
    report(1, 1)
    remarks = (*section.remarks, *dict.fromkeys(str(warning.message) for warning in raised))
    return replace(section, remarks=remarks, seconds=time.perf_counter() - begin)


def _chosen(only: Sequence[str] | None) -> list[str]:
    if only is None:
        return list(QUESTIONS)
    if isinstance(only, str):
        raise TypeError(f"only = {only!r} is a text; pass a list of names, [{only!r}]")
    asked = list(only)
    for key in asked:
        if key not in QUESTIONS:
            raise ValueError(f"only = {key!r} is not a question; choose from {', '.join(QUESTIONS)}")
    return [key for key in QUESTIONS if key in asked]


def _name(network: Any, name: str | None) -> str:
    if name is not None:
        return name
    if isinstance(network, str | os.PathLike):
        return line_of(Path(network).name)  # its bytes may not be text
    return type(network).__name__
