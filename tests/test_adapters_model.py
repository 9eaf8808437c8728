"""A video model behind the seam, with a stub in place of the process that samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import photo_like
from vivant.adapters.families import TABLE, Family, family_named
from vivant.adapters.fit import bucket_of, fit_for
from vivant.adapters.host import Job, Part, Sampled
from vivant.adapters.layout import Checkpoint
from vivant.adapters.memory import GIB, Machine, Placement, placed, published, published_needs
from vivant.adapters.model import VideoModel
from vivant.clip import Frame
from vivant.controls.entry import Control
from vivant.controls.finish import Rendered, SteadyColour
from vivant.controls.loop import Loop
from vivant.controls.sampling import Guidance, Steps
from vivant.controls.start import Draft, MovedNoise
from vivant.controls.strength import Strength
from vivant.controls.stroke import Stroke
from vivant.controls.words import Words
from vivant.errors import BundleError, Cancelled, UnsupportedControl, UsageError
from vivant.job import make
from vivant.media.assets import FileAssets
from vivant.provenance.policy import Policy
from vivant.registry import load
from vivant.request import Hooks, Keyframe, ModelIdentity, Plan, Request, Runtime, Target

CPU = Machine("cpu", "the CPU", 64 * GIB, 64 * GIB)


def checkpoint(family: Family) -> Checkpoint:
    parts = {name: {"w": (int(size * 1e9), 1)} for name, size in family.billions.items()}
    transformer = {"sample_width": 90, "sample_height": 60, "target_size": 640}
    return Checkpoint(
        Path("/none"), family.pipeline, {"transformer": transformer}, parts, "own", ""
    )


@dataclass
class Stub:
    """A process that answers with what ``make`` gives; the first ``fails`` times with no memory."""

    make: Callable[[Job], list[Frame]]
    fails: int = 0
    jobs: list[tuple[Job, Placement]] = field(default_factory=list)

    def machine(self) -> Machine:
        return Machine("cuda", "a card", 80 * GIB, 256 * GIB)

    def loads(self, folder: str, family: str, placement: Placement) -> Mapping[str, Part]:
        raise NotImplementedError

    def sampled(self, job: Job, placement: Placement, hooks: Hooks) -> Sampled:
        self.jobs.append((job, placement))
        if len(self.jobs) <= self.fails:
            raise MemoryError("too much")
        hooks.report("sampling", 0.5)
        return Sampled(self.make(job))


def identity(job: Job) -> list[Frame]:
    """As many frames of the picture as are asked for."""
    grid = family_named(job.family).grid
    k = next(k for k in range(1, 200) if grid.asked(k) == job.frames)
    return [job.arrays["picture"].copy() for _ in range(grid.given(k))]


def model(name: str, make: Callable[[Job], list[Frame]] = identity, fails: int = 0) -> VideoModel:
    family = family_named(name)
    stub = Stub(make, fails)
    own = ModelIdentity("mine", "1", "0" * 64)
    return VideoModel(own, checkpoint(family), family, Runtime(), stub, lambda: load("builtin"))


def bullseye(size: tuple[int, int]) -> Frame:
    canvas = np.full((size[1], size[0], 3), 90, np.uint8)
    middle = size[0] // 2, size[1] // 2
    for k, radius in enumerate(range(min(size) // 3, 4, -6)):
        cv2.circle(canvas, middle, radius, (220, 30, 40) if k % 2 else (250, 250, 250), -1)
    return canvas


def request_for(assets: FileAssets, picture: Frame, *controls: Control, **plain: object) -> Request:
    return Request((Keyframe(assets.add_pixels(picture, "picture")),), controls, **plain)  # type: ignore[arg-type]


def made(
    video: VideoModel,
    picture: Frame,
    *controls: Control,
    last: Frame | None = None,
    **plain: object,
) -> tuple[list[Frame], tuple[str, ...]]:
    with FileAssets() as assets:
        request = request_for(assets, picture, *controls, **plain)
        if last is not None:
            end = Keyframe(assets.add_pixels(last, "picture"), request.seconds)
            request = Request((*request.keyframes, end), request.controls, request.seconds)
        plan = video.plan(request, assets, Target())
        result = video.generate(request, plan, assets, Hooks())
        with result.open() as stream:
            frames = list(stream)
        assert len(frames) == plan.video.count
        return frames, result.plan.notes


@pytest.mark.parametrize("family", TABLE, ids=lambda family: family.name)
def test_frames_are_the_pictures_own_and_nothing_is_stretched(family: Family) -> None:
    for size in ((170, 100), (90, 210)):
        picture = bullseye(size)
        last = picture if family.needs_last else None
        frames, _ = made(model(family.name), picture, last=last, seconds=0.7)
        assert np.array_equal(frames[0], picture)
        jump = np.abs(frames[1].astype(int) - picture)
        assert jump.mean() < 1.0
        assert frames[-1].shape == picture.shape


@pytest.mark.parametrize("family", TABLE, ids=lambda family: family.name)
def test_a_clip_has_exactly_the_frames_that_are_planned(family: Family) -> None:
    picture = bullseye((64, 48))
    last = picture if family.needs_last else None
    for wanted in (2, 3, 4, 7, 8, 12, 16, 17, 23, 40):
        frames, _ = made(model(family.name), picture, last=last, seconds=wanted / family.fps)
        most = family.most_frames(checkpoint(family))
        assert len(frames) == min(most, wanted) or (last is not None and len(frames) >= wanted)


@pytest.mark.parametrize("family", TABLE, ids=lambda family: family.name)
def test_what_the_model_sees_is_whole_round_and_of_its_own_size(family: Family) -> None:
    for size in ((640, 360), (300, 500), (97, 61)):
        fit = fit_for(family, checkpoint(family), size)
        assert fit.outer[0] % family.multiple == fit.outer[1] % family.multiple == 0
        wide, high = (inner / own for inner, own in zip(fit.inner, size, strict=True))
        assert abs(wide * size[0] - high * size[0]) <= max(1, size[0] / size[1])
        seen = fit.laid(bullseye(size))
        assert seen.shape == (fit.outer[1], fit.outer[0], 3)
        back = cv2.resize(fit.taken(seen), size, interpolation=cv2.INTER_CUBIC).astype(float)
        assert np.abs(back - bullseye(size)).mean() < 20


def test_a_frame_of_another_size_is_refused() -> None:
    def odd(job: Job) -> list[Frame]:
        return [frame[:-1] for frame in identity(job)]

    with pytest.raises(BundleError, match="were asked for"):
        made(model("wan-2.1", odd), bullseye((96, 64)), seconds=0.5)


@pytest.mark.parametrize("family", TABLE, ids=lambda family: family.name)
def test_grids_reach_what_is_needed_and_not_one_round_more(family: Family) -> None:
    grid = family.grid
    for needed in range(2, 130):
        k = grid.rounds(needed)
        assert grid.given(k) >= needed
        assert k == 1 or grid.given(k - 1) < needed
    most = grid.most(family.most)
    assert most <= family.most < grid.given(grid.rounds(most) + 1)


def test_buckets_keep_the_area_and_the_aspect() -> None:
    for size in ((1280, 720), (720, 1280), (1000, 1000), (3000, 1000)):
        width, height = bucket_of(size, 640)
        assert 0.9 * 640**2 <= width * height <= 640**2
        assert 0.85 < width / height / (size[0] / size[1]) < 1.15


def test_controls_become_arguments() -> None:
    video = model("wan-2.2")
    asked = (Words("the sea"), Steps(7), Guidance(2.5))
    made(video, bullseye((96, 64)), *asked, last=bullseye((64, 96)), seconds=1.0)
    ((job, _),) = video.host.jobs  # type: ignore[attr-defined]
    assert (job.prompt, job.steps, job.guidance, job.frames) == ("the sea", 7, 2.5, 17)
    assert set(job.arrays) == {"picture", "last"}
    made(video, bullseye((96, 64)))
    job = video.host.jobs[1][0]  # type: ignore[attr-defined]
    assert (job.prompt, job.steps, job.guidance) == ("", 40, 3.5)


@pytest.mark.parametrize(
    ("name", "control", "said"),
    [
        ("svd", Words("the sea"), "words"),
        ("hunyuan-1.5", Guidance(2), "guidance"),
        ("wan-2.1", Loop(), "loop"),
        ("ltx", Draft(0.4), "draft"),
        ("cogvideox", Strength(2.0), "strength"),
        ("svd", Strength(2.0, "water"), "one kind"),
    ],
)
def test_what_a_family_cannot_honour_is_refused_by_name(
    name: str, control: Control, said: str
) -> None:
    with pytest.raises(UnsupportedControl, match=said):
        made(model(name), bullseye((96, 64)), control)


def test_a_last_picture_is_taken_where_it_can_be() -> None:
    picture = bullseye((96, 64))
    with pytest.raises(UnsupportedControl, match="2 key frames"):
        made(model("wan-2.2-5b"), picture, last=picture)
    with pytest.raises(UsageError, match="--last"):
        made(model("wan-2.1-last"), picture)
    with FileAssets() as assets:
        request = request_for(assets, picture, seconds=2.0)
        within = Keyframe(assets.add_pixels(picture, "picture"), 1.0)
        early = Request((*request.keyframes, within), seconds=2.0)
        with pytest.raises(UnsupportedControl, match="at the clip's end"):
            model("wan-2.2").plan(early, assets, Target())


def test_both_pictures_are_met_exactly() -> None:
    first, last = textured(), np.ascontiguousarray(np.roll(textured(), 16, axis=1)[::-1])

    def between(job: Job) -> list[Frame]:
        a, b = (cv2.GaussianBlur(job.arrays[name], (0, 0), 1.5) for name in ("picture", "last"))
        shares = np.linspace(0, 1, len(identity(job)))
        return [cv2.addWeighted(a, 1 - share, b, share, 6) for share in shares]

    frames, _ = made(model("wan-2.2", between), first, last=last, seconds=0.8)
    assert np.array_equal(frames[0], first)
    assert np.array_equal(frames[-1], last)
    with pytest.raises(UsageError, match="--last leads away"):
        made(model("wan-2.2"), first, SteadyColour(), last=last)


def test_too_few_steps_and_too_short_fields_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 2 steps"):
        made(model("ltx"), bullseye((96, 64)), Steps(1))
    with pytest.raises(UsageError, match="leaves none"):
        made(model("wan-2.1"), bullseye((96, 64)), Steps(4), Draft(0.2))
    with pytest.raises(UsageError, match="at least 0"):
        made(model("ltx"), bullseye((96, 64)), Rendered("field"), seconds=0.3)


def ended(family: Family) -> Frame | None:
    """A last picture, where a family cannot do without."""
    return bullseye((96, 64))[:, ::-1].copy() if family.needs_last else None


@pytest.mark.parametrize("family", TABLE, ids=lambda family: family.name)
def test_one_smaller_retry_after_a_lack_of_memory(family: Family) -> None:
    video, picture, last = model(family.name, fails=1), bullseye((96, 64)), ended(family)
    _, notes = made(video, picture, last=last, seconds=0.5)
    first, second = (placement for _, placement in video.host.jobs)  # type: ignore[attr-defined]
    assert second.need < first.need
    said = second.said(video.host.machine())
    assert any("tried again" in note and said in note for note in notes)
    with pytest.raises(BundleError, match=r"ran out of memory, though .* GiB") as error:
        made(model(family.name, fails=2), picture, last=last, seconds=0.5)
    assert "4194304" not in str(error.value)


def test_placements_shrink_with_the_memory_and_are_refused_with_numbers() -> None:
    family = family_named("wan-2.2")
    rows = checkpoint(family)
    found = [
        placed(family, rows, (832, 480), 81, Machine("cuda", "a card", gib * GIB, 256 * GIB))
        for gib in (140, 60, 12)
    ]
    assert [one.offload for one in found] == ["", "parts", "blocks"]
    assert all(one.dtype == "bfloat16" for one in found)
    with pytest.raises(BundleError, match=r"needs at least .* GiB on a card"):
        placed(family, rows, (832, 480), 81, Machine("cuda", "a card", GIB, 256 * GIB))
    small = family_named("ltx")
    assert placed(small, checkpoint(small), (704, 512), 161, CPU).dtype == "float32"
    tight = Machine("cpu", "the CPU", 24 * GIB, 24 * GIB)
    assert placed(small, checkpoint(small), (704, 512), 25, tight).dtype == "bfloat16"


def test_the_plan_says_where_and_under_which_licence() -> None:
    video = model("wan-2.2")
    with FileAssets() as assets:
        request = request_for(assets, bullseye((1280, 720)), seconds=20.0, fps=24.0)
        plan = video.plan(request, assets, Target())
    said = " ".join(plan.notes)
    assert "bfloat16 on a card, all parts at once" in said
    assert "Licence of the weights: own" in said
    assert "5.06 s instead of 20 s" in said
    assert "16 frames a second, not 24" in said
    assert 60 < published(video.family) < 70
    needs = published_needs(video.family)
    assert needs[""] > needs["parts"] > needs["blocks"] > 1
    assert abs(needs[""] - published(video.family)) < 6


def test_what_memory_it_takes_is_said_before_anything_is_loaded() -> None:
    video = model("wan-2.1")
    told: list[tuple[bool, int]] = []

    def planned(plan: Plan) -> None:
        said = any("GiB of" in note for note in plan.notes)
        told.append((said, len(video.host.jobs)))  # type: ignore[attr-defined]

    with FileAssets() as assets:
        request = request_for(assets, bullseye((96, 64)), seconds=0.5)
        policy = Policy(consent=True, nudity_screen=False)
        make(request, Target(), assets, video, policy=policy, hooks=Hooks(planned=planned))
    assert told[0] == (True, 0)


def test_nothing_follows_a_cancelled_job() -> None:
    with FileAssets() as assets:
        request = request_for(assets, bullseye((96, 64)))
        video = model("wan-2.1")
        plan = video.plan(request, assets, Target())
        with pytest.raises(Cancelled):
            video.generate(request, plan, assets, Hooks(cancelled=lambda: True))


def drifting(job: Job) -> list[Frame]:
    """The picture panned by a pixel a frame, soft, ever warmer."""
    whole = job.arrays["picture"]
    frames = []
    for t, frame in enumerate(identity(job)):
        moved = np.roll(frame, t, axis=1).astype(np.float32)
        soft = cv2.GaussianBlur(moved, (0, 0), 1.2)
        frames.append(np.clip(soft + np.array([12, 4, -10]) * t / 16, 0, 255).astype(np.uint8))
    assert frames[0].shape == whole.shape
    return frames


def textured(side: int = 128) -> Frame:
    rng = np.random.default_rng(5)
    fine = cv2.GaussianBlur(rng.integers(0, 256, (side, side, 3)).astype(np.float32), (0, 0), 1.5)
    broad = cv2.resize(rng.random((5, 5, 3)).astype(np.float32) * 120 + 60, (side, side))
    return np.clip(broad + 2 * (fine - 127), 8, 247).astype(np.uint8)


def test_colours_are_held_where_asked_and_it_is_said() -> None:
    picture = textured()
    plain, _ = made(model("wan-2.1", drifting), picture, seconds=1.0)
    steady, notes = made(model("wan-2.1", drifting), picture, SteadyColour(), seconds=1.0)
    inner = np.s_[16:-16, 24:-16]
    true = np.roll(picture, len(plain) - 1, axis=1)[inner].mean(axis=(0, 1))
    warm = plain[-1][inner].mean(axis=(0, 1)) - true
    held = steady[-1][inner].mean(axis=(0, 1)) - true
    assert np.abs(warm).max() > 8
    assert np.abs(held).max() < 4
    assert any("drifted by" in note for note in notes)


def test_the_field_moves_the_picture_as_the_clip_moves() -> None:
    picture = textured()
    frames, _ = made(model("wan-2.1", drifting), picture, Rendered("field"), seconds=1.0)
    inner = np.s_[24:-24, 40:-24]
    true = np.roll(picture, 8, axis=1)[inner].astype(float)
    moved = np.abs(frames[8][inner] - true).mean()
    still = np.abs(picture[inner] - true).mean()
    assert moved < 0.5 * still
    assert np.array_equal(frames[0], picture)


def drawn(video: VideoModel, *controls: Control) -> Job:
    picture = photo_like(160, 96)
    made(video, picture, *controls, seconds=0.5)
    job: Job = video.host.jobs[-1][0]  # type: ignore[attr-defined]
    return job


def test_a_draft_is_the_built_in_clip_of_the_same_picture() -> None:
    stroke = Stroke(((0.2, 0.5), (0.8, 0.5)))
    job = drawn(model("wan-2.2"), Draft(0.4), stroke)
    draft = job.arrays["draft"]
    assert draft.shape == (9, 96, 160, 3)
    assert np.array_equal(draft[0], job.arrays["picture"])
    assert (draft[-1] != draft[0]).mean() > 0.02
    assert job.draft == 0.4


def test_noise_is_handed_the_motion_of_what_is_drawn() -> None:
    stroke = Stroke(((0.2, 0.5), (0.8, 0.5)))
    motion = drawn(model("ltx"), MovedNoise(), stroke).arrays["motion"]
    assert motion.shape == (16, 24, 40, 2)
    assert motion[..., 0].min() < -0.002  # what is seen came from the left
    assert np.abs(motion).max() < 0.3


def test_what_is_drawn_needs_a_draft() -> None:
    with pytest.raises(UnsupportedControl, match="stroke"):
        made(model("wan-2.1"), bullseye((96, 64)), Stroke(((0.2, 0.5), (0.8, 0.5))))
