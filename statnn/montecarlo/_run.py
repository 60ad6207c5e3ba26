"""A run: the records of chains, estimates from them, and ways to go on."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from statnn._archive.file import digest_of
from statnn._archive.names import is_own
from statnn._archive.store import opened
from statnn._arguments import whole
from statnn._arrays import read_only
from statnn._by_value import ByValue
from statnn._memory import refuse_beyond_memory
from statnn._notebook import Rows
from statnn._random import Root
from statnn._tasks import check_executor
from statnn._text import with_error
from statnn.io import load, save
from statnn.montecarlo._checkpoint import Checkpoints, key_of, parts_of
from statnn.montecarlo._engine import Block, Report, Schedule, choose, draws_of, repeatable, run_blocks, try_blocks
from statnn.montecarlo._estimate import Estimate, UntrustedEstimate, estimated
from statnn.montecarlo._method import Method, Model, Values, Walkers
from statnn.montecarlo._outcome import Failure, warn_of_missing
from statnn.montecarlo._record import Missing, Observable, Records, record, side_by_side

_NUMBERS = ("mean", "error", "tau", "tau_sokal", "ess", "rhat")


@dataclass(frozen=True, eq=False, repr=False)
class Run(ByValue):
    """Chains of one model, as `sample` returns them.

    Parameters
    ----------
    model : BinaryNeurons or DynamicNeurons
        The sampled model.
    method : Method
        The method with all its options; pass it to `sample` to get the same chains again.
    seed : tuple
        Entropy and spawn key; chain k walks on streams below ``(*spawn_key, k)``.
    chains : tuple of int
        Numbers of the chains, in the order of all arrays.
    burn_in, thin : int
        Discarded sweeps, and sweeps from one draw to the next.
    watched : dict
        Observables by name; None for those that the method computes itself.
    draws : dict of ndarray
        Recorded observables, shape (chains, draws, ...) each, read-only.
    failures : tuple of Failure
        Blocks of chains that are missing, and why; see `retry`.
    complete : bool
        Whether all chains and draws are there that were asked for, by `sample` or the last `extend`.

    See Also
    --------
    sample : makes it.
    statnn.io.load : reads one from a file.
    """

    model: Model
    method: Method[Any]
    seed: Root
    chains: tuple[int, ...]
    burn_in: int
    thin: int
    watched: dict[str, Observable | None] = field(repr=False)
    draws: dict[str, Values]
    _walkers: tuple[Walkers, ...] = field(repr=False, compare=False)
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    complete: bool = field(default=True, repr=False)
    _asked: int = field(default=0, repr=False, compare=False)
    """Draws per chain that were asked for; 0 in files that do not say."""

    def _estimated(self, name: str) -> tuple[Estimate | None, str | None]:
        """Return an estimate, or None if there is none, and the doubts about it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UntrustedEstimate)  # the table shows it beside the numbers
            try:
                estimate = self.estimate(name)
            except ValueError as error:  # too few draws, or some that are not finite
                return None, str(error)
        return estimate, None if estimate.warning is None else str(estimate.warning)

    def _table(self) -> Rows:
        """Return the estimates of all recorded observables."""
        rows: list[tuple[Any, ...]] = []
        for name in self.draws:
            estimate, doubt = self._estimated(name)
            if estimate is None:
                rows.append((name, *[None] * 4, doubt))
                continue
            mean = with_error(estimate.mean, estimate.error) if np.ndim(estimate.mean) == 0 else estimate.mean
            rows.append((name, mean, estimate.tau, estimate.ess, estimate.rhat, doubt))
        return Rows(("observable", "mean", "τ", "ess", "R-hat", "warning"), rows)

    def _within(self) -> dict[str, Any]:
        """Return the entries for a run in a table of parameter sweeps."""
        return {"complete": self.complete, **self._numbers()}

    def _numbers(self) -> dict[str, dict[str, Any]]:
        """Return the numbers of each estimate, and the doubts about it."""
        estimates = {name: self._estimated(name) for name in self.draws}
        return {
            name: {key: getattr(estimate, key, None) for key in _NUMBERS} | {"warning": doubt}
            for name, (estimate, doubt) in estimates.items()
        }

    def _rows(self) -> list[dict[str, Any]]:
        """Return the rows of a table, one for each entry of an observable."""
        rows: list[dict[str, Any]] = []
        for name, cells in self._numbers().items():
            for place in np.ndindex(np.shape(cells["mean"])):
                index = {f"index.{axis}": k for axis, k in enumerate(place)}
                entry = {key: value[place] if np.ndim(value) else value for key, value in cells.items()}
                rows.append({"observable": name} | index | entry | {"complete": self.complete})
        return rows

    def __post_init__(self) -> None:
        for values in self.draws.values():
            read_only(values)

    @classmethod
    def of(
        cls,
        method: Method[Any],
        watched: dict[str, Observable | None],
        blocks: Sequence[Block[Records]],
        done: Mapping[int, tuple[Walkers, Records]],
        failures: Sequence[Failure],
        *,
        asked: int = 0,
        stored: bool = False,
    ) -> Run:
        """Return the run made of the blocks that finished; if none did, of those interrupted with the most draws.

        Parameters
        ----------
        method, watched
            As above.
        blocks : sequence of Block
            All blocks of chains that were to run.
        done : mapping
            Walkers and records by number of the block.
        failures : sequence of Failure
            The other blocks.
        asked : int
            Draws asked for, if not those of the schedule.
        stored : bool
            Whether a store holds the state of the chains.
        """
        first = blocks[0]
        planned = first.schedule.draws
        lengths = {k: _length(records) for k, (_, records) in done.items()}
        longest = max(lengths.values())
        if longest == 0:
            raise KeyboardInterrupt
        whole = [k for k in sorted(done) if lengths[k] == longest]
        cut = [Failure(k, blocks[k].chains, "interrupted", "", blocks[k].initial) for k in done if k not in whole]
        lacking = tuple(sorted([*failures, *cut], key=lambda failure: failure.block))
        chains = tuple(chain for k in whole for chain in blocks[k].chains)
        warn_of_missing(lacking, chains, longest, planned, stored=stored)
        return cls(
            first.model,
            method,
            first.seed,
            chains,
            first.schedule.burn_in,
            first.schedule.thin,
            watched,
            side_by_side([done[k][1] for k in whole]),
            tuple(done[k][0] for k in whole),
            lacking,
            longest == (asked or planned) and not lacking,
            asked or planned,
        )

    def retry(self, *, executor: Executor | None = None, progress: Report | bool | None = None) -> Run:
        """Return the run completed by its missing chains, run anew for as many draws as the others have.

        If the others were interrupted too, the run is complete after `extend` to the draws that were asked for.

        Parameters
        ----------
        executor, progress
            As in `sample`.

        Raises
        ------
        TypeError
            If `executor` is not an executor.
        Exception
            If all of them fail again, the exception of the first.

        Examples
        --------
        >>> from statnn.interaction import BinaryNeurons
        >>> from statnn.montecarlo import sample
        >>> run = sample(BinaryNeurons([[0, 1], [1, 0]]), 100, rng=1)
        >>> run.failures, run.retry() is run
        ((), True)
        """
        check_executor(executor)
        if not self.failures:
            return self
        plan = Schedule(self.burn_in, _length(self.draws), self.thin)
        recorder = partial(record, self.watched)
        missing = {failure.block: failure for failure in self.failures}
        again = [
            Block(self.model, self.method, self.seed, failure.chains, failure.initial, None, plan, recorder)
            for failure in self.failures
        ]
        results, failed = try_blocks(again, executor, progress)
        numbers = [failure.block for failure in self.failures]
        there = [k for k in range(len(self._walkers) + len(missing)) if k not in missing]
        blocks, done, first = {numbers[k]: block for k, block in enumerate(again)}, {}, 0
        for k, walkers, chains in zip(there, self._walkers, self._blocks(), strict=True):
            rows = slice(first, first + len(chains))
            first += len(chains)
            done[k] = walkers, {name: values[rows] for name, values in self.draws.items()}
            blocks[k] = Block(self.model, self.method, self.seed, chains, None, None, plan, recorder)
        done |= {numbers[k]: result for k, result in results.items()}
        failures = [replace(failure, block=numbers[failure.block]) for failure in failed]
        return Run.of(self.method, self.watched, [blocks[k] for k in sorted(blocks)], done, failures, asked=self._asked)

    @property
    def states(self) -> Values:
        """Final states, shape (chains, dimension); spins are int8, whose products add up as floats or int64 only."""
        with repeatable(self.model):
            return np.concatenate([walkers.states() for walkers in self._walkers])

    @property
    def diagnostics(self) -> dict[str, Values]:
        """Diagnostics of the method, shape (chains, ...) each: "acceptance" and more."""
        diagnostics = [walkers.diagnostics() for walkers in self._walkers]
        return {name: np.concatenate([of_block[name] for of_block in diagnostics]) for name in diagnostics[0]}

    @property
    def acceptance(self) -> Values:
        """Accepted (Metropolis, HMC) or changed (heat bath) share of the updates after the burn-in, shape (chains,)."""
        return self.diagnostics["acceptance"]

    def estimate(self, name: str) -> Estimate:
        """Return mean, standard error, autocorrelation time, effective samples and R-hat of an observable.

        Warns
        -----
        UntrustedEstimate
            If the run is too short to trust, chains disagree, or trajectories of `Hamiltonian` diverged; the estimate
            carries the same warning.

        Examples
        --------
        >>> from statnn.interaction import BinaryNeurons
        >>> from statnn.montecarlo import sample
        >>> run = sample(BinaryNeurons([[0, 1], [1, 0]]), 1000, rng=1)
        >>> run.estimate("energy").warning is None
        True
        """
        sweeps = len(self.chains) * _length(self.draws) * self.thin
        return estimated(self._recorded(name), name, *self.method.doubts(self.diagnostics, sweeps))

    def extend(
        self,
        sweeps: int,
        *,
        executor: Executor | None = None,
        progress: Report | bool | None = None,
        store: str | os.PathLike[str] | None = None,
    ) -> Run:
        """Return the run continued for `sweeps` more, equal to a single run of the same burn-in and all sweeps.

        Parameters
        ----------
        sweeps : int
            A multiple of `thin`.
        executor, progress, store
            As in `sample`; a store belongs to this run and this number of sweeps.

        Raises
        ------
        TypeError, ValueError, MemoryError
            If `sweeps` is not a multiple of `thin`, the store belongs to other work, or records would not fit into
            memory.
        """
        length = whole(sweeps, "sweeps", minimum=1)
        plan = Schedule(0, draws_of(length, self.thin), self.thin)
        check_executor(executor)
        refuse_beyond_memory(
            2 * sum(d.nbytes + d.nbytes // d.shape[1] * plan.draws for d in self.draws.values()),
            "the records of the longer run",
            "record less, or thin more",
        )
        blocks = [
            Block(self.model, self.method, self.seed, numbers, None, walkers, plan, partial(record, self.watched))
            for numbers, walkers in zip(self._blocks(), self.walkers(), strict=True)
        ]
        if store is None:
            return self._joined(*run_blocks(blocks, executor, progress))
        key = key_of("extend", self.model, self.method, plan, self.watched)
        before = digest_of([self.draws, [walkers.kept() for walkers in self._walkers]])
        with opened(store, {**key, "run": before}, parts=parts_of(self.model)) as kept:
            blocks = [
                replace(block, keeper=Checkpoints(kept, f"block-{k}", self.watched)) for k, block in enumerate(blocks)
            ]
            return self._joined(*run_blocks(blocks, executor, progress))

    def _blocks(self) -> list[tuple[int, ...]]:
        """Return the numbers of the chains of every block."""
        blocks, first = [], 0
        for walkers in self._walkers:
            blocks.append(self.chains[first : first + len(walkers.states())])
            first += len(blocks[-1])
        return blocks

    def _joined(self, walkers_after: tuple[Walkers, ...], records: list[Records]) -> Run:
        """Return the run with the records of its continuation appended."""
        after = side_by_side(records)
        joined = {name: np.concatenate([self.draws[name], after[name]], axis=1) for name in after}
        asked = _length(joined)
        return replace(self, draws=joined, _walkers=walkers_after, complete=not self.failures, _asked=asked)

    def walkers(self) -> tuple[Walkers, ...]:
        """Return copies of the working states, one for each block of chains."""
        return copy.deepcopy(self._walkers)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the run into an npz file, whole or not at all: see `statnn.io.save`.

        Parameters
        ----------
        path : str or os.PathLike
            File to write, ``.npz``, in an existing directory.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from statnn.interaction import BinaryNeurons
        >>> from statnn.montecarlo import sample
        >>> run = sample(BinaryNeurons([[0, 1], [1, 0]]), 100, rng=1)
        >>> with TemporaryDirectory() as directory:
        ...     run.save(f"{directory}/run.npz")
        ...     again = Run.load(f"{directory}/run.npz")
        >>> again == run, again.extend(50) == run.extend(50)
        (True, True)
        """
        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, own: Mapping[str, Any] | None = None) -> Run:
        """Return the run of a file that `save` has written: equal, and it goes on as if it had never stopped.

        Parameters
        ----------
        path : str or os.PathLike
            The file.
        own : mapping of str, optional
            Your own observables, activations and sampling methods by name. Without one of its observables the run still
            has the draws, but cannot be extended.

        Raises
        ------
        ValueError, OSError
            If the file does not hold a run, or cannot be read.
        """
        run = load(path, own=own)
        if isinstance(run, cls):
            return run
        raise ValueError(f"{path} holds a {type(run).__name__}, not a Run: statnn.io.load returns it")

    def _stored(self) -> dict[str, Any]:
        """Return the contents for a file."""
        names = ("model", "seed", "chains", "burn_in", "thin", "draws", "failures", "complete")
        return {
            **{name: getattr(self, name) for name in names},
            "method": self.method if is_own(type(self.method)) else self.method.name,
            "own": [name for name, function in self.watched.items() if function is not None],
            "blocks": self._blocks(),
            "walkers": [walkers.kept() for walkers in self._walkers],
            "asked": self._asked,
        }

    @classmethod
    def _restored(cls, parts: dict[str, Any], own: Mapping[str, Any]) -> Run:
        mine, method = set(parts.pop("own")), parts["method"]
        if isinstance(method, str):
            if method not in own:
                raise ValueError(f"the sampling method {method!r} is one of your own: pass own={{{method!r}: ...}}")
            method = own[method]
        model, seed = parts["model"], parts["seed"]
        if choose(model, method).settled(model, len(parts["chains"]), seed) != method:
            raise ValueError(f"the method of a run has all its options settled, {method} has not")
        watched = {name: own.get(name, Missing(name)) if name in mine else None for name in parts["draws"]}
        blocks = zip(parts.pop("blocks"), parts.pop("walkers"), strict=True)
        with repeatable(model):
            walkers = tuple(method.restored(model, seed, *block) for block in blocks)
        asked = parts.pop("asked", 0)
        run = cls(**{**parts, "method": method, "watched": watched, "_walkers": walkers, "_asked": asked})
        run._refuse_unfit()
        return run

    def _refuse_unfit(self) -> None:
        """Raise if parts read from a file do not fit each other: nothing else checks them."""
        if not self.draws or not self._walkers:
            raise ValueError("the file holds no draws, or no chains to continue")
        whole(self.burn_in, "burn_in", minimum=0)
        whole(self.thin, "thin", minimum=1)
        whole(self._asked, "asked", minimum=0)
        shapes = {values.shape[:2] for values in self.draws.values() if isinstance(values, np.ndarray)}
        if len(shapes) != 1 or not all(
            getattr(v, "ndim", 0) > 1 and v.dtype.kind in "biufc" for v in self.draws.values()
        ):
            raise ValueError("draws of a run are arrays of numbers, all of shape (chains, draws, ...)")
        for walkers in self._walkers:
            self.model.states(walkers.states())
        if sum(map(len, self._blocks())) != len(self.chains) or shapes.pop()[0] != len(self.chains):
            raise ValueError(f"a run of {len(self.chains)} chains has draws or states of another number of them")

    def to_arviz(self) -> Any:
        """Return the draws as arviz data, group "posterior"; needs the package arviz, or only arviz-base.

        The coordinate "chain" holds the numbers of the chains.

        The result is an ``xarray.DataTree``, or an ``arviz.InferenceData`` if arviz is older than 1.

        Raises
        ------
        ImportError
            If arviz is not installed.
        """
        draws = {name: np.array(values) for name, values in self.draws.items()}
        coords = {"chain": np.array(self.chains)}
        try:
            import arviz_base
        except ImportError:
            pass
        else:
            return arviz_base.from_dict({"posterior": draws}, coords=coords)
        try:
            import arviz
        except ImportError:
            raise ImportError("Run.to_arviz needs arviz: pip install arviz; run.draws holds the same arrays") from None
        return arviz.from_dict(posterior=draws, coords=coords)

    def plot(self, ax: Any | None = None, *, name: str | None = None) -> Any:
        """Draw the trace of an observable in every chain, and its autocorrelation where there are two axes.

        Parameters
        ----------
        ax : matplotlib axes, or a pair of them, optional
            Axes for the trace, and for the autocorrelation; a new figure with both when None.
        name : str, optional
            A recorded observable with one entry; the first when None.

        Returns
        -------
        The axes.

        Raises
        ------
        TypeError, ValueError
            If `ax` is not an axes, or no such observable was recorded.

        Examples
        --------
        >>> from statnn.interaction import BinaryNeurons
        >>> from statnn.montecarlo import sample
        >>> trace, autocorrelation = sample(BinaryNeurons([[0, 1], [1, 0]]), 100, rng=1).plot()
        """
        from statnn.montecarlo._plot import draw

        if isinstance(ax, str):
            raise TypeError(f"ax = {ax!r} is a name, not axes: write plot(name={ax!r})")
        chosen = next(iter(self.draws)) if name is None else name
        return draw(chosen, self._recorded(chosen), ax)

    def _recorded(self, name: str) -> Values:
        if name not in self.draws:
            known = ", ".join(self.draws)
            raise ValueError(f"{name!r} was not recorded; choose from {known}: see observables= of sample")
        return self.draws[name]


def _length(records: Records) -> int:
    """Return the number of draws."""
    return next(iter(records.values())).shape[1] if records else 0
