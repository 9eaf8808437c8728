"""Things of one picture set into another (Olsson et al., ClassMix, WACV 2021): a being before a
house, a boat on another lake. Kinds are then known by themselves, not by what is usually around
them, which few pictures would else teach."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vivant.clip import Floats
from vivant.kinds import INDEX
from vivant.training.scene.corpus import Crop

SET = ("being", "vehicle", "object", "fall", "fire", "smoke", "cloth", "water", "plant", "built")
"""Kinds that are cut out; the rarest that a crop shows goes first."""
LEAST, MOST = 0.01, 0.6
"""Share of the crop that a cut-out may take."""
SURE = 0.6


def mix(crop: Crop, other: Crop) -> Crop:
    """``crop`` with the rarest kind of ``other`` set into it, where that is sure and of a
    fitting size; else ``crop`` as it is. Depth is unknown where something was set in."""
    mask = cut_out(other)
    if mask is None:
        return crop
    side, out = crop.image.shape[1], mask.shape[0]
    wide = cv2.resize(mask, (side, side), interpolation=cv2.INTER_LINEAR)
    alpha = np.clip((wide - 0.5) * 3 + 0.5, 0, 1).astype(np.float32)
    cells = cv2.resize(alpha, (out, out), interpolation=cv2.INTER_AREA)
    trust = crop.trust + cells * (other.trust - crop.trust)
    return replace(
        crop,
        image=crop.image + alpha * (other.image - crop.image),
        kinds=crop.kinds + cells * (other.kinds - crop.kinds),
        trust=np.where((cells > 0.05) & (cells < 0.95), 0.5 * trust, trust).astype(np.float32),
        depth_trust=crop.depth_trust * (cells < 0.02),
        water=crop.water if crop.water == other.water else -1,
    )


def cut_out(crop: Crop) -> Floats | None:
    """The cells ``[h, w]`` 0 or 1 of the rarest kind that a crop surely shows, None where it
    shows none of a fitting size."""
    for kind in SET:
        sure = (crop.kinds[INDEX[kind]] > SURE) & (crop.trust > SURE)
        if LEAST <= sure.mean() <= MOST:
            return sure.astype(np.float32)
    return None
