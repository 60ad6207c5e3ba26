"""The verb `sample`: a model, a number of sweeps and a seed become chains, and the chains a run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import array_of, whole
from statnn._memory import refuse_beyond_memory
from statnn._random import Root, root
from statnn._tasks import run_tasks
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo._method import Method, Model, Values, Walkers
from statnn.montecarlo._progress import Progress, reporter
from statnn.montecarlo._registry import choose
from statnn.montecarlo._run import Observable, Run, repeatable

Observables: TypeAlias = Sequence[str] | Mapping[str, str | Observable]
Report: TypeAlias = Callable[[int, int], None]

_PIECES = 50
"""Reports of progress a block makes when it runs in this process."""


@dataclass(frozen=True)
class _Spec:
    """A block of chains and what is still to be done with it; walkers are None before the first sweep."""

    model: Model
    method: Method
    seed: Root
    chains: tuple[int, ...]
    initial: Values | None
    walkers: Walkers | None
    burn_in: int
    draws: int
    thin: int
    observables: dict[str, Observable | None]
    report: Callable[[int], None] | None = None


def _walk(spec: _Spec) -> tuple[Walkers, dict[str, Values]]:
    """Move a block of chains and write down its observables, each of shape (chains, draws, ...)."""
    with repeatable(spec.model):
        return _walked(spec)


def _walked(spec: _Spec) -> tuple[Walkers, dict[str, Values]]:
    walkers = spec.walkers
    if walkers is None:
        walkers = spec.method.walkers(spec.model, spec.seed, spec.chains, spec.initial)
        walkers.burn_in(spec.burn_in)
        if spec.report:
            spec.report(spec.burn_in)
    records: dict[str, Values] = {}
    waiting = 0
    for draw in range(spec.draws):
        walkers.sweep(spec.thin)
        states = None
        for name, function in spec.observables.items():
            if function is None:
                values = walkers.observe(name)
            else:
                if states is None:
                    states = walkers.states()
                    states.flags.writeable = False  # functions share them
                values = _observed(name, function, states)
            if name not in records:
                refuse_beyond_memory(
                    float(values.nbytes) * spec.draws,
                    f"the records of {name!r} with {spec.draws} draws of {values.nbytes} bytes",
                    "take fewer chains, or fewer draws by thin=",
                )
                records[name] = np.empty((values.shape[0], spec.draws, *values.shape[1:]), values.dtype)
            records[name][:, draw] = values
        waiting += spec.thin
        if spec.report and ((draw + 1) % max(1, spec.draws // _PIECES) == 0 or draw + 1 == spec.draws):
            spec.report(waiting)
            waiting = 0
    return walkers, records


def _observed(name: str, function: Observable, states: Values) -> Values:
    values = array_of(function(states), f"the result of observable {name!r}")
    if values.ndim == 0 or values.shape[0] != len(states) or values.dtype.kind not in "biuf":
        raise ValueError(
            f"observable {name!r} returned shape {values.shape} and type {values.dtype} for states of shape "
            f"{states.shape}; it must return real numbers, one entry (or row) for each of the {len(states)} chains"
        )
    return values.astype(np.float64) if values.dtype.kind != "f" else values


def sample(
    model: "Model",
    sweeps: int,
    *,
    chains: "int | Sequence[int]" = 4,
    burn_in: int | None = None,
    thin: int = 1,
    rng: "int | np.random.Generator | None" = None,
    method: "str | Method | None" = None,
    observables: "Observables | None" = None,
    initial: "ArrayLike | None" = None,
    executor: "Executor | None" = None,
    progress: "Report | bool | None" = None,
) -> "Run":
    r"""Draw states of a model from p ∝ exp(-E/T), or exp(-βH), by Monte Carlo.

    Parameters
    ----------
    model : BinaryNeurons or DynamicNeurons
        What is sampled.
    sweeps : int
        Sweeps after the burn-in; a multiple of `thin`. What one sweep is, the method says.
    chains : int or sequence of int
        Number of independent chains, or which of them to run: ``range(7, 8)`` runs chain 7 alone, with the same
        result as in a larger run of the same method wherever that method does not tune its chains together.
    burn_in : int, optional
        Sweeps before, thrown away, in which methods tune themselves; half of `sweeps` when None.
    thin : int
        Sweeps from one recorded draw to the next.
    rng : int, numpy.random.Generator or None
        Seed; None for fresh entropy.
    method : str or Method, optional
        How to walk, "heat bath", "metropolis", "blocks", "multispin", "wolff" or "tempering" for `BinaryNeurons`,
        "hamiltonian" or "ancestral" for `DynamicNeurons`, or a method with options of your own, such as
        ``Tempering((1.0, 1.5))``. None takes, of binary neurons, "blocks" for layers, "multispin" for a square lattice
        without fields that it can cut, else "heat bath"; of dynamic ones "hamiltonian" with targets, else "ancestral".
    observables : sequence of str, or mapping of names, optional
        What to record at every draw: names that the method knows ("energy", ...), and functions of your own from
        states of shape (chains, dimension), read-only, to (chains,) or (chains, ...). When None, all that the method
        knows.
    initial : array_like, shape (dimension,) or (chains, dimension), optional
        Where chains start; a random state each when None.
    executor : concurrent.futures.Executor, optional
        Where blocks of chains run. Results depend neither on it nor on its number of workers.
    progress : callable or bool, optional
        ``progress(done, total)`` in sweeps of all blocks; True for a bar, False for none, None for a bar where
        standard error is a terminal. The bar needs tqdm.

    Returns
    -------
    Run
        With `Run.estimate`, `Run.plot`, `Run.extend`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or the method cannot sample the model; before any work starts.
    MemoryError
        If states and records do not fit into memory.

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
    length = whole(sweeps, "sweeps", minimum=1)
    every = whole(thin, "thin", minimum=1)
    if length % every:
        raise ValueError(f"sweeps = {length} is no multiple of thin = {every}: take {length - length % every + every}")
    before = length // 2 if burn_in is None else whole(burn_in, "burn_in", minimum=0)
    chosen = choose(model, method)
    chosen.check(model)
    chosen = chosen.resolved(model, len(numbers))
    watched = _observables(observables, chosen)
    _check_executor(executor)
    begin = _initial(model, initial, len(numbers))
    seed = root(rng)
    chosen = chosen.tuned(model, seed)
    size = min(chosen.block(model, len(numbers)), len(numbers))
    refuse_beyond_memory(
        chosen.memory(model, size) * -(-len(numbers) // size) + 8 * len(numbers) * len(watched) * (length // every),
        f"{len(numbers)} chains of {chosen.name} with {length // every} draws",
        "take fewer chains, or fewer draws by thin=",
    )
    specs = [
        _Spec(
            model,
            chosen,
            seed,
            numbers[first : first + size],
            None if begin is None else begin[first : first + size],
            None,
            before,
            length // every,
            every,
            watched,
        )
        for first in range(0, len(numbers), size)
    ]
    walkers, records = _run_blocks(specs, executor, reporter(progress, (before + length) * len(specs)))
    return Run(model, chosen, seed, numbers, before, every, watched, records, walkers)


def extend(
    run: Run,
    sweeps: int,
    *,
    executor: Executor | None = None,
    progress: Report | bool | None = None,
) -> Run:
    """Return the run that goes on for `sweeps` more; the old one is left as it is."""
    length = whole(sweeps, "sweeps", minimum=1)
    if length % run.thin:
        raise ValueError(f"sweeps = {length} is no multiple of the run's thin = {run.thin}")
    _check_executor(executor)
    specs, first = [], 0
    for walkers in run.walkers():
        size = len(walkers.states())
        numbers = run.chains[first : first + size]
        first += size
        specs.append(
            _Spec(run.model, run.method, run.seed, numbers, None, walkers, 0, length // run.thin, run.thin, run.watched)
        )
    refuse_beyond_memory(
        2 * sum(d.nbytes + d.nbytes // d.shape[1] * (length // run.thin) for d in run.draws.values()),
        "the records of the longer run",
        "record less, or thin more",
    )
    walkers_after, records = _run_blocks(specs, executor, reporter(progress, length * len(specs)))
    joined = {name: np.concatenate([run.draws[name], records[name]], axis=1) for name in records}
    return Run(run.model, run.method, run.seed, run.chains, run.burn_in, run.thin, run.watched, joined, walkers_after)


def _run_blocks(
    specs: Sequence[_Spec], executor: Executor | None, progress: Progress
) -> tuple[tuple[Walkers, ...], dict[str, Values]]:
    with progress:
        blocks = dict(_results(specs, executor, progress))
    ordered = [blocks[index] for index in range(len(specs))]
    names = ordered[0][1]
    records = {name: np.concatenate([record[name] for _, record in ordered]) for name in names}
    return tuple(walkers for walkers, _ in ordered), records


def _results(
    specs: Sequence[_Spec], executor: Executor | None, progress: Progress
) -> Iterator[tuple[int, tuple[Walkers, dict[str, Values]]]]:
    if executor is None:  # in this process progress can be seen inside a block
        for index, spec in enumerate(specs):
            yield index, _walk(_Spec(**{**spec.__dict__, "report": progress.advance}))
        return
    for index, result in run_tasks(_walk, specs, executor):
        progress.advance(specs[index].burn_in + specs[index].draws * specs[index].thin)
        yield index, result


def _check_executor(executor: Executor | None) -> None:
    if executor is not None and not hasattr(executor, "submit"):
        raise TypeError(
            f"executor = {executor!r} is a {type(executor).__name__}; pass an executor of concurrent.futures, for "
            "example ThreadPoolExecutor(2)"
        )


def _chains(chains: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(chains, Sequence | np.ndarray):
        numbers = tuple(whole(chain, "a chain", minimum=0) for chain in chains)
        if not numbers or len(set(numbers)) != len(numbers):
            raise ValueError(f"chains = {chains!r} must name at least one chain and each only once")
        return numbers
    return tuple(range(whole(chains, "chains", minimum=1, maximum=10**7)))


def _observables(wanted: Observables | None, method: Method) -> dict[str, Observable | None]:
    if wanted is None:
        return dict.fromkeys(method.observables)
    if isinstance(wanted, str):
        wanted = [wanted]
    if not isinstance(wanted, Iterable):
        raise TypeError(f"observables is a {type(wanted).__name__}; pass names, or {{name: function of states}}")
    found: dict[str, Observable | None] = {}
    items = wanted.items() if isinstance(wanted, Mapping) else ((name, name) for name in wanted)
    for name, what in items:
        if not isinstance(name, str):
            raise TypeError(f"observable {name!r} has no name: pass {{name: function of states}}")
        if callable(what):
            found[name] = what
        elif what in method.observables and what == name:
            found[name] = None
        else:
            raise ValueError(
                f"observable {what!r} is unknown to {method.name}, which knows {', '.join(method.observables)}; pass "
                "{name: function of states} for your own"
            )
    if not found:
        raise ValueError("observables is empty: name at least one, or leave it out for all")
    return found


def _initial(model: Model, initial: ArrayLike | None, chains: int) -> Values | None:
    if initial is None:
        return None
    states = model.states(initial)
    if states.ndim > 2 or (states.ndim == 2 and len(states) != chains):
        raise ValueError(f"initial has shape {states.shape}; pass one state or one for each of the {chains} chains")
    return np.array(np.broadcast_to(states, (chains, states.shape[-1])))
