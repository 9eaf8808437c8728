"""Measured quality, beside null baselines."""
