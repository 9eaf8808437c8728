"""A family of plain RGB frames: another size, rate and length than asked, no field, never twice
the same. Registered by a test, it must pass everywhere without a special case."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vivant.asset import Assets
from vivant.bundle import Bundle
from vivant.clip import Frame, VideoSpec
from vivant.request import (
    Capabilities,
    FrameStream,
    Hooks,
    ModelIdentity,
    Plan,
    Request,
    Result,
    Runtime,
    SourceType,
    Target,
    refuse_unknown,
)

VIDEO = VideoSpec(48, 32, 6.0, 5)


@dataclass(frozen=True)
class Toy:
    """Noise of its own size, whatever the picture."""

    identity: ModelIdentity
    capabilities: Capabilities = Capabilities(  # noqa: RUF009 - frozen
        controls=("strength",), sizes="48x32", frames="5", reproducible="no"
    )

    def plan(self, request: Request, assets: Assets, target: Target) -> Plan:
        refuse_unknown(request, target, self.capabilities, self.identity.name)
        assets.picture(request.keyframes[0].image)
        return Plan(VIDEO, (48, 32), ("The model makes 5 frames of 48x32 at 6 per second.",))

    def generate(self, request: Request, plan: Plan, assets: Assets, hooks: Hooks) -> Result:
        rng = np.random.default_rng()

        def frames() -> Iterator[Frame]:
            for index in range(VIDEO.count):
                hooks.report("sampling", index / VIDEO.count)
                yield rng.integers(0, 256, (32, 48, 3), np.uint8)

        return Result(plan, lambda: FrameStream(frames()), self.identity, SourceType.SYNTHETIC)


def open_toy(bundle: Bundle, runtime: Runtime) -> Toy:
    return Toy(bundle.identity)


def toy_bundle(folder: Path) -> Path:
    folder.mkdir()
    config = {"format": 1, "name": "toy", "version": "1", "family": "toy", "members": ["w.bin"]}
    (folder / "config.json").write_text(json.dumps(config | {"licence": "CC0-1.0"}))
    (folder / "w.bin").write_bytes(b"weights")
    return folder
