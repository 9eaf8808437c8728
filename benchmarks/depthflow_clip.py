"""The same picture, depth map and truck by DepthFlow, to be looked at beside ours.

    python benchmarks/depthflow_clip.py picture.png depth.png out.mp4 --truck 0.042 --seconds 0.25

It runs in an environment of its own (pip install depthflow imageio-ffmpeg; ffmpeg in the PATH),
without a window, where there is no GPU by Mesa's llvmpipe. Depth is inverse depth of 16 bits, near
= white. Rays are parallel (isometric 1), so that without an offset the picture is itself, and an
offset moves the nearest by ``truck`` short sides and the infinitely far not at all.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("WINDOW_BACKEND", "headless")

import imageio.v3 as imageio
import numpy as np
from depthflow.scene import DepthScene
from depthflow.state import DepthState

HEIGHT = 0.2
FPS = 4.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("depth", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--truck", type=float, default=0.042)
    parser.add_argument("--seconds", type=float, default=0.25)
    args = parser.parse_args()
    pixels, deep = imageio.imread(args.picture), imageio.imread(args.depth)
    offset = 2 * args.truck / HEIGHT  # its plane is two short sides high

    class Trucked(DepthScene):
        def update(self) -> None:
            self.state = DepthState(
                height=HEIGHT, steady=0.0, focus=0.0, isometric=1.0, offset=(offset, 0.0)
            )

    scene = Trucked(backend="headless")
    scene.input(image=pixels, depth=(deep.astype(np.float32) / 65535)[..., None])
    height, width = pixels.shape[:2]
    scene.main(width=width, height=height, fps=FPS, time=args.seconds, output=str(args.out))


if __name__ == "__main__":
    main()
