"""The parameters by which what is seen becomes what is asked of a sample.

They shape every field, so they are part of a bundle (``steering`` in its ``config.json``: hashed
and recorded). The defaults are those of the first edition, whose bundles do not state them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Steering:
    """Pairs are the lower and upper end of a smooth step.

    How fast. ``top_speed``: no cell is asked to move faster, short sides per second.
    ``sway_speed``: what is not fluid sways on the spot, at most this fast: a leaf, not a
    departing car. ``doubt_power``: exponent of the chance of moving in the expected speed.
    ``hold``: cells slower than this share of the picture's fast ones are held: no jelly on the
    ground. ``outlier``: speeds are cut at so many times the fast ones. ``lively``: fast cells
    reach this speed, but solid things are made at most ``livelier_solid`` times as fast as
    expected, fluids ``livelier_fluid`` times: the expected speed is a cautious one, and where
    nothing can be seen to move is no clip. ``asked_share``: a move mask asks at least for this
    share of the typical speed, which is taken to be at least ``asked_speed``. ``seeable``:
    texture 0..1 over which motion can be seen. ``calibration``: least and greatest factor that
    brings a sample to the map's mean speed.

    What holds. ``fluid``: chance of being fluid from which cells begin to travel. ``rigid``:
    chance of being a man-made rigid thing from which cells begin to be held. ``sooner``: what is
    no fluid is taken for that much more rigid: a tower that bends is worse than one that holds,
    and about half of the classifier's classes are man-made, whatever it sees. ``sure``: chance
    of moving that the likeliest solid cells of every picture are given at least. ``stiff``:
    cells over which solid things move as one.

    Strokes. ``reach``: cells over which a stroke turns what hangs together with what it touches.
    ``connected``: cells at least this fast, compared with those around the stroke, hang together
    with it. ``stroke_soft``, ``stroke_spread``: blur of a stroke's edge and of its velocity,
    cells. ``body_share``: a body covers at most this share of the picture.
    """

    top_speed: float = 1.0
    sway_speed: float = 0.04
    doubt_power: float = 0.5
    hold: tuple[float, float] = (0.1, 0.45)
    outlier: float = 1.5
    lively: float = 0.04
    livelier_solid: float = 4.0
    livelier_fluid: float = 2.0
    asked_share: float = 0.7
    asked_speed: float = 0.03
    seeable: float = 0.4
    calibration: tuple[float, float] = (0.25, 4.0)
    fluid: tuple[float, float] = (0.35, 0.65)
    rigid: tuple[float, float] = (0.58, 0.82)
    sooner: float = 0.1
    sure: float = 0.6
    stiff: float = 5.0
    reach: float = 20.0
    connected: float = 0.3
    stroke_soft: float = 1.2
    stroke_spread: float = 2.0
    body_share: float = 0.3


FIRST = Steering()
"""What bundles of the first edition, which do not state them, were steered by."""
