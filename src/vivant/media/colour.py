"""RGB to the YCbCr of video and back: BT.709, limited range, correctly rounded.

ITU-R BT.709-6. The library converters' defaults are off by a level or more and use BT.601
where nothing is said; colours of the first frame must stay.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivant.clip import Frame

KR, KB = 0.2126, 0.0722
_LUMA = np.array([KR, 1 - KR - KB, KB])
_TO_YCC = np.array(
    [
        [*(219 / 255 * _LUMA), 16],
        [*(112 / 255 * (np.array([0, 0, 1]) - _LUMA) / (1 - KB)), 128],
        [*(112 / 255 * (np.array([1, 0, 0]) - _LUMA) / (1 - KR)), 128],
    ]
)
_FROM_YCC = np.linalg.inv(_TO_YCC[:, :3])
_FROM_YCC = np.column_stack([_FROM_YCC, -_FROM_YCC @ _TO_YCC[:, 3]])
_LEFT_SITED = np.array([[0.25, 0.5, 0.25]], np.float32)


def to_yuv420(frame: Frame) -> NDArray[np.uint8]:
    """``[H, W, 3]`` RGB, even sides, to planar 4:2:0 ``[3 H / 2, W]`` (Y, then Cb, then Cr).

    Chroma is sited to the left, as H.264 assumes where nothing is said.
    """
    height, width = frame.shape[:2]
    y, cb, cr = cv2.split(cv2.transform(frame, _TO_YCC))
    half = [_halve(plane) for plane in (cb, cr)]
    return np.concatenate([y.ravel(), *(p.ravel() for p in half)]).reshape(height * 3 // 2, width)


def to_yuv444(frame: Frame) -> NDArray[np.uint16]:
    """``[H, W, 3]`` RGB to planes Y, Cb, Cr of 10 bits, ``[3, H, W]``."""
    ten = cv2.transform(frame.astype(np.float32), _TO_YCC * 4)
    return np.ascontiguousarray(np.round(ten).astype(np.uint16).transpose(2, 0, 1))


def _halve(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    smooth = cv2.filter2D(plane, -1, _LEFT_SITED, borderType=cv2.BORDER_REPLICATE)
    even = np.ascontiguousarray(smooth[:, ::2])
    size = (even.shape[1], even.shape[0] // 2)
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8)


def from_yuv420(planes: NDArray[np.uint8], width: int, height: int) -> Frame:
    """The inverse of `to_yuv420` up to what half-size chroma loses."""
    flat = planes.ravel()
    count, quarter = width * height, width * height // 4
    chroma = [
        _double(flat[start : start + quarter].reshape(height // 2, width // 2), width, height)
        for start in (count, count + quarter)
    ]
    ycc = cv2.merge([flat[:count].reshape(height, width), *chroma])
    return np.asarray(cv2.transform(ycc, _FROM_YCC), np.uint8)


def _double(plane: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    # left-sited: source column c lies at full column 2 c, rows halfway between pairs
    matrix = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.5]])
    out = cv2.warpAffine(
        plane, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(out, np.uint8)
