"""The use case: plan before work, cancelling, outputs that are refused, artefacts."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from conftest import EXAMPLES
from publishing import key
from vivant import job
from vivant.controls.mask import Still
from vivant.controls.strength import Strength
from vivant.errors import Cancelled, PolicyError, UsageError
from vivant.field.file import load_field
from vivant.job import Export
from vivant.media.assets import FileAssets
from vivant.media.formats import FORMATS
from vivant.provenance import policy
from vivant.provenance.faces import Face
from vivant.provenance.release import Delivery
from vivant.registry import load
from vivant.request import Hooks, Keyframe, Plan, Request

SECOND = 1.0


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return Path(shutil.copy(EXAMPLES / "china.jpg", tmp_path / "photo.jpg"))


def request_for(assets: FileAssets, photo: Path, **options: object) -> Request:
    frame = Keyframe(assets.add(photo, "picture"))
    return Request((frame,), size="192x128", **options)  # type: ignore[arg-type]


def test_the_plan_is_heard_before_any_work(tmp_path: Path, photo: Path) -> None:
    heard: list[tuple[str, object]] = []
    hooks = Hooks(
        progress=lambda stage, share: heard.append((stage, share)),
        planned=lambda plan: heard.append(("plan", plan)),
    )
    out = tmp_path / "a.mp4"
    with FileAssets() as assets:
        request = request_for(assets, photo, seconds=0.25)
        delivery = Delivery(out, FORMATS["mp4"])
        exports = (
            Export("field", tmp_path / "f.vivant"),
            Export("truth", tmp_path / "truth", ("flow:npz", "mask")),
        )
        done = job.run(
            request, delivery, assets, load("builtin"), key(), exports=exports, hooks=hooks
        )
    assert heard[0][0] == "plan"
    plan = heard[0][1]
    assert isinstance(plan, Plan)
    assert plan == done.plan
    assert any("reduced from" in note for note in plan.notes)
    assert {stage for stage, _ in heard[1:]} >= {"sampling", "rendering", "exporting"}
    assert out.is_file()
    assert load_field(tmp_path / "f.vivant").steps > 0
    assert len(list((tmp_path / "truth").glob("forward_*.npz"))) == 5


@pytest.mark.parametrize("stage", ["decoding", "sampling", "rendering"])
def test_a_cancelled_run_ends_within_a_second_and_leaves_nothing(
    tmp_path: Path, photo: Path, stage: str
) -> None:
    reached: list[float] = []

    def progress(name: str, share: float) -> None:
        if name == stage and share > 0 and not reached:
            reached.append(time.process_time())

    hooks = Hooks(progress=progress, cancelled=lambda: bool(reached))
    if stage == "decoding":
        reached.append(time.process_time())
    generator = load("builtin")
    with FileAssets() as assets:
        request = request_for(assets, photo, seconds=20.0)
        before = set(tmp_path.iterdir())
        with pytest.raises(Cancelled):
            job.run(
                request, Delivery(tmp_path / "a.mp4", FORMATS["mp4"]), assets, generator, key(),
                hooks=hooks,
            )  # fmt: skip
    # the time of two processors: on a busy machine a second of the clock may bring nothing
    assert time.process_time() - reached[0] < 2 * SECOND
    assert set(tmp_path.iterdir()) == before


def test_outputs_are_refused_before_any_work(tmp_path: Path, photo: Path) -> None:
    generator = load("builtin")
    with FileAssets() as assets:
        request = request_for(assets, photo)
        (tmp_path / "taken.mp4").write_bytes(b"mine")
        link = tmp_path / "link.jpg"
        link.symlink_to(photo)
        started: list[Plan] = []
        hooks = Hooks(planned=started.append)
        for out, says in (
            (tmp_path / "taken.mp4", "exists already"),
            (tmp_path / "none" / "a.mp4", "does not exist"),
            (photo, "is the input|exists already"),
        ):
            with pytest.raises(UsageError, match=says):
                job.run(
                    request, Delivery(out, FORMATS["mp4"]), assets, generator, key(), hooks=hooks
                )
        for out in (photo, link):  # whatever is said of overwriting
            delivery = Delivery(out, FORMATS["mp4"], overwrite=True)
            with pytest.raises(UsageError, match="is the input"):
                job.run(request, delivery, assets, generator, key(), hooks=hooks)
        export = (Export("field", photo),)
        delivery = Delivery(tmp_path / "b.mp4", FORMATS["mp4"], overwrite=True)
        with pytest.raises(UsageError, match="is the input"):
            job.run(request, delivery, assets, generator, key(), exports=export, hooks=hooks)
    assert started == []
    assert (tmp_path / "taken.mp4").read_bytes() == b"mine"


def test_the_policy_is_asked_before_anything_is_sampled(
    tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "find_faces", lambda pixels: (Face(0.9, (0.1, 0.1, 0.4, 0.6)),))
    monkeypatch.setattr(job, "somebody", lambda picture, box: 0.9)
    stages: list[str] = []
    hooks = Hooks(progress=lambda stage, share: stages.append(stage))
    with FileAssets() as assets, pytest.raises(PolicyError):
        job.run(
            request_for(assets, photo), Delivery(tmp_path / "a.mp4", FORMATS["mp4"]), assets,
            load("builtin"), key(), hooks=hooks,
        )  # fmt: skip
    assert "sampling" not in stages


def test_what_changes_nothing_is_said(photo: Path) -> None:
    heard: list[Plan] = []
    with FileAssets() as assets:
        request = request_for(assets, photo, controls=(Strength(1.0),))
        heard.append(load("builtin").plan(request, assets, job.target_of(FORMATS["mp4"])))
    assert any("strength changes nothing" in note for note in heard[0].notes)


def test_a_mask_of_another_shape_is_refused_by_name(photo: Path) -> None:
    with FileAssets() as assets:
        mask = assets.add_pixels(np.full((50, 50), 255, np.uint8), "mask", "m.png")
        request = request_for(assets, photo, controls=(Still(mask),))
        with pytest.raises(UsageError, match=r"--still mask m\.png is 50x50"):
            load("builtin").plan(request, assets, job.target_of(FORMATS["mp4"]))
