"""The clips that VBench-I2V scores, under the names it looks for.

Huang et al., "VBench++" (2024); layout of Vchitect/VBench, vbench2_beta_i2v: five clips a prompt,
``{prompt}-{index}.mp4``, from images in ``crop/{ratio}`` listed in ``vbench2_i2v_full_info.json``.
Its scores need networks that vivant does not bring; they are computed by VBench itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vivant import job
from vivant.asset import Asset
from vivant.clip import Picture
from vivant.controls.camera import Camera
from vivant.errors import MediaError, PolicyError, UnsupportedControl, UsageError
from vivant.files import listed, make_folder, publish, sha256_of
from vivant.media.assets import FileAssets
from vivant.media.formats import format_for
from vivant.media.resize import fit
from vivant.provenance.keys import SigningKey
from vivant.provenance.policy import Policy
from vivant.provenance.release import Delivery
from vivant.request import Generator, Keyframe, Request

SAMPLES = 5
SECONDS, FPS, SHORT = 4.0, 24.0, 480
INFO = "vbench2_i2v_full_info.json"
CROPS = "i2v-bench-info.json"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
OWN = [
    "i2v_subject", "i2v_background", "subject_consistency", "background_consistency",
    "motion_smoothness", "dynamic_degree", "aesthetic_quality", "imaging_quality",
]  # fmt: skip
CAMERAS: dict[str, Camera] = {
    "camera pans left": Camera(pan_x=-0.15),
    "camera pans right": Camera(pan_x=0.15),
    "camera tilts up": Camera(pan_y=-0.15),
    "camera tilts down": Camera(pan_y=0.15),
    "camera zooms in": Camera(zoom=0.25),
    "camera zooms out": Camera(zoom=-0.1),
    "camera static": Camera(),
}
"""What the prompt's last words ask; None where vivant refuses (it never looks beyond the edge)."""


@dataclass(frozen=True)
class Prompt:
    """One line of the suite: its text, its image, and the part ``box`` (x, y, width, height) of
    it, None for the whole; ``entry`` is the line as VBench's list has it."""

    text: str
    image: Path
    box: tuple[int, int, int, int] | None
    entry: dict[str, Any]

    @property
    def camera(self) -> Camera:
        """The camera asked for, standing still where none is."""
        return CAMERAS.get(self.text.rpartition(", ")[2], Camera())


def read_prompts(photos: Path, ratio: str) -> list[Prompt]:
    """The suite's prompts with their images, cut to ``ratio`` ("16-9").

    ``photos`` is VBench's ``data`` folder, one of its ready crops, or any folder of images: then
    each file's name is its prompt. Raises UsageError where an image is missing.
    """
    if not photos.is_dir():
        raise UsageError(f"There is no folder {photos}.")
    folder = next((f for f in (photos / "crop" / ratio, photos / ratio) if f.is_dir()), photos)
    boxes: dict[str, tuple[int, int, int, int]] = {}
    if folder == photos and (photos / CROPS).is_file() and (photos / "origin").is_dir():
        folder = photos / "origin"
        boxes = _boxes(photos / CROPS, ratio)
    info = next((f / INFO for f in (photos, *list(photos.parents)[:3]) if (f / INFO).is_file()), 0)
    entries = _read(info) if isinstance(info, Path) else _own_list(folder)
    prompts = []
    for entry in entries:
        text = str(entry["prompt_en"])
        custom = Path(str(entry.get("custom_image_path", ""))).name
        name = str(entry.get("image_name") or custom or f"{_without_camera(text)}.jpg")
        if "/" in text or "/" in name or "\\" in name:
            raise UsageError(f"The prompt {text!r} cannot name a file.")
        if not (folder / name).is_file():
            raise UsageError(f"The image {name} of the list is not in {folder}.")
        prompts.append(Prompt(text, folder / name, boxes.get(name), entry))
    if not prompts:
        raise UsageError(f"{photos} holds no images.")
    return prompts


def _without_camera(text: str) -> str:
    head, _, tail = text.rpartition(", ")
    return head if tail in CAMERAS else text


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is not JSON ({error}).") from error
    if not isinstance(found, list):
        raise UsageError(f"{path} is not a list.")
    return found


def _own_list(folder: Path) -> list[dict[str, Any]]:
    images = [p for p in listed(folder) if p.suffix.lower() in SUFFIXES]
    return [
        {"prompt_en": p.stem, "dimension": OWN, "custom_image_path": str(p.resolve())}
        for p in images
    ]


def _boxes(path: Path, ratio: str) -> dict[str, tuple[int, int, int, int]]:
    boxes = {}
    for item in _read(path):
        ready = item["diff_ratio_crop"]
        if ratio not in ready:
            raise UsageError(f"{path} has no crop {ratio!r}; choose from {', '.join(ready)}.")
        x, y, width, height = (int(v) for v in ready[ratio])
        boxes[str(item["file_name"])] = (x, y, width, height)
    return boxes


def picture_of(prompt: Prompt, assets: FileAssets) -> Asset:
    """The prompt's image, cut, with a short side of 480 pixels and even sides; an image that is
    used whole keeps its file, and so its own credentials."""
    whole = assets.add(prompt.image, "picture")
    if prompt.box is None:
        return whole
    x, y, width, height = prompt.box
    cut = Picture(assets.picture(whole).pixels[y : y + height, x : x + width].copy())
    return assets.add_pixels(fit(cut, _size(cut)).pixels, "picture", whole.name)


def _size(picture: Picture) -> tuple[int, int]:
    width, height = picture.size
    scale = SHORT / min(width, height)
    return 2 * round(width * scale / 2), 2 * round(height * scale / 2)


def seed_of(text: str, index: int) -> int:
    """A seed from the prompt and the sample's number: drawn once, not picked."""
    digest = hashlib.sha256(f"{text}-{index}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def export(
    prompts: list[Prompt],
    generator: Generator,
    out: Path,
    certificate: SigningKey,
    *,
    seconds: float = SECONDS,
    policy: Policy = Policy(),  # noqa: B008 - frozen
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Write ``out/videos/{prompt}-{0..4}.mp4``, the list, and ``record.json`` with every seed.

    What is there under the same weights and settings is kept, so that a killed run goes on.
    A prompt that is refused (by the policy) is recorded with the reason.
    Raises UsageError where ``out`` holds clips of other weights or settings.
    """
    videos = out / "videos"
    make_folder(videos)
    settings = {"model": generator.identity.sha256, "seconds": seconds, "fps": FPS, "short": SHORT}
    _check_settings(out / "settings.json", settings)
    _write(out / INFO, [prompt.entry for prompt in prompts])
    clips: list[dict[str, Any]] = []
    making = _Making(generator, videos, certificate, seconds, policy)
    for k, prompt in enumerate(prompts):
        with FileAssets() as assets:
            clips += _samples(prompt, making, assets)
        progress((k + 1) / len(prompts))
    record = {"settings": settings, "clips": clips}
    _write(out / "record.json", record)
    return record


@dataclass(frozen=True)
class _Making:
    """What all clips of an export share."""

    generator: Generator
    videos: Path
    certificate: SigningKey
    seconds: float
    policy: Policy


def _samples(prompt: Prompt, making: _Making, assets: FileAssets) -> list[dict[str, Any]]:
    digest, rows = sha256_of(prompt.image), []
    for index in range(SAMPLES):
        seed = seed_of(prompt.text, index)
        path = making.videos / f"{prompt.text}-{index}.mp4"
        row: dict[str, Any] = {"name": path.name, "seed": seed, "image_sha256": digest}
        rows.append(row)
        if not path.is_file():
            try:
                _clip(prompt, making, assets, seed, path)
            except (PolicyError, UnsupportedControl, MediaError) as error:
                row["refused"] = str(error)
    return rows


def _clip(prompt: Prompt, making: _Making, assets: FileAssets, seed: int, path: Path) -> None:
    image = picture_of(prompt, assets)
    width, height = _size(assets.picture(image))
    camera = prompt.camera
    job.run(
        Request(
            keyframes=(Keyframe(image),),
            controls=(camera,),
            seconds=making.seconds,
            fps=FPS,
            size=f"{width}x{height}",
            seed=seed,
        ),
        Delivery(path, format_for(path, None)),
        assets,
        making.generator,
        making.certificate,
        policy=making.policy,
    )


def _check_settings(path: Path, settings: dict[str, Any]) -> None:
    if path.is_file() and json.loads(path.read_text("utf-8")) != settings:
        raise UsageError(f"{path.parent} holds clips of other weights or settings; choose another.")
    _write(path, settings)


def _write(path: Path, content: Any) -> None:
    with publish(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
