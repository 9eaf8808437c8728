"""What hangs together with something, over any way and over corners."""

from __future__ import annotations

import numpy as np

from vivant.rendering.touching import touching


def test_only_what_hangs_on_is_kept() -> None:
    found, other = np.zeros((8, 12), bool), np.zeros((8, 12), bool)
    other[7] = True
    found[3:7, 4] = True  # stands on it
    found[2, 5] = True  # hangs on over a corner
    found[1:3, 9] = True  # is in the air
    kept = touching(found, other)
    assert kept[3:7, 4].all()
    assert kept[2, 5]
    assert not kept[:, 9].any()
    assert not (kept & ~found).any()
    assert not touching(found, np.zeros_like(other)).any()
