"""What hangs together with something else."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


def touching(found: Bools, other: Bools) -> Bools:
    """What of ``found`` ``[H, W]`` hangs together, corners included, with ``other`` ``[H, W]``."""
    _, parts = cv2.connectedComponents((found | other).astype(np.uint8), connectivity=8)
    hangs = np.zeros(int(parts.max()) + 1, bool)
    hangs[parts[other]] = True
    return np.asarray(found & hangs[parts])
