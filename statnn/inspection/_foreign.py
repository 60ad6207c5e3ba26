"""Files that are not arrays: what each is, and how to make arrays of it without running any code it holds."""

from __future__ import annotations

import zipfile
from pathlib import Path

_READ = "data are read from .npz and .npy"
_PICKLE = (
    "a pickle, which can run any program when it is opened, and is not opened here: in the program that made it, store "
    "the arrays themselves, numpy.savez('{stem}.npz', x=samples, y=labels); one that comes from others stays closed"
)
_PICTURE = "a picture: stack the pixels of all samples and store them, numpy.savez('{stem}.npz', x=pixels, y=labels)"
_TABLE = "a table in text: numpy.save('{stem}.npy', numpy.loadtxt({name!r}, delimiter={mark!r}, skiprows={skipped}))"
_MARKET = "of Matrix Market: numpy.save('{stem}.npy', scipy.io.mmread({name!r})"
_SQUEEZED = "compressed: unpack it first"
_STARTS = {
    b"\x80": _PICKLE,
    b"\x89HDF": "HDF5: numpy.savez('{stem}.npz', x=h5py.File({name!r})['x'][:]), by the name of its array",
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
    b"PAR1": "Parquet: numpy.save('{stem}.npy', pandas.read_parquet({name!r}).to_numpy(float))",
    b"MATLAB": "of MATLAB: numpy.savez('{stem}.npz', x=scipy.io.loadmat({name!r})['x']), by the name of its array",
    b"%%MatrixMarket matrix coordinate": _MARKET + ".toarray())",
    b"%%MatrixMarket": _MARKET + ")",
    b"\x1f\x8b": _SQUEEZED,
    b"BZh": _SQUEEZED,
    b"\xfd7zXZ": _SQUEEZED,
}
_MAGIC = {".npy": b"\x93NUMPY", ".npz": b"PK"}
_PICKLES = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt"}


def refuse_foreign(file: Path, what: str = "data") -> None:
    """Raise unless suffix and first bytes of a file are those of an array file of numpy.

    Raises
    ------
    FileNotFoundError, ValueError
        With the kind of file, and how to make arrays of it.
    """
    if not file.exists():
        raise FileNotFoundError(f"{what}: there is no file {str(file)!r}")
    if not file.is_file():
        kind = "a directory" if file.is_dir() else "not a regular file"
        raise ValueError(f"{what}: {str(file)!r} is {kind}; give one file, .npz or .npy")
    with file.open("rb") as opened:
        start = opened.read(4096)
    if not start:
        raise ValueError(f"{what}: {str(file)!r} is empty, 0 bytes; {_READ}")
    wanted = _MAGIC.get(file.suffix.lower())
    if wanted is None or not start.startswith(wanted):
        raise ValueError(f"{what}: {str(file)!r} is {_described(file, start)}; {_READ}")


def _described(file: Path, start: bytes) -> str:
    known = next((text for magic, text in _STARTS.items() if start.startswith(magic)), None)
    if file.suffix.lower() in _PICKLES:
        known = _PICKLE
    text = _text(start)
    mark, skipped = _columns(text) or ("", 0)
    if known is None and mark != "":
        known = _TABLE
    if known is None and start.startswith((b"\x93NUMPY", b"PK")):
        known = _misnamed(file)
    if known is None:
        kind = "text, not an array" if text else "not an array file of numpy"
        known = f"{kind}: store samples and labels with numpy.savez('{{stem}}.npz', x=samples, y=labels)"
    stem = f"{file.stem}-array" if file.suffix.lower() in _MAGIC else file.stem  # must not overwrite the file itself
    return known.format(stem=stem, name=file.name, mark=mark, skipped=skipped)


def _misnamed(file: Path) -> str:
    """Return the kind of a file that begins like one of numpy, but has another suffix."""
    names = zipfile.ZipFile(file).namelist() if zipfile.is_zipfile(file) else []
    if any(name.endswith(".pkl") for name in names):
        return _PICKLE
    if names and not all(name.endswith(".npy") for name in names):
        return "an archive (zip) that holds no arrays of numpy: store samples and labels with numpy.savez"
    return f"an array file of numpy, but has the suffix {file.suffix!r}: rename it to {'.npz' if names else '.npy'}"


def _text(start: bytes) -> str:
    """Return the beginning as text, empty if it is not text; the last character may be cut off."""
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:
            return ""
        text = start[: error.start].decode("utf-8-sig")
    return text if all(letter.isprintable() or letter in "\t\r\n" for letter in text) else ""


def _columns(text: str) -> tuple[str | None, int] | None:
    """Return the separator of the columns of a table of numbers, None for any space, and the number of header lines."""
    lines = text.splitlines()[:2]
    for skipped, line in enumerate(lines):
        for mark in (",", ";", "\t", None):
            words, head = line.split(mark), lines[0].split(mark) if skipped else []
            if len(words) > 1 and all(map(_is_number, words)):
                return None if any(map(_is_number, head)) else (mark, skipped)  # a row with gaps is no header
    return None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
