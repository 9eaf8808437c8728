"""Random checkpoints of a few megabytes, each family in its published layout.

``python tests/tiny_models.py FOLDER NAME...`` builds some; names are those of
`vivant.adapters.families`.
"""

import json
import string
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiny_talkers

SYMBOLS = string.ascii_letters + string.digits + string.punctuation


def svd() -> Any:
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    unet = UNetSpatioTemporalConditionModel(
        block_out_channels=(32, 64), layers_per_block=1, in_channels=8, out_channels=4,
        num_frames=14, cross_attention_dim=32, num_attention_heads=2,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        projection_class_embeddings_input_dim=96, addition_time_embed_dim=32,
    )  # fmt: skip
    vae = AutoencoderKLTemporalDecoder(
        block_out_channels=(32,) * 4, down_block_types=("DownEncoderBlock2D",) * 4,
        latent_channels=4,
    )  # fmt: skip
    eyes = CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=32, projection_dim=32, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=32, image_size=224, patch_size=32,
        )
    )  # fmt: skip
    scheduler = EulerDiscreteScheduler(
        prediction_type="v_prediction", use_karras_sigmas=True, interpolation_type="linear",
        timestep_type="continuous", sigma_min=0.002, sigma_max=700.0,
    )  # fmt: skip
    return StableVideoDiffusionPipeline(vae, eyes, unet, scheduler, CLIPImageProcessor())


def wan_21() -> Any:
    return _wan_21()


def wan_21_last() -> Any:
    return _wan_21(pos_embed_seq_len=2 * 5)


def wan_22() -> Any:
    from diffusers import WanImageToVideoPipeline

    text, tokens = _t5(multilingual=True)
    return WanImageToVideoPipeline(
        tokenizer=tokens, text_encoder=text, vae=_wan_vae(), scheduler=_flow(5.0),
        transformer=_wan(36, 16), transformer_2=_wan(36, 16), boundary_ratio=0.9,
    )  # fmt: skip


def wan_22_5b() -> Any:
    from diffusers import AutoencoderKLWan, WanPipeline

    vae = AutoencoderKLWan(
        base_dim=4, z_dim=48, dim_mult=[1] * 4, num_res_blocks=1, decoder_base_dim=4,
        temperal_downsample=[False, True, True], is_residual=True, in_channels=12, out_channels=12,
        patch_size=2, scale_factor_spatial=16, latents_mean=[0.0] * 48, latents_std=[1.0] * 48,
    )  # fmt: skip
    text, tokens = _t5(multilingual=True)
    return WanPipeline(
        tokenizer=tokens, text_encoder=text, vae=vae, scheduler=_flow(5.0),
        transformer=_wan(48, 48), expand_timesteps=True,
    )  # fmt: skip


def ltx() -> Any:
    from diffusers import LTXImageToVideoPipeline

    return LTXImageToVideoPipeline(**_ltx())


def ltx_condition() -> Any:
    from diffusers import LTXConditionPipeline

    return LTXConditionPipeline(**_ltx())


def cogvideox() -> Any:
    return _cogvideox(sample_width=8, sample_height=8, use_learned_positional_embeddings=True)


def cogvideox_15() -> Any:
    return _cogvideox(
        sample_width=300, sample_height=300, sample_frames=81, patch_size_t=2, ofs_embed_dim=16,
        patch_bias=False,
    )  # fmt: skip


def skyreels() -> Any:
    return _skyreels()


def skyreels_last() -> Any:
    return _skyreels(pos_embed_seq_len=2 * 5)


def _skyreels(**more: Any) -> Any:
    from diffusers import SkyReelsV2ImageToVideoPipeline, SkyReelsV2Transformer3DModel

    text, tokens = _t5(multilingual=True)
    transformer = SkyReelsV2Transformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=36,
        out_channels=16, text_dim=32, freq_dim=32, ffn_dim=32, num_layers=1, rope_max_seq_len=64,
        image_dim=32, added_kv_proj_dim=24, **more,
    )  # fmt: skip
    eyes, seeing = _clip_eyes(projected=True)
    return SkyReelsV2ImageToVideoPipeline(
        tokenizer=tokens, text_encoder=text, image_encoder=eyes, image_processor=seeing,
        transformer=transformer, vae=_wan_vae(), scheduler=_flow(5.0),
    )  # fmt: skip


def _wan_21(**more: Any) -> Any:
    from diffusers import WanImageToVideoPipeline

    text, tokens = _t5(multilingual=True)
    eyes, seeing = _clip_eyes()
    return WanImageToVideoPipeline(
        tokenizer=tokens, text_encoder=text, vae=_wan_vae(), scheduler=_flow(3.0),
        image_processor=seeing, image_encoder=eyes,
        transformer=_wan(36, 16, image_dim=32, added_kv_proj_dim=24, **more),
    )  # fmt: skip


def _wan(channels: int, out: int, **more: Any) -> Any:
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=channels,
        out_channels=out, text_dim=32, freq_dim=32, ffn_dim=32, num_layers=1, rope_max_seq_len=64,
        **more,
    )  # fmt: skip


def _wan_vae() -> Any:
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=4, z_dim=16, dim_mult=[1] * 4, num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )  # fmt: skip


def _flow(shift: float) -> Any:
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
    )


def _ltx() -> dict[str, Any]:
    from diffusers import (
        AutoencoderKLLTXVideo,
        FlowMatchEulerDiscreteScheduler,
        LTXVideoTransformer3DModel,
    )

    text, tokens = _t5()
    transformer = LTXVideoTransformer3DModel(
        in_channels=16, out_channels=16, num_attention_heads=2, attention_head_dim=16,
        cross_attention_dim=32, num_layers=1, caption_channels=32,
    )  # fmt: skip
    vae = AutoencoderKLLTXVideo(
        latent_channels=16, block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4,
        layers_per_block=(1,) * 5, decoder_layers_per_block=(1,) * 5,
        spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False), patch_size=4,
    )  # fmt: skip
    scheduler = FlowMatchEulerDiscreteScheduler()
    return {"scheduler": scheduler, "vae": vae, "text_encoder": text, "tokenizer": tokens,
            "transformer": transformer}  # fmt: skip


def _cogvideox(**more: Any) -> Any:
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDDIMScheduler,
        CogVideoXImageToVideoPipeline,
        CogVideoXTransformer3DModel,
    )

    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=1, attention_head_dim=64, in_channels=32, out_channels=16,
        time_embed_dim=16, text_embed_dim=32, num_layers=1, use_rotary_positional_embeddings=True,
        **more,
    )  # fmt: skip
    vae = AutoencoderKLCogVideoX(
        block_out_channels=(8,) * 4, latent_channels=16, layers_per_block=1, norm_num_groups=2,
        sample_height=480, sample_width=720,
        down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4,
    )  # fmt: skip
    text, tokens = _t5()
    return CogVideoXImageToVideoPipeline(tokens, text, vae, transformer, CogVideoXDDIMScheduler())


def _t5(multilingual: bool = False) -> tuple[Any, Any]:
    from transformers import T5Config, T5EncoderModel, T5Tokenizer, UMT5Config, UMT5EncoderModel

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -2.0), ("\u2581", -2.0)]
    pieces += [(letter, -3.0) for letter in SYMBOLS]
    tokens = T5Tokenizer(vocab=pieces, extra_ids=0)
    config = {
        "vocab_size": len(pieces), "d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1,
        "num_heads": 2, "relative_attention_num_buckets": 8, "feed_forward_proj": "gated-gelu",
    }  # fmt: skip
    if multilingual:
        return UMT5EncoderModel(UMT5Config(**config)).eval(), tokens
    return T5EncoderModel(T5Config(**config)).eval(), tokens


def _clip_eyes(projected: bool = False) -> tuple[Any, Any]:
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        CLIPVisionModel,
        CLIPVisionModelWithProjection,
    )

    config = CLIPVisionConfig(
        hidden_size=32, projection_dim=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, image_size=32, patch_size=16,
    )  # fmt: skip
    kind = CLIPVisionModelWithProjection if projected else CLIPVisionModel
    size = {"height": 32, "width": 32}
    return kind(config), CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size)


BUILDERS: dict[str, Callable[[], Any]] = {
    "svd": svd,
    "wan-2.1": wan_21,
    "wan-2.1-last": wan_21_last,
    "wan-2.2": wan_22,
    "wan-2.2-5b": wan_22_5b,
    "ltx": ltx,
    "ltx-condition": ltx_condition,
    "cogvideox": cogvideox,
    "cogvideox-1.5": cogvideox_15,
    "skyreels-v2": skyreels,
    "skyreels-v2-last": skyreels_last,
    **tiny_talkers.BUILDERS,
}


def build(name: str, folder: Path) -> None:
    import torch

    torch.manual_seed(0)
    BUILDERS[name]().save_pretrained(folder)
    index = folder / "model_index.json"
    named = json.loads(index.read_text())
    for (
        part,
        listed,
    ) in named.items():  # as published: what is saved here without torchvision differs
        if isinstance(listed, list) and str(listed[1]).endswith("ImageProcessorPil"):
            named[part] = [listed[0], listed[1].removesuffix("Pil")]
    index.write_text(json.dumps(named))
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: tiny-licence\n---\n")


if __name__ == "__main__":
    for name in sys.argv[2:]:
        build(name, Path(sys.argv[1]) / name)
