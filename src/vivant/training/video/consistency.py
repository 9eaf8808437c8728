"""Optical-flow consistency: what a clip shows must go where the true clip's flow says."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vivant.clip import Floats
from vivant.training.video.autoencoder import charbonnier

ERROR = 8.0
"""Levels of disagreement at which a place counts for 1/e."""


def flow_back(clip: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """For frames ``[T, H, W, 3]``: where each pixel was in the frame before, less where it is,
    ``[T - 1, 2, H, W]`` pixels (dense inverse search: Kroeger et al., 2016); and how far that is
    trusted, ``[T - 1, H, W]`` 0..1, by how well it explains the frame."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip]
    h, w = grey[0].shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    flows, trusts = [], []
    for before, now in itertools.pairwise(grey):
        flow = search.calc(now, before, None)
        seen = cv2.remap(before, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, None,
                         cv2.BORDER_CONSTANT, 255)  # fmt: skip
        error = np.abs(seen.astype(np.float32) - now)
        flows.append(flow.transpose(2, 0, 1))
        trusts.append(np.exp(-((cv2.GaussianBlur(error, (0, 0), 1.0) / ERROR) ** 2)))
    return np.stack(flows).astype(np.float32), np.stack(trusts).astype(np.float32)


def inconsistency(clip: Tensor, flow: Tensor, trust: Tensor) -> Tensor:
    """How far a clip ``[3, T, H, W]`` (-1..1) departs from the ``flow`` and ``trust`` of
    `flow_back`: the weighted mean of a smooth absolute value, 0 for a clip that follows it."""
    before, now = clip[:, :-1].transpose(0, 1), clip[:, 1:].transpose(0, 1)
    h, w = clip.shape[2:]
    y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    at = torch.stack([x, y]).to(flow) + flow
    unit = torch.stack([(2 * at[:, 0] + 1) / w - 1, (2 * at[:, 1] + 1) / h - 1], dim=-1)
    moved = functional.grid_sample(before, unit, padding_mode="border", align_corners=False)
    return charbonnier((now - moved) * trust[:, None].sqrt())
