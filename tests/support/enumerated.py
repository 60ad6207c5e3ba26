"""Tiny processes, followed over every path in exact fractions: the rule as it is written and nothing else."""

from collections import defaultdict
from fractions import Fraction
from itertools import product
from math import prod

THIRD = Fraction(1, 3)


def beta_bernoulli(N, b, c):
    """Transitions of a sample: every subset of the neurons may fire."""

    def step(state, D):
        chance = [c * (count + b) / (c * D + b * N) for count in state]
        for fires in product((0, 1), repeat=N):
            weight = prod(p if fire else 1 - p for p, fire in zip(chance, fires, strict=True))
            yield tuple(count + fire for count, fire in zip(state, fires, strict=True)), weight

    return step


def urn(N, b):
    """Transitions of an event: exactly one neuron fires."""

    def step(state, n):
        for fires in range(N):
            chance = (state[fires] + b) / (n + b * N)
            yield tuple(count + (i == fires) for i, count in enumerate(state)), chance

    return step


def states(N, step, times):
    """Law of (D_1, ..., D_N) after `times` steps."""
    law = {(0,) * N: Fraction(1)}
    for time in range(times):
        later = defaultdict(Fraction)
        for state, weight in law.items():
            for new, chance in step(state, time):
                later[new] += weight * chance
        law = dict(later)
    return law


def working(state):
    return sum(count > 0 for count in state)


def mean(law, function):
    return sum(weight * function(state) for state, weight in law.items())


def variance(law):
    return mean(law, lambda state: working(state) ** 2) - mean(law, working) ** 2
