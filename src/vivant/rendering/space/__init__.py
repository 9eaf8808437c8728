"""Depth, and a camera that moves through it."""
