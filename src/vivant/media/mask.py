"""Masks: files of many kinds to one plane, by what the file shows and never by a guess.

The result is ``[H, W]`` uint8, upright, 255 = applies. Samples are read as stored (a mask has no
colours to manage) and judged in this order; what is not on the list is refused by name.

==========================================  ====================================================
file                                        read as
==========================================  ====================================================
transparency, brush strokes of flat colour  its alpha, whatever the colour of the brush
transparency, black and white               brightness over black
transparency, a picture with holes          the holes (as editors mark the part to change)
transparency, a picture cut out             the part left over
palette whose only entries are 0 and 1      entry 1, where their colours are no black or white
no colours, values up to 32 with 0          labels of a segmentation: all but 0 (lossless files)
no colours                                  brightness; 16 bits that only use 8 are read as 8
one colour on black or white                the colour
several flat colours on black               all of them (the void colour of VOC palettes is black)
a picture; all black; all transparent       refused
==========================================  ====================================================
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Mask, Plane
from vivant.errors import UsageError
from vivant.media.mask_samples import LABELS, Samples, stored_samples
from vivant.media.read import MAX_PIXELS, read_picture

Shares = NDArray[np.bool_]

DARK, LIGHT = 24, 231
"""What counts as black and white; lossy files ring by up to this much."""
COLOURED = 48
"""Difference of the channels above which a pixel has a colour."""
VOID = (224, 224, 192)
"""The colour of entry 255 in the palette of PASCAL VOC: pixels that belong to nothing."""


def read_mask(path: Path, *, max_pixels: int = MAX_PIXELS) -> Mask:
    """Read a mask in any format of the picture reader.

    Raises UsageError where the file is missing or is no mask (a picture, all black), MediaError
    where it cannot be decoded; both name the file.
    """
    picture = read_picture(path, background=(0, 0, 0), max_pixels=max_pixels)
    samples = stored_samples(path, picture.size)
    if samples is None:
        samples = Samples(
            picture.pixels.astype(np.float32),
            None if picture.alpha is None else picture.alpha.astype(np.float32),
            lossy=True,
        )
    plane, notes = mask_of(samples, path.name)
    return Mask(plane, picture.name, (*samples.notes, *notes))


def mask_of(samples: Samples, name: str) -> tuple[Plane, tuple[str, ...]]:
    """The plane that ``samples`` mean, and notes; raises UsageError as `read_mask`."""
    if samples.alpha is not None:
        plane, notes = _by_alpha(samples, samples.alpha, name)
    elif samples.entries is not None and _numbered(samples.entries, samples.values):
        plane = (samples.entries * 255).astype(np.float32)
        notes = (f"{name}: palette entry 1 is read as the mask.",)
    elif samples.values.ndim == 3 and _is_coloured(samples.values):
        plane, notes = _by_colour(samples, name)
    else:
        plane, notes = _by_brightness(samples, name)
    out = np.clip(plane + 0.5, 0, 255).astype(np.uint8)
    return out, (*notes, *_reach(out, name))


# Where transparency decides.


def _by_alpha(samples: Samples, alpha: Floats, name: str) -> tuple[Floats, tuple[str, ...]]:
    seen = alpha >= 128
    if not seen.any():
        seen = alpha > 0
    if not seen.any():
        raise UsageError(f"The mask {name} is fully transparent: nothing is painted on it.")
    colours = samples.values[seen].reshape(int(seen.sum()), -1)
    if _one_colour(colours):
        return alpha, (f"{name} is read by its transparency: what is painted applies.",)
    if _black_and_white(colours):
        grey = _grey(samples.values) * (alpha / 255)
        note = f"{name} is partly transparent: that part is read as black."
        return np.asarray(grey, np.float32), (note,)
    if _few_colours(colours):
        return alpha, (f"{name} is read by its transparency: what is painted applies.",)
    return _erased(alpha, name)


def _erased(alpha: Floats, name: str) -> tuple[Floats, tuple[str, ...]]:
    """A picture with holes marks the holes; one that is cut out marks itself."""
    rim = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    clear = float((rim < 128).mean())
    if clear <= 0.25:
        return 255 - alpha, (f"{name} is a picture with a part erased: the erased part applies.",)
    if clear >= 0.75:
        return alpha, (f"{name} is a cut-out picture: the part left over applies.",)
    raise UsageError(
        f"The mask {name} is a picture with parts erased, and it cannot be told whether the erased"
        " part or the rest is meant. Save a black and white mask, white where it applies."
    )


def _one_colour(colours: Floats) -> bool:
    middle = np.median(colours, axis=0)
    return bool((np.abs(colours - middle).max(axis=1) <= 24).mean() > 0.97)


def _black_and_white(colours: Floats) -> bool:
    light, dark = (colours.min(axis=1) >= LIGHT).mean(), (colours.max(axis=1) <= DARK).mean()
    return bool(light + dark > 0.95 and min(light, dark) > 0.001)


def _few_colours(colours: Floats) -> bool:
    """True for up to eight flat colours, as of several brushes."""
    bins = (colours.astype(np.int32) >> 4) @ (1 << 4 * np.arange(colours.shape[1]))
    counts = np.sort(np.unique(bins, return_counts=True)[1])[::-1]
    return bool(counts[:8].sum() > 0.97 * len(colours))


# Where colour decides.


def _is_coloured(values: Floats) -> bool:
    return bool(_coloured(values).mean() > 1e-4)


def _coloured(values: Floats) -> Shares:
    return np.asarray(values.max(axis=2) - values.min(axis=2) > COLOURED)


def _numbered(entries: NDArray[np.uint8], values: Floats) -> bool:
    """True where a palette's entries 0 and 1 are all there is and its colours say no more."""
    if set(np.unique(entries).tolist()) != {0, 1}:
        return False
    zero = values[entries == 0][0]
    one = values[entries == 1][0]
    neutral = all(c.max() - c.min() <= COLOURED for c in (zero, one))
    return not neutral and zero.max() > DARK and zero.min() < LIGHT


def _by_colour(samples: Samples, name: str) -> tuple[Floats, tuple[str, ...]]:
    values = samples.values
    if samples.entries is not None:
        values = np.where((samples.entries == 255)[..., None] & (values == VOID), 0, values)
    black, white = values.max(axis=2) <= DARK, values.min(axis=2) >= LIGHT
    ground = 0.0 if black.mean() >= min(0.005, white.mean()) else 255.0
    if max(black.mean(), white.mean()) < 0.005:
        raise _no_mask(name)
    amount = _along_one_colour(values - ground)
    if amount is not None and not _is_picture(amount, between=0.2):
        where = "black" if ground == 0 else "white"
        return amount, (f"{name} is read by its colour on {where}: what is painted applies.",)
    count = len(np.unique(values[values.max(axis=2) > DARK].astype(np.uint8), axis=0))
    if ground == 0 and count <= 256 and _is_flat(values):
        plane = np.where(values.max(axis=2) > DARK, 255, 0).astype(np.float32)
        return plane, (f"{name}: its {count} colours on black are read as one mask.",)
    raise _no_mask(name)


def _along_one_colour(marks: Floats) -> Floats | None:
    """How much (0..255) of one colour each pixel has, None where there are other colours.

    ``marks`` is the difference to the ground; edges in lossy files are off the line.
    """
    coloured, painted = _coloured(marks), np.abs(marks).max(axis=2) > COLOURED
    middle = marks[coloured].mean(axis=0)
    unit = middle / max(float(np.linalg.norm(middle)), 1e-6)
    amount = np.asarray(marks @ unit, np.float32)
    off = np.abs(marks - amount[..., None] * unit).max(axis=2)[painted]
    if (off > 24).mean() > 0.1 or np.median(off) > 8 or coloured[painted].mean() < 0.5:
        return None
    return np.clip(amount * (255 / float(np.percentile(amount[coloured], 90))), 0, 255)


def _is_flat(values: Floats) -> bool:
    across = (values[:, 1:] == values[:, :-1]).all(axis=2).mean()
    return bool(across > 0.9)


# Where brightness decides.


def _by_brightness(samples: Samples, name: str) -> tuple[Floats, tuple[str, ...]]:
    grey = _grey(samples.values)
    top = float(grey.max())
    if not samples.lossy and 0 < top <= LABELS and grey.min() == 0 and _is_whole(grey):
        labels = np.unique(grey)[1:].astype(int).tolist()
        said = f"values 0 and {labels[0]}" if len(labels) == 1 else f"{len(labels)} labels"
        note = f"{name}: its {said} are read as a mask; all but 0 applies."
        return np.where(grey > 0, 255, 0).astype(np.float32), (note,)
    if _is_picture(grey):
        raise _no_mask(name)
    if samples.lossy:
        grey = (grey - 12) * (255 / (255 - 24))  # compression rings about black and white
    return grey, ()


def _grey(values: Floats) -> Floats:
    return values if values.ndim == 2 else np.asarray(values.mean(axis=2), np.float32)


def _is_whole(grey: Floats) -> bool:
    return bool((grey == np.round(grey)).all())


def _is_picture(grey: Floats, between: float = 0.3) -> bool:
    """Much that is neither black nor white, and fine detail in it: 97 of 100 photographs in grey.

    Gradients and blurred masks have no detail, hard masks have little in between.
    """
    if _between(grey).mean() < between:
        return False
    scale = min(1.0, 256 / max(grey.shape))
    high, wide = (max(8, round(side * scale)) for side in grey.shape)
    small = cv2.resize(grey, (wide, high), interpolation=cv2.INTER_AREA)
    detail = np.abs(cv2.Laplacian(small, cv2.CV_32F)) >= 4
    return bool(detail[_between(small)].mean() > 0.1)


def _between(grey: Floats) -> Shares:
    return np.asarray((grey > DARK) & (grey < LIGHT))


def _reach(plane: Plane, name: str) -> tuple[str, ...]:
    """What a user should hear of how much the mask covers; nothing at all is refused."""
    top, applied = int(plane.max()), int((plane >= 128).sum())
    if top <= DARK:
        raise UsageError(
            f"The mask {name} holds no white: it would apply nowhere. Paint white where it applies."
        )
    if plane.min() >= LIGHT:
        return (f"{name} is white everywhere: it applies to the whole picture.",)
    if top < LIGHT:
        return (f"{name} holds no full white: it applies at {top / 255:.0%} at most.",)
    if applied < plane.size / 20000:
        return (f"{name} covers only {applied} pixels of {plane.size}.",)
    return ()


def _no_mask(name: str) -> UsageError:
    return UsageError(
        f"{name} is a picture, not a mask: it is neither black and white nor one colour on a plain"
        " ground. Save a mask with white where it applies and black elsewhere."
    )
