"""From a scene to a motion: which manner each layer moves by, its constants drawn by the seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from math import cos, hypot, radians, sin

import cv2
import numpy as np

from vivant.clip import Floats, Plane
from vivant.controls.stroke import Stroke
from vivant.kinds import INDEX
from vivant.motion import currents
from vivant.motion.asked import Asked
from vivant.motion.currents import Arrow
from vivant.motion.draws import Draws
from vivant.motion.floating import floating
from vivant.motion.held import Looked, rest_of_water
from vivant.motion.layered import REST, LayerMotion, Motion, seed_of
from vivant.motion.priors import PRIORS, Priors
from vivant.rendering.manners.aurora import Aurora
from vivant.rendering.manners.bob import Bob
from vivant.rendering.manners.current import Current
from vivant.rendering.manners.drift import Drift
from vivant.rendering.manners.flame import Flame
from vivant.rendering.manners.flight import Flight
from vivant.rendering.manners.particles import EMBERS, RAIN, Particles
from vivant.rendering.manners.stream import SMOKE, Stream
from vivant.rendering.manners.surface import Surface
from vivant.rendering.manners.sway import Sway
from vivant.rendering.manners.waves import Waves
from vivant.scene.mattes import thing_matte
from vivant.scene.record import WaterBody

FALL = Stream()
STILL = (1.0, 0.0, 0.0, 0.0)
"""Character of water of which nothing is known."""
MIRRORED = 0.05
"""What is coarser than so many short sides on a river is taken to be mirrored there."""
FOG, PLUME = 15.0, 62.0
"""Degrees above the horizon at which fog, which is wide, and smoke, which is tall, go by
themselves."""
WIDE = 2.2
"""Width over height from which smoke is fog."""
MOST_ASIDE = {"sea": 80.0, "surf": 35.0}
"""Degrees from straight towards the viewer at which waves still come: surf rolls in to its shore,
an open sea goes nearly any way but back."""
MOST_LEAN = 30.0
"""Degrees from straight down at which snow falls in a wind from the side."""
EMBER_FLUTTER = 0.012
"""Short sides by which embers waver."""
FLOES, CALM = 0.22, 0.4
"""Share of the water that is firm from which it is full of floes, and how rough it still is."""
LEAST_BODY = 0.002
"""Share of the picture from which a body of water flows in a way of its own."""


def choose(looked: Looked, asked: Asked, priors: Priors = PRIORS) -> Motion:
    """What every layer of a scene does; the same seed gives the same motion, and what is asked of
    one layer does not change the others."""
    wind = _wind(asked, priors)
    layers = [
        *_sky(looked, asked, priors, wind),
        *_waters(looked, asked, priors, wind),
        *_falls(looked, asked, priors),
        *_smoke(looked, asked, priors, wind),
        *_swaying(looked, asked, priors, wind),
        *_fires(looked, asked, priors),
        *_boats(looked, asked),
        *_birds(looked, asked, priors),
        *_snow(looked, asked, priors),
        *_embers(looked, asked, priors),
    ]
    kept = [layer for layer in layers if asked.strength(layer.kind) > 0]
    return Motion(tuple(kept), {"seed": str(asked.seed)})


def _wind(asked: Asked, priors: Priors) -> tuple[float, float]:
    """Heading in degrees on the ground plane and metres a second, for the whole picture."""
    rng = Draws(asked.seed, "wind")
    heading, speed = priors.towards.draw(rng), priors.wind.draw(rng)
    if rng.random() < priors.lateral:
        heading = 540 - heading  # the other side of straight towards the viewer
    return (
        heading if asked.wind is None else asked.wind,
        speed if asked.wind_speed is None else asked.wind_speed,
    )


def _sky(
    looked: Looked, asked: Asked, priors: Priors, wind: tuple[float, float]
) -> Iterator[LayerMotion]:
    matte = looked.mattes.of("sky")
    if not matte.any():
        return
    seed, rng = seed_of(asked.seed, "sky"), Draws(asked.seed, "sky")
    speed, rise = priors.sky_speed.draw(rng), priors.sky_rise.draw(rng)
    if looked.aurora:
        pace = min(max(speed / priors.sky_speed.median, 0.7), 1.5)  # clouds differ much more
        yield LayerMotion("sky", "sky", Aurora().scaled(pace * asked.strength("sky")), seed)
        return
    side = 1.0 if rng.random() < priors.lateral else -1.0
    climb = radians(priors.sky_climb.draw(rng))
    way, rise = speed, rise + speed * sin(climb)
    speed *= cos(climb)
    if asked.wind is not None:  # clouds go as the wind does, towards the viewer means up
        across, away = cos(radians(asked.wind)), sin(radians(asked.wind))
        speed, side = way * max(abs(across), 0.15), 1.0 if across >= 0 else -1.0
        rise = -0.35 * away * priors.sky_speed.median
    if asked.wind_speed is not None:
        force = (asked.wind_speed / priors.wind.median) ** 0.5
        speed, way = speed * force, way * force
    drawn = _arrows(asked, matte)
    if looked.calm and not drawn and "sky" not in {*asked.flows, *asked.strengths}:
        return
    drift = Drift(speed=side * speed, rise=rise)
    if "sky" in asked.flows:
        turn = radians(asked.flows["sky"])
        drift = replace(drift, speed=way * cos(turn), rise=way * sin(turn))
    if drawn:
        across, down = np.mean([arrow.velocity for arrow in drawn], axis=0)
        drift = replace(drift, speed=float(across), rise=float(-down))
    yield LayerMotion("sky", "sky", drift.scaled(asked.strength("sky")), seed)


def _waters(
    looked: Looked, asked: Asked, priors: Priors, wind: tuple[float, float]
) -> Iterator[LayerMotion]:
    matte = looked.mattes.of("water")
    scene = looked.scene
    for number, body in enumerate(scene.bodies):
        if scene.instances[body.instance].area < LEAST_BODY:
            continue
        own = thing_matte(scene, body.instance, matte)
        if own.any():
            bed = np.maximum(own, bed_of(looked, body))
            mirrors = looked.mirrors and body.name == "river"
            like = replace(body, character=STILL) if mirrors else body
            made = _water(f"water {number}", like, bed, asked, priors, wind)
            yield among_floes(made) if looked.floes > FLOES and not asked.strokes else made
    rest = rest_of_water(looked)
    if (rest > 127).mean() > LEAST_BODY:
        unknown = WaterBody(REST, STILL, ((0.5, 0.0), (0.5, 1.0)))
        yield _water("water", unknown, rest, asked, priors, wind)


def among_floes(water: LayerMotion) -> LayerMotion:
    """The same water among floes, which would tear it: it goes nowhere and hardly waves."""
    waves = water.manner.waves
    calm = Surface(None, None if waves is None else waves.scaled(CALM))
    return replace(water, manner=calm, velocity=None)


def bed_of(looked: Looked, body: WaterBody) -> Plane:
    """Where a body of water flows, ``[H, W]``: coarser than what is seen of it between stones."""
    scene = looked.scene
    share = scene.kinds[INDEX["water"]] * (scene.parts == body.instance)
    wide = cv2.resize(share, looked.mattes.size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(255 * 1.6 * wide, 0, 255), np.uint8)


def _water(
    name: str,
    body: WaterBody,
    matte: Plane,
    asked: Asked,
    priors: Priors,
    wind: tuple[float, float],
) -> LayerMotion:
    seed, rng = seed_of(asked.seed, name), Draws(asked.seed, name)
    strength = asked.strength("water")
    waves = Waves(heading=wind[0], wind=wind[1])
    arrows = _arrows(asked, matte)
    if body.name == "still":
        waves = replace(waves, shift=priors.lake_shift.draw(rng), glint=priors.lake_glint)
    elif body.name == "river":
        waves = replace(waves, shift=priors.river_shift.draw(rng), glint=priors.river_glint)
    else:
        waves = replace(waves, shift=priors.sea_shift.draw(rng), glint=priors.sea_glint)
    velocity = _current(body, matte, asked, priors, wind[0], rng)
    if arrows:
        base = currents.straight(matte, 0.001, 270.0) if velocity is None else velocity
        velocity = currents.turned(base, matte, arrows)
    mirrors = MIRRORED if body.name in ("river", "still") else 0.0
    current = None if velocity is None else Current(carries=mirrors)
    surface = Surface(current, waves.scaled(strength * _rough(asked, priors)))
    if velocity is not None:
        velocity = np.asarray(velocity * np.float32(strength), np.float32)
    return LayerMotion(name, "water", surface, seed, body.instance, velocity)


def _current(
    body: WaterBody,
    matte: Plane,
    asked: Asked,
    priors: Priors,
    heading: float,
    rng: Draws,
) -> Floats | None:
    """Which way a body of water flows, and how fast; None where it does not."""
    speeds = {"river": priors.river_speed, "sea": priors.sea_speed, "surf": priors.surf_speed}
    prior = speeds.get(body.name)
    if "water" in asked.flows:
        speed = (prior or priors.river_speed).draw(rng)
        return currents.straight(matte, speed, asked.flows["water"])
    if prior is None:
        return None
    speed = prior.draw(rng)
    if body.name == "river":
        ends = body.ends[::-1] if rng.random() < priors.river_back else body.ends
        return currents.river(matte, (ends[0], ends[1]), speed)
    most = MOST_ASIDE[body.name]
    aside = float(np.clip((heading - 90) % 360 - 180, -most, most))
    return currents.open_water(matte, speed, 270 + aside)


def _rough(asked: Asked, priors: Priors) -> float:
    """How rough a wind that was asked for makes the water."""
    if asked.wind_speed is None:
        return 1.0
    return float(np.clip((asked.wind_speed / priors.wind.median) ** 0.8, 0.1, 3.0))


def _falls(looked: Looked, asked: Asked, priors: Priors) -> Iterator[LayerMotion]:
    matte = looked.mattes.of("fall")
    if not matte.any():
        return
    seed = seed_of(asked.seed, "fall")
    speed = priors.fall_speed.draw(Draws(asked.seed, "fall"))
    velocity = currents.fall(matte, speed)
    if "fall" in asked.flows:
        velocity = currents.straight(matte, speed, asked.flows["fall"])
    velocity = _drawn(velocity, matte, asked)
    strength = asked.strength("fall")
    yield LayerMotion("fall", "fall", FALL, seed, None, velocity * np.float32(strength))


def _smoke(
    looked: Looked, asked: Asked, priors: Priors, wind: tuple[float, float]
) -> Iterator[LayerMotion]:
    """Smoke rises and leans with the wind; fog, which is wide, goes with it."""
    matte = looked.mattes.of("smoke")
    if not matte.any():
        return
    seed, rng = seed_of(asked.seed, "smoke"), Draws(asked.seed, "smoke")
    across = cos(radians(wind[0]))
    speed, rise = priors.smoke_speed.draw(rng), PLUME
    if is_fog(matte):
        speed, rise = priors.fog_speed.draw(rng), FOG + priors.fog_lean.draw(rng)
    lean = asked.flows.get("smoke", rise if across >= 0 else 180 - rise)
    velocity = _drawn(currents.plume(matte, speed, lean), matte, asked)
    strength = asked.strength("smoke")
    smoke = SMOKE.scaled(strength)
    yield LayerMotion("smoke", "smoke", smoke, seed, None, velocity * np.float32(strength))


def is_fog(matte: Plane) -> bool:
    """Whether what is seen of smoke ``[H, W]`` is wide, as fog is."""
    rows, columns = (float((matte > 127).any(axis).sum()) for axis in (1, 0))
    return columns > WIDE * rows


def _fires(looked: Looked, asked: Asked, priors: Priors) -> Iterator[LayerMotion]:
    """All flames are one layer: a trunk before a fire parts what is seen of it, not the fire."""
    if not looked.mattes.of("fire").any():
        return
    seed = seed_of(asked.seed, "fire")
    pace = priors.flame_speed.draw(Draws(asked.seed, "fire")) / priors.flame_speed.median
    flame = Flame(rise=Flame().rise * pace).scaled(asked.strength("fire"))
    yield LayerMotion("fire", "fire", flame, seed)


def _boats(looked: Looked, asked: Asked) -> Iterator[LayerMotion]:
    """What floats goes with its water; the longer, the slower and the less."""
    if not looked.mattes.of("water").any() or asked.strength("water") == 0:
        return
    driven = {looked.drives(stroke) for stroke in asked.strokes}
    for number, one in enumerate(floating(looked)):
        own = looked.scene.at(*one.place)
        if own is not None and own in driven:
            continue  # it goes where the stroke leads it
        name = f"boat {number}"
        size = max(one.width, 0.02)
        bob = Bob(
            place=one.place,
            heave=min(0.02 * size, 0.005),
            surge=min(0.01 * size, 0.0025),
            roll=float(np.clip(0.9 * (0.3 / size) ** 0.5, 0.4, 2.2)),
            rate=float(np.clip(0.32 * (0.3 / size) ** 0.4, 0.2, 0.6)),
        )
        yield LayerMotion(name, "vehicle", bob.scaled(asked.strength("water")),
                          seed_of(asked.seed, name))  # fmt: skip


def _birds(looked: Looked, asked: Asked, priors: Priors) -> Iterator[LayerMotion]:
    """What flies goes with the sky: it is held and strengthened with it."""
    if not looked.flies:
        return
    rng = Draws(asked.seed, "birds")
    speed = priors.bird_speed.draw(rng) * (1.0 if rng.random() < 0.5 else -1.0)
    flight = Flight(speed).scaled(asked.strength("sky"))
    yield LayerMotion("birds", "sky", flight, seed_of(asked.seed, "birds"))


def _snow(looked: Looked, asked: Asked, priors: Priors) -> Iterator[LayerMotion]:
    """What falls goes with the sky: it is held and strengthened with it."""
    if looked.falling is None:
        return
    seed, lean = seed_of(asked.seed, "snow"), looked.falling.lean
    if asked.wind is not None:
        lean = MOST_LEAN * cos(radians(asked.wind))
    draws = Draws(asked.seed, "snow")
    if looked.falling.rains:
        falls = Particles(priors.rain_speed.draw(draws), lean, flutter=0.0, of=RAIN)
    else:
        falls = Particles(priors.snow_speed.draw(draws), lean)
    yield LayerMotion("snow", "sky", falls.scaled(asked.strength("sky")), seed)


def _embers(looked: Looked, asked: Asked, priors: Priors) -> Iterator[LayerMotion]:
    """What glows above a fire rises with it."""
    if not looked.embers or looked.falling is not None:
        return
    draws = Draws(asked.seed, "embers")
    lean = 0.0 if asked.wind is None else MOST_LEAN * cos(radians(asked.wind))
    rise = Particles(priors.ember_speed.draw(draws), lean, EMBER_FLUTTER, of=EMBERS)
    yield LayerMotion(
        "embers", "fire", rise.scaled(asked.strength("fire")), seed_of(asked.seed, "embers")
    )


def _swaying(
    looked: Looked, asked: Asked, priors: Priors, wind: tuple[float, float]
) -> Iterator[LayerMotion]:
    """Plants from their foot, cloth from where it hangs, all under the same wind."""
    side = 0.0 if cos(radians(wind[0])) >= 0 else 180.0
    force = 1.0 if asked.wind_speed is None else (asked.wind_speed / priors.wind.median) ** 0.8
    for kind in ("plant", "cloth"):
        matte = looked.mattes.of(kind)
        if not matte.any():
            continue
        seed, rng = seed_of(asked.seed, kind), Draws(asked.seed, kind)
        size = priors.sway.draw(rng) / priors.sway.median * force
        sway = Sway(rate=priors.sway_rate.draw(rng), heading=side)
        if kind == "cloth":
            sway = replace(sway, foot=0.0, lean=0.006, swing=0.005, rate=sway.rate * 1.3)
        drawn = _arrows(asked, matte)
        if drawn:
            sway = replace(sway, heading=0.0 if drawn[0].velocity[0] >= 0 else 180.0)
        yield LayerMotion(kind, kind, sway.scaled(size * asked.strength(kind)), seed)


def _drawn(velocity: Floats, matte: Plane, asked: Asked) -> Floats:
    """A field as strokes on its layer turn it."""
    arrows = _arrows(asked, matte)
    return currents.turned(velocity, matte, arrows) if arrows else velocity


def _arrows(asked: Asked, matte: Plane) -> tuple[Arrow, ...]:
    """The parts of strokes that lie on a matte ``[H, W]``."""
    height, width = matte.shape
    found = []
    for stroke in asked.strokes:
        for place, velocity in _pieces(stroke, width / height, asked.seconds):
            x, y = min(width - 1, int(place[0] * width)), min(height - 1, int(place[1] * height))
            if matte[y, x] > 127:
                found.append(Arrow(place, velocity))
    return tuple(found)


def _pieces(
    stroke: Stroke, aspect: float, seconds: float
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Places along a stroke and the velocity there, short sides a second."""
    sides = max(aspect, 1.0), max(1 / aspect, 1.0)
    points = [(x * sides[0], y * sides[1]) for x, y in stroke.points]
    total = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points))
    speed = total / (stroke.seconds or seconds)
    for a, b in pairwise(points):
        length = hypot(b[0] - a[0], b[1] - a[1])
        if length == 0:
            continue
        way = ((b[0] - a[0]) / length * speed, (b[1] - a[1]) / length * speed)
        count = max(2, round(length / 0.03))
        for k in range(count):
            share = (k + 0.5) / count
            x, y = a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
            yield (x / sides[0], y / sides[1]), way
