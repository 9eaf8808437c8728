"""Moving as another clip does: the same picture is followed, another one lends its constants."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import vivant
from films import read_video
from test_cli import report, run
from test_film import write
from test_footage import shifted, write_picture
from test_keyframes import EXAMPLES
from vivant.errors import UsageError
from vivant.media.assets import FileAssets
from vivant.motion.asked import Asked
from vivant.motion.held import look
from vivant.motion.layered import Motion
from vivant.motion.like import Example, direction, example_of, fitted, shared_kinds
from vivant.motion.priors import LogNormal, Priors
from vivant.motion.stage import staged
from vivant.motion.trial import MANNERS, layers_of, with_factors
from vivant.request import Runtime

CALM = Priors(sky_speed=LogNormal(0.03, 0.0))


@pytest.fixture(scope="module")
def lake() -> np.ndarray:
    """A lake under a sky, small."""
    pixels = cv2.imread(str(EXAMPLES / "lake.jpg"), cv2.IMREAD_COLOR)
    small = cv2.resize(pixels, (320, 180), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2RGB)


def sky_clip(folder: Path, lake: np.ndarray, factor: float) -> Path:
    """Two seconds in which the sky drifts so many times as fast as usual, and nothing else moves."""
    looked = look(vivant.clip.Picture(lake), Runtime())
    priors = with_factors(CALM, MANNERS[0].axes, (factor,))
    layers = layers_of(MANNERS[0], looked, Asked(flows={"sky": 180.0}), priors)
    frames = list(staged(lake, Motion(layers), looked).frames(28, 12.0))
    path = folder / f"sky{factor:g}.mkv"
    return write(path, frames, codec="ffv1", pix_fmt="bgr0")


def test_a_still_shows_no_motion(tmp_path: Path, lake: np.ndarray) -> None:
    path = write_picture(tmp_path / "lake.png", lake)
    with pytest.raises(UsageError, match="is one frame"):
        vivant.animate(path, like=path)


def test_constants_and_directions_are_found_again(tmp_path: Path, lake: np.ndarray) -> None:
    found = {}
    for factor in (0.5, 3.0):
        path = sky_clip(tmp_path, lake, factor)
        with FileAssets() as assets:
            asset = assets.add(path, "clip")
            example = example_of(asset, assets, CALM, Runtime())
        assert "sky" in example.kinds
        found[factor] = fitted(example, ("sky",), CALM)
    slow, fast = (found[f].priors.sky_speed.median / 0.03 for f in (0.5, 3.0))
    assert slow < 1.0
    assert fast > 1.6
    assert fast / slow > 2.5
    assert abs(found[3.0].flows["sky"] - 180) < 25
    assert found[3.0].priors.sway == CALM.sway


@pytest.mark.parametrize(("step", "degrees"), [((3, 0), 0.0), ((0, -3), 90.0), ((-2, 2), 225.0)])
def test_which_way_a_region_flows(step: tuple[int, int], degrees: float) -> None:
    wide = cv2.resize(shifted(0), (240, 180))
    frames = [np.ascontiguousarray(np.roll(wide, (k * step[1], k * step[0]), (0, 1))[20:140, 20:180])
              for k in range(10)]  # fmt: skip
    everywhere = np.full((120, 160), 255, np.uint8)
    found = direction(frames, everywhere)
    assert found is not None
    assert abs((found - degrees + 180) % 360 - 180) < 12
    assert direction([frames[0]] * 10, everywhere) is None


def test_a_clip_of_the_picture_is_followed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lake: np.ndarray,
) -> None:
    def true(k: int) -> np.ndarray:
        map_ = np.float32([[1, 0, 2 * k], [0, 1, 0]])
        return cv2.warpAffine(lake, map_, (320, 180), borderMode=cv2.BORDER_REFLECT)

    small = [cv2.resize(true(k), (160, 90), interpolation=cv2.INTER_AREA) for k in range(8)]
    softer = [cv2.convertScaleAbs(cv2.GaussianBlur(f, (0, 0), 0.8), alpha=0.95) for f in small]
    clip = write(tmp_path / "model.mp4", softer)
    photo, out = write_picture(tmp_path / "p.png", lake), tmp_path / "o.mkv"
    words = ["animate", photo, "--like", clip, "-o", out, "--no-watermark"]
    assert run(monkeypatch, *words) == 0
    assert "its motion is followed" in capsys.readouterr().err
    film = read_video(out)
    assert film.frames.shape == (8, 180, 320, 3)
    assert film.fps == 10
    assert np.array_equal(film.frames[0], lake)
    inner = slice(10, -10), slice(30, -30)
    ours = np.abs(film.frames[5].astype(float) - true(5))[inner].mean()
    enlarged = cv2.resize(softer[5], (320, 180), interpolation=cv2.INTER_CUBIC)
    assert ours < np.abs(enlarged.astype(float) - true(5))[inner].mean() / 1.5
    assert run(monkeypatch, "verify", out, "--rerender", "--json") == 0
    said = report(capsys)[0]  # type: ignore[index]
    assert said["rerendered"]["matches"]
    assert set(said["ingredients"]) == {"p.png", "model.mp4"}
    assert run(monkeypatch, *words, "--loop", "--overwrite") == 2
    assert "gives all motion: the control loop" in capsys.readouterr().err


def test_kinds_that_do_not_meet_are_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lake: np.ndarray,
) -> None:
    fire = next(manner for manner in MANNERS if manner.kind == "fire")
    looked = look(vivant.clip.Picture(lake), Runtime())
    burning = Example(
        "fire.mp4", [lake], looked, ((fire, np.zeros((1, 1), np.uint8), np.zeros(17)),)
    )
    with pytest.raises(UsageError, match=r"fire.mp4 shows fire, .* sky.* no kind .* is in both"):
        shared_kinds(burning, vivant.clip.Picture(lake), Runtime())
    flower = EXAMPLES / "flower.jpg"
    still = write(tmp_path / "still.mkv", [lake] * 20, codec="ffv1", pix_fmt="bgr0")
    assert run(monkeypatch, "animate", flower, "--like", still, "-o", tmp_path / "x.mp4") == 2
    assert "nothing that moves by its kind" in capsys.readouterr().err
    short = write(tmp_path / "short.mkv", [lake] * 4, codec="ffv1", pix_fmt="bgr0")
    assert run(monkeypatch, "animate", flower, "--like", short, "-o", tmp_path / "x.mp4") == 2
    assert "longer one" in capsys.readouterr().err
    assert run(monkeypatch, "animate", flower, "--like", flower, "-o", tmp_path / "x.mp4") != 0
    assert "Traceback" not in capsys.readouterr().err


def test_another_lake_moves_as_the_clip_does(tmp_path: Path, lake: np.ndarray) -> None:
    clip = sky_clip(tmp_path, lake, 3.0)
    mountains = EXAMPLES / "mountains.jpg"
    like = vivant.animate(mountains, seconds=1, fps=4, size="160p", like=clip)
    assert any("As in sky3.mkv move: sky" in note for note in like.plan.notes)
    drift = next(layer for layer in like.motion.layers if layer.kind == "sky").manner
    assert drift.speed < -0.04
    held = vivant.animate(mountains, seconds=1, fps=4, size="160p", like=clip, flow="sky=right")
    assert next(layer for layer in held.motion.layers if layer.kind == "sky").manner.speed > 0
