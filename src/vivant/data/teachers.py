"""Segmentation teachers: soft labels of a picture from other networks, for training only.

The networks are read from a folder that the user names and are no part of the project:
MOSAIC R4 (31 common classes of ADE20K), DeepLab (PASCAL VOC), a sky network, a person matte, a
hair network and a face detector. Each is asked several times (mirrored, at another aspect, on
crops) and the answers are averaged: what stays is a soft label, and its sureness a weight.
Needs ``ai-edge-litert`` and ``ncnn``, which the extra ``[teachers]`` brings.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats, Frame
from vivant.errors import UsageError

MOSAIC = [
    "other",
    "wall",
    "building",
    "sky",
    "floor",
    "tree",
    "ceiling",
    "road",
    "bed",
    "window",
    "grass",
    "cabinet",
    "sidewalk",
    "person",
    "earth",
    "door",
    "table",
    "mountain",
    "plant",
    "curtain",
    "chair",
    "car",
    "water",
    "painting",
    "sofa",
    "shelf",
    "house",
    "sea",
    "mirror",
    "rug",
    "field",
    "armchair",
]
VOC = [
    "background",
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "table",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "monitor",
]
CREATURES = ("bird", "cat", "cow", "dog", "horse", "person", "sheep")
FILES = {
    "mosaic": "mosaic_r4_uint8.tflite",
    "voc": "deeplab_voc.tflite",
    "person": "selfie_general.tflite",
    "face": "face_detect_short.tflite",
    "hair": "hair.tflite",
    "sky": "sky_u2netp_fp16",
}
CROP = 0.6
SKY_MEAN = (123.675, 116.28, 103.53)
SKY_SCALE = (1 / 58.395, 1 / 57.12, 1 / 57.375)
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class SoftLabels:
    """What the teachers say of one picture, each ``[.., h, w]`` uint8, 255 = sure.

    ``mosaic`` ``[32, h, w]`` and ``voc`` ``[21, h, w]`` shares of the votes; ``sky`` ``[h, w]``
    chance of sky, and ``sky_doubt`` 0..255 its mean difference to the mirrored run; ``person``
    and ``hair`` ``[h, w]`` mattes, 0 where nobody was seen.
    """

    mosaic: Bytes
    voc: Bytes
    sky: Bytes
    sky_doubt: Bytes
    person: Bytes
    hair: Bytes


@dataclass(frozen=True)
class Teachers:
    """The opened networks, ready to be asked."""

    mosaic: Any
    voc: Any
    person: Any
    face: Any
    hair: Any
    sky: Any


def open_teachers(folder: Path, threads: int = 1) -> Teachers:
    """Open every teacher of ``folder``; raises UsageError where a file or a package is missing."""
    for name in (*FILES.values(), FILES["sky"] + ".param", FILES["sky"] + ".bin"):
        if name != FILES["sky"] and not (folder / name).is_file():
            raise UsageError(f"The teachers' folder {folder} lacks {name}.")
    try:
        import ncnn
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise UsageError(f"Labels by teachers need {error.name}: install vivant[teachers].") from (
            error
        )

    def lite(name: str) -> Any:
        interpreter = Interpreter(model_path=str(folder / FILES[name]), num_threads=threads)
        interpreter.allocate_tensors()
        return interpreter

    sky = ncnn.Net()
    sky.opt.num_threads = threads
    sky.load_param(str(folder / (FILES["sky"] + ".param")))
    sky.load_model(str(folder / (FILES["sky"] + ".bin")))
    hair = cv2.dnn.readNetFromTFLite(str(folder / FILES["hair"]))
    return Teachers(lite("mosaic"), lite("voc"), lite("person"), lite("face"), hair, sky)


def ask(teachers: Teachers, pixels: Frame, short: int = 128) -> SoftLabels:
    """Soft labels of a picture ``[H, W, 3]`` on a grid of ``short`` cells on its short side."""
    height, width = pixels.shape[:2]
    scale = short / min(height, width)
    h, w = round(height * scale), round(width * scale)
    mosaic = _mosaic_with_crops(teachers, pixels, h, w)
    voc = (_voc(teachers, pixels, h, w) + _voc(teachers, mirrored(pixels), h, w)[..., ::-1]) / 2
    sky, back = (_sky(teachers, p, h, w) for p in (pixels, mirrored(pixels)))
    doubt = abs(sky - back[:, ::-1]).mean()
    somebody = mosaic[MOSAIC.index("person")] + sum(voc[VOC.index(c)] for c in CREATURES)
    near = _near(np.asarray(somebody > 0.5), short)
    person = _person(teachers, pixels, h, w) * near
    return SoftLabels(
        mosaic=_bytes(mosaic),
        voc=_bytes(voc),
        sky=_bytes((sky + back[:, ::-1]) / 2),
        sky_doubt=_bytes(np.float32(doubt)),
        person=_bytes(person),
        hair=_bytes(_hair(teachers, pixels, h, w) * near),
    )


def mirrored(pixels: Frame) -> Frame:
    """A picture seen in a mirror."""
    return np.ascontiguousarray(pixels[:, ::-1])


def _bytes(values: Any) -> Bytes:
    return np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)


def _near(where: NDArray[np.bool_], short: int) -> Floats:
    """1 within a tenth of the short side of ``where``."""
    size = 2 * (short // 10) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(where.astype(np.float32), kernel), np.float32)


def _run(interpreter: Any, values: NDArray[Any]) -> list[NDArray[Any]]:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values[None])
    interpreter.invoke()
    outputs = interpreter.get_output_details()
    return [interpreter.get_tensor(detail["index"])[0] for detail in outputs]


def _sized(pixels: Frame, width: int, height: int) -> Frame:
    shrinks = pixels.shape[0] > height
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), np.uint8)


def _mosaic_with_crops(teachers: Teachers, pixels: Frame, h: int, w: int) -> Floats:
    """Shares ``[32, h, w]``: the whole picture counts once, each of four crops once."""
    height, width = pixels.shape[:2]
    total = _mosaic(teachers, pixels, h, w, letterbox=True)
    count = np.ones((h, w), np.float32)
    ch, cw = round(CROP * h), round(CROP * w)
    for top in (0, h - ch):
        for left in (0, w - cw):
            y0, y1 = top * height // h, (top + ch) * height // h
            x0, x1 = left * width // w, (left + cw) * width // w
            crop = np.ascontiguousarray(pixels[y0:y1, x0:x1])
            part = np.s_[top : top + ch, left : left + cw]
            total[(slice(None), *part)] += _mosaic(teachers, crop, ch, cw, letterbox=False)
            count[part] += 1
    return np.asarray(total / count, np.float32)


def _mosaic(teachers: Teachers, pixels: Frame, h: int, w: int, *, letterbox: bool) -> Floats:
    """Mean one-hot answer over the mirrored picture and, if asked, a letterboxed input."""
    views = []
    for mirror in (False, True):
        view = mirrored(pixels) if mirror else pixels
        answers = [_mosaic_classes(teachers, view)]
        if letterbox:
            answers.append(_letterboxed(teachers, view))
        views += [a[:, ::-1] if mirror else a for a in answers]
    planes = np.zeros((len(MOSAIC), h, w), np.float32)
    for answer in views:
        for k in np.unique(answer):
            plane = np.ascontiguousarray(answer == k).astype(np.float32)
            planes[k] += cv2.resize(plane, (w, h), interpolation=cv2.INTER_AREA) / len(views)
    return planes


def _mosaic_classes(teachers: Teachers, pixels: Frame) -> NDArray[np.int32]:
    return np.asarray(_run(teachers.mosaic, _sized(pixels, 512, 512))[0], np.int32)


def _letterboxed(teachers: Teachers, pixels: Frame) -> NDArray[np.int32]:
    height, width = pixels.shape[:2]
    side = max(height, width)
    box = cv2.copyMakeBorder(pixels, 0, side - height, 0, side - width, cv2.BORDER_REFLECT_101)
    inside = round(512 * height / side), round(512 * width / side)
    return _mosaic_classes(teachers, np.asarray(box, np.uint8))[: inside[0], : inside[1]]


def _voc(teachers: Teachers, pixels: Frame, h: int, w: int) -> Floats:
    logits = _run(teachers.voc, _sized(pixels, 257, 257).astype(np.float32) / 127.5 - 1)[0]
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    shares = odds / odds.sum(-1, keepdims=True)
    wide = [cv2.resize(shares[..., k], (w, h)) for k in range(len(VOC))]
    return np.stack(wide).astype(np.float32)


def _sky(teachers: Teachers, pixels: Frame, h: int, w: int) -> Floats:
    import ncnn

    with teachers.sky.create_extractor() as extractor:
        image = ncnn.Mat.from_pixels(_sized(pixels, 384, 384), 1, 384, 384)
        image.substract_mean_normalize(SKY_MEAN, SKY_SCALE)
        extractor.input("input.1", image)
        chance = np.array(extractor.extract("1959")[1])
    return np.asarray(cv2.resize(chance.reshape(384, 384), (w, h)), np.float32)


def _person(teachers: Teachers, pixels: Frame, h: int, w: int) -> Floats:
    matte = _run(teachers.person, _sized(pixels, 256, 256).astype(np.float32) / 255)[0]
    return np.asarray(cv2.resize(matte.reshape(256, 256), (w, h)), np.float32)


def _hair(teachers: Teachers, pixels: Frame, h: int, w: int) -> Floats:
    """Hair on square crops three face boxes wide, put back into the picture's grid."""
    height, width = pixels.shape[:2]
    out = np.zeros((h, w), np.float32)
    for x, y, size in faces(teachers, pixels):
        half = 1.5 * size
        x0, x1 = max(0, round(x - half)), min(width, round(x + half))
        y0, y1 = max(0, round(y - half)), min(height, round(y + half))
        if min(x1 - x0, y1 - y0) < 16:
            continue
        crop = _sized(pixels[y0:y1, x0:x1], 512, 512).astype(np.float32) / 255
        planes = np.concatenate([crop, np.zeros((512, 512, 1), np.float32)], axis=2)
        teachers.hair.setInput(np.ascontiguousarray(planes.transpose(2, 0, 1)[None]))
        odds = teachers.hair.forward().reshape(2, 512, 512)
        chance = 1 / (1 + np.exp(odds[0] - odds[1]))
        cells = [round(v * n / s) for v, n, s in ((x0, w, width), (x1, w, width))]
        rows = [round(v * n / s) for v, n, s in ((y0, h, height), (y1, h, height))]
        size_in_cells = (max(1, cells[1] - cells[0]), max(1, rows[1] - rows[0]))
        patch = cv2.resize(chance, size_in_cells, interpolation=cv2.INTER_AREA)
        place = np.s_[rows[0] : rows[0] + len(patch), cells[0] : cells[0] + patch.shape[1]]
        out[place] = np.maximum(out[place], patch[: out[place].shape[0], : out[place].shape[1]])
    return out


def faces(
    teachers: Teachers, pixels: Frame, least: float = 0.6
) -> list[tuple[float, float, float]]:
    """Faces within about 2 m: centre x, y and size in pixels (single-shot detector on 896
    anchors of strides 8 and 16; overlapping answers are merged)."""
    small = _sized(pixels, 128, 128).astype(np.float32) / 127.5 - 1
    boxes, scores = sorted(_run(teachers.face, small), key=lambda a: -a.shape[-1])
    chance = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -50, 50)))
    anchors = np.concatenate([_anchors(16, 2), _anchors(8, 6)])
    found: list[tuple[float, float, float]] = []
    for k in np.argsort(-chance):
        if chance[k] < least:
            break
        x, y = anchors[k] + boxes[k, :2] / 128
        x, y = float(x * pixels.shape[1]), float(y * pixels.shape[0])
        size = float(max(boxes[k, 2] * pixels.shape[1], boxes[k, 3] * pixels.shape[0]) / 128)
        if all(np.hypot(x - a, y - b) > 0.5 * max(size, s) for a, b, s in found):
            found.append((x, y, size))
    return found


def _anchors(cells: int, each: int) -> Floats:
    centres = (np.arange(cells) + 0.5) / cells
    x, y = np.meshgrid(centres, centres)
    grid = np.stack([x.ravel(), y.ravel()], axis=1)
    return np.repeat(grid, each, axis=0).astype(np.float32)
