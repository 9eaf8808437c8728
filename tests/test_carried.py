"""The picture's pixels carried into a softer clip."""

import cv2
import numpy as np
import pytest

from softened import COUNT, spoiled, true_clip
from vivant.rendering.carried import carry


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("gated", [False, True])
def test_the_first_frame_is_the_picture_and_detail_moves_along(gated):
    clip = true_clip()
    bad = [spoiled(frame, 0) for frame in clip]
    out = list(carry(clip[0], bad, gated=gated))
    assert len(out) == COUNT
    assert np.array_equal(out[0], clip[0])
    for t in (1, 4, COUNT - 1):
        inner = np.s_[8:-8, 8:-24]
        large = cv2.resize(bad[t], (96, 96), interpolation=cv2.INTER_CUBIC)
        assert psnr(out[t][inner], clip[t][inner]) > psnr(large[inner], clip[t][inner]) + 1.5


def test_no_jump_after_the_first_frame():
    clip = true_clip()
    out = list(carry(clip[0], [spoiled(frame, 0) for frame in clip]))
    true = np.abs(clip[1].astype(float) - clip[0]).mean()
    assert np.abs(out[1].astype(float) - out[0]).mean() <= 1.2 * true


def test_detail_that_is_not_found_again_does_not_go_at_once():
    """A picture that stands still, in a clip whose grain is another one in each frame."""
    still, rng = true_clip()[0], np.random.default_rng(2)
    soft = cv2.GaussianBlur(spoiled(still, 0).astype(np.float32), (0, 0), 2.0)
    bad = [
        np.clip(soft + rng.normal(0, 1.2, (48, 48, 1)), 0, 255).astype(np.uint8)
        for _ in range(COUNT)
    ]
    out = list(carry(still, bad, gated=True))
    lost = [np.abs(frame.astype(float) - still).mean() for frame in out]
    assert lost[1] < 0.6 * lost[-1]
    steps = np.diff(lost)
    assert steps.max() < 0.6 * lost[-1]


def test_drifting_colours_do_not_close_the_gate():
    clip = true_clip()
    bad = [spoiled(frame, t / (COUNT - 1)) for t, frame in enumerate(clip)]
    inner = np.s_[8:-8, 8:-24]

    def fine(frame):
        return frame[inner].astype(float) - cv2.GaussianBlur(frame[inner].astype(float), (0, 0), 3)

    last = list(carry(clip[0], bad, gated=True))[-1]
    large = cv2.resize(bad[-1], (96, 96), interpolation=cv2.INTER_LANCZOS4)
    true = fine(clip[-1])
    assert np.abs(fine(last) - true).mean() < 0.6 * np.abs(fine(large) - true).mean()


def test_a_fading_detail_gives_way_to_the_clips_own():
    clip = true_clip()
    bad = [spoiled(frame, 0) for frame in clip]
    kept, faded = (list(carry(clip[0], bad, gated=True, fade=f)) for f in (float("inf"), 1.0))
    assert np.array_equal(faded[0], clip[0])
    large = cv2.resize(bad[-1], (96, 96), interpolation=cv2.INTER_LANCZOS4).astype(float)
    rough = [
        np.abs(cv2.Laplacian(f[-1].astype(float) - large, cv2.CV_64F)).mean() for f in (kept, faded)
    ]
    assert rough[1] < 0.5 * rough[0]
