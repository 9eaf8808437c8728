from __future__ import annotations

import cv2
import numpy as np
import pytest

from vivant.rendering.widely import widely


@pytest.mark.parametrize("sigma", [3.0, 10.0, 30.0])
def test_it_is_a_gaussian_blur(sigma: float) -> None:
    rng = np.random.default_rng(0)
    values = cv2.GaussianBlur(rng.normal(0, 1, (180, 300, 2)).astype(np.float32), (0, 0), 2)
    values[60:120, 100:200] += 1
    wanted = cv2.GaussianBlur(values, (0, 0), sigma)
    found = widely(values, sigma)
    assert found.shape == values.shape
    assert np.abs(found - wanted).max() < 0.03 * np.ptp(wanted)
    plane = widely(values[..., 0], sigma)
    np.testing.assert_allclose(plane, found[..., 0], atol=1e-5)
