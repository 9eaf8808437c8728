from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from conftest import EXAMPLES, photo_like, simple_field
from vivant.clip import Picture, VideoSpec
from vivant.controls.types import Camera, Controls, Stroke
from vivant.errors import ProvenanceError, UsageError
from vivant.media.formats import FORMATS
from vivant.media.read import read_picture
from vivant.media.video import iter_video
from vivant.provenance.compare import compare
from vivant.provenance.keys import home, signing_key
from vivant.provenance.record import recipe_of, request_from
from vivant.provenance.release import release
from vivant.provenance.verify import verify
from vivant.render.renderer import render
from vivant.request import ModelIdentity, Request, Result

PICTURE = Picture(photo_like(160, 96), name="p.png", sha256="ab" * 32)
REQUEST = Request(PICTURE, seconds=0.5, seed=5)
FIELD = simple_field(sway=0.05)


def result(request: Request = REQUEST) -> Result:
    return Result(
        request.spec,
        lambda: render(request.picture, FIELD, request.spec),
        ModelIdentity("builtin", "0", "cd" * 32),
        request.seed,
        FIELD,
    )


def target(tmp_path: Path, name: str) -> Path:
    return tmp_path / f"clip{FORMATS[name].suffix}"


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_leaves_signed(tmp_path: Path, name: str) -> None:
    out = target(tmp_path, name)
    published = release(result(), REQUEST, out, FORMATS[name])
    verdict = verify(out)
    assert verdict.state == "trusted"
    assert verdict.recipe is not None
    assert verdict.recipe["seed"] == 5
    assert verdict.source_types == ("compositeWithTrainedAlgorithmicMedia",)
    assert verdict.actions == ("c2pa.opened", "c2pa.edited")
    assert verdict.ingredients == ("p.png",)
    left = {p for p in tmp_path.iterdir() if p.name.startswith(".")}
    assert left == set()
    assert (published.sidecar is None) == (name in ("mp4", "av1", "mov", "gif", "webp", "avif"))


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_altered_file_is_noticed(tmp_path: Path, name: str) -> None:
    out = target(tmp_path, name)
    release(result(), REQUEST, out, FORMATS[name])
    victim = sorted(out.glob("*.png"))[2] if out.is_dir() else out
    data = bytearray(victim.read_bytes())
    at = data.index(b"mdat") + 200 if b"mdat" in data else len(data) // 2
    data[at] ^= 1
    victim.write_bytes(data)
    assert verify(out).state == "altered"


def test_a_remux_loses_the_credentials(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    release(result(), REQUEST, out, FORMATS["mp4"])
    with av.open(str(out)) as source, av.open(str(tmp_path / "b.mp4"), "w") as sink:
        stream = sink.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                sink.mux(packet)
    assert verify(tmp_path / "b.mp4").state == "none"


def test_another_installation_is_valid_but_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.mp4"
    release(result(), REQUEST, out, FORMATS["mp4"])
    monkeypatch.setenv("VIVANT_HOME", str(tmp_path / "elsewhere"))
    assert verify(out).state == "valid"


@pytest.mark.parametrize("name", ["mp4", "mov", "gif", "webp", "avif"])
def test_the_file_states_its_source_type_in_xmp(tmp_path: Path, name: str) -> None:
    out = target(tmp_path, name)
    release(result(), REQUEST, out, FORMATS[name])
    data = out.read_bytes()
    assert b"Iptc4xmpExt:DigitalSourceType" in data
    assert b"compositeWithTrainedAlgorithmicMedia" in data
    assert len(list(iter_video(out))) == 12


def test_the_input_file_is_the_ingredient(tmp_path: Path) -> None:
    photo = EXAMPLES / "flower.jpg"
    request = Request(read_picture(photo), seconds=0.1)
    still = Result(
        request.spec, lambda: iter([request.picture.pixels] * 2), ModelIdentity("b", "0", ""), 0
    )
    release(_closable(still), request, tmp_path / "a.gif", FORMATS["gif"], picture_path=photo)
    assert verify(tmp_path / "a.gif").ingredients == ("flower.jpg",)


def _closable(r: Result) -> Result:
    def frames() -> Iterator[NDArray[np.uint8]]:
        yield from [f for f, _ in zip(r.frames(), range(r.spec.count), strict=False)]

    return Result(VideoSpec(r.spec.width, r.spec.height, r.spec.fps, 2), frames, r.model, r.seed)


@pytest.mark.parametrize("name", ["mp4", "webm", "png", "gif"])
@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_while_rendering_leaves_nothing(
    tmp_path: Path, name: str, failure: type[BaseException]
) -> None:
    def frames() -> Iterator[NDArray[np.uint8]]:
        yield PICTURE.pixels
        raise failure

    broken = Result(REQUEST.spec, frames, ModelIdentity("b", "0", ""), 0)
    with pytest.raises(failure):
        release(broken, REQUEST, target(tmp_path, name), FORMATS[name])
    assert list(tmp_path.iterdir()) == []


def test_existing_outputs_are_refused_before_rendering(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    out.write_bytes(b"mine")

    def frames() -> Iterator[NDArray[np.uint8]]:
        raise AssertionError("rendered")

    with pytest.raises(UsageError, match="--overwrite"):
        release(
            Result(REQUEST.spec, frames, ModelIdentity("b", "0", ""), 0),
            REQUEST,
            out,
            FORMATS["mp4"],
        )
    assert out.read_bytes() == b"mine"


def test_files_without_credentials(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "china.jpg", tmp_path / "c.jpg")
    assert verify(tmp_path / "c.jpg").state == "none"
    (tmp_path / "x.webm").write_bytes(b"abc")
    assert verify(tmp_path / "x.webm").state == "none"
    (tmp_path / "junk.mp4").write_bytes(b"not a video" * 30)
    assert verify(tmp_path / "junk.mp4").state in ("none", "unreadable")
    with pytest.raises(UsageError):
        verify(tmp_path / "none.mp4")


def test_the_key_is_private() -> None:
    signing_key()
    mode = (home() / "signer" / "key.pem").stat().st_mode & 0o777
    assert mode == 0o600
    assert signing_key() == signing_key()


def test_compare(tmp_path: Path) -> None:
    out = tmp_path / "a.mkv"
    release(result(), REQUEST, out, FORMATS["mkv"])
    same = compare(out, result().frames())
    assert (same.frames, same.largest, same.same_count) == (12, 0, True)
    shorter = compare(out, iter(list(result().frames())[:5]))
    assert not shorter.same_count


finite = st.floats(0, 1, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(finite, finite), min_size=2, max_size=5),
    st.integers(0, 2**40),
    st.floats(0, 5),
    st.booleans(),
    st.booleans(),
)
def test_recipes_round_trip(
    points: list[tuple[float, float]], seed: int, strength: float, loop: bool, masked: bool
) -> None:
    mask = (np.arange(96 * 160).reshape(96, 160) % 256).astype(np.uint8) if masked else None
    controls = Controls(still=mask, strokes=(Stroke(tuple(points), 2.0),), camera=Camera(zoom=0.1))
    request = Request(
        PICTURE, seconds=1.5, loop=loop, strength=strength, seed=seed, controls=controls
    )
    again = request_from(recipe_of(request, result(request)), PICTURE)
    assert (again.seed, again.strength, again.loop, again.seconds) == (seed, strength, loop, 1.5)
    assert again.controls.strokes == controls.strokes
    assert again.controls.camera == controls.camera
    if mask is not None:
        np.testing.assert_array_equal(again.controls.still, mask)


def test_damaged_recipes_are_one_sentence() -> None:
    recipe = recipe_of(REQUEST, result())
    for change in ({"recipe": 99}, {"strokes": 3}, {"still": "@@"}, {"seed": "x"}):
        with pytest.raises((ProvenanceError, UsageError)):
            request_from(recipe | change, PICTURE)
