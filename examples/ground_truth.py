"""A clip and its ground truth as a PyTorch data set: pairs of consecutive frames.

    vivant animate photo.jpg --format png -o clip --camera "orbit 4deg" \\
        --export flow,depth:npz,normals:npz,camera --flow-format npz
    python examples/ground_truth.py clip clip-export
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
"""From axes with y up and z backward, as nerfstudio has them, to y down and z forward."""


class Pairs(Dataset[dict[str, Tensor]]):
    """Two frames ``first`` and ``second`` ``[3, H, W]`` 0..1; ``flow`` ``[2, H, W]`` pixels from
    the second back to the first, ``valid`` ``[H, W]`` where it is exact; of the second frame
    ``depth`` ``[H, W]`` (inf = infinitely far), ``normal`` ``[3, H, W]``, ``intrinsics`` ``[3, 3]``
    and ``pose`` ``[4, 4]``, camera to world, y down and z forward."""

    def __init__(self, frames: Path, export: Path) -> None:
        self.frames, self.export = sorted(frames.glob("frame_*.png")), export
        facts = json.loads((export / "transforms.json").read_text("utf-8"))
        self.cameras: list[dict[str, Any]] = facts["frames"]

    def __len__(self) -> int:
        return len(self.frames) - 1

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        first, second = (picture(self.frames[k]) for k in (index, index + 1))
        with np.load(self.export / f"backward_{index:05d}.npz") as stored:
            flow, valid = stored["flow"].astype(np.float32), stored["valid"]
        later = index + 1
        with np.load(self.export / f"depth_{later:05d}.npz") as stored:
            depth = stored["depth"]
        with np.load(self.export / f"normal_{later:05d}.npz") as stored:
            normal = stored["normal"].astype(np.float32)
        camera = self.cameras[later]
        lens = [[camera["fl_x"], 0, camera["cx"]], [0, camera["fl_y"], camera["cy"]], [0, 0, 1]]
        pose = FLIP @ np.array(camera["transform_matrix"]) @ FLIP
        return {
            "first": first,
            "second": second,
            "flow": torch.from_numpy(flow.transpose(2, 0, 1).copy()),
            "valid": torch.from_numpy(valid),
            "depth": torch.from_numpy(depth),
            "normal": torch.from_numpy(normal.transpose(2, 0, 1).copy()),
            "intrinsics": torch.tensor(lens, dtype=torch.float32),
            "pose": torch.from_numpy(pose.astype(np.float32)),
        }


def picture(path: Path) -> Tensor:
    """A PNG as ``[3, H, W]``, 0..1."""
    pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255)


def points(depth: Tensor, intrinsics: Tensor, pose: Tensor) -> Tensor:
    """Places in the world ``[3, H, W]`` of every pixel; pixel centres lie at halves."""
    h, w = depth.shape
    y, x = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
    rays = torch.linalg.inv(intrinsics) @ torch.stack([x, y, torch.ones_like(x)]).reshape(3, -1)
    world = pose[:3, :3] @ (rays * depth.reshape(1, -1)) + pose[:3, 3:]
    return world.reshape(3, h, w)


def main() -> None:
    """Print the shapes of a batch."""
    pairs = Pairs(Path(sys.argv[1]), Path(sys.argv[2]))
    batch = next(iter(DataLoader(pairs, batch_size=2)))
    for name, values in batch.items():
        print(name, tuple(values.shape))


if __name__ == "__main__":
    main()
