"""Monte Carlo of interaction graphs: one verb, `sample`, and the methods behind it.

`METHODS` holds them by name; a method of your own is a `Method`, too.

Speed: blocks of chains run on any `executor`; a pool of threads is enough, since kernels release the interpreter
lock. BLAS is held to one thread while they run. Kernels are compiled once and cached on disk. Where numba keeps to
vectors of 256 bits on a processor that has 512 (Skylake to Ice Lake), ``NUMBA_CPU_NAME=<its name>`` and
``NUMBA_CPU_FEATURES=<its features>,-prefer-256-bit``, set before Python starts, make the kernels of many chains 1.1 to
1.6 times faster; nothing in this package sets them.
"""

from statnn._random import stream
from statnn.montecarlo._estimate import Estimate, UntrustedEstimate, estimate
from statnn.montecarlo._method import Method, Walkers
from statnn.montecarlo._outcome import Failure, IncompleteRun
from statnn.montecarlo._registry import *  # noqa: F403 - a sampler is written down there and nowhere else
from statnn.montecarlo._registry import METHODS, overview
from statnn.montecarlo._run import Run
from statnn.montecarlo._sample import sample

__doc__ = f"{__doc__}\n{overview()}\n"

__all__ = [
    "METHODS",
    "Estimate",
    "Failure",
    "IncompleteRun",
    "Method",
    "Run",
    "UntrustedEstimate",
    "Walkers",
    "estimate",
    "sample",
    "stream",
]
__all__ += [method.__name__ for method in METHODS.values()]


def __dir__() -> list[str]:
    return __all__
