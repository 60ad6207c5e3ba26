"""Monte Carlo of interaction graphs: one verb, `sample`, and the methods behind it.

=============  ==================  ==================================================================================
method         model               one sweep
=============  ==================  ==================================================================================
`HeatBath`     `BinaryNeurons`     every spin drawn anew given its neighbours; the choice for any graph
`Metropolis`   `BinaryNeurons`     every spin offered to change sign
`Blocks`       layered             every layer drawn anew given its neighbours, on BLAS; the choice for layers
`MultiSpin`    couplings ±J        as Metropolis, 64 spins in a word; the choice on a torus, else for many chains
`Wolff`        ferromagnets        a fixed number of clusters, about N spins; near a critical point
`Tempering`    `BinaryNeurons`     the heat bath at several temperatures, and swaps; where chains freeze
`Hamiltonian`  `DynamicNeurons`    a trajectory of neurons, and of weights and biases where they are free
`Ancestral`    without targets     an independent draw, layer after layer; the choice where there are no targets
=============  ==================  ==================================================================================

Speed: blocks of chains run on any `executor`; a pool of threads is enough, since kernels release the interpreter
lock. BLAS is held to one thread meanwhile. Kernels are compiled once and cached on disk. Where numba keeps to vectors
of 256 bits on a processor that has 512 (Skylake to Ice Lake), ``NUMBA_CPU_NAME=<its name>`` and
``NUMBA_CPU_FEATURES=<its features>,-prefer-256-bit``, set before Python starts, make the kernels of many chains 1.1
to 1.6 times faster; nothing in this package sets them.
"""

from statnn.montecarlo._blocks.method import Blocks
from statnn.montecarlo._dynamic.ancestral import Ancestral
from statnn.montecarlo._dynamic.hamiltonian import Hamiltonian
from statnn.montecarlo._estimate import Estimate, UntrustedEstimate, estimate
from statnn.montecarlo._method import Method
from statnn.montecarlo._multispin.method import MultiSpin
from statnn.montecarlo._registry import METHODS
from statnn.montecarlo._run import Run
from statnn.montecarlo._sample import sample
from statnn.montecarlo._single_spin.method import HeatBath, Metropolis
from statnn.montecarlo._tempering.method import Tempering
from statnn.montecarlo._wolff.method import Wolff

__all__ = [
    "METHODS",
    "Ancestral",
    "Blocks",
    "Estimate",
    "Hamiltonian",
    "HeatBath",
    "Method",
    "Metropolis",
    "MultiSpin",
    "Run",
    "Tempering",
    "UntrustedEstimate",
    "Wolff",
    "estimate",
    "sample",
]
