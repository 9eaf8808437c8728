"""Figures of a seeing network while it learns: agreement with sure labels, depth's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vivant.clip import Floats, Frame
from vivant.kinds import KINDS
from vivant.training.scene.corpus import Example


def tensor_of(image: Frame, short: int = 256) -> torch.Tensor:
    """``[1, 3, h, w]`` 0..1 with the short side at ``short``, sides multiples of 32."""
    scale = short / min(image.shape[:2])
    h, w = (32 * max(1, round(s * scale / 32)) for s in image.shape[:2])
    small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return torch.from_numpy(np.ascontiguousarray(small.transpose(2, 0, 1)[None]))


def run(network: nn.Module, image: Frame) -> dict[str, Floats]:
    """Every output of the network for one picture, without its batch dimension."""
    with torch.no_grad():
        out = network(tensor_of(image).contiguous(memory_format=torch.channels_last))
    return {name: values[0].float().numpy() for name, values in out.items()}


def confusion(
    pairs: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> NDArray[np.int64]:
    """Counts ``[12, 12]`` (true kind, found kind) over pairs of maps ``[h, w]``; true -1 is
    skipped."""
    table = np.zeros((len(KINDS), len(KINDS)), np.int64)
    for true, found in pairs:
        known = true >= 0
        np.add.at(table, (true[known], found[known]), 1)
    return table


def agreement(table: NDArray[np.int64], least: int = 1) -> tuple[float, float, dict[str, float]]:
    """Pixel agreement, mean IoU over the kinds that occur, and each kind's IoU."""
    hit = np.diag(table)
    union = table.sum(0) + table.sum(1) - hit
    there = table.sum(1) >= least
    each = {KINDS[k]: float(hit[k] / union[k]) for k in np.flatnonzero(there)}
    return float(hit.sum() / max(table.sum(), 1)), float(np.mean(list(each.values()))), each


def check_on(examples: Sequence[Example]) -> Callable[[nn.Module], dict[str, float]]:
    """A check for the trainer: agreement with the targets where they are sure, and the rank
    correlation of depth with its target."""

    def check(network: nn.Module) -> dict[str, float]:
        pairs, ranks = [], []
        for example in examples:
            out = run(network, example.image)
            h, w = example.trust.shape
            shares = example.kinds.max(0) > 230
            true = np.where(shares & (example.trust > 200), example.kinds.argmax(0), -1)
            wide = np.stack([cv2.resize(plane, (w, h)) for plane in out["kinds"]])
            pairs.append((true, wide.argmax(0)))
            known = example.depth_trust > 100
            if known.sum() > 200:
                found = cv2.resize(out["depth"], (w, h))
                ranks.append(rank_correlation(found[known], example.depth[known]))
        right, iou, _ = agreement(confusion(pairs), least=500)
        return {"agreement": right, "iou": iou, "depth_rank": float(np.mean(ranks or [0]))}

    return check


def rank_correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Spearman's rank correlation of two vectors (ties in the order they come)."""
    ranks = [np.argsort(np.argsort(v, kind="stable"), kind="stable") for v in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
