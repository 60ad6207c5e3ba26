"""The results for one network, and its page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from statnn._archive.file import digest_of
from statnn._by_value import ByValue
from statnn._random import Root
from statnn.inspection._data import Data
from statnn.inspection._files import page, put
from statnn.inspection._section import Section
from statnn.network import Network


@dataclass(frozen=True, eq=False, repr=False)
class Inspection(ByValue):
    """Results for one network; made by `inspect`.

    Parameters
    ----------
    net : Network
        The network.
    name : str
        Name of the network on the page.
    data : Data
        The samples and labels used.
    sections : tuple of Section
        Answers in the order of the page; select one as ``page["spikes"]``.
    seed : tuple
        Entropy and spawn key; the same seed gives the same numbers.
    """

    net: Network
    name: str
    data: Data
    sections: tuple[Section, ...]
    seed: Root

    def __getitem__(self, name: str) -> Section:
        """Return the section of that name."""
        return named(self.sections, name)

    def _rows(self) -> list[dict[str, Any]]:
        return [facts(self)]

    def __str__(self) -> str:
        head = f"{self.name}: {self.net!r}\n{self.data.source}"
        return "\n\n".join([head, *map(str, self.sections)])

    @property
    def unusual(self) -> Mapping[str, str]:
        """Findings that differ from what would be expected, by section; the first paragraph of the page.

        Examples
        --------
        >>> import numpy as np
        >>> from statnn import Network, inspection
        >>> weights, biases = [np.zeros((40, 2)), np.ones((1, 40))], [np.full(40, -1.0), [0.0]]
        >>> net = Network(weights, biases, ["relu", "identity"])
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> inspection.inspect(net, x, only=["activity"], rng=0).unusual
        {'activity': '40 of the 40 units of hidden 1 are never active in these samples.'}
        """
        return {section.name: section.unusual for section in self.sections if section.unusual}

    def write(self, directory: str | os.PathLike[str]) -> None:
        """Write the page ``index.html``, ``numbers.json``, and each figure as PDF, SVG and PNG with its arrays.

        Parameters
        ----------
        directory : str or os.PathLike
            Folder to write to. If it does not exist, it is created, complete or not at all; if it exists, each file is
            replaced, the page last. If a figure cannot be drawn the page says why.

        Raises
        ------
        FileNotFoundError, NotADirectoryError
            If the directory above it does not exist, or it is a file.
        """
        put(directory, partial(fill, self))


def facts(inspection: Inspection) -> dict[str, Any]:
    """Return the entries for a network in a table: its name, and the facts of all sections."""
    return {
        "name": inspection.name,
        "data": inspection.data.source,
        **{part.name: part.facts for part in inspection.sections},
    }


def fill(inspection: Inspection, folder: Path) -> None:
    """Write the page of a network into an existing folder."""
    head = {
        "network": inspection.name,
        "described": repr(inspection.net),
        "data": inspection.data.source,
        "digest": digest_of([inspection.net, inspection.data.x, inspection.data.labels]),
    }
    title = f"{inspection.name} under the microscope"
    page(
        folder, title, escape(repr(inspection.net)), inspection.data.source, inspection.seed, inspection.sections, head
    )


def named(sections: tuple[Section, ...], name: str) -> Section:
    """Return the section of that name, or raise with the names that exist."""
    for section in sections:
        if section.name == name:
            return section
    raise KeyError(f"there is no section {name!r}; choose from {', '.join(s.name for s in sections)}")
