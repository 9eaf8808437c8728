"""Intervals and distances of distributions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats


def bootstrap(
    values: NDArray[np.floating],
    statistic: Callable[[NDArray[np.floating]], float] = lambda v: float(np.mean(v)),
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % percentile bootstrap interval (Efron, 1979) of a statistic over clips ``[N, ...]``."""
    rng = np.random.default_rng(seed)
    found = [statistic(values[rng.integers(0, len(values), len(values))]) for _ in range(draws)]
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def frechet(a: Floats, b: Floats) -> float:
    """Frechet distance of two sets of features ``[N, F]`` as Gaussians (Dowson and Landau, 1982;
    Heusel et al., 2017). Raises ValueError below two rows a set."""
    if len(a) < 2 or len(b) < 2:
        raise ValueError("two rows are needed on each side")
    x, y = (values.astype(np.float64) for values in (a, b))
    difference = x.mean(axis=0) - y.mean(axis=0)
    left, right = (values - values.mean(axis=0) for values in (x, y))
    # tr sqrt(Ca Cb) is the sum of singular values of A B^T, which rotations leave as it is:
    # no matrix root is needed, and the triangles of QR are small
    upper = [np.asarray(np.linalg.qr(values, mode="r")) for values in (left, right)]
    cross = np.linalg.svd(upper[0] @ upper[1].T, compute_uv=False).sum()
    cross /= np.sqrt((len(x) - 1) * (len(y) - 1))
    spread = left.var(axis=0, ddof=1).sum() + right.var(axis=0, ddof=1).sum()
    return float(difference @ difference + spread - 2 * cross)
