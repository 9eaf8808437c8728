"""A camera's path by key frames: moves, poses, fields of view, and how one leads to the next."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vivant.controls.camera import Camera
from vivant.errors import UsageError

EASES = ("smooth", "linear", "in", "out", "spline", "hold")
"""Ways to a key: smooth start and stop, even, slow start, slow stop, through the keys without a
stop (Catmull and Rom, 1974), at once when the time has come."""
VIEW = 50.0
"""Degrees across the short side where nothing is said."""
VIEWS = 10.0, 120.0
MOST_KEYS = 4000
MOST_TURN = 60.0
"""Degrees of pan and tilt; a view that turns so far shows nothing of the picture."""
REACH = 3.0
"""Units of the nearest depth from where the picture was taken."""
PLACES = 3
"""Numbers of a position, and of a turn."""

Triple = tuple[float, float, float]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Key:
    """Where the camera is ``at`` seconds (in a path of shares: at a share of the clip).

    ``moves``: amounts since the beginning. ``position`` x right, y down, z forward in units of the
    nearest depth, and ``turn``, degrees of pan right, tilt down and roll clockwise, come on top.
    ``view``: degrees across the short side, None = as before. ``ease``: the way from the key
    before, one of `EASES`. Raises UsageError outside of the ranges.
    """

    at: float
    moves: Camera = field(default_factory=Camera)
    position: Triple = (0.0, 0.0, 0.0)
    turn: Triple = (0.0, 0.0, 0.0)
    view: float | None = None
    ease: str = "smooth"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.at) and self.at >= 0):
            raise UsageError(f"A key of the camera cannot be at {self.at:g}.")
        if self.ease not in EASES:
            raise UsageError(f"There is no easing {self.ease!r}; choose from {', '.join(EASES)}.")
        if not all(abs(v) <= REACH for v in self.position):  # not a number is neither
            raise UsageError(
                f"The camera is {_listed(self.position)} away at {self.at:g}; up to {REACH:g} units"
                " of the nearest depth a side are possible, so scale the path down."
            )
        if not (all(abs(v) <= MOST_TURN for v in self.turn[:2]) and abs(self.turn[2]) <= 180):
            raise UsageError(
                f"The camera turns {_listed(self.turn)} degrees (pan, tilt, roll) at {self.at:g};"
                f" pans and tilts of {MOST_TURN:g} are the most that a picture can show."
            )
        if self.view is not None:
            check_view(self.view)

    @property
    def neutral(self) -> bool:
        """Whether this is where the picture was taken from."""
        return not (self.moves.moves or any(self.position) or any(self.turn))


@dataclass(frozen=True)
class CameraPath:
    """Keys in the order of time; the first is the picture's own pose. Several paths, and moves, are
    added.

    ``shares``: times are shares of the clip. ``name`` of the file it came from, and the ``scale``
    by which positions there were multiplied. Raises UsageError where the keys make no path.
    """

    keys: tuple[Key, ...]
    shares: bool = False
    name: str = ""
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 1 < len(self.keys) <= MOST_KEYS:
            raise UsageError(f"A camera path has from 2 to {MOST_KEYS} keys, not {len(self.keys)}.")
        for before, after in pairwise(self.keys):
            if after.at <= before.at:
                raise UsageError(
                    f"The keys of a camera path must follow each other in time; {after.at:g} comes"
                    f" after {before.at:g}."
                )
        if self.keys[0].at != 0 or not self.keys[0].neutral:
            raise UsageError(
                "A camera path must begin at 0 with the picture's own pose, without moves."
            )
        if self.shares and self.keys[-1].at > 1:
            raise UsageError(f"A share of the clip is at most 1, not {self.keys[-1].at:g}.")

    @property
    def asks(self) -> bool:
        """Whether the camera moves."""
        views = {key.view for key in self.keys if key.view is not None}
        return len(views) > 1 or not all(key.neutral for key in self.keys)

    @property
    def view(self) -> float | None:
        """Field of view of the first key, None where it is not said."""
        return self.keys[0].view

    @property
    def closed(self) -> bool:
        """Whether it ends where it began."""
        views = [key.view for key in self.keys if key.view is not None] or [VIEW]
        return self.keys[-1].neutral and views[0] == views[-1]


@dataclass(frozen=True)
class Station:
    """Where paths lead to at one moment: ``moves``, ``position`` and ``turn`` as of a `Key`;
    ``zoom`` of the focal length."""

    moves: Camera = field(default_factory=Camera)
    position: Triple = (0.0, 0.0, 0.0)
    turn: Triple = (0.0, 0.0, 0.0)
    zoom: float = 1.0


AXES = tuple(one.name for one in fields(Camera))


def station(paths: Iterable[CameraPath], share: float, seconds: float, loop: bool) -> Station:
    """Where all paths together lead to after a ``share`` of a clip of ``seconds``; in a loop a path
    that does not close is gone there and back."""
    total = np.zeros(len(AXES) + 2 * PLACES + 1)
    for path in paths:
        end = 1.0 if path.shares else seconds
        if loop and not path.closed:
            total += _along(path, end * (1 - abs(1 - 2 * share)))
        else:
            total += _along(path, end * share)
    moves, rest = total[: len(AXES)], total[len(AXES) :]
    return Station(
        Camera(**dict(zip(AXES, moves.tolist(), strict=True))),
        (float(rest[0]), float(rest[1]), float(rest[2])),
        (float(rest[3]), float(rest[4]), float(rest[5])),
        math.exp(rest[6]),
    )


def _along(path: CameraPath, at: float) -> Values:
    """The values of a path at a time of its own."""
    keys = path.keys
    after = bisect_right([key.at for key in keys], at)
    values = _values(path)
    if after == len(keys):
        return values[-1]
    start, end = keys[after - 1], keys[after]
    share = (at - start.at) / (end.at - start.at)
    if end.ease == "spline":
        return _spline(values, np.array([key.at for key in keys]), after, share)
    way = values[after] - values[after - 1]
    return np.asarray(values[after - 1] + eased(share, end.ease) * way)


def eased(share: float, ease: str) -> float:
    """How much of a way is done after a share 0..1 of its time."""
    match ease:
        case "linear":
            return share
        case "in":
            return share * share
        case "out":
            return share * (2 - share)
        case "hold":
            return float(share >= 1)
    return share * share * (3 - 2 * share)


def _values(path: CameraPath) -> Values:
    """All numbers of all keys, ``[keys, n]``; the last is the logarithm of the zoom."""
    rows, view = [], path.view or VIEW
    first = view
    for key in path.keys:
        view = key.view or view
        zoom = math.tan(math.radians(first) / 2) / math.tan(math.radians(view) / 2)
        rows.append([*astuple(key.moves), *key.position, *key.turn, math.log(zoom)])
    return np.asarray(rows, np.float64)


def _spline(values: Values, times: Values, after: int, share: float) -> Values:
    """Between two keys on a cubic whose slopes at them are those of the keys around."""
    low, high = after - 1, after
    span = times[high] - times[low]

    def slope(k: int) -> Values:
        a, b = max(k - 1, 0), min(k + 1, len(times) - 1)
        return np.asarray((values[b] - values[a]) / (times[b] - times[a]) * span)

    s2, s3 = share**2, share**3
    return np.asarray(
        (2 * s3 - 3 * s2 + 1) * values[low]
        + (s3 - 2 * s2 + share) * slope(low)
        + (3 * s2 - 2 * s3) * values[high]
        + (s3 - s2) * slope(high)
    )


def check_view(degrees: float) -> None:
    """Raises UsageError where a field of view is none."""
    if not VIEWS[0] <= degrees <= VIEWS[1]:
        raise UsageError(
            f"The field of view must be from {VIEWS[0]:g} to {VIEWS[1]:g} degrees across the short"
            f" side, not {degrees:g}."
        )


def _listed(numbers: Triple) -> str:
    return ", ".join(f"{number:.3g}" for number in numbers)
