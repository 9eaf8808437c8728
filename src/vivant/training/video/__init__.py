"""From shards with small frames to a video diffusion model."""
