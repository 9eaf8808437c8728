"""Our own small video diffusion: a causal autoencoder and a space-time transformer (PyTorch)."""
