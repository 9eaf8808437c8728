"""A random checkpoint of Stable Video Diffusion of a few megabytes, in the published layout."""

import json
import sys
from pathlib import Path


def build(folder: Path) -> None:
    import torch
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
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
    pipe = StableVideoDiffusionPipeline(vae, eyes, unet, scheduler, CLIPImageProcessor())
    pipe.save_pretrained(folder)
    index = folder / "model_index.json"
    named = json.loads(index.read_text())
    named["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    index.write_text(json.dumps(named))
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: tiny-licence\n---\n")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
