"""Which size the frames get, and what a user should hear about it."""

from __future__ import annotations

from vivant.clip import VideoSpec
from vivant.errors import UsageError
from vivant.media.formats import Format
from vivant.media.resize import cut_share, parse_size
from vivant.request import Target

DEFAULT_SHORT = 720
GIF_SHORT, GIF_FPS = 360, 15.0
"""GIF files grow out of hand beyond."""
LEAST_CUT = 0.01


def target_of(
    fmt: Format, lossless: bool = False, artefacts: tuple[tuple[str, tuple[str, ...]], ...] = ()
) -> Target:
    """What a format can hold, and what suits it: a lossless master keeps the picture's size."""
    master = fmt.lossless and (lossless or fmt.name in ("mkv", "png"))
    short = GIF_SHORT if fmt.name == "gif" else DEFAULT_SHORT
    return Target(
        fps=GIF_FPS if fmt.name == "gif" else None,
        short=None if master else short,
        even=fmt.halved,
        longest=fmt.max_side,
        most_pixels=fmt.max_pixels,
        most_fps=fmt.max_fps,
        alpha=fmt.alpha,
        sound=bool(fmt.sound),
        artefacts=artefacts,
    )


def frame_size(source: tuple[int, int], text: str | None, target: Target) -> tuple[int, int]:
    """(width, height) of the frames: as asked, else the target's short side, never enlarged, else
    the picture's own; even where the output needs it.

    ``source`` is the picture's (width, height). Raises UsageError where the size that was asked
    for does not fit into the output; a default shrinks until it does.
    """
    if text is not None:
        size = _even(parse_size(text, source, target.longest), target)
        _check(size, target)
        return size
    scale = 1.0 if target.short is None else min(1.0, target.short / min(source))
    scale = min(scale, _most(source, target))
    return _even(source if scale == 1.0 else _scaled(source, scale), target)


def _most(size: tuple[int, int], target: Target) -> float:
    """The largest scale of ``size`` that the output takes."""
    width, height = size
    return float(min(target.longest / max(size), (target.most_pixels / (width * height)) ** 0.5))


def _even(size: tuple[int, int], target: Target) -> tuple[int, int]:
    return (size[0] - size[0] % 2, size[1] - size[1] % 2) if target.even else size


def _check(size: tuple[int, int], target: Target) -> None:
    scale = _most(size, target)
    if scale < 1:
        wide, high = (int(side * scale) // 2 * 2 for side in size)
        raise UsageError(
            f"The size {size[0]}x{size[1]} is more than players of this format can be trusted"
            f" with; choose --size {wide}x{high}, or --format mkv."
        )


def _scaled(source: tuple[int, int], scale: float) -> tuple[int, int]:
    width, height = (max(16, 2 * int(side * scale / 2 + 0.5)) for side in source)
    return width, height


def rate_notes(video: VideoSpec, target: Target) -> tuple[str, ...]:
    """A sentence where the output cannot show so many frames a second."""
    if video.fps <= target.most_fps:
        return ()
    return (
        f"The format shows at most {target.most_fps:g} frames a second: of {video.fps:g}, some are"
        " left out; the duration stays.",
    )


def framing_notes(source: tuple[int, int], size: tuple[int, int]) -> tuple[str, ...]:
    """Sentences on what is cropped, reduced or enlarged between picture and frames."""
    notes = []
    lost = cut_share(source, size)
    if lost > LEAST_CUT:
        notes.append(f"The picture is cut by {lost:.0%} to fit {size[0]}x{size[1]}.")
    scale = max(size[0] / source[0], size[1] / source[1])
    if scale > 1.01:
        notes.append(
            f"The picture is enlarged {scale:.2g} times, from {source[0]}x{source[1]}; it does not"
            " gain detail."
        )
    elif scale < 0.99:
        notes.append(f"The picture is reduced from {source[0]}x{source[1]}.")
    return tuple(notes)
