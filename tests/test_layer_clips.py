"""Clips of one layer with its transparency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

import vivant
from test_layers import PIXELS, looked
from vivant.cli.main import main
from vivant.clip import Picture, VideoSpec
from vivant.controls.layer import Layer, parse_layer
from vivant.controls.table import control_data, control_from, words_of
from vivant.errors import UsageError
from vivant.media.colour import to_yuv444
from vivant.media.formats import FORMATS
from vivant.media.write import write_video
from vivant.motion.layered import Motion
from vivant.motion.performance import Performance
from vivant.motion.sights import Sights
from vivant.rendering.bodies import Body
from vivant.rendering.parameters import RENDERING
from vivant.rendering.shot import Shot
from vivant.scene.cutout import cut_out

LAKE = Path(__file__).parents[1] / "examples" / "lake.jpg"
OPTIONS: dict[str, Any] = {"seconds": 0.5, "fps": 8, "size": "120p"}


def decoded(path: Path) -> list[np.ndarray]:
    """Frames ``[H, W, 4]``; FFmpeg's own VP9 decoder leaves the alpha out."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "vp9":
            return [frame.to_ndarray(format="rgba") for frame in container.decode(stream)]
        decoder = av.codec.CodecContext.create("libvpx-vp9", "r")
        packets = [packet for packet in container.demux(stream) if packet.size]
        return [f.to_ndarray(format="rgba") for p in packets for f in decoder.decode(p)]


@pytest.mark.parametrize("name", ["prores", "webm"])
def test_colours_and_alpha_survive_the_file(name: str, tmp_path: Path) -> None:
    h, w = 96, 160
    frame = np.zeros((h, w, 4), np.uint8)
    frame[..., 0], frame[..., 1], frame[..., 2] = 180, 90, 40
    frame[:, :80, 3] = np.linspace(0, 255, 80).astype(np.uint8)
    frame[:, 80:, 3] = 255
    path = tmp_path / f"a{FORMATS[name].suffix}"
    write_video([frame] * 5, VideoSpec(w, h, 12.0, 5, alpha=True), path, FORMATS[name])
    found = decoded(path)
    assert len(found) == 5
    apart = np.abs(found[2].astype(int) - frame)
    assert apart[..., 3].mean() < 1.0
    assert apart[20:-20, 100:-10, :3].mean() < 2.5
    if name == "prores":
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.pix_fmt.startswith("yuva444")


def test_ten_bits_are_those_of_the_standard() -> None:
    row = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [128, 128, 128]]], np.uint8)
    y, cb, cr = to_yuv444(row)[:, 0]
    assert (y[0], cb[0], cr[0]) == (64, 512, 512)
    assert (y[1], cb[1], cr[1]) == (940, 512, 512)
    assert (y[2], cr[2]) == (250, 960)
    assert y[3] == pytest.approx(504, abs=1)


def test_a_layer_is_what_its_matte_covers() -> None:
    sky = list(vivant.animate(LAKE, layer="sky", **OPTIONS).frames())
    whole = list(vivant.animate(LAKE, **OPTIONS).frames())
    assert sky[0].shape == (120, 214, 4)
    assert sky[0][:20, :, 3].mean() > 250
    assert sky[0][-20:, :, 3].mean() < 4
    for one, other in zip(sky, whole, strict=True):
        sure = one[..., 3] == 255
        np.testing.assert_array_equal(one[..., :3][sure], other[sure])
    number = list(vivant.animate(LAKE, layer="0", **OPTIONS).frames())
    assert np.abs(number[0][..., 3].astype(int) - sky[0][..., 3]).mean() < 40
    moved = list(vivant.animate(LAKE, layer="water", camera="push-in 20%", **OPTIONS).frames())
    assert np.abs(moved[-1][..., 3].astype(int) - moved[0][..., 3]).mean() > 1
    assert np.array_equal(cut_out(whole[0], sky[0][..., 3]), sky[0])


def test_what_travels_takes_its_alpha_along() -> None:
    seen = looked()
    shot = Shot(Picture(PIXELS), seconds=1.0, fps=4)
    shown = Performance(shot, seen, Motion(), None, RENDERING, "test")
    sights = Sights(seen, shown)
    number = next(n for n, one in enumerate(seen.scene.instances) if one.kind == "built")
    before = sights.alpha(Layer(number=number), 0)
    path = np.array([[0, 0], [5, 0], [10, 0], [15, 0]], np.float32)
    body = Body((before / 255).astype(np.float32), path)
    sights = Sights(seen, shown)
    sights.__dict__["bodies"] = [body]  # as if a stroke drove it
    assert sights.driven == [number]
    for layer in (Layer(number=number), Layer("built")):
        later = sights.alpha(layer, 3)
        np.testing.assert_allclose(later[:, 15:], before[:, :-15], atol=2)
    other = sights.alpha(Layer("sky"), 3).astype(int)
    assert other[sights.alpha(Layer("built"), 3) > 250].max() < 6  # it is hidden there
    things = sights.numbers(sights.seen(3), 3)
    assert (things[before > 250][:40] != number + 1).any()


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["vivant", *map(str, words)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_the_command_writes_signed_clips_with_transparency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("animate", LAKE, "--layer", "sky", "--seconds", 0.5, "--fps", 8, "--size", "360p")
    assert run(monkeypatch, *words, "-o", tmp_path / "sky") == 0
    clip = tmp_path / "sky.mov"
    frames = decoded(clip)
    assert frames[0][:20, :, 3].mean() > 250
    assert frames[0][-20:, :, 3].mean() < 4
    assert run(monkeypatch, "verify", clip, "--picture", LAKE) == 0
    said = "".join(capsys.readouterr())
    assert "carry vivant's watermark" in said
    assert run(monkeypatch, *words, "--format", "png", "-o", tmp_path / "frames") == 0
    png = cv2.imread(str(tmp_path / "frames" / "frame_00001.png"), cv2.IMREAD_UNCHANGED)
    assert png.shape[2] == 4
    assert run(monkeypatch, *words, "-o", tmp_path / "sky.webp") == 0
    with Image.open(tmp_path / "sky.webp") as image:
        assert np.asarray(image.convert("RGBA"))[-20:, :, 3].mean() < 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--layer", "sky", "-o", "c.mp4"), "cannot hold"),
        (("--layer", "fire"), "No fire is seen"),
        (("--layer", "99"), "there is none of 99"),
        (("--layer", "clouds and"), "no kind"),
        (("--layer", "sky", "--format", "gif"), "cannot hold"),
    ],
)
def test_layers_that_cannot_be_are_refused(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "animate", LAKE, *words) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_layer_goes_to_json_and_back() -> None:
    for control in (Layer("sky"), Layer(number=3)):
        assert control_from(control_data(control)) == control
        assert parse_layer(words_of(control)[1], None) == (control,)  # type: ignore[arg-type]
    for bad in ({}, {"kind": "sky", "number": 1}, {"kind": "dragon"}, {"number": -1}):
        with pytest.raises(UsageError):
            Layer(**bad)  # type: ignore[arg-type]
