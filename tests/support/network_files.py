"""Networks as bytes of files, and bytes as networks."""

import tempfile
from pathlib import Path

from statnn.io import load_network, save_network


def stored(net, suffix):
    """Return the bytes of a network in a file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "net" + suffix)
        save_network(net, path)
        return path.read_bytes()


def loaded(raw, suffix, **options):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "net" + suffix)
        path.write_bytes(raw)
        return load_network(path, **options)
