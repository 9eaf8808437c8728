"""Arrays as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from vivant.errors import UsageError, VivantError
from vivant.files import publish


def check_png(path: Path) -> None:
    """Raises UsageError where the name of an output says that it is of another kind."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"{path} would be written as PNG; give it a name that ends in .png.")


def write_png(path: Path, values: NDArray[Any]) -> None:
    """Write ``[H, W]``, ``[H, W, 3]`` RGB or ``[H, W, 4]`` RGBA, 8 or 16 bit, as PNG, whole or
    not at all."""
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if values.ndim == 3:
        values = cv2.cvtColor(values, order[values.shape[2]])
    ok, data = cv2.imencode(".png", values)
    if not ok:
        raise VivantError(f"{path} could not be encoded.")
    with publish(path, overwrite=True) as temporary:
        temporary.write_bytes(data.tobytes())
