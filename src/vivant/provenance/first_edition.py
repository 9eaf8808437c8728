"""Records of the first edition (called recipes there), which clips in the wild carry."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from vivant.asset import Asset
from vivant.controls.camera import Camera
from vivant.controls.entry import Control
from vivant.controls.given import GivenField
from vivant.controls.loop import Loop
from vivant.controls.mask import Move, Still
from vivant.controls.strength import Strength
from vivant.controls.stroke import Stroke
from vivant.request import Keyframe, Request


def first_request(record: dict[str, Any]) -> tuple[Request, tuple[tuple[Asset, bytes], ...]]:
    """The request of a record, and the masks that it holds.

    Raises KeyError, TypeError, ValueError or UsageError where something is missing or wrong.
    """
    width, height = record["size"]
    stated = record["picture"]
    masks: list[tuple[Asset, bytes]] = []
    controls: list[Control] = []
    for name, kind in (("still", Still), ("move", Move)):
        if record[name] is not None:
            data = base64.b64decode(record[name])
            masks.append((Asset(hashlib.sha256(data).hexdigest(), "mask", f"{name}.png"), data))
            controls.append(kind(masks[-1][0]))
    for stroke in record["strokes"]:
        points = tuple((float(x), float(y)) for x, y in stroke["points"])
        controls.append(Stroke(points, stroke["seconds"]))
    controls += [Camera(**record["camera"]), Strength(float(record["strength"]))]
    if record["loop"]:
        controls.append(Loop())
    if "field_sha256" in record:
        controls.append(GivenField(Asset(record["field_sha256"], "field", "field.vivant")))
    request = Request(
        keyframes=(Keyframe(Asset(stated["sha256"], "picture", str(stated["name"]))),),
        controls=tuple(controls),
        seconds=float(record["seconds"]),
        fps=float(record["fps"]),
        size=f"{int(width)}x{int(height)}",
        seed=int(record["seed"]),
    )
    return request, tuple(masks)
