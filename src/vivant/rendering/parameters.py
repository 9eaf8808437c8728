"""The parameters by which a field becomes frames.

They shape every frame, so they are part of a bundle (``rendering`` in its ``config.json``:
hashed and recorded). Bundles of the first edition do not state them and get the defaults.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rendering:
    """Pairs are the lower and upper end of a smooth step; lengths in short sides unless said.

    Work grid. ``work_short``: its short side in pixels. ``guide_radius`` (work pixels) and
    ``guide_epsilon``: the guided filter that makes the field follow the picture's edges.
    ``still_hold``: stillness from which cells begin to be held. ``follow_most``: greatest factor
    by which an edge quickens a cell. ``least_shift``: displacements under so many work pixels
    are not worth a remap.

    What drifts. ``drift_distance``: way in ``drift_seconds`` and ``drift_share``: share of the
    mean in the speed from which motion drifts rather than sways; ``drift_blur`` work pixels
    between the two. ``renewal_seconds``: a texture begins anew so often; ``renewal_takeover``:
    share of that time in which the new one takes over from the old one; ``renewal_stagger``:
    share over which the beginnings differ from place to place; ``stagger_scale``: size of such
    places. ``contrast_most``: greatest local gain that keeps contrast where two textures mix;
    ``contrast_scale``: size of the places that share one.

    What sways. ``sway_memory``: seconds in which what sways falls back to its place.

    Bodies. ``matte_short``: short side in pixels at which mattes are made; ``matte_epsilon``: of
    the guided filter; ``matte_edges``: matte that counts as 0 and 1; ``around``: short sides around
    a body that are filled, too; ``gone``: matte under which a place is no longer the body's;
    ``leave``: way after which nothing of a body's rim is left where it was.
    """

    work_short: int = 192
    guide_radius: int = 9
    guide_epsilon: float = 6e-4
    still_hold: tuple[float, float] = (0.72, 0.93)
    follow_most: float = 1.2
    least_shift: float = 0.02
    drift_distance: tuple[float, float] = (0.015, 0.05)
    drift_share: tuple[float, float] = (0.25, 0.55)
    drift_seconds: float = 2.5
    drift_blur: float = 2.0
    renewal_seconds: float = 1.1
    renewal_takeover: float = 0.4
    renewal_stagger: float = 1.0
    stagger_scale: float = 0.2
    contrast_most: float = 1.41
    contrast_scale: float = 0.03
    sway_memory: float = 4.0
    matte_short: int = 480
    matte_epsilon: float = 1e-5
    matte_edges: tuple[float, float] = (0.15, 0.85)
    around: float = 0.012
    gone: float = 0.02
    leave: float = 0.01
    least_stops: float = 0.02
    light_blur: float = 1.0
    display_gamma: float = 2.2


RENDERING = Rendering()
"""What bundles that do not state them render by."""
