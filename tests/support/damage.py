"""Damage that hypothesis does to the bytes of a file."""

from hypothesis import strategies as st

CLEAR = (ValueError, OSError, MemoryError)
"""Errors that reading a bad file may raise."""


@st.composite
def mutations(draw, raw):
    """Return the bytes with some changed, cut out, inserted or cut off."""
    data = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["set", "cut", "insert", "end", "digit"]))
        if kind == "set" and data:
            data[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif kind == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=20))
        elif kind == "digit":  # shapes and lengths are numbers in text
            digits = [i for i, byte in enumerate(data) if 48 <= byte < 58]
            if digits:
                data[draw(st.sampled_from(digits))] = draw(st.sampled_from(b"0123456789-."))
        else:
            del data[at:]
    return bytes(data)
