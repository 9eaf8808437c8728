"""What a scene says about a shot: what holds, what flows, and which thing a stroke drives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vivant.asset import Assets
from vivant.clip import Floats, Frame, Picture, Plane
from vivant.controls.kinds import HoldKind, MoveKind
from vivant.controls.stroke import Stroke
from vivant.kinds import HOLDING, INDEX, KINDS, WATERS
from vivant.media.resize import cut_share
from vivant.motion.firm import firm_in_water
from vivant.motion.sampler import Seen
from vivant.rendering.manners.flyers import found_in
from vivant.request import Request, Runtime
from vivant.scene import eyes
from vivant.scene.aurora import aurora_in
from vivant.scene.calm import calm_sky
from vivant.scene.falling import Falling, falling, glowing
from vivant.scene.guests import Guests
from vivant.scene.mattes import Mattes, thing_matte
from vivant.scene.mirrors import mirroring
from vivant.scene.record import Scene
from vivant.scene.righted import righted

FLOWING = ("sky", "water", "fall", "fire", "smoke")
DRIVEN = ("being", "vehicle", "object", "cloth")
"""Kinds whose things leave their place whole under a stroke."""
MAY_MOVE = ("plant", "cloth", "water", "fall", "smoke", "sky", "fire")
"""What a mask that moves may show."""
MAY_FLOW = ("water", "fall", "smoke")
"""What a stroke may lie on where nothing is seen to move."""
BESIDE = 0.06
"""Short sides beside a stroke that flow with it."""
FINER = 4
"""Samples on a side of a cell at which strokes are drawn."""
POURED = 0.45, 0.65
"""Share of water from which what no matte claims begins to be, and is, water."""
FOAMING = tuple(WATERS.index(name) for name in ("river", "surf"))
"""Waters that foam."""
LEAST_BODY = 0.02
"""Share of the picture from which a body of water says whether the water foams."""
DARK_AT, DARKER = 160, 24.0
"""Short side in pixels at which brightness is compared; what is darker than the water by half so
many levels is no foam."""
COVERED = 0.01
"""Share of the picture from which a mask means a kind that it lies on."""
LEAST_MOVED = 0.0005
WHOLE = 0.004
"""A picture of which less is cut away is whole."""
MOST_KEPT = 3_000_000
"""Bytes of a picture up to which what is seen in it is kept for the next sample."""
MOST_DRIVEN = 0.25
"""Share of the picture from which a thing is too large to travel."""


@dataclass(frozen=True, eq=False)
class Looked:
    """A picture's scene with its mattes at the picture's size, what falls in it, whether there is
    an ``aurora`` in its sky; ``firm`` ``[H, W]`` (255 = holds) what stands in its water, None where
    nothing does, and how much of the water, 0..1, are ``floes`` and the like; whether something
    ``flies`` in its sky, and whether that is ``calm``: no weather, so that it drifts nowhere; and
    whether ``embers`` glow beside a fire, and its water ``mirrors`` more than it shows of
    itself."""

    scene: Scene
    mattes: Mattes
    falling: Falling | None = None
    aurora: bool = False
    firm: Plane | None = None
    floes: float = 0.0
    flies: bool = False
    calm: bool = False
    embers: bool = False
    mirrors: bool = False

    def of(self, kinds: tuple[str, ...]) -> Plane:
        """The joined matte ``[H, W]`` of several kinds."""
        total = np.sum([self.mattes.of(kind).astype(np.uint16) for kind in kinds], axis=0)
        return np.asarray(np.minimum(total, 255), np.uint8)

    def holding(self, move: tuple[str, ...] = ()) -> Plane:
        """Pixels ``[H, W]`` that hold: all that no moving kind covers, 255 = holds."""
        kinds = tuple(k for k in KINDS if k not in HOLDING or k in move)
        return np.asarray(255 - self.of(kinds), np.uint8)

    def stroked(self, strokes: tuple[Stroke, ...]) -> Looked:
        """The same picture, taking strokes at their word: what lies beside one that begins on
        nothing that moves flows."""
        height, width = self.scene.grid
        short = min(height, width) * FINER
        band = np.zeros((height * FINER, width * FINER), np.uint8)
        moving = self.of(tuple(kind for kind in KINDS if kind not in HOLDING))
        for stroke in strokes:
            number = self.scene.at(*stroke.points[0])
            kind = None if number is None else self.scene.instances[number].kind
            if kind in DRIVEN or _under(moving, stroke.points[0]) > 127:
                continue
            ends = np.array(stroke.points) * (width * FINER, height * FINER)
            line = [np.round(ends).astype(np.int32)]
            cv2.polylines(band, line, False, 255, max(1, round(2 * BESIDE * short)))
        if not band.any():
            return self
        soft = cv2.GaussianBlur(band, (0, 0), BESIDE * short / 3)
        return self.moved(np.asarray(soft, np.uint8), MAY_FLOW)

    def moved(self, mask: Plane, kinds: tuple[str, ...] = MAY_MOVE) -> Looked:
        """The same picture, taking a ``mask`` ``[H, W]`` (255 = moves) at its word: what it covers
        and what holds by its kind is of the likeliest of ``kinds`` there."""
        wide = cv2.resize(mask, self.mattes.size, interpolation=cv2.INTER_LINEAR)
        moving = tuple(kind for kind in KINDS if kind not in HOLDING)
        left = np.asarray(np.minimum(wide, 255 - self.of(moving)), np.uint8)
        if (left > 127).mean() < LEAST_MOVED:
            return self
        cell = cv2.resize(left, self.scene.grid[::-1], interpolation=cv2.INTER_AREA) / 255
        shares = {k: float((self.scene.kinds[INDEX[k]] * cell).sum()) for k in kinds}
        likely = max(shares, key=lambda kind: shares[kind])
        alpha = dict(self.mattes.alpha)
        alpha[likely] = np.maximum(self.mattes.of(likely), left)
        for kind in HOLDING:
            if kind in alpha:
                alpha[kind] = np.minimum(alpha[kind], 255 - left)
        return replace(self, mattes=Mattes(alpha, self.mattes.size))

    def lies_on(self, mask: Plane | None, kind: str) -> bool:
        """Whether a ``mask`` ``[H, W]`` (255 = inside) covers more of a kind than an edge of it."""
        if mask is None:
            return False
        wide = cv2.resize(mask, self.mattes.size, interpolation=cv2.INTER_LINEAR)
        return bool(((wide > 127) & (self.mattes.of(kind) > 127)).mean() > COVERED)

    def drives(self, stroke: Stroke) -> int | None:
        """The instance that a stroke drives as a whole, None where it turns what flows."""
        return driven_in(self.scene, stroke)

    def driven(self, strokes: tuple[Stroke, ...]) -> Plane | None:
        """The things ``[H, W]`` on which strokes begin; None where there are none."""
        numbers = {self.drives(stroke) for stroke in strokes} - {None}
        planes = []
        for number in sorted(n for n in numbers if n is not None):
            kind = self.scene.instances[number].kind
            planes.append(thing_matte(self.scene, number, self.mattes.of(kind)))
        return np.maximum.reduce(planes) if planes else None


def driven_in(scene: Scene, stroke: Stroke) -> int | None:
    """The instance of a scene that a stroke drives as a whole, None where it turns what flows."""
    number = scene.at(*stroke.points[0])
    if number is None:
        return None
    one = scene.instances[number]
    return number if one.kind in DRIVEN and one.area < MOST_DRIVEN else None


def rest_of_water(looked: Looked) -> Plane:
    """Water ``[H, W]`` that belongs to no body: what a mask or a stroke asks for."""
    matte, scene = looked.mattes.of("water"), looked.scene
    taken = np.zeros(matte.shape, np.uint8)
    for body in scene.bodies:
        taken = np.maximum(taken, thing_matte(scene, body.instance, matte))
    return np.asarray(matte - np.minimum(taken, matte), np.uint8)


def poured(looked: Looked, pixels: Frame) -> Looked:
    """The same picture ``[H, W, 3]``, in which what no matte claims is water where the scene says
    so: between the stones of a stream the refiner leaves foam and spray out. What is darker than
    the water is no foam."""
    mattes = looked.mattes
    if not mattes.alpha:
        return looked
    claimed = np.sum([alpha.astype(np.uint16) for alpha in mattes.alpha.values()], axis=0)
    share = cv2.resize(
        looked.scene.kinds[INDEX["water"]], mattes.size, interpolation=cv2.INTER_LINEAR
    )
    low, high = POURED
    likely = np.clip((share - low) / (high - low), 0, 1) * 255 * _pale(pixels, mattes.of("water"))
    more = np.minimum(255 - np.minimum(claimed, 255), likely).astype(np.uint8)
    alpha = {**mattes.alpha, "water": mattes.of("water") + more}
    return replace(looked, mattes=Mattes(alpha, mattes.size))


def _pale(pixels: Frame, water: Plane) -> Floats:
    """0 where a picture ``[H, W, 3]`` is darker than its water around there, else 1, ``[H, W]``."""
    width, height = pixels.shape[1], pixels.shape[0]
    scale = min(1.0, DARK_AT / min(width, height))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(water, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    sums = cv2.GaussianBlur(np.dstack([grey * share, share]), (0, 0), DARK_AT / 12)
    usual = sums[..., 0] / np.maximum(sums[..., 1], 1e-3)
    pale = np.clip((grey - usual + DARKER) / DARKER, 0, 1).astype(np.float32)
    return np.asarray(cv2.resize(pale, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def parted(looked: Looked, pixels: Frame) -> Looked:
    """The same picture ``[H, W, 3]``, its water parted from what is firm in it."""
    foaming = 0.0
    for body in looked.scene.bodies:
        if looked.scene.instances[body.instance].area > LEAST_BODY:
            foaming = max(foaming, sum(body.character[k] for k in FOAMING))
    firm = firm_in_water(looked.mattes, pixels, foaming)
    if firm is None:
        return looked
    water = looked.mattes.of("water")
    left = np.minimum(water, 255 - firm)
    mattes = Mattes({**looked.mattes.alpha, "water": left}, looked.mattes.size)
    floes = 1 - float(left.sum()) / max(float(water.sum()), 1.0)
    return replace(looked, mattes=mattes, firm=firm, floes=floes)


def _under(plane: Plane, place: tuple[float, float]) -> int:
    height, width = plane.shape
    row, column = min(height - 1, int(place[1] * height)), min(width - 1, int(place[0] * width))
    return int(plane[row, column])


_looked: dict[tuple[str, tuple[int, int], Runtime], Looked] = {}
"""What was seen last: several samples of a picture are asked for one after the other."""


def look(
    picture: Picture,
    runtime: Runtime,
    fitted: Picture | None = None,
    scene: Scene | None = None,
) -> Looked:
    """See a picture, unless its ``scene`` is known, and bring its kinds to its own size, or to that
    of ``fitted``, the same picture scaled, where nothing of it was cut away."""
    whole = fitted is not None and cut_share(picture.size, fitted.size) < WHOLE
    shown = fitted if fitted is not None and whole else picture
    key = (picture.sha256, shown.size, runtime)
    known = _looked.get(key) if scene is None else None
    if known is not None:
        return known
    told = scene_of(picture, runtime) if scene is None else scene
    mattes = eyes.mattes(told, shown.pixels, threads=runtime.threads)
    mattes = righted(mattes, shown.pixels)
    aurora = aurora_in(shown.pixels, mattes.of("sky"))
    flies = not aurora and bool(found_in(shown.pixels, mattes.of("sky")).any())
    calm = calm_sky(told, shown.pixels)
    glow = glowing(shown.pixels, mattes.of("fire"))
    mirrors = mirroring(shown.pixels, mattes.of("water"))
    looked = Looked(
        told,
        mattes,
        falling(picture),
        aurora,
        flies=flies,
        calm=calm,
        embers=glow,
        mirrors=mirrors,
    )
    looked = poured(looked, shown.pixels)
    looked = parted(looked, shown.pixels)
    if scene is None and picture.sha256 and shown.pixels.size <= MOST_KEPT:
        _looked.clear()
        _looked[key] = looked
    return looked


def scene_of(picture: Picture, runtime: Runtime) -> Scene:
    """What a picture shows, also to the networks that the user added."""
    guests = Guests(runtime.depth, runtime.kinds)
    return eyes.scene_of(picture, runtime.threads, guests)


def asked_kinds(request: Request) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kinds that shall hold, and those that shall move."""
    hold = tuple(control.kind for control in request.all(HoldKind))
    move = tuple(control.kind for control in request.all(MoveKind))
    return hold, move


MOVING = tuple(kind for kind in KINDS if kind not in HOLDING)
"""Kinds that move by themselves."""
LEAST_SEEN = 0.006
"""Share of the picture from which a kind is there."""


def kind_notes(request: Request, assets: Assets, runtime: Runtime) -> list[str]:
    """Kinds that are asked for and not there."""
    hold, move = asked_kinds(request)
    if not hold + move:
        return []
    scene = scene_of(assets.picture(request.keyframes[0].image), runtime)
    there = [kind for kind, share in scene.shares().items() if share > LEAST_SEEN]
    missing = [kind for kind in dict.fromkeys(hold + move) if kind not in there]
    return [f"No {kind} is seen in the picture: --hold and --move {kind} change nothing; seen are"
            f" {', '.join(there)}." for kind in missing]  # fmt: skip


def enriched(seen: Seen, scene: Scene) -> Seen:
    """What the encoder saw, its guesses at what flows, holds and moves replaced by the scene's."""
    grid = (seen.speed.shape[0], seen.speed.shape[1])

    def sized(values: Floats) -> Floats:
        return np.asarray(cv2.resize(values, grid[::-1], interpolation=cv2.INTER_AREA), np.float32)

    return replace(
        seen,
        speed=np.exp(np.clip(sized(scene.log_speed), -7, 0)),
        moving=sized(scene.moving),
        fluid=cells(scene, FLOWING, grid),
        rigid=cells(scene, HOLDING, grid),
    )


def cells(scene: Scene, kinds: tuple[str, ...], grid: tuple[int, int]) -> Floats:
    """Share 0..1 of some kinds on ``grid`` cells."""
    share = np.sum([scene.kinds[INDEX[kind]] for kind in kinds], axis=0)
    return np.asarray(cv2.resize(share, grid[::-1], interpolation=cv2.INTER_AREA), np.float32)
