"""The random numbers of a seed, so that a few seeds in a row show much of what may happen.

Of eight consecutive seeds each draws from another eighth of a distribution, of the first and the
last four each from another quarter, in an order of its own for every number (nested Latin hypercube
sampling: McKay, Beckman and Conover, 1979; Qian, 2009). One seed by itself is as random as ever:
independent draws would often take one way twice and another not at all.
"""

from __future__ import annotations

import zlib
from statistics import NormalDist

import numpy as np

BLOCK = 8


class Draws:
    """The numbers that ``seed`` draws for what is called ``name``, one after the other."""

    def __init__(self, seed: int, name: str) -> None:
        self.block, self.place = divmod(seed, BLOCK)
        self.name = zlib.crc32(name.encode())
        self.count = 0

    def random(self) -> float:
        """Uniform, above 0 and below 1."""
        rng = np.random.default_rng([self.block, self.name, self.count])
        self.count += 1
        return float((_eighths(rng)[self.place] + rng.uniform(0.001, 0.999)) / BLOCK)

    def standard_normal(self) -> float:
        """Normal, of mean 0 and spread 1."""
        return NormalDist().inv_cdf(self.random())


def _eighths(rng: np.random.Generator) -> list[int]:
    """The eighths 0 to 7 in an order whose halves hold one of each quarter."""
    halves = rng.integers(0, 2, 4)
    first, last = rng.permutation(4), rng.permutation(4)
    return [int(2 * q + halves[q]) for q in first] + [int(2 * q + 1 - halves[q]) for q in last]
