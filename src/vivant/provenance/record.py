"""The record: what a clip was made from, inside the clip, enough to make it again."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
from PIL import Image

from vivant.asset import Asset, Assets
from vivant.controls.loop import Loop
from vivant.controls.mask import Masked
from vivant.errors import ProvenanceError, VivantError
from vivant.provenance.first_edition import first_request
from vivant.records import from_data, to_data
from vivant.request import ModelIdentity, Request, Result, SourceType, Target
from vivant.version import __version__

EDITION = 2
FIRST = 1
MASKS = "masks"
_DAMAGE = (LookupError, TypeError, ValueError, AttributeError, OverflowError)
HIDDEN = (MASKS, "still", "move")
"""Members that hold images: not for reading."""


def record_of(request: Request, target: Target, result: Result, assets: Assets) -> dict[str, Any]:
    """A JSON-able record of a result.

    Inputs are named by the hashes of their files and by names without folders; masks are inside,
    at the size of the frames, so that clip and photograph are enough to make the clip again.
    """
    video = result.plan.video
    return {
        "record": EDITION,
        "vivant": __version__,
        "model": asdict(result.model),
        "request": replace(request, model=result.model.name).to_data(),
        "target": to_data(replace(target, artefacts=())),
        "video": asdict(video),
        "notes": list(result.plan.notes),
        "made": result.made.value,
        "loop": request.one(Loop) is not None,
        MASKS: _masks(request, result.plan.fitted, assets),
    }


def _masks(request: Request, size: tuple[int, int], assets: Assets) -> dict[str, str]:
    """PNG files as base64, by the hash of the mask they stand for."""
    packed = {}
    for control in request.all(Masked):
        values = assets.mask(control.mask).values
        scale = max(s / n for s, n in zip(size, values.shape[::-1], strict=True))
        if scale < 1:  # the frames may show a part of it
            wide, high = (max(1, round(n * scale)) for n in values.shape[::-1])
            small = cv2.resize(values, (wide, high), interpolation=cv2.INTER_AREA)
            values = np.asarray(small, np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(values).save(buffer, "PNG", optimize=True)
        packed[control.mask.sha256] = base64.b64encode(buffer.getvalue()).decode()
    return packed


@dataclass(frozen=True)
class Recorded:
    """What a record says, in today's terms: ``masks`` are files' bytes by asset; ``model`` has
    no hash where the first edition rendered a field file; ``sampled`` whether a model ran."""

    request: Request
    target: Target
    model: ModelIdentity
    made: SourceType
    masks: tuple[tuple[Asset, bytes], ...]


def read_record(record: dict[str, Any]) -> Recorded:
    """The request that a record was made from, of this edition or the first.

    Raises ProvenanceError where it is of a newer version or damaged.
    """
    version = record.get("record", record.get("recipe"))
    if version not in (FIRST, EDITION):
        raise ProvenanceError(
            f"The record has version {version!r}, known is {EDITION}; upgrade vivant."
        )
    try:
        return _first(record) if version == FIRST else _second(record)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        VivantError,
    ) as error:
        raise ProvenanceError(f"The record is damaged ({error}).") from error


def _second(record: dict[str, Any]) -> Recorded:
    request = Request.from_data(record["request"])
    assets = {c.mask.sha256: c.mask for c in request.all(Masked)}
    packed = {str(sha): base64.b64decode(text) for sha, text in record[MASKS].items()}
    return Recorded(
        request=request,
        target=from_data(Target, record["target"], "target"),
        model=ModelIdentity(**record["model"]),
        made=SourceType(record["made"]),
        masks=tuple((assets[sha], data) for sha, data in packed.items()),
    )


def _first(record: dict[str, Any]) -> Recorded:
    request, masks = first_request(record)
    stated = record.get("model") or {"name": "builtin", "version": "", "sha256": ""}
    sampled = "field_sha256" not in record
    return Recorded(
        request=request,
        target=Target(),
        model=ModelIdentity(**stated),
        made=SourceType.COMPOSITE if sampled else SourceType.ALGORITHMIC,
        masks=masks,
    )


def shown(record: dict[str, Any]) -> dict[str, Any]:
    """A record without the images in it, for people and hooks."""
    return {name: value for name, value in record.items() if name not in HIDDEN}
