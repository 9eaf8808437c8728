"""The one table of video models that are run: what each takes, gives, honours and weighs.

Every row was run with a random checkpoint of its published layout. Parameters are counted from the
published configurations; seconds are nowhere stated, because none were measured. The table of
``docs/adapters.md`` is made from these rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vivant.adapters.layout import Checkpoint
from vivant.errors import BundleError


@dataclass(frozen=True)
class Grid:
    """How many frames a model gives: ``step k + offset`` for k = 1, 2, ..., where it is asked for
    ``ask_step k + ask_offset``; a window of its own each where ``windows``."""

    step: int = 1
    offset: int = 1
    ask_step: int = 0
    ask_offset: int = 0
    windows: bool = False

    def rounds(self, needed: int) -> int:
        """The least k that gives at least ``needed`` frames."""
        return max(1, math.ceil((needed - self.offset) / self.step))

    def given(self, k: int) -> int:
        """Frames that k gives."""
        return self.step * k + self.offset

    def asked(self, k: int) -> int:
        """What is asked for so that k is given."""
        return self.ask_step * k + self.ask_offset if self.ask_step else self.given(k)

    def most(self, limit: int) -> int:
        """The most frames that can be had, at most ``limit``."""
        return self.given(max(1, (limit - self.offset) // self.step))


FOURS = Grid(4, 1)
EIGHTS = Grid(8, 1)
Matches = Callable[[Checkpoint], bool]


@dataclass(frozen=True)
class Family:
    """A model that is run by ``pipeline``, a class of diffusers, where the checkpoint states one of
    ``published`` (its classes) and ``matches``.

    ``fps`` and ``most`` frames it was trained for (``most_in``: where its configuration states
    them), on about ``area`` pixels whose sides are multiples of ``multiple``; ``sizing``: any such
    size, one ``fixed`` size, or ``buckets`` of one area. ``steps`` (at least ``least_steps``) and
    ``guidance`` where nothing is asked (0: it has none). ``prompt``, ``last`` picture: whether it
    takes them (``needs_last``: it works with one only). ``strength``: the argument that scales
    motion, "" for none; ``draft``: how it starts from a clip; ``noise``: the axes of the latents
    that it takes ("tokens" and "plain" hold the picture besides; plain ones are not normalised).
    ``options`` are handed to every call. ``licence`` of the published weights; ``billions`` of
    parameters by part; ``parts_in_float`` stay in float32, and so do tensors that have one of
    ``names_in_float`` in their names. Decoding holds ``pixel_floats`` numbers
    for each pixel of ``decodes`` frames (0: all) at once, in tiles of ``tile`` pixels
    a side (0: it has no tiles, and a tiled placement decodes one frame at a time).
    """

    name: str
    title: str
    pipeline: str
    published: tuple[str, ...]
    fps: int
    most: int
    grid: Grid
    multiple: int
    area: int
    steps: int
    guidance: float
    licence: str
    billions: Mapping[str, float]
    matches: Matches = lambda checkpoint: True
    most_in: tuple[str, str] = ("", "")
    sizing: Literal["free", "fixed", "buckets"] = "free"
    least_steps: int = 1
    prompt: bool = True
    last: bool = False
    needs_last: bool = False
    strength: Literal["", "motion_bucket_id", "motion_speed"] = ""
    draft: Literal["", "latents", "video"] = ""
    noise: Literal["", "bcfhw", "bfchw", "tokens", "plain"] = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    parts_in_float: tuple[str, ...] = ()
    names_in_float: tuple[str, ...] = ()
    pixel_floats: int = 1650
    decodes: int = 4
    tile: int = 256

    def most_frames(self, checkpoint: Checkpoint) -> int:
        """The most frames that a checkpoint gives."""
        part, name = self.most_in
        stated = checkpoint.configs.get(part, {}).get(name, self.most)
        return self.grid.most(stated if isinstance(stated, int) else self.most)


def _config(checkpoint: Checkpoint, part: str, name: str) -> Any:
    return checkpoint.configs.get(part, {}).get(name)


def _two_stages(checkpoint: Checkpoint) -> bool:
    return "transformer_2" in checkpoint.configs


def _expands(checkpoint: Checkpoint) -> bool:
    return checkpoint.flags.get("expand_timesteps") is True


def _sees(checkpoint: Checkpoint) -> bool:
    return "image_encoder" in checkpoint.configs


def _first_and_last(checkpoint: Checkpoint) -> bool:
    return _sees(checkpoint) and _config(checkpoint, "transformer", "pos_embed_seq_len") is not None


def _fixed(checkpoint: Checkpoint) -> bool:
    return bool(_config(checkpoint, "transformer", "use_learned_positional_embeddings"))


WAN = ("WanImageToVideoPipeline",)
DELICATE = ("time_embedder", "scale_shift_table", "norm1", "norm2", "norm3")
"""What diffusers keeps in float32 of Wan's networks, and of those made from them."""
UMT5, T5, LLAMA, SIGLIP = 5.68, 4.76, 7.51, 0.43
TABLE: tuple[Family, ...] = (
    Family(
        "svd", "Stable Video Diffusion, XT", "StableVideoDiffusionPipeline",
        ("StableVideoDiffusionPipeline",), 7, 25, Grid(), 64, 1024 * 576, 25, 3.0,
        "Stability AI community, non-commercial",
        {"unet": 1.52, "image_encoder": 0.63, "vae": 0.10},
        most_in=("unet", "num_frames"), prompt=False, strength="motion_bucket_id", noise="bfchw",
        tile=0,
    ),
    Family(
        "wan-2.1-last", "Wan 2.1 first and last picture", "WanImageToVideoPipeline", WAN,
        16, 81, FOURS, 16, 1280 * 720, 50, 5.0, "Apache-2.0",
        {"transformer": 16.40, "text_encoder": UMT5, "image_encoder": 0.63, "vae": 0.13},
        _first_and_last, last=True, needs_last=True, noise="bcfhw",
        parts_in_float=("vae", "image_encoder"), names_in_float=DELICATE,
    ),
    Family(
        "wan-2.1", "Wan 2.1 image to video", "WanImageToVideoPipeline", WAN,
        16, 81, FOURS, 16, 832 * 480, 50, 5.0, "Apache-2.0",
        {"transformer": 16.40, "text_encoder": UMT5, "image_encoder": 0.63, "vae": 0.13},
        _sees, draft="latents", noise="bcfhw", parts_in_float=("vae", "image_encoder"),
        names_in_float=DELICATE,
    ),
    Family(
        "wan-2.2", "Wan 2.2 A14B", "WanImageToVideoPipeline", WAN,
        16, 81, FOURS, 16, 832 * 480, 40, 3.5, "Apache-2.0",
        {"transformer": 14.29, "transformer_2": 14.29, "text_encoder": UMT5, "vae": 0.13},
        _two_stages, last=True, draft="latents", noise="bcfhw", parts_in_float=("vae",),
        names_in_float=DELICATE,
    ),
    Family(
        "wan-2.2-5b", "Wan 2.2 TI2V-5B", "WanImageToVideoPipeline", (*WAN, "WanPipeline"),
        24, 121, FOURS, 32, 1280 * 704, 50, 5.0, "Apache-2.0",
        {"transformer": 5.00, "text_encoder": UMT5, "vae": 0.70},
        _expands, draft="latents", noise="bcfhw", parts_in_float=("vae",), names_in_float=DELICATE,
    ),
    Family(
        "ltx", "LTX-Video 0.9", "LTXImageToVideoPipeline",
        ("LTXPipeline", "LTXImageToVideoPipeline"), 25, 161, EIGHTS, 32, 704 * 512, 50, 3.0,
        "LTXV open weights (revenue cap)", {"transformer": 1.92, "text_encoder": T5, "vae": 0.42},
        least_steps=2, noise="tokens", pixel_floats=75, decodes=0,
    ),
    Family(
        "ltx-condition", "LTX-Video 0.9.5 and later", "LTXConditionPipeline",
        ("LTXConditionPipeline",), 25, 161, EIGHTS, 32, 704 * 512, 50, 3.0,
        "LTXV open weights (revenue cap)", {"transformer": 1.92, "text_encoder": T5, "vae": 0.42},
        least_steps=2, last=True, draft="video", pixel_floats=75, decodes=0,
    ),
    Family(
        "cogvideox", "CogVideoX 5B", "CogVideoXImageToVideoPipeline",
        ("CogVideoXImageToVideoPipeline",), 8, 49, EIGHTS, 16, 720 * 480, 50, 6.0, "CogVideoX",
        {"transformer": 5.57, "text_encoder": T5, "vae": 0.22},
        _fixed, sizing="fixed", noise="bfchw",
    ),
    Family(
        "cogvideox-1.5", "CogVideoX 1.5 5B", "CogVideoXImageToVideoPipeline",
        ("CogVideoXImageToVideoPipeline",), 16, 81, EIGHTS, 16, 1360 * 768, 50, 6.0, "CogVideoX",
        {"transformer": 5.57, "text_encoder": T5, "vae": 0.22}, noise="bfchw",
    ),
    Family(
        "hunyuan", "HunyuanVideo-I2V", "HunyuanVideoImageToVideoPipeline",
        ("HunyuanVideoImageToVideoPipeline",), 24, 125, Grid(4, 1, 4, 5), 16, 1280 * 720, 50, 1.0,
        "Tencent Hunyuan, not in the EU, UK, South Korea",
        {"transformer": 12.82, "text_encoder": 8.35, "text_encoder_2": 0.12, "vae": 0.25},
        noise="bcfhw",
    ),
    Family(
        "hunyuan-1.5", "HunyuanVideo 1.5", "HunyuanVideo15ImageToVideoPipeline",
        ("HunyuanVideo15ImageToVideoPipeline",), 24, 121, FOURS, 16, 848 * 480, 50, 0.0,
        "Tencent Hunyuan, not in the EU, UK, South Korea",
        {"transformer": 8.33, "text_encoder": 7.07, "text_encoder_2": 0.22,
         "image_encoder": SIGLIP, "vae": 1.26},
        sizing="buckets", noise="bcfhw",
    ),
    Family(
        "framepack", "FramePack", "HunyuanVideoFramepackPipeline",
        ("HunyuanVideoFramepackPipeline",), 30, 1801, Grid(36, 1, 33, 0, True), 16, 640 * 640, 30,
        9.0, "not established; its parts are Tencent Hunyuan's",
        {"transformer": 12.87, "text_encoder": LLAMA, "text_encoder_2": 0.12,
         "image_encoder": SIGLIP, "vae": 0.25},
        last=True, options={"latent_window_size": 9},
    ),
    Family(
        "skyreels-v2-last", "SkyReels-V2 first and last picture", "SkyReelsV2ImageToVideoPipeline",
        ("SkyReelsV2ImageToVideoPipeline",), 24, 97, FOURS, 16, 960 * 544, 50, 5.0,
        "not established",
        {"transformer": 16.40, "text_encoder": UMT5, "image_encoder": 0.63, "vae": 0.13},
        _first_and_last, last=True, needs_last=True, noise="bcfhw",
        parts_in_float=("vae", "image_encoder"), names_in_float=DELICATE,
    ),
    Family(
        "skyreels-v2", "SkyReels-V2 I2V", "SkyReelsV2ImageToVideoPipeline",
        ("SkyReelsV2ImageToVideoPipeline",), 24, 97, FOURS, 16, 960 * 544, 50, 5.0,
        "not established",
        {"transformer": 16.40, "text_encoder": UMT5, "image_encoder": 0.63, "vae": 0.13},
        noise="bcfhw", parts_in_float=("vae", "image_encoder"), names_in_float=DELICATE,
    ),
    Family(
        "ltx-2", "LTX-2", "LTX2ImageToVideoPipeline",
        ("LTX2Pipeline", "LTX2ImageToVideoPipeline"), 24, 121, EIGHTS, 32, 768 * 512, 30, 3.0,
        "LTX-2 community (revenue cap)",
        {"transformer": 18.88, "text_encoder": 12.20, "connectors": 1.43, "vae": 1.22,
         "audio_vae": 0.10, "vocoder": 0.10},
        strength="motion_speed", noise="plain", options={"image_crf": 0}, pixel_floats=75,
        decodes=0,
    ),
)  # fmt: skip


def family_of(checkpoint: Checkpoint) -> Family:
    """The row of a checkpoint. Raises BundleError where this version runs none such."""
    for family in TABLE:
        if checkpoint.pipeline in family.published and family.matches(checkpoint):
            return family
    known = ", ".join(dict.fromkeys(name for row in TABLE for name in row.published))
    raise BundleError(
        f"{checkpoint.folder} holds a {checkpoint.pipeline or 'model of no name'} that makes no"
        f" video from a picture here; this version runs {known}."
    )


def family_named(name: str) -> Family:
    """The row called ``name``. Raises BundleError where there is none."""
    for family in TABLE:
        if family.name == name:
            return family
    raise BundleError(f"There is no video family {name!r}.")
