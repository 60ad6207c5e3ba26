"""All questions, one after another: what `python -m statnn inspect` does, as a call."""

import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import whole
from statnn._memory import refuse_beyond_memory
from statnn._random import root, stream
from statnn._tasks import check_executor
from statnn.inspection._activity import activity, spiking
from statnn.inspection._classification import attraction, ranks
from statnn.inspection._confusion import confusion
from statnn.inspection._data import Data, as_data, subset
from statnn.inspection._layers import layers as layers_of
from statnn.inspection._layers import strength
from statnn.inspection._meanfield import phase, together
from statnn.inspection._page import Inspection
from statnn.inspection._section import REFUSALS, Section
from statnn.inspection._subject import Options, Subject, Tell
from statnn.io._load import Activations, load

Question: TypeAlias = Callable[[Subject, Tell], Section]

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
"""By name, in the order of the page."""


def inspect(
    network: Any,
    data: str | os.PathLike[str] | Data | ArrayLike,
    labels: ArrayLike | str | os.PathLike[str] | None = None,
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
    progress: Callable[[str, int, int], None] | None = None,
) -> Inspection:
    """Ask all questions of a network and its data.

    Parameters
    ----------
    network : str, os.PathLike or object
        What `statnn.io.load_network` takes: a file, or an object of torch, scikit-learn or onnx, or a `Network`.
    data : str, os.PathLike, Data or array_like
        Samples: a file or a `Data` as of `read_data`, or an array of shape (samples, ...) that is flattened and
        otherwise used as it is.
    labels : array_like of int, str or os.PathLike, optional
        Class of every sample, numbered as the outputs, or as a classifier of scikit-learn names its classes; for a
        file of data what `read_data` takes.
    activation : str, Activation or sequence of them, optional
        For bare arrays, which do not say it.
    layers : sequence of str, optional
        For bare arrays, names of the dense layers in the order in which they act, as in `statnn.io.load_network`.
    threshold : float, optional
        Above what activation a unit is active; by default 1/2 for sigmoid units and 0 for others.
    window : int, optional
        Samples a window of the spike statistics; by default 100, but at most a tenth of the samples and a fifth of
        those of any class that has ten or more.
    samples : int
        Most samples that are used; of more, a random subset.
    basins : int
        Samples whose basins are measured, chosen at random.
    draws : int
        Directions of noise a basin.
    only : sequence of str, optional
        Names of `QUESTIONS` to ask; all when left out.
    name : str, optional
        What the network is called on the page.
    rng : int, numpy.random.Generator or None
        Seed; None for fresh entropy.
    executor : concurrent.futures.Executor, optional
        Where basins, ranks and the tangent kernel are computed, most of the work; numbers do not depend on it.
    progress : callable, optional
        Called with (name of the question, done, total) as work goes on.

    Returns
    -------
    Inspection

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        If the network or the data cannot be read, or do not fit each other. A question that cannot be asked of this
        network does not raise: its section has a ``reason``.
    MemoryError
        If the activations of all samples would not fit into memory.

    Examples
    --------
    >>> from statnn import Network
    >>> rng = np.random.default_rng(0)
    >>> found = inspect(Network.random([5, 40, 3], "relu", rng=0), rng.normal(size=(300, 5)), only=["activity"], rng=0)
    >>> found["activity"].tables[0].rows[0][2], found["activity"].reason
    (40, '')
    """
    check_executor(executor)
    chosen = _chosen(only)
    loaded = load(network, activation=activation, layers=layers)
    found = as_data(data, labels, loaded.classes)
    seed = root(rng)
    most = whole(samples, "samples", minimum=2)
    if len(found.x) > most:
        kept = np.sort(stream(seed, 0).permutation(len(found.x))[:most])
        found = subset(found, kept, f"a random {most} of them")
    net = loaded.net
    if found.x.shape[1] != net.widths[0]:
        raise ValueError(
            f"the data have {found.x.shape[1]} numbers a sample ({found.source}), the network takes {net.widths[0]}"
        )
    if len(found.x) < 2:
        raise ValueError("there is one sample; statistics need two at least")
    needed = 3.0 * len(found.x) * sum(net.widths) * net.dtype.itemsize
    refuse_beyond_memory(needed, f"the activity of {len(found.x)} samples", "take fewer samples")
    if whole(draws, "draws", minimum=4) % 2:
        raise ValueError(f"draws = {draws} is odd; directions come in pairs ±ξ: pass {draws + 1}")
    options = Options(
        threshold=None if threshold is None else _finite(threshold),
        window=None if window is None else whole(window, "window", minimum=1),
        basins=whole(basins, "basins", minimum=1),
        draws=int(draws),
        seed=seed,
        executor=executor,
    )
    subject = Subject(net, found, options, loaded.notes)
    sections = tuple(_ask(key, subject, progress) for key in chosen)
    return Inspection(net, _name(network, name), found, sections, seed)


def _ask(key: str, subject: Subject, progress: Callable[[str, int, int], None] | None) -> Section:
    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(key, done, total)

    begin = time.perf_counter()
    tell(0, 1)
    question = QUESTIONS[key]
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        try:
            section = question(subject, tell)
        except REFUSALS as error:
            title = (question.__doc__ or key).strip().rstrip(".")
            section = Section(key, title, "", reason=str(error))
    tell(1, 1)
    remarks = (*section.remarks, *dict.fromkeys(str(one.message) for one in raised))
    return replace(section, remarks=remarks, seconds=time.perf_counter() - begin)


def _chosen(only: Sequence[str] | None) -> list[str]:
    if only is None:
        return list(QUESTIONS)
    if isinstance(only, str):
        raise TypeError(f"only = {only!r} is a text; pass a list of names, [{only!r}]")
    for key in only:
        if key not in QUESTIONS:
            raise ValueError(f"only = {key!r} is no question; there are {', '.join(QUESTIONS)}")
    return [key for key in QUESTIONS if key in only]


def _finite(threshold: Any) -> float:
    value = float(threshold)
    if not np.isfinite(value):
        raise ValueError(f"threshold = {threshold!r} must be a finite number: a unit is active above it")
    return value


def _name(network: Any, name: str | None) -> str:
    if name is not None:
        return name
    if isinstance(network, str | os.PathLike):
        return Path(network).name
    return type(network).__name__
