from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from conftest import EXAMPLES, photo_like, simple_field
from publishing import IDENTITY, frames, key, leave, record, result_of, verify
from vivant.asset import Asset
from vivant.clip import Mask, Picture
from vivant.controls.camera import Camera
from vivant.controls.entry import Control
from vivant.controls.loop import Loop
from vivant.controls.mask import Still
from vivant.controls.strength import Strength
from vivant.controls.stroke import Stroke
from vivant.errors import ProvenanceError, UsageError
from vivant.media.assets import MemoryAssets
from vivant.media.formats import FORMATS
from vivant.media.read import read_picture
from vivant.media.video import iter_video
from vivant.provenance.compare import compare
from vivant.provenance.keys import signer_folder
from vivant.provenance.record import read_record, record_of
from vivant.provenance.verify import _judge
from vivant.rendering.shot import Shot
from vivant.request import Keyframe, Plan, Request, Result, SourceType, Target
from vivant.settings import read_settings

PICTURE = Picture(photo_like(160, 96), name="p.png", sha256="ab" * 32)
SHOT = Shot(PICTURE, seconds=0.5, seed=5)
FIELD = simple_field(sway=0.05)


def result() -> Result:
    return result_of(SHOT, FIELD)


def target(tmp_path: Path, name: str) -> Path:
    return tmp_path / f"clip{FORMATS[name].suffix}"


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_leaves_signed(tmp_path: Path, name: str) -> None:
    out = target(tmp_path, name)
    published = leave(SHOT, result(), out, FORMATS[name])
    verdict = verify(out)
    assert verdict.state == "trusted"
    assert verdict.record is not None
    assert verdict.record["request"]["seed"] == 5
    assert verdict.source_types == ("compositeWithTrainedAlgorithmicMedia",)
    assert verdict.actions == ("c2pa.opened", "c2pa.edited")
    assert verdict.ingredients == ("p.png",)
    left = {p for p in tmp_path.iterdir() if p.name.startswith(".")}
    assert left == set()
    assert (published.sidecar is None) == (
        name in ("mp4", "av1", "mov", "prores", "gif", "webp", "avif")
    )


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_altered_file_is_noticed(tmp_path: Path, name: str) -> None:
    out = target(tmp_path, name)
    leave(SHOT, result(), out, FORMATS[name])
    victim = sorted(out.glob("*.png"))[2] if out.is_dir() else out
    data = bytearray(victim.read_bytes())
    at = data.index(b"mdat") + 200 if b"mdat" in data else len(data) // 2
    data[at] ^= 1
    victim.write_bytes(data)
    assert verify(out).state == "altered"


def test_a_remux_loses_the_credentials(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    leave(SHOT, result(), out, FORMATS["mp4"])
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
    leave(SHOT, result(), out, FORMATS["mp4"])
    monkeypatch.setenv("VIVANT_HOME", str(tmp_path / "elsewhere"))
    assert verify(out).state == "valid"


@pytest.mark.parametrize("name", ["mp4", "mov", "gif", "webp", "avif"])
def test_the_file_states_its_source_type_in_xmp(tmp_path: Path, name: str) -> None:
    out = target(tmp_path, name)
    leave(SHOT, result(), out, FORMATS[name])
    data = out.read_bytes()
    assert b"Iptc4xmpExt:DigitalSourceType" in data
    assert b"compositeWithTrainedAlgorithmicMedia" in data
    assert len(list(iter_video(out))) == 12


def test_the_input_file_is_the_ingredient(tmp_path: Path) -> None:
    photo = EXAMPLES / "flower.jpg"
    shot = Shot(read_picture(photo), seconds=0.1)
    still = result_of(shot, lambda: iter([shot.picture.pixels] * 2), count=2)
    leave(shot, still, tmp_path / "a.gif", FORMATS["gif"], picture_path=photo)
    assert verify(tmp_path / "a.gif").ingredients == ("flower.jpg",)


@pytest.mark.parametrize("name", ["mp4", "webm", "png", "gif"])
@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_while_rendering_leaves_nothing(
    tmp_path: Path, name: str, failure: type[BaseException]
) -> None:
    def broken() -> Iterator[NDArray[np.uint8]]:
        yield PICTURE.pixels
        raise failure

    with pytest.raises(failure):
        leave(SHOT, result_of(SHOT, broken), target(tmp_path, name), FORMATS[name])
    assert list(tmp_path.iterdir()) == []


def test_existing_outputs_are_refused_before_rendering(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    out.write_bytes(b"mine")

    def never() -> Iterator[NDArray[np.uint8]]:
        raise AssertionError("rendered")

    with pytest.raises(UsageError, match="--overwrite"):
        leave(SHOT, result_of(SHOT, never), out, FORMATS["mp4"])
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
    made = key()
    mode = (signer_folder(read_settings()) / "key.pem").stat().st_mode & 0o777
    assert mode == 0o600
    assert key() == made


def test_compare(tmp_path: Path) -> None:
    out = tmp_path / "a.mkv"
    leave(SHOT, result(), out, FORMATS["mkv"])
    same = compare(out, iter(frames(result())))
    assert (same.frames, same.largest, same.same_count) == (12, 0, True)
    shorter = compare(out, iter(frames(result())[:5]))
    assert not shorter.same_count


finite = st.floats(0, 1, allow_nan=False)


class MaskInMemory(MemoryAssets):
    """One picture and one mask."""

    values = (np.arange(96 * 160).reshape(96, 160) % 256).astype(np.uint8)

    def mask(self, asset: Asset) -> Mask:
        return Mask(self.values, asset.name)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(finite, finite), min_size=2, max_size=5).filter(
        lambda points: sum(abs(x - a) + abs(y - b) for (x, y), (a, b) in pairwise(points)) > 0.01
    ),
    st.integers(0, 2**40),
    st.floats(0, 5),
    st.booleans(),
    st.booleans(),
)
def test_records_round_trip(
    points: list[tuple[float, float]], seed: int, strength: float, loop: bool, masked: bool
) -> None:
    assets = MaskInMemory(PICTURE)
    controls: list[Control] = [Stroke(tuple(points), 2.0), Camera(zoom=0.1), Strength(strength)]
    controls += [Loop()] if loop else []
    controls += [Still(Asset("9" * 64, "mask", "m.png"))] if masked else []
    request = Request((Keyframe(assets.asset),), tuple(controls), 1.5, seed=seed, model="builtin")
    plan = Plan(SHOT.spec, PICTURE.size, ("a note",))
    made = Result(plan, result().open, IDENTITY, SourceType.COMPOSITE)
    stored = json.loads(json.dumps(record_of(request, Target(even=True), made, assets)))
    known = read_record(stored)
    assert known.request == request
    assert known.target == Target(even=True)
    assert (known.model, known.made) == (IDENTITY, SourceType.COMPOSITE)
    assert len(known.masks) == masked
    for _, data in known.masks:
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), assets.values)


def test_damaged_records_are_one_sentence() -> None:
    whole = record(SHOT, result())
    changes: list[dict[str, object]] = [
        {"record": 99}, {"request": 3}, {"request": {}}, {"target": {"x": 1}}, {"masks": {"a": "@"}},
        {"model": None}, {"made": "by hand"}, {"masks": 3},
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(ProvenanceError, match="record"):
            read_record(whole | change)


def test_a_store_without_its_active_manifest_is_unreadable() -> None:
    for store in ({"manifests": {}, "active_manifest": "urn:c2pa:x"}, {}):
        assert _judge(Path("a.mp4"), store).state == "unreadable"
