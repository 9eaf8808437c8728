"""The recipe: what a clip was made from, inside the clip, enough to make it again."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant import __version__
from vivant.clip import Picture
from vivant.controls.types import Camera, Controls, Mask, Stroke
from vivant.errors import MediaError, ProvenanceError
from vivant.media.decoder import Decoder
from vivant.request import Request, Result

VERSION = 1


def recipe_of(request: Request, result: Result, field_sha256: str | None = None) -> dict[str, Any]:
    """A JSON-able recipe. ``field_sha256`` names the field file where one was rendered.

    The picture is named by the hash of its file and its name without the folder.
    """
    controls = request.controls
    made_by: dict[str, Any] = {"model": asdict(result.model)}
    if field_sha256 is not None:
        made_by = {"field_sha256": field_sha256}
    return {
        "recipe": VERSION,
        "vivant": __version__,
        **made_by,
        "picture": {"sha256": request.picture.sha256, "name": request.picture.name},
        "seed": request.seed,
        "seconds": request.seconds,
        "fps": request.fps,
        "size": [result.spec.width, result.spec.height],
        "loop": request.loop,
        "strength": request.strength,
        "camera": asdict(controls.camera),
        "strokes": [{"points": s.points, "seconds": s.seconds} for s in controls.strokes],
        "still": _packed(controls.still),
        "move": _packed(controls.move),
    }


def request_from(recipe: dict[str, Any], picture: Picture) -> Request:
    """The request of a recipe for ``picture``, already at the recipe's size.

    Raises ProvenanceError where the recipe is of a newer version or lacks something.
    """
    if recipe.get("recipe") != VERSION:
        raise ProvenanceError(
            f"The recipe has version {recipe.get('recipe')!r}, known is {VERSION}; upgrade vivant."
        )
    try:
        strokes = tuple(
            Stroke(tuple((float(x), float(y)) for x, y in s["points"]), s["seconds"])
            for s in recipe["strokes"]
        )
        controls = Controls(
            still=_unpacked(recipe["still"]),
            move=_unpacked(recipe["move"]),
            strokes=strokes,
            camera=Camera(**recipe["camera"]),
        )
        return Request(
            picture=picture,
            seconds=float(recipe["seconds"]),
            fps=float(recipe["fps"]),
            loop=bool(recipe["loop"]),
            strength=float(recipe["strength"]),
            seed=int(recipe["seed"]),
            controls=controls,
        )
    except (KeyError, TypeError, ValueError, OSError, OverflowError, MediaError) as error:
        raise ProvenanceError(f"The recipe is damaged ({error}).") from error


def _packed(mask: Mask | None) -> str | None:
    if mask is None:
        return None
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _unpacked(text: str | None) -> NDArray[np.uint8] | None:
    if text is None:
        return None
    with TemporaryDirectory() as folder, Decoder() as decoder:  # it may be a stranger's
        path = Path(folder) / "mask.png"
        path.write_bytes(base64.b64decode(text))
        return decoder.mask(path)
