"""The animated preview of a field: colours, not a picture, hence not signed."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from vivant.clip import VideoSpec
from vivant.field.motion_field import MotionField
from vivant.field.wheel import preview
from vivant.files import publish
from vivant.media.formats import format_for
from vivant.media.write import write_video

FPS = 12.0


def write_preview(field: MotionField, path: Path) -> None:
    """Write the field over time as a small clip; the suffix chooses the format."""
    fmt = format_for(path, None)
    frames = preview(field, fps=FPS)
    first = next(frames)
    count = max(1, round(field.seconds * FPS))
    spec = VideoSpec(first.shape[1], first.shape[0], FPS, count)
    with publish(path) as temporary:
        write_video(chain([first], frames), spec, temporary, fmt)
