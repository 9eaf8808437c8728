"""Photographs with lettering, marks and panels laid over them, and where those are, exactly.

Drawn text is how detectors of text are taught where labelled text is scarce (Gupta, Vedaldi and
Zisserman, "Synthetic Data for Text Localisation in Natural Images", CVPR 2016); here it is not
fitted to the scene, since what is wanted is what was laid over it afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vivant.clip import Floats, Frame
from vivant.files import listed

STRIDE = 4
"""Pixels to a cell of the answer."""
VISIBLE = 8
"""Levels from which lettering is told from what is behind it."""
LOW, HIGH = 9, 72
"""Sizes of a font in pixels."""
SCRIPTS = {
    "latin": "aaabcdeeeefghiijklmnnoopqrrsstttuvwxyzABCDEFGHIJKLMNOPRSTUVWZ0123456789.,!?:-@#&éüß",
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗИКЛМНОПРСТ",
    "han": "".join(chr(code) for code in range(0x4E00, 0x9FA0, 7)),
    "kana": "".join(chr(code) for code in range(0x3042, 0x30F6)),
    "hangul": "".join(chr(code) for code in range(0xAC00, 0xD7A0, 11)),
    "signs": "←↑→↓↔⇒∞≈■▲▶▼◀●◆★☆☎☺♠♣♥♪✂✈✉✓✗❤➤",
    "icons": "".join(chr(code) for code in range(0xF001, 0xF2E0, 3)),
}
SHARES = {"latin": 0.55, "cyrillic": 0.08, "han": 0.12, "kana": 0.05, "hangul": 0.05, "signs": 0.05,
          "icons": 0.1}  # fmt: skip
"""How often each script is drawn."""
FONT_OF_MARKS = ("signs", "icons")


@dataclass(frozen=True)
class Lettered:
    """``image`` ``[S, S, 3]`` 0..1; of each cell ``[S / 4, S / 4]`` whether anything ``laid`` over
    the scene is in it, and the ``trust`` in that, both 0..1."""

    image: Floats
    laid: Floats
    trust: Floats


@dataclass(frozen=True)
class Typeface:
    """A font's file and one script that it has signs for."""

    path: str
    script: str


@dataclass(frozen=True)
class Layer:
    """Something to be laid over: its masks 0..1 ``[h, w]`` from the back to the front, each with
    its colour; ``hold`` ``[h, w]`` is what of it counts, ``soft`` a shadow that may be held."""

    parts: tuple[tuple[Floats, tuple[float, float, float]], ...]
    hold: Floats
    soft: Floats


def typefaces(folder: Path) -> list[Typeface]:
    """Every script of every font (.ttf, .otf) in a folder."""
    paths = [path for ending in ("*.ttf", "*.otf") for path in listed(folder, ending)]
    return [
        Typeface(str(path), script)
        for path in paths
        for script, signs in SCRIPTS.items()
        if _has(str(path), signs[len(signs) // 2] + signs[len(signs) // 3])
    ]


def lettered(
    rng: np.random.Generator,
    photographs: Sequence[Frame],
    faces: Sequence[Typeface],
    side: int = 256,
) -> Lettered:
    """A part of a photograph, three times in four with something over it."""
    fine = float(rng.choice([1.0, 1.0, 1.5, 2.0]))
    full = round(side * fine)
    picture = _part(rng, photographs[int(rng.integers(len(photographs)))], full)
    before = picture.copy()
    hold, soft = np.zeros((full, full), np.float32), np.zeros((full, full), np.float32)
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.25, 0.4, 0.25, 0.1]))):
        layer = _tiled(rng, faces, full) if rng.random() < 0.06 else _layer(rng, faces, fine)
        _lay(rng, picture, layer, hold, soft)
    red, green, blue = cv2.split(cv2.absdiff(picture, before))
    change = np.maximum(np.maximum(red, green), blue)
    if rng.random() < 0.7:
        picture = _compressed(picture, int(rng.integers(45, 97)))
    return _sized(picture, hold, soft, change, side)


def _sized(picture: Floats, hold: Floats, soft: Floats, change: Floats, side: int) -> Lettered:
    image = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    seen = (hold > 0.3) & (change >= VISIBLE)
    laid = _cells(seen, side)
    unsure = (_cells(hold > 0.1, side) + _cells(soft > 0.05, side) > 0) & (laid == 0)
    around = cv2.dilate(laid, np.ones((3, 3), np.uint8)) > laid
    trust = np.where(unsure, 0.0, np.where(around, 0.2, 1.0))
    return Lettered(np.clip(image / 255, 0, 1).astype(np.float32), laid, trust.astype(np.float32))


def _cells(mask: NDArray[np.bool_], side: int) -> Floats:
    """1 for cells in which anything of the mask is."""
    if mask.shape[0] != side:
        mask = cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) > 0.3
    cells = mask.reshape(side // STRIDE, STRIDE, side // STRIDE, STRIDE)
    return np.asarray(cells.any(axis=(1, 3)), np.float32)


def _part(rng: np.random.Generator, photograph: Frame, side: int) -> Floats:
    """A square part, 0..255, at 0.4 to 1.5 times the photograph's scale, sometimes mirrored."""
    short = min(photograph.shape[:2])
    cut = int(np.clip(side / np.exp(rng.uniform(np.log(0.4), np.log(1.5))), 32, short))
    y, x = (int(rng.integers(0, length - cut + 1)) for length in photograph.shape[:2])
    part = photograph[y : y + cut, x : x + cut]
    how = cv2.INTER_AREA if cut > side else cv2.INTER_CUBIC
    out = cv2.resize(part, (side, side), interpolation=how)
    if rng.random() < 0.5:
        out = out[:, ::-1]
    gain = np.exp(rng.normal(0, 0.15) + rng.normal(0, 0.04, 3))
    return np.minimum(out * gain.astype(np.float32), np.float32(255))


def _layer(rng: np.random.Generator, faces: Sequence[Typeface], fine: float) -> Layer:
    if rng.random() < 0.12:
        return _shape(rng, fine)
    size = max(8, round(fine * float(np.exp(rng.uniform(np.log(LOW), np.log(HIGH))))))
    face = _face(rng, faces)
    if face.script in FONT_OF_MARKS:
        size = max(size, round(16 * fine))
    lines = _words(rng, face, size / fine)
    rim = 0 if rng.random() < 0.5 else max(1, round(size * rng.uniform(0.02, 0.12)))
    font = _font(face.path, size)
    margin = rim + round(size * 0.45)
    ink, outline = _written(lines, font, rim, margin)
    colour = _colour(rng)
    contrary = (0.0, 0.0, 0.0) if sum(colour) > 300 else (255.0, 255.0, 255.0)
    parts: list[tuple[Floats, tuple[float, float, float]]] = []
    hold, soft = outline.copy(), np.zeros_like(ink)
    if rng.random() < 0.15:
        box = np.zeros_like(ink)
        inset = round(margin * rng.uniform(0.1, 0.6))
        box[inset : len(box) - inset, inset : box.shape[1] - inset] = rng.uniform(0.3, 1)
        parts.append((box, contrary if rng.random() < 0.7 else _colour(rng)))
        hold = np.maximum(hold, box)
    elif rng.random() < 0.25:
        shift = round(size * rng.uniform(0.02, 0.1))
        soft = np.roll(outline, (shift, shift), (0, 1))
        if rng.random() < 0.6:
            soft = cv2.GaussianBlur(soft, (0, 0), max(0.6, size * rng.uniform(0.02, 0.1)))
        soft = soft * np.float32(rng.uniform(0.4, 0.9))
        parts.append((soft, contrary))
    if rim:
        parts.append((outline, contrary if rng.random() < 0.8 else _colour(rng)))
    if rim and rng.random() < 0.12:  # an outline and nothing in it
        parts[-1] = (outline * (1 - ink), colour)
        hold = outline * (1 - ink)
    else:
        parts.append((ink, colour))
    return Layer(tuple(parts), hold, soft)


def _face(rng: np.random.Generator, faces: Sequence[Typeface]) -> Typeface:
    """A typeface of a script that is drawn first, so that every script is seen."""
    scripts = [script for script in SHARES if any(face.script == script for face in faces)]
    shares = np.array([SHARES[script] for script in scripts])
    script = rng.choice(scripts, p=shares / shares.sum())
    own = [face for face in faces if face.script == script]
    return own[int(rng.integers(len(own)))]


def _shape(rng: np.random.Generator, fine: float) -> Layer:
    """A button, a ring, a bar or a line in one colour."""
    high, wide = (round(fine * rng.uniform(10, 60)) for _ in range(2))
    image = Image.new("L", (2 * wide + 8, 2 * high + 8))
    draw, box = ImageDraw.Draw(image), (4, 4, 2 * wide + 3, 2 * high + 3)
    line = max(2, round(fine * rng.uniform(1, 5)))
    match int(rng.integers(5)):
        case 0:
            draw.rounded_rectangle(box, round(min(wide, high) * rng.uniform(0, 1)), outline=255,
                                   width=line)  # fmt: skip
        case 1:
            draw.ellipse(box, outline=255, width=line)
        case 2:
            middle = high + 4
            draw.rectangle((4, middle - line, 2 * wide + 3, middle + line), fill=255)
        case 3:
            draw.polygon([(4, 4), (2 * wide + 3, high + 4), (4, 2 * high + 3)], fill=255)
        case _:
            draw.rounded_rectangle(box, round(min(wide, high) * rng.uniform(0, 1)), fill=255)
    mask = _shares(image)
    return Layer(((mask, _colour(rng)),), mask, np.zeros_like(mask))


def _tiled(rng: np.random.Generator, faces: Sequence[Typeface], side: int) -> Layer:
    """A mark all over the picture, as agencies lay it over their previews."""
    layer = _layer(rng, [f for f in faces if f.script not in FONT_OF_MARKS], side / 256)
    height, width = layer.hold.shape
    step = (
        height + round(side * rng.uniform(0.05, 0.3)),
        width + round(side * rng.uniform(0.05, 0.3)),
    )

    def repeated(mask: Floats) -> Floats:
        tile = np.zeros(step, np.float32)
        tile[:height, :width] = mask
        return np.tile(tile, (side // step[0] + 2, side // step[1] + 2))

    parts = tuple((repeated(mask), colour) for mask, colour in layer.parts)
    return Layer(parts, repeated(layer.hold), repeated(layer.soft))


def _lay(
    rng: np.random.Generator, picture: Floats, layer: Layer, hold: Floats, soft: Floats
) -> None:
    """Put a layer into ``picture`` and what of it counts into ``hold`` and ``soft``: somewhere,
    sometimes leaning, half transparent in every second one."""
    side = len(picture)
    lean = 0.0
    if rng.random() < 0.15:
        lean = float(rng.choice([-90, -45, -30, 30, 45, 90, rng.uniform(-15, 15)]))
    opacity = np.float32(1.0 if rng.random() < 0.5 else rng.uniform(0.2, 0.85))
    height, width = layer.hold.shape
    x, y = (rng.uniform(-0.3, 1) * side - 0.5 * length for length in (width, height))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), lean, 1.0)
    turn[:, 2] += np.round([x, y])

    def placed(mask: Floats) -> Floats:
        return np.clip(cv2.warpAffine(mask, turn, (side, side)), 0, 1)

    inside = cv2.boundingRect((placed(np.ones_like(layer.hold)) > 0).astype(np.uint8))
    at = np.s_[inside[1] : inside[1] + inside[3], inside[0] : inside[0] + inside[2]]
    for mask, colour in layer.parts:
        alpha = (opacity * placed(mask)[at])[..., None]
        picture[at] += alpha * (np.array(colour, np.float32) - picture[at])
    hold[at] = np.maximum(hold[at], placed(layer.hold)[at])
    soft[at] = np.maximum(soft[at], placed(layer.soft)[at])


def _compressed(picture: Floats, quality: int) -> Floats:
    ok, data = cv2.imencode(
        ".jpg", np.round(picture[..., ::-1]).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not ok:
        raise RuntimeError("the picture could not be compressed")
    return np.asarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1], np.float32)


def _colour(rng: np.random.Generator) -> tuple[float, float, float]:
    """White, black or yellow more often than any other."""
    chance = rng.random()
    if chance < 0.45:
        white = 255.0 - int(rng.integers(0, 20))
        return white, white, white
    if chance < 0.6:
        black = float(rng.integers(0, 30))
        return black, black, black
    if chance < 0.7:
        return 255.0, float(rng.integers(200, 255)), float(rng.integers(0, 110))
    red, green, blue = (float(v) for v in rng.integers(0, 256, 3))
    return red, green, blue


def _words(rng: np.random.Generator, face: Typeface, size: float) -> list[str]:
    """One to three lines that may fit, or one or two marks."""
    signs = SCRIPTS[face.script]
    if face.script in FONT_OF_MARKS:
        return ["".join(rng.choice(list(signs), int(rng.integers(1, 3))))]
    room = max(2, int(300 / size))
    if rng.random() < 0.15:
        room = min(room, 4)
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.28, 0.12]))
    upper = rng.random() < 0.2
    lines = []
    for _ in range(count):
        text = "".join(rng.choice(list(signs), int(rng.integers(max(1, room // 3), room + 1))))
        if face.script in ("latin", "cyrillic", "hangul"):
            cuts = np.flatnonzero(rng.random(len(text)) < 0.18)
            for at in cuts[::-1]:
                text = f"{text[:at]} {text[at:]}"
        lines.append((text.upper() if upper else text).strip() or signs[0])
    return lines


def _written(
    lines: list[str], font: ImageFont.FreeTypeFont, rim: int, margin: int
) -> tuple[Floats, Floats]:
    """Ink and ink with its outline, 0..1."""
    text = "\n".join(lines)
    probe = ImageDraw.Draw(Image.new("L", (8, 8)))
    left, top, right, low = probe.multiline_textbbox((0, 0), text, font, stroke_width=rim)
    size = (round(right - left) + 2 * margin, round(low - top) + 2 * margin)
    masks = []
    for width in (0, rim):
        image = Image.new("L", size)
        ImageDraw.Draw(image).multiline_text(
            (margin - left, margin - top), text, 255, font, stroke_width=width, align="center"
        )
        masks.append(_shares(image))
    return masks[0], masks[1]


def _shares(image: Image.Image) -> Floats:
    return np.asarray(image, np.float32) * np.float32(1 / 255)


@lru_cache(maxsize=512)
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def _has(path: str, signs: str) -> bool:
    """Whether a font has these signs, and not its mark for a missing one."""
    font = _font(path, 20)
    missing = font.getmask("\uffff")
    shown = [font.getmask(sign) for sign in signs]
    return all(mask.getbbox() and bytes(mask) != bytes(missing) for mask in shown)
