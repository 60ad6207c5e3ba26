"""The function `sample`: a run of Monte Carlo chains from a model, a number of sweeps and a seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from statnn._archive.file import digest_of
from statnn._archive.store import opened
from statnn._arguments import whole
from statnn._random import Root, root, seed_of
from statnn._tasks import check_executor
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo._checkpoint import Checkpoints, in_words, key_of, longer, parts_of
from statnn.montecarlo._engine import Report, choose, cut, schedule, try_blocks
from statnn.montecarlo._method import Method, Model, Values
from statnn.montecarlo._record import Observable, record, refuse_large
from statnn.montecarlo._registry import names
from statnn.montecarlo._run import Run

Folder: TypeAlias = str | os.PathLike[str]
Observables: TypeAlias = Sequence[str] | Mapping[str, str | Observable]


def sample(
    model: Model,
    sweeps: int,
    *,
    chains: int | Sequence[int] = 4,
    burn_in: int | None = None,
    thin: int = 1,
    rng: int | np.random.Generator | None = None,
    method: str | Method[Any] | None = None,
    observables: Observables | None = None,
    initial: ArrayLike | None = None,
    executor: Executor | None = None,
    progress: Report | bool | None = None,
    store: Folder | None = None,
) -> Run:
    r"""Draw states of a model from p ∝ exp(-E/T), or exp(-βH), by Monte Carlo.

    Parameters
    ----------
    model : BinaryNeurons or DynamicNeurons
        The model to sample.
    sweeps : int
        Sweeps after the burn-in; a multiple of `thin`. The method defines one sweep.
    chains : int or sequence of int
        Number of independent chains, or the numbers of those to run: ``range(7, 8)`` runs chain 7 alone, with the same
        result as in a larger run if `method` is the `Run.method` of that, unless it tunes its chains together.
    burn_in : int, optional
        Sweeps discarded before the draws, in which methods tune themselves; half of `sweeps` when None.
    thin : int
        Sweeps from one recorded draw to the next.
    rng : int, numpy.random.Generator or None
        Seed; fresh entropy when None.
    method : str or Method, optional
        A method by name, or with options, such as ``Tempering((1.0, 1.5))``, or a `Method` of your own. Names are

        {names}

        When None, binary neurons get "blocks" for layers, "multispin" for a square lattice without fields that it can
        cut, else "heat bath"; dynamic neurons get "hamiltonian" with targets, else "ancestral".
    observables : sequence of str, or mapping of names, optional
        Observables to record at every draw: names known to the method ("energy", ...), and your own functions from
        read-only states of floats, spins too, of shape (chains, dimension), to (chains,) or (chains, ...). When None,
        all observables of the method.
    initial : array_like, shape (dimension,) or (chains, dimension), optional
        Initial states; random ones, a different one for each chain, when None.
    executor : concurrent.futures.Executor, optional
        Runs the blocks of chains. Results depend neither on it nor on its number of workers.
    store : str or os.PathLike, optional
        A folder for checkpoints: killed at any moment and called again with the same arguments, `sample` goes on from
        there and returns the same run, to the last bit. With ``rng=None`` the seed of the store is used. A missing
        folder is created; a folder of another run, version or program, or one that another process uses, is refused and
        left alone. Checkpoints take at most about 2 % of the time. Workers of an executor must see the folder.
        `statnn.io.describe` tells the contents of a store, and how far it has got.
    progress : callable or bool, optional
        ``progress(done, total)`` in sweeps of all blocks; True for a bar with rate and remaining time in a terminal,
        and elsewhere a line per minute in the log "statnn" (level INFO); False for none; None for a bar where standard
        error is a terminal. The bar needs tqdm.

    Returns
    -------
    Run
        See `Run.estimate`, `Run.plot`, `Run.extend`. An interrupt (Ctrl-C) returns the draws so far (from processes,
        those of the blocks that have ended), and `Run.complete` is False; a block of chains that fails does not stop
        the others: see `Run.failures`, `Run.retry`.

    Warns
    -----
    IncompleteRun
        If chains or draws are missing.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or the method cannot sample the model, before any work starts; if the store
        belongs to other work, is damaged, foreign, or in use.
    MemoryError
        If states and records do not fit into memory.
    Exception
        If all blocks fail, the exception of the first. Your own observables are tried on the initial states, before the
        burn-in, so that a mistake shows at once.

    See Also
    --------
    METHODS : methods by name.
    Run : the result.
    statnn.interaction.BinaryNeurons, statnn.interaction.DynamicNeurons : models.

    Examples
    --------
    >>> from statnn.interaction import BinaryNeurons
    >>> pair = BinaryNeurons([[0, 1], [1, 0]], temperature=1.0)
    >>> energy = sample(pair, 4000, rng=1).estimate("energy")
    >>> bool(abs(energy.mean - pair.exact().energy) < 5 * energy.error)
    True
    """
    if not isinstance(model, BinaryNeurons | DynamicNeurons):
        raise TypeError(f"model is a {type(model).__name__}; pass BinaryNeurons or DynamicNeurons")
    numbers = _chains(chains)
    plan = schedule(sweeps, burn_in, thin)
    chosen = choose(model, method)
    watched = _observables(observables, chosen)
    check_executor(executor)
    begin = _initial(model, initial, len(numbers))
    seed = root(rng)

    def run(seed: Root, keeper: Callable[[int], Checkpoints] | None) -> Run:
        settled, blocks = cut(
            model,
            chosen,
            seed,
            numbers,
            plan,
            partial(record, watched),
            initial=begin,
            kept=8 * len(numbers) * len(watched) * plan.draws,
            check=partial(refuse_large, watched, len(numbers)),
            keeper=keeper,
        )
        return Run.of(settled, watched, blocks, *try_blocks(blocks, executor, progress), stored=keeper is not None)

    if store is None:
        return run(seed, None)
    key = key_of("sample", model, None if method is None else chosen, plan, watched)
    more = {"chains": in_words(numbers), "initial": begin if begin is None else digest_of(begin), "seed": seed}
    adopt = ("seed",) if rng is None else ()
    with opened(store, key | more, adopt=adopt, parts=parts_of(model), instead=longer) as kept:
        return run(seed_of(kept.key["seed"]), lambda block: Checkpoints(kept, f"block-{block}", watched))


sample.__doc__ = (sample.__doc__ or "").replace(
    "{names}",
    "\n        ".join(
        "- of `{}`: {}".format(kind.__name__, ", ".join(f'"{name}"' for name in names(kind)))
        for kind in (BinaryNeurons, DynamicNeurons)
    ),
)


def _chains(chains: Any) -> tuple[int, ...]:
    named = isinstance(chains, Sequence | np.ndarray) and not isinstance(chains, str | bytes)
    if named and getattr(chains, "ndim", 1) > 0:
        numbers = tuple(whole(chain, "each of chains", minimum=0) for chain in chains)
        if not numbers or len(set(numbers)) != len(numbers):
            raise ValueError(f"chains = {chains!r} must name at least one chain and each only once")
        return numbers
    return tuple(range(whole(chains, "chains", minimum=1, maximum=10**7)))


def _observables(wanted: Observables | None, method: Method[Any]) -> dict[str, Observable | None]:
    if wanted is None:
        return dict.fromkeys(method.observables)
    if isinstance(wanted, str):
        wanted = [wanted]
    if not isinstance(wanted, Iterable):
        raise TypeError(f"observables is a {type(wanted).__name__}; pass names, or {{name: function of states}}")
    observables: dict[str, Observable | None] = {}
    items = wanted.items() if isinstance(wanted, Mapping) else ((name, name) for name in wanted)
    for name, what in items:
        if not isinstance(name, str):
            raise TypeError(f"observable {name!r} has no name: pass {{name: function of states}}")
        if callable(what):
            observables[name] = what
        elif what in method.observables and what == name:
            observables[name] = None
        elif what in method.observables:
            raise ValueError(
                f"observable {what!r} of {method.name} is asked for as {name!r}; it has its own name in a run: pass "
                f"{{{what!r}: {what!r}, ...}}, or a function of states as {name!r}"
            )
        else:
            raise ValueError(
                f"observable {what!r} is unknown to {method.name}, which knows {', '.join(method.observables)}; pass "
                "{name: function of states} for your own"
            )
    if not observables:
        raise ValueError("observables is empty: name at least one, or leave it out for all")
    return observables


def _initial(model: Model, initial: ArrayLike | None, chains: int) -> Values | None:
    if initial is None:
        return None
    states = model.states(initial)
    if states.ndim > 2 or (states.ndim == 2 and len(states) != chains):
        raise ValueError(f"initial has shape {states.shape}; pass one state or one for each of the {chains} chains")
    return np.array(np.broadcast_to(states, (chains, states.shape[-1])))
