"""``python -m validation``: see ``python -m validation --help``."""

import os
import sys

# Claims run side by side, each on one core: spinning BLAS threads would slow all of them down many times.
# The libraries read this once, when they are first imported, here and in the workers that inherit it.
for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

from statnn._streams import end_with_readers, settle_streams  # noqa: E402
from validation.runner import main  # noqa: E402

if __name__ == "__main__":
    settle_streams()
    if "--list" in sys.argv:  # no workers then
        end_with_readers()
    sys.exit(main())
