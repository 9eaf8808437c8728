"""The video family without PyTorch: conditions, sizes, pieces, what it plans and refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from test_data import clips  # noqa: F401
from vivant.asset import Asset
from vivant.bundle import open_bundle
from vivant.cli.checkpoints import add_checkpoint
from vivant.clip import FilmInfo, Picture, VideoSpec
from vivant.controls.sampling import Guidance, Steps
from vivant.controls.strength import Strength
from vivant.controls.wind import Wind
from vivant.controls.words import Words
from vivant.data.prepare import prepare
from vivant.data.shards import read_samples
from vivant.data.sources import read_sources
from vivant.errors import BundleError, UnsupportedControl, UsageError
from vivant.kinds import KINDS
from vivant.media.assets import MemoryAssets
from vivant.registry import added_models, load, open_model
from vivant.request import Hooks, Keyframe, Plan, Request, Target
from vivant.scene.record import Scene
from vivant.settings import Settings
from vivant.video.conditions import (
    FEATURES,
    VELOCITY_UNIT,
    WHOLE,
    features_of,
    fitted,
    motion_of,
    words_of,
)
from vivant.video.followed import followed
from vivant.video.parameters import SAMPLING, WEIGHTS, windows, working_size
from vivant.wire import Answer


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "bundle"
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(b"weights")
    config = {
        "format": 1,
        "name": "small",
        "version": "0",
        "family": "video",
        "licence": "Apache-2.0",
        "members": [WEIGHTS],
        "sampling": asdict(SAMPLING),
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def request_for(assets: MemoryAssets, **others: object) -> Request:
    return Request((Keyframe(assets.asset),), model="small", **others)  # type: ignore[arg-type]


def picture_assets() -> MemoryAssets:
    pixels = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    return MemoryAssets(Picture(pixels))


def test_nothing_of_it_loads_torch() -> None:
    code = "import sys, vivant, vivant.registry, vivant.video.model; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_a_run_is_a_model(bundle: Path) -> None:
    for folder in (bundle, bundle.parent):
        model = open_model(str(folder))
        assert model.family == "video"
        assert model.generator.identity == open_bundle(bundle).identity
    (bundle / WEIGHTS).unlink()
    with pytest.raises(BundleError, match="lacks weights"):
        load(str(bundle))


@pytest.mark.parametrize("short", [64, 300])
def test_shards_keep_a_frame_for_every_step(clips: Path, tmp_path: Path, short: int) -> None:  # noqa: F811
    """Small ones come from what is at hand, larger ones are decoded again."""
    sources = read_sources(clips, ("train",))[1:2]
    prepare(sources, tmp_path, processes=1, short=short)
    sample = next(iter(read_samples(tmp_path)))
    assert sample.frames is not None
    assert sample.frames.shape == (sample.labels.steps, short, round(short * 320 / 256 / 2) * 2, 3)
    for step, key in sample.keys.items():  # the same moment, whatever its size
        size = (sample.frames.shape[2], short)
        same = cv2.resize(key, size, interpolation=cv2.INTER_AREA).astype(int)
        errors = [np.abs(same - frame).mean() for frame in sample.frames]
        assert int(np.argmin(errors)) == step


def test_a_run_is_added_by_name(bundle: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    (bundle / "data.json").write_text("[]")
    add_checkpoint("mine", bundle.parent, settings)
    added = added_models(settings)["mine"]
    assert open_bundle(added).identity == open_bundle(bundle).identity
    assert (added / "data.json").is_file()  # what it was trained on goes along
    (bundle / "config.json").write_text("{}")
    with pytest.raises(BundleError, match="damaged"):
        add_checkpoint("other", bundle, settings)
    assert list(added_models(settings)) == ["mine"]


def test_the_plan_says_what_will_be_made(bundle: Path) -> None:
    generator, assets = load(str(bundle)), picture_assets()
    plan = generator.plan(request_for(assets, seconds=2.0), assets, Target())
    assert (plan.video.width, plan.video.height) == (300, 200)
    assert (plan.video.fps, plan.video.count) == (8.0, 17)
    assert "96x64" in plan.notes[0]
    longer = generator.plan(request_for(assets, seconds=5.0, fps=24.0), assets, Target())
    assert longer.video.count == 41
    assert "not 24" in " ".join(longer.notes)
    assert "pieces" in " ".join(longer.notes)


class Film:
    """Footage of ``count`` frames of 8 x 16 pixels, each as grey as its number."""

    def __init__(self, count: int, fps: float = 24.0) -> None:
        self.count, self.fps = count, fps

    def film(self, asset: Asset) -> FilmInfo:
        return FilmInfo(16, 8, self.fps, self.count)

    def frames(self, asset: Asset) -> Iterator[np.ndarray]:
        return (np.full((8, 16, 3), k, np.uint8) for k in range(self.count))


@pytest.mark.parametrize(
    ("film", "known"),
    [(Film(50), [37, 40, 43, 46, 49]), (Film(12), [11]), (Film(9, 8.0), [4, 5, 6, 7, 8])],
)
def test_footage_is_gone_on_from_its_last_frames(
    bundle: Path, film: Film, known: list[int]
) -> None:
    """They are taken at the model's own rate; where there are too few, only the last one is."""
    request = Request((Keyframe(Asset("0" * 64, "clip")),), model="small")
    plan = Plan(VideoSpec(16, 8, 8.0, 9), (16, 8))
    frames = load(str(bundle)).model._known(request, plan, film)  # type: ignore[attr-defined]
    assert [int(frame.mean()) for frame in frames] == known


def test_what_a_request_says_reaches_the_sampling(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: dict[str, Any] = {}

    class Heard:
        """A child that notes what it is asked and gives the picture back."""

        def __init__(self, *_: object, **__: object) -> None:
            pass

        def __enter__(self) -> Heard:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def ask(self, name: str, arrays: dict[str, np.ndarray], **facts: Any) -> Iterator[Answer]:
            heard.update(facts, **arrays)
            yield Answer(arrays={"frames": np.repeat(arrays["known"], facts["count"], axis=0)})

    monkeypatch.setattr("vivant.video.model.Child", Heard)
    controls = (Words("waves roll in"), Steps(3), Guidance(2.5), Strength(0.5))
    assets, generator = picture_assets(), load(str(bundle))
    asked = request_for(assets, seconds=0.5, controls=controls, seed=7)
    generator.generate(asked, generator.plan(asked, assets, Target()), assets, Hooks())
    said = {"words": "waves roll in", "steps": 3, "guidance": 2.5, "strength": 0.5, "seed": 7}
    assert said == {name: heard[name] for name in said}
    assert heard["count"] == 5
    assert heard["features"].shape == (15, 16, 24)
    assert heard["features"].any()
    assert "velocity" not in heard


def test_what_it_cannot_do_is_refused_by_name(bundle: Path) -> None:
    generator, assets = load(str(bundle)), picture_assets()
    for control, name in ((Wind(5.0), "wind"), (Strength(0.5, "sky"), "one kind")):
        asked = request_for(assets, controls=(control,))
        with pytest.raises(UnsupportedControl, match=name):
            generator.plan(asked, assets, Target())
    two = replace(
        request_for(assets), keyframes=(Keyframe(assets.asset), Keyframe(assets.asset, 1))
    )
    with pytest.raises(UsageError, match="2 key frames"):
        generator.plan(two, assets, Target())


def test_sizes_are_whole_tokens_and_keep_the_aspect() -> None:
    assert working_size(1920, 1080, SAMPLING) == (112, 64)
    assert working_size(1080, 1920, SAMPLING) == (64, 112)
    assert working_size(50, 50, SAMPLING) == (64, 64)
    assert working_size(9000, 1000, SAMPLING) == (128, 64)


@pytest.mark.parametrize(
    ("frames", "known"), [(2, 1), (17, 1), (18, 1), (41, 1), (29, 5), (100, 5)]
)
def test_pieces_cover_the_clip_and_overlap_by_what_they_are_anchored_on(
    frames: int, known: int
) -> None:
    pieces = windows(frames, known, SAMPLING)
    made = known
    for start, have in pieces:
        assert start + have == made
        made = start + SAMPLING.frames
    assert made >= frames
    assert made - frames < SAMPLING.frames


def test_the_part_of_a_map_is_cut_out() -> None:
    values = np.arange(64, dtype=np.float32).reshape(1, 8, 8)
    np.testing.assert_allclose(fitted(values, WHOLE, (8, 8)), values)
    half = fitted(values, (0.5, 0.0, 1.0, 0.5), (4, 4))
    np.testing.assert_allclose(half, values[:, 4:, :4])
    assert fitted(values, WHOLE, (4, 2))[0, 0, 0] == pytest.approx(values[0, :2, :4].mean())


def test_motion_is_the_mean_over_each_latent() -> None:
    velocity = np.zeros((8, 2, 4, 4), np.float32)
    velocity[4:, 0] = VELOCITY_UNIT * np.array([0, 1, 2, 3], np.float32)[:, None, None]
    motion = motion_of(velocity, 4, (4, 4))
    assert motion.shape == (3, 3, 4, 4)
    assert not motion[:, 0].any()
    assert not motion[:2, 1].any()
    np.testing.assert_allclose(motion[0, 2], 1.5, rtol=1e-5)
    assert motion[2, 1:].min() == 1


def test_words_are_told_apart() -> None:
    sea, fire = words_of("Water: ocean, waves"), words_of("fire")
    assert (sea > 0).sum() == 3
    assert set(sea[sea > 0]).isdisjoint(fire[fire > 0])
    np.testing.assert_array_equal(words_of("water ocean waves"), sea)
    assert not words_of("").any()


def test_features_are_of_the_scene() -> None:
    kinds = np.zeros((len(KINDS), 4, 6), np.float32)
    kinds[1] = 1
    flat = np.full((4, 6), 0.25, np.float32)
    scene = Scene(
        kinds, flat, np.full((4, 6), -2.0, np.float32), flat, np.full((4, 6), -1, np.int32)
    )
    features = features_of(scene)
    assert features.shape == (FEATURES, 4, 6)
    assert features[1].min() == 1
    assert features[-2, 0, 0] == pytest.approx(1.0)


def world() -> np.ndarray:
    """Fine and broad structure, ``[96, 96, 3]``."""
    rng = np.random.default_rng(3)
    fine = cv2.GaussianBlur(rng.integers(0, 256, (96, 96, 3)).astype(np.float32), (0, 0), 1.2)
    broad = cv2.resize(rng.random((6, 6, 3)).astype(np.float32) * 150 + 50, (96, 96))
    return np.clip(broad + 1.2 * (fine - 127), 8, 247).astype(np.uint8)


def squares(frame: np.ndarray, seed: int = 0) -> np.ndarray:
    """As a small model shows a frame: soft, and wrong in squares of four pixels."""
    soft = cv2.resize(frame, (32, 32), interpolation=cv2.INTER_AREA)
    wrong = np.random.default_rng(seed).normal(0, 3, (16, 16, 1))
    large = cv2.resize(soft, (64, 64), interpolation=cv2.INTER_LINEAR)
    return np.clip(large + np.kron(wrong, np.ones((4, 4, 3))), 0, 255).astype(np.uint8)


def test_what_moves_is_shown_by_the_known_pixels() -> None:
    clip = np.stack([world()[16:80, 16 + t : 80 + t] for t in range(9)])
    made = np.stack([squares(frame, t) for t, frame in enumerate(clip)])
    shown = followed(clip[0], made)
    assert shown.shape == (8, 64, 64, 3)
    inner = np.s_[8:-8, 8:-16]
    true = clip[1:].astype(float)
    apart = [
        [np.abs(a - b)[inner].mean() for a, b in zip(one, true, strict=True)]
        for one in (shown, made[1:], clip[:1].repeat(8, 0))
    ]
    by_pixels, decoded, still = np.array(apart)
    assert (by_pixels < 0.7 * decoded).all()
    assert (by_pixels < 0.5 * still).all()


def test_what_stands_still_stays_to_the_bit() -> None:
    first = world()[:64, :64]
    shown = followed(first, np.stack([squares(first)] * 4))
    assert all(np.array_equal(frame, first) for frame in shown)


def test_what_is_strongly_new_is_shown_and_what_is_weak_is_not() -> None:
    first = np.full((64, 64, 3), 90, np.uint8)
    later = first.copy()
    later[16:32, 16:32] += 100
    later[40:56, 40:56] += 4
    (shown,) = followed(first, np.stack([first, later]))
    assert shown[20:28, 20:28].mean() > 180
    assert np.abs(shown[44:52, 44:52].astype(float) - 90).max() < 2
    assert followed(first, first[None]).shape == (0, 64, 64, 3)
