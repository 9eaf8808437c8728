"""Random checkpoints of families whose text is read by language models; see ``tiny_models.py``."""

from collections.abc import Callable
from typing import Any

WORDS = "the a water moves lake boat light and image system user describe video sky of , . : <unk>"
MARKS = [
    "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<image>", "<pad>", "<|im_start|>",
    "<|im_end|>",
]  # fmt: skip


def hunyuan() -> Any:
    from diffusers import HunyuanVideoImageToVideoPipeline
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
    )

    tokens = _words()
    text = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=CLIPVisionConfig(
                hidden_size=16, projection_dim=16, num_hidden_layers=2, num_attention_heads=2,
                intermediate_size=16, image_size=336, patch_size=14,
            ),
            text_config=LlamaConfig(**_llama(len(tokens))),
            image_token_index=tokens.convert_tokens_to_ids("<image>"),
            pad_token_id=tokens.pad_token_id,
        )
    ).eval()  # fmt: skip
    small, small_tokens = _clip()
    size = {"height": 336, "width": 336}
    return HunyuanVideoImageToVideoPipeline(
        text_encoder=text, tokenizer=tokens, transformer=_hunyuan("latent_concat"),
        vae=_hunyuan_vae(), scheduler=_euler(7.0), text_encoder_2=small, tokenizer_2=small_tokens,
        image_processor=CLIPImageProcessor(size={"shortest_edge": 336}, crop_size=size),
    )  # fmt: skip


def framepack() -> Any:
    from diffusers import HunyuanVideoFramepackPipeline, HunyuanVideoFramepackTransformer3DModel
    from transformers import LlamaConfig, LlamaModel

    tokens = _words()
    small, small_tokens = _clip()
    eyes, seeing = _siglip(16)
    transformer = HunyuanVideoFramepackTransformer3DModel(
        **_mmdit(16), guidance_embeds=True, has_image_proj=True, image_proj_dim=16,
        has_clean_x_embedder=True,
    )  # fmt: skip
    return HunyuanVideoFramepackPipeline(
        text_encoder=LlamaModel(LlamaConfig(**_llama(len(tokens)))).eval(), tokenizer=tokens,
        transformer=transformer, vae=_hunyuan_vae(), scheduler=_euler(7.0), text_encoder_2=small,
        tokenizer_2=small_tokens, image_encoder=eyes, feature_extractor=seeing,
    )  # fmt: skip


def hunyuan_15() -> Any:
    from diffusers import (
        AutoencoderKLHunyuanVideo15,
        ClassifierFreeGuidance,
        HunyuanVideo15ImageToVideoPipeline,
        HunyuanVideo15Transformer3DModel,
    )
    from transformers import ByT5Tokenizer, T5Config, T5EncoderModel
    from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLTextConfig
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLTextModel

    tokens = _words()
    tokens.chat_template = (
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n'"
        " + message['content'] + '<|im_end|>' }}{% endfor %}"
    )
    text = Qwen2_5_VLTextModel(
        Qwen2_5_VLTextConfig(
            vocab_size=len(tokens), hidden_size=16, intermediate_size=16, num_hidden_layers=3,
            num_attention_heads=2, num_key_value_heads=2,
            rope_scaling={"rope_type": "default", "mrope_section": [1, 1, 2]},
        )
    ).eval()  # fmt: skip
    letters = ByT5Tokenizer()
    glyphs = T5EncoderModel(
        T5Config(
            vocab_size=len(letters), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2,
            feed_forward_proj="gated-gelu",
        )
    ).eval()  # fmt: skip
    eyes, seeing = _siglip(16, image_size=378, patch_size=14)
    transformer = HunyuanVideo15Transformer3DModel(
        in_channels=17, out_channels=8, num_attention_heads=2, attention_head_dim=16, num_layers=1,
        num_refiner_layers=1, text_embed_dim=16, text_embed_2_dim=16, image_embed_dim=16,
        rope_axes_dim=(4, 6, 6), target_size=64, task_type="i2v",
    )  # fmt: skip
    vae = AutoencoderKLHunyuanVideo15(
        latent_channels=8, block_out_channels=(8, 8, 16, 16, 16), layers_per_block=1,
        downsample_match_channel=True, upsample_match_channel=True,
    )  # fmt: skip
    return HunyuanVideo15ImageToVideoPipeline(
        text_encoder=text, tokenizer=tokens, transformer=transformer, vae=vae,
        scheduler=_euler(7.0), text_encoder_2=glyphs, tokenizer_2=letters,
        guider=ClassifierFreeGuidance(), image_encoder=eyes, feature_extractor=seeing,
    )  # fmt: skip


def ltx_2() -> Any:
    from diffusers import (
        AutoencoderKLLTX2Audio,
        AutoencoderKLLTX2Video,
        FlowMatchEulerDiscreteScheduler,
        LTX2ImageToVideoPipeline,
        LTX2VideoTransformer3DModel,
    )
    from diffusers.pipelines.ltx2.connectors import LTX2TextConnectors
    from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3TextConfig,
        SiglipVisionConfig,
    )

    tokens = _words()
    layers = 2
    text = Gemma3ForConditionalGeneration(
        Gemma3Config(
            text_config=Gemma3TextConfig(
                vocab_size=len(tokens), hidden_size=16, intermediate_size=16, head_dim=8,
                num_hidden_layers=layers, num_attention_heads=2, num_key_value_heads=1,
                pad_token_id=tokens.pad_token_id,
            ),
            vision_config=SiglipVisionConfig(**_seeing(16)),
            image_token_index=tokens.convert_tokens_to_ids("<image>"),
        )
    ).eval()  # fmt: skip
    transformer = LTX2VideoTransformer3DModel(
        in_channels=8, out_channels=8, num_attention_heads=2, attention_head_dim=8,
        cross_attention_dim=16, audio_in_channels=4, audio_out_channels=4,
        audio_num_attention_heads=2, audio_attention_head_dim=4, audio_cross_attention_dim=8,
        num_layers=1, caption_channels=16,
    )  # fmt: skip
    vae = AutoencoderKLLTX2Video(
        latent_channels=8, block_out_channels=(4, 8, 16, 32),
        decoder_block_out_channels=(16, 32, 64), layers_per_block=(1,) * 5,
        decoder_layers_per_block=(1,) * 4,
        spatial_compression_ratio=32, temporal_compression_ratio=8,
    )  # fmt: skip
    sound = AutoencoderKLLTX2Audio(
        base_channels=4, ch_mult=(1,), num_res_blocks=1, latent_channels=2, mel_bins=8,
        resolution=32,
    )  # fmt: skip
    connectors = LTX2TextConnectors(
        caption_channels=16, text_proj_in_factor=layers + 1, video_connector_num_attention_heads=2,
        video_connector_attention_head_dim=8, video_connector_num_layers=1,
        video_connector_num_learnable_registers=None, audio_connector_num_attention_heads=2,
        audio_connector_attention_head_dim=8, audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None, connector_rope_base_seq_len=32,
    )  # fmt: skip
    voice = LTX2Vocoder(
        in_channels=16, hidden_channels=8, out_channels=2, upsample_kernel_sizes=[4, 4],
        upsample_factors=[2, 2], resnet_kernel_sizes=[3], resnet_dilations=[[1, 3]],
    )  # fmt: skip
    return LTX2ImageToVideoPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True), vae=vae,
        audio_vae=sound, text_encoder=text, tokenizer=tokens, connectors=connectors,
        transformer=transformer, vocoder=voice,
    )  # fmt: skip


def _words() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: number for number, word in enumerate([*MARKS, *WORDS.split()])}
    plain = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", unk_token="<unk>", eos_token="<|eot_id|>",
        additional_special_tokens=MARKS, model_max_length=64,
    )  # fmt: skip


def _llama(size: int) -> dict[str, Any]:
    return {
        "vocab_size": size, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3,
        "num_attention_heads": 2, "num_key_value_heads": 2, "pad_token_id": 4,
        "max_position_embeddings": 2048,
    }  # fmt: skip


def _clip() -> tuple[Any, Any]:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    pieces = ["<|startoftext|>", "<|endoftext|>"]
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces += [*letters, *(f"{letter}</w>" for letter in letters)]
    tokens = CLIPTokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)}, merges=[], model_max_length=77
    )
    config = CLIPTextConfig(
        vocab_size=len(pieces), hidden_size=8, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=2, projection_dim=8, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    return CLIPTextModel(config).eval(), tokens


def _seeing(width: int, image_size: int = 32, patch_size: int = 16) -> dict[str, int]:
    return {
        "hidden_size": width, "intermediate_size": width, "num_hidden_layers": 1,
        "num_attention_heads": 2, "image_size": image_size, "patch_size": patch_size,
    }  # fmt: skip


def _siglip(width: int, image_size: int = 32, patch_size: int = 16) -> tuple[Any, Any]:
    from transformers import SiglipImageProcessor, SiglipVisionConfig, SiglipVisionModel

    config = SiglipVisionConfig(**_seeing(width, image_size, patch_size))
    size = {"height": image_size, "width": image_size}
    return SiglipVisionModel(config).eval(), SiglipImageProcessor(size=size)


def _mmdit(channels: int) -> dict[str, Any]:
    return {
        "in_channels": channels, "out_channels": 16, "num_attention_heads": 2,
        "attention_head_dim": 16, "num_layers": 1, "num_single_layers": 1, "num_refiner_layers": 1,
        "text_embed_dim": 16, "pooled_projection_dim": 8, "rope_axes_dim": (4, 6, 6),
    }  # fmt: skip


def _hunyuan(how: str) -> Any:
    from diffusers import HunyuanVideoTransformer3DModel

    return HunyuanVideoTransformer3DModel(
        **_mmdit(33), guidance_embeds=False, image_condition_type=how
    )


def _hunyuan_vae() -> Any:
    from diffusers import AutoencoderKLHunyuanVideo

    return AutoencoderKLHunyuanVideo(
        latent_channels=16, block_out_channels=(8,) * 4, layers_per_block=1, norm_num_groups=2,
        mid_block_add_attention=False,
    )  # fmt: skip


def _euler(shift: float) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(shift=shift)


BUILDERS: dict[str, Callable[[], Any]] = {
    "hunyuan": hunyuan,
    "hunyuan-1.5": hunyuan_15,
    "framepack": framepack,
    "ltx-2": ltx_2,
}
