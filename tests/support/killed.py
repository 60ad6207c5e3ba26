"""Work with a store that is interrupted after some entries, and started again."""

import os

import pytest
from faults.cases import restless

from statnn._archive import pace
from statnn._archive.store import Store


class KilledError(Exception):
    """Ends a run after a given number of entries was written."""


def write_at_once(monkeypatch):
    """Write a checkpoint after every piece of work."""
    monkeypatch.setattr(pace, "EVERY", pace.EVERY)
    monkeypatch.setattr(pace, "SHARE", pace.SHARE)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    restless()


def cut(monkeypatch, path, entries, start, times):
    """Start work with a store and end it after `entries` entries, `times` times; then let it finish."""
    put = Store.put

    def write(store, name, value):
        nonlocal left
        if left == 0:
            raise KilledError
        left -= 1
        put(store, name, value)

    for _ in range(times):
        left = entries
        monkeypatch.setattr(Store, "put", write)
        with pytest.raises(KilledError):
            start(path)
        monkeypatch.setattr(Store, "put", put)
    return start(path)
