"""Mutations of files: bits, bytes and spans of any file, members of a zip, headers of arrays, entries of JSON."""

import io
import json
import zipfile
from copy import deepcopy

import numpy as np

EXTREMES = (
    b"0",
    b"-1",
    b"9" * 20,
    b"1e999",
    b"NaN",
    b"-0",
    b"1e308",
    b"2147483648",
    b"18446744073709551616",
    b"9" * 5000,
)
"""Extreme numbers as text."""
WORDS = (b"\0" * 8, b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\0" * 7 + b"\x80", b"\x01" + b"\0" * 7)
"""Extreme numbers in binary."""
VALUES = (
    None, True, -1, 0, 2**63, 10**30, 0.5, 1e308, float("nan"), float("-inf"), "", "x" * 2000, "\ud800", "statnn", [],
    {}, [[]], {"array": "value"}, {"float": "nan"}, {"dict": 3}, {"tuple": None}, {"range": [0, 10**18, 1]},
    {"name": "os:system"}, {"object": "statnn:Network", "parts": {}}, {"generator": {}}, {"csr": []},
    {"dtype": "O"}, {"partial": []},
)  # fmt: skip
"""Values that replace an entry of JSON."""
NPY = (
    (b"<f8", b"<f4"), (b"<f8", b"|O "), (b"<f8", b"<c8"), (b"<f8", b"<S8"), (b"<f8", b"<U2"), (b"<i8", b"<M8"),
    (b"False", b"True "), (b"(", b"(-"), (b"(", b"(9"), (b",)", b")"), (b"NUMPY\x01", b"NUMPY\x02"),
    (b"\x00{", b"\xff{"), (b"{'descr'", b"{'shape'"), (b"<f8", b"<V8"), (b"<f8", b">f8"), (b"|S", b"|V"),
)  # fmt: skip
"""Texts in the header of an array, and what replaces them."""


def place(rng, size):
    return int(rng.integers(max(1, size)))


def pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


# -- of any file -----------------------------------------------------------------------------------------


def flip(rng, raw, _):
    """Flip a few bits."""
    data = bytearray(raw)
    for _ in range(int(rng.integers(1, 5))):
        data[place(rng, len(data))] ^= 1 << int(rng.integers(8))
    return bytes(data)


def cut(rng, raw, _):
    """Cut off the end."""
    return raw[: place(rng, len(raw))]


def drop(rng, raw, _):
    """Leave a span out."""
    at = place(rng, len(raw))
    return raw[:at] + raw[at + int(rng.integers(1, 65)) :]


def repeat(rng, raw, _):
    """Write a span twice."""
    at, size = place(rng, len(raw)), int(rng.integers(1, 513))
    return raw[: at + size] + raw[at:]


def grow(rng, raw, _):
    """Append something."""
    return raw + (rng.bytes(int(rng.integers(1, 99))) if rng.random() < 0.5 else bytes(int(rng.integers(1, 9999))))


def splice(rng, raw, other):
    """Put a span of another file in the place of one."""
    size = int(rng.integers(1, min(len(raw), len(other)) + 1))
    at, begin = place(rng, len(raw) - size), place(rng, len(other) - size)
    return raw[:at] + other[begin : begin + size] + raw[at + size :]


def head(rng, raw, other):
    """Begin as another file does."""
    size = int(rng.integers(1, 129))
    return other[:size] + raw[size:]


def digits(rng, raw, _):
    """Put an extreme in the place of a number in a text."""
    places = [k for k, byte in enumerate(raw) if 48 <= byte < 58 and not 48 <= raw[k - 1] < 58]
    if not places:
        return flip(rng, raw, _)
    begin = end = pick(rng, places)
    while end < len(raw) and 48 <= raw[end] < 58:
        end += 1
    return raw[:begin] + pick(rng, EXTREMES) + raw[end:]


def word(rng, raw, _):
    """Put an extreme in the place of a number of eight, four or two bytes."""
    size, at = pick(rng, (8, 4, 2)), place(rng, len(raw))
    return raw[:at] + pick(rng, WORDS)[-size:] + raw[at + size :]


ANY = (flip, cut, drop, repeat, grow, splice, head, digits, word)

# -- of zip files; checksums are right again ---------------------------------------------------------------


def members(raw):
    """Return names and contents of a zip."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def zipped(entries, kind=zipfile.ZIP_STORED, comment=b""):
    """Return a zip of names and contents, which may be given twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = kind
            archive.fp.seek(0, io.SEEK_END)
            archive.NameToInfo.pop(name, None)  # a second member of this name would warn
            archive.writestr(info, data)
        archive.comment = comment
    return out.getvalue()


def reordered(rng, raw, _):
    """Reorder and recompress the members, add a comment, and perhaps bytes in front of the zip."""
    entries = members(raw)
    rng.shuffle(entries)
    kind = pick(rng, (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    before = rng.bytes(int(rng.integers(100))) if rng.random() < 0.2 else b""
    return before + zipped([(str(name), bytes(data)) for name, data in entries], kind, rng.bytes(int(rng.integers(9))))


def doubled(rng, raw, other):
    """Give a member twice, the second time perhaps with other contents."""
    entries = members(raw)
    name, data = pick(rng, entries)
    return zipped([*entries, (name, pick(rng, ANY)(rng, data, other) if rng.random() < 0.5 else data)])


def renamed(rng, raw, _):
    """Take a member away, or give it another name."""
    entries = members(raw)
    at = place(rng, len(entries))
    name = pick(
        rng,
        (None, "", "x", "x.npy", "../x.npy", "/x.npy", "statnn.npy", "ß.npy", "a/b", "x" * 300, pick(rng, entries)[0]),
    )
    changed = [] if name is None else [(name, entries[at][1])]
    return zipped(entries[:at] + changed + entries[at + 1 :])


def swapped(rng, raw, _):
    """Exchange the contents of two members."""
    entries = members(raw)
    i, j = place(rng, len(entries)), place(rng, len(entries))
    (name, first), (other, second) = entries[i], entries[j]
    entries[i], entries[j] = (name, second), (other, first)
    return zipped(entries)


def inside(rng, raw, other):
    """Change the bytes of a member, or its header."""
    entries = members(raw)
    at = place(rng, len(entries))
    name, data = entries[at]
    data = data.replace(*pick(rng, NPY), 1) if rng.random() < 0.5 else pick(rng, ANY)(rng, data, other)
    return zipped([*entries[:at], (name, data), *entries[at + 1 :]])


def sizes(rng, raw, _):
    """Let the directory of a zip claim other sizes, methods, flags or places."""
    data = bytearray(raw)
    starts = [k for k in range(len(data) - 46) if data[k : k + 4] in (b"PK\1\2", b"PK\3\4", b"PK\5\6")]
    at = pick(rng, starts) + int(rng.integers(4, 46))
    size = pick(rng, (1, 2, 4, 8))
    data[at : at + size] = pick(rng, WORDS)[:size] if rng.random() < 0.7 else rng.bytes(size)
    return bytes(data)


def vast(rng, raw, _):
    """Add a member that unpacks into 128 MiB."""
    entries = members(raw)
    data = np.lib.format.magic(1, 0) + b"v\0{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }" % 2**24
    return zipped(
        [*entries, (pick(rng, ("x.npy", entries[0][0])), data.ljust(128) + bytes(2**27))], zipfile.ZIP_DEFLATED
    )


ZIP = (reordered, doubled, renamed, swapped, inside, inside, sizes)

# -- of JSON -----------------------------------------------------------------------------------------------


def _nodes(tree):
    """Yield (container, key) of every entry."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        yield tree, key
        yield from _nodes(value)


def changed_tree(rng, tree):
    """Return a tree with one entry replaced, taken away, exchanged for another, renamed or deeply nested."""
    tree = deepcopy(tree)
    nodes = list(_nodes(tree))
    if not nodes:
        return pick(rng, VALUES)
    container, key = pick(rng, nodes)
    kind = int(rng.integers(8))
    if kind < 4:
        container[key] = deepcopy(pick(rng, VALUES))
    elif kind == 4:
        del container[key]
    elif kind == 5:
        other, there = pick(rng, nodes)
        container[key], other[there] = deepcopy(other[there]), deepcopy(container[key])
    elif kind == 6 and isinstance(container, dict):
        container[pick(rng, ("", "x", "tuple", "object", "value", "digest"))] = container.pop(key)
    else:
        for _ in range(pick(rng, (3, 250))):
            container[key] = [container[key]]
    return tree


def text_of(tree):
    return json.dumps(tree).encode()


def entry(rng, raw, _):
    """Change an entry of JSON."""
    return text_of(changed_tree(rng, json.loads(raw)))


def lines(rng, raw, _):
    """Change an entry of a line of JSON, or the order of lines."""
    every = raw.splitlines(keepends=True)
    if rng.random() < 0.3:
        rng.shuffle(every)
        return b"".join(bytes(line) for line in every[int(rng.integers(2)) :])
    at = place(rng, len(every))
    every[at] = entry(rng, every[at], _) + b"\n"
    return b"".join(every)


JSON = (entry,)

# -- of folders ----------------------------------------------------------------------------------------------


def missing(_, files, name):
    """Take a file away."""
    return {other: raw for other, raw in files.items() if other != name}


def exchanged(rng, files, name):
    """Exchange the contents of two files."""
    other = pick(rng, sorted(files))
    return {**files, name: files[other], other: files[name]}


def copied(rng, files, name):
    """Give a file the contents of another."""
    return {**files, name: files[pick(rng, sorted(files))]}


FOLDER = (missing, exchanged, copied)
