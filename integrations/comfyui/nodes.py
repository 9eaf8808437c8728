"""The nodes (V3 schema). What they do is `vivant.facade`; here are only sockets and tensors.

IMAGE is float32 0..1 ``[B, H, W, C]``, MASK float32 0..1 ``[B, H, W]``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import comfy.model_management
import folder_paths
import numpy as np
import torch
from comfy_api.latest import ComfyAPISync, ComfyExtension, InputImpl, io

import vivant
from vivant.facade import Animation
from vivant.files import publish
from vivant.kinds import KINDS
from vivant.motion.motion_file import write_motion
from vivant.request import Hooks
from vivant.scene import eyes

Clip = io.Custom("VIVANT_CLIP")
CATEGORY = "vivant"
FIELD_FILES = (".vivant", ".motion")
MOST_SEED = 2**63 - 1


def pixels_of(image: torch.Tensor) -> np.ndarray:
    """The only picture of an IMAGE as uint8 ``[H, W, 3]``; alpha is left out."""
    if image.shape[0] != 1:
        raise ValueError(
            f"vivant animates one picture, not a batch of {image.shape[0]}:"
            " take one with ImageFromBatch."
        )
    return _levels(image[0, :, :, :3])


def mask_of(mask: torch.Tensor | None) -> np.ndarray | None:
    """A MASK as uint8 ``[H, W]``, the first of a batch."""
    return None if mask is None else _levels(mask[0])


def _levels(values: torch.Tensor) -> np.ndarray:
    return (255 * values.clamp(0, 1)).round().to(torch.uint8).cpu().numpy()


def images_of(clip: Animation) -> torch.Tensor:
    """The frames of a clip as one IMAGE ``[T, H, W, 3]``, with progress."""
    video = clip.plan.video
    out = torch.empty((video.count, video.height, video.width, 3), dtype=torch.float32)
    for number, frame in enumerate(clip.frames()):
        _go_on(number + 1, video.count)
        out[number] = torch.from_numpy(frame).to(torch.float32) / 255
    return out


def _go_on(value: float, most: float) -> None:
    """Show progress; stop where the user wants it."""
    comfy.model_management.throw_exception_if_processing_interrupted()
    ComfyAPISync().execution.set_progress(value=value, max_value=most)


class VivantAnimate(io.ComfyNode):
    """A picture comes to life."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Sockets and widgets."""
        return io.Schema(
            node_id="VivantAnimate",
            display_name="Animate a picture (vivant)",
            category=CATEGORY,
            description="Clouds drift, water flows, leaves sway; what holds, holds to the bit.",
            inputs=[
                io.Image.Input("image"),
                io.Float.Input("seconds", default=4.0, min=0.1, max=600.0, step=0.1),
                io.Float.Input("fps", default=24.0, min=1.0, max=120.0, step=1.0),
                io.Int.Input("seed", default=0, min=0, max=MOST_SEED, control_after_generate=True),
                io.Boolean.Input("loop", default=False, tooltip="The end meets the beginning."),
                io.String.Input(
                    "prompt",
                    multiline=True,
                    default="",
                    tooltip="Such as: the clouds drift left, the sea is calm. Read word by word.",
                ),
                io.String.Input("camera", default="", tooltip="Such as: push-in, truck-right 5%."),
                io.String.Input("wind", default="", tooltip="Such as: left,strong."),
                io.String.Input("size", default="", tooltip="1280x720, 720p or source."),
                io.Float.Input("strength", default=1.0, min=0.0, max=4.0, step=0.05),
                io.Mask.Input("hold", optional=True, tooltip="White holds still."),
                io.Mask.Input("move", optional=True, tooltip="White moves, the rest holds."),
                io.Boolean.Input(
                    "consent", default=False, tooltip="Those who are in the picture have agreed."
                ),
                # last, since saved workflows hold the values of widgets by their places
                io.String.Input("light", default="", tooltip="Such as: sun left, dusk 0.3."),
            ],
            outputs=[
                io.Image.Output("frames"),
                Clip.Output("clip", tooltip="For Video (vivant): the clip, not rendered yet."),
            ],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        seconds: float,
        fps: float,
        seed: int,
        loop: bool,
        prompt: str,
        camera: str,
        wind: str,
        size: str,
        strength: float,
        consent: bool,
        light: str,
        hold: torch.Tensor | None = None,
        move: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        """Frames and clip."""
        words: dict[str, Any] = {
            "loop": loop or None,
            "prompt": prompt.strip() or None,
            "camera": camera.strip() or None,
            "wind": wind.strip() or None,
            "light": light.strip() or None,
            "strength": strength if strength != 1 else None,
            "still": mask_of(hold),
            "move": mask_of(move),
        }
        clip = vivant.animate(
            pixels_of(image), seconds=seconds, fps=fps, size=size.strip() or None, seed=seed,
            consent=consent, **words,
        )  # fmt: skip
        return io.NodeOutput(images_of(clip), clip)


class VivantVideo(io.ComfyNode):
    """A clip as a file that carries its mark and its credentials."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Sockets and widgets."""
        return io.Schema(
            node_id="VivantVideo",
            display_name="Video (vivant)",
            category=CATEGORY,
            description="The clip as MP4, marked and signed as AI-generated, in ComfyUI's folder of"
            " outputs. Saving the VIDEO again keeps the mark, not the signature.",
            inputs=[Clip.Input("clip"), io.String.Input("filename_prefix", default="vivant")],
            outputs=[io.Video.Output("video"), io.String.Output("file")],
        )

    @classmethod
    def execute(cls, clip: Animation, filename_prefix: str) -> io.NodeOutput:
        """Video and the file's name."""
        video = clip.plan.video
        folder, name, counter, _, _ = folder_paths.get_save_image_path(
            filename_prefix, folder_paths.get_output_directory(), video.width, video.height
        )
        path = Path(folder) / f"{name}_{counter:05}_.mp4"
        clip.save(path, hooks=Hooks(lambda stage, share: _go_on(share, 1.0)))
        return io.NodeOutput(InputImpl.VideoFromFile(str(path)), str(path))


class VivantSee(io.ComfyNode):
    """What a picture shows."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Sockets and widgets."""
        return io.Schema(
            node_id="VivantSee",
            display_name="See (vivant)",
            category=CATEGORY,
            description="The matte of a kind, the depth (near is white), and what else is there.",
            inputs=[io.Image.Input("image"), io.Combo.Input("kind", options=list(KINDS))],
            outputs=[io.Mask.Output("mask"), io.Image.Output("depth"), io.String.Output("shares")],
        )

    @classmethod
    def execute(cls, image: torch.Tensor, kind: str) -> io.NodeOutput:
        """Mask, depth, and a line for each kind."""
        pixels = pixels_of(image)
        scene = eyes.see(pixels)
        matte = eyes.mattes(scene, pixels, (kind,)).of(kind)
        depth = scene.depth_at((pixels.shape[1], pixels.shape[0])) / np.float32(65535)
        shares = "\n".join(f"{name} {share:.1%}" for name, share in scene.shares().items())
        grey = torch.from_numpy(depth)[None, :, :, None].expand(-1, -1, -1, 3).contiguous()
        return io.NodeOutput(torch.from_numpy(matte)[None] / 255.0, grey, shares)


class VivantRenderField(io.ComfyNode):
    """A picture under the motion of a file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Sockets and widgets."""
        return io.Schema(
            node_id="VivantRenderField",
            display_name="Render a motion (vivant)",
            category=CATEGORY,
            description="Renders a motion (.motion) or a motion field (.vivant) of ComfyUI's folder"
            " of inputs.",
            inputs=[
                io.Image.Input("image"),
                io.Combo.Input("file", options=_field_files()),
                io.Float.Input("seconds", default=4.0, min=0.1, max=600.0, step=0.1),
                io.Float.Input("fps", default=24.0, min=1.0, max=120.0, step=1.0),
                io.String.Input("size", default=""),
                io.Boolean.Input("consent", default=False),
            ],
            outputs=[io.Image.Output("frames"), Clip.Output("clip")],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        file: str,
        seconds: float,
        fps: float,
        size: str,
        consent: bool,
    ) -> io.NodeOutput:
        """Frames and clip."""
        if file not in _field_files():  # a workflow may name anything
            raise ValueError(f"There is no motion {file!r} among ComfyUI's inputs.")
        clip = vivant.render(
            pixels_of(image), Path(folder_paths.get_input_directory()) / file, seconds=seconds,
            fps=fps, size=size.strip() or None, consent=consent,
        )  # fmt: skip
        return io.NodeOutput(images_of(clip), clip)


class VivantSaveMotion(io.ComfyNode):
    """The motion of a clip as a file, to edit and to render again."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Sockets and widgets."""
        return io.Schema(
            node_id="VivantSaveMotion",
            display_name="Save the motion (vivant)",
            category=CATEGORY,
            is_output_node=True,
            inputs=[Clip.Input("clip"), io.String.Input("name", default="clouds")],
            outputs=[io.String.Output("file")],
        )

    @classmethod
    def execute(cls, clip: Animation, name: str) -> io.NodeOutput:
        """The name to choose in Render a motion."""
        if not name.isidentifier():
            raise ValueError(f"Letters, digits and _ make a name, not {name!r}.")
        path = Path(folder_paths.get_input_directory()) / f"{name}.motion"
        with publish(path) as temporary:
            write_motion(temporary, clip.motion)
        return io.NodeOutput(path.name)


def _field_files() -> list[str]:
    folder = Path(folder_paths.get_input_directory())
    return sorted(path.name for path in folder.iterdir() if path.suffix in FIELD_FILES)


class VivantNodes(ComfyExtension):
    """The pack."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """Every node."""
        return [VivantAnimate, VivantVideo, VivantSee, VivantRenderField, VivantSaveMotion]


async def comfy_entrypoint() -> VivantNodes:
    """What ComfyUI calls."""
    return VivantNodes()
