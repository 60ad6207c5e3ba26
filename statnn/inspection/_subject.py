"""The subject of all questions: a network, samples, the trace of the samples, and the options."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from statnn._arguments import Ints
from statnn._by_value import ByValue
from statnn._random import Root
from statnn.inspection._data import Data, may_be_classes, within
from statnn.measure._classes import classes_of, number_of_classes
from statnn.network import Network

Report = Callable[[int, int], None]
"""Progress callback: amount done, and total amount."""


@dataclass(frozen=True, eq=False, repr=False)
class Options(ByValue):
    """Options of the questions."""

    threshold: float | None
    window: int | None
    basins: int
    draws: int
    seed: Root
    executor: Executor | None = None


class Subject:
    """A network and samples, with the trace that all questions share."""

    def __init__(
        self,
        net: Network,
        data: Data,
        options: Options,
        notes: tuple[str, ...],
    ) -> None:
        self.net, self.x, self.options, self.notes = net, data.x, options, notes
        self.shape, self.numbers = data.shape, data.numbers
        known = within(data, number_of_classes(net))
        self.labels, self.no_labels, self.is_classifier = known.labels, known.no_labels, may_be_classes(known)
        self.trace = net.trace(data.x)

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.x)

    @property
    def hidden(self) -> range:
        """Numbers m of the hidden layers h^(m), 1 ... M-1."""
        return range(1, self.net.depth)

    @property
    def classes(self) -> Ints:
        """Class that the network gives to every sample."""
        return classes_of(self.net, self.trace.fields[-1])

    def threshold(self, m: int) -> float:
        """Return the value above which a unit of h^(m) counts as active: σ(0) if σ increases, else 0."""
        if self.options.threshold is not None:
            return self.options.threshold
        sigma = self.net.activations[m - 1]
        return float(sigma(np.zeros(1))[0]) if sigma.increasing else 0.0

    def known_labels(self) -> Ints:
        """Return the labels, or raise with the reason why there are none."""
        if self.labels is None:
            raise ValueError(self.no_labels)
        return self.labels

    def needs_hidden(self) -> None:
        """Raise if there are no hidden units."""
        if not self.hidden:
            raise ValueError("the network has one layer of weights and so no hidden units")


def name_of(m: int, net: Network) -> str:
    """Return the name of the layer h^(m) on the page."""
    return "outputs" if m == net.depth else f"hidden {m}"


def few(count: int, most: int) -> list[int]:
    """Return up to `most` numbers below `count`, evenly spread, the ends included."""
    return sorted({int(i) for i in np.linspace(0, count - 1, min(most, count)).round()})
